"""The pages of sign-in in a real browser with a passkey device: every step, in both languages."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from world.access import AccessWorld
from world.browser import browser, visit
from world.databases import with_tables

from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.browser import Visit, Visitor

__all__ = ["browser", "visit"]
WORDS = {
    "zh": {
        "register": "登记通行密钥",
        "sign in": "使用通行密钥登录",
        "out": "退出登录",
        "add": "添加通行密钥",
    },
    "en": {
        "register": "Register a passkey",
        "sign in": "Sign in with a passkey",
        "out": "Sign out",
        "add": "Add a passkey",
    },
}


class Served(AccessWorld):
    """Sign-in on a loopback port, as a process of ours would serve it."""

    def __init__(self, realm: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        origin = f"http://localhost:{self._listener.getsockname()[1]}"
        database = with_tables()
        super().__init__(database, realm, origin, clock=SystemClock())
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_level="critical"))
        work: Any = {"target": self._server.run, "kwargs": {"sockets": [self._listener]}, "daemon": True}
        self._thread = threading.Thread(**work)
        self._thread.start()
        self.people = iter(range(100))
        if realm == "staff":
            self.ren = self.registrar()

    def code(self) -> str:
        return self.enrol(f"clerk-{next(self.people)}", registrar=self.ren).code

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()


@pytest.fixture(scope="module")
def counter() -> Iterator[Served]:
    made = Served("staff")
    yield made
    made.close()


@pytest.fixture(scope="module")
def wallet() -> Iterator[Served]:
    made = Served("holder")
    yield made
    made.close()


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_clerk_registers_signs_out_and_in_again(visit: Visit, counter: Served, language: str) -> None:
    words, clerk = WORDS[language], visit(language=language, may_fail=("401",))
    clerk.open(f"{counter.origin}/account")
    assert "/sign-in?next=%2Faccount" in clerk.page.url
    clerk.look(f"sign-in-{language}")
    clerk.open(f"{counter.origin}/register?next=/account")
    clerk.look(f"register-{language}")
    clerk.page.locator("#code").fill("0000-0000-0000-0000")
    press(clerk, words["register"])
    clerk.page.locator("[data-message=refused]").wait_for(state="visible")
    clerk.accessible()
    clerk.page.locator("#code").fill(counter.code())
    clerk.page.keyboard.press("Enter")
    clerk.page.wait_for_url(f"{counter.origin}/account")
    clerk.look(f"account-{language}")
    press(clerk, words["out"])
    clerk.page.wait_for_url(f"{counter.origin}/sign-in")
    press(clerk, words["sign in"])
    clerk.page.wait_for_url(f"{counter.origin}/desk")  # where the room's own pages would be


def test_a_holder_makes_an_account(visit: Visit, wallet: Served) -> None:
    holder = visit(language="zh")
    holder.open(f"{wallet.origin}/register?next=/account")
    holder.page.locator("#name").fill("我的手机 <b>")
    press(holder, WORDS["zh"]["register"])
    holder.page.wait_for_url(f"{wallet.origin}/account")
    holder.look("holder-account")
    assert "我的手机 <b>" in holder.page.locator("main").inner_text()


def test_one_device_holds_one_passkey_of_an_account(visit: Visit, counter: Served) -> None:
    clerk = visit(language="en")
    clerk.open(f"{counter.origin}/register?next=/account")
    clerk.page.locator("#code").fill(counter.code())
    press(clerk, WORDS["en"]["register"])
    clerk.page.wait_for_url(f"{counter.origin}/account")
    press(clerk, WORDS["en"]["add"])
    clerk.page.locator("[data-message=known]").wait_for(state="visible")


def test_without_a_device_or_a_script_the_page_says_what_is_missing(visit: Visit, counter: Served) -> None:
    plain = visit(language="en", javascript=False)
    plain.open(f"{counter.origin}/sign-in")
    assert "Passkeys need JavaScript" in plain.page.locator("main").inner_text()
    assert plain.page.get_by_role("button", name="Sign in with a passkey").is_disabled()
