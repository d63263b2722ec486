"""The catalogue: which kinds of licence can be issued.

A kind is a TOML file that an office edits; `credentials.type_files` reads it strictly and says in plain
words what is wrong. What a kind holds is `credentials.licence_type`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from credentials.licence_type import InvalidCatalogue, LicenceType
from credentials.type_files import read_folder
from yinxin.base.errors import UnknownLicenceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BUILT_IN", "Catalogue", "InvalidCatalogue", "LicenceType"]

BUILT_IN = Path(__file__).parent / "types"


class Catalogue:
    """All kinds of licence that can be issued here."""

    def __init__(self, types: Iterable[LicenceType]) -> None:
        """Keep types; two of one code, number or vct are `InvalidCatalogue`."""
        self._types = {one.code: one for one in sorted(types, key=lambda one: one.code)}
        self._by_number = {one.number: one for one in self}
        self._by_vct = {one.vct: one for one in self}

    @classmethod
    def load(cls, directory: str | Path | None = None) -> Catalogue:
        """Read every `*.toml` of a folder, else the built-in kinds; `InvalidCatalogue` has all faults."""
        return cls(read_folder(Path(directory) if directory else BUILT_IN))

    def __getitem__(self, code: str) -> LicenceType:
        try:
            return self._types[code]
        except KeyError as exc:
            raise UnknownLicenceType(f"{code!r}; known: {', '.join(self._types)}") from exc

    def __iter__(self) -> Iterator[LicenceType]:
        return iter(self._types.values())

    def __len__(self) -> int:
        return len(self._types)

    def by_number(self, number: str) -> LicenceType:
        """The type of this 36904 type code; `UnknownLicenceType` when there is none."""
        if number not in self._by_number:
            raise UnknownLicenceType(f"no type {number!r}")
        return self._by_number[number]

    def by_vct(self, vct: str) -> LicenceType:
        """The type of this SD-JWT VC type; `UnknownLicenceType` when there is none."""
        if vct not in self._by_vct:
            raise UnknownLicenceType(f"no type {vct!r}")
        return self._by_vct[vct]
