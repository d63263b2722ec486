"""From a report to the values of the page's template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from signing.report import Indication
from signing.report.checks import kind_of
from signing.report.sub_indications import sub_indication
from verify_api.pages.legible import legible
from verify_api.pages.views import moment
from verify_api.verification import conclusion
from yinxin.base.text import Text
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.report import Check, Report
    from yinxin.base.text import Language

MOST_SHOWN = 300  # characters of a detail; the machine-readable report has it whole
_PAGES = Pages("yinxin.app.report_page", remember=False)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check: whose it is, what it is called, how it came out, by which clause, on which evidence."""

    field: str
    name: Text
    kind: str
    scope: str
    clause: str
    detail: str
    evidence: tuple[str, ...]
    text: Text | None


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Why it did not pass, and what to do."""

    text: Text
    next_step: Text
    code: str
    clause: str
    sub_indication: str


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """One signature: who, for what, when, of which level. A time-stamp is one too."""

    field: str
    signer: str
    usage: str
    level: str
    claimed: str
    proved: str
    kind: str
    says: tuple[Text, ...] = ()


def report_page(name: str, report: Report[Any], *, language: Language) -> str:
    """The page of a report on the file of this name, as HTML."""
    standard = report.in_standard_words()
    ordered = sorted(report.reasons, key=lambda reason: reason.code)
    return _PAGES.render(
        "report.html",
        language,
        name=legible(name, most=MOST_SHOWN),
        report=report,
        words=conclusion(report.indication),
        then=conclusion(report.then),
        differs=report.then is not report.indication,
        standard=" / ".join(str(part) for part in standard.values() if part) if standard else "",
        at=moment(report.at),
        known_at=moment(report.known_at),
        reasons=[
            ReasonRow(one.text, one.next_step, one.code, one.clause, sub_indication(one.code) or "")
            for one in ordered
        ],
        groups=[
            (field, list(rows)) for field, rows in groupby(map(_row, report.checks), lambda row: row.field)
        ],
        total=len(report.checks),
        counts={str(kind): sum(one.indication is kind for one in report.checks) for kind in Indication},
        signatures=list(_signatures(report)),
        standing=[Text(one["zh"], one["en"]) for one in report.findings.get("standing", ())],
        snapshots=sorted(report.snapshots.items()),
    )


def _row(check: Check) -> CheckRow:
    field, _, plain = check.name.rpartition("/")
    return CheckRow(
        legible(field, most=80),
        kind_of(plain).text,
        str(check.indication),
        str(check.scope),
        check.clause,
        legible(check.detail, most=MOST_SHOWN),
        check.evidence,
        check.reason.text if check.reason else None,
    )


def _signatures(report: Report[Any]) -> Iterator[SignatureRow]:
    """The signatures of a document, or the one beside a file."""
    found = report.findings
    rows = found.get("signatures") or ([found] if "signer" in found else [])
    for one in rows:
        signer = one.get("signer")
        name = signer.get("name") if isinstance(signer, dict) else signer
        yield SignatureRow(
            field=_shown(one.get("field")),
            signer=_shown(name),
            usage=_shown(one.get("usage")),
            level=_shown(one.get("level")),
            claimed=_time(one.get("claimed_time")),
            proved=_time(one.get("proved_time")),
            kind=str(one.get("indication") or report.indication),
            says=tuple(Text(_shown(line["zh"]), _shown(line["en"])) for line in one.get("says", ())),
        )


def _time(value: object) -> str:
    """A time as the agency's clocks show it; what a document claims may be no time at all."""
    try:
        when = datetime.fromisoformat(str(value or ""))
    except ValueError:
        return _shown(value)
    return moment(when) if when.tzinfo else _shown(value)


def _shown(value: object) -> str:
    return legible(str(value or ""), most=200)
