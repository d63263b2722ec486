"""Who comes into the office, and how its people prove what they agree to.

People come in by passkey and agree by passkey; people at a command line, and systems of the agency, come in
by a registered key (`yinxin staff key`) and agree with it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from signing.signers.file import FileSigner
from yinxin.access.clients import StaffTokens
from yinxin.access.consent import PasskeyConsent
from yinxin.app import wiring
from yinxin.app.proofs import office_proofs, staff_keys
from yinxin.base.errors import Conflict, Unauthenticated
from yinxin.base.text import Text
from yinxin.web.guards import require_same_origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter, Request

    from credentials.office.proofs import Proofs
    from signing.signer import Signer
    from yinxin.access.accounts import SignedIn
    from yinxin.access.service import Access
    from yinxin.app.home import Home
    from yinxin.base.actor import Actor

__all__ = ["Entrance", "office_proofs", "staff_keys"]

TOKEN_KEY = "office-token"  # noqa: S105 - the name of a key
READING = frozenset({"GET", "HEAD"})


class Entrance:
    """The office's door: who is here, and the proofs of agreement that are accepted."""

    def __init__(self, home: Home) -> None:
        settings = home.settings
        self.access: Access = wiring.staff_access(
            home, origin=settings.office_url, name=Text(settings.agency_name, settings.agency_name_en)
        )
        self.consent = PasskeyConsent(home.database, self.access.site)
        self.proofs: Proofs = office_proofs(home)
        self.tokens = StaffTokens(
            staff_keys(home),
            url=settings.office_url.rstrip("/"),
            organisation=settings.agency_code,
            signer=_token_signer(home),
            database=home.database,
            clock=home.clock,
        )

    @property
    def passkey_script(self) -> str:
        """Where the pages' script for passkeys lies."""
        from yinxin.access import pages  # noqa: PLC0415 - FastAPI takes a second

        return pages.script_address()

    def routers(self) -> Sequence[APIRouter]:
        """Sign-in by passkey for people, tokens for those who come by key."""
        from yinxin.access import http, pages  # noqa: PLC0415 - FastAPI takes a second

        return [pages.router(self.access, start="/office"), http.token_router(self.tokens)]

    async def visitor(self, request: Request) -> SignedIn:
        """Who is signed in; pages lead others to sign in."""
        from yinxin.access import pages  # noqa: PLC0415 - FastAPI takes a second

        return await pages.require_visitor(request, self.access)

    async def caller(self, request: Request) -> Actor:
        """Who calls: by access token, or by a browser's session from a page of ours; else `Unauthenticated`."""
        from yinxin.access import http, pages  # noqa: PLC0415 - FastAPI takes a second

        actor = await http.bearer(request, self.tokens)
        if actor is not None:
            return actor
        found = await pages.visitor(request, self.access)
        if found is None:
            raise Unauthenticated("an access token is needed, or a sign-in")
        if request.method not in READING:
            require_same_origin(request, self.access.site.origin)
        return found.actor


def _token_signer(home: Home) -> Signer:
    """The key of the office's tokens; it is made when the office opens first."""
    if not home.key_file(TOKEN_KEY).is_file():
        with suppress(Conflict):  # another worker was faster
            home.save_key(FileSigner.generate("P-256"), home.key_file(TOKEN_KEY))
    return home.signer(TOKEN_KEY)
