"""Every query about consents to forms. Never commits; the service owns the transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from verify_api.forms.consents import ConsentState, FormConsent
from verify_api.forms.records import CONSENTS

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session


class ConsentRepository:
    """Consents in the caller's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, consent: FormConsent) -> None:
        """Store one that was asked for."""
        row = {
            "number": consent.number,
            "department": consent.department,
            "matter": consent.matter,
            "fields": list(consent.fields),
            "session": consent.session,
            "asked_at": consent.asked_at,
            "clerk": consent.clerk,
            "state": str(consent.state),
        }
        self._session.execute(insert(CONSENTS).values(**row))

    def find(self, number: str) -> FormConsent | None:
        """The consent of this number."""
        row = self._session.execute(select(CONSENTS).where(CONSENTS.c.number == number)).one_or_none()
        return _consent(row) if row else None

    def decide(self, number: str, state: ConsentState, *, at: datetime) -> bool:
        """Use it up or take it back; False when somebody else was faster."""
        is_open = (CONSENTS.c.number == number) & (CONSENTS.c.state == str(ConsentState.ASKED))
        decided = update(CONSENTS).where(is_open).values(state=str(state), decided_at=at)
        return bool(self._session.execute(decided).rowcount == 1)  # type: ignore[attr-defined]  # an update's result has it

    def purge(self, *, before: datetime) -> int:
        """Forget what was asked for before a moment; returns how many."""
        found = self._session.execute(delete(CONSENTS).where(CONSENTS.c.asked_at < before))
        return int(found.rowcount)  # type: ignore[attr-defined]  # the same


def _consent(row: Any) -> FormConsent:
    return FormConsent(
        number=row.number,
        department=row.department,
        matter=row.matter,
        fields=tuple(row.fields),
        session=row.session,
        asked_at=row.asked_at,
        clerk=row.clerk,
        state=ConsentState(row.state),
        decided_at=row.decided_at,
    )
