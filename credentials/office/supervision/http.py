"""Supervision on HTTP, for inspectors and their systems; and for those whom a finding is about.

POST /v1/inspections                              state a reason: {"matter", "words"}
POST /v1/inspections/{id}/searches                look something up: {"by", "sought", "after", "limit"}
POST /v1/inspections/{id}/proofs                  {"entries"}: a file that anybody checks offline
GET  /v1/inspections/{id}/findings                what the rules found
GET  /v1/inspections/{id}/findings/{finding}      one finding with its lines
POST /v1/inspections/{id}/findings/{finding}/closing      close one that was explained: {"words"}
GET  /v1/findings/{finding}                       for whom it is about
POST /v1/findings/{finding}/explanation           explain it: {"words"}
GET  /v1/supervision/rules                        what supervision looks for, and the law behind it
GET  /v1/supervision/counts                       counts of a month, without personal data; also as CSV
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.office.supervision.findings import FindingState
from credentials.office.supervision.service import By, Search
from credentials.office.supervision.showing import counts_csv, counts_facts, found_facts, told_facts
from credentials.office.wire import read_members
from signing.jose import dump_json
from yinxin.base.actor import Actor
from yinxin.base.audit.bundle import Bundle
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import MalformedInput
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from credentials.office.supervision.service import Supervision
    from yinxin.base.clock import Clock

Enter = Callable[[Request], Awaitable[Actor]]
CALLS = Limit("inspection", 120, 600)
MAX_BYTES = 64 * 1024
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_State = Annotated[list[FindingState] | None, Query(max_length=len(FindingState))]


def router(supervision: Supervision, *, enter: Enter, log_key: str, clock: Clock) -> APIRouter:
    """The routes; `log_key` is the key that the log's checkpoints are verified with."""
    routes, buckets = APIRouter(include_in_schema=False), Buckets(CALLS)

    async def come(request: Request) -> Actor:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        return actor

    _add_inspections(routes, supervision, come, log_key)
    _add_findings(routes, supervision, come)
    _add_overview(routes, supervision, come)
    return routes


def _add_inspections(routes: APIRouter, supervision: Supervision, come: Enter, log_key: str) -> None:
    @routes.post("/v1/inspections")
    async def begin(request: Request) -> Response:
        actor = await come(request)
        sent = await _read(request, {"matter": str, "words": str})
        begun = await run_in_threadpool(
            supervision.begin, matter=sent["matter"], words=sent["words"], actor=actor
        )
        facts = {"id": begun.id, "matter": begun.matter, "ends_at": begun.ends_at.isoformat()}
        return _json(facts, status=201)

    @routes.post("/v1/inspections/{inspection}/searches")
    async def search(request: Request, inspection: str) -> Response:
        actor = await come(request)
        sent = await _read(request, {"by": str, "sought": str}, {"after": int, "limit": int})
        if sent["by"] not in set(By):
            raise MalformedInput("search", f"one searches by {', '.join(By)}")
        sought = Search(By(sent["by"]), sent["sought"], sent.get("after", -1), sent.get("limit", 50))
        return _json(
            found_facts(await run_in_threadpool(supervision.search, inspection, sought, actor=actor))
        )

    @routes.post("/v1/inspections/{inspection}/proofs")
    async def proofs(request: Request, inspection: str) -> Response:
        actor = await come(request)
        entries = (await _read(request, {"entries": list}))["entries"]
        if not all(isinstance(one, str) for one in entries):
            raise MalformedInput("entries", "ids of entries are texts")
        proven = await run_in_threadpool(supervision.prove, inspection, entries, actor=actor)
        headers = {**_HEADERS, "Content-Disposition": 'attachment; filename="proofs.json"'}
        return Response(Bundle.of(log_key, proven).to_text(), 200, headers, "application/json")


def _add_findings(routes: APIRouter, supervision: Supervision, come: Enter) -> None:
    @routes.get("/v1/inspections/{inspection}/findings")
    async def findings(
        request: Request, inspection: str, state: _State = None, rule: str | None = None
    ) -> Response:
        actor = await come(request)
        states = state or (FindingState.OPEN, FindingState.EXPLAINED)
        found = await run_in_threadpool(
            supervision.findings, inspection, actor=actor, states=states, rule=rule
        )
        return _json({"findings": [one.to_dict() for one in found]})

    @routes.get("/v1/inspections/{inspection}/findings/{finding}")
    async def one(request: Request, inspection: str, finding: str) -> Response:
        actor = await come(request)
        found, told = await run_in_threadpool(supervision.finding, inspection, finding, actor=actor)
        return _json({**found.to_dict(), "lines": [told_facts(line) for line in told]})

    @routes.post("/v1/inspections/{inspection}/findings/{finding}/closing")
    async def close(request: Request, inspection: str, finding: str) -> Response:
        actor = await come(request)
        words = (await _read(request, {"words": str}))["words"]
        done = await run_in_threadpool(supervision.close, inspection, finding, words=words, actor=actor)
        return _json(done.to_dict())

    @routes.get("/v1/findings/{finding}")
    async def explained(request: Request, finding: str) -> Response:
        actor = await come(request)
        return _json((await run_in_threadpool(supervision.explained, finding, actor=actor)).to_dict())

    @routes.post("/v1/findings/{finding}/explanation")
    async def explain(request: Request, finding: str) -> Response:
        actor = await come(request)
        words = (await _read(request, {"words": str}))["words"]
        done = await run_in_threadpool(supervision.explain, finding, words=words, actor=actor)
        return _json(done.to_dict())


def _add_overview(routes: APIRouter, supervision: Supervision, come: Enter) -> None:
    @routes.get("/v1/supervision/rules")
    async def rules(request: Request) -> Response:
        await run_in_threadpool(supervision.scope, await come(request))
        return _json({"rules": [rule.to_dict() for rule in supervision.rules]})

    @routes.get("/v1/supervision/counts")
    async def counts(
        request: Request,
        month: str,
        form: Annotated[str, Query(alias="format", pattern="^(json|csv)$")] = "json",
    ) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(supervision.counts, month, actor=actor)
        if form == "csv":
            headers = {**_HEADERS, "Content-Disposition": 'attachment; filename="counts.csv"'}
            return Response(counts_csv(month, found), 200, headers, "text/csv; charset=utf-8")
        return _json(counts_facts(month, found))


async def _read(
    request: Request, needed: dict[str, type], other: dict[str, type] | None = None
) -> dict[str, Any]:
    sent = await read_json(request, limit=MAX_BYTES)
    numbers = {name: sent.pop(name) for name in other or {} if name in sent}
    for name, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise MalformedInput(name, "a whole number")
    return read_members(sent, needed, required=tuple(needed)) | numbers


def _json(content: dict[str, Any], *, status: int = 200) -> Response:
    return Response(dump_json(content), status, _HEADERS, "application/json")
