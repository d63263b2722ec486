"""An office whose licences have no page: for what depends on the register and not on what is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.production import Draft, IssuedLicence, Made, Reserved
from world.office import WHY, Office

if TYPE_CHECKING:
    from credentials.issuer import Issuer
    from credentials.licence import Licence
    from world.pki import Pki
    from yinxin.base.database import Database

FOOD = "food-business-licence"


def without_pages(issuer: Issuer) -> None:
    """Have an issuer make licences whose page is empty."""
    production = issuer._production

    def make(draft: Draft, reserved: Reserved) -> Made:
        licence = production._licence(draft, reserved.number)
        credential = production._sign(draft, licence, reserved.status) if reserved.status else None
        return Made(draft, reserved, IssuedLicence(licence, b"", credential))

    object.__setattr__(production, "make", make)


class QuickOffice(Office):
    """Everything is real but the typesetting and the seal."""

    def __init__(self, pki: Pki, database: Database, **options: Any) -> None:
        super().__init__(pki, database, **options)
        without_pages(self.issuer)
        self.why = {**WHY, "actor": self.clerk}

    def claims(self, place: str = "新华路 1 号", index: int = 1) -> dict[str, Any]:
        return {**samples.application(FOOD, index), "business_premises": place}

    def begin(self, place: str = "新华路 1 号") -> Licence:
        return self.issuer.issue(
            FOOD, self.claims(place), holder=self.holder.public_key, actor=self.clerk
        ).licence
