"""A folder is sealed by several processes, with a report for each file, and goes on after a kill."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.desk import Desk, plain_pdf
from world.tsa import MemoryTsa

from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.seal_batches import Batch, Book, Entry, Key, Order, State, Tally
from yinxin.app.seal_batches import order as order_module
from yinxin.base.clock import SystemClock
from yinxin.base.errors import Conflict, MalformedInput, Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILES = ("a.pdf", "b/c.pdf", "b/d/e.PDF")
URL = "http://tsa.example/"


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture
def folder(desk: Desk, tmp_path: Path) -> Path:
    """A folder with letters, a key beside it, and things that are no letters."""
    source = tmp_path / "letters"
    for name in FILES:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(plain_pdf(name))
    (source / ".hidden").mkdir()
    (source / ".hidden" / "x.pdf").write_bytes(b"")
    (source / "note.txt").write_bytes(b"")
    desk.agency.save(tmp_path / "seal.pem", passphrase="secret")
    (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in desk.agency.chain))
    return source


class Authority:
    """A time-stamp authority that can be down, for any pool."""

    def __init__(self, desk: Desk) -> None:
        self.tsa, self.is_down, self.asked = desk.tsa, False, 0

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        self.asked += 1
        if self.is_down:
            raise Unreachable("down")
        now = SystemClock().now()
        return MemoryTsa(self.tsa.signer, now).stamp(digest, digest_algorithm=digest_algorithm)


@pytest.fixture
def authority(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(desk)
    monkeypatch.setattr(order_module, "HttpTimestamper", lambda *_: made)
    # No pauses and no rests here: how a pool is patient is told in its own tests.
    monkeypatch.setattr(order_module, "TimestamperPool", lambda rows, *_, **__: rows[0].timestamper)
    return made


def a_batch(folder: Path, **asked: Any) -> Batch:
    key = Key(uri=f"file:{folder.parent / 'seal.pem'}?chain={folder.parent / 'chain.pem'}", secret="secret")
    pauses: list[timedelta] = asked.pop("pauses", [])
    leave = {"leave": asked.pop("leave")} if "leave" in asked else {}
    processes = asked.pop("processes", 1)
    order = Order(key, **asked)
    book = Book(folder.with_name("sealed"))
    return Batch(
        folder, book, order, key.open(), SystemClock(), processes=processes, wait=pauses.append, **leave
    )


def reports(folder: Path) -> dict[str, Entry]:
    return {one.file: one for one in Book(folder.with_name("sealed")).entries()}


def check(desk: Desk, folder: Path, *, stamped: bool = False) -> None:
    """Every letter is sealed once, and its report speaks of it."""
    found = reports(folder)
    assert set(found) == set(FILES)
    revocation = desk.revocation(SystemClock().now())
    for name, entry in found.items():
        sealed = (folder.with_name("sealed") / name).read_bytes()
        assert sealed.startswith((folder / name).read_bytes())
        report = desk.verify(sealed, now=SystemClock().now(), revocation=revocation)
        (signature,) = report.require().signatures
        assert (signature.proved_at is not None) == stamped == (entry.stamped_at is not None)
        assert entry.document == report.digest
        assert entry.size_bytes == len(sealed)
        assert entry.state is (State.STAMPED if stamped else State.SEALED)
    left = folder.with_name("sealed") / ".batch" / "ready"
    assert not list(left.rglob("*.pdf"))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_folder_is_sealed(desk: Desk, folder: Path, processes: int) -> None:
    tally = a_batch(folder, processes=processes, reason="准予许可").run()
    assert tally.is_done
    assert tally.states[State.SEALED] == len(FILES)
    check(desk, folder)


def test_a_file_that_cannot_be_sealed_keeps_nobody_else_waiting(folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"no PDF")
    tally = a_batch(folder).run()
    assert (tally.states[State.REFUSED], tally.states[State.SEALED]) == (1, len(FILES))
    assert reports(folder)["bad.pdf"].error == "malformed_input"
    (folder / "bad.pdf").write_bytes(plain_pdf("better"))
    assert a_batch(folder).run().is_done


def test_again_seals_nothing_twice(desk: Desk, folder: Path) -> None:
    a_batch(folder).run()
    before = {name: (folder.with_name("sealed") / name).read_bytes() for name in FILES}
    assert a_batch(folder, processes=2).run().is_done
    assert before == {name: (folder.with_name("sealed") / name).read_bytes() for name in FILES}
    check(desk, folder)


def test_another_seal_is_another_batch(folder: Path) -> None:
    a_batch(folder).run()
    with pytest.raises(Conflict, match="another batch"):
        a_batch(folder, reason="another").run()


def test_a_folder_into_itself_and_what_is_no_folder(folder: Path) -> None:
    made = a_batch(folder)
    for source, book in ((folder, Book(folder)), (folder / "a.pdf", made.book)):
        with pytest.raises(UsageError):
            replace_source(made, source, book).run()


def replace_source(batch: Batch, source: Path, book: Book) -> Batch:
    return Batch(source, book, batch.order, batch.signer, batch.clock)


def test_the_time_stamp_comes_at_once(desk: Desk, folder: Path, authority: Authority) -> None:
    assert a_batch(folder, authorities=(URL,)).run().states[State.STAMPED] == len(FILES)
    check(desk, folder, stamped=True)


def test_nobody_to_stamp_stops_the_batch(desk: Desk, folder: Path, authority: Authority) -> None:
    authority.is_down = True
    with pytest.raises(Unreachable):
        a_batch(folder, authorities=(URL,)).run()
    assert not reports(folder)
    authority.is_down = False
    a_batch(folder, authorities=(URL,)).run()
    check(desk, folder, stamped=True)


def test_the_time_stamp_follows(desk: Desk, folder: Path, authority: Authority) -> None:
    """Sealed while the authority is down; stamped in the same run once it is back."""
    authority.is_down = True
    batch = a_batch(folder, authorities=(URL,), stamp_within=timedelta(minutes=10))
    pauses: list[timedelta] = []

    def wait(pause: timedelta) -> None:
        pauses.append(pause)
        found = reports(folder)
        assert {one.state for one in found.values()} == {State.WAITING}
        assert all(one.due == one.at + timedelta(minutes=10) for one in found.values())
        authority.is_down = False

    batch.wait = wait
    tally = batch.run()
    assert tally.states[State.STAMPED] == len(FILES)
    assert pauses
    check(desk, folder, stamped=True)


def test_what_is_overdue_is_seen_and_stamped_later(desk: Desk, folder: Path, authority: Authority) -> None:
    authority.is_down = True
    at_once = timedelta(microseconds=1)
    tally = a_batch(folder, authorities=(URL,), stamp_within=at_once).run()
    assert (tally.states[State.WAITING], tally.overdue) == (len(FILES), len(FILES))
    assert not tally.is_done
    authority.is_down = False
    assert a_batch(folder, authorities=(URL,)).run().is_done
    check(desk, folder, stamped=True)


def test_a_time_stamp_whose_report_was_lost(desk: Desk, folder: Path, authority: Authority) -> None:
    authority.is_down = True
    a_batch(folder, authorities=(URL,), stamp_within=timedelta(microseconds=1)).run()
    waiting = reports(folder)
    authority.is_down = False
    a_batch(folder, authorities=(URL,)).run()
    book = Book(folder.with_name("sealed"))
    for entry in waiting.values():
        book.write(entry)
    asked = authority.asked
    assert a_batch(folder, authorities=(URL,)).run().is_done
    assert authority.asked == asked
    check(desk, folder, stamped=True)


def test_a_follower_needs_somebody_to_follow() -> None:
    for within, authorities in ((timedelta(1), ()), (timedelta(0), (URL,)), (timedelta(8), (URL,))):
        with pytest.raises(UsageError):
            Order(Key("x"), stamp_within=within, authorities=authorities)


class Interrupted(Exception):
    """What a kill looks like from inside."""


class Keeper:
    """Keeps a log of uses, and dies before or after it is written when told so."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.dies = ""

    def ask(self, count: int) -> None:
        assert count

    def write_down(self, _permit: object, digests: Sequence[str], *, again: bool = False) -> None:
        if self.dies == "before":
            raise Interrupted
        self.log += [one for one in digests if not (again and one in self.log)]
        if self.dies == "after":
            raise Interrupted


