"""COSE_Sign1 (RFC 9052, 4.2): one signer's signature over bytes, with headers in CBOR.

    message = sign1(payload, signer, protected={KID: b"…"})
    read = Sign1.parse(message)
    read.is_signed_by(certificate)

The algorithm stands in the protected header and must fit the key; what is critical must be understood; no
label stands twice. Whether a certificate that a message brings (`x5chain`, RFC 9360) is to be trusted is
decided by `signing.path`. SM2 has no number in COSE, so nothing is signed with it here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from signing.algorithms import ALGORITHMS, Algorithm, algorithm_by_cose
from signing.cbor import MAX_BYTES, Tag, decode, encode
from signing.cbor_any import decode_any
from signing.certificates import MAX_CERTIFICATE_BYTES, Certificate
from signing.raw_signatures import from_raw, to_raw
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from signing.keys import PublicKey
    from signing.signer import Signer

# RFC 9052, 3.1 and 5.1; RFC 9596; RFC 9360, 2
ALG, CRIT, CONTENT_TYPE, KID, TYP, X5CHAIN = 1, 2, 3, 4, 16, 33
SIGN1_TAG, CWT_TAG = 18, 61  # RFC 9052, 2; RFC 8392, 6
COSE_ALGORITHMS = frozenset(row.name for row in ALGORITHMS if row.cose)
MAX_CHAIN = 8
_EMPTY_FORMS = (b"", b"\xa0")  # RFC 9052, 3: the second is for reading only

Label = int | str


@dataclass(frozen=True, slots=True)
class Sign1:
    """A parsed COSE_Sign1. Nothing in it is trustworthy before `is_signed_by` said True.

    `payload` is None where the content travels apart (detached). `protected_bytes` are the protected headers
    as they are signed.
    """

    protected: Mapping[Label, Any]
    unprotected: Mapping[Label, Any]
    payload: bytes | None
    signature: bytes
    protected_bytes: bytes

    @classmethod
    def parse(
        cls,
        data: bytes,
        *,
        tagged: bool = True,
        understood: Collection[Label] = (),
        max_bytes: int = MAX_BYTES,
        any_encoding: bool = False,
    ) -> Sign1:
        """Read a message; `MalformedInput` for whatever RFC 9052 does not allow.

        `tagged` says whether tag 18 stands before it; `understood` are the critical labels that the caller
        handles beside those of this module; a larger message than `max_bytes` is `TooLarge`. With
        `any_encoding` lengths may be indefinite and numbers longer than they need be.
        """
        if any_encoding:
            value = decode_any(data, max_bytes=max_bytes)
        else:
            value = decode(data, tags=(SIGN1_TAG,), max_bytes=max_bytes)
        if tagged:
            if not isinstance(value, Tag) or value.number != SIGN1_TAG:
                raise MalformedInput("cose", "not tagged as COSE_Sign1")
            value = value.value
        return cls.from_value(value, understood=understood, any_encoding=any_encoding)

    @classmethod
    def from_value(
        cls, value: Any, *, understood: Collection[Label] = (), any_encoding: bool = False
    ) -> Sign1:
        """The same from a value that was decoded already, as part of something larger."""
        if not isinstance(value, list) or len(value) != 4:
            raise MalformedInput("cose", "not an array of four")
        sent, unprotected, payload, signature = value
        if not isinstance(sent, bytes) or not isinstance(signature, bytes):
            raise MalformedInput("cose", "headers and signature are byte strings")
        if not isinstance(unprotected, dict) or not (payload is None or isinstance(payload, bytes)):
            raise MalformedInput("cose", "not the parts of COSE_Sign1")
        if any_encoding:
            protected = _headers(sent, decode_any)
        else:
            protected = _kept_headers(sent) if len(sent) <= _KEPT_BYTES else _read_headers(sent)
        _check_headers(protected, unprotected, understood)
        return cls(protected, unprotected, payload, signature, b"" if sent in _EMPTY_FORMS else sent)

    @property
    def algorithm(self) -> Algorithm | None:
        """The algorithm that the protected header names; None without one, or for one not known here."""
        number = self.protected.get(ALG)
        try:
            return algorithm_by_cose(number) if type(number) is int else None
        except UnknownAlgorithm:
            return None

    @property
    def kid(self) -> bytes | None:
        """The key identifier, from either header: a hint, and no proof."""
        value = self.protected.get(KID, self.unprotected.get(KID))
        return value if isinstance(value, bytes) else None

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The certificates that it brings, leaf first; nothing about them is checked."""
        return read_x5chain(self.x5chain)

    @property
    def x5chain(self) -> Any:
        """The `x5chain` header as it was sent, from either header; None without one."""
        return self.protected.get(X5CHAIN, self.unprotected.get(X5CHAIN))

    def is_signed_by(
        self,
        key: PublicKey | Certificate,
        *,
        algorithms: Collection[str] = COSE_ALGORITHMS,
        external_aad: bytes = b"",
        payload: bytes | None = None,
    ) -> bool:
        """Whether `key` signed this with one of `algorithms`, the one that fits the key.

        `payload` is the content of a detached message, and of no other.
        """
        if (payload is None) == (self.payload is None):
            return False
        public, row = key.public_key if isinstance(key, Certificate) else key, self.algorithm
        if row is None or row.name not in algorithms or row.key_kind != public.kind:
            return False
        signature = from_raw(self.signature, row)
        content = payload if self.payload is None else self.payload
        signed = _signed_bytes(self.protected_bytes, external_aad, content or b"")
        return signature is not None and public.verify(signature, signed, row)


