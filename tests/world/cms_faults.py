"""Signatures beside a file with one fault each, and what other makers say of them.

The peers are `openssl cms -verify -cades` and `certtool --p7-verify`. Everything is made around the present
moment, because `certtool` asks no other clock. Time-stamps are `world.stamp_faults`.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import subprocess
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing import Crl, FileSigner, Policy, RevocationSnapshot, TrustStore, cms, der, detached
from world.openssl import openssl
from world.pki import TestAuthority

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - 400 * DAY
CONTENT, OTHER = b"a decision", b"another decision"
SERVER = "1.3.6.1.5.5.7.3.1"


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
TWO = {"two signers", "two signers, one of another content"}
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
    "two signers, one of another content",
    "no signer",
    "carried inside",
    "named by key identifier",
    "an unknown signed attribute",
    "version of another kind",
    "trailing bytes",
)
GOOD = {
    "two signers",
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


def made(recipe: Recipe, content: bytes = CONTENT) -> bytes:
    """The structure, piece by piece, with one piece wrong."""
    signer, how = signer_of(recipe.signer), recipe.structure
    name = cms.cms_digest(signer.algorithm)
    named = {"SHA-1": "sha1", "hash of another kind": "sha512" if name == "sha256" else "sha256"}.get(
        how, name
    )
    attributes = _attributes(signer, how, named, content)
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
    infos = [] if how == "no signer" else [info, *([_second(how)] if how in TWO else [])]
    sent = [one.der for one in signer.chain[:-1]]
    sent = {"no certificate": sent[1:], "without the issuer": sent[:1]}.get(how, sent)
    if how in TWO:
        sent = [*sent, signer_of("P-384").certificate.der]
    inner = [der.explicit(0, der.octet_string(content))] if how == "carried inside" else []
    hashes = {named, "sha384"} if how in TWO else {named}
    data = der.sequence(
        der.integer(5 if how == "version of another kind" else 1),
        der.set_of(*map(cms.digest_identifier, hashes)),
        der.sequence(der.oid(cms.DATA), *inner),
        der.tlv(0xA0, *sorted(sent)),
        der.set_of(*infos),
    )
    encoded = der.sequence(der.oid(cms.SIGNED_DATA), der.explicit(0, data))
    return encoded + b"!" if how == "trailing bytes" else encoded


def _attributes(signer: FileSigner, how: str, digest: str, content: bytes) -> list[bytes]:
    kind = cms.TST_INFO if how == "content type of another" else cms.DATA
    of = content if how != "another content" else OTHER
    parts = {
        "content type": cms.attribute(cms.CONTENT_TYPE, der.oid(kind)),
        "digest": cms.attribute(cms.MESSAGE_DIGEST, der.octet_string(hashlib.new(digest, of).digest())),
        "time": cms.attribute(cms.SIGNING_TIME, der.time(NOW)),
        "reference": reference(signer, how),
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


def reference(signer: FileSigner, how: str) -> bytes:
    meant = signer_of("to come") if how == "reference to another" else signer
    name = "sha1" if how == "reference by SHA-1" else "sha256"
    digest = der.octet_string(cms.hash_with(name, meant.certificate.der))
    kind = cms.SIGNING_CERTIFICATE if how == "reference by SHA-1" else cms.SIGNING_CERTIFICATE_V2
    return cms.attribute(kind, der.sequence(der.sequence(der.sequence(digest))))


def _unsorted(attributes: list[bytes]) -> bytes:
    return der.tlv(der.SET, *sorted(attributes, reverse=True))


def _second(how: str) -> bytes:
    """The signer info of somebody else, good by itself or over another content."""
    encoded = made(Recipe("P-384", "as it should be" if how == "two signers" else "another content"))
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
    # Its exit status is that of the last signer alone; what it says of each stands in its words.
    return run.returncode == 0 and b"verification failed" not in run.stdout + run.stderr


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


# What only OpenSSL accepts, and why we do not.
ONLY_OPENSSL = {
    "for servers",  # no purpose is asked for: `-purpose any`
    "content type of another",  # RFC 5652, 11.1: the attribute names the content's type; it is not compared
    "no time",  # EN 319 122-1, 5.2.1 demands it of CAdES; RFC 5652 does not
    "signed out of order",  # RFC 5652, 5.4: the DER of the attributes is signed; it takes what was sent
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
}


def explained(found: Collection[Any], table: set[str]) -> bool:
    """Whether each difference has a reason in the table."""
    return all(table & set(astuple(one)) for one in found)


def named(found: Collection[Any]) -> set[str]:
    """What differences of single faults are about."""
    return {part for one in found for part in astuple(one)} - {"in time", "as it should be"}
