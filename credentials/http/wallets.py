"""OpenID4VCI on HTTP: each route reads, asks the server and writes; none decides.

Refusals leave in OAuth's form, never to be stored. Work with the database or a key is done off the event
loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from credentials.http import pages
from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.authorization import Asked
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.metadata import well_known_path
from signing.jose import dump_json
from yinxin.base.buckets import Buckets, Limit, caller_of
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.web.bodies import parse_form, read_body, read_form, read_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from credentials.oid4vci.server import IssuanceServer

JSON, JWT = "application/json", "application/jwt"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}
_PUBLIC = {
    "Cache-Control": "public, max-age=300",
    "Vary": "Accept",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}
LIMIT = Limit("wallets", 300, 600)
MAX_REFERENCE_CHARACTERS = 64
MAX_FORM_BYTES, MAX_JSON_BYTES = 32 * 1024, 128 * 1024


def wallet_router(server: IssuanceServer, *, limit: Limit = LIMIT) -> APIRouter:
    """The routes that wallets use. `limit` is for what one address may ask without a token."""
    routes = APIRouter(tags=["wallets"])
    buckets = Buckets(limit)
    _add_metadata(routes, server)
    _add_offers(routes, server)
    _add_token(routes, server, buckets)
    _add_credentials(routes, server)
    if server.with_code:
        _add_authorization(routes, server, buckets)
    routes.include_router(pages.PAGES.static_routes())
    return routes


def _add_metadata(routes: APIRouter, server: IssuanceServer) -> None:
    @routes.get(well_known_path(server.url, names.WELL_KNOWN_ISSUER), response_class=Response)
    async def issuer_metadata(request: Request) -> Response:
        """What this issuer offers (12.2), signed for who asks for `application/jwt`."""
        if prefers_jwt(request.headers.get("accept", "")):
            token = await run_in_threadpool(server.signed_issuer_metadata)
            if token is not None:
                return Response(token, media_type=JWT, headers=_PUBLIC)
        return _json(server.issuer_metadata(), headers=_PUBLIC)

    @routes.get(well_known_path(server.url, names.WELL_KNOWN_SERVER), response_class=Response)
    async def server_metadata() -> Response:
        """The authorization server (RFC 8414)."""
        return _json(server.server_metadata(), headers=_PUBLIC)


def _add_offers(routes: APIRouter, server: IssuanceServer) -> None:
    @routes.get(names.OFFERS_PATH + "{reference}", response_class=Response)
    async def offer(reference: str) -> Response:
        """An offer by reference (4.1.3), the same until it is redeemed."""
        found = await run_in_threadpool(server.offers.show, _reference(reference))
        return _json(found.document, headers={**_NO_STORE, "Access-Control-Allow-Origin": "*"})

    @routes.get(names.OFFERS_PATH + "{reference}/page", response_class=Response)
    async def offer_page(request: Request, reference: str) -> Response:
        """The offer for people: a QR code and a link."""
        found = await run_in_threadpool(server.offers.show, _reference(reference))
        titles = server.names_of(found.document["credential_configuration_ids"])
        grant = found.document["grants"].get(names.PRE_AUTHORIZED_CODE, {})
        return pages.offer_page(request, found.by_reference, titles, has_tx_code="tx_code" in grant)


def _add_token(routes: APIRouter, server: IssuanceServer, buckets: Buckets) -> None:
    @routes.post(names.TOKEN_PATH, response_class=Response)
    async def token(request: Request) -> Response:
        """Redeem a code, or refresh (6)."""

        async def work() -> Response:
            _count(buckets, server, request)
            form = await read_form(request, limit=MAX_FORM_BYTES)
            answer = await run_in_threadpool(server.token, form, _one_dpop(request))
            return _json(answer, headers=_fresh(server))

        return await _answering(server, work, malformed="invalid_request")


def _add_authorization(routes: APIRouter, server: IssuanceServer, buckets: Buckets) -> None:
    action = server.url + names.AUTHORIZE_PATH

    @routes.post(names.PAR_PATH, response_class=Response)
    async def push(request: Request) -> Response:
        """A pushed authorization request (RFC 9126)."""

        async def work() -> Response:
            _count(buckets, server, request)
            form = await read_form(request, limit=MAX_FORM_BYTES)
            answer = await run_in_threadpool(server.push, form, _one_dpop(request))
            return _json(answer, status=201, headers=_fresh(server))

        return await _answering(server, work, malformed="invalid_request")

    def page(request: Request, asked: Asked, *, is_wrong: bool) -> Response:
        titles = server.names_of(asked.configurations)
        return pages.sign_in_page(request, asked, titles, action=action, is_wrong=is_wrong)

    @routes.get(names.AUTHORIZE_PATH, response_class=Response)
    async def ask(request: Request) -> Response:
        """The authorization endpoint: a page that asks the holder."""
        try:
            query = parse_form(request.url.query.encode())
            asked = await run_in_threadpool(server.authorizations.ask, query)
        except (Refused, MalformedInput):
            # No redirect: nobody vouches for an address that came in by this request (RFC 9700, 4.11).
            return pages.problem_page(request)
        return page(request, asked, is_wrong=False)

    @routes.post(names.AUTHORIZE_PATH, response_class=Response)
    async def answer(request: Request) -> Response:
        """The holder's answer."""
        _count(buckets, server, request)
        try:
            found = await run_in_threadpool(
                server.authorizations.answer, await read_form(request, limit=MAX_FORM_BYTES)
            )
        except (Refused, MalformedInput, HTTPException):
            return pages.problem_page(request)
        if isinstance(found, Asked):
            return page(request, found, is_wrong=True)
        # 303: whatever was typed here is not sent on (RFC 9700, 4.12).
        return Response(status_code=303, headers={**_NO_STORE, "Location": found.location})


