from __future__ import annotations

import asyncio
import hashlib
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore
from world.desk import Desk
from world.pki import NOON, Pki
from world.tsa import POLICY, MemoryTsa

from signing import cms, der
from signing.existence import NO_PROOFS, fingerprint_of
from signing.policy import Policy
from signing.reasons import Reason
from signing.revocation import RevocationSnapshot
from signing.timestamp import (
    HttpTimestamper,
    TimestampRequest,
    TimestampResult,
    parse_token,
    read_request,
    refused,
    token_for,
    token_of_reply,
    verify_timestamp,
)
from yinxin.base.errors import MalformedInput, UnknownAlgorithm, Unreachable

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = hashlib.sha256(b"a document").digest()


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def verified(desk: Desk, token: bytes, *, digest: bytes = DIGEST, **asked: Any) -> TimestampResult:
    return verify_timestamp(
        token,
        digest=digest,
        trust=desk.trust,
        revocation=asked["revocation"] if "revocation" in asked else desk.revocation(),
        policy=asked.get("policy", Policy.default()),
        at=asked.get("at", NOON),
    )


def reasons(result: TimestampResult) -> set[Reason]:
    return {check.reason for check in result.checks if check.reason}


def test_a_token_proves_its_time(desk: Desk) -> None:
    result = verified(desk, desk.tsa.stamp(DIGEST))
    assert result.gen_time == NOON
    assert result.authority == desk.tsa.signer.certificate
    assert not reasons(result)


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_imprints_of_each_hash(desk: Desk, name: str) -> None:
    digest = hashlib.new(name, b"a document").digest()
    token = desk.tsa.stamp(digest, digest_algorithm=name)
    assert parse_token(token).digest_algorithm == name
    assert verified(desk, token, digest=digest).gen_time == NOON


def test_a_token_for_something_else(desk: Desk) -> None:
    result = verified(desk, desk.tsa.stamp(hashlib.sha256(b"another").digest()))
    assert result.gen_time is None
    assert reasons(result) == {Reason.TIMESTAMP_INVALID}


def test_a_changed_token(desk: Desk) -> None:
    token = desk.tsa.stamp(DIGEST)
    changed = token.replace(b"20261120120000Z", b"20261120110000Z")
    assert changed != token
    assert reasons(verified(desk, changed)) == {Reason.TIMESTAMP_INVALID}


def test_an_authority_that_nobody_trusts(desk: Desk) -> None:
    stranger = MemoryTsa(Pki().signer("timestamp"))
    assert reasons(verified(desk, stranger.stamp(DIGEST))) == {Reason.TIMESTAMP_NOT_TRUSTED}


def test_certificates_that_may_not_stamp(desk: Desk) -> None:
    for use in ("seal", "credential", "ocsp"):
        token = MemoryTsa(desk.pki.signer(use)).stamp(DIGEST)
        assert Reason.TIMESTAMP_INVALID in reasons(verified(desk, token)), use


def test_an_authority_out_of_date_when_it_stamped(desk: Desk) -> None:
    old = desk.pki.issuing.issue("Old TSA", "timestamp", not_after=NOON - timedelta(days=1))
    assert Reason.TIMESTAMP_NOT_TRUSTED in reasons(verified(desk, MemoryTsa(old).stamp(DIGEST)))


def test_an_authority_revoked_before_it_stamped() -> None:
    own = Desk(Pki())
    own.pki.issuing.revoke(own.tsa.signer.certificate, NOON - timedelta(hours=1))
    assert Reason.TIMESTAMP_INVALID in reasons(verified(own, own.tsa.stamp(DIGEST)))


def test_what_is_wanting_is_said_and_not_that_the_authority_is_strange(desk: Desk) -> None:
    """Who is told to add a root that is there already, or a stranger's, is told wrongly."""
    unknown = verified(desk, desk.tsa.stamp(DIGEST), revocation=RevocationSnapshot(()))
    assert reasons(unknown) == {Reason.REVOCATION_UNKNOWN}
    assert unknown.gen_time is None
    stranger = MemoryTsa(Desk(Pki()).tsa.signer)
    assert Reason.TIMESTAMP_NOT_TRUSTED in reasons(verified(desk, stranger.stamp(DIGEST)))


