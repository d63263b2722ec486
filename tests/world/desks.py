"""An issuing desk and its people: each has a key of their own, registered at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.office import Case, Desk, KeyProofs, Sealed, Work, WorkKind
from signing.signers.file import FileSigner
from world.office import Office
from yinxin.base.actor import Actor, staff

if TYPE_CHECKING:
    from signing.keys import PublicKey
    from world.pki import Pki
    from yinxin.base.database import Database

FOOD = "food-business-licence"


class DeskWorld(Office):
    """The office of `world.office` with a desk: Li drafts, Wang reviews, Zhao approves."""

    def __init__(self, pki: Pki, database: Database, **office: Any) -> None:
        super().__init__(pki, database, **office)
        self.keys: dict[str, FileSigner] = {}
        self.li, self.chen = self.person("clerk-li", "clerk"), self.person("clerk-chen", "clerk")
        self.wang = self.person("reviewer-wang", "reviewer")
        self.zhao = self.person("approver-zhao", "approver")
        self.desk = Desk(
            self.issuer,
            agency=self.agency.credit_code,
            catalogue=self.catalogue,
            database=database,
            proofs=KeyProofs(self.keys_of),
            clock=self.clock,
        )

    def person(self, identifier: str, *roles: str) -> Actor:
        actor = staff(identifier, agency=self.agency.credit_code, roles=roles)
        self.keys[actor.identifier] = FileSigner.generate()
        return actor

    def keys_of(self, identifier: str) -> list[PublicKey]:
        found = self.keys.get(identifier)
        return [found.public_key] if found else []

    def work(self, index: int = 1, **changes: Any) -> Work:
        values: dict[str, Any] = {
            "kind": WorkKind.ISSUE,
            "type_code": FOOD,
            "claims": samples.application(FOOD, index),
        }
        return Work(**{**values, **changes})

    def proof(self, case: Case, actor: Actor) -> dict[str, Any]:
        return KeyProofs.make(case.digest, actor, self.keys[actor.identifier])

    def drafted(self, number: str = "办-1", **changes: Any) -> Case:
        return self.desk.draft(number, self.work(**changes), actor=self.li)

    def approved(self, number: str = "办-1", **changes: Any) -> Case:
        case = self.drafted(number, **changes)
        self.desk.submit(case.id, actor=self.li)
        case = self.desk.review(case.id, proof=self.proof(case, self.wang), actor=self.wang)
        return self.desk.approve(case.id, proof=self.proof(case, self.zhao), actor=self.zhao)

    def sealed(self, number: str = "办-1", **changes: Any) -> Sealed:
        return self.desk.seal(self.approved(number, **changes).id, actor=self.li)