def _add_credentials(routes: APIRouter, server: IssuanceServer) -> None:
    @routes.post(names.NONCE_PATH, response_class=Response)
    async def nonce(request: Request) -> Response:
        """A fresh nonce for key proofs (7)."""

        async def work() -> Response:
            await read_body(request, limit=1024)
            return _json({"c_nonce": server.nonce()}, headers=_fresh(server))

        return await _answering(server, work, malformed="invalid_request")

    @routes.post(names.CREDENTIAL_PATH, response_class=Response)
    async def credential(request: Request) -> Response:
        """Credential copies for the keys that the proofs show (8)."""

        async def work() -> Response:
            grant = await _grant(server, request, names.CREDENTIAL_PATH)
            answer = await run_in_threadpool(
                server.credentials.deliver, grant, await read_json(request, limit=MAX_JSON_BYTES)
            )
            return _json(answer, headers=_fresh(server))

        return await _answering(server, work, malformed="invalid_credential_request")

    @routes.post(names.NOTIFICATION_PATH, response_class=Response)
    async def notification(request: Request) -> Response:
        """What became of copies in the wallet (11)."""

        async def work() -> Response:
            grant = await _grant(server, request, names.NOTIFICATION_PATH)
            await run_in_threadpool(
                server.credentials.notify, grant, await read_json(request, limit=MAX_JSON_BYTES)
            )
            return Response(status_code=204, headers=_fresh(server))

        return await _answering(server, work, malformed="invalid_notification_request")


def prefers_jwt(accept: str) -> bool:
    """Whether an `Accept` header names application/jwt, and not below application/json (RFC 9110, 12.5.1)."""
    weights = {JSON: 0.0, JWT: 0.0}
    for item in accept[:1000].split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        if kind in weights:
            weights[kind] = _weight(parameters)
    return weights[JWT] > 0 and weights[JWT] >= weights[JSON]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return max(0.0, min(1.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0


async def _grant(server: IssuanceServer, request: Request, path: str) -> Any:
    authorization = request.headers.getlist("authorization")
    dpop = request.headers.getlist("dpop")
    return await run_in_threadpool(lambda: server.grant(authorization, dpop, path=path))


def _count(buckets: Buckets, server: IssuanceServer, request: Request) -> None:
    buckets.take(caller_of(request.client.host if request.client else ""), now=server.now())


def _one_dpop(request: Request) -> str | None:
    found = request.headers.getlist("dpop")
    if len(found) > 1:
        raise Refused("invalid_dpop_proof", "exactly one DPoP header is needed")
    return found[0] if found else None


def _reference(text: str) -> str:
    if len(text) > MAX_REFERENCE_CHARACTERS:
        raise NotFound("there is no such offer")
    return text


async def _answering(
    server: IssuanceServer, work: Callable[[], Awaitable[Response]], *, malformed: str
) -> Response:
    try:
        return await work()
    except Refused as exc:
        return _refusal(server, exc)
    except MalformedInput as exc:
        return _refusal(server, Refused(malformed, exc.detail.replace('"', "'")))
    except HTTPException:
        return _refusal(server, Refused(malformed, "the body is compressed, or did not come in time"))


def _refusal(server: IssuanceServer, refused: Refused) -> Response:
    headers = _fresh(server)
    if refused.status == 401:
        algorithms = " ".join(sorted(names.ALGORITHMS))
        error = f'error="{refused.error}", ' if refused.error else ""
        challenge = f'DPoP {error}algs="{algorithms}"'
        if refused.scheme == "Bearer":
            challenge = f"Bearer {error.removesuffix(', ')}".strip()
        headers["WWW-Authenticate"] = challenge
    body = {"error": refused.error, "error_description": refused.detail} if refused.error else {}
    return _json(body, status=refused.status, headers=headers)


def _fresh(server: IssuanceServer) -> dict[str, str]:
    """Headers of an answer that is for one wallet at one moment, with the DPoP nonce for its next request."""
    return {**_NO_STORE, "DPoP-Nonce": server.dpop_nonce()}


def _json(body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str]) -> Response:
    return Response(dump_json(body), status_code=status, media_type=JSON, headers=dict(headers))
