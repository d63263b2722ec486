# ruff: noqa: E501 - a case is a row of a table
"""Status lists as they are handed out: after few changes, as they were, as CWT, and over HTTP."""

from __future__ import annotations

import gzip
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from world.asgi import Client
from world.credentials import ISSUER, CredentialWorld
from world.pki import NOON, Pki

from credentials.http.status import STATUS_LIST_CWT, STATUS_LIST_JWT, router
from credentials.status_list import StatusList
from credentials.status_records import StatusRecords
from credentials.status_service import StatusService
from credentials.status_snapshot import StatusSnapshot, verify_status_token
from credentials.status_tokens import read_status_cwt, sign_status_cwt
from credentials.vocabulary import INVALID, STATUS_LIST_CWT_TYP, SUSPENDED, VALID
from signing.cbor import Tag, decode, encode
from signing.cose import TYP, X5CHAIN, sign1, x5chain
from signing.reasons import Reason
from signing.report import Indication
from yinxin.app import problems
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = itertools.count()
SIZE = 1 << 10


class Office:
    """A status service of its own with a moving clock, and a verifier of its tokens."""

    def __init__(self, world: CredentialWorld) -> None:
        self.world = world
        self.clock = FixedClock(2026, 11, 20, 12)
        self.url = f"{ISSUER}/s{next(NUMBERS)}"
        self.service = self.another_process()
        with world.database.transaction() as session:
            self.uri, self.index = self.service.allocate(session)

    def another_process(self) -> StatusService:
        signer = self.world.pki.signer("status")
        return StatusService(
            self.world.database,
            signer,
            self.url,
            clock=self.clock,
            size=SIZE,
            randomness=self.world.randomness,
        )

    def more(self, count: int) -> list[int]:
        with self.world.database.transaction() as session:
            return [self.service.allocate(session)[1] for _ in range(count)]

    def set(self, value: int, index: int | None = None) -> None:
        with self.world.database.transaction() as session:
            self.service.set(session, self.uri, self.index if index is None else index, value)

    def read(self, token: str | bytes, **changes: Any) -> Any:
        options = {"uri": self.uri, "at": self.clock.now(), "revocation": self.world.revocation}
        return verify_status_token(token, self.world.trust, **{**options, **changes})

    def now(self) -> StatusList:
        return self.statuses(self.service.token(self.uri))

    def statuses(self, token: str | bytes, **changes: Any) -> StatusList:
        snapshot: StatusSnapshot = self.read(token, **changes).require()
        return snapshot.statuses


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


@pytest.fixture
def office(world: CredentialWorld) -> Office:
    return Office(world)


# Few changes


def test_publishing_a_change_reads_that_change_alone(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in office.more(40):
        office.set(INVALID, index)
    office.now()
    read: list[list[tuple[int, int]]] = []
    since = StatusRecords.changed_since

    def noted(records: StatusRecords, uri: str, number: int) -> list[tuple[int, int]]:
        read.append(list(since(records, uri, number)))
        return read[-1]

    monkeypatch.setattr(StatusRecords, "changed_since", noted)
    monkeypatch.setattr(StatusRecords, "other_than_valid", None)  # the whole list is not read again
    office.set(SUSPENDED)
    assert office.now().get(office.index) == SUSPENDED
    assert read == [[(office.index, SUSPENDED)]]
    office.now()
    assert len(read) == 1, "nothing changed, so nothing is read"


def test_another_process_sees_the_same_list(office: Office) -> None:
    other = office.another_process()
    assert office.statuses(other.token(office.uri)).get(office.index) == VALID
    office.set(INVALID)
    assert office.statuses(other.token(office.uri)) == office.now()


# As it was


def test_a_list_is_given_as_it_was(office: Office) -> None:
    times = []
    for value in (SUSPENDED, VALID, INVALID):
        office.clock.advance(timedelta(hours=2))
        times.append((office.clock.now(), value))
        office.set(value)
    office.clock.advance(timedelta(hours=2))
    before = NOON + timedelta(hours=1)
    assert (
        office.statuses(office.service.token_at(office.uri, before).decode(), at=before).get(office.index)
        == VALID
    )
    for when, value in times:
        for form in ("jwt", "cwt"):
            sent = office.service.token_at(office.uri, when, form)  # type: ignore[arg-type]
            token = sent.decode() if form == "jwt" else sent
            snapshot = office.read(token, at=when).require()
            assert snapshot.status(office.index) == value
            assert snapshot.issued_at == when, "8.4: the time asked about lies in iat to exp"


def test_there_is_no_list_before_the_list_and_none_of_tomorrow(office: Office) -> None:
    for when in (NOON - timedelta(seconds=1), NOON + timedelta(days=1)):
        with pytest.raises(NotFound):
            office.service.token_at(office.uri, when)
    with pytest.raises(NotFound):
        office.service.token_at(f"{office.url}/status/none", NOON)


STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from((VALID, SUSPENDED, INVALID)), st.booleans()), max_size=12
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_any_history_reads_as_it_happened(world: CredentialWorld, steps: list[tuple[int, int, bool]]) -> None:
    office = Office(world)
    places, model, history = office.more(5), {}, []
    for place, value, is_read in steps:
        office.clock.advance(timedelta(minutes=1))
        try:
            office.set(value, places[place])
            model[places[place]] = value
        except Conflict:
            pass  # it has this status, or is revoked for good
        history.append((office.clock.now(), dict(model)))
        if is_read:
            office.now()
    fresh = office.statuses(office.another_process().token(office.uri))
    assert office.now() == fresh
    for when, then in history:
        statuses = office.statuses(office.service.token_at(office.uri, when).decode(), at=when)
        assert {place: statuses.get(place) for place in then} == then


