"""A catalogue that changes while services run: the installation's type files, and what was approved since.

Each process looks into the database at most every few seconds, and sees a version begin on its day. Nothing
is restarted. A version in the database whose file is not what was agreed to stops the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from credentials.catalogue import Catalogue, Shelf
from credentials.licence import agency_day
from credentials.licence_type import InvalidCatalogue
from credentials.office.types.repository import TypeRepository
from credentials.office.types.versions import ChangeKind
from credentials.type_files import read_type
from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credentials.licence_type import LicenceType
    from credentials.office.types.versions import TypeChange
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

MAX_AGE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read, when, for which day, and how many changes had been approved."""

    shelf: Shelf
    day: date
    at: datetime
    changes: int

    def every_version(self) -> list[LicenceType]:
        """All versions, begun or not."""
        return [one for versions in self.shelf.versions.values() for one in versions]


class LiveCatalogue(Catalogue):
    """The catalogue of one agency as it is in force today. For any thread.

    `files` are the types that the installation came with; approved changes of the agency (its credit code)
    stand above them.
    """

    def __init__(
        self,
        files: Iterable[LicenceType],
        database: Database,
        *,
        agency: str,
        clock: Clock,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        self._files = tuple(files)
        self._database, self._agency, self._clock = database, agency, clock
        self._max_age = max_age
        self._latest: _Kept | None = None

    def refresh(self) -> None:
        """Look into the database at the next question, however young the last look is."""
        kept = self._latest
        if kept is not None:
            self._latest = replace(kept, at=kept.at - self._max_age)

    def _shelf(self) -> Shelf:
        now, kept = self._clock.now(), self._latest
        day = agency_day(now)
        if kept is not None and kept.day == day and timedelta(0) <= now - kept.at < self._max_age:
            return kept.shelf
        try:
            made = self._read(now, day, kept)
        except InvalidCatalogue:
            raise
        except UsageError:
            # Asked inside a transaction, where no second session may be open: that one waits for nobody.
            if kept is None:
                raise
            return kept.shelf if kept.day == day else Shelf.of(kept.every_version(), day)
        self._latest = made
        return made.shelf

    def _read(self, now: datetime, day: date, kept: _Kept | None) -> _Kept:
        with self._database.reading() as session:
            repository = TypeRepository(session, agency=self._agency)
            changes = repository.approved_count()
            if kept is not None and kept.changes == changes and kept.day == day:
                return replace(kept, at=now)
            approved = repository.approved()
        return _Kept(Shelf.of(assemble(self._files, approved), day), day, now, changes)


def assemble(files: Iterable[LicenceType], approved: Iterable[TypeChange]) -> list[LicenceType]:
    """All versions: those of the files, and on top what was approved; `InvalidCatalogue` for a broken row."""
    found = {(one.code, one.version): one for one in files}
    for change in approved:
        place = (change.code, change.version)
        if change.kind is ChangeKind.VERSION:
            found[place] = _agreed(change)
        elif place in found:
            found[place] = replace(found[place], until_day=change.day)
    return list(found.values())


def _agreed(change: TypeChange) -> LicenceType:
    """The type of an approved change, if it is still what was agreed to."""
    if change.consent is None or change.consent.digest != change.digest.hex():
        why = Text("与批准内容不一致", "is not what was agreed to")
        raise InvalidCatalogue([(f"{change.code} {change.version}", why)])
    return read_type(change.file, f"{change.code}.toml")
