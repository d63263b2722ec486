"""The page that a printed code leads to, and the list of keys that it verifies with.

The code stands behind the # of the address, which browsers keep to themselves: this server never sees it. The
page decodes and verifies it by itself (`static/printed.js`). Certificate paths are judged here, when the list
is made. Only who presses the button there asks for a licence's status, and then by its identifier alone.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from credentials.printed_code import PATH, PrintedCodeVerifier, code_addresses
from credentials.printed_code.published import published_list
from signing.jose import dump_json
from verify_api.pages.handling import PUBLIC_PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from credentials.catalogue import Catalogue
    from credentials.printed_code import IssuerCertificates
    from verify_api.documents import Snapshots
    from verify_api.service import VerificationService

LIST_PATH = "/v1/credential-issuers"
REBUILT_AFTER = timedelta(minutes=1)
KEPT_SECONDS = 300


def printed_router(
    service: VerificationService,
    *,
    issuers: Callable[[], IssuerCertificates],
    addresses: Collection[str],
    catalogue: Catalogue,
) -> APIRouter:
    """`/q` and the list of issuers. `addresses` are the pages that trusted codes lead to."""
    routes, pages = APIRouter(), PUBLIC_PAGES.router()
    published = PublishedList(service, issuers, addresses, catalogue)

    @pages.get(PATH)
    async def page(request: Request) -> Response:
        return PUBLIC_PAGES.answer(request, "printed.html", list_path=LIST_PATH)

    @routes.get(
        LIST_PATH,
        tags=["公开数据 / Public data"],
        summary="印制二维码的签发证书 / Certificates that printed codes are signed with",
        description=(
            "每个证书的路径已按信任锚和吊销数据核验；到 expires_at 为止可缓存。/ "
            "Each certificate's path was judged from anchors and revocation lists; good up to expires_at."
        ),
    )
    async def credential_issuers(request: Request) -> Response:
        content, tag = published.current()
        headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}", "ETag": f'"{tag}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    routes.include_router(pages)
    return routes


class PublishedList:
    """The list, made anew when the snapshots are others or it is a minute old."""

    def __init__(
        self,
        service: VerificationService,
        issuers: Callable[[], IssuerCertificates],
        addresses: Collection[str],
        catalogue: Catalogue,
    ) -> None:
        self._service, self._issuers = service, issuers
        self._addresses, self._catalogue = addresses, catalogue
        self._made: tuple[Snapshots, datetime, bytes, str] | None = None

    def current(self) -> tuple[bytes, str]:
        """The list as JSON, and the digest of it."""
        now, snapshots = self._service.clock.now(), self._service.snapshots
        if self._made is None or self._made[0] is not snapshots or now - self._made[1] > REBUILT_AFTER:
            hosts = snapshots.trust_list.hosts if snapshots.trust_list else ()
            addresses = {*self._addresses, *code_addresses(*(f"https://{host}" for host in hosts))}
            verifier = PrintedCodeVerifier(
                snapshots.trust,
                issuers=self._issuers(),
                addresses=addresses,
                revocation=snapshots.revocation,
                policy=snapshots.policy,
                trust_list=snapshots.trust_list,
            )
            content = dump_json(published_list(verifier, self._catalogue, now=now))
            self._made = snapshots, now, content, hashlib.sha256(content).hexdigest()[:32]
        return self._made[2], self._made[3]
