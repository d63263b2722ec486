"""Certificate revocation lists (RFC 5280, 5), read once into a dict of serial numbers.

One strict walk over the DER: it knows SM2, is bounded, and looks a serial up in constant time. A list whose
critical extensions we do not understand still parses, and says in `problem` why it must not be used
(RFC 5280, 5.2). A delta list adds what was revoked since; its silence says nothing. Whose word a list is,
and how fresh, is for `signing.revocation.snapshot`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from signing import der
from signing.algorithms import algorithm_by_identifier
from signing.names import name_key, name_text
from signing.revocation.points import EVERY_REASON, ListScope
from yinxin.base.errors import MalformedInput, TooLarge, UnknownAlgorithm

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.names import NameKey
    from signing.revocation.points import PointName

MAX_CRL_BYTES = 256 << 20
MAX_SERIAL_BYTES = 64
MAX_INDIRECT_ENTRIES = 100_000
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
        self._read(encoded)

    @classmethod
    def from_der(cls, encoded: bytes) -> Crl:
        """Read a list in DER; `MalformedInput` unless it is one."""
        return cls(encoded)

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
        return tuple(self._entries)

    def lookup(self, serial: int, issuer: NameKey | None = None) -> RevokedEntry | None:
        """The entry of this serial number, or None.

        `issuer` names who issued the certificate, where that may be another than the list's issuer.
        """
        if self.scope.is_indirect:
            found = self._others.get((issuer or self.issuer_key, serial))
        else:
            found = self._entries.get(serial)
        if found is None:
            return None
        reason, invalid_since = self._extensions[found[1]]
        return RevokedEntry(serial, der.read_time(der.read(found[0])[0]), reason, invalid_since)

    def reasons_for(self, certificate: Certificate) -> frozenset[int]:
        """The reasons that it answers for (RFC 5280, 6.3.3 (b), (d)); empty: it is not about this one."""
        return self.scope.reasons_for(certificate, self.issuer_key)

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Whether the list bears this certificate's name and its key made the signature."""
        if self.issuer_key != name_key(issuer.subject_der):
            return False
        try:
            key = issuer.public_key
            return key.verify(self._signature, self._tbs, algorithm_by_identifier(self._algorithm, key.kind))
        except (UnknownAlgorithm, MalformedInput):
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Crl) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"Crl({self.issuer!r}, {self.this_update.isoformat()}, {self.entry_count} entries)"

    def _read(self, encoded: bytes) -> None:
        parts = list(der.children(der.read_exactly(encoded, der.SEQUENCE)))
        if len(parts) != 3 or parts[0].tag != der.SEQUENCE or parts[1].tag != der.SEQUENCE:
            raise MalformedInput("crl", "not three parts")
        self._tbs, self._signature = parts[0].encoded, der.read_bit_string(parts[2])
        fields = list(der.children(parts[0]))
        has_version = bool(fields) and fields[0].tag == der.INTEGER
        if has_version and fields.pop(0).content != b"\x01":
            raise MalformedInput("crl", "not version 2")
        if len(fields) < 3 or fields[0].encoded != parts[1].encoded:
            raise MalformedInput("crl", "fields are missing, or two different signature algorithms")
        self._algorithm = fields[0].encoded
        self.issuer_der = fields[1].encoded
        self.issuer_key = name_key(self.issuer_der)
        self._read_rest(fields[2:])

    def _read_rest(self, fields: list[der.Element]) -> None:
        self.this_update = der.read_time(fields.pop(0))
        is_time = bool(fields) and fields[0].tag in {der.UTC_TIME, der.GENERALIZED_TIME}
        self.next_update = der.read_time(fields.pop(0)) if is_time else None
        revoked = fields.pop(0) if fields and fields[0].tag == der.SEQUENCE else None
        extensions = fields.pop(0) if fields and fields[0].tag == 0xA0 else None
        if fields:
            raise MalformedInput("crl", "unexpected fields")
        self._entries, raw = _index(revoked.content) if revoked else ({}, ())
        self._names_issuers = False
        self._extensions = {item: self._entry_facts(item) for item in raw}
        if extensions:
            self._take_extensions(der.read_exactly(extensions.content, der.SEQUENCE))
        self._others: dict[tuple[NameKey, int], tuple[bytes, bytes]] = {}
        if self.scope.is_indirect and revoked:
            self._others = _index_by_issuer(revoked, self.issuer_key)
        elif self._names_issuers:  # RFC 5280, 5.3.3: only an indirect list names them
            self.problem = "entries of other issuers in a list that is not indirect"

    def _take_extensions(self, element: der.Element) -> None:
        for extension in read_extensions(element):
            if extension.oid == _CRL_NUMBER:
                number = der.read_exactly(extension.value, der.INTEGER).content
                self.number = int.from_bytes(number[:MAX_SERIAL_BYTES], "big", signed=True)
            elif extension.oid == _DELTA:
                self.is_delta = True
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

    def _entry_facts(self, raw: bytes) -> tuple[str, datetime | None]:
        """Reason and invalidity date."""
        reason, invalid_since = REASONS[0], None
        for extension in read_extensions(der.read_exactly(raw, der.SEQUENCE)) if raw else ():
            if extension.oid == _REASON:
                code = der.read_exactly(extension.value, der.ENUMERATED).content
                if len(code) != 1 or code[0] not in REASONS:
                    raise MalformedInput("crl", "unknown reason code")
                reason = REASONS[code[0]]
            elif extension.oid == INVALIDITY_DATE:
                invalid_since = der.read_time(der.read_exactly(extension.value, der.GENERALIZED_TIME))
            elif extension.oid == _CERTIFICATE_ISSUER:
                self._names_issuers = True
            elif extension.critical:
                # RFC 5280, 5.3: the whole list must not be used then.
                self.problem = f"unknown critical entry extension {extension.oid}"
        return reason, invalid_since


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


