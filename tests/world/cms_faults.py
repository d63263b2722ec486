"""Signatures beside a file and time-stamps with one fault each, and what other makers say of them.

The peers are `openssl cms -verify -cades`, `certtool --p7-verify` and `openssl ts -verify`. Everything is
made around the present moment, because `certtool` asks no other clock.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import subprocess
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing import Crl, FileSigner, Policy, RevocationSnapshot, TrustStore, cms, der, detached
from signing.judging import known_hash
from signing.timestamp import parse_token, verify_timestamp
from world.openssl import openssl
from world.pki import TestAuthority
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - 400 * DAY
CONTENT, OTHER = b"a decision", b"another decision"
SERVER, STAMPS = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.8"
TSA_POLICY = "1.3.6.1.4.1.13762.3"


@dataclass(frozen=True)
class Recipe:
    """One signature; the first value of each is the one without a fault."""

    signer: str = "in time"
    structure: str = "as it should be"


SIGNERS = (
    "in time",
    "expired",
    "to come",
    "for servers",
    "revoked",
    "of a stranger",
    "revoked authority",
    "without a list",
    "RSA",
    "P-384",
    "Ed25519",
)
SOUND = {"in time", "RSA", "P-384", "Ed25519"}
STRUCTURES = (
    "as it should be",
    "another content",
    "no digest",
    "no content type",
    "content type of another",
    "no reference",
    "reference to another",
    "reference by SHA-1",
    "no time",
    "two times",
    "no certificate",
    "without the issuer",
    "hash of another kind",
    "SHA-1",
    "signature of another key",
    "signature of other bytes",
    "signed out of order",
    "sent out of order",
    "an attribute twice",
    "two signers",
    "no signer",
    "carried inside",
    "named by key identifier",
    "an unknown signed attribute",
    "version of another kind",
    "trailing bytes",
)
GOOD = {
    "as it should be",
    "reference by SHA-1",
    "carried inside",
    "sent out of order",
    "named by key identifier",
    "an unknown signed attribute",
    "version of another kind",
}
ALONE = [Recipe(signer=one) for one in SIGNERS] + [Recipe(structure=one) for one in STRUCTURES[1:]]
CROSSED = [Recipe(*pair) for pair in itertools.product(SIGNERS, STRUCTURES)]


@cache
def authority(which: str) -> TestAuthority:
    if which == "root":
        return TestAuthority("Root", start=START)
    if which == "stranger":
        return TestAuthority("Issuing", start=START)
    name = "Revoked" if which == "revoked authority" else "Issuing"
    return TestAuthority(name, issuer=authority("root"), start=START, path_length=0)


@cache
def signer_of(which: str) -> FileSigner:
    begin, end = {
        "expired": (START, NOW - 10 * DAY),
        "to come": (NOW + 10 * DAY, NOW + 300 * DAY),
    }.get(which, (START, NOW + 300 * DAY))
    kind = {"RSA": "RSA-2048", "P-384": "P-384", "Ed25519": "Ed25519"}.get(which, "P-256")
    above = {"of a stranger": "stranger", "revoked authority": "revoked authority"}.get(which, "issuing")
    # Without an extended usage there is no restriction, for a policy that is not strict as for the peers.
    return authority(above).issue(
        which,
        not_before=begin,
        not_after=end,
        key_kind=kind,
        bits=("digital_signature", "content_commitment"),
        extended=(SERVER,) if which == "for servers" else (),
    )


@cache
def lists_of(which: str) -> tuple[bytes, ...]:
    """The lists of the issuing authority and of the root."""
    revoked = {signer_of("revoked").certificate.serial: (NOW - DAY, x509.ReasonFlags.key_compromise)}
    above = signer_of(which).chain[1]
    root = {above.serial: (NOW - DAY, x509.ReasonFlags.ca_compromise)} if which == "revoked authority" else {}
    found = [_list(authority("root"), root)]
    if which not in {"without a list", "of a stranger"}:
        issuing = "revoked authority" if which == "revoked authority" else "issuing"
        found.append(_list(authority(issuing), revoked))
    return tuple(found)


def _list(of: TestAuthority, revoked: dict[int, tuple[datetime, x509.ReasonFlags]]) -> bytes:
    lister = object.__new__(TestAuthority)
    lister.__dict__.update({**of.__dict__, "revoked": revoked})
    return lister.crl(NOW - timedelta(hours=1))


def made(recipe: Recipe) -> bytes:
    """The structure, piece by piece, with one piece wrong."""
    signer, how = signer_of(recipe.signer), recipe.structure
    name = cms.cms_digest(signer.algorithm)
    named = {"SHA-1": "sha1", "hash of another kind": "sha512" if name == "sha256" else "sha256"}.get(
        how, name
    )
    attributes = _attributes(signer, how, named)
    signed = der.set_of(*attributes) if how != "signed out of order" else _unsorted(attributes)
    sent_as = signed if how != "sent out of order" else _unsorted(attributes)
    key = signer_of("to come") if how == "signature of another key" else signer
    value = key.sign(signed + b"!" if how == "signature of other bytes" else signed)
    certificate = signer.certificate
    by_number = der.sequence(certificate.issuer_der, der.integer(certificate.serial))
    by_key = der.tlv(0x80, certificate.subject_key_id or b"")
    info = der.sequence(
        der.integer(3 if how == "named by key identifier" else 1),
        by_key if how == "named by key identifier" else by_number,
        cms.digest_identifier(named),
        b"\xa0" + sent_as[1:],
        signer.algorithm.identifier,
        der.octet_string(value),
    )
    infos = [] if how == "no signer" else [info, *([_second()] if how == "two signers" else [])]
    sent = [one.der for one in signer.chain[:-1]]
    sent = {"no certificate": sent[1:], "without the issuer": sent[:1]}.get(how, sent)
    if how == "two signers":
        sent = [*sent, signer_of("P-384").certificate.der]
    inner = [der.explicit(0, der.octet_string(CONTENT))] if how == "carried inside" else []
    hashes = {named, "sha384"} if how == "two signers" else {named}
    data = der.sequence(
        der.integer(5 if how == "version of another kind" else 1),
        der.set_of(*map(cms.digest_identifier, hashes)),
        der.sequence(der.oid(cms.DATA), *inner),
        der.tlv(0xA0, *sorted(sent)),
        der.set_of(*infos),
    )
    encoded = der.sequence(der.oid(cms.SIGNED_DATA), der.explicit(0, data))
    return encoded + b"!" if how == "trailing bytes" else encoded


def _attributes(signer: FileSigner, how: str, digest: str) -> list[bytes]:
    kind = cms.TST_INFO if how == "content type of another" else cms.DATA
    of = CONTENT if how != "another content" else OTHER
    parts = {
        "content type": cms.attribute(cms.CONTENT_TYPE, der.oid(kind)),
        "digest": cms.attribute(cms.MESSAGE_DIGEST, der.octet_string(hashlib.new(digest, of).digest())),
        "time": cms.attribute(cms.SIGNING_TIME, der.time(NOW)),
        "reference": _reference(signer, how),
    }
    if how == "two times":
        parts["time"] = cms.attribute(cms.SIGNING_TIME, der.time(NOW), der.time(NOW - DAY))
    left_out = how.removeprefix("no ")
    found = [value for name, value in parts.items() if name != left_out]
    if how == "an attribute twice":
        found.append(cms.attribute(cms.SIGNING_TIME, der.time(NOW - DAY)))
    if how == "an unknown signed attribute":
        found.append(cms.attribute("2.25.1", der.null()))
    return found


def _reference(signer: FileSigner, how: str) -> bytes:
    meant = signer_of("to come") if how == "reference to another" else signer
    name = "sha1" if how == "reference by SHA-1" else "sha256"
    digest = der.octet_string(cms.hash_with(name, meant.certificate.der))
    kind = cms.SIGNING_CERTIFICATE if how == "reference by SHA-1" else cms.SIGNING_CERTIFICATE_V2
    return cms.attribute(kind, der.sequence(der.sequence(der.sequence(digest))))


def _unsorted(attributes: list[bytes]) -> bytes:
    return der.tlv(der.SET, *sorted(attributes, reverse=True))


def _second() -> bytes:
    """The signer info of somebody else, good by itself."""
    encoded = made(Recipe(signer="P-384"))
    _, wrapped = der.children(der.read_exactly(encoded, der.SEQUENCE))
    *_, infos = der.children(der.read_exactly(wrapped.content, der.SEQUENCE))
    return infos.content


def we_say(recipe: Recipe, *, with_status: bool) -> bool:
    policy = Policy(strict_usage=False, revocation="require" if with_status else "if_available")
    lists = [Crl(one) for one in lists_of(recipe.signer)] if with_status else []
    report = detached.verify(
        made(recipe),
        CONTENT,
        TrustStore([authority("root").certificate]),
        revocation=RevocationSnapshot(lists),
        policy=policy,
        now=NOW,
    )
    return report.passed


def openssl_says(recipe: Recipe, folder: Path) -> bool:
    lists = (x509.load_der_x509_crl(one).public_bytes(Encoding.PEM) for one in lists_of(recipe.signer))
    known = (folder / "root.pem").read_bytes() + b"".join(lists)  # OpenSSL reads lists from there as well
    (folder / "known.pem").write_bytes(known)
    said = openssl(
        "cms",
        "-verify",
        "-cades",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "made.p7s",
        "-content",
        "content",
        "-CAfile",
        "known.pem",
        "-crl_check_all",
        "-purpose",
        "any",
        "-attime",
        str(int(NOW.timestamp())),
        "-out",
        "out",
        cwd=folder,
        check=False,
    )
    return "Verification successful" in said


def gnutls_says(recipe: Recipe, folder: Path) -> bool:
    del recipe
    program = shutil.which("certtool")
    if program is None:
        pytest.skip("no certtool: apt-get install gnutls-bin")
    run = subprocess.run(
        [
            program,
            "--p7-verify",
            "--inder",
            "--infile",
            "made.p7s",
            "--load-data",
            "content",
            "--load-ca-certificate",
            "root.pem",
        ],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return run.returncode == 0


def differences(
    recipes: Sequence[Recipe], folder: Path, *, peer: Callable[[Recipe, Path], bool], with_status: bool
) -> tuple[set[Recipe], set[Recipe]]:
    """What only we accept, and what only the peer does."""
    (folder / "content").write_bytes(CONTENT)
    (folder / "root.pem").write_bytes(authority("root").certificate.to_pem())
    only_ours, only_theirs = set[Recipe](), set[Recipe]()
    for recipe in recipes:
        (folder / "made.p7s").write_bytes(made(recipe))
        verdict, theirs = we_say(recipe, with_status=with_status), peer(recipe, folder)
        if verdict != theirs:
            (only_ours if verdict else only_theirs).add(recipe)
    return only_ours, only_theirs


@dataclass(frozen=True)
class Stamp:
    """One time-stamp; the first value of each is the one without a fault."""

    authority: str = "in time"
    token: str = "as it should be"


AUTHORITIES = (
    "in time",
    "expired",
    "to come",
    "of a stranger",
    "use is not critical",
    "two uses",
    "for servers",
    "no use",
    "may sign certificates too",
)
TOKENS = (
    "as it should be",
    "imprint of another",
    "hash of another name",
    "imprint by SHA-512",
    "no reference",
    "reference to another",
    "reference by SHA-1",
    "content type of data",
    "no content type",
    "digest of another",
    "signature of another key",
    "no certificate",
    "without the issuer",
    "version 2",
    "time changed afterwards",
    "earlier than its certificate",
    "later than now",
    "no digest",
    "an imprint of SHA-1",
)
GOOD_TOKENS = {"as it should be", "reference by SHA-1", "imprint by SHA-512"}
STAMPS_ALONE = [Stamp(authority=one) for one in AUTHORITIES] + [Stamp(token=one) for one in TOKENS[1:]]
STAMPS_CROSSED = [Stamp(*pair) for pair in itertools.product(AUTHORITIES, TOKENS)]


@cache
def stamper(which: str) -> FileSigner:
    begin, end = {
        "expired": (START, NOW - 10 * DAY),
        "to come": (NOW + 10 * DAY, NOW + 300 * DAY),
    }.get(which, (START, NOW + 300 * DAY))
    uses = {"two uses": (STAMPS, SERVER), "for servers": (SERVER,), "no use": ()}.get(which, (STAMPS,))
    use = x509.ExtendedKeyUsage([x509.ObjectIdentifier(one) for one in uses])
    bits = ("digital_signature", "key_cert_sign") if which == "may sign certificates too" else None
    return authority("stranger" if which == "of a stranger" else "issuing").issue(
        which,
        "timestamp",
        not_before=begin,
        not_after=end,
        bits=bits or ("digital_signature",),
        extended=(),
        extra=((use, which != "use is not critical"),) if uses else (),
    )


def imprint_of(stamp: Stamp) -> tuple[str, bytes]:
    """The hash and the digest that a verifier asks about."""
    name = {"imprint by SHA-512": "sha512", "an imprint of SHA-1": "sha1"}.get(stamp.token, "sha256")
    return name, hashlib.new(name, CONTENT).digest()


def stamped(stamp: Stamp) -> bytes:
    """The token, piece by piece, with one piece wrong."""
    signer, how = stamper(stamp.authority), stamp.token
    info = _token_info(stamp)
    signed = der.set_of(*_token_attributes(signer, how, OTHER if how == "digest of another" else info))
    value = (stamper("to come") if how == "signature of another key" else signer).sign(signed)
    certificate = signer.certificate
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer_der, der.integer(certificate.serial)),
        cms.digest_identifier("sha256"),
        b"\xa0" + signed[1:],
        signer.algorithm.identifier,
        der.octet_string(value),
    )
    if how == "time changed afterwards":
        info = _token_info(stamp, NOW - DAY)
    sent = [one.der for one in signer.chain[:-1]]
    sent = {"no certificate": sent[1:], "without the issuer": sent[:1]}.get(how, sent)
    kind = cms.DATA if how == "content type of data" else cms.TST_INFO
    data = der.sequence(
        der.integer(3),
        der.set_of(cms.digest_identifier("sha256")),
        der.sequence(der.oid(kind), der.explicit(0, der.octet_string(info))),
        der.tlv(0xA0, *sorted(sent)),
        der.set_of(signer_info),
    )
    return der.sequence(der.oid(cms.SIGNED_DATA), der.explicit(0, data))


def _token_info(stamp: Stamp, at: datetime | None = None) -> bytes:
    name, digest = imprint_of(stamp)
    if stamp.token == "imprint of another":
        digest = hashlib.sha256(OTHER).digest()
    named = "sm3" if stamp.token == "hash of another name" else name
    times = {"earlier than its certificate": START - DAY, "later than now": NOW + DAY}
    return der.sequence(
        der.integer(2 if stamp.token == "version 2" else 1),
        der.oid(TSA_POLICY),
        der.sequence(cms.digest_identifier(named), der.octet_string(digest)),
        der.integer(7),
        der.generalized_time(at or times.get(stamp.token, NOW)),
    )


def _token_attributes(signer: FileSigner, how: str, info: bytes) -> list[bytes]:
    kind = cms.DATA if how == "content type of data" else cms.TST_INFO
    parts = {
        "content type": cms.attribute(cms.CONTENT_TYPE, der.oid(kind)),
        "digest": cms.attribute(cms.MESSAGE_DIGEST, der.octet_string(hashlib.sha256(info).digest())),
        "reference": _reference(signer, how),
    }
    return [value for name, value in parts.items() if name != how.removeprefix("no ")]


def we_say_of(stamp: Stamp) -> bool:
    token = stamped(stamp)
    try:  # a verifier hashes the content with what the token names
        name = parse_token(token).digest_algorithm
    except MalformedInput:
        name = "sha256"
    found = verify_timestamp(
        token,
        digest=known_hash(name, CONTENT),
        trust=TrustStore([authority("root").certificate]),
        revocation=RevocationSnapshot(),
        policy=Policy(revocation="if_available"),
        at=NOW,
    )
    return found.gen_time is not None


def openssl_says_of(stamp: Stamp, folder: Path) -> bool:
    name, digest = imprint_of(stamp)
    said = openssl(
        "ts",
        "-verify",
        "-token_in",
        "-in",
        "token",
        "-digest",
        digest.hex(),
        f"-{name}",
        "-CAfile",
        "root.pem",
        "-attime",
        str(int(NOW.timestamp())),
        cwd=folder,
        check=False,
    )
    return "Verification: OK" in said


def differences_of_stamps(stamps: Sequence[Stamp], folder: Path) -> tuple[set[Stamp], set[Stamp]]:
    """What only we accept, and what only OpenSSL does."""
    (folder / "root.pem").write_bytes(authority("root").certificate.to_pem())
    only_ours, only_theirs = set[Stamp](), set[Stamp]()
    for stamp in stamps:
        (folder / "token").write_bytes(stamped(stamp))
        verdict, theirs = we_say_of(stamp), openssl_says_of(stamp, folder)
        if verdict != theirs:
            (only_ours if verdict else only_theirs).add(stamp)
    return only_ours, only_theirs


# What only OpenSSL accepts, and why we do not.
ONLY_OPENSSL = {
    "for servers",  # no purpose is asked for: `-purpose any`
    "content type of another",  # RFC 5652, 11.1: the attribute names the content's type; it is not compared
    "no time",  # EN 319 122-1, 5.2.1 demands it of CAdES; RFC 5652 does not
    "signed out of order",  # RFC 5652, 5.4: the DER of the attributes is signed; it takes what was sent
    "two signers",  # it verifies both; we say whose signature it is, of one
    "trailing bytes",  # it reads one structure and leaves the rest of the file aside
}
# What only we accept: the other side of the order of attributes, and OpenSSL 3.0 verifies no EdDSA in CMS.
NOT_OPENSSL = {"sent out of order", "Ed25519"}
# What only GnuTLS accepts: it looks at the signature and the digest, and at no attribute besides.
ONLY_GNUTLS = {
    "for servers",  # no purpose is asked for
    "no content type",
    "no reference",
    "reference to another",
    "no time",
    "two times",
    "an attribute twice",
    "two signers",  # it verifies the first
}
# Time-stamps that only OpenSSL accepts. It is told a digest, and looks at no time but the present one.
ONLY_OPENSSL_STAMPS = {
    "hash of another name",  # only the digest's bytes are compared, not what made them
    "no content type",  # RFC 5652, 11.1: demanded wherever the content is not id-data
    "earlier than its certificate",  # the authority's certificate is judged at the token's time here
    "later than now",
    "an imprint of SHA-1",  # collisions can be made; no digest of ours is that short
}


def explained(found: set[Recipe] | set[Stamp], table: set[str]) -> bool:
    """Whether each difference has a reason in the table."""
    return all(table & set(astuple(one)) for one in found)


def named(found: set[Recipe] | set[Stamp]) -> set[str]:
    """What differences of single faults are about."""
    return {part for one in found for part in astuple(one)} - {"in time", "as it should be"}
