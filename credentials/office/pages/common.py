"""What the office's pages share: who is here, what they work with, and how they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from credentials.office.cases import CaseState
from credentials.office.eyes import APPROVER, REVIEWER
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType
    from credentials.office.bundles import Bundle, Bundles
    from credentials.office.cases import Case
    from credentials.office.desk import Desk
    from credentials.reading import OfficeReading
    from yinxin.access.consent import PasskeyConsent

PAGES = Pages("credentials.office.pages")
MAX_FORM_BYTES, MAX_JSON_BYTES = 256 * 1024, 64 * 1024
# Gives the signed-in account of a request, or raises `Unauthenticated`; the wiring makes it of staff sign-in.
Enter = Callable[[Request], Awaitable[SignedIn]]
AGREES = {CaseState.IN_REVIEW: REVIEWER, CaseState.IN_APPROVAL: APPROVER}


class Office:
    """What every route needs."""

    def __init__(  # noqa: PLR0913, PLR0917 - handed on from `router`
        self,
        desk: Desk,
        bundles: Bundles,
        reading: OfficeReading,
        consent: PasskeyConsent,
        catalogue: Catalogue,
        enter: Enter,
        origin: str,
        passkey_script: str,
    ) -> None:
        self.desk, self.bundles, self.reading = desk, bundles, reading
        self.consent, self.catalogue = consent, catalogue
        self.passkey_script = passkey_script
        self._enter, self._origin = enter, origin

    async def come(self, request: Request) -> SignedIn:
        """Who is here; a request that changes something must come from our own page."""
        if request.method != "GET":
            require_same_origin(request, self._origin)
        return await self._enter(request)

    def kind(self, code: str) -> LicenceType:
        """A licence type, or `NotFound`."""
        found = next((one for one in self.catalogue if one.code == code), None)
        if found is None:
            raise NotFound("no such licence type")
        return found

    async def case(self, case_id: str, signed_in: SignedIn) -> Case:
        """A case of the agency."""
        return await run_in_threadpool(self.desk.case, case_id, actor=signed_in.actor)


def agreeing(what: Case | Bundle, signed_in: SignedIn) -> str | None:
    """The role in which somebody may agree to a case or a bundle now; None for nobody who may."""
    role, actor = AGREES.get(what.state), signed_in.actor
    is_own = actor.identifier in what.editors or actor.identifier in {one.by for one in what.consents}
    return role if role in actor.roles and not is_own else None


def require_shown(digest: str, sent: dict[str, Any]) -> None:
    """The digest that is signed is the one of what stands on the page."""
    if sent.get("digest") != digest:
        raise MalformedInput("agreement", "it was changed since this page was shown: look at it again")


def answer_of(sent: dict[str, Any]) -> dict[str, Any]:
    """The authenticator's answer in what the script sent."""
    answer = sent.get("answer")
    if not isinstance(answer, dict):
        raise MalformedInput("agreement", "no answer of an authenticator")
    return answer


def page_json(content: dict[str, Any]) -> Response:
    """What the script hears."""
    return JSONResponse(content, headers=page_headers())
