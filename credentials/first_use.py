"""Make the document of a licence that came without one from an older register: when it is first asked for.

The page says where its data come from and bears the paper's own day of issue; the seal's time is now. However
many ask at once, one document is recorded: the others get that one. Licences of other agencies, licences that
hold no longer and those whose data are erased are not sealed.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from credentials.changes import require_state
from credentials.gate import is_of
from credentials.holders import HolderNotActive, require_active
from credentials.licence import agency_day
from credentials.repository import LicenceRepository
from credentials.standing import State, standing
from yinxin.base import audit
from yinxin.base.actor import system
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, UsageError, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credentials.catalogue import Catalogue
    from credentials.custody import Permit
    from credentials.licence import Licence
    from credentials.production import Production
    from yinxin.base.actor import Actor

_LIVE = (State.IN_FORCE, State.NOT_YET_VALID, State.SUSPENDED)
_LOCKS = 64  # of one process: who asks for the same licence waits, and does not seal in vain
CHUNK = 32
FIRST_USER = system("first-use")


def _ignore(_done: int) -> None:
    """Nobody wants to hear."""


@dataclass(frozen=True)
class FirstUse:
    """Seals what one agency's older registers brought in. May be used from several threads."""

    production: Production
    catalogue: Catalogue
    _locks: tuple[threading.Lock, ...] = field(
        default_factory=lambda: tuple(threading.Lock() for _ in range(_LOCKS)), repr=False
    )

    def seal(self, identifier: str, *, actor: Actor) -> Licence:
        """The licence with a document: sealed now if it had none, else as it is.

        `NotFound` for a licence that is not here or not ours, `Conflict` when it holds no longer,
        `InvalidClaims` when its data do not fit the page, `NotPermitted` when the seal is not for this actor,
        `HolderNotActive` when its holder is recorded as dead or dissolved.
        """
        with self._locks[hash(identifier) % _LOCKS]:
            licence = self._look_up(identifier)
            if not licence.awaits_document:
                return licence
            self._require_sealable(licence)
            custody = self.production.custody
            permit = custody.allow(actor, Counter([licence.type_code])) if custody else None
            return self._seal(licence, permit, actor)

    def seal_all(
        self,
        identifiers: Sequence[str],
        *,
        actor: Actor,
        progress: Callable[[int], None] = _ignore,
        workers: int = 1,
    ) -> tuple[int, dict[str, YinxinError]]:
        """Seal each of these licences; how many have a document, and why the others have none.

        What fails for one licence is told; a key or a time-stamp authority that fails stops it all.
        """
        refused: dict[str, YinxinError] = {}

        def one(identifier: str) -> None:
            try:
                self.seal(identifier, actor=actor)
            except (Conflict, HolderNotActive, InvalidClaims, NotFound, UsageError) as exc:
                refused[identifier] = exc

        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(identifiers), CHUNK):
                chunk = identifiers[start : start + CHUNK]
                list(pool.map(one, chunk))
                progress(start + len(chunk))
        return len(identifiers) - len(refused), refused

    def seal_wanted(self, *, limit: int = 100) -> int:
        """Seal what was asked for where no seal is at hand; returns how many have a document now."""
        with self.production.database.reading() as session:
            agency = self.production.agency.credit_code
            wanted = LicenceRepository(session).wanted_documents(agency=agency, limit=limit)
        done, refused = self.seal_all(wanted, actor=FIRST_USER)
        if refused:
            with self.production.database.transaction() as session:
                LicenceRepository(session).forget_wishes(list(refused))
        return done

    def _look_up(self, identifier: str) -> Licence:
        with self.production.database.reading() as session:
            licence = LicenceRepository(session).by_identifier(identifier)
        if licence is None or not is_of(licence, self.production.agency.credit_code):
            raise NotFound(f"no licence {identifier}")
        return licence

    def _require_sealable(self, licence: Licence) -> None:
        now = self.production.clock.now()
        if licence.erased_at is not None:
            raise Conflict("the data of this licence are erased")
        if licence.replaced_by or licence.successors:
            raise Conflict("the licence was replaced: its successor is sealed")
        with self.production.database.reading() as session:
            events = LicenceRepository(session).events(licence.identifier)
            require_active(self.production.holders, session, [licence.holder_code])
        require_state(standing(licence, events, as_of=now, known_at=now), *_LIVE)

    def _seal(self, licence: Licence, permit: Permit | None, actor: Actor) -> Licence:
        production, now = self.production, self.production.clock.now()
        made, pdf = production.press(replace(licence, issued_at=now), self.catalogue.of(licence))
        digest = made.pdf_sha256 or ""
        if production.documents is not None:
            production.documents.put(pdf)
        with production.database.transaction() as session:
            repository = LicenceRepository(session)
            require_active(production.holders, session, [licence.holder_code])
            is_first = repository.fill_document(licence.identifier, pdf_sha256=digest, sealed_at=now)
            if is_first:
                audit.record(
                    session,
                    action="licence.first_use",
                    subject=licence.identifier,
                    actor=actor,
                    at=now,
                    details={"pdf": digest, "day": agency_day(now).isoformat()},
                )
                if production.custody is not None:
                    production.custody.used(
                        session, permit, document=digest, licence=licence.identifier, at=now
                    )
        return made if is_first else self._others(licence.identifier, digest)

    def _others(self, identifier: str, ours: str) -> Licence:
        """What another process sealed meanwhile; ours goes away."""
        licence = self._look_up(identifier)
        if licence.pdf_sha256 is None:
            raise Conflict("the licence was changed meanwhile: ask again")
        if self.production.documents is not None and licence.pdf_sha256 != ours:
            self.production.documents.remove(ours)
        return licence
