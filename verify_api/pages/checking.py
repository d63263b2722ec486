"""The pages on which a clerk verifies for the department, and finds the receipts again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from verify_api.pages.clerks import ID, address_of_desk
from verify_api.pages.handling import PAGES, Faulty, question_of, read_handed_in
from verify_api.pages.views import Recorded, clean, record_row, record_view, result_view
from yinxin.base.errors import Conflict, NotFound, TooLarge, UsageError
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from verify_api.pages.clerks import Clerks
    from verify_api.pages.counters import Counter
    from yinxin.access.accounts import SignedIn
    from yinxin.base.text import Text

_RANDOMNESS = SystemRandomness()
RECENT, MANY = 5, 200


def add_checking(routes: APIRouter, counter: Counter, clerks: Clerks) -> None:
    """`/counter` and `/counter/records`."""
    _add_counter(routes, counter, clerks)
    _add_records(routes, counter, clerks)


def _add_counter(routes: APIRouter, counter: Counter, clerks: Clerks) -> None:
    async def form(
        request: Request, here: SignedIn, *, key: str = "", status: int = 200, wrong: Text | None = None
    ) -> Response:
        desks = await counter.desks(here.actor)
        desk = next((one for one in desks if one.key == key), desks[0] if desks else None)
        records = await counter.recent(here.actor, limit=RECENT)
        return PAGES.answer(
            request,
            "counter.html",
            status=status,
            camera=bool(desks),
            signed_in=here,
            desks=desks,
            desk=desk,
            department=clean(desk.department.name) if desk else None,
            may_ask=counter.presentations is not None,
            most_bytes=clerks.limits.clerk_file_bytes,
            records=[record_row(one) for one in records],
            key=random_text(_RANDOMNESS),
            wrong=wrong,
        )

    @routes.get("/counter")
    async def page(request: Request) -> Response:
        here = await clerks.come(request)
        return await form(request, here, key=request.query_params.get("desk", ""))

    @routes.post("/counter")
    async def check(request: Request) -> Response:
        here, key = await clerks.come(request), ""
        try:
            values = await read_handed_in(request, most_bytes=clerks.limits.clerk_file_bytes)
            key = str(values.get("desk", ""))
            desk = await counter.desk(here.actor, key)
            grant = desk.grant
            question = question_of(values, purpose=grant.purpose, matter=grant.matter)
            secret = str(values.get("key", ""))
            form_secret = secret if ID.match(secret) else ""
            answer = await counter.verify(question, desk, clerk=here.actor, form=form_secret)
        except Faulty as exc:
            return await form(request, here, key=key, status=400, wrong=exc.text)
        except TooLarge:
            return await form(request, here, key=key, status=413, wrong=PAGES.text("file.too_large"))
        except Conflict:
            return await form(request, here, key=key, status=409, wrong=PAGES.text("form.ambiguous"))
        except UsageError:  # a presentation without the request that it answers
            return await form(request, here, key=key, status=400, wrong=PAGES.text("form.unasked"))
        content = answer.content
        result = result_view(content, counter.catalogue, counter.service.snapshots)
        return PAGES.answer(
            request,
            "counter_result.html",
            signed_in=here,
            overall=None,
            results=[(result, Recorded.of(content, desk.department))],
            again=address_of_desk("/counter", desk.key),
        )


def _add_records(routes: APIRouter, counter: Counter, clerks: Clerks) -> None:
    async def record(here: SignedIn, name: str) -> dict[str, Any]:
        if not ID.match(name):
            raise NotFound("no such verification")
        return await counter.record(name, clerk=here.actor)

    @routes.get("/counter/records")
    async def records(request: Request) -> Response:
        here = await clerks.come(request)
        found = await counter.recent(here.actor, limit=MANY)
        rows = [record_row(one) for one in found]
        return PAGES.answer(request, "records.html", signed_in=here, records=rows)

    @routes.get("/counter/records/{name}")
    async def one(request: Request, name: str) -> Response:
        here = await clerks.come(request)
        found = await record(here, name)
        return PAGES.answer(
            request,
            "record.html",
            signed_in=here,
            record=record_view(found, counter.catalogue, counter.service.snapshots),
            recorded=Recorded.of(found, found["department"]),
        )

    @routes.get("/counter/records/{name}/receipt")
    async def receipt(request: Request, name: str) -> Response:
        here = await clerks.come(request)
        found = await record(here, name)
        headers = {
            "Content-Disposition": f'attachment; filename="receipt-{name}.jwt"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(found["receipt"], media_type="application/jwt", headers=headers)
