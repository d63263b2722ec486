"""An agency that takes up what happens to people and companies, with its authority and its people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ca.names import SubjectName
from credentials import samples
from credentials.office.proofs import KeyProofs
from credentials.office.seals import SealKind, Seals
from credentials.repository import LicenceRepository
from signing.signers.file import FileSigner
from world.authority import CLERK as PROVER
from world.authority import EVIDENCE, REVIEWER, csr
from world.authority import Office as CertificateOffice
from world.office import INDEX, Office
from world.quick import without_pages
from yinxin.app.subjects.cascade import Cascade, Planned
from yinxin.app.subjects.certificates import CertificateEffects
from yinxin.app.subjects.holders import RecordedHolders
from yinxin.app.subjects.licences import LicenceEffects
from yinxin.app.subjects.rules import Rules
from yinxin.app.subjects.seals import SealEffects
from yinxin.app.subjects.values import EffectKind, EventKind, Subject, SubjectEvent
from yinxin.app.subjects.work import CascadeWork
from yinxin.base.actor import Actor, staff
from yinxin.base.identifiers import CreditCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ca.issuance import Authority
    from credentials.licence import Licence
    from credentials.office.proofs import Proofs
    from credentials.production import IssuedLicence
    from signing.keys import PublicKey
    from world.pki import Pki
    from yinxin.app.subjects.effects import Effects
    from yinxin.base.database import Database

FOOD, PHYSICIAN, BUSINESS = "food-business-licence", "physician-certificate", "business-licence"
COMPANY_TYPES = (
    BUSINESS,
    FOOD,
    "construction-permit",
    "administrative-decision",
    "hygiene-licence-on-commitment",
)
LAW = {"ground": "《中华人民共和国行政许可法》", "document_number": "津审变〔2026〕3号"}


class SubjectWorld(Office):
    """The office of `world.office`: Li plans, Zhao approves; company 3 and person 2 have licences."""

    def __init__(
        self,
        pki: Pki,
        database: Database,
        *,
        more: Mapping[EffectKind, Effects] | None = None,
        keys: Mapping[str, FileSigner] | None = None,
        authority: Authority | None = None,
        clock: Any = None,
        proofs: Proofs | None = None,
    ) -> None:
        """`keys` and `authority` are those of another process that works at the same database."""
        code = samples.AGENCY.credit_code
        self.records = RecordedHolders(INDEX, code)
        super().__init__(pki, database, clock=clock, holders=self.records)
        self.keys = dict(keys or {name: FileSigner.generate() for name in ("li", "chen", "zhao")})
        self.li, self.chen = staff("li", agency=code), staff("chen", agency=code, roles=("clerk", "approver"))
        self.zhao = staff("zhao", agency=code, roles=("approver",))
        self.ren, self.keeper = (staff(role, agency=code, roles=(role,)) for role in ("registrar", "keeper"))
        self.certificates = None if authority else CertificateOffice(database, self.clock)
        self.authority = authority or self.certificates.authority
        self.company, self.person = samples.company(3), samples.person(2)
        self.company_subject = Subject.parse(self.company["credit_code"])
        self.person_subject = Subject.parse(self.person["citizen_number"])
        self.successor = Subject.parse(samples.company(9)["credit_code"])
        rules, proofs = Rules.load(), proofs or KeyProofs(self._keys_of)
        self.seals = Seals(code, database=database, proofs=proofs, clock=self.clock)
        authorities = {self.authority.name: self.authority}
        self.rooms: dict[EffectKind, Effects] = {
            EffectKind.LICENCE: LicenceEffects(
                self.issuer, code, self.catalogue, database, self.index, rules, self.clock
            ),
            EffectKind.CERTIFICATE: CertificateEffects(authorities, database, rules),
            EffectKind.SEAL: SealEffects(self.seals, rules),
            **(more or {}),
        }
        self.cascade = Cascade(
            self.rooms,
            agency=code,
            database=database,
            index=self.index,
            proofs=proofs,
            clock=self.clock,
        )
        self.work = CascadeWork(self.cascade, self.rooms, database=database, clock=self.clock)

    def without_pages(self) -> SubjectWorld:
        """Licences whose pages are empty: everything else is real."""
        without_pages(self.issuer)
        return self

    def _keys_of(self, name: str) -> list[PublicKey]:
        return [self.keys[name].public_key] if name in self.keys else []

    def give(self, type_code: str, index: int) -> IssuedLicence:
        return self.issue(type_code, index)

    def company_certificate(self, profile: str = "organisation-seal") -> int:
        name = SubjectName(
            common_name=self.company["name"],
            organisation=self.company["name"],
            credit_code=CreditCode.parse(self.company["credit_code"]),
        )
        return self._certificate(profile, name)

    def company_seal(self, kind: SealKind = SealKind.NAME) -> str:
        """A seal of the company in the register, made with its certificate."""
        owner = {"owner": self.company["credit_code"], "owner_name": self.company["name"]}
        seal = self.seals.apply(
            name=f"{self.company['name']} {kind}", key="token:1", kind=kind, actor=self.keeper, **owner
        )
        request = next(one for one in self.seals.open_requests(actor=self.keeper) if one.seal == seal.id)
        proof = KeyProofs.make(request.digest, self.zhao, self.keys["zhao"])
        self.seals.agree(request.id, proof=proof, actor=self.zhao)
        certificate = self.authority.find(self.company_certificate())
        return self.seals.make(seal.id, certificate=certificate, actor=self.keeper).id

    def person_certificate(self) -> int:
        serial = self._certificate("personal-signature", SubjectName(common_name=self.person["name"]))
        self.cascade.link_certificate(self.person_subject, self.authority.name, serial, actor=self.ren)
        return serial

    def _certificate(self, profile: str, name: SubjectName) -> int:
        assert self.certificates is not None
        registration = self.certificates.registration
        applicant = staff("applicant")
        identifier = registration.apply(profile, name, csr=csr(FileSigner.generate()), actor=applicant)
        registration.record_proofing(identifier, EVIDENCE, actor=PROVER)
        return registration.approve(identifier, REVIEWER).serial

    def plan(self, kind: EventKind, *, actor: Actor | None = None, **more: Any) -> Planned:
        of_person = str(kind).startswith("death")
        given = {"subject": self.person_subject if of_person else self.company_subject, **LAW, **more}
        return self.cascade.plan(self.cascade.facts(kind=kind, **given), actor=actor or self.li)

    def approve(self, planned: Planned, actor: Actor | None = None) -> SubjectEvent:
        by = actor or self.zhao
        digest = self.cascade.show(planned.event.id, actor=self.li).event.digest
        proof = KeyProofs.make(bytes.fromhex(digest), by, self.keys[by.identifier])
        return self.cascade.approve(planned.event.id, proof=proof, actor=by)

    def run(self, planned: Planned) -> Planned:
        self.clock.advance(timedelta(minutes=1))
        return self.work.run(planned.event.id, actor=self.li)

    def happen(self, kind: EventKind, **more: Any) -> Planned:
        planned = self.plan(kind, **more)
        self.approve(planned)
        return self.run(planned)

    def recent(self) -> list[SubjectEvent]:
        return self.cascade.recent(actor=self.li)

    def versions(self, issued: IssuedLicence) -> list[Licence]:
        with self.database.reading() as session:
            return LicenceRepository(session).versions(issued.licence.identifier)

    def now_standing(self, issued: IssuedLicence) -> str:
        """How the current version stands."""
        return str(self.standing(self.versions(issued)[-1].identifier).state)

    def certificate(self, serial: int) -> str:
        status = self.authority.status(serial)
        assert status is not None
        return (status.reason or "unspecified") if status.revoked_at else "good"
