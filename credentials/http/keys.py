"""The keys of an issuer on HTTP: JWT VC Issuer Metadata (SD-JWT VC, 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from credentials.oid4vci.metadata import well_known_path
from credentials.published_keys import WELL_KNOWN_KEYS, describe_keys
from signing.jose import dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from signing.keys import PublicKey

_PUBLIC = {
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}


def keys_router(url: str, keys: Callable[[], Iterable[PublicKey]]) -> APIRouter:
    """The metadata of the issuer whose `iss` is `url`; `keys` gives those that sign its credentials."""
    routes = APIRouter(tags=["issuer"])

    @routes.get(
        well_known_path(url, WELL_KNOWN_KEYS), summary="签发方公布的公钥 / Keys that the issuer publishes"
    )
    async def published() -> Response:
        """The keys, each named as in the header (`kid`) of what it signed."""
        found = await run_in_threadpool(keys)
        return Response(dump_json(describe_keys(url, found)), media_type="application/json", headers=_PUBLIC)

    return routes
