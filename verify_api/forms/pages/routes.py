"""The routes of forms at the counter: each reads, asks the service and shows; none decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from verify_api.forms.consents import STATE_NAMES, ConsentState, number_of
from verify_api.pages.handling import qr_code
from verify_api.pages.views import moment
from verify_api.pages.words import progress
from yinxin.access.accounts import SignedIn
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import NotFound, NotPermitted
from yinxin.web.bodies import read_choices
from yinxin.web.guards import require_same_origin
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from credentials.sources.form import Form
    from verify_api.departments import Department
    from verify_api.forms.consents import FormConsent
    from verify_api.forms.service import FormService
    from verify_api.presentations.service import PresentationService
    from verify_api.service import VerificationService

PAGES = Pages("verify_api.forms.pages")
MAX_FORM_BYTES = 32 * 1024
CLERK = Limit("form-clerk", 60, 240)
Enter = Callable[[Request], Awaitable[SignedIn]]


def router(
    forms: FormService,
    presentations: PresentationService,
    service: VerificationService,
    *,
    enter: Enter,
    origin: str,
) -> APIRouter:
    """`/counter/forms` and what lies below it. `enter` gives a request's signed-in account."""
    routes = PAGES.router()
    window = _Window(forms, presentations, service, enter, origin)
    _add_asking(routes, window)
    _add_filling(routes, window)
    return routes


class _Window:
    """What every route needs."""

    def __init__(
        self,
        forms: FormService,
        presentations: PresentationService,
        service: VerificationService,
        enter: Enter,
        origin: str,
    ) -> None:
        self.forms, self.presentations, self.service = forms, presentations, service
        self._enter, self._origin, self._buckets = enter, origin, Buckets(CLERK)

    async def come(self, request: Request) -> SignedIn:
        """The clerk who is here; a request that changes something must come from our own page."""
        if request.method != "GET":
            require_same_origin(request, self._origin)
        signed_in = await self._enter(request)
        signed_in.actor.require_role("clerk")
        self._buckets.take(signed_in.account.id, now=self.service.clock.now())
        return signed_in

    async def every(self, here: SignedIn) -> list[tuple[Department, Form]]:
        """The forms of the clerk's departments."""
        departments = await self.service.departments_of(here.actor.agency)
        return [(one, form) for one in departments for form in self.forms.forms(one)]

    async def chosen(self, here: SignedIn, key: str) -> tuple[Department, Form]:
        """The form that a page named, when it is one of the clerk's."""
        for department, form in await self.every(here):
            if f"{department.id} {form.matter}" == key:
                return department, form
        raise NotPermitted("the department has no form of this matter")

    async def own(self, here: SignedIn, number: str) -> tuple[Department, FormConsent]:
        """A consent that this clerk asked for, and for which department."""
        for department in await self.service.departments_of(here.actor.agency):
            try:
                return department, await self.forms.consent(number_of(number), department, clerk=here.actor)
            except NotFound:
                continue
        raise NotFound("no such consent")


def _add_asking(routes: APIRouter, window: _Window) -> None:
    @routes.get("/counter/forms")
    async def choose(request: Request) -> Response:
        here = await window.come(request)
        return PAGES.answer(request, "forms.html", signed_in=here, forms=await window.every(here))

    @routes.post("/counter/forms")
    async def ask(request: Request) -> Response:
        here = await window.come(request)
        said = await read_choices(request, limit=MAX_FORM_BYTES)
        department, form = await window.chosen(here, said.get("form", [""])[0])
        wanted = [one for one in said.get("fields", []) if one in form.from_licences]
        asked = await window.forms.ask(form.matter, department, fields=wanted, clerk=here.actor)
        return see_other(f"/counter/forms/{asked.consent.number}")

    @routes.get("/counter/forms/{number}")
    async def waiting(request: Request, number: str) -> Response:
        here = await window.come(request)
        department, consent = await window.own(here, number)
        return await _waiting(request, window, here, department, consent)


def _add_filling(routes: APIRouter, window: _Window) -> None:
    @routes.post("/counter/forms/{number}/fill")
    async def fill(request: Request, number: str) -> Response:
        here = await window.come(request)
        department, consent = await window.own(here, number)
        filled = await window.forms.fill(consent.matter, consent.number, department, clerk=here.actor)
        return PAGES.answer(
            request,
            "filled.html",
            signed_in=here,
            filled=filled,
            at=moment(window.service.clock.now()),
            department=department,
        )

    @routes.post("/counter/forms/{number}/revoke")
    async def revoke(request: Request, number: str) -> Response:
        here = await window.come(request)
        _, consent = await window.own(here, number)
        await window.forms.revoke(consent.number)
        return see_other(f"/counter/forms/{consent.number}")


async def _waiting(
    request: Request, window: _Window, here: SignedIn, department: Department, consent: FormConsent
) -> Response:
    state = consent.state_at(window.service.clock.now())
    form = window.forms.form(consent.matter, department)
    found: dict[str, Any] = {}
    begun = None
    if state is ConsentState.ASKED:
        found = await window.presentations.outcome(consent.session, department, clerk=here.actor)
        begun = await window.presentations.begun(consent.session, department, clerk=here.actor)
    return PAGES.answer(
        request,
        "waiting.html",
        signed_in=here,
        consent=consent,
        form=form,
        labels=[one.label for one in form.fields if one.name in consent.fields],
        state=STATE_NAMES[state],
        is_open=state is ConsentState.ASKED,
        words=progress(found["state"]) if found else None,
        may_fill=found.get("state") == "answered",
        code=qr_code(begun.link) if begun else None,
        match_code=begun.match_code if begun else "",
        until=moment(consent.expires_at),
        department=department,
    )
