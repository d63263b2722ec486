"""An office under supervision: its people work, the log is put in order, an inspector asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.office.supervision.rules import own_rules, read_rules
from credentials.office.supervision.service import By, Search, Supervision
from credentials.office.supervision.watch import Watch
from world.audit import sequencer
from world.disputes import DisputeWorld
from yinxin.base import audit
from yinxin.base.actor import Actor, staff

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.office.supervision.findings import Finding
    from credentials.office.supervision.repository import Inspection, Told
    from credentials.office.supervision.rules import Rule
    from world.pki import Pki
    from yinxin.base.database import Database

EIGHT = samples.credit_code(8)


def rules(*texts: str) -> tuple[Rule, ...]:
    """Rules of these tables, with words."""
    words = 'zh = "甲"\nen = "a"\nlegal_zh = "乙"\nlegal_en = "b"\n'
    return read_rules("".join(f"[[rule]]\n{words}{text}\n" for text in texts))


class SupervisionWorld(DisputeWorld):
    """The office with an inspector of its own and one of agency 8."""

    def __init__(self, pki: Pki, database: Database, *, looked_for: tuple[Rule, ...] | None = None) -> None:
        super().__init__(pki, database)
        self.own = self.agency.credit_code
        self.sun = staff("inspector-sun", agency=self.own, roles=("inspector",))
        self.eight = staff("inspector-8", agency=EIGHT, roles=("inspector",))
        self.watch = Watch(database, rules=looked_for, clock=self.clock)
        self.supervision = Supervision(
            database, index=self.index, rules=looked_for or own_rules(), clock=self.clock, holders_a_day=5
        )

    def begin(self, actor: Actor | None = None) -> Inspection:
        return self.supervision.begin(matter="监察〔2026〕3号", words="群众来信核查", actor=actor or self.sun)

    def sequence(self) -> None:
        while sequencer(self.database).run_once():
            pass

    def run(self) -> int:
        """Put the log in order and read it; how many findings are new."""
        self.sequence()
        return self.watch.run().findings

    def search(self, by: By, sought: str, *, actor: Actor | None = None, **more: Any) -> tuple[Told, ...]:
        self.run()
        who = actor or self.sun
        inspection = self.begin(who)
        return self.supervision.search(inspection.id, Search(by, sought, **more), actor=who).told

    def actions(self, by: By, sought: str, *, actor: Actor | None = None) -> list[str]:
        return [one.line.action for one in self.search(by, sought, actor=actor)]

    def findings(self, actor: Actor | None = None) -> list[Finding]:
        who = actor or self.sun
        return self.supervision.findings(self.begin(who).id, actor=who)

    def wrote(
        self,
        action: str,
        subject: str,
        actor: Actor | None = None,
        *,
        at: datetime | None = None,
        after: timedelta = timedelta(),
        **details: Any,
    ) -> str:
        """An entry as another room would write it."""
        when = (at or self.now) + after
        with self.database.transaction() as session:
            return audit.record(
                session, action=action, subject=subject, actor=actor or self.li, at=when, details=details
            )
