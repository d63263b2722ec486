"""Kill a batch at any moment and resume it: each row has one licence, with its document and its audit entry.

A round forks a process that issues what is left of a file, pages and seals and all; it is killed with
SIGKILL after a random number of steps. When a file is done the next one is begun. In the end the last
file is finished, and what killed processes left is swept away.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import random
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from world.databases import database, database_url, postgresql  # noqa: F401 - fixtures
from world.office import Office
from world.pki import Pki
from world.rows import csv_of

from credentials.batches.work import STALE
from credentials.documents import DocumentStore
from credentials.production import Production
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

TYPE, ROWS, KEY = "no-record-certificate", 24, b"k" * 32
Message = tuple[str, str]


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no fork server")
def test_each_row_has_one_licence_however_often_the_process_is_killed(
    database: Database,  # noqa: F811 - the fixture
    database_url: str,  # noqa: F811 - the fixture
    tmp_path: Path,
    pki: Pki,
    rounds: Callable[[int, int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "world.office", "world.pki", "world.databases", "psycopg"])
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # so that the server can import `world`
    chance, story = random.Random(20261123), Story()  # noqa: S311 - a repeatable story
    for _ in range(rounds(2, 100)):
        ours, theirs = context.Pipe(duplex=False)
        work = (database_url, str(tmp_path), story.file, theirs)
        process = context.Process(target=issue_until_killed, args=work, daemon=True)
        process.start()
        theirs.close()
        story.listen(ours, steps=chance.randrange(1, 110))
        process.kill()
        story.listen(ours)
        process.join()
    office = Office(pki, database, documents=DocumentStore(tmp_path, KEY))
    _issue(office, story.file)
    office.clock.advance(STALE + timedelta(seconds=1))
    _issue(office, story.file)
    story.check(office, tmp_path)


def issue_until_killed(url: str, folder: str, number: int, pipe: Connection) -> None:
    """What the killed process does."""
    office = Office(Pki(), Database(url), documents=DocumentStore(folder, KEY))
    for step in ("reserve", "make", "keep", "record"):
        setattr(Production, step, _telling(getattr(Production, step), step, pipe))
    _issue(office, number, each=lambda issued: pipe.send(("issued", issued.licence.identifier)))
    pipe.send(("done", ""))


def _telling(work: Callable[..., Any], name: str, pipe: Connection) -> Callable[..., Any]:
    """The same work, told before and after."""

    def told(*arguments: Any, **options: Any) -> Any:
        pipe.send((name, "before"))
        result = work(*arguments, **options)
        pipe.send((name, "after"))
        return result

    return told


def _issue(office: Office, number: int, **options: Any) -> None:
    office.issuer.issue_rows(
        a_file(number),
        type_code=TYPE,
        actor=office.clerk,
        holder_key=lambda _kind, _claims: office.holder.public_key,
        resume=True,
        workers=1,  # the pipe tells one step at a time
        **options,
    )


def a_file(number: int) -> bytes:
    """Applications that are all different, from file to file too."""
    indexes = range(number * ROWS, (number + 1) * ROWS)
    return csv_of(TYPE, indexes, cases=[f"津审办{index:06d}" for index in indexes])


@dataclass
class Story:
    """Which file is at work, and what was told."""

    file: int = 0
    issued: set[str] = field(default_factory=set)
    killed_in: set[str] = field(default_factory=set)

    def listen(self, pipe: Connection, *, steps: int | None = None) -> None:
        """Hear so many steps, or all that was told before the kill and not read yet."""
        last = ""
        try:
            while steps is None or steps > 0:
                name, what = pipe.recv()
                last = f"{name} {what}" if name != "issued" else name
                if name == "issued":
                    self.issued.add(what)
                if name == "done":
                    self.file += 1
                if steps is not None:
                    steps -= 1
        except (EOFError, OSError):
            self.killed_in.add(last)

    def check(self, office: Office, folder: Path) -> None:
        """Everything is there once."""
        expected = (self.file + 1) * ROWS
        with office.database.reading() as session:

            def ask(query: str) -> Any:
                return session.execute(text(query)).all()

            licences = ask("SELECT identifier, number, pdf_sha256 FROM licence")
            applications = ask("SELECT licence FROM licence_application")
            copies = ask("SELECT licence FROM licence_copy")
            bodies = [json.loads(row.body) for row in ask("SELECT body FROM audit_inbox")]
            drafts = ask("SELECT digest FROM licence_draft")
            unfinished = ask("SELECT id FROM licence_batch WHERE ended_at IS NULL")
        names = {row.identifier for row in licences}
        assert len(licences) == len(names) == len({row.number for row in licences}) == expected
        assert self.issued <= names
        assert sorted(row.licence for row in applications) == sorted(names)
        assert sorted(row.licence for row in copies) == sorted(names)
        entries = [body["subject"] for body in bodies if body["action"] == "licence.issue"]
        assert sorted(entries) == sorted(names)  # none lost, none twice
        documents = DocumentStore(folder, KEY)
        for row in licences:
            assert hashlib.sha256(documents.get(row.pdf_sha256)).hexdigest() == row.pdf_sha256
        kept = [path for path in folder.glob("??/??/*") if not path.name.startswith(".")]
        assert (len(kept), drafts, unfinished) == (expected, [], [])  # no document that nothing leads to
