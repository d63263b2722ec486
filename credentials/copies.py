"""Further credential copies of a licence that exists: for a wallet, for a second device, for a new key.

Needs neither the seal nor the typesetter: a service that hands out copies holds the credential key only.
Each copy has its own random status entry and its own row, and is made of the version that is current now.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from credentials.changes import require_state
from credentials.credential import credential_claims
from credentials.gate import is_of
from credentials.holders import require_active
from credentials.mdoc.licence import mdoc_of
from credentials.repository import CredentialCopy, LicenceRepository
from credentials.sd_jwt import issue_sd_jwt
from credentials.standing import State, standing
from signing.base64url import encode_base64url
from yinxin.base import audit
from yinxin.base.errors import Conflict, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.holders import HolderStates
    from credentials.licence import Licence
    from credentials.status_service import StatusService
    from signing.keys import PublicKey
    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session
    from yinxin.base.randomness import Randomness

    Step = Callable[[Session, Licence], None]

CopyForm = Literal["dc+sd-jwt", "mso_mdoc"]  # OpenID4VCI, A.3 and A.2
MAX_AT_ONCE = 100
MAX_MERGERS = 10  # that are followed, one after the other
_LIVE = (State.IN_FORCE, State.NOT_YET_VALID)


def _nothing(_session: Session, _licence: Licence) -> None:
    """No further step."""


@dataclass(frozen=True)
class CopyMaker:
    """Makes copies for one issuer, of the licences of its agency (the credit code). For any thread."""

    url: str
    catalogue: Catalogue
    database: Database
    credential_signer: Signer
    status: StatusService
    clock: Clock
    randomness: Randomness
    agency: str
    index: BlindIndex | None = None  # to find the licences of a holder
    holders: HolderStates | None = None  # of whom no copies are made any more
    mdoc_signer: Signer | None = None  # without it no copies are made as mdoc

    def make(  # noqa: PLR0913 - what a copy is made of and recorded with
        self,
        identifier: str,
        keys: Sequence[PublicKey],
        *,
        actor: Actor,
        before: Step = _nothing,
        after: Step = _nothing,
        marks: Mapping[str, Any] | None = None,
        form: CopyForm = "dc+sd-jwt",
    ) -> tuple[Licence, tuple[str, ...]]:
        """One copy for each key, of the current version of the licence that `identifier` names.

        An mdoc is given in base64url, as it travels (OpenID4VCI, A.2.4).

        `marks` are further claims, such as the delegation that an agent got them under; with an `exp` the
        copies end no later than that.

        `before` runs in the transaction that reserves status entries, `after` in the one that records the
        copies; what they raise undoes theirs. Signing happens between, with no transaction open. `NotFound`
        for an unknown licence, `Conflict` when it is not in force, or changed meanwhile, `HolderNotActive`
        when its holder is recorded as dead or dissolved.
        """
        if not 1 <= len(keys) <= MAX_AT_ONCE:
            raise UsageError(f"copies are made for 1 to {MAX_AT_ONCE} keys at once")
        now = self.clock.now()
        with self.database.transaction() as session:
            licence = self.current(session, identifier, now=now)
            if licence.awaits_document:
                LicenceRepository(session).want_document(licence.identifier, at=now)
                places = []
            else:
                before(session, licence)
                places = [self.status.allocate(session, actor=actor) for _ in keys]
        if licence.awaits_document:  # from an older register: the office, which has the seal, makes it now
            raise Conflict("the document of this licence is being made: ask again in a minute")
        sign = self._sign_mdoc if form == "mso_mdoc" else self._sign
        made = [sign(licence, key, place, now, marks or {}) for key, place in zip(keys, places, strict=True)]
        with self.database.transaction() as session:
            # Locked: a suspension now sees these copies, or we see the suspension.
            LicenceRepository(session).for_change(licence.identifier)
            found = self.current(session, licence.identifier, now=now)
            if found.identifier != licence.identifier:
                raise NotFound("the licence was replaced meanwhile")
            for key, place, credential in zip(keys, places, made, strict=True):
                _record(session, licence, key, place, credential, now, actor)
            after(session, licence)
        return licence, tuple(made)

    def current(self, session: Session, identifier: str, *, now: datetime) -> Licence:
        """The licence that a copy is made of now; see `make` for what refuses it."""
        licence = current(session, identifier, agency=self.agency, now=now)
        require_active(self.holders, session, [licence.holder_code])
        return licence

    def _sign(
        self,
        licence: Licence,
        key: PublicKey,
        status: tuple[str, int],
        now: datetime,
        marks: Mapping[str, Any],
    ) -> str:
        kind = self.catalogue.of(licence)
        claims = credential_claims(licence, kind, url=self.url, status=status)
        ends = [one["exp"] for one in (claims, marks) if "exp" in one]
        claims = {**claims, **marks, **({"exp": min(ends)} if ends else {})}
        return issue_sd_jwt(
            # The licence's own day stands in issued_on; iat says when this copy was signed.
            {**claims, "iat": int(now.timestamp())},
            disclosable=sorted(kind.disclosable & set(licence.claims)),
            signer=self.credential_signer,
            randomness=self.randomness,
            holder_key=key,
        )

    def _sign_mdoc(
        self,
        licence: Licence,
        key: PublicKey,
        status: tuple[str, int],
        now: datetime,
        marks: Mapping[str, Any],
    ) -> str:
        if self.mdoc_signer is None or marks:
            raise UsageError("no mdoc is made here, or none with further claims")
        kind = self.catalogue.of(licence)
        made = mdoc_of(
            licence,
            kind,
            url=self.url,
            status=status,
            holder_key=key,
            signer=self.mdoc_signer,
            now=now.replace(microsecond=0),
            randomness=self.randomness,
        )
        return encode_base64url(made)


def current(session: Session, identifier: str, *, agency: str, now: datetime) -> Licence:
    """The current version of an agency's licence, if it holds or will; else `NotFound` or `Conflict`.

    Of what was merged into one licence of its type, that one is the current version.
    """
    repository = LicenceRepository(session)
    licence = _last(repository, identifier)
    if licence is None or not is_of(licence, agency):
        raise NotFound(f"no licence {identifier}")
    events = repository.events(licence.identifier)
    require_state(standing(licence, events, as_of=now, known_at=now), *_LIVE)
    return licence


def _last(repository: LicenceRepository, identifier: str) -> Licence | None:
    licence = next(reversed(repository.versions(identifier)), None)
    for _ in range(MAX_MERGERS):
        if licence is None or len(licence.successors) != 1:
            break
        after = next(reversed(repository.versions(licence.successors[0])), None)
        if after is None or (after.type_code, after.holder_code) != (licence.type_code, licence.holder_code):
            break
        licence = after
    return licence


def _record(  # noqa: PLR0913, PLR0917 - the facts of a copy
    session: Session,
    licence: Licence,
    key: PublicKey,
    status: tuple[str, int],
    credential: str,
    now: datetime,
    actor: Actor,
) -> None:
    digest = hashlib.sha256(credential.encode()).hexdigest()
    copy = CredentialCopy(*status, licence.identifier, key.fingerprint, digest, now)
    LicenceRepository(session).add_copy(copy)
    audit.record(
        session,
        action="credential.copy",
        subject=licence.identifier,
        actor=actor,
        at=now,
        details={"credential": digest},
    )
