"""The licence repository (电子证照库): every query about licences, their events and their copies.

Nothing here commits: the service that opened the session does. What an event means for a moment is
`credentials.standing`, who may record one is the office's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from credentials.foreign.repository import ForeignRepository
from credentials.licence import (
    KIND_NAMES,
    Agency,
    Cause,
    Event,
    EventKind,
    Licence,
    Provenance,
    VersionKind,
    kind_of,
)
from credentials.records import (
    CredentialCopyRecord,
    LicenceEventRecord,
    LicenceRecord,
    NumberSeriesRecord,
)
from credentials.standing import Standing, standing, unknown
from yinxin.base.errors import Conflict, MalformedInput, NotFound, UsageError
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Table
    from sqlmodel import Session

    from credentials.blind_index import BlindIndex

_LICENCES: Table = LicenceRecord.__table__  # type: ignore[attr-defined]
_EVENTS: Table = LicenceEventRecord.__table__  # type: ignore[attr-defined]
_COPIES: Table = CredentialCopyRecord.__table__  # type: ignore[attr-defined]
_SERIES: Table = NumberSeriesRecord.__table__  # type: ignore[attr-defined]

# What every verification asks is built once: building a query costs more than running it.
_BY_IDENTIFIER = select(_LICENCES).where(_LICENCES.c.identifier == bindparam("wanted"))
_BY_NUMBER = select(_LICENCES).where(_LICENCES.c.number == bindparam("wanted"), _LICENCES.c.is_current)
_BY_NUMBER = _BY_NUMBER.limit(2)  # the second only shows that the number is not unique
_OF_HOLDER = select(_LICENCES).where(_LICENCES.c.holder_index == bindparam("wanted"), _LICENCES.c.is_current)
_OF_HOLDER = _OF_HOLDER.order_by(_LICENCES.c.issued_at.desc(), _LICENCES.c.identifier.desc())
_EVENTS_OF = select(_EVENTS).where(_EVENTS.c.licence == bindparam("wanted")).order_by(_EVENTS.c.sequence)


@dataclass(frozen=True, slots=True)
class CredentialCopy:
    """One machine copy of a licence: its status entry, the holder's key (fingerprint) and its SHA-256.

    A copy that an event ended says when and by which kind; it never holds again.
    """

    status_uri: str
    status_index: int
    licence: str
    holder_key: str | None
    digest: str
    made_at: datetime
    retired_at: datetime | None = None
    retired_by: str | None = None


class LicenceRepository:
    """Licences in the caller's session. `index` is needed to add licences that holders can be found by."""

    def __init__(self, session: Session, *, index: BlindIndex | None = None) -> None:
        self._session = session
        self._index = index

    def add(self, licence: Licence) -> None:
        """Add a version, which becomes the current one; those that it comes from name it.

        A second first version, a version that is there already, or a number in use is a `Conflict`.
        """
        if ForeignRepository(self._session).taken(licence.type_code, [licence.number]):
            raise Conflict("another agency issued the licence of this number: it is not issued here")
        if licence.replaces:
            self._retire(licence)
        for origin in licence.origins:
            self._name_successor(origin, licence.identifier)
        row = _row(licence)
        row["holder_index"] = self._index.of("holder", licence.holder_code) if self._index else None
        self._insert(_LICENCES, [row], f"licence {licence.identifier} or its number exists already")

    def add_all(self, licences: Sequence[Licence]) -> None:
        """Add first versions at once; `Conflict`, and none of them, when one of them or its number exists."""
        rows = [_row(licence) for licence in licences]
        if self._index:
            for row, licence in zip(rows, licences, strict=True):
                row["holder_index"] = self._index.of("holder", licence.holder_code)
        if rows:
            self._insert(_LICENCES, rows, "one of these licences, or its number, exists already")

    def fill_document(self, identifier: str, *, pdf_sha256: str, sealed_at: datetime) -> bool:
        """Give a licence of an older register its document, once; whether it had none and is current."""
        bare = _LICENCES.c.pdf_sha256.is_(None) & _LICENCES.c.provenance.is_not(None) & _LICENCES.c.is_current
        filled = update(_LICENCES).where(_LICENCES.c.identifier == identifier, bare)
        values = {"pdf_sha256": pdf_sha256, "issued_at": sealed_at, "wanted_at": None}
        found = self._session.execute(filled.values(values))
        return bool(found.rowcount == 1)  # type: ignore[attr-defined]  # an update's result has it

    def want_document(self, identifier: str, *, at: datetime) -> None:
        """Ask for the document of a licence that has none, from whoever has the seal at hand."""
        bare = _LICENCES.c.pdf_sha256.is_(None) & _LICENCES.c.wanted_at.is_(None)
        wanted = update(_LICENCES).where(_LICENCES.c.identifier == identifier, bare)
        self._session.execute(wanted.values(wanted_at=at))

    def wanted_documents(self, *, agency: str, limit: int) -> list[str]:
        """Licences of an agency whose document was asked for, the longest waiting first."""
        query = select(_LICENCES.c.identifier).where(
            _LICENCES.c.wanted_at.is_not(None), _LICENCES.c.agency_code == agency
        )
        return list(self._session.execute(query.order_by(_LICENCES.c.wanted_at).limit(limit)).scalars())

    def forget_wishes(self, identifiers: Collection[str]) -> None:
        """These get no document now; who asks again is heard again."""
        refused = update(_LICENCES).where(_LICENCES.c.identifier.in_(identifiers))
        self._session.execute(refused.values(wanted_at=None))

    def add_copy(self, copy: CredentialCopy) -> None:
        """Remember a machine copy."""
        row = {name: getattr(copy, name) for name in CredentialCopy.__slots__}
        self._insert(_COPIES, [row], "this status entry belongs to another copy")

    def by_identifier(self, identifier: str) -> Licence | None:
        """The version with this 36904 identifier."""
        return self._one(_BY_IDENTIFIER, wanted=identifier)

    def by_number(
        self, number: str, *, type_code: str | None = None, agency: str | None = None
    ) -> Licence | None:
        """The current version of the licence with this number; of one agency (its credit code) where named.

        Two types may use the same number: `Conflict` then, unless `type_code` says which.
        """
        query = _BY_NUMBER
        if agency is not None:
            query = query.where(_LICENCES.c.agency_code == agency)
        if type_code is not None:
            query = query.where(_LICENCES.c.type_code == type_code)
        found = self._all(query, wanted=number)
        if len(found) > 1:
            raise Conflict(
                "licences of several types have this number: say which type, or use the identifier"
            )
        return found[0] if found else None

    def by_pdf(self, sha256: str) -> Licence | None:
        """The version whose sealed PDF has this SHA-256 (hex)."""
        return self._one(select(_LICENCES).where(_LICENCES.c.pdf_sha256 == sha256))

    def find(self, text: str, *, agency: str | None = None) -> Licence | None:
        """The licence that an identifier or number names, as people type it; of one agency where named."""
        try:
            identifier = str(LicenceIdentifier.parse(text))
        except MalformedInput:
            return self.by_number(text.strip(), agency=agency)
        found = self.by_identifier(identifier)
        return found if agency is None or (found and found.agency.credit_code == agency) else None

    def of_holder(self, code: str, *, limit: int = 100) -> list[Licence]:
        """Current versions of the licences that a holder has, newest first; needs the index."""
        if self._index is None:
            raise UsageError("licences are found by their holder with the key of the index only")
        return self._all(_OF_HOLDER.limit(limit), wanted=self._index.of("holder", code))

    def index_holders(self, *, limit: int = 1000) -> int:
        """Index up to `limit` licences that were added without the key; returns how many there were."""
        if self._index is None:
            raise UsageError("holders are indexed with the key of the index only")
        bare = select(_LICENCES.c.identifier, _LICENCES.c.holder_code).where(
            _LICENCES.c.holder_index.is_(None), _LICENCES.c.erased_at.is_(None)
        )
        rows = self._session.execute(bare.limit(limit)).all()
        for identifier, code in rows:
            found = update(_LICENCES).where(_LICENCES.c.identifier == identifier)
            self._session.execute(found.values(holder_index=self._index.of("holder", code)))
        return len(rows)

    def versions(self, identifier: str) -> list[Licence]:
        """Every version of the licence that an identifier of any version names, oldest first."""
        query = select(_LICENCES).where(_LICENCES.c.lineage == lineage(identifier))
        return self._all(query.order_by(_LICENCES.c.version))

    def events(self, identifier: str) -> list[Event]:
        """What happened to one version, in the order it was recorded."""
        return [_event(row) for row in self._session.execute(_EVENTS_OF, {"wanted": identifier})]

    def copies(self, identifier: str) -> list[CredentialCopy]:
        """The machine copies of one version."""
        query = select(_COPIES).where(_COPIES.c.licence == identifier).order_by(_COPIES.c.made_at)
        return [CredentialCopy(**row._mapping) for row in self._session.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name

    def retire_copies(self, identifier: str, *, by: str, at: datetime) -> list[CredentialCopy]:
        """Mark the copies of a version that still held as ended; returns them."""
        ended = [copy for copy in self.copies(identifier) if copy.retired_at is None]
        mine = (_COPIES.c.licence == identifier) & _COPIES.c.retired_at.is_(None)
        self._session.execute(update(_COPIES).where(mine).values(retired_at=at, retired_by=by))
        return ended

    def for_change(self, identifier: str) -> Licence:
        """A version, locked until the transaction ends, so that its history cannot grow behind our back."""
        query = select(_LICENCES).where(_LICENCES.c.identifier == identifier).with_for_update()
        found = self._one(query)
        if found is None:
            raise NotFound(f"no licence {identifier}")
        return found

    def add_event(self, identifier: str, event: Event) -> Event:
        """Record an event, and return it with its sequence.

        `Conflict` for an event after an ending that stands, and for an undoing of what does not, whoever was
        faster.
        """
        self.for_change(identifier)
        if event.kind is EventKind.UNDONE:
            self._lift(identifier, event)
        count, endings = self._session.execute(
            select(func.count(), func.max(_EVENTS.c.kind).filter(_EVENTS.c.is_ending)).where(
                _EVENTS.c.licence == identifier
            )
        ).one()
        if endings is not None:
            raise Conflict(f"the licence has ended already: {KIND_NAMES[kind_of(endings)].en}")
        row = {"licence": identifier, "sequence": count + 1, **_event_row(event)}
        self._insert(_EVENTS, [row], "somebody else recorded an event of this licence meanwhile")
        return replace(event, sequence=count + 1)

    def standing(self, identifier: str, *, as_of: datetime, known_at: datetime) -> Standing:
        """How a version stood; the state is `unknown` for an identifier that is not here."""
        licence = self.by_identifier(identifier)
        if licence is None:
            return unknown(as_of=as_of, known_at=known_at)
        return standing(licence, self.events(identifier), as_of=as_of, known_at=known_at)

    def take_serials(self, type_code: str, series: str, *, count: int = 1) -> range:
        """Give away the next serials of a series of numbers."""
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        start = dialect.insert(_SERIES).values(type_code=type_code, series=series, last=count)
        counted = start.on_conflict_do_update(
            index_elements=["type_code", "series"], set_={"last": _SERIES.c.last + count}
        ).returning(_SERIES.c.last)
        last: int = self._session.execute(counted).scalar_one()
        return range(last - count + 1, last + 1)

    def count(self) -> int:
        """How many current versions there are."""
        query = select(func.count()).select_from(_LICENCES).where(_LICENCES.c.is_current)
        return int(self._session.execute(query).scalar_one())

    def _retire(self, successor: Licence) -> None:
        """Make the version before no longer current, if it still is."""
        retired = (
            update(_LICENCES)
            .where(_LICENCES.c.identifier == successor.replaces, _LICENCES.c.is_current)
            .values(is_current=False, replaced_by=successor.identifier)
        )
        if self._session.execute(retired).rowcount != 1:  # type: ignore[attr-defined]  # an update's result has it
            raise Conflict("the licence was replaced already")

    def _name_successor(self, origin: str, successor: str) -> None:
        """Have a version name what a merger or split made of it; it stays the last of its own number."""
        found = self.for_change(origin)
        named = update(_LICENCES).where(_LICENCES.c.identifier == origin)
        self._session.execute(named.values(successors=[*found.successors, successor]))

    def _lift(self, identifier: str, undoing: Event) -> None:
        """Let an ending that is undone stand no longer; a pause has nothing to lift."""
        named = (_EVENTS.c.licence == identifier) & (_EVENTS.c.sequence == undoing.undoes)
        lifted = update(_EVENTS).where(named, _EVENTS.c.is_ending).values(is_ending=False)
        if self._session.execute(lifted).rowcount == 1:  # type: ignore[attr-defined]  # as above
            return
        kind = self._session.execute(select(_EVENTS.c.kind).where(named)).scalar_one_or_none()
        if kind is None or kind_of(kind) is not EventKind.SUSPENDED:
            raise Conflict("this event was undone already, or there is no such event")

    def _insert(self, table: Table, rows: Sequence[dict[str, Any]], otherwise: str) -> None:
        try:
            self._session.execute(insert(table), rows)
        except IntegrityError as exc:
            raise Conflict(otherwise) from exc

    def _one(self, query: Any, **values: object) -> Licence | None:
        row = self._session.execute(query, values).one_or_none()
        return _licence(row) if row else None

    def _all(self, query: Any, **values: object) -> list[Licence]:
        return [_licence(row) for row in self._session.execute(query, values)]


def lineage(identifier: str) -> str:
    """What the identifiers of all versions of one licence share: type, issuer and serial."""
    parsed = LicenceIdentifier.parse(identifier)
    return f"{parsed.type_code}.{parsed.issuer}.{parsed.serial}"


def _row(licence: Licence) -> dict[str, Any]:
    return {
        "identifier": licence.identifier,
        "lineage": lineage(licence.identifier),
        "version": licence.version,
        "is_current": True,
        "number": licence.number,
        "type_code": licence.type_code,
        "type_name_zh": licence.type_name.zh,
        "type_name_en": licence.type_name.en,
        "agency_zh": licence.agency.name.zh,
        "agency_en": licence.agency.name.en,
        "agency_code": licence.agency.credit_code,
        "holder_name": licence.holder_name,
        "holder_code": licence.holder_code,
        "claims": dict(licence.claims),
        "issued_at": licence.issued_at,
        "recorded_at": licence.recorded_at,
        "valid_from": licence.valid_from,
        "valid_until": licence.valid_until,
        "commitment_due": licence.commitment_due,
        "replaces": licence.replaces,
        "replaced_by": licence.replaced_by,
        "pdf_sha256": licence.pdf_sha256,
        "type_version": licence.type_version,
        "provenance": licence.provenance.to_dict() if licence.provenance else None,
        "erased_at": licence.erased_at,
        "kind": str(licence.kind),
        "effective_from": licence.effective_from,
        "origins": list(licence.origins) or None,
        "successors": list(licence.successors) or None,
    }


def _licence(row: Any) -> Licence:
    return Licence(
        identifier=row.identifier,
        number=row.number,
        type_code=row.type_code,
        type_name=Text(row.type_name_zh, row.type_name_en),
        version=row.version,
        agency=Agency(Text(row.agency_zh, row.agency_en), row.agency_code),
        holder_name=row.holder_name,
        holder_code=row.holder_code,
        claims=row.claims,
        issued_at=row.issued_at,
        recorded_at=row.recorded_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        commitment_due=row.commitment_due,
        replaces=row.replaces,
        replaced_by=row.replaced_by,
        pdf_sha256=row.pdf_sha256,
        type_version=row.type_version,
        provenance=Provenance.from_dict(row.provenance) if row.provenance else None,
        erased_at=row.erased_at,
        kind=_version_kind(row),
        effective_from=row.effective_from,
        origins=tuple(row.origins or ()),
        successors=tuple(row.successors or ()),
    )


def _version_kind(row: Any) -> VersionKind:
    if row.kind is None:
        return VersionKind.REPLACED if row.replaces else VersionKind.ISSUED
    return VersionKind(row.kind)


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "kind": str(event.kind),
        "is_ending": event.is_ending,
        "effective_from": event.effective_from,
        "recorded_at": event.recorded_at,
        "ground": event.ground,
        "document_number": event.document_number,
        "actor": event.actor,
        "replaced_by": event.replaced_by,
        "successors": list(event.successors) or None,
        "version_kind": str(event.version_kind) if event.version_kind else None,
        "cause": str(event.cause) if event.cause else None,
        "undoes": event.undoes,
    }


def _event(row: Any) -> Event:
    return Event(
        kind=kind_of(row.kind),
        effective_from=row.effective_from,
        recorded_at=row.recorded_at,
        ground=row.ground,
        document_number=row.document_number,
        actor=row.actor,
        replaced_by=row.replaced_by,
        successors=tuple(row.successors or ()),
        version_kind=VersionKind(row.version_kind) if row.version_kind else None,
        cause=Cause(row.cause) if row.cause else None,
        undoes=row.undoes,
        sequence=row.sequence,
    )
