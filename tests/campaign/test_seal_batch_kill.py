"""Kill a batch of seals at any moment and run it again: each file is sealed once, each use is logged once.

A round starts the batch in a process of its own, with further processes below it, and kills it with SIGKILL
after a random number of steps. In the end the batch runs to its end.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from world.desk import Desk, plain_pdf

from signing.pdf import verify
from yinxin.app.seal_batches import Batch, Book, Key, Order, State
from yinxin.app.seal_batches.batch import GROUP
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

FILES = 3 * GROUP + 5


class Log:
    """A log of uses in a file: a line for each, whole groups at a time, as a transaction writes them."""

    def __init__(self, place: Path, tell: Callable[[str], None]) -> None:
        self.place, self.tell = place, tell

    def lines(self) -> list[str]:
        return self.place.read_text().split() if self.place.is_file() else []

    def ask(self, count: int) -> None:
        self.tell(f"ask {count}")

    def write_down(self, _permit: object, digests: Sequence[str], *, again: bool = False) -> None:
        self.tell("before the log")
        known = self.lines()
        new = [one for one in digests if not (again and one in known)]
        draft = self.place.with_suffix(".draft")
        draft.write_text("\n".join([*known, *new]))
        draft.replace(self.place)
        self.tell("after the log")


def make(folder: Path, tell: Callable[[str], None], *, processes: int = 1) -> Batch:
    key = Key(uri=f"file:{folder / 'seal.pem'}?chain={folder / 'chain.pem'}", secret="x")
    return Batch(
        folder / "in", Book(folder / "out"), Order(key), key.open(), SystemClock(),
        leave=Log(folder / "log", tell), processes=processes,
        progress=lambda done, _all: tell(f"done {done}"),
    )  # fmt: skip


def seal_until_killed(folder: str, pipe: Connection, processes: int) -> None:
    """What the killed process does."""
    batch = make(Path(folder), pipe.send, processes=processes)
    for name in ("publish", "write"):
        setattr(batch.book, name, _telling(getattr(batch.book, name), name, pipe))
    batch.run()
    pipe.send("finished")


def _telling(work: Callable[..., Any], name: str, pipe: Connection) -> Callable[..., Any]:
    def told(*arguments: Any) -> Any:
        pipe.send(f"before {name}")
        result = work(*arguments)
        pipe.send(f"after {name}")
        return result

    return told


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_each_file_is_sealed_once_however_often_the_batch_is_killed(
    tmp_path: Path, rounds: Callable[[int, int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    desk.agency.save(tmp_path / "seal.pem", passphrase="x")
    (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in desk.agency.chain))
    (tmp_path / "in").mkdir()
    for number in range(FILES):
        (tmp_path / "in" / f"{number}.pdf").write_bytes(plain_pdf(f"letter {number}"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    context = multiprocessing.get_context("spawn")
    chance = random.Random(20261123)  # noqa: S311 - a repeatable story
    for _ in range(rounds(1, 60)):
        ours, theirs = context.Pipe(duplex=False)
        work = (str(tmp_path), theirs, rounds(1, 2))  # in its own process, or below it
        process = context.Process(target=seal_until_killed, args=work)
        process.start()
        theirs.close()
        _listen(ours, steps=chance.randrange(1, 160))
        process.kill()
        process.join()
    tally = make(tmp_path, lambda _: None).run()
    assert tally.states[State.SEALED] == FILES
    _check(desk, tmp_path)


def _listen(pipe: Connection, *, steps: int) -> None:
    try:
        for _ in range(steps):
            if pipe.recv() == "finished":
                return
    except EOFError:
        return


def _check(desk: Desk, folder: Path) -> None:
    entries = list(Book(folder / "out").entries())
    logged = Log(folder / "log", lambda _: None).lines()
    assert len(entries) == FILES
    assert sorted(one.sealed for one in entries) == sorted(logged)  # none lost, none twice
    now = SystemClock().now()
    known = desk.revocation(now)
    for entry in entries:
        sealed = (folder / "out" / entry.file).read_bytes()
        assert sealed.startswith((folder / "in" / entry.file).read_bytes())
        report = verify(sealed, desk.trust, revocation=known, now=now)
        assert len(report.require().signatures) == 1
        assert report.digest == entry.document
    left = [one for one in (folder / "out").rglob("*") if ".part" in one.name or "ready" in one.parts]
    assert left == []
