"""The credential and the notification endpoint, without HTTP: from a grant and a body to copies.

A nonce, the grant's count and the status entries are taken in one transaction; signing happens with none
open; the copies, their audit entries and the delivery are recorded in another.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credentials.holders import HolderNotActive
from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.grants import actor_of
from credentials.oid4vci.proofs import check_key_proofs
from credentials.oid4vci.repository import Delivery, IssuanceRepository
from credentials.oid4vci.requests import read_credential_request, read_notification
from yinxin.base import audit, once
from yinxin.base.errors import Conflict, NotFound
from yinxin.base.randomness import random_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.copies import CopyForm, CopyMaker
    from credentials.licence import Licence
    from credentials.oid4vci.forms import CopyForms
    from credentials.oid4vci.nonces import Nonces
    from credentials.oid4vci.proofs import KeyProofs
    from credentials.oid4vci.repository import Grant, OfferedLicence
    from credentials.oid4vci.requests import CredentialRequest
    from yinxin.base.database import Session


class CredentialDesk:
    """Where grants become credential copies."""

    def __init__(self, copies: CopyMaker, forms: CopyForms, nonces: Nonces) -> None:
        self._copies, self._forms, self._nonces = copies, forms, nonces
        self._database, self._clock = copies.database, copies.clock

    def deliver(self, grant: Grant, body: Mapping[str, Any]) -> dict[str, Any]:
        """The credential response (8.3), or `Refused` with a code of 8.3.1.2."""
        request = read_credential_request(body)
        wanted = self._licence(grant, request)
        proofs = check_key_proofs(
            request.proofs,
            issuer=self._copies.url,
            client_id=grant.client_id,
            nonces=self._nonces,
            now=self._clock.now(),
        )
        delivery = random_text(self._copies.randomness)
        form: CopyForm = names.MDOC_FORMAT if wanted.is_mdoc else names.CREDENTIAL_FORMAT
        try:
            _, credentials = self._copies.make(
                wanted.licence,
                proofs.keys,
                actor=actor_of(grant.id),
                form=form,
                before=lambda session, licence: self._before(session, grant, licence, proofs),
                after=lambda session, licence: self._after(
                    session, grant, licence, delivery, len(proofs.keys)
                ),
            )
        except (Conflict, NotFound) as exc:
            raise _denied("the licence is not in force, or its holder changed") from exc
        except HolderNotActive as exc:
            raise _denied("the holder is recorded as dead, dissolved or reported dead") from exc
        return {
            "credentials": [{"credential": credential} for credential in credentials],
            "notification_id": delivery,
        }

    def notify(self, grant: Grant, body: Mapping[str, Any]) -> None:
        """Keep a wallet's word about a delivery of this grant; saying it twice changes nothing (11.1)."""
        notification, now = read_notification(body), self._clock.now()
        with self._database.transaction() as session:
            repository = IssuanceRepository(session)
            delivery = repository.delivery(notification.identifier)
            if delivery is None or delivery.grant_id != grant.id:
                raise Refused("invalid_notification_id", "there is no such delivery")
            if delivery.event == notification.event:
                return
            repository.note_event(delivery.id, str(notification.event), at=now)
            audit.record(
                session,
                action=f"oid4vci.{notification.event}",
                subject=delivery.licence,
                actor=actor_of(grant.id),
                at=now,
                details={"delivery": delivery.id, "copies": delivery.copies},
            )

    def _licence(self, grant: Grant, request: CredentialRequest) -> OfferedLicence:
        if grant.by_identifier != (request.identifier is not None):
            named = "credential_identifier" if grant.by_identifier else "credential_configuration_id"
            raise Refused("invalid_credential_request", f"this token goes with {named}")
        for one in grant.licences:
            if request.identifier == one.identifier or request.configuration == one.configuration:
                return one
        if request.identifier is not None:
            raise Refused("unknown_credential_identifier", "this token opens no such credential")
        if request.configuration in self._forms:
            raise _denied("this token is not good for this credential configuration")
        raise Refused("unknown_credential_configuration", "there is no such credential configuration")

    def _before(self, session: Session, grant: Grant, licence: Licence, proofs: KeyProofs) -> None:
        try:
            once.consume(session, "c_nonce", proofs.nonce, expires_at=proofs.nonce_expires_at)
        except Conflict as exc:
            raise Refused("invalid_nonce", "the c_nonce was used before; fetch a new one") from exc
        if licence.holder_code != grant.holder:
            raise _denied("the licence has another holder now")
        self._count(session, grant, len(proofs.keys))

    def _count(self, session: Session, grant: Grant, more: int) -> None:
        repository, now = IssuanceRepository(session), self._clock.now()
        locked = repository.grant(grant.id, lock=True)
        if locked is None or locked.revoked_at:
            raise _denied("the grant was withdrawn")
        is_new_period = now - locked.counted_from >= names.COPIES_PERIOD
        copies = more + (0 if is_new_period else locked.copies)
        if copies > names.MAX_COPIES:
            hours = names.COPIES_PERIOD // timedelta(hours=1)
            raise _denied(f"at most {names.MAX_COPIES} copies in {hours} hours")
        counted_from = now if is_new_period else locked.counted_from
        repository.change_grant(grant.id, copies=copies, counted_from=counted_from)

    def _after(self, session: Session, grant: Grant, licence: Licence, delivery: str, copies: int) -> None:
        IssuanceRepository(session).add(
            Delivery(delivery, grant.id, licence.identifier, copies, self._clock.now())
        )


def _denied(why: str) -> Refused:
    return Refused("credential_request_denied", why)
