"""How every file of a batch is sealed. An order travels to the processes that seal."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from signing.signer import open_signer
from signing.timestamp import HttpTimestamper
from signing.timestamp_pool import PoolPolicy, StampingAuthority, TimestamperPool
from yinxin.app.seal_batches.profile import Profile
from yinxin.base.clock import SystemClock, pause
from yinxin.base.errors import UsageError
from yinxin.base.files import read_file
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from pathlib import Path

    from signing.pdf import Seal, SealFace
    from signing.signer import Signer
    from signing.timestamp import Timestamper

LONGEST_WAIT = timedelta(days=7)
FACE_MM = 42.0  # of a face that is a file
PLAIN = Profile()


@dataclass(frozen=True, slots=True)
class Key:
    """Where the key is: a signer's URI, or the folder of an installation whose seal it is."""

    uri: str = ""
    home: str = ""
    secret: str | None = field(default=None, repr=False)

    def open(self) -> Signer:
        """The signer; `SignerUnavailable`."""
        if self.uri:
            return open_signer(self.uri, secret=self.secret)
        from yinxin.app.home import Home  # noqa: PLC0415 - it brings the database

        return Home.open(self.home, passphrase=self.secret).signer("seal")


@dataclass(frozen=True, slots=True)
class Order:
    """One key, one kind of signature, one place; one face, or one for each file from the folder `faces`.

    Without `stamp_within` a file is stamped while it is sealed, where `authorities` (URLs, asked in order)
    are named at all. With it the seal comes first and the time-stamp follows within that time.
    """

    key: Key
    face: SealFace | None = None
    page: int = -1
    at: tuple[float, float] | None = None
    reason: str | None = None
    authorities: tuple[str, ...] = ()
    allow_private: tuple[str, ...] = ()
    stamp_within: timedelta | None = None
    profile: Profile = PLAIN
    faces: Path | None = None

    def __post_init__(self) -> None:
        """`UsageError` for what does not go together, as a time-stamp that follows and nobody to give it."""
        if self.stamp_within is not None:
            if not self.authorities:
                raise UsageError("a time-stamp that follows needs a time-stamp authority")
            if not timedelta(0) < self.stamp_within <= LONGEST_WAIT:
                raise UsageError("a time-stamp follows within a week at most")
        if self.face is not None and self.faces is not None:
            raise UsageError("one face for all files, or one for each")
        if self.profile.straddles and self.face is None and self.faces is None:
            raise UsageError("a straddle seal needs a seal face")

    def identity(self, signer: Signer) -> str:
        """What files of one batch have in common: another seal, face, place, reason or kind is another batch."""
        face = hashlib.sha256(self.face.png).hexdigest() if self.face else None
        what: list[Any] = [signer.certificate.fingerprint, face, self.page, self.at, self.reason]
        what += [asdict(self.profile)] if self.profile != PLAIN else []
        what += ["a face a file"] if self.faces else []
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    @property
    def stamps_at_once(self) -> bool:
        """Whether a file is stamped while it is sealed."""
        return bool(self.authorities) and self.stamp_within is None

    def seal(self, signer: Signer, timestamper: Timestamper | None) -> Seal:
        """The seal that is put on: with a time-stamp at once, with room for one, or without."""
        from signing.pdf import Seal  # noqa: PLC0415 - it brings pyHanko

        at_once = timestamper if self.stamps_at_once else None
        return Seal(
            signer, face=self.face, timestamper=at_once, room_for_timestamp=self.stamp_within is not None
        )

    def face_of(self, file: str) -> SealFace | None:
        """The face that this file shows; `NotFound` where each has one of its own and this one has none."""
        if self.faces is None:
            return self.face
        from signing.pdf import SealFace  # noqa: PLC0415 - only where there are faces

        return SealFace(read_file((self.faces / file).with_suffix(".png")), FACE_MM, FACE_MM)

    def timestamper(self) -> Timestamper | None:
        """The authorities as one, the first preferred; None where none is named."""
        if not self.authorities:
            return None
        outbound = Outbound(allowed_private=self.allow_private)
        rows = [StampingAuthority(url, HttpTimestamper(url, outbound)) for url in self.authorities]
        return TimestamperPool(rows, SystemClock(), PoolPolicy(), wait=pause)
