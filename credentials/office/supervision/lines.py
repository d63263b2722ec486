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
        case=_named("case", content, details, "approval", "case"),
        seal=_named("seal", content, details, "seal"),
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


def _named(kind: str, content: Mapping[str, Any], details: Mapping[str, Any], *names: str) -> str | None:
    """What `case:…` or `seal:…` names in the subject or in one of the details."""
    for said in (content["subject"], *(details.get(name) for name in names)):
        if isinstance(said, str) and said.startswith(f"{kind}:"):
            return said.removeprefix(f"{kind}:")[:MAX_KEY]
    plain = details.get(kind)
    return plain[:MAX_KEY] if kind == "seal" and isinstance(plain, str) else None


def _due(text: object) -> datetime | None:
    try:
        due = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return due if due is not None and due.tzinfo is not None else None
