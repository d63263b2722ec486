"""A request to present a licence, as the wallet understands it, whatever way it came.

The value is what the holder is asked about. Whether the requester's certificate is trusted was decided
by who received the request; `requester_verified` says so, and the consent text tells the holder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from credentials.claim_paths import Path, as_path, to_text
from yinxin.base.errors import MalformedInput, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.certificates import Certificate

MAX_CLAIMS = 100
MAX_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class PresentationRequest:
    """Who asks for what, and what for.

    `purpose` is shown to the holder as it stands; `matter` is the identifier of the matter being handled
    (事项编码); `audience` and `nonce` go into the key binding; `claims` are the paths wanted of a
    credential of the type `vct`.
    """

    requester: Text
    purpose: Text
    matter: str
    audience: str
    nonce: str
    vct: str
    claims: tuple[Path, ...]
    certificate: Certificate | None = field(default=None, compare=False)
    requester_verified: bool = False

    def __post_init__(self) -> None:
        if not all((self.audience, self.nonce, self.vct)):
            raise UsageError("a request has an audience, a nonce and a credential type")
        if not self.claims or len(self.claims) > MAX_CLAIMS:
            raise UsageError(f"a request asks for 1 to {MAX_CLAIMS} claims")
        object.__setattr__(self, "claims", tuple(dict.fromkeys(map(as_path, self.claims))))
        if self.requester_verified and self.certificate is None:
            raise UsageError("a requester is verified by a certificate")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PresentationRequest:
        """Read the JSON form; `MalformedInput` when something is missing or too long. Never verified."""
        try:
            matter, audience, nonce, vct = (
                _text(data[name]) for name in ("matter", "audience", "nonce", "vct")
            )
            paths = tuple(as_path(path if isinstance(path, str) else tuple(path)) for path in data["claims"])
            requester, purpose = _both(data["requester"]), _both(data["purpose"])
            return cls(requester, purpose, matter, audience, nonce, vct, paths)
        except (KeyError, TypeError, ValueError) as exc:
            raise MalformedInput("request", f"missing or wrong: {exc}") from exc
        except UsageError as exc:
            raise MalformedInput("request", exc.detail) from exc

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without the certificate."""
        return {
            "requester": self.requester.to_dict(),
            "purpose": self.purpose.to_dict(),
            "matter": self.matter,
            "audience": self.audience,
            "nonce": self.nonce,
            "vct": self.vct,
            "claims": [list(path) for path in self.claims],
        }

    def __str__(self) -> str:
        return f"{self.requester.en}: {', '.join(map(to_text, self.claims))}"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_CHARACTERS:
        raise ValueError("a text is expected")
    value.encode("utf-8")  # half a character is none
    return value


def _both(value: Any) -> Text:
    return Text(_text(value["zh"]), _text(value["en"]))
