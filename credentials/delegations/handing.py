"""Hand an agent what they show: the delegation's credential, and copies of the holder's licences.

Every copy names its delegation and ends with it at the latest. All is looked at twice: when status entries
are reserved, and again, with the holder locked, when what was signed is recorded; a recall between the two
wins. Signing happens between, with no transaction open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.delegations import statements as verbs
from credentials.delegations.credential import DISCLOSABLE, delegation_claims
from credentials.delegations.rules import require_agent, require_holding, require_verb
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.proofs import check_key_proofs
from credentials.repository import LicenceRepository
from credentials.sd_jwt import issue_sd_jwt
from credentials.vocabulary import DELEGATION
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.copies import CopyMaker
    from credentials.delegations.delegation import Delegation
    from credentials.delegations.rules import Speaker
    from credentials.delegations.service import Delegations
    from credentials.delegations.statements import Statement
    from credentials.licence import Licence
    from signing.keys import PublicKey
    from yinxin.base.database import Session


@dataclass(frozen=True)
class Handing:
    """Makes what agents show. For any thread."""

    delegations: Delegations
    copies: CopyMaker

    def hand(
        self, statement: Statement, proof: Mapping[str, Any], key_proofs: Sequence[object]
    ) -> tuple[str, ...]:
        """One credential for each key: of the delegation, or with `licence` of one of the holder's licences.

        The content has `delegation`, `licence` (null, an identifier, or a type of which the holder has one)
        and `keys`, the thumbprints of the keys, each of which proves itself under the statement's nonce.
        `NotFound` for everybody but the agent, `NotPermitted` unless the whole chain holds and covers it.
        """
        require_verb(statement, verbs.COPIES)
        speaker = self.delegations.speaker(statement, proof)
        keys, wanted = self._keys(statement, key_proofs), statement.content.get("licence")
        if wanted is None:
            return self._own(statement, speaker, keys)
        if not isinstance(wanted, str) or len(wanted) > 200:
            raise MalformedInput("statement", "the licence is an identifier or a type")
        return self._licence(statement, speaker, keys, wanted)

    def available(self, one: Delegation) -> list[Licence]:
        """The holder's current licences that a delegation covers, if it holds now."""
        with self.delegations.database.reading() as session:
            chain = self.delegations.repository(session).chain(one.id)
            if not all(link.holds_at(self.delegations.clock.now()) for link in chain):
                return []
            return self._covered(session, chain)

    def _keys(self, statement: Statement, key_proofs: Sequence[object]) -> tuple[PublicKey, ...]:
        url, now = self.delegations.url, self.delegations.clock.now()
        try:
            found = check_key_proofs(
                key_proofs, issuer=url, client_id=None, nonces=self.delegations.nonces, now=now
            )
        except Refused as exc:
            raise NotPermitted(exc.detail) from exc
        named = [key.thumbprint for key in found.keys]
        if found.nonce != statement.nonce or statement.content.get("keys") != named:
            raise NotPermitted("the keys are not those that the statement names")
        return found.keys

    def _own(self, statement: Statement, speaker: Speaker, keys: tuple[PublicKey, ...]) -> tuple[str, ...]:
        keeper = self.delegations
        with keeper.database.transaction() as session:
            one = self._holding(session, statement, speaker)[-1]
            keeper.use_up(session, statement)
            places = [keeper.status.allocate(session, actor=speaker.actor) for _ in keys]
        made = tuple(self._sign(one, key, place) for key, place in zip(keys, places, strict=True))
        with keeper.database.transaction() as session:
            self._keep(session, statement, speaker, places)
        return made

    def _sign(self, one: Delegation, key: PublicKey, status: tuple[str, int]) -> str:
        keeper = self.delegations
        claims = delegation_claims(one, url=keeper.url, status=status, now=keeper.clock.now())
        return issue_sd_jwt(
            claims,
            disclosable=DISCLOSABLE,
            signer=self.copies.credential_signer,
            randomness=self.copies.randomness,
            holder_key=key,
        )

    def _licence(
        self, statement: Statement, speaker: Speaker, keys: tuple[PublicKey, ...], wanted: str
    ) -> tuple[str, ...]:
        with self.delegations.database.reading() as session:
            chain = self._holding(session, statement, speaker)
            licence = _chosen(self._covered(session, chain), wanted)

        def before(session: Session, _licence: Licence) -> None:
            self._holding(session, statement, speaker)
            self.delegations.use_up(session, statement)

        def after(session: Session, made: Licence) -> None:
            prints = {key.fingerprint for key in keys}
            every = LicenceRepository(session).copies(made.identifier)
            places = [(one.status_uri, one.status_index) for one in every if one.holder_key in prints]
            self._keep(session, statement, speaker, places)

        marks = {DELEGATION: chain[-1].id, "exp": int(chain[-1].terms.ends_at.timestamp())}
        _, made = self.copies.make(
            licence.identifier, keys, actor=speaker.actor, before=before, after=after, marks=marks
        )
        return made

    def _keep(
        self, session: Session, statement: Statement, speaker: Speaker, places: Sequence[tuple[str, int]]
    ) -> None:
        keeper = self.delegations
        repository = keeper.repository(session)
        repository.lock(self._holding(session, statement, speaker)[0].principal.code)
        one = self._holding(session, statement, speaker)[-1]  # again: the lock may have been waited for
        repository.add_copies(one.id, places)
        keeper.record(session, "hand", one, speaker.actor)

    def _holding(self, session: Session, statement: Statement, speaker: Speaker) -> tuple[Delegation, ...]:
        now = self.delegations.clock.now()
        chain = self.delegations.named(session, statement.content.get("delegation"))
        require_agent(chain[-1], speaker)
        require_holding(chain, now)
        _require_begun(chain, now)
        return chain

    def _covered(self, session: Session, chain: Sequence[Delegation]) -> list[Licence]:
        repository = LicenceRepository(session, index=self.delegations.index)
        every = repository.of_holder(chain[-1].principal.code)
        mine = [one for one in every if one.agency.credit_code == self.copies.agency]
        return [one for one in mine if all(link.terms.covers_type(one.type_code) for link in chain)]


def _chosen(licences: list[Licence], wanted: str) -> Licence:
    found = [one for one in licences if wanted in {one.identifier, one.type_code}]
    if not found:
        raise NotFound("the holder has no such licence, or the delegation does not cover it")
    if len(found) > 1:
        raise Conflict("the holder has several licences of this type: name one by its identifier")
    return found[0]


def _require_begun(chain: Sequence[Delegation], now: datetime) -> None:
    if not all(link.terms.holds_at(now) for link in chain):
        raise NotPermitted("the delegation does not hold yet")
