"""The routes of the keeper's pages: each reads, asks the register and shows; none decides.

Agreements are given with a passkey by the script; all else works without one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from credentials.licence import CHINA, agency_day, start_of_day
from credentials.office.seals.drills.values import VERDICT_NAMES, Verdict
from credentials.office.seals.grants import REFUSALS
from credentials.office.seals.reading import APPROVER, KEEPER
from credentials.office.seals.requests import REQUEST_NAMES, RequestKind
from credentials.office.seals.values import KIND_NAMES, REASON_NAMES, STATE_NAMES, SealState
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import MalformedInput
from yinxin.web.bodies import read_form, read_json
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.office.seals.drills import Compromise, Drill
    from credentials.office.seals.requests import Request as Asked
    from credentials.office.seals.service import Seals
    from yinxin.access.consent import PasskeyConsent
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock

PAGES = Pages("credentials.office.seals.pages")
MAX_FORM_BYTES, MAX_JSON_BYTES, SHOWN_USES = 16 * 1024, 64 * 1024, 50
# Gives the signed-in account of a request, or raises `Unauthenticated`; the wiring makes it of staff sign-in.
Enter = Callable[[Request], Awaitable[SignedIn]]
_STOPPABLE = (SealState.MADE, SealState.FILED, SealState.IN_USE)


def router(  # noqa: PLR0913 - what the pages stand on
    seals: Seals,
    lost: Compromise,
    consent: PasskeyConsent,
    *,
    enter: Enter,
    agreed: Callable[[Drill, Actor], None],
    clock: Clock,
    origin: str,
    passkey_script: str,
) -> APIRouter:
    """The keeper's pages. `agreed` hears of a plan about a lost key that two people agreed to."""
    routes = PAGES.router()

    async def come(request: Request) -> SignedIn:
        if request.method != "GET":
            require_same_origin(request, origin)
        return await enter(request)

    _add_reading(routes, seals, come, clock)
    _add_requests(routes, seals, lost, consent, come, agreed, passkey_script)
    _add_stopping(routes, seals, come)
    routes.include_router(PAGES.static_routes())
    return routes


def _add_reading(routes: APIRouter, seals: Seals, come: Enter, clock: Clock) -> None:
    @routes.get("/office/seals")
    async def every(request: Request) -> Response:
        signed_in = await come(request)
        found = await run_in_threadpool(seals.all, actor=signed_in.actor)
        waiting = await run_in_threadpool(seals.open_requests, actor=signed_in.actor)
        return PAGES.answer(
            request,
            "seals.html",
            signed_in=signed_in,
            seals=[(one, STATE_NAMES[one.state], KIND_NAMES[one.kind]) for one in found],
            waiting=[(one, REQUEST_NAMES[one.kind]) for one in waiting],
            china=CHINA,
        )

    @routes.get("/office/seals/{seal_id}")
    async def one(request: Request, seal_id: str) -> Response:
        signed_in = await come(request)
        shown = await run_in_threadpool(_shown, seals, seal_id, signed_in.actor, clock.now())
        return PAGES.answer(
            request,
            "seal.html",
            signed_in=signed_in,
            may_stop=KEEPER in signed_in.actor.roles or APPROVER in signed_in.actor.roles,
            stoppable=_STOPPABLE,
            china=CHINA,
            **shown,
        )