@pytest.mark.parametrize("when", ["before", "after"])
def test_each_use_is_in_the_log_once_however_it_stops(desk: Desk, folder: Path, when: str) -> None:
    keeper = Keeper()
    keeper.dies = when
    with pytest.raises(Interrupted):
        a_batch(folder, leave=keeper).run()
    assert not list(folder.with_name("sealed").rglob("*.report.json"))
    keeper.dies = ""
    assert a_batch(folder, leave=keeper).run().is_done
    assert sorted(keeper.log) == sorted(one.sealed for one in reports(folder).values())
    check(desk, folder)


def test_reports_that_are_missing_are_made_again(desk: Desk, folder: Path) -> None:
    a_batch(folder).run()
    before = reports(folder)
    for path in folder.with_name("sealed").rglob("*.report.json"):
        path.write_bytes(b"{")
    a_batch(folder).run()
    check(desk, folder)
    after = reports(folder)
    for name, entry in before.items():
        assert replace(after[name], at=entry.at) == entry


def test_what_was_changed_meanwhile_is_told(folder: Path) -> None:
    a_batch(folder).run()
    sealed = folder.with_name("sealed")
    (sealed / "a.pdf").write_bytes(b"something else")
    (folder / "b/c.pdf").write_bytes(plain_pdf("another text"))
    later = SystemClock().now().timestamp() + 5
    os.utime(folder / "b/c.pdf", (later, later))
    tally = a_batch(folder).run()
    assert tally.states[State.REFUSED] == 2
    found = reports(folder)
    assert "not this file" in found["a.pdf"].detail
    assert "changed" in found["b/c.pdf"].detail
    assert (sealed / "a.pdf").read_bytes() == b"something else"


