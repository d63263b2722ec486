"""What a trust list says: anchors, and issuers with the credential types that each may issue, since when."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from signing.certificates import Certificate
from signing.trust import TrustAnchor, TrustStore
from signing.trust_list.envelope import read_content
from signing.trust_list.reading import both, exactly, moment, moment_text, rows, text, whole, wrong
from yinxin.base.errors import Conflict, MalformedInput, UsageError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from signing.trust_list.roots import TrustRoot
    from yinxin.base.text import Text

LIST_TYPE = "yinxin-trust-list+json"
STATUSES = ("granted", "suspended", "withdrawn")  # the strictest comes last
MAX_ANCHORS, MAX_ISSUERS, MAX_TYPES, MAX_HOSTS = 2000, 5000, 500, 20
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?")


class Freshness(StrEnum):
    """How old a list is: in time, past its end within the grace, or too old to be used."""

    FRESH = "fresh"
    STALE = "stale"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ListedType:
    """A licence type, and since when an issuer may issue it, may not for a while, or no longer may.

    `vct` names it in credentials, `type_code` (GB/T 36904; may be empty) on paper and in sealed pages.
    """

    vct: str
    status: Literal["granted", "suspended", "withdrawn"]
    since: datetime
    type_code: str = ""

    def is_named(self, kind: str) -> bool:
        """Whether `kind` is this type's `vct` or its type code."""
        return bool(kind) and kind in {self.vct, self.type_code}


@dataclass(frozen=True, slots=True)
class ListedIssuer:
    """An agency: the subjects of its credential certificates (RFC 4514 text), its hosts, its types.

    `hosts` are those of its codes and services, `host` or `host:port`, lower case.
    """

    name: Text
    credit_code: str
    subjects: tuple[str, ...]
    hosts: tuple[str, ...]
    types: tuple[ListedType, ...]

    def standing(self, kind: str, at: datetime) -> ListedType | None:
        """The newest word about a type (by its `vct` or type code) at a time; None before the first one.

        A word that leaves the type code out is about the code that other words give to this `vct`.
        """
        return max((row for row in self._about(kind) if row.since <= at), key=_rank, default=None)

    def history(self) -> dict[str, list[ListedType]]:
        """All words about each type, by its type code, the oldest first."""
        codes = dict.fromkeys(row.type_code for row in sorted(self.types, key=_rank) if row.type_code)
        return {code: sorted(self._about(code), key=_rank) for code in codes}

    def _about(self, kind: str) -> list[ListedType]:
        named = {row.vct for row in self.types if row.is_named(kind)}
        return [row for row in self.types if row.is_named(kind) or (row.vct in named and not row.type_code)]

    def may_issue(self, at: datetime) -> tuple[str, ...]:
        """The types that are granted at a time: the newest word about each counts."""
        found = (self.standing(vct, at) for vct in dict.fromkeys(row.vct for row in self.types))
        return tuple(row.vct for row in found if row is not None and row.status == "granted")


