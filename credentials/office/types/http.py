"""The catalogue on HTTP: its changes for the agency's staff and systems, type metadata for everybody.

The types' metadata are the issuer's, and public: `metadata_router`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.office.types.preview import metadata_document
from credentials.type_files import MAX_FILE_BYTES
from credentials.type_metadata import integrity_of
from signing.jose import dump_json
from yinxin.base.actor import Actor
from yinxin.base.buckets import Buckets, Limit
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType
    from credentials.office.types.service import TypeOffice
    from credentials.office.types.versions import TypeChange
    from yinxin.base.clock import Clock

# Gives who calls, or raises `Unauthenticated`: the office's entrance makes it.
Enter = Callable[[Request], Awaitable[Actor]]
CALLS = Limit("types", 120, 1200)
MAX_BODY_BYTES = 2 * MAX_FILE_BYTES  # a file as a JSON text
_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_PUBLIC = {
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}


def router(types: TypeOffice, *, enter: Enter, clock: Clock) -> APIRouter:
    """The routes of the agency's staff and systems.

    GET  /v1/types                              every version of every type
    POST /v1/types/{code}/abolish               propose an abolition
    GET  /v1/type-changes                       what was proposed and decided, the newest first
    POST /v1/type-changes                       propose the version that a type file describes
    GET  /v1/type-changes/{id}                  one change; `digest` is what a second person signs
    GET  /v1/type-changes/{id}/preview          claims, metadata and what changes
    GET  /v1/type-changes/{id}/preview.pdf      a specimen's page
    GET  /v1/type-changes/{id}/preview.png      the same as a picture
    POST /v1/type-changes/{id}/approve          with the proof of a second person
    POST /v1/type-changes/{id}/withdraw         with a note
    """
    routes, buckets = APIRouter(), Buckets(CALLS)

    async def come(request: Request) -> Actor:
        actor = await enter(request)
        buckets.take(str(actor), now=clock.now())
        return actor

    _add_reading(routes, types, come)
    _add_previews(routes, types, come)
    _add_steps(routes, types, come)
    return routes


def metadata_router(catalogue: Catalogue) -> APIRouter:
    """Type metadata (SD-JWT VC, 5) of every version that has begun, for whoever asks."""
    routes = APIRouter(tags=["issuer"])

    @routes.get("/types", summary="证照类型及其元数据 / Licence types and their metadata")
    async def every() -> Response:
        """The types, with the address and the integrity of each version's metadata."""
        begun = await run_in_threadpool(_begun, catalogue)
        return _answer({"types": [_served(one) for one in begun]}, headers=_PUBLIC)

    @routes.get(
        "/types/{code}/{version}",
        summary="一个版本的 SD-JWT VC 类型元数据 / The type metadata of one version",
    )
    async def one(code: str, version: int) -> Response:
        """The type metadata of one version."""
        begun = await run_in_threadpool(_begun, catalogue)
        found = next((one for one in begun if (one.code, one.version) == (code, version)), None)
        if found is None:
            raise NotFound("no such version of a type")
        return Response(metadata_document(found), media_type="application/json", headers=_PUBLIC)

    return routes


def _add_reading(routes: APIRouter, types: TypeOffice, come: Enter) -> None:
    @routes.get("/v1/types")
    async def versions(request: Request) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(types.versions, actor=actor)
        return _answer({"types": [_facts(one) for one in found]})

    @routes.get("/v1/type-changes")
    async def changes(request: Request) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(types.changes, actor=actor)
        return _answer({"changes": [one.to_dict() for one in found]})

    @routes.get("/v1/type-changes/{change_id}")
    async def change(request: Request, change_id: str) -> Response:
        actor = await come(request)
        return _change(await run_in_threadpool(types.change, change_id, actor=actor))


