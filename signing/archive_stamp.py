"""Archive time-stamps of CAdES (archive-time-stamp-v3, EN 319 122-1, 5.5.3): what makes B-LTA of a `.p7s`.

Such a token stands in the signature itself and covers the content, the signer's part, and by an index of
hashes the certificates, the evidence and the unsigned attributes (earlier time-stamps among them) that were
there when it was made. What came later is not in the index and is proved by a later token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signing import cms, der
from signing.existence import fingerprint_of, parts_of
from signing.judging import MAX_TIMESTAMPS, judge_parsed, known_hash
from signing.reasons import Reason
from signing.report import Check
from signing.timestamp import TimestampResult, TimestampToken, parse_token
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from signing.judging import Question
    from signing.timestamp import Timestamper

    DigestOf = Callable[[str], bytes]

ARCHIVE_TIMESTAMP_V3 = "0.4.0.1733.2.4"
HASH_INDEX_V3 = "0.4.0.19122.1.5"
MAX_ARCHIVE_TIMESTAMPS = 4 * MAX_TIMESTAMPS
MAX_INDEXED = 256  # hashes in one index


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a signature as they are encoded, and what an index may name, by its bytes."""

    head: bytes
    signer: bytes
    signature: bytes
    certificates: tuple[bytes, ...]
    revocations: tuple[bytes, ...]
    unsigned: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """An ATSHashIndexV3: the name of its hash, and three lists of hashes."""

    encoded: bytes
    digest_algorithm: str
    certificates: tuple[bytes, ...]
    revocations: tuple[bytes, ...]
    unsigned: tuple[bytes, ...]


def judge_archive(
    signature: bytes, signed: cms.SignedData, digest_of: DigestOf, question: Question
) -> tuple[list[TimestampResult], Question]:
    """The archive time-stamps of a signature, the newest first, and the question with what they prove.

    `digest_of` gives the digest of the signed content by a hash's name, `signed` is what `cms.parse` read in
    `signature`. Never raises for what is in it.
    """
    tokens = signed.unsigned.get(ARCHIVE_TIMESTAMP_V3, ())
    if not tokens:
        return [], question
    parts = _parts(signature)
    results = []
    for encoded, token in _newest_first(tokens[:MAX_ARCHIVE_TIMESTAMPS]):
        result, covered = _judge(encoded, token, parts, digest_of, question)
        results.append(_named(result))
        if result.gen_time:
            question = replace(question, proofs=question.proofs.adding(covered, result.gen_time))
    return results, question


def with_archive_stamp(signature: bytes, digest_of: DigestOf, timestamper: Timestamper) -> bytes:
    """The same signature with one more archive time-stamp, over all that is in it now.

    Raises what the authority raises, and `MalformedInput` for what `cms.parse` would not read.
    """
    cms.parse(signature)
    parts, name = _parts(signature), "sha256"

    def hashes(things: Iterable[bytes]) -> bytes:
        found = {der.octet_string(cms.hash_with(name, thing)) for thing in things}
        return der.sequence(*sorted(found))

    index = der.sequence(
        cms.digest_identifier(name),
        hashes(parts.certificates),
        hashes(parts.revocations),
        hashes(b"".join(pair) for pair in parts.unsigned),
    )
    imprint = cms.hash_with(name, parts.head, digest_of(name), parts.signer, index)
    token = timestamper.stamp(imprint, digest_algorithm=name)
    archived = cms.with_unsigned(token, cms.attribute(HASH_INDEX_V3, index))
    return cms.with_unsigned(signature, cms.attribute(ARCHIVE_TIMESTAMP_V3, archived))


def evidence_inside(signed: cms.SignedData) -> tuple[list[bytes], list[bytes]]:
    """The lists and the answers that time-stamps of an archived signature carry about their authorities."""
    crls: list[bytes] = []
    ocsp: list[bytes] = []
    if ARCHIVE_TIMESTAMP_V3 not in signed.unsigned:
        return crls, ocsp
    for kind in (cms.TIMESTAMP_TOKEN, ARCHIVE_TIMESTAMP_V3):
        for value in signed.unsigned.get(kind, ())[:MAX_ARCHIVE_TIMESTAMPS]:
            try:
                token = cms.parse(value)
            except MalformedInput:
                continue
            crls += token.crls
            ocsp += token.ocsp
    return crls, ocsp


def _newest_first(tokens: Iterable[bytes]) -> list[tuple[bytes, TimestampToken | None]]:
    """By the time that they claim: a token that covers another one is newer, or their order is told."""
    found: list[tuple[bytes, TimestampToken | None]] = []
    for encoded in tokens:
        try:
            found.append((encoded, parse_token(encoded)))
        except MalformedInput:
            found.append((encoded, None))
    return sorted(found, key=lambda pair: -pair[1].gen_time.timestamp() if pair[1] else 0.0)


