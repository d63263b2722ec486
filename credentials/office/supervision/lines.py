"""A line (监察记录行): one entry of the audit log as supervision finds it again.

A line keeps what one searches by, and leads to its entry, whose place in the log anybody can check. It says
no more than the entry does: identifiers and codes. Who a holder is stands in neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.base.audit import Entry

MAX_KEY, MAX_CODE = 160, 18
_CASE = "case:"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `organisation` is whose person acted, `office` whose thing it was about; either may be empty.

    `due` is the term that the entry names, if any.
    """

    log_index: int
    entry_id: str
    at: datetime
    action: str
    actor_kind: str
    actor: str
    organisation: str
    office: str
    subject: str
    licence: str | None = None
    case: str | None = None
    seal: str | None = None
    due: datetime | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """The organisations whose inspectors may read it."""
        return frozenset({self.organisation, self.office}) - {""}


def line_of(entry: Entry) -> Line | None:
    """The line of an entry; None for one that was erased."""
    content = entry.content()
    if content is None or content.get("v") != 1:
        return None
    actor, details = content["actor"], content["details"]
    licence = _licence(content, details)
    organisation = actor.get("agency") or ""
    return Line(
        log_index=entry.log_index,
        entry_id=entry.entry_id,
        at=datetime.fromisoformat(content["at"]),
        action=content["action"],
        actor_kind=actor["kind"],
        actor=actor["id"],
        organisation=organisation,
        office=_office(content["action"], details, licence),
        subject=content["subject"],
        licence=licence,
        case=_case(content, details),
        seal=_seal(content, details),
        due=_due(details.get("due")),
    )


def _licence(content: Mapping[str, Any], details: Mapping[str, Any]) -> str | None:
    for said in (content["subject"], details.get("licence")):
        if isinstance(said, str) and len(said) <= MAX_KEY and _is_identifier(said):
            return said
    return None


def _is_identifier(text: str) -> bool:
    if text.count(".") < 6:  # most subjects are none: no need to look closer
        return False
    try:
        LicenceIdentifier.parse(text)
    except MalformedInput:
        return False
    return True


def _office(action: str, details: Mapping[str, Any], licence: str | None) -> str:
    """Whose thing it was; what a department verified is the department's business alone."""
    if action.startswith("verification."):
        return ""
    said = details.get("office") or details.get("organisation")
    if isinstance(said, str) and len(said) <= MAX_CODE:
        return said
    return LicenceIdentifier.parse(licence).issuer if licence else ""


def _case(content: Mapping[str, Any], details: Mapping[str, Any]) -> str | None:
    """What `case:…` names: the subject, or the case by which something was approved or corrected."""
    for said in (content["subject"], details.get("approval"), details.get("case")):
        if isinstance(said, str) and said.startswith(_CASE):
            return said.removeprefix(_CASE)[:MAX_KEY]
    return None


def _seal(content: Mapping[str, Any], details: Mapping[str, Any]) -> str | None:
    """The seal that was used, or that something was done to."""
    said = details.get("seal") or (content["subject"] if content["action"].startswith("seal.") else None)
    return said.removeprefix("seal:")[:MAX_KEY] if isinstance(said, str) else None


def _due(text: object) -> datetime | None:
    try:
        due = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return due if due is not None and due.tzinfo is not None else None
