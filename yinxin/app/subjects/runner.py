"""Does the work of events in a thread of the office's process, one after the other; what is cut off is taken up again.

Several processes may do so at once: an effect is done by whoever is faster, and by nobody else.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from yinxin.app.subjects.repository import SubjectRepository
from yinxin.base.actor import staff
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from yinxin.app.subjects.cascade import Cascade
    from yinxin.app.subjects.values import SubjectEvent
    from yinxin.app.subjects.work import CascadeWork
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

_log = logging.getLogger("yinxin.subjects")


class Runner:
    """One thread; `close` lets the effect at hand finish and leaves the rest for later."""

    def __init__(self, cascade: Cascade, work: CascadeWork, *, agency: str, database: Database) -> None:
        self._cascade, self._work = cascade, work
        self._agency, self._database = agency, database
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="yinxin-subjects")

    def start(self, event_id: str, *, actor: Actor) -> SubjectEvent:
        """Take an event up; refusals come at once, the effects in their time."""
        event = self._cascade.begin(event_id, actor=actor)
        self._submit(event, actor)
        return event

    def resume(self) -> int:
        """Take up what was cut off, in the name of whoever ran it; how many events that is."""
        with self._database.reading() as session:
            running = SubjectRepository(session).running(agency=self._agency)
        for event in running:
            self._submit(event, staff(event.run_by or "", agency=self._agency, roles=("clerk",)))
        return len(running)

    def wait(self) -> None:
        """Wait for what was begun so far."""
        self._pool.submit(lambda: None).result()

    def close(self) -> None:
        """Stop before the next effect."""
        self._stopping.set()
        self._pool.shutdown()

    def _submit(self, event: SubjectEvent, actor: Actor) -> Future[None]:
        return self._pool.submit(self._go_on, event, actor)

    def _go_on(self, event: SubjectEvent, actor: Actor) -> None:
        try:
            self._work.go_on(event, actor=actor, stop=self._stopping.is_set)
        except YinxinError as error:
            _log.warning("event %s was cut off: %s", event.id, error.code)
        except Exception as error:  # noqa: BLE001 - the thread goes on with the next event
            _log.error("event %s was cut off: %s", event.id, type(error).__name__)