def _index(content: bytes) -> tuple[dict[int, tuple[bytes, bytes]], set[bytes]]:
    """Serial number to (time in DER, extensions in DER), and the different extension values.

    The one loop here that runs a million times: plain indexing, one look at each entry's frame.
    Equal extensions are one object, so that they are understood once.
    """
    entries: dict[int, tuple[bytes, bytes]] = {}
    shared: dict[bytes, bytes] = {}
    offset, end = 0, len(content)
    try:
        while offset < end:
            size = content[offset + 1]
            body = offset + 2
            if content[offset] != 0x30 or size > 0x7F:
                body, size = _long_frame(content, offset)
            offset = stop = body + size
            middle = body + 2 + content[body + 1]
            tail = middle + 2 + content[middle + 1]
            if (
                content[body] != 2
                or tail > stop
                or stop > end
                or not 0 < middle - body - 2 <= MAX_SERIAL_BYTES
            ):
                raise MalformedInput("crl", "an entry is damaged")
            if not content[middle + 2 : tail - 1].isdigit() or content[tail - 1] != 0x5A:
                raise MalformedInput("crl", "an entry has no time")
            rest = content[tail:stop]
            rest = shared.setdefault(rest, rest)
            serial = int.from_bytes(content[body + 2 : middle], "big", signed=True)
            entries.setdefault(serial, (content[middle:tail], rest))
    except IndexError as exc:
        raise MalformedInput("crl", "an entry is damaged") from exc
    return entries, set(shared)


def _index_by_issuer(revoked: der.Element, issuer: NameKey) -> dict[tuple[NameKey, int], tuple[bytes, bytes]]:
    """As `_index`, for an indirect list: an entry's issuer stands for those behind it too (5.3.3)."""
    entries: dict[tuple[NameKey, int], tuple[bytes, bytes]] = {}
    for number, entry in enumerate(der.children(revoked)):
        if number >= MAX_INDIRECT_ENTRIES:
            raise TooLarge("crl", f"an indirect list of over {MAX_INDIRECT_ENTRIES} entries")
        serial, when, *extensions = der.children(entry)
        rest = extensions[0].encoded if extensions else b""
        if extensions:
            issuer = _named_issuer(extensions[0]) or issuer
        entries.setdefault((issuer, int.from_bytes(serial.content, "big", signed=True)), (when.encoded, rest))
    return entries


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


def _long_frame(content: bytes, offset: int) -> tuple[int, int]:
    element, end = der.read(content, offset)
    if element.tag != der.SEQUENCE:
        raise MalformedInput("crl", "an entry is damaged")
    return end - len(element.content), len(element.content)


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
