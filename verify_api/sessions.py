"""Verification sessions: a nonce that a department asks for, and the one presentation it is good for.

A nonce has 128 bits, lives five minutes, belongs to one department and is used up by the first presentation
that passes with it. Looking at a presentation uses up nothing, so a bad one cannot burn a session. The very
same presentation may be handed in again by the same department while the nonce lives: it is the same
acceptance, the answer names the first verification, and a lost HTTP answer costs nobody anything. Any other
presentation with that nonce is a replay.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from signing.reasons import Reason
from signing.report import Check
from yinxin.base.randomness import Randomness, random_text

if TYPE_CHECKING:
    from verify_api.repository import SessionRepository, StoredSession

NONCE_LIFE = timedelta(minutes=5)
NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Nonce:
    """A fresh nonce, and the audience that presentations made with it must name."""

    value: str
    audience: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """How a nonce came out: its check, and the first verification when this one repeats it."""

    check: Check
    first: str | None = None


def open_session(
    sessions: SessionRepository, *, department: str, now: datetime, randomness: Randomness
) -> Nonce:
    """Give out a nonce."""
    nonce = Nonce(random_text(randomness, NONCE_BYTES), department, now + NONCE_LIFE)
    sessions.add(digest_of(nonce.value), department=department, expires_at=nonce.expires_at)
    return nonce


def look_at(
    found: StoredSession | None, *, department: str, presentation: bytes, now: datetime
) -> SessionAnswer:
    """What a stored session says to a presentation (by its SHA-256). Uses up nothing."""
    # Another department's nonce is answered like none at all.
    if found is None or found.department != department:
        return SessionAnswer(Check("session", Reason.NONCE_UNKNOWN))
    if found.expires_at <= now:
        return SessionAnswer(Check("session", Reason.NONCE_EXPIRED))
    if found.presentation is None:
        return SessionAnswer(Check("session"))
    if found.presentation == presentation:
        return SessionAnswer(Check("session"), first=found.verification)
    return SessionAnswer(Check("session", Reason.TOKEN_REPLAYED))


def accept(  # noqa: PLR0913 - the facts of an acceptance
    sessions: SessionRepository,
    nonce: str,
    *,
    department: str,
    presentation: bytes,
    verification: str,
    now: datetime,
) -> SessionAnswer:
    """Use the nonce up for this presentation, in the caller's transaction."""
    digest = digest_of(nonce)
    answer = look_at(sessions.find(digest), department=department, presentation=presentation, now=now)
    if answer.check.reason or answer.first:
        return answer
    if sessions.accept(digest, presentation=presentation, verification=verification):
        return answer
    return look_at(sessions.find(digest), department=department, presentation=presentation, now=now)


def digest_of(nonce: str) -> bytes:
    """How a nonce is stored."""
    return hashlib.sha256(nonce.encode("utf-8", "surrogatepass")).digest()
