"""A node is backed up while it works, works on, and is put back: what it published meanwhile stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from world.desks import DeskWorld
from world.node import PASSPHRASE, Node
from world.pki import Pki

from credentials.documents import DocumentStore
from credentials.office.cases import CaseState
from credentials.office.proofs import KeyProofs
from credentials.office.repository import CaseRepository
from credentials.repository import LicenceRepository
from credentials.status_snapshot import StatusSnapshot
from credentials.vocabulary import INVALID
from signing.revocation import Crl
from signing.signers.file import FileSigner
from verify_api.repository import SessionRepository
from yinxin.app import wiring
from yinxin.app.backup import manifest as papers
from yinxin.app.backup.mark import require_released
from yinxin.app.backup.restoring import Evidence, quarantine_home, release, restore
from yinxin.app.backup.taking import take
from yinxin.app.ceremony import open_authority
from yinxin.app.sealing import register
from yinxin.app.serve import running
from yinxin.base.actor import staff, system
from yinxin.base.audit import AuditLog, verify_checkpoint
from yinxin.base.audit.checkpoint import parse_verifier_key, verify_note
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted, UsageError, YinxinError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from credentials.issuer import IssuedLicence
    from yinxin.app.backup.quarantine import Quarantine

RESTORER, RELEASER = staff("operator-1"), staff("operator-2")


@dataclass
class Lost:
    """What the old node did and published after the backup."""

    checkpoint: str
    status_uri: str
    status_token: str
    status_index: int
    second: IssuedLicence
    first: IssuedLicence
    crl: bytes
    serial: int


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def work_on(node: Node, first: IssuedLicence) -> Lost:
    """Issue, revoke, publish: the backup knows nothing of it."""
    second = node.issue(2)
    node.revoke(first)
    certificate = node.certificate()
    authority = open_authority(node.home, "issuing")
    authority.revoke(certificate.serial, reason="key_compromise", actor=RESTORER)
    uri, token = node.status_token()
    with node.home.database.reading() as session:
        (copy,) = LicenceRepository(session).copies(first.licence.identifier)
    crl = authority.crl()
    return Lost(node.publish_log(), uri, token, copy.status_index, second, first, crl, certificate.serial)


def put_back(node: Node, backup: Path, tmp_path: Path, request: Any, **known: Any) -> tuple[Node, Quarantine]:
    """The backup in another home, on another database of the same kind."""
    url = None if node.home.database.is_sqlite else request.getfixturevalue("postgresql").fresh()
    if url is None:
        url = "sqlite:///yinxin.db"
    into = tmp_path / "again"
    made = restore(
        backup, into, passphrase=PASSPHRASE, actor=RESTORER, clock=node.clock, evidence=Evidence(**known),
        database_url=url,
    )  # fmt: skip
    again = node.opened(into)
    request.addfinalizer(again.close)
    return again, made


def reopened(node: Node, *, refuse: Sequence[str] = ()) -> list[str]:
    """An approver agrees to what a restored node asks for, and refuses requests of some kinds."""
    key, agency = FileSigner.generate(), node.home.settings.agency_code
    qian = staff("approver-qian", agency=agency, roles=("approver",))
    seals = register(node.home, KeyProofs(lambda _name: [key.public_key]))
    waiting = seals.open_requests(actor=qian)
    for request in sorted(waiting, key=lambda one: str(one.kind), reverse=True):  # the seal, then its grants
        if str(request.kind) in refuse:
            seals.refuse(request.id, actor=qian)
        else:
            seals.agree(request.id, proof=KeyProofs.make(request.digest, qian, key), actor=qian)
    return sorted(str(one.kind) for one in waiting)


def test_seals_and_grants_are_held_until_somebody_agrees(
    node: Node, backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A seal that was stopped after the backup, and a grant that was withdrawn, stay so."""
    node.issue(1)
    take(node.home, backup)
    again, made = put_back(node, backup, tmp_path, request)
    assert (made.seals_held, made.grants_held) == (1, 1)
    with pytest.raises(Conflict, match="stopped"):
        again.issue(2)
    assert reopened(again, refuse=["grant"]) == ["grant", "resume"]
    with pytest.raises(NotPermitted):
        again.issue(2)  # the seal is in use again; nobody has a grant
    held = quarantine_home(again.home, actor=RESTORER, evidence=Evidence())
    assert (held.seals_held, held.grants_held) == (1, 0)
    again.publish_log()
    log = [one.content() or {} for one in AuditLog(again.home.database).entries(limit=1000)]
    asked = [one for one in log if one["action"] == "seal.ask"]
    assert {one["actor"]["id"] for one in asked} == {RESTORER.identifier}