def sign1(  # noqa: PLR0913 - the parts of a message
    payload: bytes,
    signer: Signer,
    *,
    protected: Mapping[Label, Any] | None = None,
    unprotected: Mapping[Label, Any] | None = None,
    external_aad: bytes = b"",
    tagged: bool = True,
    detached: bool = False,
) -> bytes:
    """A COSE_Sign1 message; the algorithm comes from the signer and stands in the protected header.

    `UsageError` for a signer whose algorithm COSE has no number for (SM2), and for headers that no reader
    may accept.
    """
    row = signer.algorithm
    if not row.cose:
        raise UsageError(f"COSE has no number for {row.name}")
    if protected and ALG in protected:
        raise UsageError("the algorithm comes from the signer")
    headers, others = {ALG: row.cose[0], **(protected or {})}, dict(unprotected or {})
    try:
        _check_headers(headers, others, headers.get(CRIT, ()))
    except MalformedInput as exc:
        raise UsageError(exc.detail) from exc
    sent = encode(headers)
    signature = to_raw(signer.sign(_signed_bytes(sent, external_aad, payload)), row)
    message = [sent, others, None if detached else payload, signature]
    return encode(Tag(SIGN1_TAG, message) if tagged else message)


def x5chain(chain: tuple[Certificate, ...]) -> bytes | list[bytes]:
    """The value of the `x5chain` header: one certificate by itself, or several, leaf first (RFC 9360, 2)."""
    if not chain:
        raise UsageError("an x5chain holds a certificate at least")
    return chain[0].der if len(chain) == 1 else [certificate.der for certificate in chain]


def read_x5chain(value: Any) -> tuple[Certificate, ...]:
    """The certificates of an `x5chain` header, none for None; `MalformedInput` for another form."""
    if value is None:
        return ()
    sent = value if isinstance(value, list) else [value]
    if not all(isinstance(item, bytes) for item in sent) or (isinstance(value, list) and len(sent) < 2):
        raise MalformedInput("x5chain", "RFC 9360, 2: neither a certificate nor several")
    if len(sent) > MAX_CHAIN or any(len(item) > MAX_CERTIFICATE_BYTES for item in sent):
        raise TooLarge("x5chain", f"over {MAX_CHAIN} certificates, or one is too large")
    chain = tuple(Certificate(item) for item in sent)
    if not is_in_order(chain):
        raise MalformedInput("x5chain", "RFC 9360, 2: a certificate does not certify the one before it")
    return chain


def is_in_order(chain: tuple[Certificate, ...]) -> bool:
    """Whether each certificate has the name of who issued the one before it (RFC 7515, 4.1.6; RFC 9360, 2).

    That it also made its signature is seen where a path is looked for.
    """
    return all(one.issuer_der == above.subject_der for one, above in pairwise(chain))


def _read_headers(sent: bytes) -> Mapping[Label, Any]:
    return _headers(sent, decode)


def _headers(sent: bytes, read: Callable[[bytes], Any]) -> Mapping[Label, Any]:
    protected = {} if sent in _EMPTY_FORMS else read(sent)
    if not isinstance(protected, dict):
        raise MalformedInput("cose", "the protected headers are no map")
    return MappingProxyType(protected)


# Nearly every message has the same few bytes here: which algorithm. What they say is theirs alone.
_KEPT, _KEPT_BYTES = 256, 256
_kept_headers = lru_cache(_KEPT)(_read_headers)

_HANDLED = (ALG, CRIT, CONTENT_TYPE, KID, TYP, X5CHAIN)


def _check_headers(
    protected: Mapping[Label, Any], unprotected: Mapping[Label, Any], understood: Collection[Label]
) -> None:
    if not protected.keys().isdisjoint(unprotected):  # RFC 9052, 3
        raise MalformedInput("cose", "a label stands in both headers")
    if CRIT in unprotected:  # RFC 9052, 3.1
        raise MalformedInput("cose", "crit is not protected")
    for header in (protected, unprotected):
        if KID in header and not isinstance(header[KID], bytes):
            raise MalformedInput("cose", "kid is no byte string")
    critical = protected.get(CRIT, ())
    if CRIT in protected and (not isinstance(critical, list) or not critical):
        raise MalformedInput("cose", "crit is not a list of labels")
    for label in critical:
        known = type(label) in {int, str} and (label in _HANDLED or label in understood)
        if not known or label not in protected:
            raise MalformedInput("cose", "a critical header is not understood")


def _signed_bytes(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """Sig_structure (RFC 9052, 4.4)."""
    return encode(["Signature1", protected, external_aad, payload])