def test_an_authority_that_ended_since(desk: Desk) -> None:
    """Its token says nothing any more, unless something proves that it is older than that end."""
    short = desk.pki.issuing.issue("Short TSA", "timestamp", not_after=NOON + timedelta(days=9))
    token, later = MemoryTsa(short).stamp(DIGEST), NOON + timedelta(days=10)
    value = fingerprint_of(parse_token(token).signed.signature)
    asked: dict[str, Any] = {"digest": DIGEST, "trust": desk.trust, "revocation": desk.revocation()}
    asked |= {"policy": Policy.default(), "at": later}
    assert reasons(verify_timestamp(token, **asked)) == {Reason.TIMESTAMP_NOT_TRUSTED}
    for seen, gen_time in ((NOON + timedelta(days=8), NOON), (later, None)):
        proofs = NO_PROOFS.adding([value], seen)
        assert verify_timestamp(token, **asked, proofs=proofs).gen_time == gen_time
    # Asked about a day before that end, it holds as it did then.
    assert verify_timestamp(token, **asked, asked_at=NOON + timedelta(days=1)).gen_time == NOON
    assert verify_timestamp(token, **(asked | {"policy": Policy(after_end="believed")})).gen_time == NOON


def test_a_time_that_has_not_come(desk: Desk) -> None:
    early = MemoryTsa(desk.tsa.signer, at=NOON + timedelta(hours=1))
    assert reasons(verified(desk, early.stamp(DIGEST))) == {Reason.TIMESTAMP_INVALID}


def test_a_seal_s_cms_is_no_token(desk: Desk) -> None:
    seal = cms.sign(desk.agency, DIGEST)
    assert reasons(verified(desk, seal)) == {Reason.TIMESTAMP_INVALID}
    with pytest.raises(MalformedInput):
        parse_token(seal)


def test_fractions_of_seconds_are_read(desk: Desk) -> None:
    token = _with_time(desk, b"20261120120000.25Z")
    assert parse_token(token).gen_time == NOON + timedelta(milliseconds=250)
    for wrong in (b"20261120120000.250Z", b"20261120120000", b"20261320120000Z", b"20261120120000+0800"):
        with pytest.raises(MalformedInput):
            parse_token(_with_time(desk, wrong))


def _with_time(desk: Desk, time: bytes) -> bytes:
    info = der.sequence(
        der.integer(1),
        der.oid(POLICY),
        der.sequence(cms.digest_identifier("sha256"), der.octet_string(DIGEST)),
        der.integer(1),
        der.tlv(der.GENERALIZED_TIME, time),
    )
    signer = desk.tsa.signer
    return cms.sign(signer, hashlib.sha256(info).digest(), content_type=cms.TST_INFO, content=info)


def test_requests_are_read_back() -> None:
    request = TimestampRequest("sha256", DIGEST, nonce=12345, policy=POLICY)
    assert read_request(request.to_der()) == request
    bare = TimestampRequest("sha512", bytes(64), wants_certificates=False)
    assert read_request(bare.to_der()) == bare
    with pytest.raises(UnknownAlgorithm):
        read_request(TimestampRequest("sha1", bytes(20)).to_der())
    with pytest.raises(MalformedInput):
        read_request(TimestampRequest("sha256", bytes(31)).to_der())


def test_a_requester_that_has_the_certificate_gets_none(desk: Desk) -> None:
    request = TimestampRequest("sha256", DIGEST, wants_certificates=False)
    token = token_for(request, desk.tsa.signer, at=NOON, serial=1, policy=POLICY)
    assert parse_token(token).signed.certificates == ()
    assert Reason.TIMESTAMP_NOT_TRUSTED in reasons(verified(desk, token))


@dataclass
class Answering:
    """An outbound connection that gives prepared answers."""

    answer: Any
    status: int = 200
    kind: str = "application/timestamp-reply"
    asked: list[tuple[str, str]] = field(default_factory=list)

    @dataclass
    class Answer:
        status: int
        headers: dict[str, str]
        body: bytes

    def post(self, url: str, body: bytes, *, content_type: str, **_: Any) -> Answer:
        self.asked.append((url, content_type))
        return self.Answer(self.status, {"Content-Type": self.kind}, self.answer(body))


