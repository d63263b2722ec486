"""Certificate revocation lists (RFC 5280, 5).

One strict walk over the DER: it knows SM2, is bounded, copies no large part, and finds a serial number in
constant time (`signing.revocation.entries`). A list whose critical extensions we do not understand still
parses, and says in `problem` why it must not be used (RFC 5280, 5.2). A delta list adds what was revoked
since; its silence says nothing. Whose word a list is, and how fresh, is for `signing.revocation.snapshot`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from signing import der
from signing.algorithms import algorithm_by_identifier
from signing.names import name_key, name_text
from signing.revocation.entries import Entries
from signing.revocation.points import EVERY_REASON, ListScope
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.names import NameKey
    from signing.revocation.entries import Entry
    from signing.revocation.points import PointName

MAX_CRL_BYTES = 256 << 20
MAX_NUMBER_BYTES = 20  # RFC 5280, 5.2.3
MAX_INDIRECT_ENTRIES = 100_000
MAX_REMEMBERED_KEYS = 16  # that are known to have made a list's signature, or not
MAX_FIELDS = 8  # of a list, or of what is signed in it
Frame = tuple[int, int, int, int]  # tag; where an element starts, its content starts, and it ends
# RFC 5280, 5.3.1; 7 is not used.
REASONS = {
    0: "unspecified",
    1: "key_compromise",
    2: "ca_compromise",
    3: "affiliation_changed",
    4: "superseded",
    5: "cessation_of_operation",
    6: "certificate_hold",
    8: "remove_from_crl",
    9: "privilege_withdrawn",
    10: "aa_compromise",
}
_REASON, INVALIDITY_DATE, _CERTIFICATE_ISSUER = "2.5.29.21", "2.5.29.24", "2.5.29.29"
_CRL_NUMBER, _DELTA, _DISTRIBUTION_POINT = "2.5.29.20", "2.5.29.27", "2.5.29.28"
_EXPIRED_KEPT = "2.5.29.60"


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One line of a list. `invalid_since` is the invalidity date: since when the key is not to be trusted."""

    serial: int
    revoked_at: datetime
    reason: str
    invalid_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """An X.509 extension, its value still in DER."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What an entry's extensions say. `problem` is why the whole list must not be used, or None."""

    reason: str
    invalid_since: datetime | None
    names_issuer: bool
    problem: str | None


