"""The watch: reads the log on from where it was, makes lines of it, and asks every rule about them.

Each portion is one transaction that begins with the cursor's move, so a run that was killed goes on where
it stopped, and of two that run at once one gives way. A rule in a new form is asked about everything from
the beginning; what it finds again is no second finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.office.supervision.checks import Overdue
from credentials.office.supervision.findings import finding_of
from credentials.office.supervision.findings.repository import FindingRepository
from credentials.office.supervision.lines import line_of
from credentials.office.supervision.repository import BEGINNING, LineRepository, RuleHistory
from credentials.office.supervision.rules import own_rules
from yinxin.base import audit
from yinxin.base.actor import system
from yinxin.base.audit import AuditLog
from yinxin.base.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlmodel import Session

    from credentials.office.supervision.checks import Suspicion
    from credentials.office.supervision.rules import Rule
    from yinxin.base.database import Database

PORTION = 1000
_LINES = "lines"
WATCH = system("supervision")


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run did: new lines, and new findings."""

    lines: int
    findings: int


class Watch:
    """Reads the log of one database under some rules."""

    def __init__(
        self, database: Database, *, rules: Sequence[Rule] | None = None, clock: Clock | None = None
    ) -> None:
        self._database, self._rules = database, tuple(own_rules() if rules is None else rules)
        self._clock = clock or SystemClock()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What is looked for."""
        return self._rules

    def run(self) -> Progress:
        """Read on to the log's end; what another process is at is left to it."""
        lines = sum(iter(self._read_on, 0))
        return Progress(lines, sum(self._ask_on(rule) for rule in self._rules))

    def _read_on(self) -> int:
        """One portion of the log; how many entries it had, none when somebody else was faster."""
        with self._database.reading() as session:
            before = LineRepository(session).cursor(_LINES)
        entries = AuditLog(self._database).entries(after=before, limit=PORTION)
        if not entries:
            return 0
        found = [line for line in map(line_of, entries) if line is not None]
        with self._database.transaction() as session:
            repository = LineRepository(session)
            if not repository.move(_LINES, before=before, after=entries[-1].log_index):
                return 0
            repository.add(found)
        return len(entries)

    def _ask_on(self, rule: Rule) -> int:
        """Ask a rule about everything that it has not seen, and about what is over its term by now."""
        found = 0
        while (new := self._ask(rule)) is not None:
            found += new
        if isinstance(rule.check, Overdue):
            found += self._sweep(rule, rule.check)
        return found

    def _ask(self, rule: Rule) -> int | None:
        """One portion of lines; how many findings are new, None when there is nothing to do."""
        name = f"rule:{rule.digest}"
        with self._database.transaction() as session:
            repository = LineRepository(session)
            before, last = repository.cursor(name), repository.cursor(_LINES)
            if before >= last:
                return None
            lines = repository.after(before, actions=rule.check.watched, limit=PORTION)
            last = lines[-1].log_index if len(lines) == PORTION else last
            if not repository.move(name, before=before, after=last):
                return None
            history = RuleHistory(session, rule, last=last)
            return self._keep(session, rule, rule.check.look(lines, history))

    def _sweep(self, rule: Rule, check: Overdue) -> int:
        with self._database.transaction() as session:
            last = LineRepository(session).cursor(f"rule:{rule.digest}")
            if last == BEGINNING:
                return 0
            history = RuleHistory(session, rule, last=last)
            return self._keep(session, rule, check.sweep(self._clock.now(), history))

    def _keep(self, session: Session, rule: Rule, suspicions: Iterable[Suspicion]) -> int:
        now = self._clock.now()
        findings = [finding_of(rule.id, one, at=now) for one in suspicions]
        new = FindingRepository(session).add_new(findings)
        for one in new:
            details = {"rule": one.rule, "office": one.organisation, "count": one.count}
            audit.record(
                session,
                action="finding.open",
                subject=f"finding:{one.id}",
                actor=WATCH,
                at=now,
                details=details,
            )
        return len(new)
