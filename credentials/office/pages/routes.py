"""The routes of the office's pages: each reads, asks the desk and shows; none decides.

Agreements are given with a passkey by the script; all else works without one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from credentials.licence import CHINA
from credentials.office.cases import STATE_NAMES, CaseState
from credentials.office.desk import APPROVER, CLERK, READERS, REVIEWER
from credentials.office.pages.forms import edited_work, inputs_of, new_work, rows_of, texts_of, typed
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import InvalidClaims, MalformedInput, NotFound
from yinxin.web.bodies import read_form, read_json
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType
    from credentials.office.cases import Case
    from credentials.office.desk import Desk
    from yinxin.access.consent import PasskeyConsent

PAGES = Pages("credentials.office.pages")
MAX_FORM_BYTES, MAX_JSON_BYTES = 256 * 1024, 64 * 1024
# Gives the signed-in account of a request, or raises `Unauthenticated`; the wiring makes it of staff sign-in.
Enter = Callable[[Request], Awaitable[SignedIn]]
_AGREE = {CaseState.IN_REVIEW: REVIEWER, CaseState.IN_APPROVAL: APPROVER}


def router(  # noqa: PLR0913 - what the pages stand on
    desk: Desk,
    consent: PasskeyConsent,
    *,
    catalogue: Catalogue,
    enter: Enter,
    origin: str,
    passkey_script: str,
) -> APIRouter:
    """The office's pages. `passkey_script` is the address of the script that talks to authenticators."""
    routes = PAGES.router()
    office = _Office(desk, consent, catalogue, enter, origin, passkey_script)
    _add_reading(routes, office)
    _add_writing(routes, office)
    _add_agreement(routes, office)
    routes.include_router(PAGES.static_routes())
    return routes


class _Office:
    """What every route needs."""

    def __init__(  # noqa: PLR0913, PLR0917 - handed on from `router`, in its order
        self,
        desk: Desk,
        consent: PasskeyConsent,
        catalogue: Catalogue,
        enter: Enter,
        origin: str,
        passkey_script: str,
    ) -> None:
        self.desk, self.consent, self.catalogue = desk, consent, catalogue
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


def _add_reading(routes: APIRouter, office: _Office) -> None:
    @routes.get("/office")
    async def cases(request: Request) -> Response:
        signed_in = await office.come(request)
        own = signed_in.actor.roles
        # Who works in other rooms only finds the way there.
        reads_cases = bool(own & READERS)
        waiting = await run_in_threadpool(office.desk.waiting, actor=signed_in.actor) if reads_cases else []
        rows = [(case, office.kind(case.work.type_code).name, STATE_NAMES[case.state]) for case in waiting]
        return PAGES.answer(
            request,
            "cases.html",
            signed_in=signed_in,
            rows=rows,
            roles=own,
            reads_cases=reads_cases,
            may_draft=CLERK in own,
            types=list(office.catalogue),
            china=CHINA,
        )

    @routes.get("/office/new/{code}")
    async def new(request: Request, code: str) -> Response:
        signed_in = await office.come(request)
        kind = office.kind(code)
        return _form(request, signed_in, kind, {}, number="")

    @routes.get("/office/cases/{case_id}")
    async def one(request: Request, case_id: str) -> Response:
        signed_in = await office.come(request)
        return _case_page(request, office, signed_in, await office.case(case_id, signed_in))

    @routes.get("/office/cases/{case_id}/edit")
    async def edit_form(request: Request, case_id: str) -> Response:
        signed_in = await office.come(request)
        case = await office.case(case_id, signed_in)
        kind = office.kind(case.work.type_code)
        return _form(request, signed_in, kind, texts_of(case.work.claims), number=case.number, case=case)


