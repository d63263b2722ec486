"""What the applications of one process share: their stage, their errors, and secrets of their own."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import ExitStack

    from fastapi import APIRouter, FastAPI

    from verify_api.documents import Snapshots
    from yinxin.app.home import Home
    from yinxin.app.problems import SlipOf
    from yinxin.app.shelf import Shelf
    from yinxin.base.journal import Journal


@dataclass(slots=True)
class Stage:
    """What runs beside the applications of one process, and ends with them.

    `refresh` fetches at once what verification stands on; else that happens at the settings' interval.
    `shelf` is where another process lays down what it fetches: then nothing is fetched here, and what one
    process does for all (`yinxin.app.duties`) is not done here either. `count_verdict` hears of each
    verification, `on_fetched` of each round of the process that fills the shelf.
    """

    closing: ExitStack
    refreshers: list[Callable[[], None]] = field(default_factory=list)
    shelf: Shelf | None = None
    snapshots: Callable[[], Snapshots] | None = None
    unanswered: Callable[[], Collection[str]] | None = None
    journals: list[Journal] = field(default_factory=list)
    count_verdict: Callable[[str, str], None] | None = None
    on_fetched: Callable[[], None] | None = None

    def refresh(self) -> None:
        """Fetch now."""
        for refresher in self.refreshers:
            refresher()


def application(title: str, *routers: APIRouter, slip_of: SlipOf | None = None) -> FastAPI:
    """An application of these routes, with our errors; `slip_of` gives refusals their slip."""
    from fastapi import FastAPI  # noqa: PLC0415 - it takes a second

    from yinxin.app import problems  # noqa: PLC0415 - the same

    app = FastAPI(title=f"yinxin {title}", openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app, slip_of=slip_of)
    for router in routers:
        app.include_router(router)
    return app


def derived(home: Home, use: bytes) -> bytes:
    """A secret for one use: every worker derives the same, and nobody without the home's passphrase can."""
    return hmac.new(home.document_key(), use, hashlib.sha256).digest()
