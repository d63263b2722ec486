"""Slips of this installation, and which refusals get one.

A refusal is a decision about somebody's licence: it was not issued (`issuance_refused`, `invalid_claims`, an
act that the office does not permit), it did not pass verification (any verdict but `passed`), its use was not
permitted. What is only a slip of the pen (a malformed request, no sign-in, too many requests, a service that
is down) is told as before and gets none.
"""

from __future__ import annotations

import hmac
import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from credentials.office.disputes.contacts import Contact, Contacts
from credentials.office.disputes.slips import KIND_NAMES, Phrase, SlipKind, Slips
from credentials.sources.corrections import RequestState
from signing.reasons import Reason
from yinxin.app.home import Home
from yinxin.app.problems import ROWS
from yinxin.base import errors
from yinxin.base.files import read_file
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from credentials.office.disputes.slips import Slip
    from credentials.sources.corrections import Request
    from signing.report import Report
    from yinxin.app.console import Console
    from yinxin.base.errors import YinxinError

INDETERMINATE, FAILED = "verification_indeterminate", errors.VerificationFailed.code
_UNSURE = Phrase(
    Text("现有信息不足，无法得出核验结论", "What is known does not allow a verdict"),
    Text("请稍后重试，或向发证机关核实", "Try again later, or ask the issuing agency"),
)


_CORRECTIONS = {
    RequestState.REFERRED: (
        "correction_referred",
        Phrase(
            Text(
                "该数据由其他机关负责，本机关不能更正",
                "Another authority keeps this datum; it is not put right here",
            ),
            Text(
                "请向该数据的来源机关申请更正，更正后本证照随之变更",
                "Apply to the authority that is its source; then this licence follows",
            ),
        ),
    ),
    RequestState.REFUSED: (
        "correction_refused",
        Phrase(
            Text("更正申请未获办理", "The request for correction was refused"),
            Text(
                "请向办理机关了解理由；仍有异议的，可凭本告知单提出证照异议",
                "Ask the agency for its reason; with this slip the licence can be disputed",
            ),
        ),
    ),
}


def make_slips(home: Home) -> Slips:
    """The slips of a home; every process of it makes and reads the same."""
    secret = hmac.digest(home.document_key(), b"yinxin slips 1", "sha256")
    return Slips(secret, phrases=phrases(), contacts=contacts(home), clock=home.clock)


def contacts(home: Home) -> Contacts:
    """Whom people ask: the agency itself, and those in the file of contacts."""
    settings = home.settings
    name = Text(settings.agency_name, settings.agency_name_en)
    where = Text(f"{settings.agency_name}办事窗口", f"the counter of {settings.agency_name_en}")
    own = Contact(settings.agency_code, name, where)
    file = settings.contacts_file
    return Contacts.read(read_file(file).decode("utf-8"), operator=own) if file else Contacts(own)


def phrases() -> Mapping[str, Phrase]:
    """The plain words for every code that a slip may have."""
    reasons = {one.code: Phrase(one.text, one.next_step) for one in Reason}
    refused = {one.code: Phrase(one.title, row.next) for one, row in ROWS.items()}
    return {**refused, **reasons, INDETERMINATE: _UNSURE, **dict(_CORRECTIONS.values())}


def slip_of_error(slips: Slips, error: YinxinError, *, kind: SlipKind, agency: str) -> Slip | None:
    """The slip for an error that is a refusal; `kind` is what the service that refuses is for."""
    if isinstance(error, errors.VerificationFailed):
        codes = sorted(reason.code for reason in error.report.reasons)
        return slips.make(SlipKind.VERIFICATION, main_code(codes), agency=agency)
    if isinstance(error, errors.IssuanceRefused | errors.InvalidClaims):
        return slips.make(SlipKind.ISSUE, error.code, agency=agency)
    if isinstance(error, errors.NotPermitted):
        return slips.make(kind, errors.NotPermitted.code, agency=agency)
    return None


def refusals(home: Home, kind: SlipKind) -> Callable[[YinxinError], Mapping[str, Any] | None]:
    """What `yinxin.app.problems` puts into the answers of a service."""
    slips, agency = make_slips(home), home.settings.agency_code

    def slip_of(error: YinxinError) -> Mapping[str, Any] | None:
        found = slip_of_error(slips, error, kind=kind, agency=agency)
        return found.to_dict() if found else None

    return slip_of


def verdicts(home: Home) -> Callable[..., Mapping[str, Any]]:
    """What the verification service puts beside a verdict that is not `passed`."""
    slips, own = make_slips(home), home.settings.agency_code

    def slip_of(
        codes: list[str], *, indication: str, at: datetime, about: str, agency: str = ""
    ) -> Mapping[str, Any]:
        code = main_code(codes) if codes else FAILED if indication == "failed" else INDETERMINATE
        kind = SlipKind.VERIFICATION
        return slips.make(kind, code, agency=agency or own, at=at, about=about).to_dict()

    return slip_of


def slips_of_corrections(slips: Slips) -> Callable[[Request], Slip | None]:
    """The slip for a request for correction that is not worked on here, the same each time it is asked for."""

    def slip_of(request: Request) -> Slip | None:
        if request.state not in _CORRECTIONS:
            return None
        code, _ = _CORRECTIONS[request.state]
        agency = request.authority if request.state is RequestState.REFERRED else request.agency
        at, about = request.decided_at or request.asked_at, f"correction:{request.id}"
        return slips.make(SlipKind.CORRECTION, code, agency=agency, at=at, about=about)

    return slip_of


def slip_of_command(error: YinxinError, arguments: Sequence[str]) -> Slip | None:
    """The slip for what a command was refused; None without a home, or without its passphrase at hand."""
    named = [after for before, after in pairwise(arguments) if before == "--home"]
    place = named[-1] if named else os.environ.get("YINXIN_HOME")
    if not place:
        return None
    try:
        home = Home.open(place, passphrase=os.environ.get("YINXIN_PASSPHRASE"))
        agency = home.settings.agency_code
        return slip_of_error(make_slips(home), error, kind=SlipKind.ISSUE, agency=agency)
    except errors.YinxinError:  # no slip is no reason to say something else than what went wrong
        return None


def slip_of_report(home: Home, report: Report[Any]) -> Slip:
    """The slip for a verdict that is not `passed`."""
    codes = sorted(reason.code for reason in report.reasons)
    code = main_code(codes) if codes else INDETERMINATE
    return make_slips(home).make(SlipKind.VERIFICATION, code, agency=home.settings.agency_code)


def say_slip(console: Console, found: Slip) -> None:
    """A slip as people read it."""
    kind, phrase_, ask = KIND_NAMES[found.kind], found.phrase, found.ask
    console.say(
        f"告知单 {found.number}（{kind.zh}）：{phrase_.reason.zh}。{phrase_.next_step.zh}。"
        f"咨询：{ask.name.zh}，{ask.where.zh}",
        f"slip {found.number} ({kind.en}): {phrase_.reason.en}. {phrase_.next_step.en}. "
        f"Ask {ask.name.en}, {ask.where.en}",
    )


def main_code(codes: list[str]) -> str:
    """The reason that a slip names, of several: one about the licence itself, else the first that fails."""
    known = [Reason[code.upper()] for code in codes]
    failing = [one for one in known if one.indication == "failed"] or known
    chosen = next((one for one in failing if one.code.startswith("licence_")), None)
    return (chosen or failing[0]).code if failing else FAILED
