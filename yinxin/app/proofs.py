"""The keys of a home's people and systems, and what counts as their agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.proofs import EitherProof, KeyProofs
from verify_api.pages.scanned import origin_of
from yinxin.access.clients import StaffKeys
from yinxin.access.consent import KIND, PasskeyConsent
from yinxin.access.passkeys import Site

if TYPE_CHECKING:
    from credentials.office.proofs import Proofs
    from yinxin.app.home import Home


def staff_keys(home: Home) -> StaffKeys:
    """The keys of this home's staff and systems."""
    return StaffKeys(home.database, clock=home.clock)


def office_proofs(home: Home) -> Proofs:
    """What counts as agreement in this agency's office: a passkey's signature, or a registered key's."""
    settings, keys = home.settings, staff_keys(home)
    site = Site(origin_of(settings.office_url), settings.agency_name)
    by_key = KeyProofs(lambda identifier: keys.keys_of(identifier, organisation=settings.agency_code))
    return EitherProof({KIND: PasskeyConsent(home.database, site), "key": by_key})
