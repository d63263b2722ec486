"""What rows of an older register are known by: keyed digests, so that nobody finds a row by trying."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

from credentials.legacy.repairs import EDGES

if TYPE_CHECKING:
    from credentials.blind_index import BlindIndex
    from credentials.legacy.mapping import LegacyMapping
    from credentials.legacy.sheets import RawRow

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIAL_LENGTH = 20


class RowKeys:
    """The digests of one register's rows, and the serials of its licences."""

    def __init__(self, index: BlindIndex, agency: str, mapping: LegacyMapping) -> None:
        self._number = mapping.number
        # One digest under the index's key makes a key for the rows of this register.
        self._secret = index.of("legacy rows", f"{agency}\0{mapping.register}")

    def key(self, row: RawRow) -> bytes | None:
        """The key of a row's number; None without a number."""
        number = row.cells[self._number].strip(EDGES) if row.cells else ""
        said = number.encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, b"number\0" + said, "sha256") if number else None

    def digest(self, row: RawRow) -> bytes:
        """The digest of what a row says in the columns that the mapping names."""
        said = json.dumps(row.cells and sorted(row.cells.items()))
        return hmac.digest(self._secret, b"row\0" + said.encode(), "sha256")

    def serial(self, key: bytes) -> str:
        """The serial of the licence of a key: the same row always leads to the same identifier."""
        number = int.from_bytes(hmac.digest(self._secret, b"serial\0" + key, "sha256"), "big")
        serial = ""
        for _ in range(_SERIAL_LENGTH):
            number, digit = divmod(number, len(_ALPHABET))
            serial += _ALPHABET[digit]
        return serial
