"""Every query about lines, scopes, inspections and what rules remember. Never commits."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from credentials.office.records import CaseRecord
from credentials.office.supervision.lines import Line
from credentials.office.supervision.records import (
    CursorRecord,
    InspectionRecord,
    LineRecord,
    LookUpRecord,
    RunningRecord,
    ScopeRecord,
    TallyRecord,
)
from credentials.records import LicenceRecord
from yinxin.base.audit.records import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Table
    from sqlmodel import Session

    from credentials.office.supervision.rules import Rule


def _table(record: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(record.__tablename__)]


_LINES, _CURSORS, _RUNNING = _table(LineRecord), _table(CursorRecord), _table(RunningRecord)
_SCOPES, _INSPECTIONS, _LOOK_UPS = _table(ScopeRecord), _table(InspectionRecord), _table(LookUpRecord)
_TALLIES, _CASES, _LICENCES = _table(TallyRecord), _table(CaseRecord), _table(LicenceRecord)
_NAMES = tuple(one.name for one in fields(Line))
BEGINNING = -1
MAX_LICENCES = 1000


@dataclass(frozen=True, slots=True)
class Inspection:
    """A time in which an inspector looks things up: for which matter, in which words."""

    id: str
    inspector: str
    organisation: str
    matter: str
    words: str
    begun_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A line with what its entry says; `details` is None once the entry was erased."""

    line: Line
    details: Mapping[str, Any] | None


class LineRepository:
    """Lines, and how far they were read."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def cursor(self, name: str) -> int:
        """The last log index that this reader has seen."""
        found = self._session.scalar(select(_CURSORS.c.log_index).where(_CURSORS.c.name == name))
        return BEGINNING if found is None else int(found)

    def move(self, name: str, *, before: int, after: int) -> bool:
        """Move a cursor on; False when somebody else moved it meanwhile."""
        if before == BEGINNING:
            first = _upsert(self._session)(_CURSORS).values(name=name, log_index=after)
            moved = first.on_conflict_do_nothing().returning(_CURSORS.c.name)
        else:
            wanted = (_CURSORS.c.name == name) & (_CURSORS.c.log_index == before)
            moved = update(_CURSORS).where(wanted).values(log_index=after).returning(_CURSORS.c.name)
        return self._session.execute(moved).first() is not None

    def add(self, lines: Iterable[Line]) -> None:
        """Store new lines."""
        rows = [_row(line) for line in lines]
        if rows:
            self._session.execute(insert(_LINES), rows)

    def after(self, log_index: int, *, actions: Collection[str], limit: int) -> list[Line]:
        """The lines of these actions after a log index, in their order."""
        wanted = (_LINES.c.log_index > log_index) & _LINES.c.action.in_(sorted(actions))
        query = select(_LINES).where(wanted).order_by(_LINES.c.log_index)
        return [_line(row) for row in self._session.execute(query.limit(limit))]

    def search(  # noqa: PLR0913 - a page of one thing's lines
        self,
        by: str,
        sought: str,
        *,
        holder: bytes | None,
        scope: Collection[str],
        after: int,
        limit: int,
    ) -> list[Told]:
        """Lines about one thing within a scope, in their order; `holder` is the index of a holder's code."""
        wanted = self._about(by, sought, holder, scope)
        return self._told(wanted & (_LINES.c.log_index > after), scope, limit)

    def of_entries(self, entries: Collection[str], *, scope: Collection[str]) -> list[Told]:
        """The lines of these entries that are within a scope."""
        return self._told(ENTRIES.c.entry_id.in_(entries), scope, len(entries) or 1)

    def at(self, indexes: Collection[int], *, scope: Collection[str]) -> list[Told]:
        """The lines at these log indexes that are within a scope."""
        return self._told(_LINES.c.log_index.in_(indexes), scope, len(indexes) or 1)

    def counts(
        self, *, since: datetime, until: datetime, scope: Collection[str]
    ) -> list[tuple[str, str, int]]:
        """(organisation, action, how often) in a time."""
        when = (_LINES.c.at >= since) & (_LINES.c.at < until) & _LINES.c.organisation.in_(scope)
        query = select(_LINES.c.organisation, _LINES.c.action, func.count()).where(when)
        query = query.group_by(_LINES.c.organisation, _LINES.c.action)
        rows = self._session.execute(query.order_by(_LINES.c.organisation, _LINES.c.action))
        return [(row[0], row[1], row[2]) for row in rows]

    def _about(
        self, by: str, sought: str, holder: bytes | None, scope: Collection[str]
    ) -> ColumnElement[bool]:
        if by == "officer":
            return (_LINES.c.actor == sought) & (_LINES.c.actor_kind == "staff")
        if by == "seal":
            return _LINES.c.seal == sought
        if by == "case":
            named = (_CASES.c.number == sought) | (_CASES.c.id == sought)
            query = select(_CASES.c.id, _CASES.c.sealed_as).where(named & _CASES.c.agency.in_(scope))
            rows = self._session.execute(query).all()
            of_licence = _LINES.c.licence.in_([row.sealed_as for row in rows if row.sealed_as])
            return or_(_LINES.c.case_id.in_([row.id for row in rows]), of_licence)
        licences = [sought] if holder is None else self._licences_of(holder, scope)
        cases = select(_CASES.c.id).where(_CASES.c.sealed_as.in_(licences)).limit(MAX_LICENCES)
        led_to_them = _LINES.c.case_id.in_(list(self._session.scalars(cases)))
        return or_(_LINES.c.licence.in_(licences), led_to_them)

    def _licences_of(self, holder: bytes, scope: Collection[str]) -> list[str]:
        """Every version of the licences that a holder has of these agencies."""
        wanted = (_LICENCES.c.holder_index == holder) & _LICENCES.c.agency_code.in_(scope)
        query = select(_LICENCES.c.identifier).where(wanted).order_by(_LICENCES.c.identifier)
        return list(self._session.scalars(query.limit(MAX_LICENCES)))

    def _told(self, wanted: ColumnElement[bool], scope: Collection[str], limit: int) -> list[Told]:
        """Lines within a scope, in their order, with what their entries say."""
        own = or_(_LINES.c.organisation.in_(scope), _LINES.c.office.in_(scope))
        query = select(_LINES, ENTRIES.c.body).join(ENTRIES, ENTRIES.c.log_index == _LINES.c.log_index)
        query = query.where(wanted & own).order_by(_LINES.c.log_index)
        return [_told(row) for row in self._session.execute(query.limit(limit))]


