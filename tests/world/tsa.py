"""A time-stamp authority in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signing.timestamp import TimestampRequest, granted, read_request, token_for
from world.pki import NOON

if TYPE_CHECKING:
    from datetime import datetime

    from signing.signers.file import FileSigner

POLICY = "2.25.122226302454643061161832467862686897435.9.1"


@dataclass
class MemoryTsa:
    """Stamps with the key it was given, at the time it was told."""

    signer: FileSigner
    at: datetime = NOON
    serial: int = 0
    answered: list[TimestampRequest] = field(default_factory=list)

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        return self._token(TimestampRequest(digest_algorithm, digest))

    def respond(self, request: bytes) -> bytes:
        return granted(self._token(read_request(request)))

    def _token(self, request: TimestampRequest) -> bytes:
        self.serial += 1
        self.answered.append(request)
        return token_for(request, self.signer, at=self.at, serial=self.serial, policy=POLICY)
