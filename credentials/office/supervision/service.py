"""Supervision for inspectors: read only, for a stated reason, and every look is noted before it is answered.

An inspector belongs to an organisation and looks into that one; into others as far as the scope goes that two
people gave. Whatever lies outside is not there. Nothing of the office can be changed from here: an inspector
closes findings, and people of the organisation explain them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from credentials.licence import CHINA
from credentials.office.disputes.dispute import check_words
from credentials.office.supervision.findings import Finding, FindingState, Remark
from credentials.office.supervision.findings.repository import FindingRepository, StoredFinding
from credentials.office.supervision.repository import (
    Inspection,
    InspectionRepository,
    LineRepository,
    Told,
)
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind, one_spelling
from yinxin.base.audit import AuditLog
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted, TooManyRequests, UsageError
from yinxin.base.identifiers import CreditCode
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from credentials.blind_index import BlindIndex
    from credentials.office.supervision.rules import Rule
    from yinxin.base.database import Database, Session

INSPECTOR = "inspector"
EXPLAINERS = frozenset({"registrar", "approver"})
INSPECTION_LIFE = timedelta(hours=4)
MAX_MATTER, MAX_REASON, MAX_SOUGHT, MAX_LINES = 64, 500, 160, 200
HOLDERS_A_DAY = 100
SMALL_COUNT = 5
# What may be a person, in whatever field it was typed: a citizen's number, a telephone, a name.
_PERSONAL = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}|1[0-9]{10}|[^\x00-\x7f]+")


class By(StrEnum):
    """What one searches by."""

    CASE = "case"
    OFFICER = "officer"
    HOLDER = "holder"
    SEAL = "seal"
    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class Search:
    """What is sought: one thing, whole. `after` is the last log index of the page before."""

    by: By
    sought: str
    after: int = -1
    limit: int = 50

    def __post_init__(self) -> None:
        if not 0 < len(self.sought.strip()) <= MAX_SOUGHT or not self.sought.isprintable():
            raise UsageError("say what is sought: one case, officer, holder, seal or licence")
        if not 0 < self.limit <= MAX_LINES or self.after < -1:
            raise UsageError(f"a page has 1 to {MAX_LINES} lines")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `is_all` says whether there are no more lines, `log_size` how far the log goes."""

    told: tuple[Told, ...]
    is_all: bool
    log_size: int


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was done in a month; None when it was seldom enough to point at somebody."""

    organisation: str
    action: str
    count: int | None


class Supervision:
    """What inspectors may do. `index` finds holders; their codes stand nowhere in what is noted."""

    def __init__(  # noqa: PLR0913 - what supervision stands on
        self,
        database: Database,
        *,
        index: BlindIndex,
        rules: Sequence[Rule],
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        holders_a_day: int = HOLDERS_A_DAY,
    ) -> None:
        self._database, self._index, self.rules = database, index, tuple(rules)
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._holders_a_day, self._log = holders_a_day, AuditLog(database)

    def grant(self, inspector: str, organisation: str, *, actor: Actor, witness: Actor) -> None:
        """Let an inspector look into another organisation: two people decide it, neither is the inspector.

        `Conflict` when the inspector may do so already.
        """
        spelt = self._deciding(inspector, organisation, actor, witness)
        now, by = self._clock.now(), f"{actor} {witness}"
        with self._database.transaction() as session:
            if not InspectionRepository(session).grant(spelt, organisation, by=by, at=now):
                raise Conflict("the inspector may look into this organisation already")
            self._record_scope(session, "grant", spelt, organisation, actor, witness)

    def withdraw(self, inspector: str, organisation: str, *, actor: Actor, witness: Actor) -> None:
        """Take a grant back; `NotFound` when there is none."""
        spelt = self._deciding(inspector, organisation, actor, witness)
        with self._database.transaction() as session:
            if not InspectionRepository(session).withdraw(spelt, organisation):
                raise NotFound("the inspector has no such grant")
            self._record_scope(session, "withdraw", spelt, organisation, actor, witness)

    def scope(self, actor: Actor) -> frozenset[str]:
        """The organisations that an inspector may look into; `NotPermitted` (noted) for who is none."""
        self._require_inspector(actor, "scope")
        with self._database.reading() as session:
            return InspectionRepository(session).scope(actor.identifier) | {actor.agency or ""}

    def begin(self, *, matter: str, words: str, actor: Actor) -> Inspection:
        """State the reason for what is looked up in the next hours: the matter's number, and words."""
        self._require_inspector(actor, "begin")
        number, said = matter.strip(), check_words(words)
        if not 0 < len(number) <= MAX_MATTER or not number.isprintable() or len(said) > MAX_REASON:
            raise UsageError(f"a reason is a matter's number and up to {MAX_REASON} characters of words")
        now = self._clock.now()
        inspection = Inspection(
            id=random_text(self._randomness),
            inspector=actor.identifier,
            organisation=actor.agency or "",
            matter=number,
            words=said,
            begun_at=now,
            ends_at=now + INSPECTION_LIFE,
        )
        with self._database.transaction() as session:
            InspectionRepository(session).add(inspection)
            digest = hashlib.sha256(said.encode()).hexdigest()
            self._record(session, "begin", inspection, actor, {"words": digest})
        return inspection

    def inspection(self, inspection_id: str, *, actor: Actor) -> Inspection:
        """An inspector's own inspection that is not over; `NotPermitted` else: no look without a reason."""
        self._require_inspector(actor, "inspection")
        with self._database.reading() as session:
            found = InspectionRepository(session).inspection(inspection_id, inspector=actor.identifier)
        if found is None or found.ends_at <= self._clock.now() or found.organisation != actor.agency:
            raise NotPermitted("state a reason first: which matter, and why")
        return found

    def search(self, inspection_id: str, search: Search, *, actor: Actor) -> Found:
        """The lines about one case, officer, holder, seal or licence within the scope, oldest first."""
        scope = self.scope(actor)
        noted = {"by": str(search.by), "sought": self._sought(search)}
        self._look(inspection_id, "search", actor, noted, kind=search.by)
        is_holder, sought = search.by is By.HOLDER, search.sought.strip()
        with self._database.reading() as session:
            told = LineRepository(session).search(
                str(search.by),
                one_spelling(sought) if search.by is By.OFFICER else sought,
                holder=self._index.of("holder", sought) if is_holder else None,
                scope=scope,
                after=search.after,
                limit=search.limit + 1,
            )
        return Found(tuple(told[: search.limit]), len(told) <= search.limit, self._log.size())

    def prove(self, inspection_id: str, entries: Collection[str], *, actor: Actor) -> list[dict[str, str]]:
        """For each entry within the scope its id, its digest and the offline proof that it is in the log."""
        if not 0 < len(entries) <= MAX_LINES:
            raise UsageError(f"1 to {MAX_LINES} lines are proven at once")
        scope = self.scope(actor)
        self._look(inspection_id, "prove", actor, {"entries": len(entries)}, kind="proof")
        with self._database.reading() as session:
            told = LineRepository(session).of_entries(entries, scope=scope)
        if len(told) != len(set(entries)):
            raise NotFound("not all of these lines are there")
        names = [one.line.entry_id for one in told]
        return [
            {
                "entry": name,
                "digest": self._log.entry(name).digest.hex(),
                "proof": self._log.offline_proof(name),
            }
            for name in names
        ]

    def findings(
        self,
        inspection_id: str,
        *,
        actor: Actor,
        states: Collection[FindingState] = (FindingState.OPEN, FindingState.EXPLAINED),
        rule: str | None = None,
        limit: int = 100,
    ) -> list[Finding]:
        """Findings within the scope, the newest first."""
        scope = self.scope(actor)
        self._look(inspection_id, "findings", actor, {"states": sorted(map(str, states))}, kind="finding")
        with self._database.reading() as session:
            return FindingRepository(session).of(scope, states=states, rule=rule, limit=limit)

    def finding(
        self, inspection_id: str, finding_id: str, *, actor: Actor
    ) -> tuple[Finding, tuple[Told, ...]]:
        """A finding within the scope with its lines."""
        scope = self.scope(actor)
        self._look(inspection_id, "finding", actor, {"finding": finding_id[:32]}, kind="finding")
        with self._database.reading() as session:
            found = FindingRepository(session).find(finding_id).finding
            _require_in(scope, found)
            told = LineRepository(session).at([index for index, _ in found.entries], scope=scope)
        return found, tuple(told)

    def explained(self, finding_id: str, *, actor: Actor) -> Finding:
        """A finding, for those who may explain it: whom it is about, and who answers for the organisation."""
        with self._database.reading() as session:
            return self._to_explain(session, finding_id, actor).finding

    def explain(self, finding_id: str, *, words: str, actor: Actor) -> Finding:
        """Say how something came about; it waits for an inspector then. `Conflict` once it is closed."""
        said, now = check_words(words), self._clock.now()
        with self._database.transaction() as session:
            stored = self._to_explain(session, finding_id, actor)
            if stored.finding.state is FindingState.CLOSED:
                raise Conflict("the finding is closed")
            remark = Remark(str(actor), now, said)
            changed = replace(stored.finding, state=FindingState.EXPLAINED, explanation=remark)
            return self._change(session, stored, changed, "explain", actor, said)

    def close(self, inspection_id: str, finding_id: str, *, words: str, actor: Actor) -> Finding:
        """End a finding. `NotPermitted` for one about the inspector; `Conflict` unless it was explained."""
        scope, said = self.scope(actor), check_words(words)
        inspection, now = self.inspection(inspection_id, actor=actor), self._clock.now()
        with self._database.transaction() as session:
            stored = FindingRepository(session).find(finding_id)
            _require_in(scope, stored.finding)
            if actor.identifier in stored.finding.officers:
                raise NotPermitted("nobody closes a finding about themselves")
            if stored.finding.state is not FindingState.EXPLAINED:
                raise Conflict("a finding is closed once somebody has explained it")
            changed = replace(
                stored.finding, state=FindingState.CLOSED, closing=Remark(str(actor), now, said)
            )
            return self._change(session, stored, changed, "close", actor, said, matter=inspection.matter)

    def counts(self, month: str, *, actor: Actor) -> list[Count]:
        """How often what was done in a month (`2026-11`), by organisation; small counts are left out.

        No line is read for it and nobody is named, so it needs no reason.
        """
        scope = self.scope(actor)
        since, until = _month(month)
        with self._database.reading() as session:
            found = LineRepository(session).counts(since=since, until=until, scope=scope)
        return [Count(where, what, count if count >= SMALL_COUNT else None) for where, what, count in found]

    def _sought(self, search: Search) -> str:
        """What the log says was sought: a person by a digest that no table has, anything else by its name."""
        sought = search.sought.strip()
        if search.by is not By.HOLDER and not _PERSONAL.fullmatch(sought):
            return sought
        return self._index.of(f"inspected {search.by}", sought).hex()[:32]

    def _look(
        self, inspection_id: str, verb: str, actor: Actor, details: Mapping[str, Any], *, kind: str
    ) -> None:
        """Note a look-up, before it is answered; too many holders in a day are none of anybody's matters."""
        inspection, now = self.inspection(inspection_id, actor=actor), self._clock.now()
        with self._database.transaction() as session:
            repository = InspectionRepository(session)
            since = now - timedelta(days=1)
            is_over = (
                kind == By.HOLDER
                and repository.count(actor.identifier, kind, since=since) >= self._holders_a_day
            )
            said = {**details, "refused": "too many holders"} if is_over else details
            entry = self._record(session, "refused" if is_over else verb, inspection, actor, said)
            repository.note(entry, inspection, str(kind), at=now)
        if is_over:
            raise TooManyRequests("too many holders were looked up today", retry_after=timedelta(hours=24))

    def _require_inspector(self, actor: Actor, verb: str) -> None:
        if actor.kind is ActorKind.STAFF and actor.agency and INSPECTOR in actor.roles:
            return
        with self._database.transaction() as session:
            details = {"office": actor.agency or "", "verb": verb}
            now, subject = self._clock.now(), f"supervision:{actor.agency or 'nobody'}"
            audit.record(
                session, action="inspection.refused", subject=subject, actor=actor, at=now, details=details
            )
        raise NotPermitted(f"{actor} is no inspector")

    @staticmethod
    def _deciding(inspector: str, organisation: str, actor: Actor, witness: Actor) -> str:
        spelt, people = one_spelling(inspector), {actor.identifier, witness.identifier}
        if {actor.kind, witness.kind} != {ActorKind.STAFF} or len(people | {spelt}) < len("abc"):
            raise NotPermitted("two different people, neither of them the inspector, decide on a scope")
        if str(CreditCode.parse(organisation)) != organisation:
            raise MalformedInput("organisation", "not a unified social credit code")
        return spelt

    @staticmethod
    def _to_explain(session: Session, finding_id: str, actor: Actor) -> StoredFinding:
        stored = FindingRepository(session).find(finding_id)
        own = actor.kind is ActorKind.STAFF and actor.agency == stored.finding.organisation
        if not own or not (actor.roles & EXPLAINERS or actor.identifier in stored.finding.officers):
            raise NotFound("no such finding")
        return stored

    def _change(  # noqa: PLR0913, PLR0917 - the facts of a change
        self,
        session: Session,
        before: StoredFinding,
        after: Finding,
        verb: str,
        actor: Actor,
        words: str,
        **more: str,
    ) -> Finding:
        FindingRepository(session).change(before, after)
        details = {"office": after.organisation, "rule": after.rule, "state": str(after.state), **more}
        details["words"] = hashlib.sha256(words.encode()).hexdigest()
        subject, now = f"finding:{after.id}", self._clock.now()
        audit.record(session, action=f"finding.{verb}", subject=subject, actor=actor, at=now, details=details)
        return after

    def _record(
        self, session: Session, verb: str, inspection: Inspection, actor: Actor, details: Mapping[str, Any]
    ) -> str:
        subject, now = f"inspection:{inspection.id}", self._clock.now()
        said = {"matter": inspection.matter, **details}
        return audit.record(
            session, action=f"inspection.{verb}", subject=subject, actor=actor, at=now, details=said
        )

    def _record_scope(  # noqa: PLR0913, PLR0917 - the facts of a grant
        self, session: Session, verb: str, inspector: str, organisation: str, actor: Actor, witness: Actor
    ) -> None:
        details = {"organisation": organisation, "witness": str(witness)}
        subject, now = f"inspector:{inspector}", self._clock.now()
        audit.record(
            session, action=f"supervision.{verb}", subject=subject, actor=actor, at=now, details=details
        )


def _require_in(scope: Collection[str], finding: Finding) -> None:
    if finding.organisation not in scope:
        raise NotFound("no such finding")


def _month(text: str) -> tuple[datetime, datetime]:
    """The beginning and the end of a month in Beijing."""
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=CHINA)
    except ValueError as exc:
        raise UsageError("a month is written 2026-11") from exc
    return first, (first + timedelta(days=32)).replace(day=1)
