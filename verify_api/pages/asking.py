"""The pages on which a clerk asks a holder to present: what is asked, the code to scan, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations
from fastapi.responses import JSONResponse

from verify_api.pages.clerks import ID, address_of_desk
from verify_api.pages.counters import EVERY_FORM
from verify_api.pages.handling import FORM_BYTES, PAGES, Faulty, qr_code
from verify_api.pages.views import Recorded, moment, outcome_view, result_view
from verify_api.pages.words import progress
from verify_api.presentations.browsers import keep_secret, secret_for
from verify_api.presentations.sessions import State
from verify_api.presentations.templates import AS_MDOC, AS_SD_JWT_VC
from yinxin.base.errors import NotFound
from yinxin.web.bodies import read_choices
from yinxin.web.language import language_of
from yinxin.web.pages import see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_api.pages.clerks import Clerks
    from verify_api.pages.counters import Counter, Desk
    from verify_api.presentations.service import Started
    from yinxin.access.accounts import SignedIn
    from yinxin.base.text import Text

MAX_REASON = 100
# What a clerk may choose of forms, by its name in the page's form; the first stands where nothing is chosen.
_FORMS = {"any": EVERY_FORM, AS_SD_JWT_VC: (AS_SD_JWT_VC,), AS_MDOC: (AS_MDOC,)}
_ENDED = frozenset({State.DECLINED, State.CLOSED, State.EXPIRED})


def add_asking(routes: APIRouter, counter: Counter, clerks: Clerks) -> None:
    """`/counter/ask` and `/counter/presentations`."""
    _add_wish(routes, counter, clerks)
    _add_sessions(routes, counter, clerks)


def _add_wish(routes: APIRouter, counter: Counter, clerks: Clerks) -> None:
    def form(
        request: Request,
        here: SignedIn,
        desk: Desk,
        chosen: Mapping[str, list[str]] | None,
        wrong: Text | None = None,
    ) -> Response:
        said = chosen or {"types": [desk.kinds[0].code] if desk.kinds else []}
        everything = [field.name for kind in desk.kinds for field in kind.fields]
        return PAGES.answer(
            request,
            "ask.html",
            status=400 if wrong else 200,
            signed_in=here,
            desk=desk,
            kinds=desk.kinds,
            chosen_types=said.get("types", []),
            chosen_claims=said.get("claims", []) if chosen else everything,
            any_type=said.get("any") == ["yes"],
            reason=_one(said, "reason"),
            same_device=_one(said, "device") == "same",
            form=_form(said),
            again=address_of_desk("/counter", desk.key),
            wrong=wrong,
        )

    @routes.get("/counter/ask")
    async def wish(request: Request) -> Response:
        here = await clerks.come(request)
        desk = await counter.desk(here.actor, request.query_params.get("desk", ""))
        return form(request, here, desk, None)

    @routes.post("/counter/ask")
    async def ask(request: Request) -> Response:
        here = await clerks.come(request)
        chosen = await read_choices(request, limit=FORM_BYTES)
        desk = await counter.desk(here.actor, _one(chosen, "desk"))
        try:
            types, claims, reason = _checked(chosen, desk)
        except Faulty as exc:
            return form(request, here, desk, chosen, exc.text)
        browser = secret_for(request) if _one(chosen, "device") == "same" else None
        started = await counter.ask(
            desk,
            clerk=here.actor,
            types=types,
            claims=claims,
            any_type=_one(chosen, "any") == "yes",
            reason=reason,
            browser=browser,
            forms=_FORMS[_form(chosen)],
        )
        answer = see_other(f"/counter/presentations/{started.id}")
        if browser:
            keep_secret(answer, browser)
        return answer


def _add_sessions(routes: APIRouter, counter: Counter, clerks: Clerks) -> None:
    @routes.get("/counter/presentations/{name}")
    async def session(request: Request, name: str) -> Response:
        here = await clerks.come(request)
        outcome = await counter.outcome(_session_id(name), clerk=here.actor)
        begun = await counter.awaited(name, clerk=here.actor)
        if outcome.get("results"):
            return _results(request, counter, here, outcome)
        return _waiting(request, here, outcome, begun)

    @routes.get("/counter/presentations/{name}/state")
    async def state(request: Request, name: str) -> Response:
        here = await clerks.come(request)
        outcome = await counter.outcome(_session_id(name), clerk=here.actor)
        words = progress(outcome["state"]).in_language(language_of(request))
        said = {"state": outcome["state"], "words": words, "over": _is_over(outcome)}
        return JSONResponse(said, headers={"Cache-Control": "no-store"})


def _waiting(request: Request, here: SignedIn, outcome: Mapping[str, Any], begun: Started | None) -> Response:
    waits, desk = not _is_over(outcome), f"{outcome['department'].id} {outcome['matter']}"
    return PAGES.answer(
        request,
        "presenting.html",
        signed_in=here,
        begun=begun,
        waits=waits,
        overall=outcome_view(outcome) if not waits and "indication" in outcome else None,
        code=qr_code(begun.link) if begun and begun.match_code else None,
        state=outcome["state"],
        words=progress(outcome["state"]),
        until=moment(datetime.fromisoformat(outcome["expires_at"])),
        session=outcome["id"],
        again=address_of_desk("/counter" if waits else "/counter/ask", desk),
    )


def _results(request: Request, counter: Counter, here: SignedIn, outcome: Mapping[str, Any]) -> Response:
    department, snapshots = outcome["department"], counter.service.snapshots
    contents = [one for found in outcome["results"].values() for one in found]
    results = [
        (result_view(one, counter.catalogue, snapshots), Recorded.of(one, department)) for one in contents
    ]
    alone = len(contents) == 1 and contents[0]["indication"] == outcome["indication"]
    return PAGES.answer(
        request,
        "counter_result.html",
        signed_in=here,
        overall=None if alone else outcome_view(outcome),
        results=results,
        again=address_of_desk("/counter", f"{department.id} {outcome['matter']}"),
    )


def _is_over(outcome: Mapping[str, Any]) -> bool:
    """Whether nothing more will come. On one device (no match code) the browser has to come back first."""
    state = State(outcome["state"])
    if outcome.get("results") or state in _ENDED:
        return True
    return state is State.RETURNED or (state is State.ANSWERED and bool(outcome["match_code"]))


def _checked(chosen: Mapping[str, list[str]], desk: Desk) -> tuple[list[str], list[str], str]:
    """What the clerk chose, as far as the desk may ask for it: what is not there is not asked for."""
    kinds = [kind for kind in desk.kinds if kind.code in chosen.get("types", [])]
    wanted = chosen.get("claims", [])
    fields = [[field.name for field in kind.fields if field.name in wanted] for kind in kinds]
    if not kinds or not all(fields):
        raise Faulty(PAGES.text("ask.nothing"))
    reason = _one(chosen, "reason").strip()
    if len(reason) > MAX_REASON or not reason.isprintable():
        raise Faulty(PAGES.text("ask.reason_wrong"))
    return [kind.code for kind in kinds], [name for names in fields for name in names], reason


def _form(chosen: Mapping[str, list[str]]) -> str:
    name = _one(chosen, "form")
    return name if name in _FORMS else next(iter(_FORMS))


def _one(chosen: Mapping[str, list[str]], name: str) -> str:
    values = chosen.get(name, [])
    return values[0] if len(values) == 1 else ""


def _session_id(name: str) -> str:
    if not ID.match(name):
        raise NotFound("no such session")
    return name