@dataclass(frozen=True)
class TrustList:
    """A list that its root's keys have signed. Make one with `read`; `to_content` is what is signed.

    `envelope` is what was read, signatures and all, and `digest` its SHA-256 in hex.
    """

    name: str
    version: int
    root_version: int
    issued_at: datetime
    next_update: datetime
    anchors: tuple[TrustAnchor, ...]
    listed: tuple[ListedIssuer, ...]
    digest: str = field(default="", compare=False)
    envelope: bytes = field(default=b"", compare=False, repr=False)

    @classmethod
    def read(
        cls,
        envelope: bytes,
        root: TrustRoot,
        *,
        now: datetime,
        after: TrustList | None = None,
        skew: timedelta | None = None,
    ) -> TrustList:
        """The list of this root, in time at `now`, and no older than `after`, which is at hand already.

        `MalformedInput` for one that is damaged or signed by too few, `Conflict` for one of another root or
        of one that ran out, past its end, made in the future, older than `after`, or another one of the
        same version. `skew` is how far another machine's clock may be ahead.
        """
        root.require(envelope, LIST_TYPE)
        found = cls._of(read_content(envelope), envelope)
        if (found.name, found.root_version) != (root.name, root.version):
            raise Conflict("the list belongs to another root")
        if root.expires_at <= now:
            raise Conflict(f"the root of version {root.version} ran out {root.expires_at.isoformat()}")
        if found.next_update <= now or found.next_update <= found.issued_at:
            raise Conflict(f"the list ended {found.next_update.isoformat()}")
        if found.issued_at > (now + skew if skew else now):
            raise Conflict("the list was made in the future")
        if after is not None:
            _require_newer(found, after)
        return found

    @classmethod
    def kept(cls, envelope: bytes) -> TrustList:
        """A list that `read` took before, read again from our own keeping: dates are not looked at."""
        return cls._of(read_content(envelope), envelope)

    @classmethod
    def from_content(cls, content: object) -> TrustList:
        """What a draft says before anybody has signed it; nobody may go by it."""
        return cls._of(content, b"")

    @cached_property
    def trust(self) -> TrustStore:
        """The anchors."""
        return TrustStore(self.anchors)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of all issuers."""
        return frozenset(host for issuer in self.listed for host in issuer.hosts)

    def issuers(self, at: datetime) -> dict[str, tuple[str, ...]]:
        """Which subjects may issue a credential type at a time; a type that nobody may issue is not there."""
        found: dict[str, list[str]] = {}
        for issuer in self.listed:
            for vct in issuer.may_issue(at):
                found.setdefault(vct, []).extend(issuer.subjects)
        return {vct: tuple(sorted(set(subjects))) for vct, subjects in sorted(found.items())}

    def freshness(self, now: datetime, *, grace: timedelta) -> Freshness:
        """Whether it is in time; past its end it serves for the grace, and says so."""
        if now < self.next_update:
            return Freshness.FRESH
        return Freshness.STALE if now < self.next_update + grace else Freshness.OVER

    def to_content(self) -> dict[str, Any]:
        """What is signed: `signing.trust_list.sign_content(listed.to_content(), LIST_TYPE, signers)`."""
        return {
            "name": self.name,
            "version": self.version,
            "root_version": self.root_version,
            "issued_at": moment_text(self.issued_at),
            "next_update": moment_text(self.next_update),
            "anchors": [_anchor_row(anchor) for anchor in self.anchors],
            "issuers": [_issuer_row(issuer) for issuer in self.listed],
        }

    @classmethod
    def _of(cls, content: object, envelope: bytes) -> TrustList:
        members = ("name", "version", "root_version", "issued_at", "next_update", "anchors", "issuers")
        found = exactly(content, *members)
        listed = cls(
            name=text(found["name"]),
            version=whole(found["version"], least=1),
            root_version=whole(found["root_version"], least=1),
            issued_at=moment(found["issued_at"]),
            next_update=moment(found["next_update"]),
            anchors=tuple(_anchor(row) for row in rows(found["anchors"], most=MAX_ANCHORS)),
            listed=tuple(_issuer(row) for row in rows(found["issuers"], most=MAX_ISSUERS)),
            digest=hashlib.sha256(envelope).hexdigest(),
            envelope=envelope,
        )
        _ = listed.trust  # the same certificate with two sets of uses is told now
        names = [name for row in listed.listed for name in (row.credit_code, *row.subjects)]
        if len(set(names)) != len(names):
            raise wrong("an agency, or the subject of a certificate, is listed twice")
        return listed


def _rank(row: ListedType) -> tuple[datetime, int]:
    """Later words are newer; of several at one moment the strictest counts."""
    return row.since, STATUSES.index(row.status)


def _require_newer(found: TrustList, kept: TrustList) -> None:
    if found.version < kept.version or found.issued_at < kept.issued_at:
        raise Conflict(f"version {found.version} is older than {kept.version}, which is at hand")
    if found.version == kept.version and found != kept:
        raise Conflict(f"two different lists have the version {found.version}: ask the trust office")


def _anchor(row: object) -> TrustAnchor:
    found = exactly(row, "certificate", "usages", "label")
    try:
        encoded = b64decode(text_of_certificate(found["certificate"]), validate=True)
    except (BinasciiError, ValueError) as exc:
        raise wrong("a certificate is not base64") from exc
    usages = frozenset(text(name) for name in rows(found["usages"], most=50))
    try:
        return TrustAnchor(Certificate(encoded), usages, both(found["label"]))
    except UsageError as exc:
        raise wrong(f"an unknown use: {exc.detail}") from exc


def text_of_certificate(value: object) -> str:
    """The base64 of a certificate, which is longer than other texts."""
    if not isinstance(value, str):
        raise wrong("a certificate is base64")
    return value


def _issuer(row: object) -> ListedIssuer:
    found = exactly(row, "name", "credit_code", "subjects", "hosts", "types")
    hosts = tuple(text(host) for host in rows(found["hosts"], most=MAX_HOSTS))
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise wrong("a host is written in lower case, with its port where it has one")
    return ListedIssuer(
        name=both(found["name"]),
        credit_code=text(found["credit_code"]),
        subjects=tuple(text(subject) for subject in rows(found["subjects"], most=MAX_HOSTS)),
        hosts=hosts,
        types=tuple(_type(item) for item in rows(found["types"], most=MAX_TYPES)),
    )


def _type(row: object) -> ListedType:
    found = exactly(row, "vct", "type_code", "status", "since")
    status, code = found["status"], found["type_code"]
    if status not in STATUSES:
        raise wrong(f"a status is {', '.join(STATUSES)}")
    return ListedType(text(found["vct"]), status, moment(found["since"]), "" if code is None else text(code))


def _anchor_row(anchor: TrustAnchor) -> dict[str, Any]:
    if anchor.label is None:
        raise MalformedInput("trust list", "an anchor in a list has a label")
    return {
        "certificate": b64encode(anchor.certificate.der).decode("ascii"),
        "usages": sorted(anchor.usages),
        "label": anchor.label.to_dict(),
    }


def _issuer_row(issuer: ListedIssuer) -> dict[str, Any]:
    return {
        "name": issuer.name.to_dict(),
        "credit_code": issuer.credit_code,
        "subjects": list(issuer.subjects),
        "hosts": list(issuer.hosts),
        "types": [_type_row(row) for row in issuer.types],
    }


def _type_row(row: ListedType) -> dict[str, Any]:
    since = moment_text(row.since)
    return {"vct": row.vct, "type_code": row.type_code or None, "status": row.status, "since": since}
