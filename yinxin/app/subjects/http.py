"""Events of subjects for an agency's own systems: each route reads, asks the cascade, answers.

POST /v1/subject-events               plan an event: 201, with everything that it would do
GET  /v1/subject-events               the agency's events, newest first
POST /v1/subject-events/search        a subject's state and events; its code stands in the body, never in an address
GET  /v1/subject-events/{id}          one event: its plan, what became of each effect, how far it is
POST /v1/subject-events/{id}/approve  with the proof of a second person over the plan's digest
POST /v1/subject-events/{id}/{step}   plan-again, withdraw, run (202: the work goes on by itself), halt
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.office.wire import read_members
from signing.jose import dump_json
from yinxin.app.subjects.history import STATE_TEXTS
from yinxin.app.subjects.values import EventKind, Subject
from yinxin.base.actor import Actor
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import InvalidClaims, NotFound
from yinxin.base.text import Text
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.app.subjects.cascade import Cascade
    from yinxin.app.subjects.runner import Runner
    from yinxin.app.subjects.values import EventFacts
    from yinxin.base.clock import Clock

Enter = Callable[[Request], Awaitable[Actor]]
CALLS = Limit("subject events", 120, 1200)
MAX_BODY_BYTES = 64 * 1024
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_FACTS: Mapping[str, type] = {
    "kind": str,
    "subject": str,
    "ground": str,
    "document_number": str,
    "name": str,
    "representative": str,
    "into": str,
    "undoes": str,
    "happened_on": str,
}


def router(cascade: Cascade, runner: Runner, *, enter: Enter, clock: Clock) -> APIRouter:
    """The routes of one agency."""
    routes, buckets = APIRouter(), Buckets(CALLS)

    async def come(request: Request) -> Actor:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        return actor

    _add_planning(routes, cascade, come)
    _add_reading(routes, cascade, come)
    _add_steps(routes, cascade, runner, come)
    return routes


def _add_planning(routes: APIRouter, cascade: Cascade, come: Enter) -> None:
    @routes.post("/v1/subject-events")
    async def plan(request: Request) -> Response:
        actor = await come(request)
        sent = read_members(
            await read_json(request, limit=MAX_BODY_BYTES),
            _FACTS,
            required=("kind", "subject", "ground", "document_number"),
        )
        planned = await run_in_threadpool(cascade.plan, facts_of(cascade, sent), actor=actor)
        location = {"Location": f"/v1/subject-events/{planned.event.id}"}
        return _json(planned.to_dict(), status=201, headers=location)

    @routes.post("/v1/subject-events/search")
    async def search(request: Request) -> Response:
        actor = await come(request)
        sent = read_members(
            await read_json(request, limit=MAX_BODY_BYTES), {"subject": str}, required=("subject",)
        )
        subject = Subject.parse(sent["subject"])
        state, events = await run_in_threadpool(cascade.of_subject, subject, actor=actor)
        text = STATE_TEXTS[state].to_dict()
        return _json({"state": str(state), "text": text, "events": [one.to_dict() for one in events]})


def _add_reading(routes: APIRouter, cascade: Cascade, come: Enter) -> None:
    @routes.get("/v1/subject-events")
    async def recent(request: Request) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(cascade.recent, actor=actor)
        return _json({"events": [one.to_dict() for one in found]})

    @routes.get("/v1/subject-events/{event_id}")
    async def one(request: Request, event_id: str) -> Response:
        actor = await come(request)
        return _json((await run_in_threadpool(cascade.show, event_id, actor=actor)).to_dict())


def _add_steps(routes: APIRouter, cascade: Cascade, runner: Runner, come: Enter) -> None:
    @routes.post("/v1/subject-events/{event_id}/approve")
    async def approve(request: Request, event_id: str) -> Response:
        actor = await come(request)
        body = await read_json(request, limit=MAX_BODY_BYTES)
        proof = read_members(body, {"proof": dict}, required=("proof",))["proof"]
        event = await run_in_threadpool(cascade.approve, event_id, proof=proof, actor=actor)
        return _json(event.to_dict())

    @routes.post("/v1/subject-events/{event_id}/{step}")
    async def take(request: Request, event_id: str, step: str) -> Response:
        actor = await come(request)
        read_members(await read_json(request, limit=MAX_BODY_BYTES), {})
        if step == "plan-again":
            return _json((await run_in_threadpool(cascade.plan_again, event_id, actor=actor)).to_dict())
        if step == "withdraw":
            return _json((await run_in_threadpool(cascade.withdraw, event_id, actor=actor)).to_dict())
        if step == "halt":
            return _json((await run_in_threadpool(cascade.halt, event_id, actor=actor)).to_dict())
        if step == "run":
            event = await run_in_threadpool(runner.start, event_id, actor=actor)
            return _json(event.to_dict(), status=202)
        raise NotFound("no such step")


def facts_of(cascade: Cascade, sent: Mapping[str, str]) -> EventFacts:
    """The facts of an event as they were sent or typed; `InvalidClaims` for what cannot be read."""
    given: dict[str, Any] = {name: value for name, value in sent.items() if value.strip()}
    try:
        given["kind"] = EventKind(given["kind"])
    except (KeyError, ValueError):
        known = ", ".join(EventKind)
        raise InvalidClaims(faults=[("kind", Text(f"须为：{known}", f"must be one of: {known}"))]) from None
    try:
        if "happened_on" in given:
            given["happened_on"] = date.fromisoformat(given["happened_on"])
    except ValueError:
        raise InvalidClaims(faults=[("happened_on", Text("不是日期", "is no date"))]) from None
    given["subject"] = Subject.parse(given.get("subject", ""))
    if "into" in given:
        given["into"] = Subject.parse(given["into"])
    return cascade.facts(**{"ground": "", "document_number": "", **given})


def _json(content: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(dump_json(content), status, {**_HEADERS, **(headers or {})}, "application/json")
