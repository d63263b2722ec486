"""The lint finds what the encoder or its caller got wrong: each rule, broken once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world.authority import cached_key, csr, name

from ca.csr import proven_key
from ca.lint import Expected, lint
from ca.profiles import Profiles
from ca.template import Draft, Pointers, signed
from signing import der
from signing.algorithms import algorithm
from signing.certificates import Certificate
from signing.keys import PublicKey
from signing.signers.file import FileSigner
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from world.pki import Pki

PROFILES = Profiles.load()
KEY = FileSigner.generate().public_key


@pytest.fixture
def draft(pki: Pki) -> Draft:
    above = pki.issuing.certificate
    return Draft(
        profile=PROFILES["timestamp"],
        serial=1 << 130,
        algorithm=pki.issuing.signer.algorithm,
        issuer=above.subject_der,
        subject=name("x"),
        public_key=KEY,
        issuer_key_identifier=above.public_key.identifier,
        not_before=above.not_before,
        not_after=above.not_before + timedelta(days=100),
        pointers=Pointers.below("http://pki.example", "x"),
    )


def faults(pki: Pki, made: Draft, asked: Draft, *, issuer: Certificate | None = None) -> str:
    """What the lint says of a draft that was made when another was asked for."""
    certificate = Certificate(signed(made.encode(), made.algorithm, b"signature"))
    above = issuer or pki.issuing.certificate
    expected = Expected(
        profile=asked.profile,
        subject=asked.subject,
        public_key=asked.public_key,
        issuer=above,
        issuer_key=above.public_key,
        pointers=asked.pointers,
    )
    return "; ".join(lint(certificate, expected))


def test_what_is_as_it_was_asked_for_has_no_fault(pki: Pki, draft: Draft) -> None:
    assert faults(pki, draft, draft) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"serial": 0x7F}, "serial number"),
        ({"serial": 1 << 160}, "serial number"),
        ({"serial": -(1 << 130)}, "does not parse|serial number"),
        ({"algorithm": algorithm("RS256")}, "signature algorithm"),
        ({"subject": name("y")}, "subject is not the one"),
        ({"issuer": name("y").encode()}, "issuer's name"),
        ({"public_key": FileSigner.generate().public_key}, "public key is not the one"),
        ({"issuer_key_identifier": b"k" * 20}, "2.5.29.35 is not as the profile says"),
        ({"profile": PROFILES["status"]}, "2.5.29.37 is not as the profile says"),
        ({"profile": PROFILES["root"]}, "2.5.29.19 is not as the profile says"),
        ({"profile": PROFILES["ocsp"]}, "48.1.5 is not in the profile"),
        ({"pointers": None}, "2.5.29.31 is missing"),
        ({"pointers": Pointers.below("http://evil.example", "x")}, "2.5.29.31 is not as"),
    ],
)
def test_a_draft_that_differs_from_what_was_asked(
    pki: Pki, draft: Draft, change: dict[str, object], said: str
) -> None:
    try:
        found = faults(pki, replace(draft, **change), draft)  # type: ignore[arg-type]
    except MalformedInput as exc:
        found = f"does not parse: {exc}"
    assert any(part in found for part in said.split("|")), found


def test_an_extension_that_only_a_forgiving_parser_reads(pki: Pki, draft: Draft) -> None:
    expected = Expected(
        profile=draft.profile,
        subject=draft.subject,
        public_key=draft.public_key,
        issuer=pki.issuing.certificate,
        issuer_key=pki.issuing.certificate.public_key,
        pointers=draft.pointers,
    )
    tbs = draft.encode().replace(b"\x03\x02\x07\x80", b"\x03\x02\x06\x80")  # a bit list that ends in a 0
    certificate = Certificate(signed(tbs, draft.algorithm, b"signature"))
    assert lint(certificate, expected) == ("extension 2.5.29.15 is not encoded in DER",)


def test_validity_is_inside_the_issuers_and_the_profiles(pki: Pki, draft: Draft) -> None:
    day = timedelta(days=1)
    assert "inside the issuer" in faults(pki, replace(draft, not_before=draft.not_before - day), draft)
    long = replace(draft, not_after=draft.not_before + draft.profile.valid_for + day)
    assert "longer than the profile" in faults(pki, long, draft)
    assert "empty" in faults(pki, replace(draft, not_after=draft.not_before), draft)


def test_a_path_ends_where_it_was_said_to(pki: Pki, draft: Draft) -> None:
    below = replace(draft, profile=PROFILES["issuing"])
    assert "may not issue to authorities" in faults(pki, below, below)


def _rsa(bits: int, *, exponent: int = 65537, modulus: int | None = None) -> PublicKey:
    numbers = cached_key(f"RSA-{bits}").public_key.native.public_numbers()  # type: ignore[arg-type]
    key = rsa.RSAPublicNumbers(exponent, modulus or numbers.n).public_key()
    return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_weak_rsa_keys_are_found(pki: Pki, draft: Draft) -> None:
    strong = cached_key("RSA-2048").public_key.native.public_numbers().n
    weak = {
        "exponent": _rsa(2048, exponent=3),
        "modulus is weak": _rsa(2048, modulus=(strong // 3 | 1) * 3),
        "modulus is": _rsa(2048, modulus=((1 << 1024) - 105) ** 2),
    }
    for said, key in weak.items():
        changed = replace(draft, public_key=key)
        assert said in faults(pki, changed, changed)
    short = replace(draft, profile=replace(PROFILES["issuing"]), public_key=_rsa(2048))
    assert "2048 bits is too short" in faults(pki, short, short)


def test_a_request_in_any_of_its_forms_gives_its_key() -> None:
    for signer in (cached_key("P-256"), cached_key("P-384"), cached_key("RSA-2048")):
        pem = csr(signer)
        assert proven_key(pem) == signer.public_key
        assert proven_key(x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER)) == signer.public_key
        older = pem.replace(b"BEGIN ", b"BEGIN NEW ").replace(b"END ", b"END NEW ")
        assert proven_key(older) == signer.public_key


def test_a_request_that_is_none_is_malformed() -> None:
    signer = cached_key("P-256")
    good = list(der.children(der.read_exactly(_der(csr(signer)), der.SEQUENCE)))
    info = list(der.children(good[0]))
    later = der.sequence(der.integer(1), *(each.encoded for each in info[1:]))
    short = der.sequence(*(each.encoded for each in info[:3]))
    odd = der.sequence(der.oid("1.2.3.4"))
    for parts in (
        (later, good[1].encoded, good[2].encoded),
        (short, good[1].encoded, good[2].encoded),
        (good[0].encoded, odd, good[2].encoded),
        (good[0].encoded, good[1].encoded, der.bit_string(b"no signature")),
        (good[0].encoded, der.null(), good[2].encoded),
        (good[0].encoded, good[1].encoded),
    ):
        with pytest.raises(MalformedInput):
            proven_key(der.sequence(*parts))
    with pytest.raises(MalformedInput, match="PEM"):
        proven_key(b"-----BEGIN CERTIFICATE REQUEST-----\nMII\n-----END CERTIFICATE REQUEST-----\n")


def _der(pem: bytes) -> bytes:
    return x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER)


def test_a_weak_digest_proves_nothing() -> None:
    key = cached_key("RSA-2048")._private_key
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    weak = builder.sign(key, hashes.SHA224())
    with pytest.raises(MalformedInput, match="signature algorithm"):
        proven_key(weak.public_bytes(Encoding.DER))
