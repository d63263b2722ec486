"""What a row leads to, as values: a licence without a document, an entry on another's licence, an ending.

Pure; `credentials.legacy.batch` writes them down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.foreign.licence import ForeignLicence
from credentials.licence import EndingKind, Event, Licence, Provenance, VersionKind, start_of_day
from yinxin.base.errors import UsageError
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.legacy.judging import Entry
    from credentials.legacy.keys import RowKeys
    from credentials.legacy.mapping import LegacyMapping
    from credentials.licence import Agency
    from credentials.licence_type import LicenceType

GROUND = "存量登记：依原登记系统的记载"


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the values of one register; `kind` is None for licences of other issuers."""

    agency: Agency
    mapping: LegacyMapping
    kind: LicenceType | None
    keys: RowKeys

    def licence(self, entry: Entry, digest: bytes, identifier: str, now: datetime) -> Licence:
        """A licence without a document; the days are those of the paper. Others' licences are never made."""
        kind, mapping = self.kind, self.mapping
        if kind is None:
            raise UsageError("licences of other issuers are indexed, never made here")
        return Licence(
            identifier=identifier,
            number=entry.number,
            type_code=kind.code,
            type_name=kind.name,
            version=1,
            agency=self.agency,
            holder_name=entry.holder_name,
            holder_code=entry.holder_code,
            claims=entry.claims,
            issued_at=now,
            recorded_at=now,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
            commitment_due=kind.commitment_day(entry.claims),
            type_version=kind.version,
            provenance=Provenance(mapping.source, digest.hex(), now, entry.issued_on),
        )

    def foreign(self, entry: Entry, now: datetime) -> ForeignLicence:
        """What is known of another's licence."""
        mapping, issuer = self.mapping, self.mapping.foreign
        if issuer is None:
            raise UsageError("a register of our own is not indexed as another's")
        return ForeignLicence(
            type_code=mapping.type_code,
            number=entry.number,
            type_name=issuer.type_name,
            issuer_code=issuer.code,
            issuer_name=issuer.name,
            verify_at=issuer.verify_at,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
            source=mapping.source,
            kept_by=self.agency.credit_code,
            recorded_at=now,
        )

    def ending(self, entry: Entry, now: datetime, *, actor: str) -> Event:
        """How the old system ended it; never before it began."""
        if entry.ended is None or entry.ended_on is None:
            raise UsageError("the row did not end")
        since = max(start_of_day(entry.ended_on), start_of_day(entry.valid_from))
        return Event(entry.ended, min(since, now), now, GROUND, self.mapping.register, actor)

    def superseding(self, successor: str, now: datetime, *, actor: str) -> Event:
        """The ending of a version whose row says something else now."""
        return Event(
            EndingKind.SUPERSEDED,
            now,
            now,
            GROUND,
            self.mapping.register,
            actor,
            replaced_by=successor,
            version_kind=VersionKind.CHANGED,
        )

    def identifier(self, key: bytes) -> str:
        """The identifier of the licence of a row: the same row always has the same."""
        if self.kind is None:
            raise UsageError("licences of other issuers have no identifier of ours")
        serial = self.keys.serial(key)
        return str(LicenceIdentifier.make(self.kind.number, self.agency.credit_code, serial, "001"))
