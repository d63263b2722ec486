"""A company with a legal representative, agents with their keys, the office that keeps delegations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.copies import CopyMaker
from credentials.delegations.handing import Handing
from credentials.delegations.principals import Principals
from credentials.delegations.service import Delegations
from credentials.delegations.statements import Statement, show, sign
from credentials.delegations.terms import Kind, Terms
from credentials.oid4vci.nonces import Nonces
from credentials.oid4vci.vocabulary import PROOF_TYP
from signing.jose import sign_jws
from signing.policy import Policy
from signing.signers.file import FileSigner
from world.office import URL, Office
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from credentials.delegations.delegation import Delegation
    from world.pki import Pki
    from yinxin.base.database import Database

BUSINESS, FOOD = "business-licence", "food-business-licence"
MATTER, OTHER_MATTER = "120199-food-001", "120199-fire-002"


@dataclass
class Person:
    """Somebody with a key of their own."""

    name: str
    signer: FileSigner = field(default_factory=FileSigner.generate)
    code: str = ""

    @property
    def card(self) -> dict[str, Any]:
        return {"name": self.name, "jwk": self.signer.public_key.to_jwk(), "code": self.code}


class DelegatingOffice(Office):
    """The agency, a company with its licence in the representative's wallet, and people who act for it."""

    def __init__(self, pki: Pki, database: Database, *, clock: Any = None) -> None:
        super().__init__(pki, database, clock=clock)
        randomness = SystemRandomness()
        self.delegations = Delegations(
            URL,
            database=database,
            index=self.index,
            principals=Principals(
                database, self.catalogue, self.index, self.agency.credit_code, Policy.default()
            ),
            nonces=Nonces(b"n" * 32, "delegations", randomness=randomness),
            status=self.status,
            clock=self.clock,
            randomness=randomness,
        )
        copies = CopyMaker(
            url=URL,
            catalogue=self.catalogue,
            database=database,
            credential_signer=pki.signer("credential"),
            status=self.status,
            clock=self.clock,
            randomness=randomness,
            agency=self.agency.credit_code,
            index=self.index,
        )
        self.handing = Handing(self.delegations, copies)
        self.boss = FileSigner.generate()
        self.claims = samples.application(BUSINESS, 1)
        made = self.issuer.issue(BUSINESS, self.claims, holder=self.boss.public_key, actor=self.clerk)
        self.business, self.copy = made.licence, str(made.credential)
        self.admin, self.agent, self.other = Person("王晓梅"), Person("李明华"), Person("张建国")

    def terms(self, kind: Kind = Kind.AGENT, **changes: Any) -> Terms:
        values: dict[str, Any] = {
            "matters": (MATTER,),
            "types": (BUSINESS, FOOD),
            "starts_at": self.now,
            "ends_at": self.now + timedelta(hours=4 if kind is Kind.HELPER else 24 * 30),
        }
        return Terms(kind, **{**values, **changes})

    def statement(self, verb: str, content: dict[str, Any]) -> Statement:
        return Statement(verb, content, URL, self.delegations.nonce())

    def shown(
        self, statement: Statement, *, copy: str | None = None, signer: FileSigner | None = None
    ) -> Any:
        return show(statement, copy or self.copy, signer or self.boss, at=self.now)

    def signed(self, statement: Statement, by: Person) -> Any:
        return sign(statement, by.signer, at=self.now)

    def appointment(
        self, to: Person, terms: Terms | None = None, *, parent: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        return {
            "agent": to.card,
            "terms": (terms or self.terms()).to_dict(),
            "parent": parent,
            "signed_by": self.claims["legal_representative"],
            **changes,
        }

    def propose(self, to: Person, terms: Terms | None = None, **changes: Any) -> Delegation:
        """The representative appoints somebody."""
        statement = self.statement("propose", self.appointment(to, terms, **changes))
        return self.delegations.propose(statement, self.shown(statement))

    def pass_on(self, parent: Delegation, by: Person, to: Person, terms: Terms | None = None) -> Delegation:
        statement = self.statement("propose", self.appointment(to, terms, parent=parent.id))
        return self.delegations.propose(statement, self.signed(statement, by))

    def accept(self, proposed: Delegation, by: Person) -> Delegation:
        statement = self.statement("accept", {"delegation": proposed.id, "digest": proposed.digest})
        return self.delegations.accept(statement, self.signed(statement, by))

    def appoint(self, to: Person, terms: Terms | None = None) -> Delegation:
        return self.accept(self.propose(to, terms), to)

    def hand(
        self, one: Delegation, by: Person, licence: str | None = None, *, key: FileSigner | None = None
    ) -> str:
        """A credential for one fresh key of the agent's."""
        signer = key or FileSigner.generate()
        content = {"delegation": one.id, "licence": licence, "keys": [signer.public_key.thumbprint]}
        statement = self.statement("copies", content)
        claims = {"aud": URL, "iat": int(self.now.timestamp()), "nonce": statement.nonce}
        headers = {"typ": PROOF_TYP, "jwk": signer.public_key.to_jwk()}
        proofs = [sign_jws(claims, signer, headers=headers)]
        (made,) = self.handing.hand(statement, self.signed(statement, by), proofs)
        return made

    def recall(self, one: Delegation, by: Person | None = None) -> tuple[Delegation, ...]:
        """By the representative, or by somebody with their own key."""
        statement = self.statement("recall", {"delegation": one.id, "ground": ""})
        proof = self.signed(statement, by) if by else self.shown(statement)
        return self.delegations.recall(statement, proof)
