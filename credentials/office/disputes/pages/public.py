"""What anybody with a slip sees: the slip, the form of a dispute, and how the dispute goes on.

Nobody is known here and no cookie is set; a dispute is followed by number and secret, sent in a form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - routes are read by their annotations
from starlette.concurrency import run_in_threadpool

from credentials.licence import CHINA
from credentials.office.disputes.dispute import (
    KIND_NAMES,
    STATE_NAMES,
    Complaint,
    DisputeKind,
    DisputeState,
    Elsewhere,
)
from credentials.office.disputes.limits import FOLLOWING, OPENING, TOGETHER
from credentials.office.disputes.pages.rooms import PUBLIC
from credentials.office.disputes.slips import KIND_NAMES as SLIP_KINDS
from yinxin.base.buckets import Buckets, caller_of
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted
from yinxin.web.bodies import media_type, read_form, read_multipart
from yinxin.web.guards import require_same_origin
from yinxin.web.pages import see_other

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.office.disputes.contacts import Contact
    from credentials.office.disputes.dispute import Dispute
    from credentials.office.disputes.service import Disputes
    from credentials.office.disputes.slips import Slips
    from yinxin.base.clock import Clock
    from yinxin.base.text import Text

MAX_FILE_BYTES, MAX_FORM_BYTES = 4 << 20, 64 * 1024


def public_router(  # noqa: PLR0913 - what the pages stand on
    disputes: Disputes,
    slips: Slips,
    *,
    types: Sequence[tuple[str, Text]],
    agencies: Sequence[Contact],
    origin: str,
    clock: Clock,
) -> APIRouter:
    """The public pages; `types` and `agencies` are what a missing licence may be of."""
    routes = PUBLIC.router()
    room = _Room(disputes, slips, types, agencies, origin, clock)
    _add_slips(routes, room)
    _add_opening(routes, room)
    _add_following(routes, room)
    routes.include_router(PUBLIC.static_routes())
    return routes


class _Room:
    """What every route needs, and its limits."""

    def __init__(  # noqa: PLR0913, PLR0917 - handed on from `public_router`, in its order
        self,
        disputes: Disputes,
        slips: Slips,
        types: Sequence[tuple[str, Text]],
        agencies: Sequence[Contact],
        origin: str,
        clock: Clock,
    ) -> None:
        self.disputes, self.slips, self.types, self.agencies = disputes, slips, types, agencies
        self._origin, self._clock = origin, clock
        self._opening, self._together, self._following = map(Buckets, (OPENING, TOGETHER, FOLLOWING))

    def look(self, request: Request) -> None:
        """Count somebody who looks something up."""
        if request.method != "GET":
            require_same_origin(request, self._origin)
        self._following.take(_address(request), now=self._clock.now())

    def is_overdue(self, dispute: Dispute) -> bool:
        """Whether somebody owes an answer by now."""
        return dispute.is_overdue(self._clock.now())

    def come(self, request: Request) -> None:
        """Count somebody who opens a dispute."""
        require_same_origin(request, self._origin)
        self._opening.take(_address(request), now=self._clock.now())
        self._together.take("all", now=self._clock.now())


def _add_slips(routes: APIRouter, room: _Room) -> None:
    @routes.get("/slips")
    async def search(request: Request) -> Response:
        return PUBLIC.answer(request, "slips.html", wrong=None, number="")

    @routes.post("/slips")
    async def searched(request: Request) -> Response:
        room.look(request)
        number = (await read_form(request, limit=MAX_FORM_BYTES)).get("number", "")
        try:
            return see_other(f"/slips/{room.slips.read(number).number}")
        except NotFound:
            wrong = PUBLIC.text("slips.unknown")
            return PUBLIC.answer(request, "slips.html", status=404, wrong=wrong, number=number[:60])

    @routes.get("/slips/{number}")
    async def slip(request: Request, number: str) -> Response:
        room.look(request)
        found = room.slips.read(number)
        return PUBLIC.answer(request, "slip.html", slip=found, kind=SLIP_KINDS[found.kind], china=CHINA)


def _add_opening(routes: APIRouter, room: _Room) -> None:
    def form(request: Request, values: dict[str, Any], faults: dict[str, Text], status: int) -> Response:
        return PUBLIC.answer(
            request,
            "open.html",
            status=status,
            values=values,
            faults=faults,
            kinds=KIND_NAMES,
            types=room.types,
            agencies=room.agencies,
        )

    @routes.get("/disputes/new")
    async def new(request: Request) -> Response:
        slip = request.query_params.get("slip", "")[:60]
        return form(request, {"slip": slip}, {}, 200)

    @routes.post("/disputes/new")
    async def opened(request: Request) -> Response:
        room.come(request)
        sent = await _sent(request)
        values = {name: value for name, value in sent.items() if isinstance(value, str)}
        try:
            complaint = _complaint(values)
            proof = {"document": sent["document"]} if sent.get("document") else {}
            found = await run_in_threadpool(room.disputes.open, complaint, actor=None, proof=proof)
        except InvalidClaims as exc:
            return form(request, values, dict(exc.faults), 422)
        except NotFound:
            return form(request, values, {"slip": PUBLIC.text("open.wrong_slip")}, 422)
        except NotPermitted:
            return form(request, values, {"document": PUBLIC.text("open.wrong_proof")}, 422)
        except Conflict:
            return form(request, values, {"slip": PUBLIC.text("open.used_slip")}, 409)
        if isinstance(found, Elsewhere):
            return PUBLIC.answer(request, "elsewhere.html", contact=found.contact)
        return PUBLIC.answer(request, "opened.html", opened=found, china=CHINA)


def _add_following(routes: APIRouter, room: _Room) -> None:
    def shown(request: Request, dispute: Dispute, secret: str) -> Response:
        return PUBLIC.answer(
            request,
            "followed.html",
            dispute=dispute,
            secret=secret,
            states=STATE_NAMES,
            kind=KIND_NAMES[dispute.kind],
            may_escalate=dispute.state is DisputeState.REJECTED or room.is_overdue(dispute),
            china=CHINA,
        )

    @routes.get("/disputes")
    async def follow(request: Request) -> Response:
        return PUBLIC.answer(request, "follow.html", wrong=None)

    @routes.post("/disputes")
    async def followed(request: Request) -> Response:
        room.look(request)
        sent = await read_form(request, limit=MAX_FORM_BYTES)
        number, secret = sent.get("number", ""), sent.get("secret", "")[:100]
        try:
            found = await run_in_threadpool(room.disputes.follow, number, secret)
        except NotFound:
            wrong = PUBLIC.text("follow.unknown")
            return PUBLIC.answer(request, "follow.html", status=404, wrong=wrong)
        return shown(request, found, secret)

    @routes.post("/disputes/escalation")
    async def escalated(request: Request) -> Response:
        room.look(request)
        sent = await read_form(request, limit=MAX_FORM_BYTES)
        number, secret = sent.get("number", ""), sent.get("secret", "")[:100]
        found = await run_in_threadpool(room.disputes.escalate, number, secret, words=sent.get("words", ""))
        return shown(request, found, secret)


async def _sent(request: Request) -> dict[str, Any]:
    """A form, with or without a file."""
    if media_type(request) == "multipart/form-data":
        return await read_multipart(request, limit=MAX_FILE_BYTES, lists=())
    return dict(await read_form(request, limit=MAX_FORM_BYTES))


def _complaint(values: dict[str, str]) -> Complaint:
    kind = DisputeKind.MISSING if values.get("kind") == DisputeKind.MISSING else DisputeKind.WRONG
    is_missing = kind is DisputeKind.MISSING
    return Complaint(
        kind,
        values.get("words", ""),
        licence="" if is_missing else values.get("licence", "").strip(),
        type_code=values.get("type", "") if is_missing else "",
        agency=values.get("agency", "") if is_missing else "",
        slip=values.get("slip", "").strip(),
    )


def _address(request: Request) -> str:
    return caller_of(request.client.host if request.client else "")
