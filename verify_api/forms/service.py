"""Fill a department's form from the licences a holder has, once the holder agreed in the wallet.

The holder shows any one licence, and signs a statement that names the department, the form, its fields and
the consent's number (OpenID4VP transaction data). Whose licence was shown, that person's licences fill the
form, as far as consent, form and grant all reach.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from credentials.oid4vp.transactions import MATTER_TYPE
from credentials.repository import LicenceRepository
from credentials.sources.filling import FilledForm, fill
from credentials.standing import State as Standing
from credentials.standing import standing
from signing.report import Indication
from verify_api.forms.consents import CONSENT_LIFE, KEPT_FOR, ConsentState, FormConsent, statement
from verify_api.forms.repository import ConsentRepository
from verify_api.presentations.sessions import State
from verify_api.presentations.templates import Transaction, Wish
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import Conflict, NotFound, NotPermitted, UnknownLicenceType, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from concurrent.futures import Future

    from sqlmodel import Session

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType
    from credentials.sources.form import Form, FormBook
    from verify_api.departments import Department, Grant
    from verify_api.presentations.service import PresentationService, Started
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database
    from yinxin.base.journal import Journal

T = TypeVar("T")
MAX_SHOWN = 8  # as many types as a presentation may offer to choose from
MAX_LICENCES = 100
_HOLDER = Actor(ActorKind.HOLDER, "wallet")  # nobody knows which; the consent says to what they agreed


@dataclass(frozen=True, slots=True)
class Asked:
    """A consent that was asked for, and the session in which the wallet gives it."""

    consent: FormConsent
    started: Started


class FormService:
    """The forms of departments, by matter; `index` finds a holder's licences in the register."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        presentations: PresentationService,
        forms: FormBook,
        *,
        catalogue: Catalogue,
        database: Database,
        journal: Journal,
        index: BlindIndex,
        clock: Clock,
        randomness: Randomness | None = None,
    ) -> None:
        self._presentations, self._forms, self._catalogue = presentations, forms, catalogue
        self._database, self._journal, self._index = database, journal, index
        self._clock, self._randomness = clock, randomness or SystemRandomness()

    def forms(self, department: Department) -> list[Form]:
        """The forms of a department's matters, as far as its grants reach."""
        return [
            self._forms[one.matter].covered(one.fields)
            for one in department.grants
            if one.matter in self._forms
        ]

    def form(self, matter: str, department: Department) -> Form:
        """The form of one of a department's matters; `NotPermitted` without a grant for it."""
        return self._forms[matter].covered(_grant(department, matter).fields)

    async def ask(
        self,
        matter: str,
        department: Department,
        *,
        fields: Collection[str] | None = None,
        clerk: Actor | None = None,
    ) -> Asked:
        """Ask the holder to agree; `fields` narrows what of the form is to be filled.

        `NotPermitted` for fields that the form or the grant does not reach.
        """
        grant, form = _grant(department, matter), self.form(matter, department)
        wanted = form.from_licences if fields is None else frozenset(fields)
        if beyond := wanted - form.from_licences:
            raise NotPermitted(f"the form is not filled with: {', '.join(sorted(beyond))[:200]}")
        if not wanted:
            raise UsageError("nothing of this form comes from licences")
        number, now = random_text(self._randomness), self._clock.now()
        wish = self._wish(form, wanted, grant, department, number)
        started = await self._presentations.start(wish, department, clerk=clerk)
        names = tuple(one.name for one in form.fields if one.name in wanted)
        by = clerk.identifier if clerk else None
        consent = FormConsent(number, department.id, matter, names, started.id, now, by)
        actor = clerk or department.actor
        await self._write(lambda session: self._add(session, consent, actor))
        return Asked(consent, started)

    async def consent(
        self, number: str, department: Department, *, clerk: Actor | None = None
    ) -> FormConsent:
        """A department's own consent; where a clerk asked for it, nobody else sees it."""
        found = await self._read(lambda session: ConsentRepository(session).find(number))
        own = (department.id, clerk.identifier if clerk else None)
        if found is None or (found.department, found.clerk) != own:
            raise NotFound("no such consent")
        return found

    async def fill(
        self, matter: str, number: str, department: Department, *, clerk: Actor | None = None
    ) -> FilledForm:
        """Fill the form and use the consent up.

        `Conflict` while the holder has not answered, and when it was used, taken back or is over;
        `NotPermitted` when the holder declined, or showed nothing that holds.
        """
        consent = await self.consent(number, department, clerk=clerk)
        if consent.matter != matter:
            raise NotFound("no such consent")
        _require_open(consent, self._clock)
        shown = await self._shown(consent, department, clerk)
        form = self.form(matter, department)
        filled = await self._read(lambda session: self._fill(session, form, consent, shown))
        actor = clerk or department.actor
        await self._write(lambda session: self._use(session, consent, filled, actor))
        return filled

    async def revoke(self, number: str) -> FormConsent:
        """Take a consent back; who knows its number may. `Conflict` when it was used or is over."""
        return await self._write(lambda session: take_back(session, number, clock=self._clock))

    def _wish(
        self, form: Form, wanted: Collection[str], grant: Grant, department: Department, number: str
    ) -> Wish:
        """One licence to show, whichever the holder has, and the statement to sign."""
        types, claims = self._shown_types(form, grant)
        labels = [one.label for one in form.fields if one.name in wanted]
        minutes = int(CONSENT_LIFE.total_seconds() // 60)
        text = statement(department.name, form.name, labels, number=number, minutes=minutes)
        return Wish(
            purpose=grant.purpose,
            matter=grant.matter,
            types=tuple(types),
            any_type=True,
            claims=tuple(claims),
            reason=Text(f"填写《{form.name.zh}》", f"to fill in '{form.name.en}'"),
            transaction=Transaction(MATTER_TYPE, text, {"matter": form.matter}),
        )

    def _shown_types(self, form: Form, grant: Grant) -> tuple[list[str], list[str]]:
        """Which licences may be shown, and one claim of each, if it can be one that is always shown."""
        types, claims = [], []
        for code in form.types(form.from_licences)[:MAX_SHOWN]:
            kind = self._kind(code)
            names = [one for one in kind.fields if one.name in grant.fields[code]] if kind else []
            if names:
                types.append(code)
                claims.append(min(names, key=lambda one: (one.disclosable, one.personal)).name)
        if not types:
            raise NotPermitted("the grant names no licence that the holder could show")
        return types, list(dict.fromkeys(claims))

    def _kind(self, code: str) -> LicenceType | None:
        try:
            return self._catalogue[code]
        except UnknownLicenceType:
            return None

    async def _shown(self, consent: FormConsent, department: Department, clerk: Actor | None) -> str:
        """The identifier of the licence with which the holder agreed."""
        outcome = await self._presentations.outcome(consent.session, department, clerk=clerk)
        if outcome["state"] == State.DECLINED:
            raise NotPermitted("the holder declined")
        if outcome["state"] != State.ANSWERED:
            raise Conflict("the holder has not agreed yet")
        named = [
            one["licence"]["identifier"]
            for found in outcome.get("results", {}).values()
            for one in found
            # An agent shows a copy for one errand: it does not open all that the principal has.
            if one["indication"] == Indication.PASSED and one.get("licence") and not one.get("acting")
        ]
        if outcome.get("indication") != Indication.PASSED or not named:
            raise NotPermitted("the holder showed nothing that holds")
        return str(named[0])

    def _fill(self, session: Session, form: Form, consent: FormConsent, shown: str) -> FilledForm:
        licences, now = LicenceRepository(session, index=self._index), self._clock.now()
        own = licences.by_identifier(shown)
        if own is None:
            raise NotFound("the licence that was shown is not in this register")
        held: list[tuple[Licence, LicenceType]] = []
        for one in licences.of_holder(own.holder_code, limit=MAX_LICENCES):
            found = standing(one, licences.events(one.identifier), as_of=now, known_at=now)
            if found.state is Standing.IN_FORCE and one.type_code in form.types(consent.fields):
                held.append((one, self._catalogue.of(one)))
        return fill(form, held, consented=consent.fields, as_of=now)

    def _add(self, session: Session, consent: FormConsent, actor: Actor) -> None:
        consents = ConsentRepository(session)
        consents.purge(before=consent.asked_at - KEPT_FOR)
        consents.add(consent)
        details = {"matter": consent.matter, "fields": list(consent.fields), "session": consent.session}
        _record(session, self._clock, "ask", consent, actor, details)

    def _use(self, session: Session, consent: FormConsent, filled: FilledForm, actor: Actor) -> None:
        _require_open(consent, self._clock)
        if not ConsentRepository(session).decide(consent.number, ConsentState.USED, at=self._clock.now()):
            raise Conflict("the consent was used or taken back meanwhile")
        details = {
            "matter": consent.matter,
            "fields": [one.field.name for one in filled.fields if one.value or one.others],
            "licences": list(filled.licences),
        }
        _record(session, self._clock, "fill", consent, actor, details)

    async def _read(self, work: Callable[[Session], T]) -> T:
        def look() -> T:
            with self._database.reading() as session:
                return work(session)

        return await asyncio.get_running_loop().run_in_executor(None, look)

    async def _write(self, work: Callable[[Session], T]) -> T:
        future: Future[T] = self._journal.submit(work)
        return await asyncio.wrap_future(future)


def _grant(department: Department, matter: str) -> Grant:
    return department.grant(department.purpose, matter)


def _require_open(consent: FormConsent, clock: Clock) -> None:
    state = consent.state_at(clock.now())
    if state is not ConsentState.ASKED:
        raise Conflict(f"the consent is {state}")


def take_back(session: Session, number: str, *, clock: Clock) -> FormConsent:
    """Take a consent back; `NotFound` for an unknown number, `Conflict` when it was used or is over."""
    repository, now = ConsentRepository(session), clock.now()
    found = repository.find(number)
    if found is None:
        raise NotFound("no such consent")
    _require_open(found, clock)
    if not repository.decide(number, ConsentState.REVOKED, at=now):
        raise Conflict("the consent was used meanwhile")
    _record(session, clock, "revoke", found, _HOLDER, {})
    return replace(found, state=ConsentState.REVOKED, decided_at=now)


def _record(  # noqa: PLR0913, PLR0917 - the facts of one entry
    session: Session,
    clock: Clock,
    verb: str,
    consent: FormConsent,
    actor: Actor,
    details: Mapping[str, Any],
) -> None:
    # Not by its number: who has that may take the consent back, and the log is read by many.
    subject = f"form-consent:{consent.session}"
    said = {"department": consent.department, **details}
    audit.record(session, action=f"form.{verb}", subject=subject, actor=actor, at=clock.now(), details=said)