def test_the_command(folder: Path, authority: Authority, capsys: pytest.CaptureFixture[str]) -> None:
    key = f"file:{folder.parent / 'seal.pem'}?chain={folder.parent / 'chain.pem'}"
    (folder.parent / "secret").write_text("secret")
    more = ["--key", key, "--passphrase-file", str(folder.parent / "secret"), "--processes", "1"]
    assert run(["seal", "--batch", str(folder), *more, "--tsa", URL, "--stamp-within", "5"]) == 0
    capsys.readouterr()
    assert run(["--json", "seal", "state", str(folder.with_name("letters.sealed"))]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["states"]["stamped"] == len(FILES)
    assert told["open"] == []
    assert run(["seal", "state", str(folder)]) == ExitCode.ERROR
    assert run(["seal", "batch", str(folder)]) == ExitCode.USAGE


def test_overdue_files_end_the_command_with_a_failure(
    folder: Path, authority: Authority, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.is_down = True
    (folder.parent / "secret").write_text("secret")
    key = f"file:{folder.parent / 'seal.pem'}?chain={folder.parent / 'chain.pem'}"
    more = ["--key", key, "--passphrase-file", str(folder.parent / "secret"), "--processes", "1"]
    for number, form in enumerate((["--json"], ["--lang", "zh"])):
        out = ["-o", str(folder.with_name(f"out{number}"))]
        asked = [*form, "seal", "batch", str(folder), *more, *out, "--tsa", URL, "--stamp-within", "0.000001"]
        assert run(asked) == ExitCode.FAILED
    said = capsys.readouterr().out
    assert '"overdue": 3' in said
    assert "时间戳已逾期" in said


@settings(max_examples=40)
@given(st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
def test_whatever_a_report_holds_only_our_error_comes_out(data: bytes | str) -> None:
    encoded = data.encode() if isinstance(data, str) else data
    with pytest.raises(MalformedInput):
        Entry.from_json(encoded)


def test_a_tally_of_nothing_is_done() -> None:
    assert Tally.of([], now=SystemClock().now()).is_done