class InspectionRepository:
    """Scopes, inspections and look-ups."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def scope(self, inspector: str) -> frozenset[str]:
        """The organisations beside the own one that an inspector may look into."""
        query = select(_SCOPES.c.organisation).where(_SCOPES.c.inspector == inspector)
        return frozenset(self._session.scalars(query))

    def grant(self, inspector: str, organisation: str, *, by: str, at: datetime) -> bool:
        """Widen a scope; False when it was that wide before."""
        row = {"inspector": inspector, "organisation": organisation, "granted_by": by, "granted_at": at}
        if organisation in self.scope(inspector):
            return False
        self._session.execute(insert(_SCOPES).values(**row))
        return True

    def withdraw(self, inspector: str, organisation: str) -> bool:
        """Narrow a scope; False when it was that narrow before."""
        wanted = (_SCOPES.c.inspector == inspector) & (_SCOPES.c.organisation == organisation)
        gone = self._session.execute(delete(_SCOPES).where(wanted))
        return bool(gone.rowcount)  # type: ignore[attr-defined]  # a CursorResult

    def add(self, inspection: Inspection) -> None:
        """Store the beginning of an inspection."""
        row = {one.name: getattr(inspection, one.name) for one in fields(Inspection)}
        self._session.execute(insert(_INSPECTIONS).values(**row))

    def inspection(self, inspection_id: str, *, inspector: str) -> Inspection | None:
        """An inspector's own inspection."""
        wanted = (_INSPECTIONS.c.id == inspection_id) & (_INSPECTIONS.c.inspector == inspector)
        row = self._session.execute(select(_INSPECTIONS).where(wanted)).one_or_none()
        return Inspection(**{one.name: getattr(row, one.name) for one in fields(Inspection)}) if row else None

    def note(self, entry_id: str, inspection: Inspection, kind: str, *, at: datetime) -> None:
        """Note a look-up."""
        row = {"entry_id": entry_id, "inspection": inspection.id, "inspector": inspection.inspector}
        self._session.execute(insert(_LOOK_UPS).values(**row, kind=kind, at=at))

    def count(self, inspector: str, kind: str, *, since: datetime) -> int:
        """How many look-ups of a kind an inspector made since a time."""
        wanted = (_LOOK_UPS.c.inspector == inspector) & (_LOOK_UPS.c.kind == kind) & (_LOOK_UPS.c.at >= since)
        return self._session.scalar(select(func.count()).select_from(_LOOK_UPS).where(wanted)) or 0


