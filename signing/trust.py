"""Whom we trust, and for what: an immutable set of anchors with a content hash.

A store is data. Where it comes from (a folder that an administrator keeps, a trust list) and whether it
is fresh is decided by who builds it; `signing.path` reads it. The folder form is one PEM file for each
anchor and a `trust.toml` that says what each is trusted for.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signing.certificates import MAX_CERTIFICATE_BYTES, Certificate, load_pem_chain
from signing.names import name_key
from signing.usages import usage as usage_row
from yinxin.base.errors import MalformedInput, NotFound, TooLarge
from yinxin.base.files import READABLE, replace_file
from yinxin.base.text import Text
from yinxin.base.toml import toml_text, toml_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.names import NameKey

MAX_ANCHORS = 10_000
MAX_KNOWN = 10_000
MAX_INDEX_BYTES = 4 << 20
MAX_PERIODS = 200  # of one anchor
INDEX_FILE = "trust.toml"
BEGINNING, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on, and before `until` (None: to this day), an anchor counted for one use."""

    usage: str
    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether a time lies in it."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """A certificate that is trusted by decision, not by signature.

    `usages` names what paths ending here may be used for (rows of `signing.usages`); empty means
    every use. Where there are `periods`, it counts for a use within those of that use only. `label` and
    `added_at` are for people and change no verdict.
    """

    certificate: Certificate
    usages: frozenset[str] = frozenset()
    label: Text | None = field(default=None, compare=False)
    added_at: datetime | None = field(default=None, compare=False)
    periods: tuple[Period, ...] = ()

    def __post_init__(self) -> None:
        for name in self.usages:
            usage_row(name)
        if self.periods and {period.usage for period in self.periods} != self.usages:
            raise MalformedInput(
                "trust", "an anchor with periods has some for each of its uses, and no others"
            )

    def serves(self, usage: str) -> bool:
        """Whether paths for this use may end here, at some time at least."""
        return not self.usages or usage in self.usages

    def counts_at(self, at: datetime, usage: str | None = None) -> bool:
        """Whether it counted at a time: for this use, or for any when none is named."""
        if not self.periods:
            return True
        return any(period.covers(at) for period in self.periods if usage in {None, period.usage})

    def merged_with(self, other: TrustAnchor) -> TrustAnchor:
        """The same certificate, trusted for what either says, when either says so."""
        if not self.usages or not other.usages:
            whole = self if not self.usages else other
            return replace(whole, periods=())
        kept = {usage: {row for row in self.periods if row.usage == usage} for usage in self.usages}
        more = {usage: {row for row in other.periods if row.usage == usage} for usage in other.usages}
        periods: set[Period] = set()
        for usage in kept.keys() | more.keys():
            said = [one[usage] for one in (kept, more) if usage in one]
            # Where one of them sets no bounds, the use has none.
            periods |= {Period(usage, BEGINNING)} if set() in said else set().union(*said)
        bounded = any(row.since != BEGINNING for row in periods)
        return replace(
            self,
            usages=self.usages | other.usages,
            label=self.label or other.label,
            periods=tuple(sorted(periods, key=period_key)) if bounded else (),
        )


class TrustStore:
    """An immutable set of trust anchors. Equal by what decides verdicts."""

    def __init__(
        self, anchors: Iterable[TrustAnchor | Certificate], known: Iterable[Certificate] = ()
    ) -> None:
        """Keep anchors; a bare certificate is trusted for every use. The same certificate counts once.

        `known` are authorities' certificates that were gathered: a path may lead over them where a document
        left them out. They are trusted no more than those that documents carry.
        """
        found: dict[Certificate, TrustAnchor] = {}
        for item in anchors:
            anchor = TrustAnchor(item) if isinstance(item, Certificate) else item
            if anchor.certificate in found and found[anchor.certificate] != anchor:
                raise MalformedInput("trust", f"two different entries for {anchor.certificate!r}")
            found.setdefault(anchor.certificate, anchor)
        if len(found) > MAX_ANCHORS:
            raise TooLarge("trust", f"over {MAX_ANCHORS} anchors")
        self._by_certificate = dict(sorted(found.items(), key=lambda pair: pair[0].fingerprint))
        extra = set(known) - found.keys()
        if len(extra) > MAX_KNOWN:
            raise TooLarge("trust", f"over {MAX_KNOWN} certificates of authorities")
        self.known = tuple(sorted(extra, key=lambda one: one.fingerprint))

    @property
    def anchors(self) -> tuple[TrustAnchor, ...]:
        """All anchors, in the order of their fingerprints."""
        return tuple(self._by_certificate.values())

    @cached_property
    def snapshot_id(self) -> str:
        """SHA-256 over the certificates and their usages, in hex: what verdicts depend on."""
        rows = [_decides(anchor) for anchor in self.anchors]
        known = [[certificate.fingerprint for certificate in self.known]] if self.known else []
        return hashlib.sha256(json.dumps(["yinxin trust 1", rows, *known]).encode()).hexdigest()

    def merged_with(self, other: TrustStore) -> TrustStore:
        """What either trusts; a certificate in both is trusted for the uses of both."""
        found = dict(self._by_certificate)
        for anchor in other.anchors:
            kept = found.get(anchor.certificate)
            found[anchor.certificate] = kept.merged_with(anchor) if kept else anchor
        return TrustStore(found.values(), (*self.known, *other.known))

    def with_known(self, certificates: Iterable[Certificate]) -> TrustStore:
        """The same anchors, with these certificates of authorities beside those that are known."""
        return TrustStore(self.anchors, (*self.known, *certificates))

    def anchor_of(self, certificate: Certificate) -> TrustAnchor | None:
        """The anchor that is this very certificate, or None."""
        return self._by_certificate.get(certificate)

    def issuers_of(self, certificate: Certificate) -> tuple[TrustAnchor, ...]:
        """Anchors whose name is this certificate's issuer, those with its authority key id first.

        Candidates only: no signature is checked here.
        """
        named = self._by_subject.get(name_key(certificate.issuer_der), ())
        wanted = certificate.authority_key_id
        if wanted is None or len(named) < 2:
            return named
        return tuple(sorted(named, key=lambda anchor: anchor.certificate.subject_key_id != wanted))

    def known_as(self, name: NameKey) -> tuple[Certificate, ...]:
        """The known certificates of this subject: candidates only, for a path or a list's signer."""
        return self._known_by_subject.get(name, ())

    @cached_property
    def _known_by_subject(self) -> dict[NameKey, tuple[Certificate, ...]]:
        index: dict[NameKey, tuple[Certificate, ...]] = {}
        for certificate in self.known:
            key = name_key(certificate.subject_der)
            index[key] = (*index.get(key, ()), certificate)
        return index

    @cached_property
    def _by_subject(self) -> dict[NameKey, tuple[TrustAnchor, ...]]:
        index: dict[NameKey, tuple[TrustAnchor, ...]] = {}
        for anchor in self.anchors:
            key = name_key(anchor.certificate.subject_der)
            index[key] = (*index.get(key, ()), anchor)
        return index

    @classmethod
    def load(cls, directory: str | Path) -> TrustStore:
        """Read a folder that `save` wrote or an administrator keeps.

        Every PEM file must have its table in `trust.toml` and the other way round, so that a file dropped
        into the folder is not trusted by accident. Raises `NotFound` and `MalformedInput`.
        """
        folder = Path(directory)
        entries = _read_index(folder / INDEX_FILE)
        listed = {entry["file"] for entry in entries}
        if len(listed) != len(entries):
            raise MalformedInput("trust", "a file is listed twice")
        if stray := {path.name for path in folder.glob("*.pem")} - listed:
            raise MalformedInput("trust", f"not listed in {INDEX_FILE}: {', '.join(sorted(stray))}")
        return cls(_read_anchor(folder, entry) for entry in entries)

    def save(self, directory: str | Path) -> None:
        """Write the folder form; PEM files that are no longer listed are removed, the index comes last."""
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        kept = set()
        for anchor in self.anchors:
            name = f"{anchor.certificate.fingerprint[:32]}.pem"
            replace_file(folder / name, anchor.certificate.to_pem(), mode=READABLE)
            kept.add(name)
        replace_file(folder / INDEX_FILE, _index_of(self.anchors).encode("utf-8"), mode=READABLE)
        for path in folder.glob("*.pem"):
            if path.name not in kept:
                path.unlink()

    def __contains__(self, certificate: object) -> bool:
        return certificate in self._by_certificate

    def __len__(self) -> int:
        return len(self._by_certificate)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrustStore) and self.snapshot_id == other.snapshot_id

    def __hash__(self) -> int:
        return hash(self.snapshot_id)

    def __repr__(self) -> str:
        return f"TrustStore({len(self)} anchors, {self.snapshot_id[:16]})"


