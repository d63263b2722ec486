"""Keep status lists and publish them as tokens (draft-ietf-oauth-status-list, 5.1 and 13).

Lists are reserved up front, so that their size says nothing of how much was issued; each credential copy
gets a random index that no other ever had. Changes and their audit entries go into the caller's
transaction. Serving tokens over HTTP is the work of `credentials.http`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from credentials.sd_jwt import chain_header
from credentials.status_list import StatusList
from credentials.status_records import StatusRecords
from credentials.vocabulary import INVALID, STATUS_LIST_TYP
from signing.jose import sign_jws
from yinxin.base import audit
from yinxin.base.actor import Actor, system
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotFound, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from signing.signer import Signer
    from yinxin.base.database import Database, Session

LIST_SIZE = 1 << 17
FILL = 0.5  # above this, finding a free index by chance takes too many attempts
_ATTEMPTS = 200  # each fails with the chance of FILL at most
TTL = timedelta(seconds=60)
LIFETIME = timedelta(hours=1)
_SYSTEM = system("status-service")


@dataclass(frozen=True, slots=True)
class _Published:
    changes: int
    made_at: datetime
    token: str


class StatusService:
    """The status lists of one issuer.

    `base_url` is where `credentials.http` serves them. `ttl` is how long a verifier may keep a token
    before it asks again: a revocation is seen at the latest after that; `lifetime` is the hard end
    (`exp`) for verifiers that cannot reach us. `size` is the length of each new list.
    """

    def __init__(  # noqa: PLR0913 - what a service of an issuer needs, by the door
        self,
        database: Database,
        signer: Signer,
        base_url: str,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        size: int = LIST_SIZE,
        bits: int = 2,
        ttl: timedelta = TTL,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        if not timedelta(seconds=1) <= ttl <= lifetime:
            raise UsageError("a token lives at least as long as it may be cached, and that for a second")
        self._database = database
        self._signer = signer
        self._prefix = base_url.rstrip("/") + "/status/"
        self._clock = clock or SystemClock()
        self._randomness = randomness or SystemRandomness()
        self._size, self._bits = size, bits
        self._ttl, self._lifetime = ttl, lifetime
        self._published: dict[str, _Published] = {}

    def allocate(self, session: Session, *, actor: Actor = _SYSTEM) -> tuple[str, int]:
        """Give away a random index that was never used: `(uri, index)`, for one credential copy."""
        records, now = StatusRecords(session), self._clock.now()
        uri, size = records.open_list(self._prefix, fill=FILL) or self._new_list(records, now)
        for _ in range(_ATTEMPTS):
            index = self._random_index(size)
            if records.take(uri, index, at=now):
                audit.record(session, action="status.allocate", subject=f"{uri}#{index}", actor=actor, at=now)
                return uri, index
        raise Conflict(f"no free index was found in {uri}")

    def set(self, session: Session, uri: str, index: int, value: int, *, actor: Actor = _SYSTEM) -> None:
        """Change a status, audited; visible in the next token after the caller's commit.

        `NotFound` for an index that was never given away. INVALID is final: another value after it is
        a `Conflict`, and so is the value that it has already.
        """
        if not 0 <= value < 1 << self._bits:
            raise UsageError(f"{value} is no status of {self._bits} bits")
        records, now = StatusRecords(session), self._clock.now()
        before = records.value(uri, index)
        if before is None:
            raise NotFound(f"no credential has the status {uri}#{index}")
        if before in {value, INVALID}:
            raise Conflict(
                "the credential is revoked for good" if before == INVALID else "it has this status"
            )
        records.set_value(uri, index, value, at=now)
        audit.record(
            session,
            action="status.set",
            subject=f"{uri}#{index}",
            actor=actor,
            at=now,
            details={"from": before, "to": value},
        )

    @staticmethod
    def is_final(session: Session, uri: str, index: int) -> bool:
        """Whether an entry is INVALID for good: a copy that was recalled by itself stays so."""
        return StatusRecords(session).value(uri, index) == INVALID

    def token(self, uri: str) -> str:
        """The list as it is now, signed anew after a change and after its ttl; `NotFound` for none."""
        with self._database.reading() as session:
            records, now = StatusRecords(session), self._clock.now()
            changes = records.changes(uri)
            if changes is None:
                raise NotFound(f"no status list {uri}")
            last = self._published.get(uri)
            if last and last.changes == changes and last.made_at <= now < last.made_at + self._ttl:
                return last.token
            statuses = self._read(records, uri)
        published = _Published(changes, now, self._sign(uri, statuses, now))
        self._published[uri] = published
        return published.token

    def uris(self) -> list[str]:
        """All lists of this issuer, oldest first."""
        with self._database.reading() as session:
            return StatusRecords(session).uris(self._prefix)

    def _new_list(self, records: StatusRecords, now: datetime) -> tuple[str, int]:
        uri = self._prefix + random_text(self._randomness, 12)
        records.add_list(uri, bits=self._bits, size=self._size, at=now)
        return uri, self._size

    def _random_index(self, size: int) -> int:
        # 64 bits more than the size needs: the remainder's bias is far below notice.
        return int.from_bytes(self._randomness.bytes(12), "big") % size

    @staticmethod
    def _read(records: StatusRecords, uri: str) -> StatusList:
        size, bits = records.shape(uri)
        statuses = StatusList(size, bits=bits)
        for index, value in records.other_than_valid(uri):
            statuses.set(index, value)
        return statuses

    def _sign(self, uri: str, statuses: StatusList, now: datetime) -> str:
        issued = int(now.timestamp())
        claims = {
            "sub": uri,
            "iat": issued,
            "exp": issued + int(self._lifetime.total_seconds()),
            "ttl": int(self._ttl.total_seconds()),
            "status_list": statuses.to_claim(),
        }
        return sign_jws(
            claims, self._signer, headers={"typ": STATUS_LIST_TYP, **chain_header(self._signer.chain)}
        )
