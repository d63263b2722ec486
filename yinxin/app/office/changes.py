"""What became of licences: their history, for the agency's own systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yinxin.app import wiring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance


def routers(home: Home, entrance: Entrance) -> Sequence[APIRouter]:
    """The history of a licence."""
    from credentials.office.http import changes  # noqa: PLC0415 - FastAPI takes a second

    return [changes.router(wiring.reading(home), enter=entrance.caller, clock=home.clock)]
