"""Kill the audit log's process at any moment: what was acknowledged is there, and the tree is whole.

A round forks a process (from a server that has imported all, so it costs milliseconds) in which four threads
record entries and one sequences them; it is killed with SIGKILL after a random number of acknowledgements.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world.audit import ORIGIN, PUBLIC_KEY, sequencer, write
from world.databases import database, database_url, postgresql  # noqa: F401 - fixtures

from yinxin.base.audit import AuditLog, Entry
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

WRITERS = 4


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no fork server")
def test_nothing_acknowledged_is_lost_however_often_the_process_is_killed(
    database: Database,  # noqa: F811 - the fixture
    database_url: str,  # noqa: F811 - the fixture
    rounds: Callable[[int, int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "world.audit", "world.databases", "psycopg"])
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # so that the server can import `world`
    chance = random.Random(20261120)  # noqa: S311 - a repeatable story
    acknowledged: set[str] = set()
    for _ in range(rounds(8, 200)):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=write_until_killed, args=(database_url, theirs), daemon=True)
        process.start()
        theirs.close()
        acknowledged.update(ours.recv() for _ in range(chance.randrange(1, 150)))
        process.kill()
        acknowledged.update(_rest(ours))
        process.join()
    left = sequencer(database)
    while left.run_once():
        pass
    _check(AuditLog(database), acknowledged)


def write_until_killed(url: str, pipe: Connection) -> None:
    """What the killed process does."""
    target = Database(url)
    gate = threading.Lock()

    def write_on() -> None:
        while True:
            for entry_id in write(target, 2):
                with gate:
                    pipe.send(entry_id)

    for _ in range(WRITERS):
        threading.Thread(target=write_on, daemon=True).start()
    working = sequencer(target)
    while True:
        working.run_once(limit=7)


def _rest(pipe: Connection) -> list[str]:
    """What was acknowledged before the kill and not read yet; a message cut in two was not."""
    found = []
    try:
        while True:
            found.append(pipe.recv())
    except (EOFError, OSError):
        return found


def _check(log: AuditLog, acknowledged: set[str]) -> None:
    entries: list[Entry] = []
    while page := log.entries(after=len(entries) - 1, limit=1000):
        entries += page
    assert [entry.log_index for entry in entries] == list(range(len(entries)))
    assert acknowledged <= {entry.entry_id for entry in entries}
    assert len(acknowledged) > 0
    assert log.problems(origin=ORIGIN, public_key=PUBLIC_KEY) == []
