"""From a change to a proof that a stranger can check: inbox, sequencer, log, on both databases."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.audit import CLERK, ORIGIN, PUBLIC_KEY, note_down, sequencer, write
from world.databases import with_tables
from world.pki import NOON

from yinxin.base import audit
from yinxin.base.audit.merkle import leaf_hash
from yinxin.base.audit.tiles import TileName, TileReader
from yinxin.base.errors import Conflict, MalformedInput, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yinxin.base.database import Database


def verified(database: Database) -> audit.Checkpoint:
    note = audit.AuditLog(database).checkpoint()
    assert note is not None
    return audit.verify_checkpoint(note, origin=ORIGIN, public_key=PUBLIC_KEY)


def problems(database: Database) -> list[str]:
    found = audit.AuditLog(database).problems(origin=ORIGIN, public_key=PUBLIC_KEY)
    return [text.en for text in found]


def test_what_was_recorded_is_in_the_log_with_its_proof(database: Database) -> None:
    with database.transaction() as session:
        entry_id = audit.record(
            session,
            action="licence.suspend",
            subject="1.2.156.3005.2.x",
            actor=CLERK,
            at=NOON,
            details={"ground": "复核", "count": 2, "list": (1, None, True)},
        )
    log = audit.AuditLog(database)
    with pytest.raises(NotFound):
        log.entry(entry_id)
    assert log.checkpoint() is None
    assert sequencer(database).run_once() == 1
    entry = log.entry(entry_id)
    assert entry.is_intact
    assert entry.content() == {
        "v": 1,
        "id": entry_id,
        "action": "licence.suspend",
        "subject": "1.2.156.3005.2.x",
        "actor": {"kind": "staff", "id": "clerk-17", "agency": None},
        "at": "2026-11-20T12:00:00.000000Z",
        "details": {"ground": "复核", "count": 2, "list": [1, None, True]},
    }
    assert log.inclusion_proof(entry_id).verify(entry.digest, verified(database).root)
    assert sequencer(database).run_once() == 0


def test_an_entry_shares_the_fate_of_its_change(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        _note_then_fail(session)
    assert sequencer(database).run_once() == 0
    assert audit.AuditLog(database).entries() == []


def test_the_log_is_followed_by_index(database: Database) -> None:
    write(database, 5, "a")
    write(database, 5, "b")
    assert sequencer(database).run_once(limit=7) == 7
    assert sequencer(database).run_once(limit=7) == 3
    log = audit.AuditLog(database)
    assert [entry.log_index for entry in log.entries(after=3, limit=4)] == [4, 5, 6, 7]
    assert [entry.subject for entry in log.entries(subject="b")] == ["b"] * 5
    assert log.entries(after=9) == []
    assert log.size() == 10


def test_every_entry_and_every_older_log_is_proved(database: Database) -> None:
    ids, states = [], []
    for count in (1, 2, 250, 10, 300):
        ids += write(database, count)
        sequencer(database).run_once()
        states.append(verified(database))
    log = audit.AuditLog(database)
    for index in (0, 1, 2, 255, 256, 300, 562):
        for state in states:
            if index < state.size:
                proof = log.inclusion_proof(ids[index], size=state.size)
                assert proof.verify(log.entry(ids[index]).digest, state.root)
    for old in states:
        for new in states:
            if old.size <= new.size:
                assert log.consistency_proof(old.size, new.size).verify(old.root, new.root)
    assert problems(database) == []
    with pytest.raises(UsageError):
        log.consistency_proof(1, 10_000)


def test_a_stranger_computes_the_same_from_the_public_files(database: Database) -> None:
    write(database, 300)
    sequencer(database).run_once()
    log = audit.AuditLog(database)
    note = log.resource("checkpoint").decode()
    state = audit.verify_checkpoint(note, origin=ORIGIN, public_key=PUBLIC_KEY)
    bundle = log.resource("tile/entries/000") + log.resource("tile/entries/001.p/44")
    leaves = [leaf_hash(entry) for entry in _unpack(bundle)]
    assert b"".join(leaves[256:]) == log.resource("tile/0/001.p/44")
    assert b"".join(leaves[256:260]) == log.resource("tile/0/001.p/4")

    def fetch(level: int, number: int) -> bytes:
        width = min(256, (state.size >> (8 * level)) - 256 * number)
        return log.resource(str(TileName(level, number, width)))

    assert TileReader(state.size, fetch).root() == state.root
    for missing in ("tile/0/001", "tile/1/001.p/1", "tile/entries/002.p/1", "tile/0/001.p/45"):
        with pytest.raises(NotFound):
            log.resource(missing)
    with pytest.raises(MalformedInput):
        log.resource("../../etc/passwd")


def test_an_offline_proof_says_what_was_recorded(database: Database) -> None:
    ids = write(database, 10)
    sequencer(database).run_once()
    log = audit.AuditLog(database)
    text = log.offline_proof(ids[4])
    proven = audit.verify_offline(text, origin=ORIGIN, public_key=PUBLIC_KEY)
    assert proven.log_index == 4
    assert json.loads(proven.body or "")["id"] == ids[4]
    hidden = log.offline_proof(ids[4], show_entry=False)
    assert "extra" not in hidden
    assert (
        audit.verify_offline(hidden, origin=ORIGIN, public_key=PUBLIC_KEY, digest=proven.digest).body is None
    )
    with pytest.raises(MalformedInput, match="which digest"):
        audit.verify_offline(hidden, origin=ORIGIN, public_key=PUBLIC_KEY)
    other = log.entry(ids[5]).digest
    for wrong in (text, hidden):
        with pytest.raises(MalformedInput):
            audit.verify_offline(wrong, origin=ORIGIN, public_key=PUBLIC_KEY, digest=other)


@pytest.fixture(scope="module")
def offline_proof() -> Iterator[str]:
    database = with_tables()
    ids = write(database, 9)
    sequencer(database).run_once()
    yield audit.AuditLog(database).offline_proof(ids[3])
    database.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
def test_no_single_character_of_a_proof_can_be_changed(offline_proof: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(offline_proof) - 1))
    other = data.draw(st.sampled_from("A0Z+/= \n—x") | st.characters(codec="utf-8"))
    changed = offline_proof[:at] + other + offline_proof[at + 1 :]
    if changed != offline_proof:
        with pytest.raises(MalformedInput):
            audit.verify_offline(changed, origin=ORIGIN, public_key=PUBLIC_KEY)


def test_erasing_an_entry_leaves_all_proofs(database: Database) -> None:
    ids = write(database, 4, "to be erased")
    with pytest.raises(Conflict), database.transaction() as session:
        audit.erase(session, ids[1])
    sequencer(database).run_once()
    before = verified(database)
    with database.transaction() as session:
        audit.erase(session, ids[1])
        note_down(session, "the erasure")
    sequencer(database).run_once()
    log = audit.AuditLog(database)
    erased = log.entry(ids[1])
    assert (erased.content(), erased.salt, erased.is_intact) == (None, None, False)
    assert log.inclusion_proof(ids[1]).verify(erased.digest, verified(database).root)
    assert log.consistency_proof(before.size, 5).verify(before.root, verified(database).root)
    assert problems(database) == []


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE audit_entry SET body = '{}' WHERE log_index = 2", "entry 2 does not give its digest"),
        ("DELETE FROM audit_entry WHERE log_index = 2", "entry 2 is missing"),
        ("UPDATE audit_tile SET hashes = substr(hashes, 33) WHERE level = 0", "the tiles do not give"),
    ],
)
def test_tampering_is_found(database: Database, tampering: str, found: str) -> None:
    write(database, 5)
    sequencer(database).run_once()
    with database.connection() as connection:
        connection.exec_driver_sql(tampering)
    assert any(text.startswith(found) for text in problems(database))


def test_a_tree_that_was_changed_does_not_grow(database: Database) -> None:
    write(database, 5)
    sequencer(database).run_once()
    with database.connection() as connection:
        connection.exec_driver_sql("DELETE FROM audit_tile")
    write(database, 1)
    with pytest.raises(Conflict):
        sequencer(database).run_once()
    with pytest.raises(UsageError, match="not other"):
        sequencer(database, origin="other").run_once()


def test_many_writers_and_two_sequencers_leave_no_gap_and_lose_nothing(database: Database) -> None:
    log = audit.AuditLog(database)
    with sequencer(database) as first, sequencer(database) as second, ThreadPoolExecutor(9) as pool:
        reader = pool.submit(_follow, log, 8 * 30)
        written = [
            entry_id
            for ids in pool.map(
                lambda i: [_hurry(first, write(database, 1, f"w{i}")) for _ in range(30)], range(8)
            )
            for entry_id in ids
        ]
        second.wake()
        seen = reader.result(timeout=60)
    assert [entry.log_index for entry in seen] == list(range(240))
    assert {entry.entry_id for entry in seen} == set(written)
    assert verified(database).size == 240
    assert problems(database) == []


def test_the_thread_survives_a_database_that_fails(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(database, 1)
    working = sequencer(database)
    with database.connection() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_tile RENAME TO elsewhere")
    working.start(interval_seconds=0.01)
    with pytest.raises(UsageError):
        working.start()
    while not caplog.records:
        working.wake()
    with database.connection() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO audit_tile")
    assert _follow(audit.AuditLog(database), 1)
    working.stop()
    working.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        {"details": {"a": 1.5}},
        {"details": {"a": object()}},
        {"details": {1: "a"}},
        {"details": {"a": "x" * 20_000}},
        {"details": {"a": "\ud800"}},
        {"subject": ""},
        {"subject": "x" * 201},
        {"action": ""},
        {"at": NOON.replace(tzinfo=None)},
    ],
)
def test_an_entry_without_one_text_is_refused(wrong: dict[str, Any]) -> None:
    database = with_tables()
    right = {"action": "a", "subject": "s", "actor": CLERK, "at": NOON}
    with pytest.raises(UsageError), database.transaction() as session:
        audit.record(session, **{**right, **wrong})
    database.close()


def _note_then_fail(session: Any) -> None:
    note_down(session)
    raise RuntimeError


def _unpack(bundle: bytes) -> Iterator[bytes]:
    while bundle:
        size = int.from_bytes(bundle[:2], "big")
        yield bundle[2 : 2 + size]
        bundle = bundle[2 + size :]


def _hurry(working: audit.Sequencer, ids: list[str]) -> str:
    working.wake()
    return ids[0]


def _follow(log: audit.AuditLog, count: int) -> list[audit.Entry]:
    """Read on from the last index seen, until `count` entries came."""
    seen: list[audit.Entry] = []
    while len(seen) < count:
        seen += log.entries(after=len(seen) - 1, limit=1000)
    return seen
