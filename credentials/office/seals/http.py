"""Custody of seals on HTTP, for keepers, approvers and inspectors: each route reads, asks and answers.

GET  /v1/seals                        the register
POST /v1/seals                        apply for a seal
GET  /v1/seals/{id}                   one seal with its grants, alarms and today's uses
GET  /v1/seals/{id}/uses?after=       the log of uses, in pages
POST /v1/seals/{id}/{step}            make, file, begin, stop, resume, cancel, remake, compromise, grants
POST /v1/seals/{id}/grants/{grant}/stop   end a grant at once
GET  /v1/seal-requests                what waits for a second person
GET  /v1/seal-requests/{id}           one request, with the digest to be signed
POST /v1/seal-requests/{id}/approve   with the proof of a second person
POST /v1/seal-requests/{id}/refuse    close it without doing what it asks
GET  /v1/seal-drills/{id}             what a lost key's drill found, and how far it is
GET  /v1/seal-drills/{id}/items       its items, in pages
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.licence import agency_day, start_of_day
from credentials.office.seals.grants import GrantTerms
from credentials.office.seals.requests import RequestKind
from credentials.office.seals.values import RemakeReason, SealKind
from signing.certificates import Certificate
from signing.jose import dump_json
from yinxin.base.actor import Actor
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from credentials.office.seals.drills import Compromise, Drill
    from credentials.office.seals.service import Seals
    from yinxin.base.clock import Clock

# Gives who calls, or raises `Unauthenticated`: the office's entrance makes it.
Enter = Callable[[Request], Awaitable[Actor]]
# Hears of a drill that two people agreed to: the certificate is to be revoked.
Agreed = Callable[["Drill", Actor], None]
CALLS = Limit("seals", 120, 1200)
MAX_BODY_BYTES, MAX_PAGE = 64 * 1024, 200
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_Step = Callable[[str, dict[str, Any], Actor], Any]


def router(seals: Seals, lost: Compromise, *, enter: Enter, agreed: Agreed, clock: Clock) -> APIRouter:
    """The routes of one agency's register."""
    routes, buckets = APIRouter(), Buckets(CALLS)

    async def come(request: Request) -> Actor:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        return actor

    _add_reading(routes, seals, come, clock)
    _add_steps(routes, seals, lost, come)
    _add_grants(routes, seals, come)
    _add_requests(routes, seals, lost, come, agreed)
    _add_drills(routes, lost, come)
    return routes


def _add_reading(routes: APIRouter, seals: Seals, come: Enter, clock: Clock) -> None:
    @routes.get("/v1/seals")
    async def every(request: Request) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(seals.all, actor=actor)
        return _json({"seals": [one.to_dict() for one in found]})

    @routes.get("/v1/seals/{seal_id}")
    async def one(request: Request, seal_id: str) -> Response:
        actor = await come(request)
        return _json(await run_in_threadpool(_whole, seals, seal_id, actor, clock.now()))

    @routes.get("/v1/seals/{seal_id}/uses")
    async def uses(
        request: Request,
        seal_id: str,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    ) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(seals.uses, seal_id, actor=actor, after=after, limit=limit)
        more = {"after": found[-1].number} if len(found) == limit else {}
        return _json({"uses": [use.to_dict() for use in found], **more})


def _add_steps(routes: APIRouter, seals: Seals, lost: Compromise, come: Enter) -> None:
    steps = _steps(seals, lost)

    @routes.post("/v1/seals")
    async def apply(request: Request) -> Response:
        actor = await come(request)
        body = await read_json(request, limit=MAX_BODY_BYTES)
        facts = {name: _text(body, name) for name in ("name", "owner", "owner_name", "key")}
        kind = _word(SealKind, body.get("kind", "name"))
        made = await run_in_threadpool(lambda: seals.apply(**facts, kind=kind, actor=actor))
        return _json(made.to_dict(), status=201)

    @routes.post("/v1/seals/{seal_id}/{step}")
    async def take(request: Request, seal_id: str, step: str) -> Response:
        actor = await come(request)
        body = await read_json(request, limit=MAX_BODY_BYTES)
        if step not in steps:
            raise NotFound("no such step")
        done = await run_in_threadpool(steps[step], seal_id, body, actor)
        return _json(done.to_dict())


