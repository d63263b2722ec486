"""In which forms copies of licences are handed out, and what each is called (12.2.4).

Every licence is fetched as an SD-JWT VC, by its type's configuration. Where the issuer has a key for it, the
same licence is fetched as an mdoc too, by a configuration of its own; a wallet takes the one it understands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.oid4vci.repository import OfferedLicence
from credentials.oid4vci.vocabulary import MDOC_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.catalogue import Catalogue
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType


class CopyForms:
    """The configurations of one catalogue, by id."""

    def __init__(self, catalogue: Catalogue, *, with_mdoc: bool) -> None:
        self._catalogue, self._with_mdoc = catalogue, with_mdoc

    def __contains__(self, configuration: object) -> bool:
        return configuration in set(self)

    def __iter__(self) -> Iterator[str]:
        for name in self._catalogue.configurations():
            yield name
            if self._with_mdoc:
                yield name + MDOC_SUFFIX

    def __len__(self) -> int:
        return len(self._catalogue.configurations()) * (2 if self._with_mdoc else 1)

    def items(self) -> Iterator[tuple[str, LicenceType, bool]]:
        """Each id, its licence type, and whether it is the mdoc."""
        for name, kind in self._catalogue.configurations().items():
            yield name, kind, False
            if self._with_mdoc:
                yield name + MDOC_SUFFIX, kind, True

    def kind_of(self, configuration: str) -> LicenceType:
        """The licence type that a configuration hands out; a KeyError for one that is not here."""
        return self._catalogue.configurations()[configuration.removesuffix(MDOC_SUFFIX)]

    def of(self, licence: Licence) -> list[OfferedLicence]:
        """All forms that a licence is fetched in."""
        name = self._catalogue.configuration_of(licence)
        names = [name, name + MDOC_SUFFIX] if self._with_mdoc else [name]
        return [OfferedLicence(one, licence.identifier) for one in names]
