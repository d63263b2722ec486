"""The page on which a clerk reads what became of licences that the department accepted, and confirms it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response  # noqa: TC002 - FastAPI reads the annotations

from verify_api.pages.clerks import ID
from verify_api.pages.handling import PAGES
from verify_api.pages.legible import legible
from verify_api.pages.views import clean, moment
from yinxin.base.errors import NotFound
from yinxin.base.text import Text
from yinxin.web.pages import see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_api.departments import Department
    from verify_api.pages.clerks import Clerks
    from verify_api.pages.counters import Counter

HOME = "/counter/notices"
MOST = 100


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field that says something else now; without values where no grant covers it."""

    label: Text
    before: str | None
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice."""

    id: str
    department: Text
    licence: str
    state: Text
    what: Text
    since: str
    document_number: str
    versions: tuple[str, ...]
    fields: tuple[FieldView, ...]
    told_at: str


def add_noticing(routes: APIRouter, counter: Counter, clerks: Clerks) -> None:
    """`/counter/notices`."""

    @routes.get(HOME)
    async def waiting(request: Request) -> Response:
        here = await clerks.come(request)
        found = await counter.waiting_notices(here.actor, limit=MOST)
        rows = [notice_view(one, department) for department, one in found]
        return PAGES.answer(request, "notices.html", signed_in=here, notices=rows)

    @routes.post(HOME + "/{name}")
    async def acknowledge(request: Request, name: str) -> Response:
        here = await clerks.come(request)
        if not ID.match(name):
            raise NotFound("no such notice")
        await counter.acknowledge_notice(name, clerk=here.actor)
        return see_other(HOME)


def notice_view(content: Mapping[str, Any], department: Department) -> NoticeView:
    """A notice as the page shows it, from what the department's interface answers."""
    event = content["event"]
    what = event["version_kind"] or event["name"]
    return NoticeView(
        id=content["id"],
        department=clean(department.name),
        licence=legible(content["licence"], most=200),
        state=Text(**content["text"]),
        what=Text(what["zh"], what["en"]),
        since=moment(datetime.fromisoformat(event["effective_from"])),
        document_number=legible(event["document_number"], most=120),
        versions=tuple(legible(one, most=200) for one in content["versions"]),
        fields=tuple(_field(one) for one in content["fields"]),
        told_at=moment(datetime.fromisoformat(content["told_at"])),
    )


def _field(one: Mapping[str, Any]) -> FieldView:
    label = one["label"] or {"zh": one["name"], "en": one["name"]}
    if "before" not in one:
        return FieldView(Text(**label), None, ())
    return FieldView(
        Text(**label), _said(one["before"]), tuple(_said(found["value"]) for found in one["now"])
    )


def _said(value: Any) -> str:
    if value is None:
        return "—"
    return legible("、".join(map(str, value)) if isinstance(value, list | tuple) else str(value), most=400)
