"""What people agree to, and that it was somebody else who agreed: the rule of several eyes, in one place.

Whatever needs a second person (a case, a stopped seal, an event of a subject) names its content, takes the
digest, and keeps each `Consent` beside it. A consent holds as long as its proof does: it is checked when it
is given, and again when what was agreed to is done.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from signing.jose import dump_json
from yinxin.base.actor import staff
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.office.proofs import Proofs
    from yinxin.base.actor import Actor


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody's agreement to a digest: in which role, and the proof that they themselves gave it."""

    role: str
    by: str
    at: datetime
    digest: str
    proof: Mapping[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {
            "role": self.role,
            "by": self.by,
            "at": self.at.isoformat(),
            "digest": self.digest,
            "proof": dict(self.proof),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Consent:
        """Read what `to_dict` wrote."""
        at = datetime.fromisoformat(value["at"])
        return cls(value["role"], value["by"], at, value["digest"], value["proof"])


def content_digest(content: Mapping[str, Any]) -> bytes:
    """SHA-256 over a content of JSON values, the same whatever the order of its names."""
    return hashlib.sha256(dump_json(_sorted(content))).digest()


def give_consent(  # noqa: PLR0913 - the facts of an agreement
    proofs: Proofs,
    proof: Mapping[str, Any],
    *,
    digest: bytes,
    role: str,
    actor: Actor,
    at: datetime,
    not_by: Collection[str] = (),
) -> Consent:
    """An agreement to a digest; `NotPermitted` for who is in `not_by`, or without a good proof.

    Ask before a transaction is open: proofs may look things up.
    """
    if actor.identifier in not_by:
        raise NotPermitted("nobody agrees to what is their own: it takes another person")
    proofs.check(proof, digest, actor)
    return Consent(role, actor.identifier, at, digest.hex(), proof)


def check_consent(proofs: Proofs, consent: Consent, *, digest: bytes, agency: str) -> None:
    """`NotPermitted` unless a consent is about this digest and its proof still holds."""
    if consent.digest != digest.hex():
        raise NotPermitted("the consent is about something else")
    proofs.check(consent.proof, digest, staff(consent.by, agency=agency, roles=(consent.role,)))


def _sorted(value: Any) -> Any:
    """Names in order at every depth, so that equal contents have equal bytes."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value