def _add_writing(routes: APIRouter, office: _Office) -> None:
    desk = office.desk

    @routes.post("/office/new/{code}")
    async def draft(request: Request, code: str) -> Response:
        signed_in = await office.come(request)
        form = await read_form(request, limit=MAX_FORM_BYTES)
        kind, number = office.kind(code), form.get("number", "").strip()
        try:
            work = new_work(kind, form)
            case = await run_in_threadpool(desk.draft, number, work, actor=signed_in.actor)
        except InvalidClaims as wrong:
            return _form(request, signed_in, kind, typed(form), number=number, wrong=wrong)
        return _to(case)

    @routes.post("/office/cases/{case_id}/edit")
    async def edit(request: Request, case_id: str) -> Response:
        signed_in = await office.come(request)
        form = await read_form(request, limit=MAX_FORM_BYTES)
        case = await office.case(case_id, signed_in)
        kind = office.kind(case.work.type_code)
        try:
            case = await run_in_threadpool(desk.edit, case.id, edited_work(case, form), actor=signed_in.actor)
        except InvalidClaims as wrong:
            return _form(request, signed_in, kind, typed(form), number=case.number, case=case, wrong=wrong)
        return _to(case)

    @routes.post("/office/cases/{case_id}/{step}")
    async def take(request: Request, case_id: str, step: str) -> Response:
        signed_in = await office.come(request)
        form = await read_form(request, limit=MAX_FORM_BYTES)
        note, actor = form.get("note", ""), signed_in.actor
        steps: dict[str, Callable[[], Any]] = {
            "submit": lambda: desk.submit(case_id, actor=actor),
            "return": lambda: desk.send_back(case_id, note=note, actor=actor),
            "withdraw": lambda: desk.withdraw(case_id, note=note, actor=actor),
            "seal": lambda: desk.seal(case_id, actor=actor),
        }
        if step not in steps:
            raise NotFound("no such step")
        await run_in_threadpool(steps[step])
        return see_other(f"/office/cases/{case_id}")


def _add_agreement(routes: APIRouter, office: _Office) -> None:
    """What the script asks and brings: the digest that is signed is the one of the case as it is shown."""

    @routes.post("/office/cases/{case_id}/agreement/begin")
    async def begin(request: Request, case_id: str) -> Response:
        signed_in = await office.come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        case = await office.case(case_id, signed_in)
        _require_shown(case, sent)
        return _json({"options": office.consent.options(case.digest)})

    @routes.post("/office/cases/{case_id}/agreement/finish")
    async def finish(request: Request, case_id: str) -> Response:
        signed_in = await office.come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        case, answer = await office.case(case_id, signed_in), sent.get("answer")
        _require_shown(case, sent)
        if not isinstance(answer, dict):
            raise MalformedInput("agreement", "no answer of an authenticator")
        step = office.desk.review if _AGREE.get(case.state) == REVIEWER else office.desk.approve
        proof = office.consent.proof(answer)
        await run_in_threadpool(lambda: step(case_id, proof=proof, actor=signed_in.actor))
        return _json({"next": f"/office/cases/{case_id}"})


def _require_shown(case: Case, sent: dict[str, Any]) -> None:
    if sent.get("digest") != case.digest.hex():
        raise MalformedInput("agreement", "the case was changed since this page was shown: look at it again")


def _case_page(request: Request, office: _Office, signed_in: SignedIn, case: Case) -> Response:
    kind, actor = office.kind(case.work.type_code), signed_in.actor
    role = _AGREE.get(case.state)
    is_own = actor.identifier in case.editors or actor.identifier in {one.by for one in case.consents}
    return PAGES.answer(
        request,
        "case.html",
        signed_in=signed_in,
        case=case,
        kind=kind,
        state=STATE_NAMES[case.state],
        rows=rows_of(kind, case.work.claims),
        agrees=role if role in actor.roles and not is_own else None,
        waits_for=role,
        is_clerk=CLERK in actor.roles,
        passkey_script=office.passkey_script,
        china=CHINA,
    )


def _form(  # noqa: PLR0913, PLR0917 - what the page shows
    request: Request,
    signed_in: SignedIn,
    kind: LicenceType,
    values: dict[str, str],
    number: str,
    case: Case | None = None,
    wrong: InvalidClaims | None = None,
) -> Response:
    faults = dict(wrong.faults) if wrong else {}
    return PAGES.answer(
        request,
        "form.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        kind=kind,
        case=case,
        number=number,
        inputs=inputs_of(kind, values, faults),
        faulty=len(faults),
    )


def _to(case: Case) -> Response:
    return see_other(f"/office/cases/{case.id}")


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=page_headers())
