"""A time-stamp authority (RFC 3161) with one key that does nothing else.

The structures are those of `signing.timestamp`; here stand the rules: which requests are served, that the
clock never runs backwards, and that no two tokens have one serial number. It serves HTTP through `respond`
and the same process through `stamp`, and then is a `signing.timestamp.Timestamper`.
"""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from ca.uses import require_usage
from signing.timestamp import TimestampRequest, granted, read_request, refused, token_for
from yinxin.base import audit
from yinxin.base.actor import system
from yinxin.base.errors import MalformedInput, SignerUnavailable, UnknownAlgorithm, UsageError, YinxinError
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from datetime import datetime

    from signing.signer import Signer
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

MAX_REQUEST_BYTES = 2048
DEFAULT_POLICY = "2.25.122226302454643061161832467862686897435.9.1"
DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}
ACCURACY = timedelta(seconds=1)  # what the tokens say of themselves
SERIAL_BYTES = 16
# PKIFailureInfo (RFC 3161, 2.4.2)
BAD_ALGORITHM, BAD_DATA_FORMAT, TIME_NOT_AVAILABLE = 0, 5, 14
UNACCEPTED_POLICY, SYSTEM_FAILURE = 15, 25


class TimestampAuthority:
    """Gives time-stamp tokens under one policy.

    With a database every token is audited, by its digest, before it leaves. Safe to share between threads.
    """

    def __init__(
        self,
        signer: Signer,
        clock: Clock,
        database: Database | None = None,
        *,
        policy: str = DEFAULT_POLICY,
        randomness: Randomness | None = None,
    ) -> None:
        """`signer` needs a certificate for time-stamps alone, else `SignerUnavailable`."""
        require_usage(signer.certificate, "timestamp")
        self._signer = signer
        self._clock = clock
        self._database = database
        self._policy = policy
        self._randomness = randomness or SystemRandomness()
        self._latest: datetime | None = None
        self._lock = threading.Lock()

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        """A TimeStampToken (DER) for a digest, in this process."""
        if DIGESTS.get(digest_algorithm) != len(digest):
            raise UsageError(f"not a digest of {' or '.join(DIGESTS)}")
        now = self._time()
        if now is None:
            raise SignerUnavailable("the clock ran back: no time can be attested")
        return self._token(TimestampRequest(digest_algorithm, digest), now)

    def respond(self, request: bytes) -> bytes:
        """The TimeStampResp (DER) to a TimeStampReq (DER), whatever the bytes are: it never raises."""
        try:
            return self._answer(_read(request))
        except UnknownAlgorithm:
            return refused("digest algorithm is not known", failure_bit=BAD_ALGORITHM)
        except MalformedInput:
            return refused("not a time-stamp request", failure_bit=BAD_DATA_FORMAT)
        except YinxinError:
            return refused("the service is not available", failure_bit=SYSTEM_FAILURE)

    def _answer(self, asked: TimestampRequest) -> bytes:
        if asked.digest_algorithm not in DIGESTS:
            return refused("digest algorithm is not accepted", failure_bit=BAD_ALGORITHM)
        if asked.policy not in {None, self._policy}:
            return refused("policy is not offered", failure_bit=UNACCEPTED_POLICY)
        now = self._time()
        if now is None:
            return refused("time is not available", failure_bit=TIME_NOT_AVAILABLE)
        return granted(self._token(asked, now))

    def _token(self, request: TimestampRequest, now: datetime) -> bytes:
        if not self._signer.certificate.is_valid_at(now):
            raise SignerUnavailable("the time-stamp certificate is out of date")
        # Positive, and unpredictable enough to be unique without a counter that processes would share.
        serial = int.from_bytes(b"\x01" + self._randomness.bytes(SERIAL_BYTES), "big")
        token = token_for(request, self._signer, at=now, serial=serial, policy=self._policy)
        if self._database:
            self._audit(self._database, token, serial, now)
        return token

    def _time(self) -> datetime | None:
        """The time; None when it fell back by more than the tokens' accuracy."""
        now = self._clock.now()
        with self._lock:
            if self._latest and now < self._latest - ACCURACY:
                return None
            self._latest = max(now, self._latest or now)
        return now

    def _audit(self, database: Database, token: bytes, serial: int, at: datetime) -> None:
        details = {"token": hashlib.sha256(token).hexdigest()}
        with database.transaction() as session:
            audit.record(
                session,
                action="timestamp.issue",
                subject=f"tsa/{serial:x}",
                actor=system("tsa"),
                at=at,
                details=details,
            )


def _read(request: bytes) -> TimestampRequest:
    if len(request) > MAX_REQUEST_BYTES:
        raise MalformedInput("timestamp", f"over {MAX_REQUEST_BYTES} bytes")
    return read_request(request)