def test_what_was_published_after_the_backup_is_not_contradicted_in_silence(
    node: Node, backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = node.issue(1)
    reference = node.offer(first).by_reference.rpartition("%2F")[2]
    assert wiring.issuance_server(node.home).offers.show(reference)
    with node.home.database.transaction() as session:
        SessionRepository(session).add(b"n" * 32, department="urn:d", expires_at=node.clock.now())
    before = node.publish_log()
    take(node.home, backup)
    lost = work_on(node, first)

    again, made = put_back(node, backup, tmp_path, request, checkpoint=lost.checkpoint)

    # It says aloud that its history forks, signed by the log's key, and the log itself holds the notice.
    origin, key = parse_verifier_key(wiring.log_key(node.home)[1])
    assert made.notice is not None
    notice = verify_note(made.notice, name=origin, public_key=key)
    old = verify_checkpoint(before, origin=origin, public_key=key)
    newest = verify_checkpoint(lost.checkpoint, origin=origin, public_key=key)
    assert f"common {old.size} " in notice
    assert f"published {newest.size} " in notice
    assert made.lost_entries == newest.size - old.size
    entry = AuditLog(again.home.database).entries(after=old.size - 1)[0]
    content = entry.content()
    assert content is not None
    assert (content["action"], content["details"]["notice"]) == ("node.restore", made.notice)

    # Who holds the newer checkpoint sees it: no proof of consistency holds, however long the new log grows.
    for _ in range(made.lost_entries):
        with again.home.database.transaction() as session:
            wiring.status_service(again.home).allocate(session)
    again.publish_log()
    log = AuditLog(again.home.database)
    size, root = log.head()
    assert size >= newest.size
    assert not log.consistency_proof(newest.size, size).verify(newest.root, root)
    assert log.consistency_proof(old.size, size).verify(old.root, root)
    assert log.problems(origin=origin, public_key=key) == []

    # What was open is dead.
    with pytest.raises(NotFound):
        wiring.issuance_server(again.home).offers.show(reference)
    with again.home.database.reading() as session:
        assert SessionRepository(session).find(b"n" * 32) is None
    assert made.burnt == 2  # the offer and the nonce

    # No index of an old list is given again, no number either.
    with again.home.database.transaction() as session:
        uri, _ = wiring.status_service(again.home).allocate(session)
    assert uri != lost.status_uri
    reopened(again)
    third = again.issue(3).licence
    assert third.number > lost.second.licence.number

    # The next list's number is far above what was published.
    crl = Crl.from_der(open_authority(again.home, "issuing").crl())
    assert (crl.number or 0) > (Crl.from_der(lost.crl).number or 0) + 100_000


def test_revocations_come_back_from_lists_that_somebody_kept(
    node: Node, backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = node.issue(1)
    take(node.home, backup)
    lost = work_on(node, first)
    kept = [tmp_path / "status.jwt", tmp_path / "issuing.crl"]
    kept[0].write_text(lost.status_token)
    kept[1].write_bytes(lost.crl)
    node.clock.advance(timedelta(days=3))  # the lists' own time is over: they are evidence all the same

    again, made = put_back(node, backup, tmp_path, request, lists=kept)

    assert (made.statuses_taken_back, made.revocations_taken_back) == (1, 1)
    statuses = wiring.status_service(again.home)
    snapshot = StatusSnapshot.from_token(
        statuses.token(lost.status_uri), again.home.trust, uri=lost.status_uri, at=node.clock.now(),
        policy=again.home.policy.with_changes(revocation="if_available"),
    )  # fmt: skip
    assert snapshot.status(lost.status_index) == INVALID
    crl = Crl.from_der(open_authority(again.home, "issuing").crl())
    entry = crl.lookup(lost.serial)
    assert entry is not None
    assert entry.reason == "key_compromise"


def test_lists_of_others_are_no_evidence(node: Node, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.crl"
    other = Node.make(tmp_path / "other", "sqlite:///yinxin.db", clock=node.clock)
    foreign.write_bytes(open_authority(other.home, "issuing").crl())
    garbage = tmp_path / "status.jwt"
    garbage.write_bytes(b"eyJ.x.y")
    other.close()
    for file in (foreign, garbage):
        with pytest.raises(YinxinError):
            quarantine_home(node.home, actor=RESTORER, evidence=Evidence(lists=[file]))


def test_services_wait_for_a_second_person_and_for_the_last_code_to_end(
    node: Node, backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    take(node.home, backup)
    again, _ = put_back(node, backup, tmp_path, request)
    with pytest.raises(Conflict, match="release"), running(again.home, ["ca"]):
        pass
    node.clock.advance(timedelta(minutes=9))
    with pytest.raises(NotPermitted):
        release(again.home, actor=staff(" OPERATOR-1"))  # the same person, spelt otherwise
    with pytest.raises(NotPermitted):
        release(again.home, actor=system("timer"))
    with pytest.raises(Conflict, match="not before"):
        release(again.home, actor=RELEASER)
    # The database alone says so too: on another machine there may be no file.
    (again.home.directory / "quarantine.json").unlink()
    with pytest.raises(Conflict, match="release"):
        require_released(again.home)
    node.clock.advance(timedelta(minutes=2))
    release(again.home, actor=RELEASER)
    require_released(again.home)
    with pytest.raises(Conflict, match="nothing"):
        release(again.home, actor=RELEASER)
    again.publish_log()
    actions = [(entry.content() or {})["action"] for entry in AuditLog(again.home.database).entries()]
    assert actions[-1] == "node.release"


def test_a_log_that_lost_nothing_does_not_fork(
    node: Node, backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    node.issue(1)  # its entries wait in the inbox when the backup is taken, and are published right after
    take(node.home, backup)
    newest = node.publish_log()
    again, made = put_back(node, backup, tmp_path, request, checkpoint=newest)
    assert (made.notice, made.lost_entries) == (None, 0)
    log = AuditLog(again.home.database)
    origin, key = parse_verifier_key(wiring.log_key(node.home)[1])
    seen = verify_checkpoint(newest, origin=origin, public_key=key)
    size, root = log.head()
    assert log.consistency_proof(seen.size, size).verify(seen.root, root)


def test_a_checkpoint_of_another_history_stops_the_restoration(
    node: Node, backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    take(node.home, backup)
    first, _ = put_back(node, backup, tmp_path, request)
    with first.home.database.transaction() as session:
        wiring.status_service(first.home).allocate(session)
    forked = first.publish_log()  # the restored node's history
    node.issue(1)
    node.publish_log()
    later = tmp_path / "later"
    take(node.home, later)  # the old node's history, as long and longer
    second = tmp_path / "second"
    url = (
        "sqlite:///yinxin.db"
        if node.home.database.is_sqlite
        else request.getfixturevalue("postgresql").fresh()
    )
    with pytest.raises(Conflict, match="not of this"):
        restore(
            later, second, passphrase=PASSPHRASE, actor=RESTORER, clock=node.clock,
            evidence=Evidence(checkpoint=forked), database_url=url,
        )  # fmt: skip
    # What stands half made does not serve.
    half = node.opened(second)
    with pytest.raises(Conflict):
        require_released(half.home)
    half.close()


def test_restored_counters_go_on(
    node: Node, backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = node.issue(1)
    node.revoke(first)
    take(node.home, backup)
    again, _ = put_back(node, backup, tmp_path, request)
    reopened(again)
    second = again.issue(2)
    again.revoke(second)  # its event and audit rows take the next numbers
    with again.home.database.reading() as session:
        repository = LicenceRepository(session)
        assert [len(repository.events(one.licence.identifier)) for one in (first, second)] == [1, 1]
        kept = session.execute(text("SELECT count(*) FROM licence")).scalar_one()
    assert kept == 2
    assert DocumentStore(again.home.directory / "documents", again.home.document_key()).get(
        first.licence.pdf_sha256
    )


def test_what_was_changed_in_a_backup_is_found(node: Node, backup: Path, tmp_path: Path) -> None:
    take(node.home, backup)
    with pytest.raises(Conflict):
        take(node.home, backup)
    with pytest.raises(UsageError):
        take(node.home, node.home.directory / "inside")
    manifest = papers.read(backup)
    files = papers.files_of(backup, manifest)
    names = {file.path for file in files}
    assert "home/keys/log.pem" in names
    assert not any("passphrase" in name or name.startswith("home/yinxin.db") for name in names)
    modes = {path.stat().st_mode & 0o077 for path in backup.rglob("*")}
    assert modes == {0}
    with pytest.raises(MalformedInput):
        papers.read(backup, log_key="other+00000000+AAAA")

    def attempt() -> None:
        restore(backup, tmp_path / "never", passphrase=PASSPHRASE, actor=RESTORER, clock=node.clock)

    for name in ("home/keys/log.pem", papers.FILES, papers.MANIFEST, papers.SIGNATURE):
        path = backup / name
        good = path.read_bytes()
        path.write_bytes(good[:-20] + bytes((good[-20] ^ 1,)) + good[-19:])
        with pytest.raises(MalformedInput):
            attempt()
        path.write_bytes(good)
    (backup / "home/keys/log.pem").rename(backup / "elsewhere")
    with pytest.raises(MalformedInput):
        attempt()
    assert not (tmp_path / "never").exists()


def test_a_home_with_something_in_it_is_left_alone(node: Node, backup: Path) -> None:
    take(node.home, backup)
    settings = (node.home.directory / "yinxin.toml").read_bytes()
    with pytest.raises(Conflict):
        restore(backup, node.home.directory, passphrase=PASSPHRASE, actor=RESTORER, clock=node.clock)
    assert (node.home.directory / "yinxin.toml").read_bytes() == settings


def test_a_database_with_something_in_it_is_left_alone(node: Node, backup: Path, tmp_path: Path) -> None:
    take(node.home, backup)
    url = node.home.settings.database_url
    with pytest.raises(Conflict):
        restore(
            backup,
            tmp_path / "again",
            passphrase=PASSPHRASE,
            actor=RESTORER,
            clock=node.clock,
            database_url=url,
        )


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_a_manifest_is_read_or_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        papers.Manifest.parse(data)


@given(st.dictionaries(st.text(max_size=10), st.integers() | st.text(max_size=5) | st.none(), max_size=14))
def test_a_manifest_of_anything_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput):
        papers.Manifest.parse(json.dumps({**values, "format": papers.FORMAT}).encode())


@given(st.text(max_size=100))
def test_a_line_that_leads_outside_is_refused(path: str) -> None:
    try:
        found = papers._parse_line(f"{'0' * 64} 1 {path}")
    except MalformedInput:
        return
    assert found.path.startswith(("home", "database"))
    assert ".." not in found.path.split("/")


def test_lines_that_lead_outside_are_refused() -> None:
    for path in ("../x", "/etc/passwd", "home/../../x", "other/x", "", "home/a\nb"):
        with pytest.raises(MalformedInput):
            papers._parse_line(f"{'0' * 64} 1 {path}")


def test_what_the_office_agreed_on_is_agreed_on_again(node: Node) -> None:
    """A case that was approved may have been sealed on the old node: nobody seals it by the old agreement."""
    office = DeskWorld(Pki(), node.home.database)
    case = office.approved()
    drafted = office.drafted("办-2")
    quarantine_home(node.home, actor=RESTORER, evidence=Evidence())
    with node.home.database.reading() as session:
        again = CaseRepository(session).find(case.id, agency=case.agency).case
        kept = CaseRepository(session).find(drafted.id, agency=drafted.agency).case
    assert (again.state, again.consents, again.revision) == (CaseState.DRAFT, (), case.revision + 1)
    assert "restored" in again.note
    assert kept == drafted


def test_erasures_and_events_are_agreed_on_again(node: Node) -> None:
    agreed = {"state": "agreed", "consent": "{}"}
    with node.home.database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO person_erasure (id, agency, person, ground, document_number, plan, state,"
                " asked_by, asked_at, consent) VALUES ('e', 'a', :person, 'g', 'd', 'p', :state, 'x',"
                " '2026-11-20 04:00:00', :consent)"
            ),
            {"person": b"p" * 32, **agreed},
        )
    quarantine_home(node.home, actor=RESTORER, evidence=Evidence())
    with node.home.database.reading() as session:
        found = session.execute(text("SELECT state, consent FROM person_erasure")).one()
    assert found.state == "asked"
    assert found.consent in {None, "null"}
