"""Make offers for authenticated holders, show them until they are redeemed, and redeem their codes."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from credentials.copies import current
from credentials.gate import Gate, is_of
from credentials.holders import require_active
from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.grants import Authority, actor_of, open_grant
from credentials.oid4vci.nonces import keyed_digest
from credentials.oid4vci.offers import Flow, Offer, OpenOffer, offer_document
from credentials.oid4vci.repository import IssuanceRepository, OfferedLicence, StoredOffer, digest_of
from credentials.repository import LicenceRepository
from signing.base64url import encode_base64url
from yinxin.base import audit
from yinxin.base.actor import system
from yinxin.base.errors import NotFound, NotPermitted, UsageError
from yinxin.base.randomness import Randomness, random_text

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.holders import HolderStates
    from credentials.oid4vci.dpop import DpopProof
    from credentials.oid4vci.forms import CopyForms
    from credentials.oid4vci.requests import PreAuthorizedRequest
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session

OPEN, REDEEMED, BURNT = "open", "redeemed", "burnt"


class OfferDesk:
    """Where offers are made and shown.

    `agency` is the issuer's credit code. `secret` is shared by all workers of an issuer; codes are derived
    with it, so that the database alone opens nothing, and an offer can still be shown as often as a wallet
    asks.
    """

    def __init__(  # noqa: PLR0913 - what a desk works with, by name
        self,
        url: str,
        *,
        forms: CopyForms,
        database: Database,
        secret: bytes,
        agency: str,
        clock: Clock,
        randomness: Randomness,
        holders: HolderStates | None = None,
    ) -> None:
        self._url, self._database, self._secret = url, database, secret
        self._forms = forms
        self._clock, self._randomness, self._holders = clock, randomness, holders
        self._gate = Gate(agency, database, clock)

    def make(self, offer: Offer, *, actor: Actor) -> OpenOffer:
        """Offer licences to their holder.

        `NotPermitted` when the actor is no clerk of the agency, or a licence is somebody else's; `NotFound`
        or `Conflict` when one is unknown here or not in force, `HolderNotActive` when the holder is recorded
        as dead or dissolved. The audit log says how the holder was authenticated.
        """
        now = self._clock.now()
        reference = random_text(self._randomness, 32)
        self._gate.admit(actor, "offer", *offer.licences)
        with self._database.transaction() as session:
            licences = self._licences(session, offer, now)
            identifier = random_text(self._randomness)
            pin = self._tx_code() if offer.with_tx_code and offer.flow is Flow.PRE_AUTHORIZED else None
            stored = StoredOffer(
                id=identifier,
                reference=digest_of(reference),
                code=digest_of(self._code(reference)),
                tx_code=self._tx_code_digest(identifier, pin) if pin else None,
                tries=0,
                state=OPEN,
                flow=str(offer.flow),
                holder=offer.holder.code,
                method=str(offer.holder.method),
                licences=licences,
                created_at=now,
                expires_at=now + names.OFFER_LIFE,
            )
            IssuanceRepository(session).add(stored)
            _record_offer(session, offer, stored, actor)
        return OpenOffer(
            identifier, self._document(stored, reference), self._uri(reference), pin, stored.expires_at
        )

    def show(self, reference: str) -> OpenOffer:
        """The offer that a link names, the same each time; `NotFound` once it is redeemed, burnt or over.

        Its `tx_code` is not told again.
        """
        with self._database.reading() as session:
            stored = self._own(session, IssuanceRepository(session).offer_by_reference(reference))
        if stored is None or stored.state != OPEN or stored.expires_at <= self._clock.now():
            raise NotFound("this offer was used already, or its time is over")
        return OpenOffer(
            stored.id, self._document(stored, reference), self._uri(reference), None, stored.expires_at
        )

    def redeem(
        self, session: Session, request: PreAuthorizedRequest, proof: DpopProof | None
    ) -> dict[str, Any] | Refused:
        """The token response for a pre-authorised code, once.

        A wrong `tx_code` uses up a try and not the code; the last try burns it. A refusal is returned, so
        that the caller's transaction keeps the count.
        """
        now, repository = self._clock.now(), IssuanceRepository(session)
        stored = self._own(session, repository.offer_by_code(request.code))
        if stored is None or stored.flow != Flow.PRE_AUTHORIZED or not is_open(stored, now):
            return _wrong_code()
        if (stored.tx_code is None) != (request.tx_code is None):
            needed = "needed" if stored.tx_code else "not expected"
            return Refused("invalid_request", f"tx_code is {needed}")
        licences = chosen(stored.licences, request.wanted)
        if not licences:
            return Refused("invalid_authorization_details", "the offer holds none of these")
        if not self._is_right(session, stored, request.tx_code, now):
            return _wrong_code()
        by_details = request.wanted is not None
        authority = Authority(stored.holder, stored.method, licences, by_details, request.client_id)
        grant, answer = open_grant(session, authority, proof, now=now, randomness=self._randomness)
        repository.change_offer(stored.id, state=REDEEMED, grant_id=grant.id)
        details = {"offer": stored.id, "authentication": stored.method, "bound": proof is not None}
        audit.record(
            session,
            action="oid4vci.redeem",
            subject=f"grant:{grant.id}",
            actor=actor_of(grant.id),
            at=now,
            details=details,
        )
        return answer

    def _licences(self, session: Session, offer: Offer, now: datetime) -> tuple[OfferedLicence, ...]:
        found: list[OfferedLicence] = []
        for identifier in offer.licences:
            licence = current(session, identifier, agency=self._gate.agency, now=now)
            if licence.holder_code != offer.holder.code:
                raise NotPermitted("a licence is offered to its own holder only")
            found += self._forms.of(licence)
        require_active(self._holders, session, [offer.holder.code])
        if len(set(found)) != len(found):
            raise UsageError("a licence is named twice")
        return tuple(found)

    def _own(self, session: Session, stored: StoredOffer | None) -> StoredOffer | None:
        """An offer of this agency; another's may stand in the same database."""
        repository = LicenceRepository(session)
        found = [repository.by_identifier(one.licence) for one in stored.licences] if stored else []
        return stored if all(one and is_of(one, self._gate.agency) for one in found) else None

    def _document(self, stored: StoredOffer, reference: str) -> dict[str, Any]:
        return offer_document(
            self._url,
            configurations=tuple(dict.fromkeys(one.configuration for one in stored.licences)),
            flow=Flow(stored.flow),
            secret=self._code(reference),
            has_tx_code=stored.tx_code is not None,
        )

    def _uri(self, reference: str) -> str:
        return self._url + names.OFFERS_PATH + reference

    def _code(self, reference: str) -> str:
        return encode_base64url(keyed_digest(self._secret, "offer code", reference))

    def _tx_code(self) -> str:
        # 64 bits more than six digits need: the remainder's bias is far below notice.
        number = int.from_bytes(self._randomness.bytes(11), "big") % 10**names.TX_CODE_DIGITS
        return f"{number:0{names.TX_CODE_DIGITS}}"

    def _is_right(self, session: Session, stored: StoredOffer, tx_code: str | None, now: datetime) -> bool:
        """Whether the tx_code is the offer's; a wrong one is counted, and the last one burns the offer."""
        if stored.tx_code is None or tx_code is None:
            return True  # both, as was checked before
        if hmac.compare_digest(stored.tx_code, self._tx_code_digest(stored.id, tx_code)):
            return True
        tries = stored.tries + 1
        state = BURNT if tries >= names.TX_CODE_TRIES else OPEN
        IssuanceRepository(session).change_offer(stored.id, tries=tries, state=state)
        action = "oid4vci.burn" if state == BURNT else "oid4vci.wrong_tx_code"
        subject = f"offer:{stored.id}"
        audit.record(session, action=action, subject=subject, actor=system("oid4vci"), at=now)
        return False

    def _tx_code_digest(self, offer: str, tx_code: str) -> bytes:
        return keyed_digest(self._secret, f"tx_code {offer}", tx_code)


