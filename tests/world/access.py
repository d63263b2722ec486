"""An origin where people sign in: its pages, its staff, and what its audit log says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from sqlalchemy import select

from world.passkeys import Authenticator, Browser, register
from yinxin.access.pages import router
from yinxin.access.service import Access
from yinxin.app import problems
from yinxin.base.actor import staff
from yinxin.base.audit.records import INBOX
from yinxin.base.clock import FixedClock
from yinxin.base.text import Text

if TYPE_CHECKING:
    from yinxin.access.accounts import Enrolment
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

COUNTER = "https://counter.example"
SEVEN, EIGHT = "111201010000518600", "111201020000518889"


class AccessWorld:
    """One origin with its sign-in pages, for staff unless the realm says holders."""

    def __init__(self, database: Database, realm: str = "staff", origin: str = COUNTER, **more: Any) -> None:
        self.database, self.origin = database, origin
        self.clock = more.pop("clock", None) or FixedClock(2026, 11, 20, 8)
        name = Text("核验窗口", "Counter")
        self.access = Access(database, realm=realm, origin=origin, name=name, clock=self.clock, **more)
        self.app = FastAPI()
        problems.install(self.app)
        self.app.include_router(router(self.access, start="/desk"))

    def browser(self, address: str = "203.0.113.7") -> Browser:
        return Browser(self.app, self.origin, address=address)

    def device(self, **more: Any) -> Authenticator:
        return Authenticator(self.origin, **more)

    def registrar(self, identifier: str = "ren", organisation: str = SEVEN) -> Actor:
        """The first registrar of an organisation."""
        self.access.staff.bootstrap(
            identifier, name="任", organisation=organisation, actor=staff("anna"), witness=staff("bo")
        )
        return staff(identifier, agency=organisation, roles=("registrar",))

    def enrol(
        self, identifier: str = "clerk-17", *, registrar: Actor, roles: tuple[str, ...] = ("clerk",)
    ) -> Enrolment:
        return self.access.staff.add(
            identifier, name="王", organisation=registrar.agency or "", roles=roles, actor=registrar
        )

    def clerk(self, **device: Any) -> tuple[Browser, Authenticator]:
        """A clerk's browser after registration, and the device that holds the passkey."""
        browser, made = self.browser(), self.device(**device)
        answer = register(browser, made, code=self.enrol(registrar=self.registrar()).code)
        assert answer.status_code == 200, answer.text
        return browser, made

    def actions(self) -> list[str]:
        return [entry["action"] for entry in self.entries()]

    def entries(self) -> list[dict[str, Any]]:
        """What was recorded, oldest first."""
        with self.database.reading() as session:
            rows = session.execute(select(INBOX).order_by(INBOX.c.number)).all()
        return [json.loads(row.body) for row in rows]
