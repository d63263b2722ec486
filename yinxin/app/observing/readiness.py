"""Is a service ready to be asked? What stands against it, as codes with a text in both languages.

Ready means that an answer would be right: the database is there and has the tables of this version, and what
verification stands on is as fresh as verification itself demands. `/healthz` asks none of this: a process
that is alive and not ready is to be left alone, not to be ended.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from signing.revocation.snapshot import WITHOUT_NEXT_UPDATE
from signing.trust_list import Freshness
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.revocation import Crl
    from verify_api.documents import Snapshots
    from yinxin.app.gathering.library import Gathered
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

GATHERED_WITHIN = timedelta(days=1)
KEPT_SECONDS = 1.0  # an answer serves all who ask within it


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands against being ready, or, unless it `stops`, that somebody has to look at soon."""

    code: str
    says: Text
    stops: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"code": self.code, "says": self.says.to_dict()}


STOPPING = Reason("stopping", Text("正在停止", "it is stopping"))
DATABASE_AWAY = Reason("database_away", Text("数据库无法访问", "the database cannot be reached"))
NOT_MIGRATED = Reason(
    "migrations_pending", Text("数据库表结构不是本版本的", "the database's tables are of another version")
)
NO_TRUST = Reason("trust_empty", Text("信任库为空", "the trust store is empty"))
TRUST_EXPIRED = Reason("trust_expired", Text("没有仍在有效期内的信任锚", "no trust anchor is valid any more"))
REVOCATION_MISSING = Reason(
    "revocation_missing", Text("尚未取得应有的吊销列表", "a revocation list that is needed was never fetched")
)
REVOCATION_STALE = Reason("revocation_stale", Text("吊销列表已过期", "a revocation list is out of date"))
LIST_STALE = Reason(
    "trust_list_stale",
    Text("信任列表已过期，正在宽限期内沿用", "the trust list is past its end and serves within its grace"),
    stops=False,
)
LIST_MISSING = Reason(
    "trust_list_unavailable",
    Text("没有可用的信任列表，或已超过宽限期", "no trust list is at hand, or it is past its grace"),
)
EVIDENCE_MISSING = Reason(
    "evidence_missing",
    Text("部分证书缺少有效的吊销数据", "some certificates have no current revocation data"),
    stops=False,
)
GATHERING_LATE = Reason(
    "gathering_late",
    Text("超过一天未收集吊销数据", "revocation data were not gathered for a day"),
    stops=False,
)
GATHERED_UNREADABLE = Reason(
    "gathered_unreadable",
    Text("收集的吊销数据已损坏", "what was gathered is damaged"),
)
STATUS_MISSING = Reason("status_missing", Text("尚未取得状态列表", "the status lists were never fetched"))
STATUS_STALE = Reason("status_stale", Text("状态列表已过期", "a status list is out of date"))
KEY_EXPIRED = Reason(
    "key_expired", Text("签名密钥的证书已到期", "the certificate of a signing key has ended")
)


@dataclass
class Readiness:
    """Of one role in one process. `checks` say what stands against it at a time."""

    clock: Clock
    checks: list[Callable[[datetime], Iterable[Reason]]] = field(default_factory=list)
    is_stopping: bool = False
    _gate: threading.Lock = field(default_factory=threading.Lock)
    _found: tuple[Reason, ...] = ()
    _looked_at: float | None = None

    def look(self) -> tuple[Reason, ...]:
        """What stands against it now; nothing that stops when it is ready. May wait for the database."""
        if self.is_stopping:
            return (STOPPING,)
        with self._gate:
            if self._looked_at is None or time.monotonic() - self._looked_at >= KEPT_SECONDS:
                now = self.clock.now()
                self._found = tuple(dict.fromkeys(reason for check in self.checks for reason in check(now)))
                self._looked_at = time.monotonic()
            return self._found

    def forget(self) -> None:
        """Look again at the next question."""
        self._looked_at = None


def database_check(database: Database) -> Callable[[datetime], Iterator[Reason]]:
    """The database is there, and its tables are those of this version."""

    def check(_now: datetime) -> Iterator[Reason]:
        try:
            if not database.is_migrated():
                yield NOT_MIGRATED
        except YinxinError:
            yield DATABASE_AWAY

    return check


def keys_check(chains: Mapping[str, Certificate]) -> Callable[[datetime], Iterator[Reason]]:
    """The certificates of a role's keys hold."""

    def check(now: datetime) -> Iterator[Reason]:
        if any(certificate.not_after <= now for certificate in chains.values()):
            yield KEY_EXPIRED

    return check


def snapshots_check(
    read: Callable[[], Snapshots], *, lists: bool, unanswered: Callable[[], Collection[str]]
) -> Callable[[datetime], Iterator[Reason]]:
    """What verification stands on is there and fresh.

    `lists`: whether the settings name revocation lists; `unanswered`: which aggregations of status lists were
    never reached (an issuer without any list has answered too).
    """

    def check(now: datetime) -> Iterator[Reason]:
        kept = read()
        yield from _trust(kept, now)
        yield from _trust_list(kept, now)
        yield from _revocation(kept, now, wanted=lists)
        if unanswered():
            yield STATUS_MISSING
        if any(not snapshot.is_fresh(now) for snapshot in kept.statuses.values()):
            yield STATUS_STALE

    return check


def gathering_check(read: Callable[[], Gathered]) -> Callable[[datetime], Iterator[Reason]]:
    """What was gathered can be read, is not old, and left nobody without evidence."""

    def check(now: datetime) -> Iterator[Reason]:
        try:
            found = read()
        except YinxinError:
            yield GATHERED_UNREADABLE
            return
        if found.missing:
            yield EVIDENCE_MISSING
        if found.made_at and now - found.made_at > GATHERED_WITHIN:
            yield GATHERING_LATE

    return check


def ages(kept: Snapshots, now: datetime) -> dict[str, float]:
    """The age in seconds of the oldest list of each kind."""
    made = {
        "revocation": [crl.this_update for crl in kept.revocation.crls],
        "status": [snapshot.issued_at for snapshot in kept.statuses.values()],
    }
    return {kind: (now - min(times)).total_seconds() for kind, times in made.items() if times}


def _trust(kept: Snapshots, now: datetime) -> Iterator[Reason]:
    anchors = kept.trust.anchors
    if not anchors:
        yield NO_TRUST
    elif all(anchor.certificate.not_after <= now for anchor in anchors):
        yield TRUST_EXPIRED


def _trust_list(kept: Snapshots, now: datetime) -> Iterator[Reason]:
    if kept.trust_list is None:
        return
    age = kept.trust_list.freshness(now)
    if age is not Freshness.FRESH:
        yield LIST_STALE if age is Freshness.STALE else LIST_MISSING


def _revocation(kept: Snapshots, now: datetime, *, wanted: bool) -> Iterator[Reason]:
    crls = kept.revocation.crls
    if wanted and not crls:
        yield REVOCATION_MISSING
    limit = kept.policy.max_revocation_age
    # An authority's newest list counts: an older one beside it spoils nothing.
    newest: dict[bytes, Crl] = {}
    for crl in sorted(crls, key=lambda crl: crl.this_update):
        newest[crl.issuer_der] = crl
    for crl in newest.values():
        end = crl.next_update or crl.this_update + WITHOUT_NEXT_UPDATE
        if end < now or (limit is not None and now - crl.this_update > limit):
            yield REVOCATION_STALE
            return
