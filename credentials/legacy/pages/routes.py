"""The routes of the pages: each reads, asks the import and shows; none decides.

A file is checked or taken over as a whole while the browser waits; the full report comes as a download.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from credentials.legacy.judging import Verdict
from credentials.legacy.mapping import FIX_NAMES, Fix
from credentials.legacy.mapping_files import InvalidMapping, read_mapping
from credentials.legacy.registers import CLERK, agreement_digest
from credentials.legacy.results import OUTCOME_NAMES, Outcome, csv_heading, csv_line
from credentials.licence import CHINA
from yinxin.access.accounts import SignedIn
from yinxin.base.errors import MalformedInput
from yinxin.web.bodies import read_multipart
from yinxin.web.guards import require_same_origin
from yinxin.web.headers import page_headers
from yinxin.web.language import language_of
from yinxin.web.pages import Pages, see_other

if TYPE_CHECKING:
    from credentials.catalogue import Catalogue
    from credentials.legacy.importing import LegacyImport
    from credentials.legacy.mapping import LegacyMapping
    from credentials.legacy.results import RowResult, Summary
    from yinxin.base.text import Language, Text

PAGES = Pages("credentials.legacy.pages")
MAX_UPLOAD_BYTES = 32 << 20
MAX_SHOWN = 200
Enter = Callable[[Request], Awaitable[SignedIn]]


def router(legacy: LegacyImport, *, catalogue: Catalogue, enter: Enter, origin: str) -> APIRouter:
    """The pages of older registers."""
    routes = PAGES.router()

    async def come(request: Request) -> SignedIn:
        if request.method != "GET":
            require_same_origin(request, origin)
        return await enter(request)

    @routes.get("/office/legacy")
    async def registers(request: Request) -> Response:
        return await _registers(request, legacy, await come(request))

    @routes.post("/office/legacy")
    async def walk(request: Request) -> Response:
        signed_in = await come(request)
        sent = await read_multipart(request, limit=MAX_UPLOAD_BYTES, files=("file", "mapping"))
        try:
            mapping = _mapping(sent, catalogue, legacy)
        except InvalidMapping as wrong:
            return await _registers(request, legacy, signed_in, wrong=wrong)
        if sent.get("do") == "propose":
            await run_in_threadpool(lambda: legacy.registers.propose(mapping, actor=signed_in.actor))
            return see_other("/office/legacy")
        return await _walk(request, legacy, signed_in, mapping, sent)

    routes.include_router(PAGES.static_routes())
    return routes


async def _registers(
    request: Request, legacy: LegacyImport, signed_in: SignedIn, *, wrong: InvalidMapping | None = None
) -> Response:
    actor = signed_in.actor
    found = await run_in_threadpool(lambda: legacy.registers.all(actor=actor))
    runs = await run_in_threadpool(lambda: legacy.registers.runs(actor=actor))
    return PAGES.answer(
        request,
        "registers.html",
        status=422 if wrong else 200,
        signed_in=signed_in,
        registers=[(one, agreement_digest(one).hex()) for one in found],
        runs=[(run, _told(run.counts)) for run in runs[:20]],
        may_take=CLERK in actor.roles,
        faults=wrong.faults if wrong else (),
        china=CHINA,
    )


async def _walk(
    request: Request, legacy: LegacyImport, signed_in: SignedIn, mapping: LegacyMapping, sent: dict[str, Any]
) -> Response:
    actor, does, language = signed_in.actor, sent.get("do"), language_of(request)
    if does not in {"check", "report", "import"} or not isinstance(sent.get("file"), bytes):
        raise MalformedInput("legacy import", "choose a file, and what to do with it")
    shown: list[RowResult] = []
    lines: list[str] = []

    def each(result: RowResult) -> None:
        if does == "report":
            lines.append(csv_line(result, language))
        elif len(shown) < MAX_SHOWN and _is_worth_showing(result):
            shown.append(result)

    def work() -> Summary:
        stream = io.BytesIO(sent["file"])
        if does != "import":
            return legacy.check(stream, mapping, actor=actor, each=each)
        catch_up = sent.get("catch_up") == "true"
        return legacy.run(stream, mapping, actor=actor, catch_up=catch_up, each=each)

    summary = await run_in_threadpool(work)
    if does == "report":
        return _download("".join((csv_heading(), *lines)))
    return PAGES.answer(
        request,
        "result.html",
        signed_in=signed_in,
        mapping=mapping,
        was_import=does == "import",
        summary=summary,
        counts=_told({str(one): summary.outcomes[one] for one in Outcome}),
        fixes=[(FIX_NAMES[Fix(name)], count) for name, count in sorted(summary.fixes.items())],
        rows=[(one, OUTCOME_NAMES[one.outcome], _said(one, language)) for one in shown],
        most=MAX_SHOWN,
    )


def _mapping(sent: dict[str, Any], catalogue: Catalogue, legacy: LegacyImport) -> LegacyMapping:
    if not isinstance(sent.get("mapping"), bytes):
        raise MalformedInput("legacy import", "choose a mapping file")
    return read_mapping(sent["mapping"], "mapping", catalogue, agency=legacy.agency.credit_code)


def _is_worth_showing(result: RowResult) -> bool:
    judged = result.judged
    return judged is not None and judged.verdict is not Verdict.USABLE


def _said(result: RowResult, language: Language) -> list[str]:
    """What was wrong or put right, by column, without a word of the row."""
    judged = result.judged
    if judged is None:
        return []
    faults = [(one.column, one.reason.in_language(language)) for one in judged.faults]
    fixes = [(one.column, FIX_NAMES[one.fix].in_language(language)) for one in judged.fixes]
    return [f"{column}：{text}" if column else text for column, text in (faults or fixes)]


def _told(counts: Any) -> list[tuple[Text, int]]:
    return [(OUTCOME_NAMES[one], counts[one]) for one in Outcome if counts and counts.get(one)]


def _download(text: str) -> Response:
    headers = {**page_headers(), "Content-Disposition": 'attachment; filename="report.csv"'}
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)