# As CWT


def test_the_cwt_says_what_the_jwt_says(office: Office) -> None:
    office.set(INVALID)
    snapshot = office.read(office.service.cwt(office.uri)).require()
    assert snapshot.statuses == office.now()
    assert snapshot.issued_at == NOON
    assert snapshot.refresh_at == NOON + timedelta(seconds=60)


def _claims(office: Office) -> dict[int, Any]:
    message, _ = read_status_cwt(office.service.cwt(office.uri))
    claims: dict[int, Any] = decode(message.payload or b"")
    return claims


def _signed(office: Office, claims: Any, *, typ: Any = STATUS_LIST_CWT_TYP, use: str = "status") -> bytes:
    signer = office.world.pki.signer(use)
    chain = x5chain(tuple(one for one in signer.chain if not one.is_self_issued))
    protected = {} if typ is None else {TYP: typ}
    return sign1(encode(claims), signer, protected=protected, unprotected={X5CHAIN: chain})


def with_claims(**changes: Any) -> Callable[[Office], bytes]:
    names = {"sub": 2, "exp": 4, "iat": 6, "ttl": 65534, "lists": 65533}

    def make(office: Office) -> bytes:
        claims = _claims(office)
        for name, value in changes.items():
            claims[names[name]] = value
            if value is None:
                del claims[names[name]]
        return _signed(office, claims)

    return make


SECONDS = int(NOON.timestamp())
BAD = [
    ("another list's address", "TSL, 8.3", Reason.STATUS_REFERENCE_INVALID, with_claims(sub="https://a.example")),
    ("no address", "TSL, 5.2", Reason.STATUS_REFERENCE_INVALID, with_claims(sub=None)),
    ("no time", "TSL, 5.2", Reason.CLAIM_INVALID, with_claims(iat=None)),
    ("a time that is a text", "TSL, 5.2", Reason.CLAIM_INVALID, with_claims(iat="now")),
    ("a ttl of nothing", "TSL, 5.2", Reason.CLAIM_INVALID, with_claims(ttl=0)),
    ("ended", "TSL, 8.3", Reason.EXPIRED, with_claims(exp=SECONDS - 1)),
    ("no list", "TSL, 4.3", Reason.FORMAT_FAILURE, with_claims(lists=None)),
    ("a list in text", "TSL, 4.3", Reason.FORMAT_FAILURE, with_claims(lists={"bits": 2, "lst": "eNoDAAAAAAE"})),
    ("three bits", "TSL, 4.3", Reason.FORMAT_FAILURE, with_claims(lists={"bits": 3, "lst": b"x"})),
    ("no zlib", "TSL, 4.1", Reason.FORMAT_FAILURE, with_claims(lists={"bits": 2, "lst": b"x"})),
    ("another type", "TSL, 5.2", Reason.WRONG_TYPE, lambda o: _signed(o, _claims(o), typ="application/cwt")),
    ("no type", "TSL, 5.2", Reason.WRONG_TYPE, lambda o: _signed(o, _claims(o), typ=None)),
    ("a seal's key", "TSL, 11.3", Reason.WRONG_KEY_USAGE, lambda o: _signed(o, _claims(o), use="seal")),
    ("claims in a list", "TSL, 5.2", Reason.FORMAT_FAILURE, lambda o: _signed(o, [])),
    ("a CWT's own tag", "TSL, 5.2", Reason.FORMAT_FAILURE, lambda o: b"\xd8\x3d" + o.service.cwt(o.uri)),
    ("no tag", "TSL, 5.2", Reason.FORMAT_FAILURE, lambda o: o.service.cwt(o.uri)[1:]),
    ("a flipped bit", "RFC 9052", Reason.SIG_CRYPTO_FAILURE, lambda o: o.service.cwt(o.uri)[:-1] + b"\x00"),
    ("nothing", "RFC 8949", Reason.FORMAT_FAILURE, lambda _: b""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "clause", "reason", "make"), BAD, ids=[row[0].replace(" ", "-") for row in BAD]
)
def test_a_cwt_that_is_not_believed(
    office: Office, name: str, clause: str, reason: Reason, make: Callable[[Office], bytes]
) -> None:
    report = office.read(make(office))
    assert report.indication is not Indication.PASSED, (name, clause)
    assert reason in report.reasons