class Crl:
    """A revocation list. Make it with `from_der`."""

    def __init__(self, encoded: bytes) -> None:
        """Read a list in DER; `MalformedInput` unless it is one."""
        if len(encoded) > MAX_CRL_BYTES:
            raise TooLarge("crl", f"over {MAX_CRL_BYTES} bytes")
        self.der = encoded
        self.problem: str | None = None
        self.is_delta = False
        self.scope = ListScope()
        self.number: int | None = None
        self.expired_kept_since: datetime | None = None  # X.509, 9.5.2.8 (expiredCertsOnCRL)
        self._signed_by: dict[bytes, bool] = {}
        self._read(encoded)

    @classmethod
    def from_der(cls, encoded: bytes) -> Crl:
        """Read a list in DER; `MalformedInput` unless it is one."""
        return cls(encoded)

    @property
    def signature_identifier(self) -> bytes:
        """The AlgorithmIdentifier of its signature, in DER."""
        return self._algorithm

    @property
    def issuer(self) -> str:
        """The issuer's name, as text."""
        return name_text(self.issuer_der)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def entry_count(self) -> int:
        """How many certificates it lists."""
        return len(self._entries)

    @property
    def serials(self) -> tuple[int, ...]:
        """The serial numbers that it lists, as of its own issuer."""
        return tuple(int.from_bytes(entry.serial, "big", signed=True) for entry in self._entries)

    def lookup(self, serial: int, issuer: NameKey | None = None) -> RevokedEntry | None:
        """The entry of this serial number, or None.

        `issuer` names who issued the certificate, where that may be another than the list's issuer.
        """
        if self.scope.is_indirect:
            entry = self._others.get((issuer or self.issuer_key, serial))
        else:
            entry = self._entries.find(serial)
        if entry is None:
            return None
        facts = _entry_facts(entry.extensions)
        return RevokedEntry(serial, der.read_time(der.read(entry.time)[0]), facts.reason, facts.invalid_since)

    def reasons_for(self, certificate: Certificate) -> frozenset[int]:
        """The reasons that it answers for (RFC 5280, 6.3.3 (b), (d)); empty: it is not about this one."""
        return self.scope.reasons_for(certificate, self.issuer_key)

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Whether the list bears this certificate's name and its key made the signature; checked once."""
        if self.issuer_key != name_key(issuer.subject_der):
            return False
        found = self._signed_by.get(issuer.spki)
        if found is None:
            found = self._is_signed_by(issuer)
            if len(self._signed_by) < MAX_REMEMBERED_KEYS:
                self._signed_by[issuer.spki] = found
        return found

    def _is_signed_by(self, issuer: Certificate) -> bool:
        try:
            key = issuer.public_key
            row = algorithm_by_identifier(self._algorithm, key.kind)
            return key.verify(self._signature, self.der[self._signed], row)
        except (UnknownAlgorithm, MalformedInput):
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Crl) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"Crl({self.issuer!r}, {self.this_update.isoformat()}, {self.entry_count} entries)"

    def _read(self, encoded: bytes) -> None:
        outer = _frames(encoded, *_whole(encoded))
        if [tag for tag, *_ in outer] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
            raise MalformedInput("crl", "not three parts")
        (_, begin, inside, end), identifier, signature = outer
        self._signed = slice(begin, end)
        self._signature = der.read_bit_string(_element(encoded, signature))
        fields = _frames(encoded, inside, end)
        has_version = bool(fields) and fields[0][0] == der.INTEGER
        if has_version and _element(encoded, fields.pop(0)).content != b"\x01":
            raise MalformedInput("crl", "not version 2")
        self._algorithm = _element(encoded, identifier).encoded
        if len(fields) < 3 or _element(encoded, fields[0]).encoded != self._algorithm:
            raise MalformedInput("crl", "fields are missing, or two different signature algorithms")
        self.issuer_der = _element(encoded, fields[1]).encoded
        self.issuer_key = name_key(self.issuer_der)
        self._read_rest(encoded, fields[2:])

    def _read_rest(self, encoded: bytes, fields: list[Frame]) -> None:
        self.this_update = der.read_time(_element(encoded, fields.pop(0)))
        is_time = bool(fields) and fields[0][0] in {der.UTC_TIME, der.GENERALIZED_TIME}
        self.next_update = der.read_time(_element(encoded, fields.pop(0))) if is_time else None
        revoked = fields.pop(0) if fields and fields[0][0] == der.SEQUENCE else None
        extensions = fields.pop(0) if fields and fields[0][0] == 0xA0 else None
        if fields:
            raise MalformedInput("crl", "unexpected fields")
        _, _, start, end = revoked or (0, 0, 0, 0)
        self._entries = Entries(encoded, start, end)
        unusual = [_entry_facts(raw) for raw in sorted(self._entries.unusual)]
        self.problem = next((facts.problem for facts in unusual if facts.problem), None)
        if extensions:
            inside = _element(encoded, extensions).content
            self._take_extensions(der.read_exactly(inside, der.SEQUENCE))
        self._others: dict[tuple[NameKey, int], Entry] = {}
        if self.scope.is_indirect:
            self._others = _index_by_issuer(self._entries, self.issuer_key)
        elif any(
            facts.names_issuer for facts in unusual
        ):  # RFC 5280, 5.3.3: only an indirect list names them
            self.problem = "entries of other issuers in a list that is not indirect"

    def _take_extensions(self, element: der.Element) -> None:
        for extension in read_extensions(element):
            if extension.oid == _CRL_NUMBER:
                number = der.read_exactly(extension.value, der.INTEGER).content
                self.number = int.from_bytes(number[:MAX_NUMBER_BYTES], "big", signed=True)
            elif extension.oid == _DELTA:
                self.is_delta = True
            elif extension.oid == _EXPIRED_KEPT:
                kept = der.read_exactly(extension.value, der.GENERALIZED_TIME)
                self.expired_kept_since = der.read_time(kept)
            elif extension.oid == _DISTRIBUTION_POINT:
                self._take_scope(extension.value)
            elif extension.critical:
                self.problem = f"unknown critical extension {extension.oid}"

    def _take_scope(self, value: bytes) -> None:
        flags: dict[int, bytes] = {}
        for part in der.children(der.read_exactly(value, der.SEQUENCE)):
            if part.tag in flags:
                raise MalformedInput("crl", "a part of the scope is repeated")
            flags[part.tag] = part.content
        if flags.keys() - {0xA0, 0x81, 0x82, 0x83, 0x84, 0x85}:
            raise MalformedInput("crl", "unknown part of the scope")
        if _is_true(flags.get(0x85)):
            self.problem = "a list of attribute certificates"
        points = _names_of_point(flags[0xA0], self.issuer_key) if 0xA0 in flags else frozenset()
        if 0xA0 in flags and not points:
            self.problem = "the list's distribution point has a form that is not used here"
        reasons = _reasons(flags[0x83]) if 0x83 in flags else EVERY_REASON
        user, authority, indirect = (_is_true(flags.get(tag)) for tag in (0x81, 0x82, 0x84))
        self.scope = ListScope(points, user, authority, reasons, indirect)


