"""A licence office with a register of seals and its people: He keeps the seals, Zhao approves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cryptography import x509

from credentials import samples
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
from credentials.office.seals.drills import Compromise, Examiner
from signing import pdf
from signing.pdf.seal import Seal as PdfSeal
from signing.policy import Policy
from signing.revocation import Crl, RevocationSnapshot
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from world.desk import plain_pdf
from world.office import URL, Office
from world.tsa import MemoryTsa
from yinxin.base.actor import staff

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.issuer import IssuedLicence
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType
    from credentials.office.seals.uses import Alarm
    from signing.keys import PublicKey
    from world.pki import Pki
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

FACTS = {"ground": "《电子印章管理办法》", "document_number": "津印〔2026〕1号"}


@dataclass(frozen=True)
class Page:
    pdf: bytes

    @staticmethod
    def seal_place(width_mm: float, height_mm: float) -> tuple[float, float]:
        return 300.0, 100.0 + 0 * (width_mm + height_mm)


class PlainPages:
    """Sets every licence as one plain line: custody does not look at the page, and a page takes its time."""

    def typeset(self, licence: Licence, _kind: LicenceType, *, code: str) -> Page:
        del code
        return Page(plain_pdf(licence.identifier))


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
        self.compromise = Compromise(
            self.agency.credit_code, database=database, proofs=KeyProofs(self.keys_of), clock=self.clock
        )
        self.trust = TrustStore([pki.root.certificate])
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
        values: dict[str, Any] = {
            "catalogue": self.catalogue,
            "database": self.database,
            "seal": PdfSeal(key, timestamper=self.tsa),
            "credential_signer": self.pki.signer("credential"),
            "status": self.status,
            "authority": self.agency,
            "clock": self.clock,
            "index": self.index,
            "documents": self.documents,
            "custody": self.custody(key),
        }
        issuer = Issuer(URL, **{**values, **changes})
        issuer._production = replace(issuer._production, typesetter=PlainPages())  # type: ignore[arg-type]
        return issuer

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
        found = self.seals.open_requests(actor=self.zhao)
        return next((one for one in found if one.seal == seal.id), None) or self.seals.request(
            "ask-none", actor=self.zhao
        )

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

    def examiner(self) -> Examiner:
        assert self.documents
        return Examiner(self.documents, self.trust, self.revocation(), Policy.default(), self.clock)

    def revocation(self, *, lost: datetime | None = None) -> RevocationSnapshot:
        """The authorities' lists as they are now; with `lost` they say since when keys are bad."""
        stated = ((x509.InvalidityDate(lost.replace(tzinfo=None)), False),) if lost else ()
        return RevocationSnapshot(
            [
                Crl.from_der(self.pki.root.crl(self.now)),
                Crl.from_der(self.pki.issuing.crl(self.now, entry_extra=stated)),
            ]
        )

    def revoke(self, key: FileSigner) -> None:
        """The authority's part."""
        self.pki.issuing.revoke(key.certificate, self.now, x509.ReasonFlags.key_compromise)

    def verified(self, document: bytes, *, lost: datetime) -> Any:
        """What anybody hears who verifies a document now."""
        return pdf.verify(document, self.trust, revocation=self.revocation(lost=lost), now=self.now)

    def issue_at(self, moment: datetime, index: int, *, stamped: bool = True) -> IssuedLicence:
        """A licence that was sealed at a moment, with or without a time-stamp."""
        self.clock.advance(moment - self.now)
        self.tsa.at = moment
        maker = self.issuer if stamped else self.issuer_with(self.key, seal=PdfSeal(self.key))
        claims = samples.application("food-business-licence", index)
        return maker.issue("food-business-licence", claims, holder=None, actor=self.clerk)