def is_open(stored: StoredOffer, now: datetime) -> bool:
    """Whether an offer can still be redeemed."""
    return stored.state == OPEN and now < stored.expires_at


def chosen(
    licences: tuple[OfferedLicence, ...], wanted: tuple[str, ...] | None
) -> tuple[OfferedLicence, ...]:
    """Those of some configurations; all when nothing was said."""
    return licences if wanted is None else tuple(one for one in licences if one.configuration in wanted)


def evidence_digest(evidence: str) -> str:
    """What the audit log keeps of the evidence: enough to match it with the file."""
    return hashlib.sha256(evidence.strip().encode()).hexdigest()


def _record_offer(session: Session, offer: Offer, stored: StoredOffer, actor: Actor) -> None:
    details = {
        "offer": stored.id,
        "flow": stored.flow,
        "authentication": stored.method,
        "evidence": evidence_digest(offer.holder.evidence),
        "tx_code": stored.tx_code is not None,
    }
    for one in stored.licences:
        audit.record(
            session,
            action="oid4vci.offer",
            subject=one.licence,
            actor=actor,
            at=stored.created_at,
            details=details,
        )


def _wrong_code() -> Refused:
    """One answer to every code that opens nothing: unknown, used, burnt, over, or with a wrong tx_code."""
    return Refused("invalid_grant", "the code, or the tx_code that goes with it, is not right")
