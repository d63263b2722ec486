"""Keep status lists and publish them as tokens (draft-ietf-oauth-status-list, 5.1 and 13).

Lists are reserved up front, so that their size says nothing of how much was issued; each credential copy
gets a random index that no other ever had. Changes and their audit entries go into the caller's
transaction. Serving tokens over HTTP is the work of `credentials.http`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from credentials.status_list import StatusList
from credentials.status_records import StatusRecords
from credentials.status_tokens import sign_status_cwt, sign_status_jwt
from credentials.vocabulary import INVALID
from yinxin.base import audit
from yinxin.base.actor import Actor, system
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotFound, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from signing.signer import Signer
    from yinxin.base.database import Database, Session

TokenForm = Literal["jwt", "cwt"]  # 5.1 and 5.2
LIST_SIZE = 1 << 17
FILL = 0.5  # above this, finding a free index by chance takes too many attempts
_ATTEMPTS = 200  # each fails with the chance of FILL at most
TTL = timedelta(seconds=60)
LIFETIME = timedelta(hours=1)
_SYSTEM = system("status-service")


@dataclass(slots=True)
class _Kept:
    """A list in memory, as far as `changes` of the register, and its tokens as signed last, by their form."""

    statuses: StatusList
    changes: int
    tokens: dict[TokenForm, _Token] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Token:
    made_at: datetime
    value: bytes


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
        self._kept: dict[str, _Kept] = {}
        self._gate = threading.Lock()

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
        """The list as it is now, as a JWT, signed anew after a change and after its ttl; `NotFound` for none.

        Only what changed since is read and set: publishing a change does not build the list again.
        """
        return self._published(uri, "jwt").decode("ascii")

    def cwt(self, uri: str) -> bytes:
        """The same as a CWT."""
        return self._published(uri, "cwt")

    def token_at(self, uri: str, when: datetime, form: TokenForm = "jwt") -> bytes:
        """The list as it was then (8.4), signed now with that time for its `iat`.

        `NotFound` for a time before the list, or to come. Signed anew for each question: historical
        questions are few.
        """
        with self._database.reading() as session:
            records = StatusRecords(session)
            since = records.created_at(uri)
            if since is None or not since.replace(microsecond=0) <= when <= self._clock.now():
                raise NotFound(f"no status list {uri} at that time")
            statuses = self._empty(records, uri)
            for index, value in records.changed_until(uri, when):
                statuses.set(index, value)
        return self._sign(uri, statuses, when, form)

    def uris(self) -> list[str]:
        """All lists of this issuer, oldest first."""
        with self._database.reading() as session:
            return StatusRecords(session).uris(self._prefix)

    def _published(self, uri: str, form: TokenForm) -> bytes:
        with self._gate, self._database.reading() as session:
            kept, now = self._current(StatusRecords(session), uri), self._clock.now()
            last = kept.tokens.get(form)
            if last is None or not last.made_at <= now < last.made_at + self._ttl:
                last = kept.tokens[form] = _Token(now, self._sign(uri, kept.statuses, now, form))
        return last.value

    def _new_list(self, records: StatusRecords, now: datetime) -> tuple[str, int]:
        uri = self._prefix + random_text(self._randomness, 12)
        records.add_list(uri, bits=self._bits, size=self._size, at=now)
        return uri, self._size

    def _random_index(self, size: int) -> int:
        # 64 bits more than the size needs: the remainder's bias is far below notice.
        return int.from_bytes(self._randomness.bytes(12), "big") % size

    def _current(self, records: StatusRecords, uri: str) -> _Kept:
        """The list in memory, brought up to the register's last change."""
        changes = records.changes(uri)
        if changes is None:
            raise NotFound(f"no status list {uri}")
        kept = self._kept.get(uri)
        if kept is None:
            kept = self._kept[uri] = _Kept(self._empty(records, uri), changes)
            rows = records.other_than_valid(uri)
        elif kept.changes == changes:
            return kept
        else:
            rows = records.changed_since(uri, kept.changes)
        for index, value in rows:
            kept.statuses.set(index, value)
        kept.changes = changes
        kept.tokens.clear()
        return kept

    @staticmethod
    def _empty(records: StatusRecords, uri: str) -> StatusList:
        size, bits = records.shape(uri)
        return StatusList(size, bits=bits)

    def _sign(self, uri: str, statuses: StatusList, at: datetime, form: TokenForm) -> bytes:
        sign = sign_status_jwt if form == "jwt" else sign_status_cwt
        return sign(statuses, self._signer, uri=uri, at=at, ttl=self._ttl, lifetime=self._lifetime)
