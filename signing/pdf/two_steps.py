"""Seal a PDF with a key that is elsewhere, and gets no more than a hash: prepare, sign there, complete.

    pending = prepare(pdf, chain=chain, now=now)
    signature = service.sign_hash(pending.hash_to_sign)
    sealed = complete(pending, signature, timestamper=tsa)

The room for the signature is measured before anything is signed. Where the certificate comes late, room for
any usual chain is kept, and `Pending.with_chain` says at once when a chain does not fit it. A time-stamp
token that is larger than its room goes into the document beside the signature: no size fails late.

What is signed is worked out from the prepared bytes each time, never read from what was kept about them. So
whoever changes a prepared document between the steps gets it refused: the signature is one of other bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signing import cms, der
from signing.algorithms import algorithm as algorithm_named
from signing.pdf.document_stamp import stamp_document
from signing.pdf.preparing import Wish, prepare_update
from signing.pdf.profiles.addition import NOTHING
from signing.policy import Policy
from signing.raw_signatures import from_raw
from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from signing.algorithms import Algorithm
    from signing.certificates import Certificate
    from signing.pdf.face import SealFace
    from signing.pdf.profiles.addition import Addition
    from signing.timestamp import Timestamper

TOKEN_ROOM, FINAL_TOKEN_ROOM = 12 * 1024, 60 * 1024  # for a time-stamp token
LATE_CHAIN_ROOM = 12 * 1024  # for certificates that are not known yet, and the signature value
MAX_CERTIFICATES = 16  # in a chain


@dataclass(frozen=True, slots=True)
class Pending:
    """A document that waits for its signature.

    `document` is all of it, with a hole of zeros from `start` to `end` for the contents of the signature;
    `digest_algorithm` is the hash over the rest. `attributes` are further signed attributes in DER.
    `chain` is that of the key, leaf first, empty as long as the certificate is not known.
    """

    document: bytes
    start: int
    end: int
    digest_algorithm: str
    attributes: tuple[bytes, ...] = ()
    chain: tuple[Certificate, ...] = ()
    algorithm: Algorithm | None = None

    @property
    def room(self) -> int:
        """How many octets of CMS there is room for."""
        return (self.end - self.start - 2) // 2

    @property
    def digest(self) -> bytes:
        """The hash over the document without its hole: all that a maker of whole CMS structures needs."""
        view = memoryview(self.document)
        return cms.hash_with(self.digest_algorithm, view[: self.start], view[self.end :])

    @property
    def to_sign(self) -> bytes:
        """The octets that the key has to sign: the signed attributes. `UsageError` without a certificate."""
        chain, algorithm = self._known()
        return cms.to_be_signed(chain, algorithm, self.digest, attributes=self.attributes)

    @property
    def hash_to_sign(self) -> bytes:
        """The hash of `to_sign`, for services that sign hashes.

        `UsageError` for an algorithm that hashes by itself (Ed25519): its keys need `to_sign`.
        """
        _, algorithm = self._known()
        if algorithm.digest is None:
            raise UsageError(f"{algorithm.name} signs whole messages, not hashes")
        return cms.hash_with(algorithm.digest, self.to_sign)

    def with_chain(self, chain: tuple[Certificate, ...], *, algorithm: str | None = None) -> Pending:
        """The same for this key, whose certificate comes first in `chain`.

        Before anything is signed: raises `UsageError` for an algorithm that does not go with the key or with
        the hash, and `TooLarge` for a chain that the room is not large enough for.
        """
        row = _row(chain, algorithm)
        if cms.cms_digest(row) != self.digest_algorithm:
            raise UsageError(f"{row.name} goes with {cms.cms_digest(row)}: prepare the document with that")
        if cms.chain_bound(chain) + sum(map(len, self.attributes)) > self.room:
            raise TooLarge("certificate", "the chain is larger than the room that was left for it")
        return replace(self, chain=chain, algorithm=row)

    def _known(self) -> tuple[tuple[Certificate, ...], Algorithm]:
        if not self.chain or self.algorithm is None:
            raise UsageError("the certificate is not known yet")
        return self.chain, self.algorithm


def prepare(  # noqa: PLR0913 - what is asked of one seal, all by name
    pdf: bytes,
    *,
    now: datetime,
    chain: tuple[Certificate, ...] = (),
    algorithm: str | None = None,
    digest_algorithm: str = "sha256",
    face: SealFace | None = None,
    certify: bool = True,
    page: int = -1,
    at: tuple[float, float] | None = None,
    reason: str | None = None,
    location: str | None = None,
    field: str | None = None,
    addition: Addition = NOTHING,
) -> Pending:
    """The first step: everything is written but the signature. The rest is asked for as of `Seal.apply`.

    `chain` is the key's, leaf first; without it `digest_algorithm` is the hash, and `Pending.with_chain`
    comes between. `algorithm` is for keys that can do several. Raises as `Seal.apply`, which does both.
    """
    row = _row(chain, algorithm) if chain else None
    digest_algorithm = cms.cms_digest(row) if row else digest_algorithm
    if digest_algorithm not in cms.STRONG_DIGESTS:
        raise UsageError(f"no signature over a hash like {digest_algorithm!r}")
    wish = Wish(now, page, at, reason, location, field, addition, face, certify)
    # Nothing may follow a final signature, no time-stamp of the document either: it has to fit in here.
    token_room = FINAL_TOKEN_ROOM if addition.is_final else TOKEN_ROOM
    reserve = (cms.chain_bound(chain) if chain else LATE_CHAIN_ROOM) + token_room
    prepared, attributes = prepare_update(pdf, wish, digest_algorithm=digest_algorithm, reserve=reserve)
    document = prepared.fill(b"")
    hole = b"<%b>" % (b"0" * 2 * prepared.reserve)
    start = document.rindex(hole)
    pending = Pending(document, start, start + len(hole), digest_algorithm, attributes, chain, row)
    if pending.digest != prepared.digest:
        raise MalformedInput("pdf", "the document holds something like an empty signature of its own")
    return pending


def complete(pending: Pending, signature: bytes, *, timestamper: Timestamper | None = None) -> bytes:
    """The second step: the sealed document.

    `signature` is the key's over `Pending.to_sign`, in X.509 form or, of elliptic curves, as r and s side by
    side. Raises `MalformedInput` for any other, as after a change of the prepared document, and what
    the time-stamp authority raises.
    """
    chain, algorithm = pending._known()  # noqa: SLF001 - of this module
    signed = pending.to_sign
    value = _checked(chain[0], algorithm, signature, signed)
    whole = cms.put_together(chain, algorithm, signed, value)
    if timestamper is None:
        return _filled(pending, whole)
    token = timestamper.stamp(cms.hash_with("sha256", value), digest_algorithm="sha256")
    stamped = cms.put_together(chain, algorithm, signed, value, token=token)
    if len(stamped) <= pending.room:
        return _filled(pending, stamped)
    return stamp_document(_filled(pending, whole), timestamper)


def complete_with_cms(pending: Pending, signature: bytes, *, now: datetime) -> bytes:
    """The second step with a whole CMS SignedData that the other side made over `Pending.digest`.

    Raises `MalformedInput` unless it is a detached one over this digest, good in itself and by an algorithm
    that is good now, that names its certificate (RFC 5035); `TooLarge` when there is no room for it;
    `UsageError` where a profile adds signed attributes, which only `complete` puts in.
    """
    if pending.attributes:
        raise UsageError("a profile adds signed attributes: complete it with a signature value")
    signed = cms.parse(signature)
    if signed.content is not None or signed.digest_algorithm != pending.digest_algorithm:
        raise MalformedInput("cms", f"not a detached signature with {pending.digest_algorithm}")
    checks = cms.check_signature(signed, pending.digest, policy=Policy.default(), at=now)
    faults = [check.name for check in checks if check.reason is not None]
    if faults:
        raise MalformedInput("cms", f"not a signature of this document: {', '.join(faults)}")
    if len(signature) > pending.room:
        raise TooLarge("cms", f"a signature over {pending.room} bytes")
    return _filled(pending, signature)


def is_completed(pending: Pending, made: bytes) -> bool:
    """Whether a file is this document with a good signature in its hole; more may stand behind it."""
    document, start, end = pending.document, pending.start, pending.end
    if made[:start] != document[:start] or made[end : len(document)] != document[end:]:
        return False
    try:
        signed = cms.parse(bytes.fromhex(made[start + 1 : end - 1].decode("ascii")), padded=True)
        of_this = signed.attributes.get(cms.MESSAGE_DIGEST) == (der.octet_string(pending.digest),)
        return of_this and cms.verifies(signed)
    except (ValueError, MalformedInput):
        return False


def _row(chain: tuple[Certificate, ...], name: str | None) -> Algorithm:
    """The algorithm of this key, which has to be able to do it."""
    if not 0 < len(chain) <= MAX_CERTIFICATES:
        raise UsageError(f"a chain has 1 to {MAX_CERTIFICATES} certificates, the key's own first")
    key = chain[0].public_key
    row = algorithm_named(name) if name else key.default_algorithm
    if row.key_kind != key.kind:
        raise UsageError(f"{row.name} does not go with a key of the kind {key.kind}")
    return row


def _checked(certificate: Certificate, algorithm: Algorithm, signature: bytes, signed: bytes) -> bytes:
    """The signature value in X.509 form, after it verified."""
    for value in (signature, from_raw(signature, algorithm)):
        if value is not None and certificate.public_key.verify(value, signed, algorithm):
            return value
    raise MalformedInput("signature", "it is not one of this key over this prepared document")


def _filled(pending: Pending, signature: bytes) -> bytes:
    document, room = pending.document, pending.room
    digits = signature.hex().encode().ljust(2 * room, b"0")
    return b"".join((document[: pending.start], b"<", digits, b">", document[pending.end :]))
