"""Bundles on pages: a file is handed in, its report is read, all its cases are agreed to at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations
from starlette.concurrency import run_in_threadpool

from credentials.applications import MAX_BYTES
from credentials.licence import CHINA
from credentials.office.cases import STATE_NAMES, CaseState
from credentials.office.eyes import CLERK, REVIEWER
from credentials.office.pages.common import (
    AGREES,
    MAX_FORM_BYTES,
    MAX_JSON_BYTES,
    PAGES,
    Office,
    agreeing,
    answer_of,
    page_json,
    require_shown,
)
from credentials.office.pages.forms import rows_of
from yinxin.base.errors import InvalidClaims, MalformedInput, NotFound, TooLarge, UsageError
from yinxin.web.bodies import read_form, read_json, read_multipart
from yinxin.web.pages import see_other

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office.bundles import Bundle
    from yinxin.access.accounts import SignedIn

SHOWN_CASES, SEALED_AT_ONCE = 100, 50


def add_bundles(routes: APIRouter, office: Office) -> None:
    """Add the pages."""
    _add_reading(routes, office)
    _add_writing(routes, office)
    _add_agreement(routes, office)


def _add_reading(routes: APIRouter, office: Office) -> None:
    @routes.get("/office/bundles")
    async def every(request: Request) -> Response:
        return await _list(request, office, await office.come(request))

    @routes.get("/office/bundles/{bundle_id}")
    async def one(request: Request, bundle_id: str) -> Response:
        signed_in = await office.come(request)
        bundle = await _bundle(office, bundle_id, signed_in)
        after = request.query_params.get("after", "0")
        place = int(after) if after.isascii() and after.isdigit() and len(after) < 7 else 0
        cases = await run_in_threadpool(
            office.bundles.cases, bundle.id, actor=signed_in.actor, after=place, limit=SHOWN_CASES
        )
        return PAGES.answer(
            request,
            "bundle.html",
            signed_in=signed_in,
            bundle=bundle,
            state=STATE_NAMES[bundle.state],
            counts=[(STATE_NAMES[state], number) for state, number in bundle.counts.items()],
            cases=[(case, STATE_NAMES[case.state], _says(office, case.work)) for case in cases],
            after=cases[-1].place if len(cases) == SHOWN_CASES else None,
            agrees=agreeing(bundle, signed_in),
            waits_for=AGREES.get(bundle.state),
            is_clerk=CLERK in signed_in.actor.roles,
            left=bundle.counts.get(CaseState.APPROVED, 0),
            passkey_script=office.passkey_script,
            china=CHINA,
        )


def _add_writing(routes: APIRouter, office: Office) -> None:
    @routes.post("/office/bundles")
    async def hand_in(request: Request) -> Response:
        signed_in = await office.come(request)
        sent = await read_multipart(request, limit=MAX_BYTES + MAX_FORM_BYTES, files=("file",), lists=())
        file, number = sent.get("file", b""), str(sent.get("number", "")).strip()
        code = str(sent.get("type", "")) or None
        try:
            opened = await run_in_threadpool(
                office.bundles.open, number, file, actor=signed_in.actor, type_code=code
            )
        except (MalformedInput, UsageError, InvalidClaims) as wrong:
            return await _list(request, office, signed_in, number=number, wrong=wrong)
        return see_other(f"/office/bundles/{opened.bundle.id}")

    @routes.post("/office/bundles/{bundle_id}/{step}")
    async def take(request: Request, bundle_id: str, step: str) -> Response:
        signed_in = await office.come(request)
        form = await read_form(request, limit=MAX_FORM_BYTES)
        bundles, note, actor = office.bundles, form.get("note", ""), signed_in.actor
        steps: dict[str, Callable[[], Any]] = {
            "submit": lambda: bundles.submit(bundle_id, actor=actor),
            "return": lambda: bundles.send_back(bundle_id, note=note, actor=actor),
            "withdraw": lambda: bundles.withdraw(bundle_id, note=note, actor=actor),
            "seal": lambda: bundles.seal(bundle_id, actor=actor, at_most=SEALED_AT_ONCE),
        }
        if step not in steps:
            raise NotFound("no such step")
        await run_in_threadpool(steps[step])
        return see_other(f"/office/bundles/{bundle_id}")


def _add_agreement(routes: APIRouter, office: Office) -> None:
    @routes.post("/office/bundles/{bundle_id}/agreement/begin")
    async def begin(request: Request, bundle_id: str) -> Response:
        signed_in = await office.come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        bundle = await _bundle(office, bundle_id, signed_in)
        require_shown(bundle.digest, sent)
        return page_json({"options": office.consent.options(bytes.fromhex(bundle.digest))})

    @routes.post("/office/bundles/{bundle_id}/agreement/finish")
    async def finish(request: Request, bundle_id: str) -> Response:
        signed_in = await office.come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        bundle = await _bundle(office, bundle_id, signed_in)
        require_shown(bundle.digest, sent)
        is_review = AGREES.get(bundle.state) == REVIEWER
        step = office.bundles.review if is_review else office.bundles.approve
        proof = office.consent.proof(answer_of(sent))
        await run_in_threadpool(lambda: step(bundle_id, proof=proof, actor=signed_in.actor))
        return page_json({"next": f"/office/bundles/{bundle_id}"})


async def _bundle(office: Office, bundle_id: str, signed_in: SignedIn) -> Bundle:
    return await run_in_threadpool(office.bundles.bundle, bundle_id, actor=signed_in.actor)


async def _list(
    request: Request,
    office: Office,
    signed_in: SignedIn,
    *,
    number: str = "",
    wrong: MalformedInput | UsageError | InvalidClaims | None = None,
) -> Response:
    found = await run_in_threadpool(office.bundles.latest, actor=signed_in.actor)
    status = 413 if isinstance(wrong, TooLarge) else 422 if wrong else 200
    return PAGES.answer(
        request,
        "bundles.html",
        status=status,
        signed_in=signed_in,
        rows=[(one, STATE_NAMES[one.state]) for one in found],
        may_draft=CLERK in signed_in.actor.roles,
        types=list(office.catalogue),
        number=number,
        wrong=wrong.detail if wrong else "",
        china=CHINA,
    )


def _says(office: Office, work: Any) -> Any:
    return rows_of(office.kind(work.type_code), work.claims)
