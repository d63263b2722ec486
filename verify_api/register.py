"""What the licence register says, as a value that verification can be a pure function of.

`RepositoryRegister` reads it from the licence repository of this installation; another register (a
city's, a ministry's) is one more class with `find`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from credentials.repository import LicenceRepository
from credentials.standing import Standing, followed, standing
from signing.jose import dump_json
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.licence import Event, Licence
    from yinxin.base.database import Database


MAX_LATER = 32


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a licence and what happened to it."""

    licence: Licence
    events: tuple[Event, ...]

    def standing(self, *, as_of: datetime, known_at: datetime) -> Standing:
        """How it stood."""
        return standing(self.licence, self.events, as_of=as_of, known_at=known_at)


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """What the register has of a licence; `named` is the version that an identifier named.

    Asked by the number alone (`named` is None), the version that was current at the moment answers, and
    `versions` are all of them, oldest first. `later` are versions behind the named one, where another took
    its place.
    """

    versions: tuple[Version, ...]
    named: Version | None = None
    later: tuple[Version, ...] = ()

    @property
    def snapshot_id(self) -> str:
        """SHA-256 over what standings follow from: versions, days and events, and no claim.

        Claims stay out, because who knows all but one of them could find that one by trying.
        """
        return hashlib.sha256(dump_json([_facts(one) for one in (*self.versions, *self.later)])).hexdigest()

    def standing(self, version: Version, *, as_of: datetime, known_at: datetime) -> Standing:
        """How a version stood, and what became of the one that took its place."""
        every = {
            one.licence.identifier: one.standing(as_of=as_of, known_at=known_at)
            for one in (*self.versions, *self.later)
        }
        return followed(every[version.licence.identifier], every)

    def version_at(self, *, as_of: datetime, known_at: datetime) -> Version:
        """The version that a question is about."""
        if self.named is not None:
            return self.named
        known = [one for one in self.versions if one.licence.recorded_at <= known_at]
        begun = [one for one in known if one.licence.starts_at <= as_of]
        return (begun or known or list(self.versions))[-1]


class LicenceRegister(Protocol):
    """Where licences are looked up."""

    def find(self, text: str, *, type_code: str | None = None, history: bool = True) -> RegisterEntry | None:
        """The licence that an identifier or a number names; `Conflict` when several do.

        Without `history` the version that is named, or else current, is enough.
        """
        ...


class RepositoryRegister:
    """The licence repository of this installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, text: str, *, type_code: str | None = None, history: bool = True) -> RegisterEntry | None:
        """The licence that an identifier or a number names; `Conflict` when several do."""
        identifier = _identifier(text)
        with self._database.reading() as session:
            licences = LicenceRepository(session)
            if identifier:
                found = licences.by_identifier(identifier)
            else:
                found = licences.by_number(text.strip(), type_code=type_code)
            if found is None:
                return None
            every = [found] if identifier or not history else licences.versions(found.identifier)
            versions = tuple(_version(licences, one) for one in every)
            later = _later(licences, versions[0]) if identifier else ()
        return RegisterEntry(versions, versions[0] if identifier else None, later)


def _version(licences: LicenceRepository, licence: Licence) -> Version:
    return Version(licence, tuple(licences.events(licence.identifier)))


def _later(licences: LicenceRepository, named: Version) -> tuple[Version, ...]:
    """The versions behind one whose place was taken; most licences have none, so they are not asked for."""
    if not any(event.replaced_by for event in named.events):
        return ()
    every = licences.versions(named.licence.identifier)[-MAX_LATER:]
    return tuple(_version(licences, one) for one in every if one.version > named.licence.version)


def _facts(version: Version) -> list[Any]:
    licence = version.licence
    since = [licence.effective_from] if licence.effective_from else []
    days = (licence.valid_from, licence.valid_until, licence.commitment_due, licence.recorded_at, *since)
    events = [
        [
            str(event.kind),
            event.effective_from.isoformat(),
            event.recorded_at.isoformat(),
            *([event.undoes] if event.undoes else []),
        ]
        for event in version.events
    ]
    return [licence.identifier, *(day.isoformat() if day else None for day in days), events]


def _identifier(text: str) -> str | None:
    try:
        return str(LicenceIdentifier.parse(text))
    except MalformedInput:
        return None
