"""Wallets that a server keeps for people: one encrypted store for each account.

Every store has a secret of its own, derived from one master key and the account's identifier, so that a store
opens for its account only, wherever its file lies. The one who runs the server has the master key and could
open all of them: what that means for a holder is said in docs/how-to/run-a-wallet.md. Who an account belongs
to, and whether a visitor is that person, was decided before anything here is called.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wallet.store import RANDOM_SECRET_BYTES, Store
from yinxin.base.errors import Conflict, NotFound, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from pathlib import Path

# A folder's name on every platform; no dot, so that no name leads out of the folder.
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{8,128}")
_INFO = b"yinxin wallet 1\n"


class Custody:
    """The stores of all accounts under one folder. Safe to share between threads and processes."""

    def __init__(self, directory: Path, master_key: bytes, *, randomness: Randomness | None = None) -> None:
        """Keep where the stores lie and the key (at least 32 random bytes) that their secrets follow from."""
        if len(master_key) < RANDOM_SECRET_BYTES:
            raise UsageError("the master key of wallets has at least 32 random bytes")
        self._directory = directory
        self._master_key = master_key
        self._randomness = randomness or SystemRandomness()

    def find(self, account: str) -> Store | None:
        """The account's store, if it has one yet. Errors as for `Store.open`."""
        try:
            return Store.open(self._folder(account), self._secret(account), randomness=self._randomness)
        except NotFound:
            return None

    def store(self, account: str) -> Store:
        """The account's store, made when it is needed first."""
        found = self.find(account)
        if found is not None:
            return found
        try:
            return Store.create(self._folder(account), self._secret(account), randomness=self._randomness)
        except Conflict:  # another request of the same account was faster
            return Store.open(self._folder(account), self._secret(account), randomness=self._randomness)

    def __repr__(self) -> str:
        return f"Custody({str(self._directory)!r})"

    def _folder(self, account: str) -> Path:
        if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
            raise UsageError("an account's identifier is made of letters, digits, - and _")
        return self._directory / account

    def _secret(self, account: str) -> bytes:
        """HKDF (RFC 5869): the master key has full entropy, so a salt is not needed (3.1)."""
        info = _INFO + account.encode("ascii")
        return HKDF(hashes.SHA256(), length=RANDOM_SECRET_BYTES, salt=None, info=info).derive(
            self._master_key
        )
