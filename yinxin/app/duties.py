"""What one process does for all of its role: the log's order and its watch, sealed rows, fetched lists.

A server of one process does these beside answering; with several, one process does nothing else. Should two
machines do the same duty, the database lets one at a time do it (the log), or nothing is lost by doing it
twice (the rest).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.oid4vci.repository import IssuanceRepository
from verify_api.presentations.repository import PresentationRepository
from verify_api.repository import SessionRepository
from verify_api.service import KEPT_AFTER_END
from yinxin.app import persons, wiring
from yinxin.app.office.supervision import make_watch
from yinxin.app.refresh import Refresher
from yinxin.app.repeating import repeat
from yinxin.app.rounds import repeat_rounds
from yinxin.base import once

if TYPE_CHECKING:
    from yinxin.app.home import Home
    from yinxin.app.wiring import Stage

TIDY_SECONDS = 600.0
WATCH_SECONDS = 30.0
SOON, DAY = 60.0, 24 * 3600.0


def order_the_log(home: Home, stage: Stage) -> None:
    """Give audit entries their place until the stage closes: the duty of the issuer."""
    writer = wiring.sequencer(home)
    writer.start(interval_seconds=home.settings.audit_interval_seconds)
    stage.closing.callback(writer.stop)


def keep_the_register(home: Home, stage: Stage) -> None:
    """The duties of the issuer: order the log, seal what is not sealed yet, forget what is over."""
    order_the_log(home, stage)
    repeat(stage, "seal", lambda: persons.seal_all(home), every_seconds=DAY, first_seconds=SOON)
    repeat(stage, "watch", make_watch(home).run, every_seconds=WATCH_SECONDS)
    repeat(stage, "forget", lambda: persons.forget(home), every_seconds=DAY, first_seconds=2 * SOON)


def fetch_and_tidy(home: Home, stage: Stage) -> None:
    """Fill the stage's shelf and forget sessions that are over: the duty of verifiers with several workers."""
    shelf = stage.shelf
    if shelf is None:
        return  # the application of one process fetches and tidies by itself
    refresher = Refresher(home, keep=shelf.put)

    def fetch() -> None:
        refresher.snapshots()
        shelf.publish()
        if stage.on_fetched:
            stage.on_fetched()

    fetch()
    stage.refreshers.append(fetch)
    repeat(stage, "fetch", fetch, every_seconds=home.settings.refresh_seconds)
    repeat_rounds(home, stage)
    repeat(stage, "tidy", lambda: tidy(home), every_seconds=TIDY_SECONDS)


def tidy(home: Home) -> int:
    """Forget nonces, sessions and single-use values that are over; returns how many."""
    now = home.clock.now()
    with home.database.transaction() as session:
        ended = SessionRepository(session).purge(now=now - KEPT_AFTER_END)
        ended += PresentationRepository(session).purge(now=now)
        ended += IssuanceRepository(session).purge(now=now)
        return ended + once.purge(session, now=now)