def _steps(seals: Seals, lost: Compromise) -> dict[str, _Step]:
    """What may be asked of a seal, by the words of its address."""
    return {
        "make": lambda seal, body, actor: seals.make(
            seal, certificate=Certificate.from_pem(_text(body, "certificate").encode()), actor=actor
        ),
        "file": lambda seal, body, actor: seals.file(seal, number=_text(body, "number"), actor=actor),
        "begin": lambda seal, _body, actor: seals.begin(seal, actor=actor),
        "stop": lambda seal, body, actor: seals.stop(seal, **_facts(body), actor=actor),
        "resume": lambda seal, body, actor: seals.ask_to_resume(seal, **_facts(body), actor=actor),
        "cancel": lambda seal, body, actor: seals.ask_to_cancel(seal, **_facts(body), actor=actor),
        "remake": lambda seal, body, actor: seals.remake(
            seal, reason=_word(RemakeReason, body.get("reason")), key=_text(body, "key"), actor=actor
        ),
        "grants": lambda seal, body, actor: seals.ask_to_grant(seal, GrantTerms.from_dict(body), actor=actor),
        "compromise": lambda seal, body, actor: lost.begin(
            seal, since=_moment(_text(body, "since")), **_facts(body), actor=actor
        ),
    }


def _add_grants(routes: APIRouter, seals: Seals, come: Enter) -> None:
    @routes.post("/v1/seals/{seal_id}/grants/{grant_id}/stop")
    async def stop(request: Request, seal_id: str, grant_id: str) -> Response:
        actor = await come(request)
        why = _text(await read_json(request, limit=MAX_BODY_BYTES), "why")
        await run_in_threadpool(lambda: seals.stop_grant(seal_id, grant_id, why=why, actor=actor))
        return _json({"grant": grant_id, "active": False})


def _add_requests(routes: APIRouter, seals: Seals, lost: Compromise, come: Enter, agreed: Agreed) -> None:
    def agree(request_id: str, proof: dict[str, Any], actor: Actor) -> None:
        if seals.request(request_id, actor=actor).kind is RequestKind.COMPROMISE:
            agreed(lost.agree(request_id, proof=proof, actor=actor), actor)
        else:
            seals.agree(request_id, proof=proof, actor=actor)

    @routes.get("/v1/seal-requests")
    async def waiting(request: Request) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(seals.open_requests, actor=actor)
        return _json({"requests": [one.to_dict() for one in found]})

    @routes.get("/v1/seal-requests/{request_id}")
    async def one(request: Request, request_id: str) -> Response:
        actor = await come(request)
        return _json((await run_in_threadpool(seals.request, request_id, actor=actor)).to_dict())

    @routes.post("/v1/seal-requests/{request_id}/approve")
    async def approve(request: Request, request_id: str) -> Response:
        actor = await come(request)
        proof = (await read_json(request, limit=MAX_BODY_BYTES)).get("proof")
        if not isinstance(proof, dict):
            raise MalformedInput("seal request", "a proof of agreement is needed")
        await run_in_threadpool(agree, request_id, proof, actor)
        return _json((await run_in_threadpool(seals.request, request_id, actor=actor)).to_dict())

    @routes.post("/v1/seal-requests/{request_id}/refuse")
    async def refuse(request: Request, request_id: str) -> Response:
        actor = await come(request)
        await run_in_threadpool(seals.refuse, request_id, actor=actor)
        return _json({"request": request_id, "agreed": False})


def _add_drills(routes: APIRouter, lost: Compromise, come: Enter) -> None:
    @routes.get("/v1/seal-drills/{drill_id}")
    async def drill(request: Request, drill_id: str) -> Response:
        actor = await come(request)
        return _json((await run_in_threadpool(lost.plan, drill_id, actor=actor)).to_dict())

    @routes.get("/v1/seal-drills/{drill_id}/items")
    async def items(
        request: Request,
        drill_id: str,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    ) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(lost.items, drill_id, actor=actor, after=after, limit=limit)
        more = {"after": found[-1].use} if len(found) == limit else {}
        return _json({"items": [one.to_dict() for one in found], **more})


def _whole(seals: Seals, seal_id: str, actor: Actor, now: datetime) -> dict[str, Any]:
    today = start_of_day(agency_day(now))
    return {
        **seals.seal(seal_id, actor=actor).to_dict(),
        "grants": [one.to_dict() for one in seals.grants(seal_id, actor=actor)],
        "alarms": [one.to_dict() for one in seals.alarms(seal_id, actor=actor)],
        "uses_today": seals.count_uses(seal_id, actor=actor, since=today, until=now),
    }


def _facts(body: dict[str, Any]) -> dict[str, str]:
    return {name: _text(body, name) for name in ("ground", "document_number")}


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise MalformedInput("request body", f"{name} must be a text")
    return value


def _word(kind: Any, value: object) -> Any:
    try:
        return kind(value)
    except ValueError as exc:
        raise MalformedInput("request body", f"one of {', '.join(kind)}") from exc


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise MalformedInput("request body", "since is a time with its offset, ISO 8601") from exc
    if found.tzinfo is None:
        raise MalformedInput("request body", "since is a time with its offset, ISO 8601")
    return found


def _json(content: dict[str, Any], *, status: int = 200) -> Response:
    return Response(dump_json(content), status, media_type="application/json", headers=_HEADERS)
