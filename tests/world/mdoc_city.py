"""The city with an agency that makes mdocs, and a wallet for them that is a few lines long."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from credentials.mdoc import MdocValidity, issue_mdoc, present_mdoc
from credentials.oid4vp.responses import answer
from credentials.oid4vp.transcripts import transcript_of
from signing.base64url import encode_base64url
from wallet.exchange import Reply as Sent
from world.departments import GRANTED, TYPE
from world.presentations import AskingCity

if TYPE_CHECKING:
    from credentials.licence import Licence
    from credentials.oid4vp.request_objects import VerifiedRequest
    from world.departments import Reply

VCT = "urn:yinxin:licence:food-business-licence:1"
MDOC_ID = f"{TYPE}_mdoc1"
IDENTIFIER = "licence_identifier"


class MdocCity(AskingCity):
    """The city, whose agency also makes mdocs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mdoc_signer = self.pki.signer("mdoc", "津城市市场监督管理局")

    def mdoc(self, licence: Licence, **changes: Any) -> bytes:
        """A copy of a licence for the baker; `elements`, `doc_type`, options of `issue_mdoc` may differ."""
        with self.database.transaction() as session:
            self.last_status = self.statuses.allocate(session)
        now = self.clock.now()
        said = {IDENTIFIER: licence.identifier, "issued_on": date(2026, 8, 1), **licence.claims}
        elements = changes.pop("elements", said)
        options = {
            "signer": self.mdoc_signer,
            "holder_key": self.baker.public_key,
            "valid": MdocValidity(now, now, now + timedelta(days=30)),
            "status": self.last_status,
            "randomness": self.randomness,
        }
        made = issue_mdoc(changes.pop("doc_type", VCT), {VCT: elements}, **{**options, **changes})
        self.service.use(self.snapshots())
        return made

    def asked(self, **changes: Any) -> tuple[dict[str, Any], VerifiedRequest]:
        """A session that asks for an mdoc, and what a wallet reads of it."""
        started = self.started(**{"forms": ["mdoc"], **changes})
        return started, self.fetch(started["link"])

    def response(self, issued: bytes, verified: VerifiedRequest, *more: str, **changes: Any) -> str:
        """What a wallet shows of an mdoc: what the bureau's grant names, and `more`."""
        request = verified.request
        names = (IDENTIFIER, *sorted(GRANTED), *more)
        options = {
            "disclose": {VCT: names},
            "holder": self.baker,
            "transcript": transcript_of(request),
        }
        return encode_base64url(present_mdoc(issued, **{**options, **changes}))

    def send(self, verified: VerifiedRequest, *shown: str, query: str = MDOC_ID) -> Reply:
        """Post it."""
        request = verified.request
        return self.post(Sent(request.response_uri, answer(request, {query: list(shown)})))
