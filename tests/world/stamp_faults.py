"""Time-stamps with one fault each, and what `openssl ts -verify` says of them."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509

from signing import FileSigner, Policy, RevocationSnapshot, TrustStore, cms, der
from signing.judging import known_hash
from signing.timestamp import parse_token, verify_timestamp
from world.cms_faults import CONTENT, DAY, NOW, OTHER, SERVER, START, authority, reference
from world.openssl import openssl
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path


STAMPS = "1.3.6.1.5.5.7.3.8"
TSA_POLICY = "1.3.6.1.4.1.13762.3"


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
GOOD = {"as it should be", "reference by SHA-1", "imprint by SHA-512"}
ALONE = [Stamp(authority=one) for one in AUTHORITIES] + [Stamp(token=one) for one in TOKENS[1:]]
CROSSED = [Stamp(*pair) for pair in itertools.product(AUTHORITIES, TOKENS)]


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


def imprint_of(stamp: Stamp, content: bytes = CONTENT) -> tuple[str, bytes]:
    """The hash and the digest that a verifier asks about."""
    name = {"imprint by SHA-512": "sha512", "an imprint of SHA-1": "sha1"}.get(stamp.token, "sha256")
    return name, hashlib.new(name, content).digest()


def made(stamp: Stamp, content: bytes = CONTENT) -> bytes:
    """The token, piece by piece, with one piece wrong."""
    signer, how = stamper(stamp.authority), stamp.token
    info = _token_info(stamp, content=content)
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
        info = _token_info(stamp, NOW - DAY, content=content)
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


def _token_info(stamp: Stamp, at: datetime | None = None, *, content: bytes) -> bytes:
    name, digest = imprint_of(stamp, content)
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
        "reference": reference(signer, how),
    }
    return [value for name, value in parts.items() if name != how.removeprefix("no ")]


def we_say(stamp: Stamp) -> bool:
    token = made(stamp)
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


def openssl_says(stamp: Stamp, folder: Path) -> bool:
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


def differences(stamps: Sequence[Stamp], folder: Path) -> tuple[set[Stamp], set[Stamp]]:
    """What only we accept, and what only OpenSSL does."""
    (folder / "root.pem").write_bytes(authority("root").certificate.to_pem())
    only_ours, only_theirs = set[Stamp](), set[Stamp]()
    for stamp in stamps:
        (folder / "token").write_bytes(made(stamp))
        verdict, theirs = we_say(stamp), openssl_says(stamp, folder)
        if verdict != theirs:
            (only_ours if verdict else only_theirs).add(stamp)
    return only_ours, only_theirs


# Time-stamps that only OpenSSL accepts. It is told a digest, and looks at no time but the present one.
ONLY_OPENSSL = {
    "hash of another name",  # only the digest's bytes are compared, not what made them
    "no content type",  # RFC 5652, 11.1: demanded wherever the content is not id-data
    "earlier than its certificate",  # the authority's certificate is judged at the token's time here
    "later than now",
    "an imprint of SHA-1",  # collisions can be made; no digest of ours is that short
}
