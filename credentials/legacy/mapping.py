"""How the rows of an older register become licences: which column is what, and how its values are converted.

A mapping is a TOML file for one register and one type; `credentials.legacy.mapping_files` reads it strictly.
Judging a row by it is `credentials.legacy.judging`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.licence import EndingKind


class Fix(StrEnum):
    """What may be put right in a value without asking: each changes how it is written, never what it says."""

    SPACES = "spaces"
    FULL_WIDTH = "full_width"
    LETTER_CASE = "letter_case"
    MIDDLE_DOT = "middle_dot"
    DATE_FORM = "date_form"
    CITIZEN_NUMBER_15 = "citizen_number_15"
    LOOK_ALIKE = "look_alike"


FIX_NAMES: Mapping[Fix, Text] = {
    Fix.SPACES: Text("去除多余空格", "spaces removed"),
    Fix.FULL_WIDTH: Text("全角字符改为半角", "full-width characters made half-width"),
    Fix.LETTER_CASE: Text("小写字母改为大写", "letters made capitals"),
    Fix.MIDDLE_DOT: Text("统一姓名间隔号", "the dot between names made the usual one"),
    Fix.DATE_FORM: Text("统一日期写法", "the date written in the usual form"),
    Fix.CITIZEN_NUMBER_15: Text("15 位身份证号升为 18 位", "citizen number of 15 digits made 18"),
    Fix.LOOK_ALIKE: Text("更正形近字符（校验码相符）", "look-alike characters put right, the check fits"),
}
BY_DEFAULT = frozenset(Fix) - {Fix.LOOK_ALIKE}


class DateForm(StrEnum):
    """How a column writes its dates, where the year does not come first."""

    YEAR_FIRST = "ymd"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    SPREADSHEET = "spreadsheet"


class OnChange(StrEnum):
    """What a row that changed in the old system leads to: the next version, or a conflict for a clerk."""

    VERSION = "version"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Column:
    """Where a value comes from: the column of a heading, converted, or the same constant for every row.

    `values` translates what the column says into what is kept; what it does not name is refused.
    `separator` cuts a list into its items.
    """

    heading: str = ""
    constant: str | None = None
    values: Mapping[str, str] | None = None
    separator: str = ""
    dates: DateForm = DateForm.YEAR_FIRST


@dataclass(frozen=True, slots=True)
class StateColumn:
    """What the old system says has become of a licence, and since when: `values` names endings or None."""

    heading: str
    values: Mapping[str, EndingKind | None]
    since: str


@dataclass(frozen=True, slots=True)
class ForeignIssuer:
    """Who issued the licences of a register that is only indexed, and where they are verified."""

    name: Text
    code: str
    type_name: Text
    verify_at: str
    holder_code: str


@dataclass(frozen=True, slots=True)
class LegacyMapping:
    """One register and what its columns mean.

    `register` is its short name here and never changes, `source` what people read. `number`, `issued_on` and
    the days are what stands on the paper. `foreign` is set for a register of licences of other issuers.
    `digest` is the SHA-256 of the file.
    """

    register: str
    source: str
    type_code: str
    number: str
    issued_on: Column
    valid_from: Column | None = None
    valid_until: Column | None = None
    changed_at: str | None = None
    state: StateColumn | None = None
    fields: Mapping[str, Column] = field(default_factory=dict)
    fixes: frozenset[Fix] = BY_DEFAULT
    on_change: OnChange = OnChange.CONFLICT
    encoding: str = "utf-8"
    separator: str = ","
    foreign: ForeignIssuer | None = None
    digest: str = ""

    @property
    def headings(self) -> tuple[str, ...]:
        """Every column that the file must have, each once."""
        named = [self.number, self.changed_at]
        days = (self.issued_on, self.valid_from, self.valid_until)
        named += [one.heading for one in (*days, *self.fields.values()) if one]
        named += [self.state.heading, self.state.since] if self.state else []
        named += [self.foreign.holder_code] if self.foreign else []
        return tuple(dict.fromkeys(one for one in named if one))
