"""What a new version of a type would give: a specimen's page, its credential, the metadata, what changes.

Nothing here is sealed or signed, and nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.credential import credential_claims
from credentials.office.types.differences import Difference, differences
from credentials.office.types.specimens import as_specimen, specimen
from credentials.type_metadata import describe, integrity_of
from signing.jose import dump_json

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.face.page import Typesetter
    from credentials.licence import Agency, Licence
    from credentials.licence_type import LicenceType

_NO_STATUS = ("status/specimen", 0)


@dataclass(frozen=True, slots=True)
class Preview:
    """A specimen of a version, and what the version changes; nothing changes in a first one."""

    kind: LicenceType
    previous: LicenceType | None
    licence: Licence
    credential: dict[str, Any]
    metadata: bytes
    changes: tuple[Difference, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "type": self.kind.code,
            "version": self.kind.version,
            "previous": self.previous.version if self.previous else None,
            "new_fields": [one.field for one in self.changes if one.kind.startswith("added")],
            "required_fields": [one.name for one in self.kind.fields if one.required],
            "changes": [one.to_dict() for one in self.changes],
            "credential": self.credential,
            "disclosable": sorted(self.kind.disclosable & set(self.licence.claims)),
            "metadata": describe(self.kind),
            "metadata_integrity": integrity_of(self.metadata),
        }


@dataclass(frozen=True, slots=True)
class Previewer:
    """Makes previews for one agency; `url` is the issuer that credentials would name."""

    agency: Agency
    url: str
    typesetter: Typesetter

    def preview(self, kind: LicenceType, previous: LicenceType | None, *, at: datetime) -> Preview:
        """A version beside the one before; `InvalidClaims` when no specimen can be made up."""
        licence = specimen(kind, agency=self.agency, at=at)
        claims = credential_claims(licence, kind, url=self.url, status=_NO_STATUS)
        changes = tuple(differences(previous, kind)) if previous else ()
        return Preview(kind, previous, licence, claims, metadata_document(kind), changes)

    def page(self, preview: Preview) -> bytes:
        """The specimen's page as PDF; `InvalidClaims` when it does not fit or the font lacks a character."""
        return self.typesetter.typeset(preview.licence, as_specimen(preview.kind), code=self.url).pdf

    def picture(self, preview: Preview) -> bytes:
        """The same as PNG."""
        return self.typesetter.picture(preview.licence, as_specimen(preview.kind), code=self.url)


def metadata_document(kind: LicenceType) -> bytes:
    """The type metadata of a version, byte for byte as it is served."""
    return dump_json(describe(kind))
