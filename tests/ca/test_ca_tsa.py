"""Time-stamps: a token proves a digest at a time, whatever was sent to get it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from ca.tsa import TimestampAuthority
from signing import cms, der
from signing.timestamp import TimestampRequest, parse_token, token_of_reply
from yinxin.base.audit.records import INBOX
from yinxin.base.errors import SignerUnavailable, Unreachable, UsageError

if TYPE_CHECKING:
    from world.authority import Office

DIGEST = hashlib.sha256(b"a licence").digest()


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_a_token_is_for_what_was_asked(office: Office, kind: str, name: str) -> None:
    tsa = office.tsa(kind=kind)  # type: ignore[arg-type]
    request = TimestampRequest(name, hashlib.new(name, b"a licence").digest(), nonce=0xC0FFEE)
    token = parse_token(token_of_reply(tsa.respond(request.to_der()), request))
    assert token.gen_time == office.clock.now()
    assert token.nonce == 0xC0FFEE
    assert cms.verifies(token.signed)


def test_it_stamps_in_the_same_process(office: Office) -> None:
    tsa = office.tsa()
    token = parse_token(tsa.stamp(DIGEST))
    assert (token.digest, token.gen_time) == (DIGEST, office.clock.now())
    with pytest.raises(UsageError):
        tsa.stamp(b"short")
    with pytest.raises(UsageError):
        tsa.stamp(DIGEST, digest_algorithm="md5")


def test_serial_numbers_never_repeat(office: Office) -> None:
    tsa = office.tsa()
    assert len({parse_token(tsa.stamp(DIGEST)).serial for _ in range(100)}) == 100


def test_certificates_are_sent_only_when_they_are_wanted(office: Office) -> None:
    tsa = office.tsa()
    with_them = tsa.respond(TimestampRequest("sha256", DIGEST).to_der())
    without = tsa.respond(TimestampRequest("sha256", DIGEST, wants_certificates=False).to_der())
    leaf = tsa._signer.certificate.der
    assert leaf in with_them
    assert leaf not in without
    assert office.root.certificate.der not in with_them


@pytest.mark.parametrize(
    ("request_der", "bit"),
    [
        (b"", 5),
        (b"\x30\x00", 5),
        (b"\x30" * 4000, 5),
        (TimestampRequest("sha256", DIGEST[:-1]).to_der(), 5),
        (TimestampRequest("sm3", DIGEST).to_der(), 0),
        (TimestampRequest("sha256", DIGEST, policy="1.2.3.4").to_der(), 15),
        (
            der.sequence(
                der.integer(1),
                der.sequence(der.sequence(der.oid("1.2.840.113549.2.5")), der.octet_string(b"x" * 16)),
            ),
            0,
        ),
    ],
)
def test_a_request_that_is_not_served_is_refused_by_name(
    office: Office, request_der: bytes, bit: int
) -> None:
    status, *token = der.children(der.read_exactly(office.tsa().respond(request_der), der.SEQUENCE))
    assert not token
    number, _, failure = der.children(status)
    assert der.read_integer(number) == 2
    assert failure.content[1 + bit // 8] == 0x80 >> bit % 8


def test_a_clock_that_runs_back_attests_nothing(office: Office) -> None:
    tsa = office.tsa()
    office.clock.advance(timedelta(hours=1))
    tsa.stamp(DIGEST)
    office.clock.advance(timedelta(milliseconds=-500))
    tsa.stamp(DIGEST)  # within the accuracy
    office.clock.advance(timedelta(seconds=-60))
    with pytest.raises(SignerUnavailable, match="clock"):
        tsa.stamp(DIGEST)
    request = TimestampRequest("sha256", DIGEST)
    with pytest.raises(Unreachable, match="time is not available"):
        token_of_reply(tsa.respond(request.to_der()), request)


def test_an_authority_out_of_date_attests_nothing(office: Office) -> None:
    tsa = office.tsa()
    office.clock.advance(timedelta(days=1826))
    with pytest.raises(SignerUnavailable, match="out of date"):
        tsa.stamp(DIGEST)
    request = TimestampRequest("sha256", DIGEST)
    with pytest.raises(Unreachable, match="not available"):
        token_of_reply(tsa.respond(request.to_der()), request)


def test_it_needs_a_key_for_nothing_else(office: Office) -> None:
    with pytest.raises(SignerUnavailable, match="time-stamps"):
        TimestampAuthority(office.signer_for("status"), office.clock)


def test_with_a_database_every_token_is_audited(stored_office: Office) -> None:
    office = stored_office
    tsa = TimestampAuthority(office.signer_for("timestamp"), office.clock, office.database)
    token = tsa.stamp(DIGEST)
    with office.database.reading() as session:
        (body,) = session.scalars(select(INBOX.c.body).where(INBOX.c.subject.like("tsa/%")))
    assert hashlib.sha256(token).hexdigest() in body
