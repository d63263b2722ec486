"""Where a licence in the wallet came from, and the grant by which new copies can be had.

Values only; they lie in the encrypted store, refresh token and key among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from credentials.dcql import SD_JWT_VC
from signing.base64url import decode_base64url, encode_base64url
from wallet.keys import HolderKey
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.copies import CopyForm
    from signing.certificates import Certificate
    from wallet.copies import ReadCopy


@dataclass(frozen=True, slots=True)
class Way:
    """How copies of one form are asked for: by the identifier that the issuer gave, else by configuration."""

    configuration: str
    identifier: str | None = None
    form: CopyForm = SD_JWT_VC

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"configuration": self.configuration, "identifier": self.identifier, "form": self.form}


@dataclass(frozen=True, slots=True)
class Source:
    """The issuer of a licence, and what it calls the licence and its claims (by the text of their path).

    `issuer` is the credential issuer's identifier; `ways` lead to copies, one for each form; `grant` is the
    id of the grant, None where there is no way to more copies.
    """

    issuer: str
    issuer_name: Text
    ways: tuple[Way, ...]
    name: Text
    labels: Mapping[str, Text]
    grant: str | None = None

    def beside(self, other: Source) -> Source:
        """This source with those ways of another that lead to forms which it does not have."""
        forms = {way.form for way in self.ways}
        more = tuple(way for way in other.ways if way.form not in forms)
        return replace(self, ways=(*self.ways, *more), labels={**other.labels, **self.labels})

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "issuer": self.issuer,
            "issuer_name": self.issuer_name.to_dict(),
            "ways": [way.to_dict() for way in self.ways],
            "name": self.name.to_dict(),
            "labels": {path: label.to_dict() for path, label in self.labels.items()},
            "grant": self.grant,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Source:
        """Read what `to_dict` made; `MalformedInput` for anything else."""
        try:
            labels = {path: Text(**label) for path, label in data["labels"].items()}
            return cls(
                data["issuer"],
                Text(**data["issuer_name"]),
                tuple(Way(**row) for row in data["ways"]) if "ways" in data else _one_way(data),
                Text(**data["name"]),
                labels,
                data["grant"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise MalformedInput("wallet", "a licence's source does not parse") from exc


def _one_way(data: Mapping[str, Any]) -> tuple[Way, ...]:
    """The way of a wallet that was written when there was one form."""
    return (Way(data["configuration"], data["identifier"]),)


@dataclass(frozen=True, slots=True)
class Grant:
    """The holder's leave to fetch more copies. The refresh token is good with `key` only."""

    id: str
    issuer: str
    server: str
    refresh_token: str = field(repr=False)
    key: HolderKey | None = field(repr=False)
    client_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for the encrypted store."""
        return {
            "issuer": self.issuer,
            "server": self.server,
            "refresh_token": self.refresh_token,
            "key": encode_base64url(self.key.to_secret()) if self.key else None,
            "client_id": self.client_id,
        }

    @classmethod
    def from_dict(cls, identifier: str, data: Mapping[str, Any]) -> Grant:
        """Read what `to_dict` made."""
        try:
            key = HolderKey.from_secret(decode_base64url(data["key"])) if data["key"] else None
            return cls(
                identifier, data["issuer"], data["server"], data["refresh_token"], key, data["client_id"]
            )
        except (KeyError, TypeError) as exc:
            raise MalformedInput("wallet", "a grant does not parse") from exc


@dataclass(frozen=True, slots=True)
class Arrival:
    """A copy that came in: verified, with the key that it is bound to and the certificate of who signed it.

    `licence` is the id under which the wallet keeps it beside the other copies of the same licence. It came
    `instead_of` the copies of the licence of that id, which are shown no more: of the version before, or of
    the same one where its issuer ended them.
    """

    copy: ReadCopy
    certificate: Certificate
    key: HolderKey
    licence: str
    source: Source
    instead_of: str | None = None