def _add_previews(routes: APIRouter, types: TypeOffice, come: Enter) -> None:
    @routes.get("/v1/type-changes/{change_id}/preview")
    async def preview(request: Request, change_id: str) -> Response:
        actor = await come(request)
        found = await run_in_threadpool(types.preview, change_id, actor=actor)
        return _answer(found.to_dict())

    @routes.get("/v1/type-changes/{change_id}/preview.pdf")
    async def page(request: Request, change_id: str) -> Response:
        actor = await come(request)
        made = await run_in_threadpool(types.page, change_id, actor=actor)
        return Response(made, media_type="application/pdf", headers=_PRIVATE)

    @routes.get("/v1/type-changes/{change_id}/preview.png")
    async def picture(request: Request, change_id: str) -> Response:
        actor = await come(request)
        made = await run_in_threadpool(types.picture, change_id, actor=actor)
        return Response(made, media_type="image/png", headers=_PRIVATE)


def _add_steps(routes: APIRouter, types: TypeOffice, come: Enter) -> None:
    @routes.post("/v1/type-changes")
    async def propose(request: Request) -> Response:
        actor = await come(request)
        file = _text(await read_json(request, limit=MAX_BODY_BYTES), "file").encode()
        return _change(await run_in_threadpool(types.propose, file, actor=actor), status=201)

    @routes.post("/v1/types/{code}/abolish")
    async def abolish(request: Request, code: str) -> Response:
        actor = await come(request)
        body = await read_json(request, limit=MAX_BODY_BYTES)
        facts = {name: _text(body, name) for name in ("ground", "document_number")}
        last = _day(_text(body, "last_day"))
        made = await run_in_threadpool(lambda: types.abolish(code, last_day=last, actor=actor, **facts))
        return _change(made, status=201)

    @routes.post("/v1/type-changes/{change_id}/approve")
    async def approve(request: Request, change_id: str) -> Response:
        actor = await come(request)
        proof = (await read_json(request, limit=MAX_BODY_BYTES)).get("proof")
        if not isinstance(proof, dict):
            raise MalformedInput("type change", "a proof of agreement is needed")
        return _change(await run_in_threadpool(types.approve, change_id, proof=proof, actor=actor))

    @routes.post("/v1/type-changes/{change_id}/withdraw")
    async def withdraw(request: Request, change_id: str) -> Response:
        actor = await come(request)
        note = _text(await read_json(request, limit=MAX_BODY_BYTES), "note")
        return _change(await run_in_threadpool(types.withdraw, change_id, note=note, actor=actor))


def _begun(catalogue: Catalogue) -> list[LicenceType]:
    current = {one.code: one.version for one in catalogue}
    return [one for one in catalogue.every_version() if one.version <= current.get(one.code, 0)]


def _served(kind: LicenceType) -> dict[str, Any]:
    return {
        "vct": kind.vct,
        "type": kind.code,
        "version": kind.version,
        "metadata": f"/types/{kind.code}/{kind.version}",
        "integrity": integrity_of(metadata_document(kind)),
    }


def _facts(kind: LicenceType) -> dict[str, Any]:
    return {
        **_served(kind),
        "name": kind.name.to_dict(),
        "from_day": kind.from_day.isoformat() if kind.from_day else None,
        "until_day": kind.until_day.isoformat() if kind.until_day else None,
        "fields": [
            {
                "name": one.name,
                "label": one.label.to_dict(),
                "kind": str(one.kind),
                "required": one.required,
                "source": one.source.to_dict(),
            }
            for one in kind.fields
        ],
    }


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise MalformedInput("request body", f"{name} must be a text")
    return value


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise MalformedInput("request body", "last_day is a day such as 2027-01-01") from exc


def _change(change: TypeChange, *, status: int = 200) -> Response:
    return _answer(change.to_dict(), status=status)


def _answer(content: dict[str, Any], *, status: int = 200, headers: dict[str, str] = _PRIVATE) -> Response:
    return Response(dump_json(content), status, media_type="application/json", headers=headers)
