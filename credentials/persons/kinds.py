"""What the issuing side holds on a person: licences, the cases that led to them, hand-overs to wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.licence import start_of_day
from credentials.office.cases import CaseState
from credentials.persons.holdings import OVER, Held, why_kept
from credentials.persons.repository import PersonRepository
from credentials.persons.retention import Retention, years_earlier
from credentials.repository import LicenceRepository, lineage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from credentials.blind_index import BlindIndex
    from credentials.documents import DocumentStore
    from credentials.licence import Event, Licence
    from yinxin.base.database import Session

_NOT_SEALED = tuple(state for state in CaseState if state is not CaseState.SEALED)


class LicenceHolding:
    """Licences with what happened to them, their machine copies and their sealed pages."""

    kind = "licence"

    def __init__(
        self, index: BlindIndex, retention: Retention, *, documents: DocumentStore | None = None
    ) -> None:
        self._index, self._retention, self._documents = index, retention, documents

    def of(self, session: Session, person: str) -> list[Held]:
        """Every version of every licence; versions of one licence stay and go together."""
        licences = PersonRepository(session, self._index).licences(person)
        repository = LicenceRepository(session, index=self._index)
        until = {
            lineage(one.identifier): self._until(one, repository.events(one.identifier))
            for one in licences
            if one.replaced_by is None
        }
        return [self._held(one, repository, until.get(lineage(one.identifier))) for one in licences]

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Licences whose time to be kept has passed."""
        persons, found = PersonRepository(session, self._index), list[Held]()
        for code in persons.type_codes():
            years = self._retention.years_of(code)
            if years is not None and len(found) < limit:
                before, rest = years_earlier(now, years), limit - len(found)
                found += self.named(session, persons.licences_over(code, before=before, limit=rest), now=now)
        return found

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Licences of these identifiers that are not erased."""
        licences = (LicenceRepository(session).by_identifier(key) for key in keys)
        return [
            Held(self.kind, one.identifier, now, OVER, {}, (one.pdf_sha256,) if one.pdf_sha256 else ())
            for one in licences
            if one and one.erased_at is None
        ]

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Empty the rows. Pages in the document store are removed by the caller, after the commit."""
        PersonRepository(session, self._index).erase_licences([one.key for one in held], at=at)

    def _held(self, licence: Licence, repository: LicenceRepository, until: datetime | None) -> Held:
        content = {
            **licence.to_dict(),
            "events": [_event(one) for one in repository.events(licence.identifier)],
            "copies": [
                {"status": f"{one.status_uri}#{one.status_index}", "made_at": one.made_at.isoformat()}
                for one in repository.copies(licence.identifier)
            ],
        }
        documents = (licence.pdf_sha256,) if licence.pdf_sha256 else ()
        return Held(self.kind, licence.identifier, until, why_kept(until), content, documents)

    def _until(self, licence: Licence, events: Iterable[Event]) -> datetime | None:
        moments = [one.effective_from for one in events if one.is_ending]
        if licence.valid_until:
            moments.append(start_of_day(licence.valid_until))
        ended = min(moments, default=None)
        return self._retention.licence_until(licence.type_code, ended) if ended else None


class CaseHolding:
    """Cases of the desk: what people applied for, and who agreed."""

    kind = "case"

    def __init__(self, index: BlindIndex, retention: Retention) -> None:
        self._index, self._retention = index, retention

    def of(self, session: Session, person: str) -> list[Held]:
        """Cases that led to the person's licences, and those that would or did not."""
        licences = LicenceHolding(self._index, self._retention).of(session, person)
        until, found = {one.key: one.kept_until for one in licences}, []
        for row in PersonRepository(session, self._index).cases(_NOT_SEALED, sealed_as=list(until)):
            if row.state == CaseState.SEALED or self._is_about(row.work["claims"], person):
                kept = self._kept_until(row.state, row.changed_at, until.get(row.sealed_as))
                content = {"number": row.number, "state": row.state, **row.work}
                found.append(Held(self.kind, row.id, kept, why_kept(kept), content))
        return found

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Cases that were withdrawn long ago, or whose licence was erased."""
        before = years_earlier(now, self._retention.case_years)
        rows = PersonRepository(session, self._index).cases_over(before=before, limit=limit)
        return [Held(self.kind, row.id, now, OVER, {}) for row in rows]

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Cases of these ids that still hold claims."""
        rows = PersonRepository(session, self._index).cases_named(keys)
        return [Held(self.kind, row.id, now, OVER, {}) for row in rows if row.work.get("claims")]

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Empty their claims."""
        del at
        PersonRepository(session, self._index).erase_cases([one.key for one in held])

    def _is_about(self, claims: Mapping[str, object], person: str) -> bool:
        wanted = self._index.of("holder", person)
        texts = (value for value in claims.values() if isinstance(value, str))
        return any(self._index.of("holder", value) == wanted for value in texts)

    def _kept_until(self, state: str, changed_at: datetime, licence: datetime | None) -> datetime | None:
        if state == CaseState.SEALED:
            return licence
        return self._retention.case_until(changed_at) if state == CaseState.WITHDRAWN else None


class IssuanceHolding:
    """Hand-overs to wallets (OpenID4VCI): offers, log-ins, requests, grants."""

    kind = "issuance"

    def __init__(self, index: BlindIndex, *, keep: timedelta) -> None:
        self._index, self._keep = index, keep

    def of(self, session: Session, person: str) -> list[Held]:
        """Every trace of one."""
        found = []
        for table, key, row in PersonRepository(session, self._index).issuance(person):
            until = row.expires_at + self._keep
            name = key.hex() if isinstance(key, bytes) else str(key)
            content = {
                "what": table.removeprefix("oid4vci_"),
                "method": row.method,
                "until": until.isoformat(),
            }
            found.append(Held(self.kind, f"{table}:{name}", until, why_kept(until), content))
        return found

    def over(self, session: Session, *, now: datetime, limit: int) -> list[Held]:
        """Nothing: what is over is forgotten by the issuer's own tidying, every ten minutes."""
        del session, now, limit
        return []

    def named(self, session: Session, keys: Sequence[str], *, now: datetime) -> list[Held]:
        """Nothing: what opens a door is burnt when a backup is put back."""
        del session, keys, now
        return []

    def erase(self, session: Session, held: Sequence[Held], *, at: datetime) -> None:
        """Forget single-use things; end grants and take their name away."""
        keys = []
        for one in held:
            table, _, key = one.key.partition(":")
            keys.append((table, bytes.fromhex(key) if table == "oid4vci_login" else key))
        PersonRepository(session, self._index).erase_issuance(keys, at=at)


def _event(event: Event) -> dict[str, str]:
    return {
        "kind": str(event.kind),
        "effective_from": event.effective_from.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "ground": event.ground,
        "document_number": event.document_number,
    }
