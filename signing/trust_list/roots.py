"""Roots: whose signatures a trust list needs, and how many of them.

The first root is brought by hand and compared by its fingerprint. Each later one is signed by enough keys of
the one before, so that the office may change its keys without anybody bringing anything, and by enough of its
own, so that nobody is named who does not hold a key (the way of The Update Framework, 5.3).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signing.keys import PublicKey
from signing.trust_list.envelope import MAX_SIGNATURES, read_content, signed_by
from signing.trust_list.reading import exactly, moment, moment_text, rows, text, whole, wrong
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

ROOT_TYPE = "yinxin-trust-root+json"
MAX_STEPS = 256


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """A root: of `keys`, `threshold` have to sign. After `expires_at` nothing new is taken by it."""

    name: str
    version: int
    threshold: int
    keys: tuple[PublicKey, ...]
    expires_at: datetime

    def __post_init__(self) -> None:
        if len(set(self.keys)) != len(self.keys) or not 1 <= len(self.keys) <= MAX_SIGNATURES:
            raise wrong(f"a root has 1 to {MAX_SIGNATURES} different keys")
        if not 1 <= self.threshold <= len(self.keys):
            raise wrong("a root's threshold is 1 at least, and no more than it has keys")

    @classmethod
    def read(cls, envelope: bytes) -> TrustRoot:
        """A root that its own keys have signed; that it is the right one is known by its `fingerprint`."""
        root = cls._of(read_content(envelope))
        root.require(envelope, ROOT_TYPE)
        return root

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what decides (hex): people compare it when the first root is brought."""
        keys = sorted(key.thumbprint for key in self.keys)
        decides = f"{self.name}\n{self.version}\n{self.threshold}\n{','.join(keys)}"
        return hashlib.sha256(decides.encode()).hexdigest()

    def followed_by(self, envelopes: Iterable[bytes], *, now: datetime) -> TrustRoot:
        """The newest root that leads here step by step; those that came before this one are passed over.

        `MalformedInput` for one that is not rightly signed by both its own keys and those before, `Conflict`
        for a gap between versions, or when even the newest root has run out.
        """
        current = self
        for number, envelope in enumerate(envelopes):
            if number >= MAX_STEPS:
                raise wrong(f"over {MAX_STEPS} roots")
            if self._of(read_content(envelope)).version > current.version:
                current = current.followed_by_one(envelope)
        if current.expires_at <= now:
            raise Conflict(f"the root of version {current.version} ran out {current.expires_at.isoformat()}")
        return current

    def followed_by_one(self, envelope: bytes) -> TrustRoot:
        """The root that comes right after this one; errors as for `followed_by`, its end is not looked at."""
        found = self._of(read_content(envelope))
        if (found.version, found.name) != (self.version + 1, self.name):
            raise Conflict(f"the root behind version {self.version} is missing")
        self.require(envelope, ROOT_TYPE)
        found.require(envelope, ROOT_TYPE)
        return found

    def require(self, envelope: bytes, typ: str) -> None:
        """`MalformedInput` unless enough of this root's keys have signed."""
        found = signed_by(envelope, typ, self.keys)
        if found < self.threshold:
            raise wrong(f"signed by {found} of the {self.threshold} keys that are needed")

    def to_content(self) -> dict[str, Any]:
        """What is signed: `signing.trust_list.sign_content(root.to_content(), ROOT_TYPE, signers)`."""
        return {
            "name": self.name,
            "version": self.version,
            "threshold": self.threshold,
            "keys": [key.to_jwk() for key in self.keys],
            "expires_at": moment_text(self.expires_at),
        }

    @classmethod
    def _of(cls, content: object) -> TrustRoot:
        found = exactly(content, "name", "version", "threshold", "keys", "expires_at")
        return cls(
            name=text(found["name"]),
            version=whole(found["version"], least=1),
            threshold=whole(found["threshold"], least=1),
            keys=tuple(PublicKey.from_jwk(jwk) for jwk in rows(found["keys"], most=MAX_SIGNATURES)),
            expires_at=moment(found["expires_at"]),
        )
