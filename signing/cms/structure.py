"""The parts of SignedData by name: identifiers, hashes, and the value that a reader gives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from signing import der
from signing.algorithms import DIGEST_OIDS, MAX_IDENTIFIER_BYTES, Algorithm
from signing.held import feed
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from signing.certificates import Certificate
    from signing.held import HeldFile

DATA, SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
TIMESTAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an object identifier, no secret
OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"  # RFC 5940

DIGESTS = {
    "sha1": "1.3.14.3.2.26",
    **DIGEST_OIDS,
    "sm3": "1.2.156.10197.1.401",
    "shake256": "2.16.840.1.101.3.4.2.12",
}
_SHAKE256_LENGTH = "2.16.840.1.101.3.4.2.18"  # with its length in bits as parameter
_SHAKE256_BYTES = 64  # RFC 8702, 3.1; RFC 8419, 3.1
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}  # `new` takes longer
_LONG = {"shake256": "shake_256"}
_DIGEST_NAMES = {dotted: name for name, dotted in DIGESTS.items()}
STRONG_DIGESTS = frozenset(DIGESTS) - {"sha1"}


@dataclass(frozen=True, slots=True)
class SignedData:
    """A parsed SignedData. Nothing in it is trustworthy before `check_signature` found no fault.

    `attributes` and `unsigned` map an attribute's identifier to its values in DER; `signed_part` is what
    the signature is over; `algorithm` is None when no row of ours fits. `crls` and `ocsp` are lists and
    answers that came along, in DER; whether they are genuine is judged where they are used.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[Certificate, ...]
    signer: Certificate | None
    digest_algorithm: str
    algorithm: Algorithm | None
    algorithm_oid: str
    attributes: Mapping[str, tuple[bytes, ...]]
    signed_part: bytes
    signature: bytes
    unsigned: Mapping[str, tuple[bytes, ...]]
    crls: tuple[bytes, ...] = ()
    ocsp: tuple[bytes, ...] = ()

    @property
    def others(self) -> tuple[Certificate, ...]:
        """The certificates that came along, without the signer's."""
        signer = self.signer
        return tuple([one for one in self.certificates if one is not signer])  # it is one of them


@lru_cache(maxsize=16)
def digest_identifier(name: str) -> bytes:
    """The AlgorithmIdentifier of a hash, in DER; `UnknownAlgorithm` for one without a row."""
    try:
        return der.sequence(der.oid(DIGESTS[name]))
    except KeyError as exc:
        raise UnknownAlgorithm(name) from exc


def read_digest(identifier: der.Element) -> str:
    """The hash's name in an AlgorithmIdentifier, or its dotted identifier when there is no row."""
    if identifier.tag != der.SEQUENCE:
        raise MalformedInput("cms", "no digest algorithm")
    if len(identifier.encoded) > MAX_IDENTIFIER_BYTES:  # a name is remembered by these bytes
        raise TooLarge("cms", f"an algorithm identifier over {MAX_IDENTIFIER_BYTES} bytes")
    return _digest_named(identifier.content)


@lru_cache(maxsize=64)
def _digest_named(content: bytes) -> str:
    parts = list(der.children(der.Element(der.SEQUENCE, content, b"")))
    if not parts:
        raise MalformedInput("cms", "no digest algorithm")
    dotted = der.read_oid(parts[0])
    if dotted == _SHAKE256_LENGTH and [one.encoded for one in parts[1:]] == [
        der.integer(8 * _SHAKE256_BYTES)
    ]:
        return "shake256"
    return _DIGEST_NAMES.get(dotted, dotted)


def cms_digest(algorithm: Algorithm) -> str:
    """The hash over the content that goes with a signature algorithm (RFC 8419, 2.3 and 3.1 for EdDSA)."""
    return algorithm.digest or ("shake256" if algorithm.name == "Ed448" else "sha512")


def hash_with(name: str, *parts: bytes | memoryview | HeldFile) -> bytes:
    """The hash of the concatenated parts. Raises as `hash_pieces`."""
    return hash_pieces(name, parts)


def hash_pieces(name: str, parts: Iterable[bytes | memoryview | HeldFile]) -> bytes:
    """The hash of what comes one after the other.

    `UnknownAlgorithm` for one that this machine lacks, and for those whose length is not fixed by a standard.
    """
    try:
        state = _HASHES[name]() if name in _HASHES else hashlib.new(_LONG.get(name, name))
    except ValueError as exc:
        raise UnknownAlgorithm(name) from exc
    if not state.digest_size and name != "shake256":
        raise UnknownAlgorithm(name)
    for part in parts:
        feed(state, part)
    length = () if state.digest_size else (_SHAKE256_BYTES,)
    return state.digest(*length)