def _judge(
    encoded: bytes, token: TimestampToken | None, parts: _Parts, digest_of: DigestOf, question: Question
) -> tuple[TimestampResult, list[str]]:
    if token is None:
        return judge_parsed(encoded, b"", question), []
    if HASH_INDEX_V3 not in token.signed.unsigned:
        older = Check("timestamp_imprint", Reason.TIMESTAMP_NOT_TRUSTED, detail="an index of an older form")
        return TimestampResult(None, (older,), is_sound=True), []
    try:
        index = _read_index(token)
        covered = _covered(index, parts)
    except MalformedInput as exc:
        fault = Check("timestamp_imprint", Reason.TIMESTAMP_INVALID, detail=exc.detail or str(exc))
        return TimestampResult(None, (fault,)), []
    content = digest_of(token.digest_algorithm)
    covers = (parts.head, content, parts.signer, index.encoded)
    imprint = known_hash(token.digest_algorithm, *covers) if content else b""
    return judge_parsed(token, imprint, question), [fingerprint_of(parts.signature), *covered]


def _named(result: TimestampResult) -> TimestampResult:
    return replace(result, checks=tuple(replace(one, name=f"archive_{one.name}") for one in result.checks))


def _parts(signature: bytes) -> _Parts:
    _kind, wrapped = der.children(der.read_exactly(signature, der.SEQUENCE))
    _version, _digests, content, *optional, infos = der.children(
        der.read_exactly(wrapped.content, der.SEQUENCE)
    )
    (info,) = der.children(infos)
    # RFC 5652, 5.3: version, sid, digest algorithm, [0] attributes, signature algorithm, signature, [1].
    fields = list(der.children(info))
    signer, unsigned = fields[:6], fields[6:]
    groups = {group.tag: tuple(one.encoded for one in der.children(group)) for group in optional}
    return _Parts(
        head=next(der.children(content)).encoded,
        signer=b"".join(part.encoded for part in signer),
        signature=signer[-1].content,
        certificates=groups.get(0xA0, ()),
        revocations=groups.get(0xA1, ()),
        unsigned=tuple(pair for group in unsigned for pair in _values(group)),
    )


def _values(unsigned: der.Element) -> Iterable[tuple[bytes, bytes]]:
    for item in der.children(unsigned):
        name, values = der.children(item)
        for value in der.children(values):
            yield name.encoded, value.encoded


def _read_index(token: TimestampToken) -> _Index:
    """The index beside the token's signature: its hashes are in what the token covers."""
    values = token.signed.unsigned.get(HASH_INDEX_V3, ())
    if len(values) != 1:
        raise MalformedInput("timestamp", "an archive time-stamp without its index of hashes")
    parts = list(der.children(der.read_exactly(values[0], der.SEQUENCE)))
    if len(parts) != 4 or any(part.tag != der.SEQUENCE for part in parts):
        raise MalformedInput("timestamp", "not an index of hashes")
    name = cms.read_digest(parts[0])
    if name not in cms.STRONG_DIGESTS:
        raise MalformedInput("timestamp", f"an index by {name}")
    certificates, revocations, unsigned = (_hashes(part) for part in parts[1:])
    return _Index(values[0], name, certificates, revocations, unsigned)


def _hashes(part: der.Element) -> tuple[bytes, ...]:
    found = list(der.children(part))
    if len(found) > MAX_INDEXED or any(one.tag != der.OCTET_STRING for one in found):
        raise MalformedInput("timestamp", "not a list of hashes")
    return tuple(one.content for one in found)


def _covered(index: _Index, parts: _Parts) -> list[str]:
    """The fingerprints of what the index names; all of it must be there (EN 319 122-1, 5.5.3)."""

    def found(hashes: tuple[bytes, ...], things: dict[bytes, bytes], what: str) -> list[bytes]:
        if missing := set(hashes) - things.keys():
            raise MalformedInput("timestamp", f"{len(missing)} {what} that it covers are not there")
        return [things[one] for one in hashes]

    def by_hash(things: Iterable[bytes]) -> dict[bytes, bytes]:
        return {cms.hash_with(index.digest_algorithm, one): one for one in things}

    unsigned = {cms.hash_with(index.digest_algorithm, *pair): pair[1] for pair in parts.unsigned}
    certificates = found(index.certificates, by_hash(parts.certificates), "certificates")
    revocations = found(index.revocations, by_hash(parts.revocations), "pieces of evidence")
    values = found(index.unsigned, unsigned, "unsigned attributes")
    named = [fingerprint_of(_inner(one)) for one in (*certificates, *revocations)]
    return named + [name for value in values for name in _inside(value)]


def _inner(encoded: bytes) -> bytes:
    """The OCSP answer in its wrapping (RFC 5940); anything else as it is."""
    element = der.read_whole(encoded)
    inside = list(der.children(element)) if element.tag == 0xA1 else []
    return inside[1].encoded if len(inside) == 2 else encoded


def _inside(value: bytes) -> list[str]:
    """What a covered time-stamp holds: its own signature value, certificates and evidence."""
    try:
        return parts_of(cms.parse(value))
    except MalformedInput:
        return []
