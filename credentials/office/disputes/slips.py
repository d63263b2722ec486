"""Slips (告知单): what who was refused takes along: a number, a plain reason, what to do, whom to ask.

A slip is kept nowhere. Its number says what kind of refusal it was, for which reason, by which agency and
when, under a key of this installation; the words come from the tables of reasons and errors when the number
is looked up. So a slip holds no personal data, nobody can make one up, and however many refusals somebody
provokes, no table grows. What was refused to whom stands in the audit log, not here.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.office.disputes.contacts import Contact, Contacts

KEPT = timedelta(days=730)
CHARACTERS = 32
# Crockford's base 32: nobody mistakes one of these characters for another.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011", "- \u2010\u2011\u2013")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_VERSION, _FACTS, _MAC = 1, 12, 8


class SlipKind(StrEnum):
    """What was refused."""

    ISSUE = "issue"
    VERIFICATION = "verification"
    USE = "use"
    CORRECTION = "correction"  # the next kind stands below: a number says its place in this list


KIND_NAMES: Mapping[SlipKind, Text] = {
    SlipKind.ISSUE: Text("不予办理证照", "a licence was not issued"),
    SlipKind.VERIFICATION: Text("证照核验未通过", "a licence did not pass verification"),
    SlipKind.USE: Text("不予用证", "the use of a licence was refused"),
    SlipKind.CORRECTION: Text("更正申请未在本机关办理", "a correction was not made here"),
}
_KINDS = tuple(SlipKind)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A refusal in plain words: why, and what to do next."""

    reason: Text
    next_step: Text


@dataclass(frozen=True, slots=True)
class Slip:
    """One slip, as it is printed. `code` is the reason's or error's stable code."""

    number: str
    kind: SlipKind
    code: str
    phrase: Phrase
    ask: Contact
    at: datetime
    kept_until: datetime

    def to_dict(self) -> dict[str, Any]:
        """As JSON, in both languages."""
        return {
            "number": self.number,
            "kind": str(self.kind),
            "code": self.code,
            "reason": self.phrase.reason.to_dict(),
            "next": self.phrase.next_step.to_dict(),
            "ask": self.ask.to_dict(),
            "at": self.at.isoformat(),
            "kept_until": self.kept_until.isoformat(),
        }


class Slips:
    """Makes slips and reads their numbers. All processes of an installation share `secret`.

    `phrases` are the words for every code that a refusal can have.
    """

    def __init__(  # noqa: PLR0913 - what slips are made of
        self,
        secret: bytes,
        *,
        phrases: Mapping[str, Phrase],
        contacts: Contacts,
        kept: timedelta = KEPT,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._secret, self._phrases, self._contacts, self._kept = secret, phrases, contacts, kept
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._codes = {_tag("code", code, 3): code for code in phrases}
        if len(self._codes) != len(phrases):
            raise UsageError("two codes of refusals look the same on a slip")

    def make(
        self,
        kind: SlipKind,
        code: str,
        *,
        agency: str = "",
        at: datetime | None = None,
        about: str | None = None,
    ) -> Slip:
        """A slip for a refusal by an agency (its credit code; nobody's: the operator is asked).

        The same `about` at the same time gives the same slip: an answer that is repeated repeats its slip.
        """
        tag = _tag("code", code, 3)
        if tag not in self._codes:
            raise UsageError(f"no words for the refusal {code}")
        minutes = max(0, int(((at or self._clock.now()) - _EPOCH).total_seconds()) // 60)
        unique = _tag("about", about, 3) if about else self._randomness.bytes(3)
        first = bytes([_VERSION << 4 | _KINDS.index(kind)])
        facts = first + tag + _tag("agency", agency, 2) + minutes.to_bytes(3, "big") + unique
        return self._slip(facts)

    def read(self, number: str) -> Slip:
        """The slip of this number, however it is typed; `NotFound` for one that is not ours or is over."""
        facts = self._facts(number)
        slip = self._slip(facts) if facts else None
        if slip is None or slip.kept_until < self._clock.now():
            raise NotFound("no slip of this number: it is mistyped, or was kept long enough")
        return slip

    def _facts(self, number: str) -> bytes | None:
        raw = _decoded(number)
        if raw is None or not hmac.compare_digest(self._mac(raw[:_FACTS]), raw[_FACTS:]):
            return None
        return raw[:_FACTS] if raw[0] >> 4 == _VERSION and raw[1:4] in self._codes else None

    def _slip(self, facts: bytes) -> Slip:
        code, at = self._codes[facts[1:4]], _EPOCH + timedelta(minutes=int.from_bytes(facts[6:9], "big"))
        return Slip(
            number=_shown(facts + self._mac(facts)),
            kind=_KINDS[facts[0] & 15],
            code=code,
            phrase=self._phrases[code],
            ask=self._contacts.by_tag(facts[4:6], _agency_tag),
            at=at,
            kept_until=at + self._kept,
        )

    def _mac(self, facts: bytes) -> bytes:
        return hmac.digest(self._secret, facts, "sha256")[:_MAC]


def _tag(kind: str, value: str, size: int) -> bytes:
    return hashlib.sha256(f"{kind}\0{value}".encode()).digest()[:size]


def _agency_tag(code: str) -> bytes:
    return _tag("agency", code, 2)


def _shown(raw: bytes) -> str:
    value = int.from_bytes(raw, "big")
    text = "".join(_ALPHABET[value >> 5 * place & 31] for place in range(CHARACTERS - 1, -1, -1))
    return "-".join(text[start : start + 4] for start in range(0, CHARACTERS, 4))


def _decoded(number: str) -> bytes | None:
    """The bytes of a number as people type it; None for what is none."""
    plain = number[:100].upper().translate(_MISREAD)
    if len(plain) != CHARACTERS or any(one not in _ALPHABET for one in plain):
        return None
    value = 0
    for one in plain:
        value = value << 5 | _ALPHABET.index(one)
    return value.to_bytes(_FACTS + _MAC, "big")
