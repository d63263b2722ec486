"""How a holder signs in at the authorization endpoint: a port, and the counter's one-time codes behind it.

The city's identity platform or a passkey stand behind the same port. A code is handed out to somebody whom
the office has just authenticated; it is good once, for a quarter of an hour, and kept as a digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from credentials.gate import Gate
from credentials.oid4vci.offering import evidence_digest
from credentials.oid4vci.repository import IssuanceRepository, Login, digest_of
from credentials.oid4vci.vocabulary import LOGIN_LIFE
from yinxin.base import audit

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.oid4vci.offers import Holder
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session
    from yinxin.base.randomness import Randomness

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: nothing that looks like something else
_CHARACTERS = 12  # 60 bits
_LOOK_ALIKES = str.maketrans("OIL", "011", "- ")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in: the holder's code as their licences have it, and how they were authenticated."""

    holder: str
    method: str


class SignIn(Protocol):
    """Authenticates a holder."""

    def authenticate(self, session: Session, text: str, *, now: datetime) -> SignedIn | None:
        """Who brought this text, which is used up by it in the caller's transaction; None for nobody."""
        ...


class LoginCodes:
    """One-time codes that the office hands out."""

    def __init__(self, database: Database, *, agency: str, clock: Clock, randomness: Randomness) -> None:
        self._database, self._clock, self._randomness = database, clock, randomness
        self._gate = Gate(agency, database, clock)

    def hand_out(self, holder: Holder, *, actor: Actor) -> str:
        """A code for a holder who was just authenticated, to be told to them alone."""
        now = self._clock.now()
        bits = int.from_bytes(self._randomness.bytes(8), "big")
        code = "".join(_ALPHABET[bits >> 5 * place & 31] for place in range(_CHARACTERS))
        digest, evidence = digest_of(code), evidence_digest(holder.evidence)
        login = Login(digest, holder.code, str(holder.method), evidence, now + LOGIN_LIFE)
        self._gate.admit(actor, "login code")
        with self._database.transaction() as session:
            IssuanceRepository(session).add(login)
            audit.record(
                session,
                action="oid4vci.login_code",
                subject=f"login:{digest.hex()[:32]}",
                actor=actor,
                at=now,
                details={"authentication": login.method, "evidence": evidence},
            )
        return "-".join(code[start : start + 4] for start in range(0, _CHARACTERS, 4))

    @staticmethod
    def authenticate(session: Session, text: str, *, now: datetime) -> SignedIn | None:
        """Who has this code; it is used up."""
        code = text.strip().upper().translate(_LOOK_ALIKES)
        if len(code) != _CHARACTERS or not set(code) <= set(_ALPHABET):
            return None
        repository = IssuanceRepository(session)
        login = repository.login(code)
        if login is None or login.spent_at or login.expires_at <= now:
            return None
        repository.spend_login(login.digest, at=now)
        return SignedIn(login.holder, login.method)
