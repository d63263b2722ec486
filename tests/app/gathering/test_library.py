"""The folder of what was gathered: whole or not at all, and never believed without looking."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import NOON, Pki
from world.work import counted_calls

from yinxin.app.backup import taking
from yinxin.app.gathering.library import MAX_SEEN, Gathered, Host, Library, Row, read_index
from yinxin.app.gathering.timing import due_after, due_after_failure, retry_after
from yinxin.app.gathering.wants import Kind
from yinxin.app.observing import readiness
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

PKI = Pki()
BODY = PKI.issuing.crl()
MOMENT = "2026-11-20T12:00:00+00:00"
NAMES = ["format", "made_at", "rows", "hosts", "missing", "key", "kind", "due", "digest"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def row(body: bytes, **changes: Any) -> Row:
    digest = hashlib.sha256(body).hexdigest()
    return Row("list http://a/1", Kind.LIST, NOON, "2026-11-20", "http://a/1", digest, **changes)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    found = Library(tmp_path / "gathered")
    with found.locked():
        found.write([row(BODY, taken_at=NOON)], {"a:80": Host(2, NOON)}, [BODY], missing=["某机关"], at=NOON)
    return found


def test_what_was_written_is_read_by_another_process(library: Library) -> None:
    read = Library(library.folder).read()
    assert read.rows == {"list http://a/1": row(BODY, taken_at=NOON)}
    assert read.hosts == {"a:80": Host(2, NOON)}
    assert (read.missing, read.made_at) == (("某机关",), NOON)
    assert len(read.revocation.crls) == 1


def test_nothing_gathered_is_nothing(tmp_path: Path) -> None:
    read = Library(tmp_path / "none").read()
    assert read == Gathered()
    assert read.revocation.crls == read.certificates == ()


def test_what_did_not_change_is_not_parsed_again(library: Library) -> None:
    first = library.read()
    assert library.read() is first
    with counted_calls() as work:
        library.read()
    assert work.calls < 100
    kept = first.lists["list http://a/1"]
    with library.locked():
        library.write(first.rows.values(), {}, [], at=NOON + HOUR)
    assert library.read().lists["list http://a/1"] is kept


@pytest.mark.parametrize("damage", ["body", "no body", "index", "half an index", "another format"])
def test_a_damaged_folder_is_refused_whole(library: Library, damage: str) -> None:
    index = library.folder / "index.json"
    (body,) = (path for path in library.folder.iterdir() if len(path.name) == 64)
    if damage == "body":
        body.write_bytes(PKI.root.crl())
    elif damage == "no body":
        body.unlink()
    elif damage == "index":
        index.write_bytes(b"{}")
    elif damage == "half an index":
        index.write_bytes(index.read_bytes()[:-20])
    else:
        index.write_text(json.dumps({**json.loads(index.read_text("utf-8")), "format": 2}), "utf-8")
    with pytest.raises(YinxinError):
        Library(library.folder).read()


def test_a_reader_of_the_state_before_still_finds_its_files(library: Library) -> None:
    """The index is replaced last and files are swept a round later."""
    before = (library.folder / "index.json").read_bytes()
    other = PKI.root.crl()
    with library.locked():
        library.read()
        library.write([row(other)], {}, [other], at=NOON)
    after = (library.folder / "index.json").read_bytes()
    (library.folder / "index.json").write_bytes(before)
    assert len(Library(library.folder).read().lists) == 1
    (library.folder / "index.json").write_bytes(after)
    with library.locked():
        library.read()
        library.write([row(other)], {}, [], at=NOON)
    assert sum(1 for path in library.folder.iterdir() if len(path.name) == 64) == 1


def test_what_was_seen_is_bounded_and_looked_at(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_SEEN >= 1000
    monkeypatch.setattr("yinxin.app.gathering.library.MAX_SEEN", 2)
    certificates = [PKI.issuing.issue(f"{number}").certificate for number in range(4)]
    library.note(certificates[:1])
    library.note(certificates)
    assert set(library.seen()) == set(certificates[:2])
    (library.folder / "seen" / certificates[0].fingerprint).write_bytes(b"\x30\x00")
    (library.folder / "seen" / "notes.txt").write_bytes(b"mine")
    assert library.seen() == [certificates[1]]
    library.forget(certificates)
    assert library.seen() == []


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=100)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(MOMENT),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)  # fmt: skip
def test_any_index_is_read_or_refused(data: bytes) -> None:
    with suppress(MalformedInput):
        assert isinstance(read_index(data), Gathered)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_index_with_one_changed_value_is_read_or_refused(data: st.DataObject) -> None:
    content: dict[str, Any] = {
        "format": 1,
        "made_at": NOON.isoformat(),
        "missing": ["a"],
        "hosts": {"a:80": [1, NOON.isoformat()]},
        "rows": [{"key": "k", "kind": "list", "due": NOON.isoformat(), "wanted_on": "2026-11-20"}],
    }
    assert read_index(json.dumps(content).encode()).rows
    place = data.draw(st.sampled_from(["made_at", "missing", "hosts", "rows"]))
    strange = st.none() | st.integers() | st.text(max_size=9) | st.lists(st.integers(), max_size=2)
    if place == "rows":
        content["rows"][0][data.draw(st.sampled_from([*content["rows"][0], "failures", "digest"]))] = (
            data.draw(strange)
        )
    else:
        content[place] = data.draw(strange)
    with suppress(MalformedInput):
        read_index(json.dumps(content).encode())


def test_when_evidence_is_asked_for_again() -> None:
    """An eighth of its span, at most six hours, once more near its end; soon when it has ended."""
    assert due_after(NOON, NOON + DAY, now=NOON) == NOON + 3 * HOUR
    assert due_after(NOON, NOON + 30 * DAY, now=NOON) == NOON + 6 * HOUR
    assert due_after(NOON, NOON + DAY, now=NOON + 20 * HOUR) == NOON + DAY - DAY / 10
    assert due_after(NOON, NOON + DAY, now=NOON + 23 * HOUR) == NOON + 23 * HOUR + timedelta(minutes=1)
    assert due_after(NOON, NOON + DAY, now=NOON + 2 * DAY) == NOON + 2 * DAY + timedelta(minutes=5)
    assert due_after(NOON, NOON, now=NOON - HOUR) > NOON - HOUR
    assert due_after(NOON, NOON + 30 * DAY, now=NOON, max_age=HOUR) == NOON + HOUR / 2


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(),
    st.timedeltas(-DAY, 400 * DAY),
    st.timedeltas(timedelta(), 400 * DAY),
    st.integers(1, 10**6),
)
def test_the_next_time_always_lies_ahead_and_never_far(
    start: Any, span: timedelta, passed: timedelta, failures: int
) -> None:
    with suppress(OverflowError):
        now = start + passed
        due = due_after(start, start + span, now=now)
        assert timedelta() < due - now <= 6 * HOUR
        assert timedelta() < due_after_failure("host", failures, now=now) - now <= 8 * HOUR


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("120", 2),
        ("0", 0),
        ("99999999999", 360),
        ("Fri, 20 Nov 2026 12:30:00 GMT", 30),
        ("Fri, 20 Nov 2020 12:30:00 GMT", 0),
    ],
)
def test_a_server_may_ask_for_patience(text: str, minutes: int) -> None:
    assert retry_after(text, now=NOON) == NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text", [None, "", "-1", "soon", "1e9", "９", "x" * 100, "Fri, 99 Nov 2026 12:30:00 GMT"]
)
def test_what_is_no_time_asks_for_nothing(text: str | None) -> None:
    assert retry_after(text, now=NOON) is None


def test_what_is_missing_is_a_note_and_damage_is_none(library: Library) -> None:
    def said(now: Any) -> list[tuple[str, bool]]:
        found = readiness.gathering_check(Library(library.folder).read)(now)
        return [(reason.code, reason.stops) for reason in found]

    assert said(NOON) == [("evidence_missing", False)]
    assert said(NOON + 25 * HOUR) == [("evidence_missing", False), ("gathering_late", False)]
    with library.locked():
        library.write([], {}, [], at=NOON)
    assert said(NOON) == []
    (library.folder / "index.json").write_bytes(b"{")
    assert said(NOON) == [("gathered_unreadable", True)]
    (library.folder / "index.json").unlink()
    assert said(NOON) == []


def test_a_backup_has_what_was_seen_and_leaves_what_is_gathered_anew(tmp_path: Path) -> None:
    def is_left_out(name: str) -> bool:
        return taking._is_left_out(tmp_path / name, tmp_path, None)

    assert is_left_out("gathered/index.json")
    assert is_left_out(f"gathered/{'0' * 64}")
    assert is_left_out("gathered/.lock")
    assert not is_left_out(f"gathered/seen/{'0' * 64}")
    assert not is_left_out("revocation/root.crl")
