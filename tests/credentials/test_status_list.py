"""Status lists: entries, tokens that are not believed, and the service that keeps them."""

from __future__ import annotations

import itertools
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sqlalchemy import insert
from sqlmodel import Session, func, select
from world.credentials import ISSUER, SECONDS, CredentialWorld
from world.forgery import ABSENT, changed, jws
from world.pki import NOON, Pki
from world.work import counted_calls

from credentials.sd_jwt import chain_header
from credentials.status_list import MAX_LIST_BYTES, StatusList
from credentials.status_records import ENTRIES
from credentials.status_service import StatusService
from credentials.status_snapshot import StatusSnapshot, verify_status_token
from credentials.vocabulary import INVALID, SUSPENDED, VALID
from signing.base64url import encode_base64url
from signing.jose import parse_jws
from signing.reasons import Reason
from signing.signers.file import FileSigner
from yinxin.base.actor import staff
from yinxin.base.audit import records as audit_records
from yinxin.base.errors import Conflict, MalformedInput, NotFound, TooLarge, UsageError, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from yinxin.base.database import Database

URI = f"{ISSUER}/status/1"
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


# The list


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_entries_keep_their_values_and_leave_their_neighbours_alone(bits: int) -> None:
    statuses = StatusList(100, bits=bits)
    top = (1 << bits) - 1
    statuses.set(50, top)
    assert [index for index in range(100) if statuses.get(index)] == [50]
    assert statuses.get(50) == top
    statuses.set(50, 0)
    assert statuses.to_bytes() == bytes(len(statuses) * bits // 8)
    with pytest.raises(UsageError):
        statuses.set(0, top + 1)


def test_the_first_entry_has_the_lowest_bits() -> None:
    statuses = StatusList(4, bits=2)
    statuses.set(0, 1)
    statuses.set(3, 2)
    assert statuses.to_bytes() == bytes([0b10_00_00_01])


def test_outside_the_list_there_is_nothing() -> None:
    statuses = StatusList(8, bits=1)
    for index in (-1, 8, 1 << 40):
        with pytest.raises(NotFound):
            statuses.get(index)
    for size, bits in ((0, 1), (8, 3), (1 << 60, 1)):
        with pytest.raises(UsageError):
            StatusList(size, bits=bits)


def packed(data: bytes) -> str:
    return encode_base64url(zlib.compress(data, 9))


@pytest.mark.parametrize(
    "claim",
    [
        None,
        [],
        {},
        {"bits": 3, "lst": packed(b"a")},
        {"bits": True, "lst": packed(b"a")},
        {"bits": "1", "lst": packed(b"a")},
        {"bits": [1], "lst": packed(b"a")},
        {"bits": 1},
        {"bits": 1, "lst": ""},
        {"bits": 1, "lst": "===="},
        {"bits": 1, "lst": packed(b"")},
        {"bits": 1, "lst": packed(b"a")[:-2]},
        {"bits": 1, "lst": encode_base64url(b"not zlib at all")},
        {"bits": 1, "lst": encode_base64url(zlib.compress(b"a") + b"more")},
        {"bits": 1, "lst": encode_base64url(zlib.compress(b"a" * 1000)[:10])},
    ],
)
def test_claims_that_are_no_list(claim: Any) -> None:
    with pytest.raises(MalformedInput):
        StatusList.from_claim(claim)


def test_a_bomb_stops_early() -> None:
    bomb = {"bits": 1, "lst": packed(bytes(256 << 20))}
    assert len(bomb["lst"]) < 400_000
    with pytest.raises(TooLarge):
        StatusList.from_claim(bomb)
    exact = {"bits": 8, "lst": packed(bytes(1000))}
    assert len(StatusList.from_claim(exact, limit=1000)) == 1000
    with pytest.raises(TooLarge):
        StatusList.from_claim(exact, limit=999)
    assert MAX_LIST_BYTES == 16 << 20


# Tokens


class Case(NamedTuple):
    name: str
    reason: Reason
    make: Callable[[CredentialWorld], Any]


def token(
    claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, use: str = "status"
) -> Any:
    def make(world: CredentialWorld) -> str:
        signer = world.pki.signer(use)
        base = {"sub": URI, "iat": SECONDS - 10, "exp": SECONDS + 3600, "ttl": 60}
        base |= {"status_list": StatusList(64).to_claim()}
        head = {"alg": "ES256", "typ": "statuslist+jwt", **chain_header(signer.chain)}
        return jws(changed(head, header), changed(base, claims), signer)

    return make


def forged(world: CredentialWorld) -> str:
    parts = token()(world).split(".")
    parts[1] = token({"ttl": 61})(world).split(".")[1]
    return ".".join(parts)


CASES = [
    Case("nothing", Reason.FORMAT_FAILURE, lambda _: ""),
    Case("no text", Reason.FORMAT_FAILURE, lambda _: None),
    Case("a changed payload", Reason.SIG_CRYPTO_FAILURE, forged),
    Case("no typ", Reason.WRONG_TYPE, token(header={"typ": ABSENT})),
    Case("typ of a credential", Reason.WRONG_TYPE, token(header={"typ": "dc+sd-jwt"})),
    Case("alg none", Reason.FORMAT_FAILURE, token(header={"alg": "none"})),
    Case("alg HS256", Reason.ALGORITHM_NOT_ALLOWED, token(header={"alg": "HS256"})),
    Case("no chain", Reason.SIGNING_CERTIFICATE_MISSING, token(header={"x5c": ABSENT})),
    Case("signed by the credential key", Reason.WRONG_KEY_USAGE, token(use="credential")),
    Case("signed by a seal", Reason.WRONG_KEY_USAGE, token(use="seal")),
    Case(
        "signed by a stranger",
        Reason.NO_CERTIFICATE_CHAIN_FOUND,
        lambda _: token()(CredentialWorld(Pki())),
    ),
    Case("about another list", Reason.STATUS_REFERENCE_INVALID, token({"sub": f"{URI}0"})),
    Case("about no list", Reason.STATUS_REFERENCE_INVALID, token({"sub": ABSENT})),
    Case("ended", Reason.EXPIRED, token({"exp": SECONDS})),
    Case("ends never", Reason.CLAIM_INVALID, token({"exp": "never"})),
    Case("made tomorrow", Reason.NOT_YET_VALID, token({"iat": SECONDS + 86400})),
    Case("made at no time", Reason.CLAIM_INVALID, token({"iat": ABSENT})),
    Case("made before the calendar", Reason.CLAIM_INVALID, token({"iat": -(10**18)})),
    Case("a ttl of zero", Reason.CLAIM_INVALID, token({"ttl": 0})),
    Case("a ttl below zero", Reason.CLAIM_INVALID, token({"ttl": -1})),
    Case("a ttl that is a text", Reason.CLAIM_INVALID, token({"ttl": "60"})),
    Case("no list", Reason.FORMAT_FAILURE, token({"status_list": ABSENT})),
    Case(
        "a list of three bits",
        Reason.FORMAT_FAILURE,
        token({"status_list": {"bits": 3, "lst": packed(b"a")}}),
    ),
    Case(
        "a bomb",
        Reason.TOO_LARGE,
        token({"status_list": {"bits": 1, "lst": packed(bytes(MAX_LIST_BYTES + 1))}}),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tokens_that_are_not_believed(world: CredentialWorld, case: Case) -> None:
    options = {"uri": URI, "at": NOON, "revocation": world.revocation}
    report = verify_status_token(case.make(world), world.trust, **options)
    assert set(report.reasons) == {case.reason}, report.to_json()
    with pytest.raises(VerificationFailed):
        StatusSnapshot.from_token(case.make(world), world.trust, **options)


def test_a_good_token_is_believed_for_its_time(world: CredentialWorld) -> None:
    options = {"uri": URI, "at": NOON, "revocation": world.revocation}
    snapshot = StatusSnapshot.from_token(token()(world), world.trust, **options)
    assert snapshot.is_fresh(NOON + timedelta(seconds=59))
    assert not snapshot.is_fresh(NOON + timedelta(seconds=60))
    assert snapshot.is_fresh(NOON + timedelta(seconds=3599), grace=timedelta(days=1))
    assert not snapshot.is_fresh(NOON + timedelta(seconds=3600), grace=timedelta(days=1))


def test_no_issuer_makes_us_keep_a_list_for_ever(world: CredentialWorld) -> None:
    options = {"uri": URI, "at": NOON, "revocation": world.revocation}
    eternal = token({"ttl": 10**9, "exp": SECONDS + 10**9})(world)
    snapshot = StatusSnapshot.from_token(eternal, world.trust, **options)
    assert snapshot.refresh_at == NOON + timedelta(days=1)
    assert snapshot.expires_at == NOON + timedelta(days=31, seconds=-10)
    silent = StatusSnapshot.from_token(token({"ttl": ABSENT, "exp": ABSENT})(world), world.trust, **options)
    assert silent.refresh_at == NOON + timedelta(hours=1)


# The service


def service(world: CredentialWorld, database: Database | None = None, **more: Any) -> StatusService:
    return StatusService(
        database or world.database,
        world.pki.signer("status"),
        f"{ISSUER}/{next(NUMBERS)}",
        clock=world.clock,
        **more,
    )


def listed(service: StatusService, uri: str) -> StatusList:
    return StatusList.from_claim(parse_jws(service.token(uri)).claims()["status_list"])


def test_a_change_shows_in_the_next_token_and_in_the_audit_log(world: CredentialWorld) -> None:
    kept = service(world, size=1 << 12)
    clerk = staff("clerk-17")
    with world.database.transaction() as session:
        uri, index = kept.allocate(session)
    before = kept.token(uri)
    assert kept.token(uri) == before, "kept until something changes"
    with world.database.transaction() as session:
        kept.set(session, uri, index, SUSPENDED, actor=clerk)
    assert listed(kept, uri).get(index) == SUSPENDED
    with world.database.transaction() as session:
        kept.set(session, uri, index, VALID, actor=clerk)
        kept.set(session, uri, index, INVALID, actor=clerk)
    assert listed(kept, uri).get(index) == INVALID
    with world.database.reading() as session:
        inbox = audit_records.INBOX
        rows = (
            session.execute(select(inbox.c.body).where(inbox.c.subject == f"{uri}#{index}")).scalars().all()
        )
    assert len(rows) == 4
    assert sum("clerk-17" in body for body in rows) == 3


def test_a_change_that_was_rolled_back_never_shows(world: CredentialWorld) -> None:
    kept = service(world, size=1 << 12)
    with world.database.transaction() as session:
        uri, index = kept.allocate(session)

    def fail() -> None:
        with world.database.transaction() as session:
            kept.set(session, uri, index, INVALID)
            raise Conflict("something else went wrong")

    with pytest.raises(Conflict):
        fail()
    assert listed(kept, uri).get(index) == VALID


def test_a_token_is_signed_again_when_its_ttl_is_over(pki: Pki) -> None:
    world = CredentialWorld(pki)
    kept = service(world, size=1 << 12)
    with world.database.transaction() as session:
        uri, _ = kept.allocate(session)
    first = kept.token(uri)
    world.clock.advance(timedelta(seconds=60))
    second = kept.token(uri)
    assert parse_jws(second).claims()["iat"] == parse_jws(first).claims()["iat"] + 60


def test_publishing_one_change_of_a_million_entries_reads_that_one(world: CredentialWorld) -> None:
    """A list is read whole once; what revocations stand in it already costs the next change nothing."""
    few, many = _calls_to_publish(world, revoked=10), _calls_to_publish(world, revoked=3000)
    assert many[0] > few[0] + 3000, "the first look reads every entry that is not valid"
    assert abs(many[1] - few[1]) < 100, "and a change reads itself"


def _calls_to_publish(world: CredentialWorld, *, revoked: int) -> tuple[int, int]:
    """Calls of the first token of a list, and of the token after one change more."""
    kept = service(world, size=1 << 20)
    with world.database.transaction() as session:
        uri, index = kept.allocate(session)
        places = islice((place for place in itertools.count() if place != index), revoked)
        row = {"uri": uri, "value": INVALID, "changed_at": NOON}
        session.execute(insert(ENTRIES), [{**row, "position": place} for place in places])
    with counted_calls() as first:
        kept.token(uri)
    for _ in range(2):  # whatever is done once only is done
        with world.database.transaction() as session:
            _, other = kept.allocate(session)
            kept.set(session, uri, other, SUSPENDED)
        with counted_calls() as second:
            kept.token(uri)
    found = listed(kept, uri)
    assert (found.get(other), found.get(index), len(found)) == (SUSPENDED, VALID, 1 << 20)
    return first.calls, second.calls


def test_what_the_service_refuses(world: CredentialWorld) -> None:
    kept = service(world, size=1 << 12)
    with world.database.transaction() as session:
        uri, index = kept.allocate(session)
        for arguments, error in (
            ((uri, (index + 1) % 4096, INVALID), NotFound),
            (("https://elsewhere.example", 0, INVALID), NotFound),
            ((uri, index, 4), UsageError),
            ((uri, index, -1), UsageError),
            ((uri, index, VALID), Conflict),
        ):
            with pytest.raises(error):
                kept.set(session, *arguments)
        kept.set(session, uri, index, INVALID)
        for value in (VALID, SUSPENDED, INVALID):
            with pytest.raises(Conflict):
                kept.set(session, uri, index, value)
    with pytest.raises(NotFound):
        kept.token("https://elsewhere.example")
    with pytest.raises(UsageError):
        service(world, ttl=timedelta(hours=2))


def test_indexes_are_random_unique_and_move_to_a_new_list_in_time(world: CredentialWorld) -> None:
    kept = service(world, size=64)
    with world.database.transaction() as session:
        given = [kept.allocate(session) for _ in range(100)]
    assert len(set(given)) == 100
    lists = kept.uris()
    assert len(lists) == 4, "a list is filled to its half only"
    first = [index for uri, index in given if uri == given[0][0]]
    assert len(first) == 32
    assert first != sorted(first)
    # The size of what is published says nothing of how many there are.
    assert {len(listed(kept, uri)) for uri in lists} == {64}


def test_offices_at_many_desks_never_get_the_same_index(world: CredentialWorld, database: Database) -> None:
    desks = [service(world, database, size=256) for _ in range(4)]
    for desk in desks:
        desk._prefix = f"{ISSUER}/status/"

    def serve(desk: StatusService) -> list[tuple[str, int]]:
        given = []
        for _ in range(15):
            with database.transaction() as session:
                given.append(desk.allocate(session))
        return given

    with ThreadPoolExecutor(4) as pool:
        given = [item for answer in pool.map(serve, desks) for item in answer]
    assert len(set(given)) == 60
    with database.reading() as session:
        assert _count(session) == 60


def test_changes_are_kept_on_both_databases(world: CredentialWorld, database: Database) -> None:
    kept = service(world, database, size=256)
    with database.transaction() as session:
        given = [kept.allocate(session) for _ in range(20)]
    with database.transaction() as session:
        for uri, index in given[:5]:
            kept.set(session, uri, index, SUSPENDED)
        kept.set(session, *given[5], INVALID)
    statuses = {uri: listed(kept, uri) for uri in kept.uris()}
    assert [statuses[uri].get(index) for uri, index in given] == [SUSPENDED] * 5 + [INVALID] + [VALID] * 14


def _count(session: Session) -> int:
    return session.execute(select(func.count()).select_from(ENTRIES)).scalar_one()


def test_another_key_for_the_list_than_for_the_credential(world: CredentialWorld) -> None:
    """One key has one use: a bare key or one without its certificate is no status signer."""
    kept = StatusService(world.database, FileSigner.generate(), ISSUER + "/bare", clock=world.clock, size=64)
    with world.database.transaction() as session:
        uri, _ = kept.allocate(session)
    report = verify_status_token(kept.token(uri), world.trust, uri=uri, at=NOON, revocation=world.revocation)
    assert set(report.reasons) == {Reason.SIGNING_CERTIFICATE_MISSING}
