"""The authority on HTTP: certificates, lists, OCSP (RFC 6960, appendix A) and time-stamps (RFC 3161, 3.4).

Everything here is public and signed, so nobody is asked who they are; what comes in is read within bounds.
Answers that need the database or a key are made off the event loop. OCSP and time-stamps answer errors in
their own words; `NotFound` leaves for the application's table. Registration has no routes here.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from ca.issuance import Authority
from ca.ocsp import MAX_REQUEST_BYTES as MAX_OCSP_BYTES
from ca.ocsp import OcspResponder, ResponseStatus, failure
from ca.tsa import MAX_REQUEST_BYTES as MAX_TSA_BYTES
from ca.tsa import TimestampAuthority
from signing.timestamp import QUERY_TYPE, REPLY_TYPE
from yinxin.base.errors import NotFound

OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
CERTIFICATE, CRL = "application/pkix-cert", "application/pkix-crl"  # RFC 2585, 4
CACHED_SECONDS = 300
T = TypeVar("T")
_CACHED = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": f"public, max-age={CACHED_SECONDS}, no-transform, must-revalidate",
}
_NOT_CACHED = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def router(
    authorities: Mapping[str, Authority],
    ocsp: Mapping[str, OcspResponder],
    tsa: TimestampAuthority | None = None,
) -> APIRouter:
    """The routes of these authorities, by name, of their OCSP responders, and of one time-stamp authority."""
    routes = APIRouter(tags=["ca"])
    _publish(routes, authorities)
    _answer_ocsp(routes, ocsp)
    if tsa is not None:
        _answer_tsa(routes, tsa)
    return routes


def _publish(routes: APIRouter, authorities: Mapping[str, Authority]) -> None:
    @routes.get("/ca/{name}.cer", response_class=Response, responses=_binary(CERTIFICATE))
    async def certificate(name: str) -> Response:
        """The certificate of an authority, in DER."""
        found = _named(authorities, name).certificate
        return Response(found.der, media_type=CERTIFICATE, headers=_CACHED)

    @routes.get("/crl/{name}.crl", response_class=Response, responses=_binary(CRL))
    async def crl(name: str) -> Response:
        """The current list of revoked certificates of an authority, in DER."""
        encoded = await run_in_threadpool(_named(authorities, name).crl)
        return Response(encoded, media_type=CRL, headers=_CACHED)


def _answer_ocsp(routes: APIRouter, responders: Mapping[str, OcspResponder]) -> None:
    @routes.post("/ocsp/{name}", response_class=Response, responses=_binary(OCSP_RESPONSE))
    async def ocsp(name: str, request: Request) -> Response:
        """Status of certificates: an OCSPRequest in DER, answered by an OCSPResponse."""
        responder = _named(responders, name)
        if not _is(request, OCSP_REQUEST):
            return _wrong_type(OCSP_REQUEST)
        answer = await run_in_threadpool(responder.respond, await _body(request, MAX_OCSP_BYTES))
        return Response(answer, media_type=OCSP_RESPONSE, headers=_NOT_CACHED)

    @routes.get("/ocsp/{name}/{encoded:path}", response_class=Response, responses=_binary(OCSP_RESPONSE))
    async def ocsp_get(name: str, encoded: str) -> Response:
        """The same with the request in the path, in base64: what caches understand."""
        responder = _named(responders, name)
        try:
            asked = b64decode(encoded[: 2 * MAX_OCSP_BYTES], validate=True)
        except (binascii.Error, ValueError):
            answer = failure(ResponseStatus.MALFORMED_REQUEST)
            return Response(answer, media_type=OCSP_RESPONSE, headers=_NOT_CACHED)
        answer = await run_in_threadpool(responder.respond, asked)
        return Response(answer, media_type=OCSP_RESPONSE, headers=_NOT_CACHED if len(answer) < 8 else _CACHED)


def _answer_tsa(routes: APIRouter, tsa: TimestampAuthority) -> None:
    @routes.post("/tsa", response_class=Response, responses=_binary(REPLY_TYPE))
    async def timestamp(request: Request) -> Response:
        """A time-stamp: a TimeStampReq in DER, answered by a TimeStampResp."""
        if not _is(request, QUERY_TYPE):
            return _wrong_type(QUERY_TYPE)
        answer = await run_in_threadpool(tsa.respond, await _body(request, MAX_TSA_BYTES))
        return Response(answer, media_type=REPLY_TYPE, headers=_NOT_CACHED)


async def _body(request: Request, limit: int) -> bytes:
    """The body, or just enough of a longer one to be refused by who reads it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body[: limit + 1])


def _named(things: Mapping[str, T], name: str) -> T:
    try:
        return things[name]
    except KeyError as exc:
        raise NotFound("no authority of this name") from exc


def _is(request: Request, media_type: str) -> bool:
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == media_type


def _wrong_type(wanted: str) -> Response:
    return Response(f"send {wanted}", status_code=415, media_type="text/plain", headers=_NOT_CACHED)


def _binary(media_type: str) -> dict[int | str, dict[str, object]]:
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"content": {media_type: schema}}}
