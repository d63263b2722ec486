"""What a clerk may do at a counter, without HTTP.

A clerk acts for the organisation that the account names (a credit code). Every department that this
organisation has registered is a desk's; each of its grants is one desk, and the clerk sits at one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from verify_api.presentations.templates import AS_MDOC, AS_SD_JWT_VC, Wish
from yinxin.base.errors import NotFound, NotPermitted, UnknownLicenceType
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType
    from verify_api.departments import Department, Grant
    from verify_api.notices import DepartmentNotices
    from verify_api.presentations.service import PresentationService, Started
    from verify_api.questions import Question
    from verify_api.repository import StoredVerification
    from verify_api.service import Answer, VerificationService
    from yinxin.base.actor import Actor

T = TypeVar("T")
EVERY_FORM = (AS_SD_JWT_VC, AS_MDOC)  # the one that agents have, too, first


@dataclass(frozen=True)
class Kind:
    """A licence type that a desk may ask for, with the fields of it that the grant covers."""

    code: str
    name: Text
    fields: tuple[Any, ...]


@dataclass(frozen=True)
class Desk:
    """One grant of one department: what a clerk works on."""

    department: Department
    grant: Grant
    kinds: tuple[Kind, ...]

    @property
    def key(self) -> str:
        """Its name in a form: the department's id and the matter, neither of which has a space in it."""
        return f"{self.department.id} {self.grant.matter}"


class Counter:
    """The desks of everybody who signs in, and what is done at them."""

    def __init__(
        self,
        service: VerificationService,
        *,
        catalogue: Catalogue,
        presentations: PresentationService | None = None,
        notices: DepartmentNotices | None = None,
    ) -> None:
        self.service = service
        self.catalogue = catalogue
        self.presentations = presentations
        self.notices = notices

    async def desks(self, clerk: Actor) -> tuple[Desk, ...]:
        """Where this clerk may sit; none when the organisation is no department here."""
        departments = await self.service.departments_of(clerk.agency)
        return tuple(self._desk(one, grant) for one in departments for grant in one.grants)

    async def desk(self, clerk: Actor, key: str) -> Desk:
        """The desk of this name, when it is one of the clerk's; else `NotPermitted`."""
        for desk in await self.desks(clerk):
            if desk.key == key:
                return desk
        raise NotPermitted("the department has no grant for this matter")

    async def verify(self, question: Question, desk: Desk, *, clerk: Actor, form: str) -> Answer:
        """Verify at a desk. `form` is a form's own secret: sent twice, the same question counts once."""
        key = f"{form}:{question.digest}" if form else None
        return await self.service.verify(question, desk.department, idempotency_key=key, clerk=clerk)

    async def ask(  # noqa: PLR0913 - what a clerk chooses
        self,
        desk: Desk,
        *,
        clerk: Actor,
        types: Sequence[str],
        claims: Sequence[str],
        any_type: bool = False,
        reason: str = "",
        browser: str | None = None,
        forms: Sequence[str] = EVERY_FORM,
    ) -> Started:
        """Ask the holder; `browser` is this browser's secret, where the wallet is on the same device.

        `forms` are those in which the holder may show it.
        """
        wish = Wish(
            purpose=desk.grant.purpose,
            matter=desk.grant.matter,
            types=tuple(dict.fromkeys(types)),
            any_type=any_type,
            claims=tuple(dict.fromkeys(claims)),
            reason=Text(reason, reason) if reason else None,
            same_device=browser is not None,
            agents=AS_SD_JWT_VC in forms,  # at a counter somebody often comes for somebody else
            forms=tuple(forms),
        )
        return await self._asking.start(wish, desk.department, browser=browser, clerk=clerk)

    async def awaited(self, session_id: str, *, clerk: Actor) -> Started | None:
        """The link of the clerk's own session while it waits; None when it does not any more."""
        return await self._own(clerk, lambda one: self._asking.begun(session_id, one, clerk=clerk))

    async def outcome(self, session_id: str, *, clerk: Actor) -> dict[str, Any]:
        """How the clerk's own session stands, `department` being whose it is."""

        async def look(department: Department) -> dict[str, Any]:
            found = await self._asking.outcome(session_id, department, clerk=clerk)
            return {**found, "department": department}

        return await self._own(clerk, look)

    async def recent(self, clerk: Actor, *, limit: int) -> tuple[StoredVerification, ...]:
        """The latest verifications of the clerk's departments."""
        departments = await self.service.departments_of(clerk.agency)
        return await self.service.recent(departments, limit=limit) if departments else ()

    async def record(self, verification_id: str, *, clerk: Actor) -> dict[str, Any]:
        """One of them, with its receipt; `department` is whose it is."""

        async def look(department: Department) -> dict[str, Any]:
            found = await self.service.record_of(verification_id, department)
            return {**found, "department": department}

        return await self._own(clerk, look)

    async def waiting_notices(self, clerk: Actor, *, limit: int) -> list[tuple[Department, dict[str, Any]]]:
        """What became of licences that the clerk's departments accepted, oldest first of each."""
        found = []
        for department in await self.service.departments_of(clerk.agency):
            waiting = await self._telling.waiting(department, limit=limit, clerk=clerk)
            found += [(department, one) for one in waiting]
        return found[:limit]

    async def acknowledge_notice(self, notice: str, *, clerk: Actor) -> dict[str, Any]:
        """Take a notice of one of the clerk's departments off its queue; again changes nothing."""
        return await self._own(clerk, lambda one: self._telling.acknowledge(notice, one, clerk=clerk))

    @property
    def _telling(self) -> DepartmentNotices:
        if self.notices is None:
            raise NotFound("this service hands out no notices")
        return self.notices

    @property
    def _asking(self) -> PresentationService:
        if self.presentations is None:
            raise NotFound("this service does not ask wallets")
        return self.presentations

    async def _own(self, clerk: Actor, look: Callable[[Department], Awaitable[T]]) -> T:
        """What `look` finds in one of the clerk's departments; `NotFound` when in none."""
        for department in await self.service.departments_of(clerk.agency):
            try:
                return await look(department)
            except NotFound:
                continue
        raise NotFound("the departments of this organisation have no such record")

    def _desk(self, department: Department, grant: Grant) -> Desk:
        found = [self._kind(code) for code in grant.fields]
        kinds = [Kind(kind.code, kind.name, _granted(kind, grant)) for kind in found if kind]
        return Desk(department, grant, tuple(kinds))

    def _kind(self, code: str) -> LicenceType | None:
        try:
            return self.catalogue[code]
        except UnknownLicenceType:
            return None


def _granted(kind: LicenceType, grant: Grant) -> tuple[Any, ...]:
    return tuple(field for field in kind.fields if field.name in grant.fields[kind.code])
