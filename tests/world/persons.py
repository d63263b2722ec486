"""A desk whose personal data is looked after by two registrars."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credentials.office import KeyProofs
from credentials.persons import Erasure, PersonalData, Retention
from credentials.persons.kinds import CaseHolding, IssuanceHolding, LicenceHolding
from world.desks import DeskWorld

if TYPE_CHECKING:
    from credentials.documents import DocumentStore
    from world.pki import Pki
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

WHY = {"ground": "《中华人民共和国个人信息保护法》第四十七条", "document_number": "信申〔2036〕1号"}


class PersonWorld(DeskWorld):
    """Sun and Qian are registrars; the register is sealed."""

    def __init__(self, pki: Pki, database: Database, documents: DocumentStore) -> None:
        super().__init__(pki, database, documents=documents)
        self.documents = documents
        self.sun, self.qian = (
            self.person("registrar-sun", "registrar"),
            self.person("registrar-qian", "registrar"),
        )
        retention = Retention(10, {"real-estate-certificate": None})
        self.personal = PersonalData(
            database,
            (
                LicenceHolding(self.index, retention),
                CaseHolding(self.index, retention),
                IssuanceHolding(self.index, keep=timedelta(days=0)),
            ),
            agency=self.agency.credit_code,
            index=self.index,
            proofs=KeyProofs(self.keys_of),
            documents=documents,
            clock=self.clock,
        )

    def asked(self, person: str) -> Erasure:
        return self.personal.propose_erasure(person, actor=self.sun, **WHY)

    def proof_of(self, erasure: Erasure, actor: Actor) -> dict[str, Any]:
        return KeyProofs.make(erasure.digest, actor, self.keys[actor.identifier])

    def erased(self, person: str) -> dict[str, int]:
        asked = self.asked(person)
        self.personal.agree(asked.id, proof=self.proof_of(asked, self.qian), actor=self.qian)
        return self.personal.erase(asked.id, actor=self.sun)
