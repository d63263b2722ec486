"""The folder of what was gathered: the last good of everything, and when each place is asked again.

    index.json     one row for each thing wanted, and the hosts that are left in peace for a while
    <sha-256>      what was taken, by its hash
    seen/          certificates of documents whose evidence was missing (DER, by their hash)

The index is replaced whole and last, so that a reader sees one state or the next. Who reads verifies every
hash: a folder that is damaged is refused, not half used. What verification gets is `Gathered.revocation`
and `Gathered.certificates`; signatures are checked there again.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from signing.certificates import MAX_CERTIFICATE_BYTES, Certificate, load_pem_chain
from signing.jose import load_json_object
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot
from yinxin.app.gathering.wants import Kind
from yinxin.base.errors import MalformedInput, NotFound, TooLarge, YinxinError
from yinxin.base.files import locked, read_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FORMAT = 1
INDEX, SEEN, LOCK = "index.json", "seen", ".lock"
MAX_INDEX_BYTES = 16 << 20
MAX_ROWS, MAX_HOSTS, MAX_SEEN = 5000, 2000, 2000
MAX_TEXT = 4096
MAX_MISSING = 100
_TRIES = 3
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one thing wanted.

    `digest` names what was taken last ("": nothing yet) from `url` at `taken_at`; `etag` and `modified` are
    what its server calls it. `until` is the end of what it says. It is asked for again at `due`.
    `failures` counts tries in a row that brought nothing and `problem` says why the last one did not.
    """

    key: str
    kind: Kind
    due: datetime
    wanted_on: str  # the last day on which somebody wanted it
    url: str = ""
    digest: str = ""
    taken_at: datetime | None = None
    checked_at: datetime | None = None
    until: datetime | None = None
    etag: str = ""
    modified: str = ""
    failures: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that did not answer: how often in a row, and until when it is left in peace."""

    failures: int
    until: datetime


@dataclass(frozen=True)
class Gathered:
    """One state of the folder, immutable. `lists` and `answers` are by the key of their row.

    `missing` names the certificates without current evidence when it was made, at most `MAX_MISSING`.
    """

    rows: Mapping[str, Row] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)
    lists: Mapping[str, Crl] = field(default_factory=dict)
    answers: Mapping[str, OcspAnswer] = field(default_factory=dict)
    issuers: Mapping[str, tuple[Certificate, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    made_at: datetime | None = None

    @cached_property
    def revocation(self) -> RevocationSnapshot:
        """All lists and answers."""
        return RevocationSnapshot(self.lists.values(), self.answers.values())

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """All certificates of authorities."""
        return tuple(dict.fromkeys(one for bag in self.issuers.values() for one in bag))


class Library:
    """The folder. One process writes at a time; any number read."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made yet."""
        self.folder = folder
        self._index: bytes | None = None
        self._read = Gathered()
        self._parsed: dict[tuple[Kind, str], Any] = {}

    def read(self) -> Gathered:
        """The state as it is now; nothing where nothing was gathered. `MalformedInput` when it is damaged.

        What did not change is not parsed again.
        """
        for _ in range(_TRIES - 1):
            with suppress(NotFound):  # the state was replaced, and its files swept, while it was read
                return self._current()
        return self._current()

    def _current(self) -> Gathered:
        if not (self.folder / INDEX).is_file():
            return Gathered()
        index = read_file(self.folder / INDEX, limit=MAX_INDEX_BYTES)
        if index != self._index:
            self._read = self._load(index)
            self._index = index
        return self._read

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the one that writes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / LOCK):
            yield

    def write(
        self,
        rows: Iterable[Row],
        hosts: Mapping[str, Host],
        bodies: Iterable[bytes],
        *,
        missing: Iterable[str] = (),
        at: datetime,
    ) -> None:
        """Put the next state in place: new bodies first, the index last; then what nobody names is removed."""
        for body in bodies:
            place = self.folder / hashlib.sha256(body).hexdigest()
            if not place.is_file():
                replace_file(place, body)
        before = {row.digest for row in self._read.rows.values()}
        kept = sorted(rows, key=lambda row: row.key)
        content = {
            "format": FORMAT,
            "made_at": at.isoformat(),
            "rows": [_plain(row) for row in kept],
            "missing": [name[:MAX_TEXT] for name in missing][:MAX_MISSING],
            "hosts": {name: [host.failures, host.until.isoformat()] for name, host in sorted(hosts.items())},
        }
        replace_file(self.folder / INDEX, json.dumps(content, ensure_ascii=False, indent=1).encode())
        self._sweep({row.digest for row in kept} | before)  # who reads the state before still finds its files

    def note(self, certificates: Iterable[Certificate]) -> None:
        """Remember certificates whose evidence is to be gathered; no more than the folder has room for."""
        place = self.folder / SEEN
        place.mkdir(parents=True, exist_ok=True)
        room = MAX_SEEN - sum(1 for _ in place.iterdir())
        for certificate in certificates:
            path = place / certificate.fingerprint
            if room > 0 and not path.exists():
                replace_file(path, certificate.der)
                room -= 1

    def seen(self) -> list[Certificate]:
        """The certificates that were noted; what is none is left out."""
        found = []
        for path in self._seen_files():
            with suppress(YinxinError):
                found.append(Certificate(read_file(path, limit=MAX_CERTIFICATE_BYTES)))
        return found

    def forget(self, certificates: Iterable[Certificate]) -> None:
        """Note them no longer."""
        for certificate in certificates:
            (self.folder / SEEN / certificate.fingerprint).unlink(missing_ok=True)

    def _seen_files(self) -> list[Path]:
        place = self.folder / SEEN
        if not place.is_dir():
            return []
        named = [path for path in sorted(place.iterdir()) if _DIGEST.match(path.name)]
        return named[:MAX_SEEN]

    def _load(self, index: bytes) -> Gathered:
        state = read_index(index)
        found: dict[Kind, dict[str, Any]] = {kind: {} for kind in Kind}
        parsed: dict[tuple[Kind, str], Any] = {}
        for row in state.rows.values():
            if row.digest:
                name = row.kind, row.digest
                parsed[name] = found[row.kind][row.key] = self._parsed.get(name) or self._body(row)
        self._parsed = parsed
        lists = {**found[Kind.LIST], **found[Kind.DELTA]}
        return replace(state, lists=lists, answers=found[Kind.ANSWER], issuers=found[Kind.ISSUER])

    def _body(self, row: Row) -> Any:
        body = read_file(self.folder / row.digest)
        if hashlib.sha256(body).hexdigest() != row.digest:
            raise MalformedInput("gathered", f"{row.digest} is not what was gathered")
        return parse_body(row.kind, body)

    def _sweep(self, named: set[str]) -> None:
        for path in self.folder.iterdir():
            if _DIGEST.match(path.name) and path.name not in named:
                path.unlink(missing_ok=True)


