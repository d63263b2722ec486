"""Slips and disputes on HTTP: for departments and holders (`public_router`), and at the office."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.office.disputes.dispute import Complaint, DisputeKind, Elsewhere, Opened
from credentials.office.disputes.limits import FOLLOWING, OPENING, TOGETHER
from credentials.office.wire import read_members
from signing.jose import dump_json
from yinxin.base.actor import Actor
from yinxin.base.buckets import Buckets, Limit, caller_of
from yinxin.base.errors import InvalidClaims, MalformedInput, NotFound
from yinxin.base.text import Text
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from credentials.office.disputes.dispute import Dispute
    from credentials.office.disputes.service import Disputes
    from credentials.office.disputes.slips import Slips
    from yinxin.base.clock import Clock

# Gives the department that calls, None for somebody without credentials; wrong ones are `Unauthenticated`.
DepartmentOf = Callable[[Request], Awaitable[Actor | None]]
Enter = Callable[[Request], Awaitable[Actor]]
CALLS = Limit("office", 600, 6000)
MAX_OPEN_BYTES, MAX_STEP_BYTES = 4 << 20, 64 * 1024
SECRET = "Dispute-Secret"  # noqa: S105 - the name of a header
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_COMPLAINT: dict[str, type] = {
    "kind": str,
    "words": str,
    "licence": str,
    "type": str,
    "agency": str,
    "fields": list,
    "slip": str,
    "proof": dict,
}


def public_router(
    disputes: Disputes, slips: Slips, *, department_of: DepartmentOf, clock: Clock
) -> APIRouter:
    """What anybody may ask who has a slip or a secret, and departments in their own name.

    GET  /v1/slips/{number}                  what a slip says
    POST /v1/disputes                        open one: 201, or 200 with `elsewhere` for another's licence
    GET  /v1/disputes/{number}               follow it, with its secret in the header Dispute-Secret
    POST /v1/disputes/{number}/escalation    hand it to supervision, once rejected or overdue
    """
    routes = APIRouter(include_in_schema=False)
    each, together, following = Buckets(OPENING), Buckets(TOGETHER), Buckets(FOLLOWING)
    departments = Buckets(CALLS)

    async def count(request: Request, actor: Actor | None) -> None:
        if actor is not None:
            departments.take(actor.identifier, now=clock.now())
            return
        each.take(_address(request), now=clock.now())
        together.take("all", now=clock.now())

    @routes.post("/v1/disputes")
    async def open_dispute(request: Request) -> Response:
        actor = await department_of(request)
        await count(request, actor)
        complaint, proof = _read(await read_json(request, limit=MAX_OPEN_BYTES))
        return _opened(await run_in_threadpool(disputes.open, complaint, actor=actor, proof=proof))

    @routes.get("/v1/disputes/{number}")
    async def follow(request: Request, number: str) -> Response:
        following.take(_address(request), now=clock.now())
        secret = request.headers.get(SECRET, "")[:100]
        return _shown(await run_in_threadpool(disputes.follow, number, secret), for_staff=False)

    @routes.post("/v1/disputes/{number}/escalation")
    async def escalate(request: Request, number: str) -> Response:
        following.take(_address(request), now=clock.now())
        sent = _words(await read_json(request, limit=MAX_STEP_BYTES))
        secret = request.headers.get(SECRET, "")[:100]
        found = await run_in_threadpool(disputes.escalate, number, secret, words=sent["words"])
        return _shown(found, for_staff=False)

    async def limited(request: Request) -> None:
        following.take(_address(request), now=clock.now())

    _add_slips(routes, slips, limited)
    return routes


def office_router(disputes: Disputes, slips: Slips, *, enter: Enter, clock: Clock) -> APIRouter:
    """What an agency's people and systems may do.

    GET  /v1/slips/{number}                  what a slip says
    GET  /v1/disputes                        what waits for an answer
    GET  /v1/disputes/{number}               one dispute
    POST /v1/disputes/{number}/{step}        accept, reject, answer, escalate, correct; link names a case
    """
    routes, buckets = APIRouter(include_in_schema=False), Buckets(CALLS)

    async def come(request: Request) -> Actor:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        return actor

    async def come_in(request: Request) -> None:
        await come(request)

    @routes.get("/v1/disputes")
    async def waiting(request: Request) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(disputes.waiting, actor.agency or "", actor=actor)
        now = clock.now()
        rows = [{**one.to_dict(for_staff=True), "overdue": one.is_overdue(now)} for one in found]
        return _json({"disputes": rows})

    @routes.get("/v1/disputes/{number}")
    async def one(request: Request, number: str) -> Response:
        actor = await come(request)
        return _shown(await run_in_threadpool(disputes.one, number, actor=actor), for_staff=True)

    @routes.post("/v1/disputes/{number}/{step}")
    async def take(request: Request, number: str, step: str) -> Response:
        actor = await come(request)
        sent = await read_json(request, limit=MAX_STEP_BYTES)
        return _shown(await run_in_threadpool(_taken, disputes, number, step, sent, actor), for_staff=True)

    _add_slips(routes, slips, come_in)
    return routes


def _add_slips(routes: APIRouter, slips: Slips, admit: Callable[[Request], Awaitable[None]]) -> None:
    @routes.get("/v1/slips/{number}")
    async def slip(request: Request, number: str) -> Response:
        await admit(request)
        return _json(slips.read(number).to_dict())


def _taken(disputes: Disputes, number: str, step: str, sent: dict[str, Any], actor: Actor) -> Dispute:
    if step == "link":
        named = read_members(sent, {"case": str}, required=("case",))
        return disputes.link(number, named["case"][:64], actor=actor)
    if step not in {"accept", "reject", "answer", "escalate", "correct"}:
        raise NotFound("no such step")
    words = _words(sent)["words"]
    if step == "correct":
        return disputes.correct(number, words=words, actor=actor)
    return disputes.answer(number, step, words=words, actor=actor)


def _words(sent: dict[str, Any]) -> dict[str, Any]:
    return read_members(sent, {"words": str}, required=("words",))


def _read(body: dict[str, Any]) -> tuple[Complaint, dict[str, Any] | None]:
    """What is disputed, and the proof beside it."""
    read = read_members(body, _COMPLAINT, required=("kind", "words"))
    if read["kind"] not in set(DisputeKind):
        known = ", ".join(DisputeKind)
        raise InvalidClaims(faults=[("kind", Text(f"须为：{known}", f"must be one of: {known}"))])
    fields = read.get("fields", [])
    if not all(isinstance(name, str) for name in fields):
        raise InvalidClaims(faults=[("fields", Text("须为文本数组", "must be a list of texts"))])
    complaint = Complaint(
        DisputeKind(read["kind"]),
        read["words"],
        licence=read.get("licence", ""),
        type_code=read.get("type", ""),
        agency=read.get("agency", ""),
        fields=tuple(fields),
        slip=read.get("slip", ""),
    )
    return complaint, _proof(read.get("proof"))


def _proof(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None or "document" not in given:
        return given
    try:
        return {**given, "document": b64decode(given["document"], validate=True)}
    except (ValueError, TypeError) as exc:
        raise MalformedInput("document", "not base64") from exc


def _opened(answer: Opened | Elsewhere) -> Response:
    if isinstance(answer, Elsewhere):
        return _json({"elsewhere": answer.contact.to_dict()})
    dispute = answer.dispute.to_dict(for_staff=False)
    return _json({"dispute": dispute, "secret": answer.secret}, status=201)


def _shown(dispute: Dispute, *, for_staff: bool) -> Response:
    return _json(dispute.to_dict(for_staff=for_staff))


def _json(content: dict[str, Any], *, status: int = 200) -> Response:
    return Response(dump_json(content), status, _HEADERS, "application/json")


def _address(request: Request) -> str:
    return caller_of(request.client.host if request.client else "")
