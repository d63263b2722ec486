"""Delegations on HTTP, for wallets: each route reads a signed statement, asks, and answers.

POST /v1/delegations/nonce       a nonce for one statement
POST /v1/delegations/propose     appoint somebody
POST /v1/delegations/accept      take it on; decline: say no
POST /v1/delegations/recall      end it, with all that stands under it
POST /v1/delegations/list        what the speaker has given and received
POST /v1/delegations/uses        where agents went for the speaker
POST /v1/delegations/copies      credentials for an agent's keys

A body has `verb`, `content`, `nonce` and `proof` (`credentials.delegations.statements`); `copies` has
`key_proofs` beside them. Nobody needs an account here: the signature says who speaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.delegations import statements as verbs
from credentials.delegations.cards import read_card
from credentials.delegations.delegation import Agent, Principal, State
from credentials.delegations.statements import read_statement
from credentials.delegations.terms import Terms
from signing.jose import dump_json
from yinxin.base.buckets import Buckets, Limit, caller_of
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.web.bodies import read_body, read_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from credentials.delegations.delegation import Delegation
    from credentials.delegations.guardians import Guardians
    from credentials.delegations.handing import Handing
    from credentials.delegations.statements import Statement
    from yinxin.base.actor import Actor

    Enter = Callable[[Request], Awaitable[Actor]]

LIMIT = Limit("delegations", 120, 240)
MAX_BODY_BYTES = 512 * 1024  # a whole licence is shown, with its photograph
MAX_STAFF_BYTES, MAX_WORDS = 64 * 1024, 80
PATH = "/v1/delegations/"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def router(handing: Handing, *, limit: Limit = LIMIT) -> APIRouter:
    """The routes; `limit` is for what one address may ask."""
    routes, buckets = APIRouter(tags=["delegations"]), Buckets(limit)
    answers, delegations = _answers(handing), handing.delegations

    def count(request: Request) -> None:
        host = request.client.host if request.client else ""
        buckets.take(caller_of(host), now=delegations.clock.now())

    @routes.post(PATH + "nonce", response_class=Response)
    async def nonce(request: Request) -> Response:
        """A nonce for one statement."""
        count(request)
        await read_body(request, limit=1024)
        return _json({"nonce": delegations.nonce()})

    @routes.post(PATH + "{verb}", response_class=Response)
    async def said(request: Request, verb: str) -> Response:
        """What a statement says is done, or refused."""
        count(request)
        if verb not in answers:
            raise NotFound("nothing of this name is done with delegations")
        body = await read_json(request, limit=MAX_BODY_BYTES)
        statement, proof = read_statement(body, audience=delegations.url)
        if statement.verb != verb:
            raise MalformedInput("statement", "its verb is not that of the address")
        return _json(await run_in_threadpool(answers[verb], statement, proof, body))

    return routes


def guardian_router(guardians: Guardians, *, enter: Enter) -> APIRouter:
    """The routes of the guardians' desk, for staff.

    GET  /v1/guardians                who is guardian of whom, and what waits for approval
    POST /v1/guardians                register, on a document; `agent`, or the `card` of their wallet
    POST /v1/guardians/{id}/approve   agree, as another member of staff, with a proof over the digest
    POST /v1/guardians/{id}/recall    end it, with ground and document number
    """
    routes, now = APIRouter(tags=["delegations"]), guardians.delegations.clock.now

    @routes.get("/v1/guardians", response_class=Response)
    async def listed(request: Request) -> Response:
        """Those that nobody has ended."""
        actor = await enter(request)
        found = await run_in_threadpool(guardians.open, actor=actor)
        return _json({"guardians": [one.to_dict(now=now()) for one in found]})

    @routes.post("/v1/guardians", response_class=Response)
    async def register(request: Request) -> Response:
        """Register who is guardian of whom."""
        actor = await enter(request)
        body = await read_json(request, limit=MAX_STAFF_BYTES)
        ward = _members(body.get("ward"), "code", "name")
        principal = Principal(ward["code"], ward["name"])
        agent, terms = _agent(body), Terms.from_dict(body.get("terms"))
        made = await run_in_threadpool(guardians.register, principal, agent, terms, actor=actor)
        return _json(made.to_dict(now=now()))

    @routes.post("/v1/guardians/{delegation}/approve", response_class=Response)
    async def approve(request: Request, delegation: str) -> Response:
        """Agree to what was registered."""
        actor = await enter(request)
        proof = (await read_json(request, limit=MAX_STAFF_BYTES)).get("proof")
        if not isinstance(proof, dict):
            raise MalformedInput("guardian", "a proof of agreement is needed")
        found = await run_in_threadpool(guardians.approve, delegation, proof, actor=actor)
        return _json(found.to_dict(now=now()))

    @routes.post("/v1/guardians/{delegation}/recall", response_class=Response)
    async def recall(request: Request, delegation: str) -> Response:
        """End a guardianship."""
        actor = await enter(request)
        body = await read_json(request, limit=MAX_STAFF_BYTES)
        why = _members(body, "ground", "document_number")
        found = await run_in_threadpool(guardians.recall, delegation, actor=actor, **why)
        return _json(found.to_dict(now=now()))

    return routes


def _agent(body: Mapping[str, Any]) -> Agent:
    card = body.get("card")
    return read_card(card) if isinstance(card, str) else Agent.from_dict(body.get("agent"))


def _members(body: Any, *names: str) -> dict[str, str]:
    found = {name: value for name, value in body.items() if name in names} if isinstance(body, dict) else {}
    good = [
        isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_WORDS and value.isprintable()
        for value in found.values()
    ]
    if len(found) != len(names) or not all(good):
        raise MalformedInput("guardian", f"{' and '.join(names)} are needed, as short texts")
    return found


def _answers(handing: Handing) -> Mapping[str, Any]:
    """What each verb does, as JSON."""
    keeper = handing.delegations

    def one(found: Delegation) -> dict[str, Any]:
        return found.to_dict(now=keeper.clock.now())

    def received(found: Delegation) -> dict[str, Any]:
        licences = handing.available(found) if found.state is State.ACCEPTED else []
        named = [
            {"identifier": item.identifier, "type": item.type_code, "name": item.type_name.to_dict()}
            for item in licences
        ]
        return {**one(found), "licences": named}

    def recall(statement: Statement, proof: Mapping[str, Any], _body: Mapping[str, Any]) -> dict[str, Any]:
        return {"ended": [one(found) for found in keeper.recall(statement, proof)]}

    def listed(statement: Statement, proof: Mapping[str, Any], _body: Mapping[str, Any]) -> dict[str, Any]:
        found = keeper.listed(statement, proof)
        return {
            "given": [one(item) for item in found["given"]],
            "received": [received(item) for item in found["received"]],
        }

    def uses(statement: Statement, proof: Mapping[str, Any], _body: Mapping[str, Any]) -> dict[str, Any]:
        return {"uses": [use.to_dict() for use in keeper.uses(statement, proof)]}

    def copies(statement: Statement, proof: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        proofs = body.get("key_proofs")
        if not isinstance(proofs, list):
            raise MalformedInput("statement", "key_proofs is a list")
        return {"credentials": list(handing.hand(statement, proof, proofs))}

    return {
        verbs.PROPOSE: lambda statement, proof, _: one(keeper.propose(statement, proof)),
        verbs.ACCEPT: lambda statement, proof, _: one(keeper.accept(statement, proof)),
        verbs.DECLINE: lambda statement, proof, _: one(keeper.decline(statement, proof)),
        verbs.RECALL: recall,
        verbs.LIST: listed,
        verbs.USES: uses,
        verbs.COPIES: copies,
    }


def _json(body: Mapping[str, Any]) -> Response:
    return Response(dump_json(body), media_type="application/json", headers=_HEADERS)
