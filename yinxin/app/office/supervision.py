"""Supervision of this home: the watch over its log, and what inspectors may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.supervision.rules import own_rules, read_rules
from credentials.office.supervision.service import Supervision
from credentials.office.supervision.watch import Watch
from yinxin.app import wiring
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from credentials.office.supervision.rules import Rule
    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance


def rules(home: Home) -> tuple[Rule, ...]:
    """What supervision looks for here."""
    file = home.settings.supervision_rules
    return read_rules(read_file(file).decode("utf-8")) if file else own_rules()


def make_watch(home: Home) -> Watch:
    """Who reads the log on; `yinxin.app.duties` and the command line let it run."""
    return Watch(home.database, rules=rules(home), clock=home.clock)


def make_supervision(home: Home) -> Supervision:
    """What inspectors may do, for their pages, their interface and the command line."""
    return Supervision(home.database, index=wiring.holder_index(home), rules=rules(home), clock=home.clock)


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """Supervision for programs, and its pages."""
    from credentials.office.supervision import http, pages  # noqa: PLC0415 - FastAPI takes a second

    supervision, (_, key) = make_supervision(home), wiring.log_key(home)
    return [
        http.router(supervision, enter=entrance.caller, log_key=key, clock=home.clock),
        pages.router(supervision, enter=entrance.visitor, origin=entrance.access.site.origin, log_key=key),
    ]
