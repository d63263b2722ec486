"""Older registers on HTTP, for the agency's staff and systems.

GET  /v1/legacy/registers                      which are followed, how far, who agreed
POST /v1/legacy/registers                      propose a mapping: {"mapping": the TOML text}
POST /v1/legacy/registers/{name}/agreement     agree to it: {"proof": …} over the register's `digest`
POST /v1/legacy/registers/{name}/cut-off       name the last day that it may add: {"on": "2026-12-31"}
POST /v1/legacy/check                          multipart `file` and `mapping`: a line of JSON for each row
POST /v1/legacy/import                         the same, taken over; `catch_up=true` from the cursor on
POST /v1/legacy/licences/{identifier}/document the sealed PDF: made now, at first use
GET  /v1/legacy/foreign/{number}               who issued a licence that is not ours, and where to ask
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.foreign.repository import ForeignRepository
from credentials.gate import Gate
from credentials.legacy.mapping_files import MAX_FILE_BYTES, read_mapping
from credentials.legacy.registers import CLERK, agreement_digest
from credentials.legacy.results import json_line
from signing.jose import dump_json
from yinxin.base.actor import Actor
from yinxin.base.errors import MalformedInput, NotFound, UsageError
from yinxin.web.bodies import read_json, read_multipart

if TYPE_CHECKING:
    from credentials.catalogue import Catalogue
    from credentials.first_use import FirstUse
    from credentials.legacy.importing import LegacyImport
    from credentials.legacy.repository import Register
    from credentials.legacy.results import RowResult

# Gives who calls, or raises `Unauthenticated`: the office's entrance makes it.
Enter = Callable[[Request], Awaitable[Actor]]
MAX_UPLOAD_BYTES = 32 << 20  # about a hundred thousand rows; longer files go by the command line
MAX_JSON_BYTES = 2 * MAX_FILE_BYTES
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def router(legacy: LegacyImport, first_use: FirstUse, *, catalogue: Catalogue, enter: Enter) -> APIRouter:
    """The routes; `first_use` seals what is asked for."""
    routes = APIRouter(tags=["legacy"])
    _add_registers(routes, legacy, catalogue, enter)
    _add_walks(routes, legacy, catalogue, enter)
    _add_licences(routes, legacy, first_use, enter)
    return routes


def _add_registers(routes: APIRouter, legacy: LegacyImport, catalogue: Catalogue, enter: Enter) -> None:
    registers = legacy.registers

    @routes.get("/v1/legacy/registers")
    async def every(request: Request) -> Response:
        """The older registers of the agency."""
        actor = await enter(request)
        found = await run_in_threadpool(lambda: registers.all(actor=actor))
        return _answer({"registers": [_told(one) for one in found]})

    @routes.post("/v1/legacy/registers")
    async def propose(request: Request) -> Response:
        """Say by which mapping a register is to be read."""
        actor = await enter(request)
        text = _text(await read_json(request, limit=MAX_JSON_BYTES), "mapping")
        mapping = read_mapping(text.encode(), "mapping", catalogue, agency=legacy.agency.credit_code)
        register = await run_in_threadpool(lambda: registers.propose(mapping, actor=actor))
        return _answer(_told(register))

    @routes.post("/v1/legacy/registers/{name}/agreement")
    async def agree(request: Request, name: str) -> Response:
        """Agree to a mapping that somebody else proposed."""
        actor = await enter(request)
        proof = (await read_json(request, limit=MAX_JSON_BYTES)).get("proof")
        if not isinstance(proof, dict):
            raise MalformedInput("agreement", "no proof")
        register = await run_in_threadpool(lambda: registers.agree(name, proof=proof, actor=actor))
        return _answer(_told(register))

    @routes.post("/v1/legacy/registers/{name}/cut-off")
    async def close(request: Request, name: str) -> Response:
        """Name the last day that the old register may add."""
        actor = await enter(request)
        said = _text(await read_json(request, limit=MAX_JSON_BYTES), "on")
        try:
            day = date.fromisoformat(said)
        except ValueError as exc:
            raise UsageError("`on` is not a date such as 2026-12-31") from exc
        register = await run_in_threadpool(lambda: registers.close(name, cut_off=day, actor=actor))
        return _answer(_told(register))


def _add_walks(routes: APIRouter, legacy: LegacyImport, catalogue: Catalogue, enter: Enter) -> None:
    @routes.post("/v1/legacy/check")
    async def check(request: Request) -> Response:
        """What would become of every row of a file; nothing is written."""
        return await walk(request, writes=False)

    @routes.post("/v1/legacy/import")
    async def take_over(request: Request) -> Response:
        """Take the rows of a file over; the same file again changes nothing."""
        return await walk(request, writes=True)

    async def walk(request: Request, *, writes: bool) -> Response:
        actor = await enter(request)
        sent = await read_multipart(request, limit=MAX_UPLOAD_BYTES, files=("file", "mapping"))
        if not all(isinstance(sent.get(name), bytes) for name in ("file", "mapping")):
            raise MalformedInput("legacy import", "it takes the parts `file` and `mapping`")
        mapping = read_mapping(sent["mapping"], "mapping", catalogue, agency=legacy.agency.credit_code)
        lines: list[str] = []

        def each(result: RowResult) -> None:
            lines.append(json_line(result))

        def work() -> dict[str, Any]:
            stream = io.BytesIO(sent["file"])
            if not writes:
                return legacy.check(stream, mapping, actor=actor, each=each).to_dict()
            catch_up = sent.get("catch_up") == "true"
            return legacy.run(stream, mapping, actor=actor, catch_up=catch_up, each=each).to_dict()

        summary = await run_in_threadpool(work)
        body = "".join(lines).encode() + dump_json({"summary": summary}) + b"\n"
        return Response(body, media_type="application/jsonl", headers=PRIVATE)


def _add_licences(routes: APIRouter, legacy: LegacyImport, first_use: FirstUse, enter: Enter) -> None:
    @routes.post("/v1/legacy/licences/{identifier}/document")
    async def document(request: Request, identifier: str) -> Response:
        """The sealed PDF of a licence, made now if it had none."""
        actor = await enter(request)

        def work() -> bytes:
            production = first_use.production
            Gate(legacy.agency.credit_code, legacy.database, legacy.clock).admit(
                actor, "first use", identifier, role=CLERK
            )
            licence = first_use.seal(identifier, actor=actor)
            if production.documents is None or licence.pdf_sha256 is None:
                raise NotFound("no sealed document is kept here")
            return production.documents.get(licence.pdf_sha256)

        return Response(await run_in_threadpool(work), media_type="application/pdf", headers=PRIVATE)

    @routes.get("/v1/legacy/foreign/{number:path}")
    async def foreign(request: Request, number: str) -> Response:
        """Licences of other issuers with this number."""
        await enter(request)

        def work() -> list[dict[str, Any]]:
            with legacy.database.reading() as session:
                return [one.to_dict() for one in ForeignRepository(session).find(number)]

        found = await run_in_threadpool(work)
        if not found:
            raise NotFound("no licence of another issuer has this number")
        return _answer({"licences": found})


def _told(register: Register) -> dict[str, Any]:
    return {**register.to_dict(), "digest": agreement_digest(register).hex()}


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str):
        raise MalformedInput("request", f"no text {name!r}")
    return value


def _answer(content: dict[str, Any]) -> Response:
    return Response(dump_json(content), media_type="application/json", headers=PRIVATE)
