"""Judge the signature of a COSE message whose key comes as a certificate chain (`x5chain`).

What `credentials.signed_tokens` is for JOSE. The path to an anchor is judged there, for both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from signing.cose import read_x5chain
from signing.reasons import Reason
from signing.report import Check

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.cose import Sign1
    from signing.keys import PublicKey
    from signing.policy import Policy

_REMEMBERED, _REMEMBERED_BYTES = 256, 16 << 10  # larger chains are read again each time


class MessageSignatures:
    """Judges signatures of messages against one policy; the chains of a day are few and are read once."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._chain = lru_cache(_REMEMBERED)(_read_chain)

    def examine(self, message: Sign1, *, at: datetime) -> tuple[tuple[Certificate, ...], tuple[Check, ...]]:
        """The chain, leaf first, and the checks of algorithm and signature; `MalformedInput` for no chain."""
        chain = self._chain_of(message)
        if not chain:
            return (), (Check("certificate", Reason.SIGNING_CERTIFICATE_MISSING, detail="no x5chain"),)
        objection = self.objection_to(message, chain[0].public_key, at=at)
        if objection:
            return chain, (Check("algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail=objection),)
        good = message.is_signed_by(chain[0], algorithms=self._policy.algorithms)
        return chain, (Check("algorithm"), Check("signature", None if good else Reason.SIG_CRYPTO_FAILURE))

    def objection_to(self, message: Sign1, key: PublicKey, *, at: datetime) -> str | None:
        """Why the policy does not take a message by this key; None when it does."""
        row = message.algorithm
        return self._policy.objection_to(row, key, at=at) if row else "no such algorithm"

    def _chain_of(self, message: Sign1) -> tuple[Certificate, ...]:
        sent = message.x5chain
        parts = (sent,) if isinstance(sent, bytes) else tuple(sent) if isinstance(sent, list) else ()
        if all(isinstance(one, bytes) for one in parts) and 0 < sum(map(len, parts)) <= _REMEMBERED_BYTES:
            return self._chain(parts, alone=isinstance(sent, bytes))
        return read_x5chain(sent)


def _read_chain(sent: tuple[bytes, ...], *, alone: bool) -> tuple[Certificate, ...]:
    return read_x5chain(sent[0] if alone else list(sent))