def _add_requests(  # noqa: PLR0913, PLR0917 - handed on from `router`
    routes: APIRouter,
    seals: Seals,
    lost: Compromise,
    consent: PasskeyConsent,
    come: Enter,
    agreed: Callable[[Drill, Actor], None],
    passkey_script: str,
) -> None:
    def agree(asked: Asked, proof: dict[str, Any], actor: Actor) -> None:
        if asked.kind is RequestKind.COMPROMISE:
            agreed(lost.agree(asked.id, proof=proof, actor=actor), actor)
        else:
            seals.agree(asked.id, proof=proof, actor=actor)

    @routes.get("/office/seal-requests/{request_id}")
    async def one(request: Request, request_id: str) -> Response:
        signed_in = await come(request)
        actor = signed_in.actor
        asked = await run_in_threadpool(seals.request, request_id, actor=actor)
        may = APPROVER in actor.roles and actor.identifier != asked.asked_by
        return PAGES.answer(
            request,
            "request.html",
            signed_in=signed_in,
            asked=asked,
            name=REQUEST_NAMES[asked.kind],
            rows=_rows(asked),
            agrees=asked.is_open and may,
            passkey_script=passkey_script,
            china=CHINA,
        )

    @routes.post("/office/seal-requests/{request_id}/agreement/begin")
    async def begin(request: Request, request_id: str) -> Response:
        signed_in = await come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        asked = await run_in_threadpool(seals.request, request_id, actor=signed_in.actor)
        _require_shown(asked, sent)
        return _json({"options": consent.options(asked.digest)})

    @routes.post("/office/seal-requests/{request_id}/agreement/finish")
    async def finish(request: Request, request_id: str) -> Response:
        signed_in = await come(request)
        sent = await read_json(request, limit=MAX_JSON_BYTES)
        asked = await run_in_threadpool(seals.request, request_id, actor=signed_in.actor)
        _require_shown(asked, sent)
        answer = sent.get("answer")
        if not isinstance(answer, dict):
            raise MalformedInput("agreement", "no answer of an authenticator")
        await run_in_threadpool(agree, asked, consent.proof(answer), signed_in.actor)
        return _json({"next": f"/office/seal-requests/{request_id}"})

    @routes.post("/office/seal-requests/{request_id}/refuse")
    async def refuse(request: Request, request_id: str) -> Response:
        signed_in = await come(request)
        await read_form(request, limit=MAX_FORM_BYTES)
        await run_in_threadpool(seals.refuse, request_id, actor=signed_in.actor)
        return see_other("/office/seals")


def _add_stopping(routes: APIRouter, seals: Seals, come: Enter) -> None:
    @routes.post("/office/seals/{seal_id}/stop")
    async def stop(request: Request, seal_id: str) -> Response:
        signed_in = await come(request)
        form = await read_form(request, limit=MAX_FORM_BYTES)
        facts = {name: form.get(name, "") for name in ("ground", "document_number")}
        await run_in_threadpool(lambda: seals.stop(seal_id, **facts, actor=signed_in.actor))
        return see_other(f"/office/seals/{seal_id}")


def _shown(seals: Seals, seal_id: str, actor: Actor, now: datetime) -> dict[str, Any]:
    today = start_of_day(agency_day(now))
    seal = seals.seal(seal_id, actor=actor)
    return {
        "seal": seal,
        "state": STATE_NAMES[seal.state],
        "kind": KIND_NAMES[seal.kind],
        "remade_for": REASON_NAMES[seal.remade_for] if seal.remade_for else None,
        "grants": seals.grants(seal_id, actor=actor),
        "alarms": [(one, REFUSALS[one.kind]) for one in seals.alarms(seal_id, actor=actor, limit=20)],
        "count": seals.count_uses(seal_id, actor=actor, since=today, until=now),
        "uses": seals.uses(seal_id, actor=actor, since=today, limit=SHOWN_USES),
    }


def _rows(asked: Asked) -> list[tuple[str, str]]:
    """What is asked for, by the names that the texts translate."""
    rows = []
    for name, value in asked.content.items():
        if name == "verdicts":
            counts = (f"{VERDICT_NAMES[Verdict(one)].zh} {number}" for one, number in sorted(value.items()))
            rows.append((name, "；".join(counts)))
        elif value:
            between = "–" if name == "hours" else " · "
            rows.append((name, between.join(map(str, value)) if isinstance(value, list) else str(value)))
    return rows


def _require_shown(asked: Asked, sent: dict[str, Any]) -> None:
    if sent.get("digest") != asked.digest.hex():
        raise MalformedInput("agreement", "this is not what the page showed: look at it again")


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=page_headers())
