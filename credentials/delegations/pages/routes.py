"""The routes of the pages: each reads, asks the guardians' desk and shows; none decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from credentials.delegations.cards import read_card
from credentials.delegations.delegation import OPEN, STATE_NAMES, Principal, State
from credentials.delegations.guardians import APPROVER, CLERK
from credentials.delegations.terms import EVERY, Kind, Terms
from credentials.licence import CHINA, start_of_day
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import Conflict, MalformedInput, NotPermitted, UsageError
from yinxin.base.identifiers import CitizenNumber
from yinxin.web.bodies import read_form, read_json
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.delegations.delegation import Delegation
    from credentials.delegations.guardians import Guardians
    from yinxin.access.consent import PasskeyConsent

PAGES = Pages("credentials.delegations.pages")
HOME = "/office/guardians"
MAX_BYTES = 64 * 1024
Enter = Callable[[Request], Awaitable[SignedIn]]
_REFUSALS = (Conflict, MalformedInput, UsageError)


def router(
    guardians: Guardians, consent: PasskeyConsent, *, enter: Enter, origin: str, passkey_script: str
) -> APIRouter:
    """The pages. `passkey_script` is the address of the script that talks to authenticators."""
    routes = PAGES.router()
    room = _Room(guardians, consent, enter, origin, passkey_script)
    _add_register(routes, room)
    _add_one(routes, room)
    _add_agreement(routes, room)
    routes.include_router(PAGES.static_routes())
    return routes


@dataclass(frozen=True)
class _Room:
    """What every route needs."""

    guardians: Guardians
    consent: PasskeyConsent
    enter: Enter
    origin: str
    passkey_script: str

    @property
    def now(self) -> datetime:
        return self.guardians.delegations.clock.now()

    async def come(self, request: Request) -> SignedIn:
        """Who is here; a request that changes something must come from our own page."""
        if request.method != "GET":
            require_same_origin(request, self.origin)
        return await self.enter(request)

    async def one(self, name: str, signed_in: SignedIn) -> Delegation:
        """A guardianship."""
        return await run_in_threadpool(self.guardians.one, name, actor=signed_in.actor)


def _add_register(routes: APIRouter, room: _Room) -> None:
    @routes.get(HOME)
    async def listed(request: Request) -> Response:
        return await _list(request, room, await room.come(request), {})

    @routes.post(HOME)
    async def register(request: Request) -> Response:
        signed_in = await room.come(request)
        form = await read_form(request, limit=MAX_BYTES)
        try:
            ward = Principal(form.get("code", "").strip(), _name(form))
            agent, terms = read_card(form.get("card", "")), _terms(form, room.now)
            made = await run_in_threadpool(room.guardians.register, ward, agent, terms, actor=signed_in.actor)
        except _REFUSALS as wrong:
            return await _list(request, room, signed_in, form, wrong)
        return see_other(f"{HOME}/{made.id}")


def _add_one(routes: APIRouter, room: _Room) -> None:
    @routes.get(HOME + "/{name}")
    async def one(request: Request, name: str) -> Response:
        signed_in = await room.come(request)
        return _page(request, room, signed_in, await room.one(name, signed_in))

    @routes.post(HOME + "/{name}/recall")
    async def recall(request: Request, name: str) -> Response:
        signed_in = await room.come(request)
        form = await read_form(request, limit=MAX_BYTES)
        why = {key: form.get(key, "").strip()[:120] for key in ("ground", "document_number")}
        try:
            await run_in_threadpool(lambda: room.guardians.recall(name, actor=signed_in.actor, **why))
        except _REFUSALS as wrong:
            return _page(request, room, signed_in, await room.one(name, signed_in), wrong)
        return see_other(f"{HOME}/{name}")


def _add_agreement(routes: APIRouter, room: _Room) -> None:
    """What the script asks and brings: the digest that is signed is the one of what the page showed."""

    @routes.post(HOME + "/{name}/agreement/begin")
    async def begin(request: Request, name: str) -> Response:
        signed_in = await room.come(request)
        sent = await read_json(request, limit=MAX_BYTES)
        found = await room.one(name, signed_in)
        _require_shown(found, sent)
        return _json({"options": room.consent.options(bytes.fromhex(found.digest))})

    @routes.post(HOME + "/{name}/agreement/finish")
    async def finish(request: Request, name: str) -> Response:
        signed_in = await room.come(request)
        sent = await read_json(request, limit=MAX_BYTES)
        found, answer = await room.one(name, signed_in), sent.get("answer")
        _require_shown(found, sent)
        if not isinstance(answer, dict):
            raise MalformedInput("agreement", "no answer of an authenticator")
        proof = room.consent.proof(answer)
        await run_in_threadpool(room.guardians.approve, name, proof, actor=signed_in.actor)
        return _json({"next": f"{HOME}/{name}"})


async def _list(
    request: Request,
    room: _Room,
    signed_in: SignedIn,
    typed: Mapping[str, str],
    wrong: Exception | None = None,
) -> Response:
    found = await run_in_threadpool(lambda: room.guardians.open(actor=signed_in.actor))
    return PAGES.answer(
        request,
        "guardians.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        rows=[(one, STATE_NAMES[one.state_at(room.now)], _last_day(one)) for one in found],
        may_register=CLERK in signed_in.actor.roles,
        typed=typed,
        wrong=wrong,
        china=CHINA,
    )


def _page(
    request: Request,
    room: _Room,
    signed_in: SignedIn,
    found: Delegation,
    wrong: Exception | None = None,
) -> Response:
    actor, state = signed_in.actor, found.state_at(room.now)
    registered_by = str(found.proofs[0]["by"]) if found.proofs else ""
    return PAGES.answer(
        request,
        "guardian.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        one=found,
        ward=str(CitizenNumber.parse(found.principal.code)),
        state=state,
        state_name=STATE_NAMES[state],
        registered_by=registered_by,
        agrees=state is State.WAITING and APPROVER in actor.roles and actor.identifier != registered_by,
        ends=state in OPEN and CLERK in actor.roles,
        wrong=wrong,
        passkey_script=room.passkey_script,
        china=CHINA,
    )


def _name(form: Mapping[str, str]) -> str:
    name = form.get("name", "").strip()
    if not name or len(name) > 80 or not name.isprintable():
        raise MalformedInput("guardian", "the ward has no readable name")
    return name


def _terms(form: Mapping[str, str], now: datetime) -> Terms:
    """What the document says: until the end of its last day."""
    try:
        last = date.fromisoformat(form.get("last_day", ""))
        ends = start_of_day(last + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise MalformedInput("guardian", "the last day is a date such as 2030-06-30") from exc
    matters = form.get("matters", "").replace("，", " ").replace(",", " ").split()
    document = form.get("document", "").strip()
    return Terms(Kind.GUARDIAN, tuple(matters) or (EVERY,), (EVERY,), now, ends, document=document[:200])


def _last_day(one: Delegation) -> date:
    """The last day on which it holds: it ends before its end."""
    return (one.terms.ends_at - timedelta(microseconds=1)).astimezone(CHINA).date()


def _require_shown(found: Delegation, sent: Mapping[str, Any]) -> None:
    if sent.get("digest") != found.digest:
        raise MalformedInput("agreement", "this is not what the page showed: look at it again")
    if found.state is not State.WAITING:
        raise NotPermitted("this was agreed to, or ended, before")


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=page_headers())
