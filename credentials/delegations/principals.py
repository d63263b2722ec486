"""Who speaks for a holder: whoever holds the holder's own licence, shown with its key to who made it.

For a company that is its legal representative: the licence must have a field for that, and the representative
is whom its current version names. A copy of an earlier version proves nothing any more, and a copy that an
agent got under a delegation never does. The issuer recognises its own copies by their digest and asks its own
register, so that nothing here waits for a status list.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.delegations.delegation import Principal
from credentials.delegations.repository import DelegationRepository
from credentials.delegations.rules import Speaker
from credentials.delegations.statements import read_licence
from credentials.gate import is_of
from credentials.repository import LicenceRepository
from credentials.standing import State, standing
from credentials.status_checks import status_reference
from credentials.status_records import StatusRecords
from credentials.vocabulary import VALID
from yinxin.base.errors import MalformedInput, NotPermitted
from yinxin.base.identifiers import CitizenNumber

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.delegations.statements import Statement
    from credentials.licence import Licence
    from credentials.sd_jwt import SdJwt
    from signing.keys import PublicKey
    from signing.policy import Policy
    from yinxin.base.database import Database, Session

REPRESENTATIVE = "legal_representative"


@dataclass(frozen=True)
class Principals:
    """Recognises holders by the licences that this agency issued."""

    database: Database
    catalogue: Catalogue
    index: BlindIndex
    agency: str
    policy: Policy

    def recognise(self, statement: Statement, proof: Mapping[str, Any], *, now: datetime) -> Speaker:
        """The holder who makes a statement by showing a licence.

        `NotPermitted` unless it is a copy of ours that holds, of the current version, not an agent's, and of
        a type that says who speaks for a company. The speaker can be looked at again in a transaction.
        """
        shown, key = read_licence(statement, proof, now=now, policy=self.policy)

        def look(session: Session, at: datetime) -> Principal:
            return self._principal(self._licence(session, shown, key, at))

        with self.database.reading() as session:
            return Speaker(key, look(session, now), look)

    def _licence(self, session: Session, shown: SdJwt, key: PublicKey, now: datetime) -> Licence:
        reference = status_reference(shown.payload.get("status"))
        delegations = DelegationRepository(session, index=self.index)
        copy = delegations.licence_copy(*reference) if reference else None
        digest = hashlib.sha256(shown.signed_over.encode("ascii")).hexdigest()
        if reference is None or copy is None or (copy.digest, copy.holder_key) != (digest, key.fingerprint):
            raise NotPermitted("the licence shown is no copy that was issued here")
        if delegations.of_copy(*reference) is not None:
            raise NotPermitted("a copy that was given to an agent does not speak for its holder")
        if StatusRecords(session).look(*reference) != VALID:
            raise NotPermitted("the copy of the licence does not hold any more")
        repository = LicenceRepository(session)
        licence = repository.versions(copy.licence)[-1]
        if licence.identifier != copy.licence or not is_of(licence, self.agency):
            raise NotPermitted("the licence shown was replaced: receive the current one first")
        found = standing(licence, repository.events(licence.identifier), as_of=now, known_at=now)
        if found.state is not State.IN_FORCE:
            raise NotPermitted(f"the licence shown is {found.text.en}")
        return licence

    def _principal(self, licence: Licence) -> Principal:
        kind = self.catalogue[licence.type_code]
        code, name = licence.holder_code, licence.holder_name
        if any(field.name == REPRESENTATIVE for field in kind.fields):
            representative = licence.claims.get(REPRESENTATIVE)
            if not isinstance(representative, str) or not representative:
                raise NotPermitted("the licence names no legal representative")
            return Principal(code, name, representative)
        try:
            CitizenNumber.parse(code)
        except MalformedInput as exc:
            raise NotPermitted("show a licence that names the legal representative") from exc
        return Principal(code, name)