def test_a_certificate_that_is_revoked_takes_its_lists_along(office: Office) -> None:
    signer = office.world.pki.signer("status", "另一签发方")
    token = sign_status_cwt(
        StatusList(SIZE),
        signer,
        uri=office.uri,
        at=NOON,
        ttl=timedelta(minutes=1),
        lifetime=timedelta(hours=1),
    )
    assert office.read(token).passed
    office.world.pki.issuing.revoke(signer.certificate, NOON - timedelta(minutes=1))
    try:
        assert office.read(token).reasons == {Reason.CERTIFICATE_REVOKED}
    finally:
        del office.world.pki.issuing.revoked[signer.certificate.serial]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=120))
def test_no_bytes_make_it_raise(world: CredentialWorld, data: bytes) -> None:
    for token in (data, encode(Tag(18, [data, {}, data, data]))):
        assert not verify_status_token(token, world.trust, uri=ISSUER, at=NOON).passed


# Over HTTP


@pytest.fixture
def web(office: Office) -> Client:
    app = FastAPI()
    problems.install(app)
    app.include_router(router(office.service, url=office.url))
    return Client(app)


def test_who_asks_chooses_the_form(office: Office, web: Client) -> None:
    path = "/status/" + office.uri.rpartition("/")[2]
    for accept, media_type in (
        (STATUS_LIST_JWT, STATUS_LIST_JWT),
        (STATUS_LIST_CWT, STATUS_LIST_CWT),
        (f"{STATUS_LIST_CWT}, {STATUS_LIST_JWT}", STATUS_LIST_JWT),
        ("*/*", STATUS_LIST_JWT),
    ):
        answer = web.get(path, headers={"accept": accept})
        assert answer.headers["content-type"] == media_type
        token = answer.content if media_type == STATUS_LIST_CWT else answer.text
        assert office.read(token).passed
        assert answer.headers["vary"] == "Accept, Accept-Encoding"


def test_it_travels_zipped_where_that_is_asked_for(office: Office, web: Client) -> None:
    path = "/status/" + office.uri.rpartition("/")[2]
    plain, zipped = web.get(path), web.get(path, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.content) == plain.content


def test_earlier_lists_are_asked_for_by_time(office: Office, web: Client) -> None:
    path = "/status/" + office.uri.rpartition("/")[2]
    office.clock.advance(timedelta(hours=1))
    office.set(INVALID)
    then = office.read(web.get(f"{path}?time={SECONDS + 60}").text, at=NOON + timedelta(seconds=60)).require()
    assert then.status(office.index) == VALID
    assert office.now().get(office.index) == INVALID
    for time, status in (
        (SECONDS - 1, 404),
        (SECONDS + 7200, 404),
        ("yesterday", 422),
        (-1, 422),
        (10**30, 422),
    ):
        assert web.get(f"{path}?time={time}").status_code == status, time
