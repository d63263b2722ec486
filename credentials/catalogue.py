"""The catalogue: which kinds of licence can be issued, and in which version.

A kind is a TOML file that an office edits; `credentials.type_files` reads it strictly and says in plain
words what is wrong. What a kind holds is `credentials.licence_type`. A kind has versions: `catalogue[code]`
is the one in force, and a licence is read by the one that it was issued under.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from credentials.licence_type import InvalidCatalogue, LicenceType
from credentials.type_files import read_folder
from yinxin.base.errors import UnknownLicenceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from credentials.licence import Licence

__all__ = ["BUILT_IN", "Catalogue", "InvalidCatalogue", "LicenceType"]

BUILT_IN = Path(__file__).parent / "types"


@cache
def _built_in() -> tuple[LicenceType, ...]:
    """The kinds that come with the package: their files do not change while we run."""
    return tuple(read_folder(BUILT_IN))


@dataclass(frozen=True, slots=True)
class Shelf:
    """All versions of all kinds, and which of them are in force on one day."""

    versions: Mapping[str, tuple[LicenceType, ...]]
    current: Mapping[str, LicenceType]
    by_number: Mapping[str, LicenceType]
    by_vct: Mapping[str, LicenceType]
    configurations: Mapping[str, str]

    @classmethod
    def of(cls, types: Iterable[LicenceType], day: date | None) -> Shelf:
        """Sort the kinds by code and version; without a day the newest version is the one in force."""
        ordered = sorted(types, key=lambda one: (one.code, one.version))
        versions: dict[str, tuple[LicenceType, ...]] = {}
        for one in ordered:
            versions[one.code] = (*versions.get(one.code, ()), one)
        begun = [one for one in ordered if day is None or one.has_begun(day)]
        current = {one.code: one for one in begun}  # the last of each code is the newest
        by_number = {one.number: one for one in current.values()}
        by_vct = {one.vct: one for one in begun}
        return cls(versions, current, by_number, by_vct, _configurations(begun))


def _configurations(begun: Iterable[LicenceType]) -> dict[str, str]:
    """The id that wallets fetch each vct by: the kind's code, and its version where a later one began it."""
    found: dict[str, str] = {}
    codes: set[str] = set()
    for one in begun:
        if one.vct not in found:
            found[one.vct] = f"{one.code}.{one.version}" if one.code in codes else one.code
        codes.add(one.code)
    return found


class Catalogue:
    """All kinds of licence that can be issued here, or could once.

    An abolished kind stays: its licences are read and verified, and nothing new is issued
    (`LicenceType.is_abolished`).
    """

    def __init__(self, types: Iterable[LicenceType], *, day: date | None = None) -> None:
        """Keep types as they are in force on a day; without one the newest version of each."""
        self._kept = Shelf.of(types, day)

    @classmethod
    def load(cls, directory: str | Path | None = None) -> Catalogue:
        """Read every `*.toml` of a folder, else the built-in kinds; `InvalidCatalogue` has all faults."""
        return cls(read_folder(Path(directory)) if directory else _built_in())

    def _shelf(self) -> Shelf:
        """What is there now; a catalogue that changes looks here each time."""
        return self._kept

    def __getitem__(self, code: str) -> LicenceType:
        current = self._shelf().current
        try:
            return current[code]
        except KeyError as exc:
            raise UnknownLicenceType(f"{code!r}; known: {', '.join(current)}") from exc

    def __iter__(self) -> Iterator[LicenceType]:
        return iter(self._shelf().current.values())

    def __len__(self) -> int:
        return len(self._shelf().current)

    def at(self, day: date) -> Catalogue:
        """The catalogue as it is in force on another day."""
        return Catalogue(self.every_version(), day=day)

    def issuable(self, day: date) -> list[LicenceType]:
        """The kinds in force that are not abolished on a day."""
        return [one for one in self if not one.is_abolished(day)]

    def every_version(self) -> list[LicenceType]:
        """All versions of all kinds, also those that have not begun, by code and version."""
        return [one for versions in self._shelf().versions.values() for one in versions]

    def versions(self, code: str) -> tuple[LicenceType, ...]:
        """All versions of a kind, the first first; none for an unknown one."""
        return self._shelf().versions.get(code, ())

    def of(self, licence: Licence) -> LicenceType:
        """The version that a licence was issued under; `UnknownLicenceType` when it is not here."""
        for one in self.versions(licence.type_code):
            if one.version == licence.type_version:
                return one
        raise UnknownLicenceType(f"{licence.type_code!r} has no version {licence.type_version}")

    def vcts(self, code: str) -> tuple[str, ...]:
        """The SD-JWT VC types of a kind's versions so far, the newest first."""
        begun = [one.vct for one in self._shelf().by_vct.values() if one.code == code]
        return tuple(reversed(begun))

    def configurations(self) -> dict[str, LicenceType]:
        """What wallets fetch, by id (OpenID4VCI): each vct so far, as its newest version has it.

        A kind's code is the id of its first vct; one that version n began has `code.n`.
        """
        shelf = self._shelf()
        return {name: shelf.by_vct[vct] for vct, name in shelf.configurations.items()}

    def configuration_of(self, licence: Licence) -> str:
        """The id that copies of a licence are fetched by."""
        return self._shelf().configurations[self.of(licence).vct]

    def by_number(self, number: str) -> LicenceType:
        """The type of this 36904 type code; `UnknownLicenceType` when there is none."""
        found = self._shelf().by_number.get(number)
        if found is None:
            raise UnknownLicenceType(f"no type {number!r}")
        return found

    def by_vct(self, vct: str) -> LicenceType:
        """The newest version of this SD-JWT VC type; `UnknownLicenceType` when there is none."""
        found = self._shelf().by_vct.get(vct)
        if found is None:
            raise UnknownLicenceType(f"no type {vct!r}")
        return found
