"""Whether an issuer may issue a type of credential, whatever its format: by name, and by the trust list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.vocabulary import DELEGATION_VCT
from signing.reasons import Reason
from signing.report import Check
from signing.trust_list import Issued

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.trust_list import ServingList

EVERY_TYPE = "*"  # in `issuers`: the types that it does not name


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may issue what. Without `issuers` whoever is trusted may; without a list nothing more is asked.

    `issuers` are certificates' subjects (RFC 4514 text) by type, or the `iss` of an issuer that publishes its
    keys; a type that it does not name may be issued by nobody. `trust_list` says so for a whole city, with
    the days since when.
    """

    issuers: Mapping[str, Collection[str]] | None
    trust_list: ServingList | None

    def checks(
        self,
        kind: str,
        issuer: Certificate | str,
        *,
        agency: str | None,
        made: datetime | None,
        at: datetime,
    ) -> tuple[Check, ...]:
        """What speaks for or against a credential of this `kind`; `issuer` was proved to have signed it.

        `agency` is the credit code in the licence's identifier, where it was shown; `made` when the
        credential says it was.
        """
        name = issuer if isinstance(issuer, str) else issuer.subject
        own: tuple[Check, ...] = ()
        if self.issuers is not None:
            good = name in self.issuers.get(kind, self.issuers.get(EVERY_TYPE, ()))
            own = (Check("issuer_permission", None if good else Reason.ISSUER_NOT_PERMITTED),)
        if self.trust_list is None:
            return own
        # Whoever issues licences may also write down who acts with them.
        listed = None if kind == DELEGATION_VCT else kind
        issued = Issued(listed, subject=name, agency=agency, made=made)
        return (*own, *self.trust_list.check(issued, now=at))

    @property
    def snapshots(self) -> Mapping[str, str]:
        """What reports name of the list."""
        return self.trust_list.snapshots if self.trust_list else {}