def test_asking_over_http(desk: Desk) -> None:
    way = Answering(desk.tsa.respond)
    token = HttpTimestamper("http://tsa.example/tsa", way).stamp(DIGEST)
    assert way.asked == [("http://tsa.example/tsa", "application/timestamp-query")]
    assert desk.tsa.answered[-1].nonce
    assert verified(desk, token).gen_time == NOON


def test_answers_that_are_none(desk: Desk) -> None:
    tsa = desk.tsa
    replayed = tsa.respond(TimestampRequest("sha256", DIGEST, nonce=1).to_der())
    other = Answering(
        lambda body: tsa.respond(TimestampRequest("sha256", bytes(32), read_request(body).nonce).to_der())
    )
    for way in (
        Answering(lambda _: b""),
        Answering(lambda _: b"<html>"),
        Answering(lambda _: replayed),
        other,
        Answering(lambda body: tsa.respond(body)[:-1]),
        Answering(lambda _: refused("try later", failure_bit=14)),
        Answering(tsa.respond, status=503),
        Answering(tsa.respond, kind="text/html"),
    ):
        with pytest.raises(Unreachable):
            HttpTimestamper("http://tsa.example/tsa", way).stamp(DIGEST)


def test_a_refusal_says_why() -> None:
    with pytest.raises(Unreachable, match="try later"):
        token_of_reply(refused("try later", failure_bit=14), TimestampRequest("sha256", DIGEST))


@pytest.mark.peer
def test_openssl_verifies_our_tokens_and_we_verify_its(desk: Desk, tmp_path: Path) -> None:
    if which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    request = TimestampRequest("sha256", DIGEST, nonce=77)
    (tmp_path / "query").write_bytes(request.to_der())
    (tmp_path / "reply").write_bytes(desk.tsa.respond(request.to_der()))
    (tmp_path / "root.pem").write_bytes(desk.pki.root.certificate.to_pem())
    at = str(int(NOON.timestamp()))
    ran = subprocess.run(
        ["openssl", "ts", "-verify", "-in", "reply", "-queryfile", "query", "-CAfile",
          "root.pem", "-attime", at],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert b"Verification: OK" in ran.stdout, ran.stderr


@pytest.mark.peer
def test_tokens_of_openssl_are_read(desk: Desk, tmp_path: Path) -> None:
    if which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    signer = desk.tsa.signer
    signer.save(tmp_path / "key.pem", passphrase="throw-away")
    (tmp_path / "cert.pem").write_bytes(signer.certificate.to_pem())
    (tmp_path / "chain.pem").write_bytes(desk.pki.issuing.certificate.to_pem())
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa = it\n[it]\nserial = serial\nsigner_cert = cert.pem\ncerts = chain.pem\n"
        "signer_key = key.pem\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256, sha512\n"
        "ess_cert_id_alg = sha1\naccuracy = secs:1, millisecs:500\nordering = yes\ntsa_name = yes\n"
    )
    request = TimestampRequest("sha256", DIGEST, nonce=77)
    (tmp_path / "query").write_bytes(request.to_der())
    ran = subprocess.run(
        ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-out",
          "reply", "-passin", "pass:throw-away"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    token = token_of_reply((tmp_path / "reply").read_bytes(), request)
    made = parse_token(token).gen_time  # openssl reads the machine's clock
    within = desk.tsa.signer.certificate.is_valid_at(made)
    result = verified(desk, token, at=made, revocation=desk.revocation(made))
    assert result.gen_time == (made if within else None)


@pytest.mark.peer
@pytest.mark.parametrize("name", ["sha256", "sha512"])
def test_tokens_of_pyhanko_are_read(desk: Desk, name: str) -> None:
    """Its authority for tests signs with RSA."""
    signer = desk.pki.issuing.issue("RSA TSA", "timestamp", key_kind="RSA-2048")
    key = signer._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    others = SimpleCertificateStore()
    others.register(asn1_x509.Certificate.load(desk.pki.issuing.certificate.der))
    maker = DummyTimeStamper(
        asn1_x509.Certificate.load(signer.certificate.der),
        asn1_keys.PrivateKeyInfo.load(key),
        certs_to_embed=others,
        fixed_dt=NOON,
        override_md=name,
    )
    digest = hashlib.new(name, b"a document").digest()
    token = asyncio.run(maker.async_timestamp(digest, name)).dump()
    result = verified(desk, token, digest=digest)
    assert (result.gen_time, result.authority) == (NOON, signer.certificate)