def period_key(period: Period) -> tuple[str, datetime, datetime]:
    """The order of periods."""
    return period.usage, period.since, period.until or END


def _decides(anchor: TrustAnchor) -> list[Any]:
    """What of an anchor decides verdicts."""
    bounds = [
        [row.usage, row.since.isoformat(), row.until.isoformat() if row.until else None]
        for row in sorted(anchor.periods, key=period_key)
    ]
    return [anchor.certificate.fingerprint, sorted(anchor.usages), *([bounds] if bounds else [])]


def _read_index(path: Path) -> list[dict[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise NotFound(f"no trust store at {path}: {exc.strerror}") from exc
    if len(data) > MAX_INDEX_BYTES:
        raise TooLarge("trust", f"over {MAX_INDEX_BYTES} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise MalformedInput("trust", str(exc)[:200]) from exc
    entries = table.pop("anchor", [])
    if table or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise MalformedInput("trust", "only [[anchor]] tables are expected")
    return [_checked(entry) for entry in entries]


def _checked(entry: dict[str, Any]) -> dict[str, Any]:
    if unknown := entry.keys() - {"file", "sha256", "usages", "label", "added_at", "periods"}:
        raise MalformedInput("trust", f"unknown keys: {', '.join(sorted(unknown))}")
    name, usages = entry.get("file"), entry.get("usages", [])
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".pem"):
        raise MalformedInput("trust", "file is the name of a .pem file in the same folder")
    if not isinstance(usages, list) or not all(isinstance(item, str) for item in usages):
        raise MalformedInput("trust", "usages are names")
    return entry


def _read_anchor(folder: Path, entry: dict[str, Any]) -> TrustAnchor:
    path = folder / entry["file"]
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise NotFound(f"{path}: {exc.strerror}") from exc
    if len(data) > 2 * MAX_CERTIFICATE_BYTES:
        raise TooLarge("trust", f"{path.name} is too large")
    certificates = load_pem_chain(data)
    if len(certificates) != 1:
        raise MalformedInput("trust", f"{path.name} holds more than one certificate")
    if entry.get("sha256", certificates[0].fingerprint) != certificates[0].fingerprint:
        raise MalformedInput("trust", f"{path.name} is not the certificate that was added")
    usages = frozenset(entry.get("usages", []))
    label, added = _label(entry.get("label")), _added(entry.get("added_at"))
    return TrustAnchor(certificates[0], usages, label, added, _periods(entry.get("periods", [])))


def _label(value: Any) -> Text | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"zh", "en"}:
        raise MalformedInput("trust", "a label has zh and en")
    zh, en = value["zh"], value["en"]
    if not (isinstance(zh, str) and isinstance(en, str) and zh and en):
        raise MalformedInput("trust", "a label has zh and en")
    return Text(zh, en)


def _added(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise MalformedInput("trust", "added_at is a date and time with its offset")
    return value.astimezone(UTC)


def _periods(value: Any) -> tuple[Period, ...]:
    if not isinstance(value, list) or len(value) > MAX_PERIODS:
        raise MalformedInput("trust", f"at most {MAX_PERIODS} periods")
    return tuple(_period(row) for row in value)


def _period(row: Any) -> Period:
    if not isinstance(row, dict) or not {"usage", "since"} <= row.keys() <= {"usage", "since", "until"}:
        raise MalformedInput("trust", "a period has usage, since, and until where it ended")
    since, until = _added(row["since"]), _added(row.get("until"))
    if not isinstance(row["usage"], str) or since is None:
        raise MalformedInput("trust", "a period has usage, since, and until where it ended")
    return Period(row["usage"], since, until)


def _index_of(anchors: tuple[TrustAnchor, ...]) -> str:
    return "\n".join(_table_of(anchor) for anchor in anchors)


def _table_of(anchor: TrustAnchor) -> str:
    certificate = anchor.certificate
    lines = [
        "[[anchor]]",
        f"file = {toml_text(certificate.fingerprint[:32] + '.pem')}",
        f"sha256 = {toml_text(certificate.fingerprint)}",
        f"usages = {toml_texts(sorted(anchor.usages))}",
    ]
    if anchor.label:
        lines.append(f"label = {{ zh = {toml_text(anchor.label.zh)}, en = {toml_text(anchor.label.en)} }}")
    if anchor.added_at:
        lines.append(f"added_at = {anchor.added_at.astimezone(UTC).isoformat()}")
    if anchor.periods:
        lines += ["periods = [", *(f"  {_period_table(row)}," for row in anchor.periods), "]"]
    return "\n".join(lines) + "\n"


def _period_table(row: Period) -> str:
    until = f", until = {row.until.astimezone(UTC).isoformat()}" if row.until else ""
    return f"{{ usage = {toml_text(row.usage)}, since = {row.since.astimezone(UTC).isoformat()}{until} }}"
