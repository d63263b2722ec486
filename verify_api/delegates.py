"""Who acts for whom: what the register of delegations says, in the transaction that records a verification.

A recall that was recorded before is seen here at once, whatever the status lists still say; one that comes
later comes after this verification. Each use is written down for the holder, without a value of the licence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from credentials.delegations.chain import SCOPE, chain_checks
from credentials.delegations.repository import DelegationRepository, Use
from credentials.delegations.terms import Kind
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from sqlmodel import Session

    from credentials.blind_index import BlindIndex
    from credentials.delegations.delegation import Delegation
    from credentials.licence import Licence
    from verify_api.documents import Examined
    from verify_api.questions import Question
    from yinxin.base.database import Database
    from yinxin.base.text import Text

NAME = "delegation"


@dataclass(frozen=True, slots=True)
class Acting:
    """An agent's appearance: the chain of delegations, and what is to be said of it."""

    delegation: str
    checks: tuple[Check, ...]
    chain: tuple[Delegation, ...] = ()
    licence_type: str = ""

    @property
    def words(self) -> Text | None:
        """X for Y under delegation Z; None when anything speaks against it."""
        if not self.chain or any(check.reason for check in self.checks):
            return None
        return self.chain[-1].words

    def on(self, examined: Examined) -> Examined:
        """What was shown, with this; nothing of it is said when anything speaks against it."""
        objected = any(check.reason for check in self.checks)
        claims = None if objected else examined.claims
        return replace(examined, checks=(*examined.checks, *self.checks), claims=claims)

    def to_dict(self) -> dict[str, Any] | None:
        """As JSON, for the department that it was shown to."""
        words = self.words
        if words is None:
            return None
        last = self.chain[-1]
        return {
            "id": last.id,
            "kind": str(last.terms.kind),
            "agent": last.agent.name,
            "principal": last.principal.name,
            "until": last.terms.ends_at.isoformat(),
            "text": words.to_dict(),
        }


class Delegates:
    """The register of delegations of this installation; `index` is the key that its rows are found by."""

    def __init__(self, database: Database, index: BlindIndex) -> None:
        self._database = database
        self._index = index

    def judge(  # noqa: PLR0913 - what a verification is about
        self,
        session: Session,
        examined: Examined,
        licence: Licence | None,
        question: Question,
        *,
        department: str,
        now: datetime,
    ) -> Acting | None:
        """What the register says of an agent's copy; None for a holder's own."""
        name = examined.delegation
        if name is None:
            return None
        repository = DelegationRepository(session, index=self._index)
        chain = repository.chain(name)
        kind = licence.type_code if licence else ""
        checks = list(chain_checks(chain, at=now, matter=question.matter, type_code=kind))
        if licence is None:  # something else speaks against the copy already
            checks = [check for check in checks if check.name != SCOPE]
        elif chain and licence.holder_code != chain[-1].principal.code:
            checks.append(Check("delegation_principal", Reason.DELEGATION_UNKNOWN))
        if chain and chain[-1].terms.kind is Kind.HELPER:
            repository.lock(chain[0].principal.code)  # two departments at once are not both the first
            elsewhere = any(use.department != department for use in repository.uses([name]))
            checks.append(Check("delegation_visit", Reason.DELEGATION_EXCEEDED if elsewhere else None))
        return Acting(name, tuple(checks), chain, kind)

    def note(self, session: Session, acting: Acting, content: Mapping[str, Any], *, at: datetime) -> None:
        """Write a use down, for the holder to read; also one that was refused."""
        if not acting.chain:
            return
        use = Use(
            verification=content["jti"],
            delegation=acting.delegation,
            department=content["aud"],
            purpose=content["purpose"],
            matter=content["matter"],
            licence_type=acting.licence_type,
            indication=content["indication"],
            at=at,
        )
        DelegationRepository(session, index=self._index).add_use(use)

    def words(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Who acted for whom in a recorded verification, for its receipt; nothing where nobody did."""
        name = content.get(NAME)
        if name is None:
            return {}
        try:
            with self._database.reading() as session:
                found = DelegationRepository(session, index=self._index).find(name)
        except NotFound:
            return {}
        return {"acting": found.words.to_dict()}
