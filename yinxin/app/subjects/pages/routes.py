"""The routes of these pages: each reads, asks the cascade and shows; none decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from credentials.gate import CLERK
from credentials.licence import CHINA
from credentials.office.desk import APPROVER
from yinxin.access.accounts import SignedIn
from yinxin.app.subjects.comparing import PlanOutdated
from yinxin.app.subjects.http import facts_of
from yinxin.app.subjects.values import (
    ACTION_NAMES,
    EFFECT_NAMES,
    KIND_NAMES,
    OUTCOME_NAMES,
    STATE_NAMES,
    EventKind,
    EventState,
    OutcomeKind,
)
from yinxin.base.errors import Conflict, InvalidClaims, MalformedInput, NotFound, UsageError
from yinxin.web.bodies import read_form, read_json
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from yinxin.access.consent import PasskeyConsent
    from yinxin.app.subjects.cascade import Cascade, Planned
    from yinxin.app.subjects.comparing import Difference
    from yinxin.app.subjects.runner import Runner
    from yinxin.app.subjects.values import SubjectEvent

PAGES = Pages("yinxin.app.subjects.pages")
MAX_BYTES = 64 * 1024
HOME = "/office/subjects"
Enter = Callable[[Request], Awaitable[SignedIn]]
_TEXT_FIELDS = ("name", "representative", "into", "undoes")
_NAMES: dict[str, Any] = {
    "kind_names": KIND_NAMES,
    "state_names": STATE_NAMES,
    "effect_names": EFFECT_NAMES,
    "action_names": ACTION_NAMES,
    "outcome_names": OUTCOME_NAMES,
    "china": CHINA,
}


def router(  # noqa: PLR0913 - what the pages stand on
    cascade: Cascade,
    runner: Runner,
    consent: PasskeyConsent,
    *,
    enter: Enter,
    origin: str,
    passkey_script: str,
) -> APIRouter:
    """The pages. `passkey_script` is the address of the script that talks to authenticators."""
    routes = PAGES.router()
    room = _Room(cascade, runner, consent, enter, origin, passkey_script)
    _add_reading(routes, room)
    _add_planning(routes, room)
    _add_agreement(routes, room)
    _add_steps(routes, room)
    return routes


class _Room:
    """What every route needs."""

    def __init__(  # noqa: PLR0913, PLR0917 - handed on from `router`, in its order
        self,
        cascade: Cascade,
        runner: Runner,
        consent: PasskeyConsent,
        enter: Enter,
        origin: str,
        passkey_script: str,
    ) -> None:
        self.cascade, self.runner, self.consent = cascade, runner, consent
        self.passkey_script = passkey_script
        self._enter, self._origin = enter, origin

    async def come(self, request: Request) -> SignedIn:
        """Who is here; a request that changes something must come from our own page."""
        if request.method != "GET":
            require_same_origin(request, self._origin)
        return await self._enter(request)

    async def planned(self, event_id: str, signed_in: SignedIn) -> Planned:
        """An event of the agency."""
        return await run_in_threadpool(self.cascade.show, event_id, actor=signed_in.actor)


def _add_reading(routes: APIRouter, room: _Room) -> None:
    @routes.get(HOME)
    async def events(request: Request) -> Response:
        signed_in = await room.come(request)
        found = await run_in_threadpool(room.cascade.recent, actor=signed_in.actor)
        own = signed_in.actor.roles
        return PAGES.answer(
            request, "events.html", signed_in=signed_in, events=found, may_plan=CLERK in own, **_NAMES
        )

    @routes.get(HOME + "/new")
    async def new(request: Request) -> Response:
        return _form(request, await room.come(request), {})

    @routes.get(HOME + "/{event_id}")
    async def one(request: Request, event_id: str) -> Response:
        signed_in = await room.come(request)
        return _event_page(request, room, signed_in, await room.planned(event_id, signed_in))


def _add_planning(routes: APIRouter, room: _Room) -> None:
    @routes.post(HOME + "/new")
    async def plan(request: Request) -> Response:
        signed_in = await room.come(request)
        form = await read_form(request, limit=MAX_BYTES)
        try:
            facts = facts_of(room.cascade, form)
            planned = await run_in_threadpool(room.cascade.plan, facts, actor=signed_in.actor)
        except (UsageError, MalformedInput, Conflict) as wrong:
            return _form(request, signed_in, form, wrong)
        return _to(planned.event)


def _add_steps(routes: APIRouter, room: _Room) -> None:
    cascade, runner = room.cascade, room.runner

    @routes.post(HOME + "/{event_id}/{step}")
    async def take(request: Request, event_id: str, step: str) -> Response:
        signed_in = await room.come(request)
        await read_form(request, limit=MAX_BYTES)
        actor = signed_in.actor
        steps: dict[str, Callable[[], Any]] = {
            "again": lambda: cascade.plan_again(event_id, actor=actor),
            "withdraw": lambda: cascade.withdraw(event_id, actor=actor),
            "halt": lambda: cascade.halt(event_id, actor=actor),
            "run": lambda: runner.start(event_id, actor=actor),
        }
        if step not in steps:
            raise NotFound("no such step")
        try:
            await run_in_threadpool(steps[step])
        except PlanOutdated as outdated:
            planned = await room.planned(event_id, signed_in)
            return _event_page(request, room, signed_in, planned, outdated.differences)
        return see_other(f"{HOME}/{event_id}")


def _add_agreement(routes: APIRouter, room: _Room) -> None:
    """What the script asks and brings: the digest that is signed is the one of the plan as it is shown."""

    @routes.post(HOME + "/{event_id}/agreement/begin")
    async def begin(request: Request, event_id: str) -> Response:
        signed_in = await room.come(request)
        sent = await read_json(request, limit=MAX_BYTES)
        event = (await room.planned(event_id, signed_in)).event
        _require_shown(event, sent)
        return _json({"options": room.consent.options(bytes.fromhex(event.digest))})

    @routes.post(HOME + "/{event_id}/agreement/finish")
    async def finish(request: Request, event_id: str) -> Response:
        signed_in = await room.come(request)
        sent = await read_json(request, limit=MAX_BYTES)
        event, answer = (await room.planned(event_id, signed_in)).event, sent.get("answer")
        _require_shown(event, sent)
        if not isinstance(answer, dict):
            raise MalformedInput("agreement", "no answer of an authenticator")
        proof = room.consent.proof(answer)
        await run_in_threadpool(room.cascade.approve, event_id, proof=proof, actor=signed_in.actor)
        return _json({"next": f"{HOME}/{event_id}"})


def _require_shown(event: SubjectEvent, sent: Mapping[str, Any]) -> None:
    if sent.get("digest") != event.digest:
        raise MalformedInput("agreement", "the plan was changed since this page was shown: look at it again")


def _event_page(
    request: Request,
    room: _Room,
    signed_in: SignedIn,
    planned: Planned,
    differences: Sequence[Difference] = (),
) -> Response:
    event, actor, counts = planned.event, signed_in.actor, planned.counts
    waits = event.state is EventState.PLANNED
    return PAGES.answer(
        request,
        "event.html",
        status=409 if differences else 200,
        signed_in=signed_in,
        event=event,
        effects=planned.effects,
        differences=differences,
        counts={kind: count for kind, count in counts.items() if count},
        settled=sum(counts.values()) - counts[OutcomeKind.PENDING],
        agrees=waits and APPROVER in actor.roles and actor.identifier not in event.planners,
        is_clerk=CLERK in actor.roles,
        passkey_script=room.passkey_script,
        **_NAMES,
    )


def _form(
    request: Request, signed_in: SignedIn, typed: Mapping[str, str], wrong: Exception | None = None
) -> Response:
    faults = dict(wrong.faults) if isinstance(wrong, InvalidClaims) else {}
    return PAGES.answer(
        request,
        "new.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        kinds=[(kind, KIND_NAMES[kind]) for kind in EventKind],
        fields=_TEXT_FIELDS,
        typed=typed,
        wrong=wrong,
        faults=faults,
    )


def _to(event: SubjectEvent) -> Response:
    return see_other(f"{HOME}/{event.id}")


def _json(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers=page_headers())
