"""A licence office with a register of seals and its people: He keeps the seals, Zhao approves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.face.seal_face import draw_seal_face
from credentials.issuer import Issuer
from credentials.office import KeyProofs
from credentials.office.seals import (
    ANY_TYPE,
    Adoption,
    Custody,
    GrantTerms,
    RemakeReason,
    Request,
    Seal,
    Seals,
)
from signing.pdf.seal import Seal as PdfSeal
from signing.signers.file import FileSigner
from world.office import URL, Office
from world.tsa import MemoryTsa
from yinxin.base.actor import staff

if TYPE_CHECKING:
    from credentials.office.seals.uses import Alarm
    from signing.keys import PublicKey
    from world.pki import Pki
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

FACTS = {"ground": "《电子印章管理办法》", "document_number": "津印〔2026〕1号"}


class SealOffice(Office):
    """The office of `world.office`, whose seal is kept: `managed` unless it was there from before."""

    def __init__(self, pki: Pki, database: Database, *, managed: bool = True, **more: Any) -> None:
        super().__init__(pki, database, **more)
        self.documents = more.get("documents")
        self.keys: dict[str, FileSigner] = {}
        self.keeper = self.person("keeper-he", "keeper")
        self.zhao = self.person("approver-zhao", "approver")
        self.alarms: list[Alarm] = []
        self.tsa = MemoryTsa(pki.signer("timestamp"))
        self.seals = Seals(
            self.agency.credit_code, database=database, proofs=KeyProofs(self.keys_of), clock=self.clock
        )
        self.adoption = Adoption(self.agency.credit_code, database=database, clock=self.clock)
        self.key = pki.signer("seal")
        self.issuer = self.issuer_with(self.key)
        if managed:
            self.seal = self.in_use(self.key)
            self.granted(self.seal, GrantTerms("role:clerk", (ANY_TYPE,)))

    def person(self, identifier: str, *roles: str) -> Actor:
        self.keys[identifier] = FileSigner.generate()
        return staff(identifier, agency=self.agency.credit_code, roles=roles)

    def keys_of(self, identifier: str) -> list[PublicKey]:
        found = self.keys.get(identifier)
        return [found.public_key] if found else []

    def custody(self, key: FileSigner) -> Custody:
        return Custody(
            self.agency.credit_code,
            certificate=key.certificate,
            database=self.database,
            clock=self.clock,
            on_alarm=self.alarms.append,
        )

    def issuer_with(self, key: FileSigner, **changes: Any) -> Issuer:
        """The office's issuer with a seal key, time-stamps and custody."""
        face = draw_seal_face(self.agency.name.zh, purpose="行政审批专用章", code="1201990000281")
        values: dict[str, Any] = {
            "catalogue": self.catalogue,
            "database": self.database,
            "seal": PdfSeal(key, face=face, timestamper=self.tsa),
            "credential_signer": self.pki.signer("credential"),
            "status": self.status,
            "authority": self.agency,
            "clock": self.clock,
            "index": self.index,
            "documents": self.documents,
            "custody": self.custody(key),
        }
        return Issuer(URL, **{**values, **changes})

    def proof(self, request: Request, actor: Actor | None = None) -> dict[str, Any]:
        who = actor or self.zhao
        return KeyProofs.make(request.digest, who, self.keys[who.identifier])

    def agreed(self, request: Request) -> Request:
        return self.seals.agree(request.id, proof=self.proof(request), actor=self.zhao)

    def applied(self, name: str = "行政审批专用章", **changes: Any) -> Seal:
        facts: dict[str, Any] = {
            "name": name,
            "owner": self.agency.credit_code,
            "owner_name": self.agency.name.zh,
            "key": "seal",
        }
        return self.seals.apply(**{**facts, **changes}, actor=self.keeper)

    def asked(self, seal: Seal) -> Request:
        """The request that an application made."""
        return next(one for one in self.seals.open_requests(actor=self.zhao) if one.seal == seal.id)

    def in_use(self, key: FileSigner, seal: Seal | None = None) -> Seal:
        """A seal all the way into use."""
        seal = seal or self.applied()
        self.agreed(self.asked(seal))
        self.seals.make(seal.id, certificate=key.certificate, actor=self.keeper)
        self.seals.file(seal.id, number="津印备〔2026〕9号", actor=self.keeper)
        return self.seals.begin(seal.id, actor=self.keeper)

    def remade(self, seal: Seal, reason: RemakeReason = RemakeReason.LEAK) -> tuple[Seal, FileSigner]:
        """A successor in use, with a new key."""
        key = self.pki.signer("seal")
        new = self.seals.remake(seal.id, reason=reason, key="seal", actor=self.keeper)
        return self.in_use(key, new), key

    def granted(self, seal: Seal, terms: GrantTerms) -> None:
        self.agreed(self.seals.ask_to_grant(seal.id, terms, actor=self.keeper))

    def state(self, seal: Seal) -> str:
        return self.seals.seal(seal.id, actor=self.keeper).state
