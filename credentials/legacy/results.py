"""What became of a row and of a file: outcomes, counts, and the report that a clerk works through.

A report may hold data of the rows (what a fix changed): it goes into a private file, never to a terminal or
into a log.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.spreadsheet import cell
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.legacy.judging import Judged
    from yinxin.base.text import Language


class Outcome(StrEnum):
    """What became of a row; in a check, what would."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    BEFORE = "before"
    CONFLICT = "conflict"
    REFUSED = "refused"


OUTCOME_NAMES: Mapping[Outcome, Text] = {
    Outcome.NEW: Text("新录入", "new"),
    Outcome.CHANGED: Text("已变更", "changed"),
    Outcome.SAME: Text("无变化", "the same as before"),
    Outcome.BEFORE: Text("在上次更新之前，略过", "from before the cursor, left out"),
    Outcome.CONFLICT: Text("有冲突，需人工处理", "a conflict for a clerk"),
    Outcome.REFUSED: Text("不予录入", "refused"),
}
HEADINGS = ("row", "outcome", "verdict", "licence", "fixes", "reasons", "values")


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row: what became of it, how it was judged (not at all when it was known), and its licence."""

    row: int
    outcome: Outcome
    judged: Judged | None = None
    licence: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON for the report; `values` are data of the row."""
        judged = self.judged
        return {
            "row": self.row,
            "outcome": str(self.outcome),
            "verdict": str(judged.verdict) if judged else None,
            "licence": self.licence,
            "fixes": [{"column": one.column, "fix": str(one.fix)} for one in judged.fixes] if judged else [],
            "reasons": (
                [{"column": one.column, "reason": one.reason.to_dict()} for one in judged.faults]
                if judged
                else []
            ),
            "values": (
                [{"column": one.column, "before": one.before, "after": one.after} for one in judged.fixes]
                if judged
                else []
            ),
        }


@dataclass(slots=True)
class Summary:
    """What became of a file. `worst` are its commonest reasons, by column, without data."""

    run: str = ""
    rows: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    fixes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, Text]] = field(default_factory=Counter)

    def add(self, result: RowResult) -> None:
        """Count a row."""
        self.rows += 1
        self.outcomes[result.outcome] += 1
        if result.judged is None:
            return
        self.verdicts[str(result.judged.verdict)] += 1
        for fix in dict.fromkeys(one.fix for one in result.judged.fixes):
            self.fixes[str(fix)] += 1
        for fault in result.judged.faults:
            if len(self.reasons) < 1000 or (fault.column, fault.reason) in self.reasons:
                self.reasons[fault.column, fault.reason] += 1

    @property
    def clean(self) -> bool:
        """Whether every row was, or can be, taken over."""
        return not (self.outcomes[Outcome.REFUSED] or self.outcomes[Outcome.CONFLICT])

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without data of any row."""
        return {
            "run": self.run,
            "rows": self.rows,
            "outcomes": {str(one): self.outcomes[one] for one in Outcome},
            "verdicts": dict(self.verdicts),
            "fixes": dict(self.fixes),
            "reasons": [
                {"column": column, "reason": reason.to_dict(), "rows": count}
                for (column, reason), count in self.reasons.most_common(50)
            ],
        }


def csv_line(result: RowResult, language: Language) -> str:
    """A row of the report as CSV; what a spreadsheet would take for a formula is plain text."""
    said = result.to_dict()
    cells = [
        str(said["row"]),
        OUTCOME_NAMES[result.outcome].in_language(language),
        said["verdict"] or "",
        said["licence"] or "",
        "；".join(one.text.in_language(language) for one in result.judged.fixes) if result.judged else "",
        _reasons(result, language),
        "；".join(f"{one['column']}：{one['before']} → {one['after']}" for one in said["values"]),
    ]
    out = io.StringIO()
    csv.writer(out).writerow([cell(one) for one in cells])
    return out.getvalue()


def csv_heading() -> str:
    """The first line of a report as CSV, with the mark that spreadsheets know UTF-8 by."""
    return "\ufeff" + ",".join(HEADINGS) + "\r\n"


def json_line(result: RowResult) -> str:
    """A row of the report as one line of JSON."""
    return json.dumps(result.to_dict(), ensure_ascii=False) + "\n"


def _reasons(result: RowResult, language: Language) -> str:
    faults = result.judged.faults if result.judged else ()
    said = [
        f"{one.column}：{one.reason.in_language(language)}"
        if one.column
        else one.reason.in_language(language)
        for one in faults
    ]
    return "；".join(said)