def parse_body(kind: Kind, body: bytes) -> Any:
    """A list, an answer, or a tuple of certificates; `MalformedInput` when it is none."""
    if kind is Kind.ISSUER:
        return load_pem_chain(body)
    return OcspAnswer.from_der(body) if kind is Kind.ANSWER else Crl.from_der(body)


def read_index(data: bytes) -> Gathered:
    """What an index says, checked, without the things that it names; `MalformedInput` unless it is one."""
    content = load_json_object(data)
    try:
        if content.keys() != _MEMBERS or content["format"] != FORMAT:
            raise MalformedInput("gathered", "an index of another kind")
        if len(content["rows"]) > MAX_ROWS or len(content["hosts"]) > MAX_HOSTS:
            raise TooLarge("gathered", "too many rows")
        rows = {row.key: row for row in map(_row, content["rows"])}
        hosts = {name: Host(_count(count), _time(until)) for name, (count, until) in content["hosts"].items()}
        missing = tuple(_text(name) for name in content["missing"][:MAX_MISSING])
        return Gathered(rows, hosts, missing=missing, made_at=_time(content["made_at"]))
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise MalformedInput("gathered", f"an index with {type(exc).__name__}") from exc


_MEMBERS = frozenset({"format", "made_at", "missing", "rows", "hosts"})
_TIMES = frozenset({"due", "taken_at", "checked_at", "until"})
_NAMES = frozenset(one.name for one in fields(Row))


def _plain(row: Row) -> dict[str, Any]:
    found = asdict(row)
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in found.items()
        if value not in {None, "", 0}
    }


def _row(content: dict[str, Any]) -> Row:
    if content.keys() - _NAMES:
        raise ValueError("unknown members")
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name in _TIMES:
            values[name] = _time(value)
        elif name == "failures":
            values[name] = _count(value)
        else:
            values[name] = Kind(value) if name == "kind" else _text(value)
    row = Row(**values)
    if row.digest and not _DIGEST.match(row.digest):
        raise ValueError("digest")
    return row


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError("not a text")
    return value


def _time(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("a time without its offset")
    return found


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise ValueError("not a count")
    return value
