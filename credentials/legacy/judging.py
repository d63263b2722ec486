"""Decide on one row of an older register: usable as it is, with fixes, or refused with every reason.

Pure: the same row, mapping and type give the same answer. What is in the registers already is not known here;
`credentials.legacy.importing` asks them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from credentials.fields import FieldKind
from credentials.legacy.mapping import FIX_NAMES, Column, Fix, LegacyMapping
from credentials.legacy.repairs import repaired
from credentials.licence import CHINA, agency_day
from yinxin.base.errors import InvalidClaims
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.fields import Claim, Field
    from credentials.legacy.sheets import RawRow
    from credentials.licence import EndingKind
    from credentials.licence_type import LicenceType

MAX_NUMBER = 120
_EARLIEST = date(1949, 10, 1)
_UNLIMITED = frozenset({"", "长期", "长期有效", "永久", "无固定期限"})


class Verdict(StrEnum):
    """What a row is."""

    USABLE = "usable"
    FIXABLE = "fixable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Applied:
    """A fix of one value. `before` and `after` are data of the row: for its report only."""

    column: str
    fix: Fix
    before: str
    after: str

    @property
    def text(self) -> Text:
        """What was done, without the data."""
        words = FIX_NAMES[self.fix]
        return Text(f"{self.column}：{words.zh}", f"{self.column}: {words.en}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is refused; `column` is empty for the whole row."""

    column: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says, in our terms: a licence of the older register, or how it ended there."""

    number: str
    claims: Mapping[str, Claim]
    holder_name: str
    holder_code: str
    issued_on: date
    valid_from: date
    valid_until: date | None
    changed_at: datetime | None = None
    ended: EndingKind | None = None
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer on one row; without faults it has an entry."""

    row: int
    entry: Entry | None
    fixes: tuple[Applied, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Usable, fixable or refused."""
        if self.faults:
            return Verdict.REFUSED
        return Verdict.FIXABLE if self.fixes else Verdict.USABLE

    def refused(self, column: str, zh: str, en: str) -> Judged:
        """The same row, refused for one more reason."""
        return replace(self, entry=None, faults=(*self.faults, Fault(column, Text(zh, en))))


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the rows of one register. `kind` is the licence type, None for licences of other issuers."""

    mapping: LegacyMapping
    kind: LicenceType | None
    today: date

    def judge(self, raw: RawRow) -> Judged:
        """The answer on a row."""
        if raw.cells is None:
            return Judged(raw.row, None).refused("", "格数与表头不符", "has not as many cells as headings")
        return _Reading(self, raw.row, raw.cells).result()


class _Reading:
    """One row being read: gathers fixes and faults."""

    def __init__(self, judge: Judge, row: int, cells: Mapping[str, str]) -> None:
        self._judge, self._mapping, self._row, self._cells = judge, judge.mapping, row, cells
        self._fixes: list[Applied] = []
        self._faults: list[Fault] = []

    def result(self) -> Judged:
        entry = self._entry()
        faults = tuple(self._faults)
        return Judged(self._row, None if faults else entry, tuple(self._fixes), faults)

    def _entry(self) -> Entry | None:
        mapping = self._mapping
        number = self._number()
        issued_on = self._day(mapping.issued_on)
        if issued_on is None and not self._faulty(mapping.issued_on.heading):
            self._fault(mapping.issued_on.heading, "原发证日期为空", "the date of issue is missing")
        elif issued_on and not _EARLIEST <= issued_on <= self._judge.today:
            self._fault(
                mapping.issued_on.heading,
                "原发证日期在 1949 年 10 月 1 日之前，或在今天之后",
                "the date of issue lies before 1 October 1949 or after today",
            )
        claims = self._claims()
        changed_at, ended = self._changed_at(), self._ended()
        if issued_on is None or self._faults:
            return None
        first, last = self._period(claims, issued_on)
        name, code = self._holder(claims)
        return Entry(number, claims, name, code, issued_on, first, last, changed_at, *ended)

    def _number(self) -> str:
        """As it stands on the paper: only what cannot be seen is taken away."""
        heading = self._mapping.number
        number = self._fixed(heading, self._cells[heading], FieldKind.TEXT, only=frozenset({Fix.SPACES}))
        if not number:
            self._fault(heading, "证照编号为空", "the licence number is missing")
        elif len(number) > MAX_NUMBER or not number.isprintable():
            self._fault(
                heading,
                f"证照编号超过 {MAX_NUMBER} 个字符或含有不可见字符",
                f"the licence number is longer than {MAX_NUMBER} characters or holds invisible ones",
            )
        return number

    def _holder(self, claims: Mapping[str, Claim]) -> tuple[str, str]:
        if self._judge.kind is not None:
            return self._judge.kind.holder(claims)
        heading = self._mapping.foreign.holder_code if self._mapping.foreign else ""
        return "", self._fixed(heading, self._cells[heading], FieldKind.CITIZEN_NUMBER)

    def _claims(self) -> dict[str, Claim]:
        kind = self._judge.kind
        if kind is None:
            return {}
        given: dict[str, object] = {}
        for name, column in self._mapping.fields.items():
            given[name] = self._value(column, kind.field(name))
        if self._faults:
            return {}
        try:
            return kind.check(given)
        except InvalidClaims as exc:
            for name, why in exc.faults:
                filled = self._mapping.fields.get(name)
                self._faults.append(Fault(filled.heading if filled and filled.heading else name, why))
            return {}

    def _value(self, column: Column, field: Field) -> object:
        if column.constant is not None:
            return column.constant
        text = self._fixed(column.heading, self._cells[column.heading], field.kind, column=column)
        text = self._translated(column, text)
        if column.separator and text:
            return [part.strip() for part in text.split(column.separator) if part.strip()]
        return text

    def _translated(self, column: Column, text: str) -> str:
        if column.values is None or not text:
            return text
        if text not in column.values:
            self._fault(column.heading, "对照文件中没有这个取值", "the mapping does not name this value")
            return ""
        return column.values[text]

    def _day(self, column: Column) -> date | None:
        if column.constant is not None:
            return self._read_day(column.constant, column.heading)
        text = self._fixed(column.heading, self._cells[column.heading], FieldKind.DATE, column=column)
        return self._read_day(self._translated(column, text), column.heading) if text else None

    def _read_day(self, text: str, heading: str) -> date | None:
        if text in _UNLIMITED:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._fault(heading, "不是有效日期，应如 2026-11-20", "is not a date such as 2026-11-20")
            return None

    def _period(self, claims: Mapping[str, Claim], issued_on: date) -> tuple[date, date | None]:
        """First and last day as the paper has them; where no column says, as the type's rule has it."""
        mapping, kind = self._mapping, self._judge.kind
        first = (self._day(mapping.valid_from) if mapping.valid_from else None) or issued_on
        last: date | None = None
        if mapping.valid_until is not None:
            last = self._day(mapping.valid_until)
        elif kind is not None:
            try:
                ruled, last = kind.validity.period(claims, issued_on=first)
                first = ruled if mapping.valid_from is None else first
            except (InvalidClaims, ValueError, OverflowError):
                self._fault("", "有效期无法推算", "the period of validity cannot be worked out")
        if last is not None and last < first:
            heading = mapping.valid_until.heading if mapping.valid_until else ""
            self._fault(
                heading,
                "有效期截止日早于起始日",
                "the last day of validity lies before the first",
            )
        return first, last

    def _changed_at(self) -> datetime | None:
        heading = self._mapping.changed_at
        if heading is None:
            return None
        moment = read_moment(self._cells[heading])
        if moment is None:
            self._fault(heading, "更新时间无法识别", "the time of the last change cannot be read")
        return moment

    def _ended(self) -> tuple[EndingKind | None, date | None]:
        state = self._mapping.state
        if state is None:
            return None, None
        said = self._fixed(state.heading, self._cells[state.heading], FieldKind.TEXT)
        if said not in state.values:
            self._fault(state.heading, "对照文件中没有这个状态", "the mapping does not name this state")
            return None, None
        ended = state.values[said]
        if ended is None:
            return None, None
        since = self._day(Column(state.since))
        if since is None or since > self._judge.today:
            self._fault(
                state.since, "终止日期为空或在今天之后", "the day it ended is missing, or after today"
            )
        return ended, since

    def _fixed(
        self,
        heading: str,
        text: str,
        kind: FieldKind,
        *,
        column: Column | None = None,
        only: frozenset[Fix] | None = None,
    ) -> str:
        rules = self._mapping.fixes if only is None else self._mapping.fixes & only
        better, done = repaired(kind, text, rules, dates=(column or Column()).dates)
        self._fixes += [Applied(heading, fix, text, better) for fix in done]
        return better

    def _faulty(self, heading: str) -> bool:
        return any(fault.column == heading for fault in self._faults)

    def _fault(self, column: str, zh: str, en: str) -> None:
        self._faults.append(Fault(column, Text(zh, en)))


def read_moment(text: str) -> datetime | None:
    """A time of the old system: ISO 8601, or as databases print it; without an offset it is China's."""
    plain = text.strip().replace("/", "-")
    if len(plain) > 40:
        return None
    try:
        moment = datetime.fromisoformat(plain)
        return moment.replace(tzinfo=CHINA) if moment.tzinfo is None else moment.astimezone(CHINA)
    except (ValueError, OverflowError):
        return None


def day_of(entry: Entry) -> date:
    """The day that a cut-off is compared with: of the last change in the old system, else of issue."""
    return agency_day(entry.changed_at) if entry.changed_at else entry.issued_on
