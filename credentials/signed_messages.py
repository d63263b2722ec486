"""Judge the signature of a COSE message whose key comes as a certificate chain (`x5chain`).

What `credentials.signed_tokens` is for JOSE. The path to an anchor is judged there, for both.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from signing.cose import read_x5chain
from signing.reasons import Reason
from signing.report import Check, good

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.cose import Sign1
    from signing.keys import PublicKey
    from signing.policy import Policy

_X5T = 34  # RFC 9360, 2
_THUMBPRINTS = {  # by their numbers in COSE (RFC 9054, 3)
    -16: lambda der: hashlib.sha256(der).digest(),
    -15: lambda der: hashlib.sha256(der).digest()[:8],
    -43: lambda der: hashlib.sha384(der).digest(),
    -44: lambda der: hashlib.sha512(der).digest(),
}
_GENUINE = good("algorithm"), good("signature")
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
        if _is_of_another(message, chain[0]):
            detail = "RFC 9360, 2: x5t is of another certificate"
            return (), (Check("certificate", Reason.FORMAT_FAILURE, detail=detail),)
        objection = self.objection_to(message, chain[0].public_key, at=at)
        if objection:
            return chain, (Check("algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail=objection),)
        if message.is_signed_by(chain[0], algorithms=self._policy.algorithms):
            return chain, _GENUINE
        return chain, (good("algorithm"), Check("signature", Reason.SIG_CRYPTO_FAILURE))

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


def _is_of_another(message: Sign1, leaf: Certificate) -> bool:
    """Whether a thumbprint (`x5t`, RFC 9360, 2) is not of the certificate whose key is to have signed."""
    for header in (message.protected, message.unprotected):
        if _X5T not in header:
            continue
        value = header[_X5T]
        if not isinstance(value, list) or len(value) != 2 or type(value[0]) is not int:
            return True
        shorten = _THUMBPRINTS.get(value[0])
        if shorten is None or value[1] != shorten(leaf.der):
            return True
    return False


def _read_chain(sent: tuple[bytes, ...], *, alone: bool) -> tuple[Certificate, ...]:
    return read_x5chain(sent[0] if alone else list(sent))
