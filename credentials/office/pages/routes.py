"""The routes of the office's pages: each reads, asks the desk and shows; none decides.

Agreements are given with a passkey by the script; all else works without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations
from starlette.concurrency import run_in_threadpool

from credentials.licence import CHINA
from credentials.office.cases import KINDS, STATE_NAMES
from credentials.office.desk import READERS
from credentials.office.eyes import CLERK, REVIEWER
from credentials.office.pages.bundles import add_bundles
from credentials.office.pages.common import (
    AGREES,
    MAX_FORM_BYTES,
    MAX_JSON_BYTES,
    PAGES,
    Enter,
    Office,
    agreeing,
    answer_of,
    page_json,
    require_shown,
)
from credentials.office.pages.forms import (
    edited_work,
    inputs_of,
    new_work,
    rows_of,
    texts_of,
    typed,
)
from credentials.office.pages.licences import add_licences
from credentials.office.telling import details_of
from yinxin.base.errors import InvalidClaims, NotFound
from yinxin.web.bodies import read_form, read_json
from yinxin.web.pages import see_other

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType
    from credentials.office.bundles import Bundles
    from credentials.office.cases import Case
    from credentials.office.desk import Desk
    from credentials.reading import OfficeReading
    from yinxin.access.accounts import SignedIn
    from yinxin.access.consent import PasskeyConsent


def router(  # noqa: PLR0913 - what the pages stand on
    desk: Desk,
    bundles: Bundles,
    reading: OfficeReading,
    consent: PasskeyConsent,
    *,
    catalogue: Catalogue,
    enter: Enter,
    origin: str,
    passkey_script: str,
) -> APIRouter:
    """The office's pages. `passkey_script` is the address of the script that talks to authenticators."""
    routes = PAGES.router()
    office = Office(desk, bundles, reading, consent, catalogue, enter, origin, passkey_script)
    _add_reading(routes, office)
    _add_writing(routes, office)
    _add_agreement(routes, office)
    add_licences(routes, office)
    add_bundles(routes, office)
    routes.include_router(PAGES.static_routes())
    return routes


def _add_reading(routes: APIRouter, office: Office) -> None:
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


def _add_writing(routes: APIRouter, office: Office) -> None:
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


def _add_agreement(routes: APIRouter, office: Office) -> None:
    """What the script asks and brings: the digest that is signed is the one of the case as it is shown."""

    @routes.post("/office/cases/{case_id}/agreement/begin")
    async def begin(request: Request, case_id: str) -> Response:
        signed_in = await office.come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        case = await office.case(case_id, signed_in)
        require_shown(case.digest.hex(), sent)
        return page_json({"options": office.consent.options(case.digest)})

    @routes.post("/office/cases/{case_id}/agreement/finish")
    async def finish(request: Request, case_id: str) -> Response:
        signed_in = await office.come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        case = await office.case(case_id, signed_in)
        require_shown(case.digest.hex(), sent)
        step = office.desk.review if AGREES.get(case.state) == REVIEWER else office.desk.approve
        proof = office.consent.proof(answer_of(sent))
        await run_in_threadpool(lambda: step(case_id, proof=proof, actor=signed_in.actor))
        return page_json({"next": f"/office/cases/{case_id}"})


def _case_page(request: Request, office: Office, signed_in: SignedIn, case: Case) -> Response:
    kind, actor = office.kind(case.work.type_code), signed_in.actor
    return PAGES.answer(
        request,
        "case.html",
        signed_in=signed_in,
        case=case,
        kind=kind,
        state=STATE_NAMES[case.state],
        rows=rows_of(kind, case.work.claims),
        work_kind=KINDS[case.work.kind].name,
        details=details_of(case.work),
        agrees=None if case.bundle else agreeing(case, signed_in),
        waits_for=AGREES.get(case.state),
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