class RuleHistory:
    """What a rule's check may ask and keep, up to the last of the lines that it is told of."""

    def __init__(self, session: Session, rule: Rule, *, last: int) -> None:
        self._session, self._rule, self._last = session, rule.digest, last

    def of_cases(self, cases: Collection[str]) -> Mapping[str, Sequence[Line]]:
        """Every line of these cases so far, in their order."""
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self._lines(_LINES.c.case_id.in_(cases)):
            found[line.case or ""].append(line)
        return found

    def of_actors(
        self, actors: Collection[str], *, since: datetime, actions: Collection[str] = ()
    ) -> Mapping[str, Sequence[Line]]:
        """The lines of these people since a time; only of these actions, where named."""
        first = self._session.scalar(
            select(_LINES.c.log_index).where(_LINES.c.at >= since).order_by(_LINES.c.at).limit(1)
        )
        wanted = _LINES.c.actor.in_(actors) & (_LINES.c.log_index >= (first or 0))
        if actions:
            wanted &= _LINES.c.action.in_(actions)
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self._lines(wanted):
            found[line.actor].append(line)
        return found

    def tally(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Add to this rule's counts."""
        if not counts:
            return
        statement = _upsert(self._session)(_TALLIES)
        added = _TALLIES.c.count + statement.excluded["count"]
        statement = statement.on_conflict_do_update(
            index_elements=["rule", "bucket", "name"], set_={"count": added}
        )
        rows = [
            {"rule": self._rule, "bucket": bucket, "name": name, "count": count}
            for (bucket, name), count in sorted(counts.items())
        ]
        self._session.execute(statement, rows)

    def counted(self, buckets: Collection[str]) -> Mapping[str, Mapping[str, int]]:
        """This rule's counts: bucket → name → how many."""
        wanted = (_TALLIES.c.rule == self._rule) & _TALLIES.c.bucket.in_(buckets)
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for row in self._session.execute(select(_TALLIES).where(wanted)).mappings():
            found[row["bucket"]][row["name"]] = row["count"]
        return found

    def begin(self, due: Mapping[str, tuple[int, datetime]]) -> None:
        """These subjects must end by their term; a later term counts."""
        self.end(due)
        rows = [
            {"rule": self._rule, "subject": subject, "log_index": index, "due_at": at}
            for subject, (index, at) in due.items()
        ]
        if rows:
            self._session.execute(insert(_RUNNING), rows)

    def end(self, subjects: Collection[str]) -> None:
        """These ended."""
        if subjects:
            wanted = (_RUNNING.c.rule == self._rule) & _RUNNING.c.subject.in_(subjects)
            self._session.execute(delete(_RUNNING).where(wanted))

    def overdue(self, now: datetime) -> Sequence[Line]:
        """The lines by which what is over its term began; each is told once."""
        over = (_RUNNING.c.rule == self._rule) & (_RUNNING.c.due_at <= now)
        rows = self._session.execute(delete(_RUNNING).where(over).returning(_RUNNING.c.log_index))
        indexes = [row.log_index for row in rows]
        return [line for some in _portions(indexes) for line in self._lines(_LINES.c.log_index.in_(some))]

    def types_of(self, cases: Collection[str]) -> Mapping[str, str]:
        """The licence types of cases."""
        rows = self._session.execute(select(_CASES.c.id, _CASES.c.work).where(_CASES.c.id.in_(cases)))
        return {row.id: row.work["type"] for row in rows}

    def _lines(self, wanted: ColumnElement[bool]) -> list[Line]:
        query = select(_LINES).where(wanted & (_LINES.c.log_index <= self._last))
        return [_line(row) for row in self._session.execute(query.order_by(_LINES.c.log_index))]


def _upsert(session: Session) -> Callable[[Table], Any]:
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert


def _portions(values: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _row(line: Line) -> dict[str, Any]:
    row = {name: getattr(line, name) for name in _NAMES}
    return {**row, "case_id": row.pop("case")}


def _line(row: Any) -> Line:
    return Line(*row[: len(_NAMES)])  # the table's columns stand in the order of the value's fields


def _told(row: Any) -> Told:
    return Told(_line(row), json.loads(row.body)["details"] if row.body is not None else None)
