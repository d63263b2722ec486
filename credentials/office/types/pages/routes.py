"""The routes of the catalogue's pages: each reads, asks the office and shows; none decides.

A type file is pasted or uploaded as text. Approval is given with a passkey by the script; all else works
without one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from credentials.licence import CHINA
from credentials.licence_type import InvalidCatalogue
from credentials.office.types.service import APPROVER
from credentials.office.types.versions import KIND_NAMES, STATE_NAMES, ChangeKind, ChangeState
from credentials.type_files import MAX_FILE_BYTES
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import MalformedInput
from yinxin.web.bodies import read_form, read_json
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from credentials.office.types.service import TypeOffice
    from credentials.office.types.versions import TypeChange
    from yinxin.access.consent import PasskeyConsent

PAGES = Pages("credentials.office.types.pages")
MAX_FORM_BYTES, MAX_JSON_BYTES = 4 * MAX_FILE_BYTES, 64 * 1024
CLERK = "clerk"
Enter = Callable[[Request], Awaitable[SignedIn]]


def router(
    types: TypeOffice, consent: PasskeyConsent, *, enter: Enter, origin: str, passkey_script: str
) -> APIRouter:
    """The catalogue's pages. `passkey_script` is the address of the script that talks to authenticators."""
    routes = PAGES.router()

    async def come(request: Request) -> SignedIn:
        if request.method != "GET":
            require_same_origin(request, origin)
        return await enter(request)

    _add_reading(routes, types, come, passkey_script)
    _add_writing(routes, types, come)
    _add_approval(routes, types, consent, come)
    return routes


def _add_reading(routes: APIRouter, types: TypeOffice, come: Enter, passkey_script: str) -> None:
    @routes.get("/office/types")
    async def catalogue(request: Request) -> Response:
        return await _catalogue(request, types, await come(request))

    @routes.get("/office/types/changes/{change_id}")
    async def one(request: Request, change_id: str) -> Response:
        signed_in = await come(request)
        change = await run_in_threadpool(types.change, change_id, actor=signed_in.actor)
        preview = None
        if change.kind is ChangeKind.VERSION:
            preview = await run_in_threadpool(types.preview, change_id, actor=signed_in.actor)
        is_open, actor = change.state is ChangeState.PROPOSED, signed_in.actor
        return PAGES.answer(
            request,
            "change.html",
            signed_in=signed_in,
            change=change,
            preview=preview,
            kind_name=KIND_NAMES[change.kind],
            state=STATE_NAMES[change.state],
            may_approve=is_open and APPROVER in actor.roles and actor.identifier != change.proposed_by,
            may_withdraw=is_open and bool(actor.roles & {CLERK, APPROVER}),
            passkey_script=passkey_script,
            china=CHINA,
        )

    @routes.get("/office/types/changes/{change_id}/picture")
    async def picture(request: Request, change_id: str) -> Response:
        signed_in = await come(request)
        made = await run_in_threadpool(types.picture, change_id, actor=signed_in.actor)
        return Response(made, media_type="image/png", headers=page_headers())

    @routes.get("/office/types/changes/{change_id}/page")
    async def page(request: Request, change_id: str) -> Response:
        signed_in = await come(request)
        made = await run_in_threadpool(types.page, change_id, actor=signed_in.actor)
        headers = {**page_headers(), "Content-Disposition": 'attachment; filename="specimen.pdf"'}
        return Response(made, media_type="application/pdf", headers=headers)


def _add_writing(routes: APIRouter, types: TypeOffice, come: Enter) -> None:
    @routes.post("/office/types/propose")
    async def propose(request: Request) -> Response:
        signed_in = await come(request)
        file = (await read_form(request, limit=MAX_FORM_BYTES)).get("file", "")
        try:
            made = await run_in_threadpool(types.propose, _plain(file), actor=signed_in.actor)
        except InvalidCatalogue as wrong:
            return await _catalogue(request, types, signed_in, file=file, wrong=wrong)
        return _to(made)

    @routes.post("/office/types/{code}/abolish")
    async def abolish(request: Request, code: str) -> Response:
        signed_in = await come(request)
        form = await read_form(request, limit=MAX_FORM_BYTES)
        facts = {name: form.get(name, "") for name in ("ground", "document_number")}
        try:
            last = date.fromisoformat(form.get("last_day", ""))
        except ValueError as exc:
            raise MalformedInput("form", "last_day is a day such as 2027-01-01") from exc
        made = await run_in_threadpool(
            lambda: types.abolish(code, last_day=last, actor=signed_in.actor, **facts)
        )
        return _to(made)

    @routes.post("/office/types/changes/{change_id}/withdraw")
    async def withdraw(request: Request, change_id: str) -> Response:
        signed_in = await come(request)
        note = (await read_form(request, limit=MAX_FORM_BYTES)).get("note", "")
        return _to(await run_in_threadpool(types.withdraw, change_id, note=note, actor=signed_in.actor))


def _add_approval(routes: APIRouter, types: TypeOffice, consent: PasskeyConsent, come: Enter) -> None:
    """What the script asks and brings: the digest that is signed is the one of the change as it is shown."""

    async def shown(request: Request, change_id: str) -> tuple[SignedIn, TypeChange, dict[str, Any]]:
        signed_in = await come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        change = await run_in_threadpool(types.change, change_id, actor=signed_in.actor)
        if sent.get("digest") != change.digest.hex():
            raise MalformedInput("agreement", "this is not the change that was shown: look at it again")
        return signed_in, change, sent

    @routes.post("/office/types/changes/{change_id}/agreement/begin")
    async def begin(request: Request, change_id: str) -> Response:
        _, change, _ = await shown(request, change_id)
        return JSONResponse({"options": consent.options(change.digest)}, headers=page_headers())

    @routes.post("/office/types/changes/{change_id}/agreement/finish")
    async def finish(request: Request, change_id: str) -> Response:
        signed_in, change, sent = await shown(request, change_id)
        answer = sent.get("answer")
        if not isinstance(answer, dict):
            raise MalformedInput("agreement", "no answer of an authenticator")
        proof = consent.proof(answer)
        await run_in_threadpool(types.approve, change.id, proof=proof, actor=signed_in.actor)
        return JSONResponse({"next": f"/office/types/changes/{change.id}"}, headers=page_headers())


async def _catalogue(
    request: Request,
    types: TypeOffice,
    signed_in: SignedIn,
    *,
    file: str = "",
    wrong: InvalidCatalogue | None = None,
) -> Response:
    versions = await run_in_threadpool(types.versions, actor=signed_in.actor)
    changes = await run_in_threadpool(types.changes, actor=signed_in.actor)
    rows = [(one, KIND_NAMES[one.kind], STATE_NAMES[one.state]) for one in changes]
    return PAGES.answer(
        request,
        "catalogue.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        versions=versions,
        rows=rows,
        may_propose=CLERK in signed_in.actor.roles,
        file=file,
        faults=wrong.faults if wrong else (),
        china=CHINA,
    )


def _plain(text: str) -> bytes:
    """What was pasted, with the line ends of a file: browsers send theirs."""
    return text.replace("\r\n", "\n").encode()


def _to(change: TypeChange) -> Response:
    return see_other(f"/office/types/changes/{change.id}")