def read_extensions(element: der.Element) -> list[Extension]:
    """The extensions in a SEQUENCE OF Extension, none twice."""
    found: dict[str, Extension] = {}
    for item in der.children(element):
        parts = list(der.children(item))
        if item.tag != der.SEQUENCE or not 2 <= len(parts) <= 3:
            raise MalformedInput("der", "not an extension")
        if len(parts) == 3 and (parts[1].tag != der.BOOLEAN or parts[1].content != b"\xff"):
            raise MalformedInput("der", "critical is not DER")
        name = der.read_oid(parts[0])
        if name in found or parts[-1].tag != der.OCTET_STRING:
            raise MalformedInput("der", "an extension is repeated or has no value")
        found[name] = Extension(name, len(parts) == 3, parts[-1].content)
    return list(found.values())


def _entry_facts(raw: bytes) -> EntryFacts:
    """What the extensions of an entry (DER, or nothing) say."""
    reason, invalid_since, names_issuer, problem = REASONS[0], None, False, None
    for extension in read_extensions(der.read_exactly(raw, der.SEQUENCE)) if raw else ():
        if extension.oid == _REASON:
            code = der.read_exactly(extension.value, der.ENUMERATED).content
            if len(code) != 1 or code[0] not in REASONS:
                raise MalformedInput("crl", "unknown reason code")
            reason = REASONS[code[0]]
        elif extension.oid == INVALIDITY_DATE:
            invalid_since = der.read_time(der.read_exactly(extension.value, der.GENERALIZED_TIME))
        elif extension.oid == _CERTIFICATE_ISSUER:
            names_issuer = True
        elif extension.critical:  # RFC 5280, 5.3: the whole list must not be used then
            problem = f"unknown critical entry extension {extension.oid}"
    return EntryFacts(reason, invalid_since, names_issuer, problem)


def _index_by_issuer(entries: Entries, issuer: NameKey) -> dict[tuple[NameKey, int], Entry]:
    """For an indirect list: an entry's issuer stands for those behind it too (RFC 5280, 5.3.3)."""
    found: dict[tuple[NameKey, int], Entry] = {}
    for number, entry in enumerate(entries):
        if number >= MAX_INDIRECT_ENTRIES:
            raise TooLarge("crl", f"an indirect list of over {MAX_INDIRECT_ENTRIES} entries")
        if entry.extensions:
            issuer = _named_issuer(der.read_exactly(entry.extensions, der.SEQUENCE)) or issuer
        found.setdefault((issuer, int.from_bytes(entry.serial, "big", signed=True)), entry)
    return found


def _named_issuer(extensions: der.Element) -> NameKey | None:
    for extension in read_extensions(extensions):
        if extension.oid == _CERTIFICATE_ISSUER:
            names = der.children(der.read_exactly(extension.value, der.SEQUENCE))
            found = [name_key(name.content) for name in names if name.tag == 0xA4]
            if len(found) != 1:  # RFC 5280, 5.3.3: the issuer's name as its certificates have it
                raise MalformedInput("crl", "an entry's issuer is not one name")
            return found[0]
    return None


def _reasons(content: bytes) -> frozenset[int]:
    """The bits of ReasonFlags, behind the octet that counts unused ones."""
    if not 2 <= len(content) <= 3 or content[0] > 7:
        raise MalformedInput("crl", "not reason flags")
    bits = "".join(f"{octet:08b}" for octet in content[1:])
    return frozenset(number for number, bit in enumerate(bits) if bit == "1") & EVERY_REASON


def _whole(encoded: bytes) -> tuple[int, int]:
    """Where the content of the one SEQUENCE that the bytes are starts and ends."""
    tag, start, end = der.frame(encoded)
    if tag != der.SEQUENCE or end != len(encoded):
        raise MalformedInput("crl", "not one sequence")
    return start, end


def _frames(encoded: bytes, start: int, end: int) -> list[Frame]:
    """The elements between two offsets, as frames: nothing is copied."""
    frames: list[Frame] = []
    while start < end:
        tag, inside, stop = der.frame(encoded, start)
        if stop > end or len(frames) == MAX_FIELDS:
            raise MalformedInput("crl", "a field is damaged")
        frames.append((tag, start, inside, stop))
        start = stop
    return frames


def _element(encoded: bytes, frame: Frame) -> der.Element:
    tag, start, inside, end = frame
    return der.Element(tag, encoded[inside:end], encoded[start:end])


def _is_true(content: bytes | None) -> bool:
    if content not in {None, b"\xff"}:
        raise MalformedInput("crl", "not a boolean in DER")
    return content is not None


def _names_of_point(content: bytes, issuer: NameKey) -> frozenset[PointName]:
    point, end = der.read(content)
    if end != len(content):
        raise MalformedInput("crl", "not a distribution point name")
    if point.tag == 0xA1:  # relative to the list's issuer
        return frozenset({(*issuer, *name_key(der.sequence(der.tlv(der.SET, point.content))))})
    if point.tag != 0xA0:
        return frozenset()
    names: set[PointName] = set()
    for name in der.children(point):
        if name.tag == 0x86:
            names.add(name.content.decode("latin-1"))
        elif name.tag == 0xA4:
            names.add(name_key(name.content))
    return frozenset(names)
