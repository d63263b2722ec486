"""Lines and counts as people and programs read them."""

from __future__ import annotations

import csv
import io
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yinxin.base.spreadsheet import cell
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credentials.office.supervision.repository import Told
    from credentials.office.supervision.service import Count, Found

_FILE = Path(__file__).parent / "actions.toml"
FEW = "<5"


def action_text(action: str) -> Text:
    """An action of the log in words; the action itself, where nobody gave it any."""
    return _actions().get(action) or Text(action, action)


def told_facts(told: Told) -> dict[str, Any]:
    """A line as JSON."""
    line = told.line
    return {
        "index": line.log_index,
        "entry": line.entry_id,
        "at": line.at.isoformat(),
        "action": line.action,
        "text": action_text(line.action).to_dict(),
        "actor": f"{line.actor_kind}:{line.actor}",
        "organisation": line.organisation,
        "office": line.office,
        "subject": line.subject,
        "details": dict(told.details) if told.details is not None else None,
    }


def found_facts(found: Found) -> dict[str, Any]:
    """What a search found, as JSON; `after` leads to the next page."""
    more = {} if found.is_all else {"after": found.told[-1].line.log_index}
    return {"lines": [told_facts(one) for one in found.told], "log_size": found.log_size, **more}


def counts_facts(month: str, counts: Sequence[Count]) -> dict[str, Any]:
    """Counts as JSON; a small one is null."""
    rows = [
        {
            "organisation": one.organisation,
            "action": one.action,
            "text": action_text(one.action).to_dict(),
            "count": one.count,
        }
        for one in counts
    ]
    return {"month": month, "fewer_than": 5, "counts": rows}


def counts_csv(month: str, counts: Sequence[Count]) -> str:
    """Counts as CSV, with a mark for spreadsheets; no totals, from which small counts could be taken."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["month", "organisation", "action", "动作", "count"])
    for one in counts:
        count = FEW if one.count is None else one.count
        writer.writerow(
            [month, cell(one.organisation), cell(one.action), cell(action_text(one.action).zh), count]
        )
    return "\ufeff" + out.getvalue()


@cache
def _actions() -> Mapping[str, Text]:
    read = tomllib.loads(_FILE.read_text("utf-8"))
    return {name: Text(zh, en) for name, (zh, en) in read.items()}
