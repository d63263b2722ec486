"""From a licence to the case that changes it: find it, choose what is to become of it, draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations
from starlette.concurrency import run_in_threadpool

from credentials.licence import CAUSE_NAMES, KIND_NAMES, Cause, EndingKind
from credentials.office.cases import KINDS, WorkKind
from credentials.office.eyes import CLERK
from credentials.office.pages.common import MAX_FORM_BYTES, PAGES, Office
from credentials.office.pages.forms import follow_work, inputs_of, rows_of, texts_of, typed
from credentials.standing import standing
from yinxin.base.errors import InvalidClaims, NotFound, UsageError
from yinxin.web.bodies import read_form
from yinxin.web.pages import see_other

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.licence import Event, Licence
    from yinxin.access.accounts import SignedIn

# What a clerk can draft from one licence on a page, the commonest first.
OFFERED = (
    WorkKind.REPLACE,
    WorkKind.RENEW,
    WorkKind.CHANGE,
    WorkKind.CORRECT,
    WorkKind.SUSPEND,
    WorkKind.RESUME,
    WorkKind.END,
)
MAX_SEARCH = 160
SENT = ("number", "ground", "document_number", "ending", "cause", "effective_from")


def add_licences(routes: APIRouter, office: Office) -> None:
    """Add the pages. An undoing is drafted from the event that it takes back."""

    @routes.get("/office/licences")
    async def find(request: Request) -> Response:
        signed_in = await office.come(request)
        sought = request.query_params.get("sought", "").strip()[:MAX_SEARCH]
        if sought:
            try:
                licence = await _licence(office, sought, signed_in)
            except NotFound:
                return PAGES.answer(
                    request, "find.html", status=404, signed_in=signed_in, sought=sought, missing=True
                )
            return see_other(f"/office/licences/{licence.identifier}")
        return PAGES.answer(request, "find.html", signed_in=signed_in, sought="", missing=False)

    @routes.get("/office/licences/{identifier}")
    async def show(request: Request, identifier: str) -> Response:
        signed_in = await office.come(request)
        licence = await _licence(office, identifier, signed_in)
        history = await run_in_threadpool(office.reading.history, licence.identifier, actor=signed_in.actor)
        kind = office.kind(licence.type_code)
        return PAGES.answer(
            request,
            "licence.html",
            signed_in=signed_in,
            licence=licence,
            history=history,
            kind=kind,
            rows=rows_of(kind, licence.claims),
            undoable={one.identifier: _undoable(one, events, history.at) for one, events in history.versions},
            offered=[(one, KINDS[one].name) for one in OFFERED] if CLERK in signed_in.actor.roles else [],
        )

    @routes.get("/office/licences/{identifier}/{kind}")
    async def form(request: Request, identifier: str, kind: str) -> Response:
        signed_in = await office.come(request)
        licence = await _licence(office, identifier, signed_in)
        sent = {"event": request.query_params.get("event", "")}
        return _form(request, office, signed_in, licence, _offered(kind), texts_of(licence.claims), sent)

    @routes.post("/office/licences/{identifier}/{kind}")
    async def draft(request: Request, identifier: str, kind: str) -> Response:
        signed_in = await office.come(request)
        licence, sent = (
            await _licence(office, identifier, signed_in),
            await read_form(request, limit=MAX_FORM_BYTES),
        )
        wanted = _offered(kind)
        try:
            work = follow_work(licence, wanted, sent)
            number = sent.get("number", "").strip()
            case = await run_in_threadpool(office.desk.draft, number, work, actor=signed_in.actor)
        except (InvalidClaims, UsageError) as wrong:
            return _form(request, office, signed_in, licence, wanted, typed(sent), sent, wrong)
        return see_other(f"/office/cases/{case.id}")


def _undoable(licence: Licence, events: Sequence[Event], at: datetime) -> frozenset[int]:
    """The event that a case could take back; whether it still may is decided when that is done."""
    event = standing(licence, events, as_of=at, known_at=at).event
    if event is None or event.kind is EndingKind.SUPERSEDED:
        return frozenset()
    return frozenset({event.sequence or 0})


async def _licence(office: Office, text: str, signed_in: SignedIn) -> Licence:
    return await run_in_threadpool(office.reading.licence, text, actor=signed_in.actor)


def _offered(kind: str) -> WorkKind:
    found = next((one for one in (*OFFERED, WorkKind.UNDO) if one == kind), None)
    if found is None:
        raise NotFound("no such page")
    return found


def _form(  # noqa: PLR0913, PLR0917 - what the page shows
    request: Request,
    office: Office,
    signed_in: SignedIn,
    licence: Licence,
    wanted: WorkKind,
    values: Mapping[str, str],
    sent: Mapping[str, str],
    wrong: InvalidClaims | UsageError | None = None,
) -> Response:
    kind, row = office.kind(licence.type_code), KINDS[wanted]
    faults = dict(wrong.faults) if isinstance(wrong, InvalidClaims) else {}
    endings = [(one, KIND_NAMES[one]) for one in EndingKind if one is not EndingKind.SUPERSEDED]
    return PAGES.answer(
        request,
        "follow.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        licence=licence,
        kind=kind,
        wanted=wanted,
        name=row.name,
        sent={name: sent.get(name, "") for name in SENT},
        event=sent.get("event", "") if "event" in row.details else "",
        causes=[(one, CAUSE_NAMES[one]) for one in Cause] if "cause" in row.details else [],
        dated="effective_from" in row.details,
        endings=endings if "ending" in row.details else [],
        inputs=inputs_of(kind, values, faults) if row.states else [],
        faulty=len(faults),
        refused=bool(wrong) and not faults,
    )
