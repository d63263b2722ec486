"""Who comes into the office, and how its people prove what they agree to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.proofs import EitherProof
from yinxin.access.consent import KIND, PasskeyConsent
from yinxin.app import wiring
from yinxin.base.text import Text

if TYPE_CHECKING:
    from fastapi import Request

    from credentials.office.proofs import Proofs
    from yinxin.access.accounts import SignedIn
    from yinxin.access.service import Access
    from yinxin.app.home import Home


class Entrance:
    """The office's door: sign-in of staff for pages, and the proofs of agreement that are accepted."""

    def __init__(self, home: Home) -> None:
        settings = home.settings
        self.access: Access = wiring.staff_access(
            home, origin=settings.office_url, name=Text(settings.agency_name, settings.agency_name_en)
        )
        self.consent = PasskeyConsent(home.database, self.access.site)
        self.proofs: Proofs = EitherProof({KIND: self.consent})

    @property
    def passkey_script(self) -> str:
        """Where the pages' script for passkeys lies."""
        from yinxin.access import pages  # noqa: PLC0415 - FastAPI takes a second

        return pages.script_address()

    async def visitor(self, request: Request) -> SignedIn:
        """Who is signed in; pages lead others to sign in."""
        from yinxin.access import pages  # noqa: PLC0415 - FastAPI takes a second

        return await pages.require_visitor(request, self.access)
