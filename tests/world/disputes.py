"""An office that hands out slips and answers disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.office.disputes import (
    Complaint,
    Contact,
    Contacts,
    DisputeKind,
    Disputes,
    Phrase,
    SlipKind,
    Slips,
)
from credentials.office.disputes.holding import Holding
from world.desks import FOOD, DeskWorld
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.text import Text

if TYPE_CHECKING:
    from credentials.office.disputes import Dispute, Opened, Terms
    from world.pki import Pki
    from yinxin.base.database import Database

PROVINCE = samples.credit_code(77)
PHRASES = {
    code: Phrase(Text(f"原因 {code}", f"reason {code}"), Text("请核对", "check it"))
    for code in ("licence_unknown", "licence_revoked", "not_permitted", "issuance_refused")
}
WORDS = "住所门牌号应为 12 号，证照写成 21 号。"


class DisputeWorld(DeskWorld):
    """The desk's people, a department that verifies, and whoever holds a slip."""

    def __init__(self, pki: Pki, database: Database, *, terms: Terms | None = None) -> None:
        super().__init__(pki, database)
        own = Contact(self.agency.credit_code, self.agency.name, Text("政务大厅 12 号窗口", "window 12"))
        there = Text("请到省级主管部门办理", "go to the province")
        province = Contact(PROVINCE, Text("省主管部门", "the province"), there, is_elsewhere=True)
        self.contacts = Contacts(own, [province])
        self.slips = Slips(b"s" * 32, phrases=PHRASES, contacts=self.contacts, clock=self.clock)
        self.shown: dict[tuple[str, str], str] = {}
        self.disputes = Disputes(
            database,
            agencies={self.agency.credit_code},
            contacts=self.contacts,
            slips=self.slips,
            holding=Holding(database, shown=lambda text, nonce: self.shown[text, nonce]),
            terms=terms,
            clock=self.clock,
        )
        self.department = Actor(ActorKind.DEPARTMENT, "market-bureau", samples.credit_code(5))

    def slip(self, code: str = "licence_unknown") -> str:
        return self.slips.make(SlipKind.VERIFICATION, code, agency=self.agency.credit_code).number

    def wrong(self, licence: str, **more: Any) -> Complaint:
        return Complaint(DisputeKind.WRONG, more.pop("words", WORDS), licence=licence, **more)

    def missing(self, **more: Any) -> Complaint:
        facts = {"type_code": FOOD, "agency": self.agency.credit_code, **more}
        return Complaint(DisputeKind.MISSING, "2019 年发的许可证查不到。", **facts)

    def disputed(self, licence: str) -> Dispute:
        return self.opened(licence).dispute

    def opened(self, licence: str) -> Opened:
        opened: Any = self.disputes.open(self.wrong(licence), actor=self.department)
        return opened  # type: ignore[no-any-return]
