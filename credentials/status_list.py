"""Token Status List (draft-ietf-oauth-status-list, 4): the list itself.

An array of small numbers, one for each credential copy. The tokens that carry it are signed in
`credentials.status_tokens` and verified in `credentials.status_snapshot`; keeping and publishing lists is the
work of `credentials.status_service`.
"""

from __future__ import annotations

import zlib
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from credentials.vocabulary import STATUS_LIST_BITS
from signing.base64url import decode_base64url, encode_base64url
from yinxin.base.errors import MalformedInput, NotFound, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LIST_BYTES = 16 << 20  # inflated: 64 million entries of two bits
_FEW = 64  # with fewer questions than one for so many bytes, spreading the list costs more than asking each
_PIECE = 1 << 20
_COMPRESSION = 6  # 15 % larger than 9 and fifteen times faster for a million entries


class StatusList:
    """Numbers of 1, 2, 4 or 8 bits in a row, the first in the lowest bits of the first byte (4.1)."""

    __slots__ = ("_mask", "_per_byte", "_values", "bits")

    def __init__(self, size: int, *, bits: int = 2) -> None:
        """A list of `size` entries, all 0 (valid), rounded up to whole bytes."""
        if bits not in STATUS_LIST_BITS:
            raise UsageError("a status has 1, 2, 4 or 8 bits")
        if not 0 < size <= MAX_LIST_BYTES * 8 // bits:
            raise UsageError("a status list of this size cannot be published")
        self.bits = bits
        self._per_byte, self._mask = 8 // bits, (1 << bits) - 1
        self._values = bytearray(-(-size // self._per_byte))

    @classmethod
    def from_bytes(cls, values: bytes, *, bits: int) -> StatusList:
        """The list that these bytes are, uncompressed."""
        answer = cls(1, bits=bits)
        if not 0 < len(values) <= MAX_LIST_BYTES:
            raise UsageError("a status list of this size cannot be published")
        answer._values = bytearray(values)
        return answer

    @classmethod
    def from_claim(cls, claim: Any, *, limit: int = MAX_LIST_BYTES) -> StatusList:
        """Read the `status_list` claim; `TooLarge` as soon as more than `limit` bytes are inflated."""
        if not isinstance(claim, dict):
            raise MalformedInput("status list", "not an object")
        bits = claim.get("bits")
        if type(bits) is not int or bits not in STATUS_LIST_BITS:
            raise MalformedInput("status list", "TSL 4.2: bits is not 1, 2, 4 or 8")
        if not isinstance(claim.get("aggregation_uri", ""), str):
            raise MalformedInput("status list", "TSL 4.2: aggregation_uri is no text")
        return cls.from_bytes(_inflate(decode_base64url(claim.get("lst")), limit), bits=bits)

    def to_claim(self) -> dict[str, Any]:
        """The `status_list` claim of a token."""
        return {"bits": self.bits, "lst": encode_base64url(zlib.compress(self._values, _COMPRESSION))}

    @classmethod
    def from_cbor(cls, claim: Any, *, limit: int = MAX_LIST_BYTES) -> StatusList:
        """Read the status list of a CWT, whose `lst` is a byte string (4.3)."""
        if not isinstance(claim, dict) or not isinstance(claim.get("lst"), bytes):
            raise MalformedInput("status list", "TSL 4.3: no map with lst in bytes")
        return cls.from_claim({**claim, "lst": encode_base64url(claim["lst"])}, limit=limit)

    def to_cbor(self) -> dict[str, Any]:
        """The status list of a CWT."""
        return {"bits": self.bits, "lst": zlib.compress(self._values, _COMPRESSION)}

    def to_bytes(self) -> bytes:
        """The entries, uncompressed."""
        return bytes(self._values)

    def get(self, index: int) -> int:
        """The value of one entry; `NotFound` outside the list."""
        place, entry = divmod(index, self._per_byte)
        if place < 0:
            raise _no_entry(index)
        try:
            return self._values[place] >> entry * self.bits & self._mask
        except IndexError as exc:
            raise _no_entry(index) from exc

    def get_many(self, indexes: Sequence[int]) -> bytes:
        """The values of many entries, in the order asked: for whoever checks a whole register.

        `NotFound` where one lies outside the list.
        """
        try:
            wanted = array("Q", indexes)  # side by side, and none below 0: thrice as fast to walk along
        except OverflowError as exc:
            raise _no_entry(min(indexes)) from exc
        if len(wanted) < len(self._values) // _FEW:
            return bytes(map(self.get, wanted))
        try:
            return bytes(map(self._spread().__getitem__, wanted))
        except IndexError as exc:
            raise _no_entry(max(wanted)) from exc

    def _spread(self) -> bytearray:
        """One byte for each entry, made by columns: all first entries of the bytes, then all second."""
        spread = bytearray(len(self))
        for column in range(self._per_byte):
            spread[column :: self._per_byte] = self._values.translate(_column(self.bits, column))
        return spread

    def set(self, index: int, value: int) -> None:
        """Change one entry."""
        self._check(index)
        if not 0 <= value < 1 << self.bits:
            raise UsageError(f"{value} does not fit in {self.bits} bits")
        place, shift = index // self._per_byte, index % self._per_byte * self.bits
        cleared = self._values[place] & ~((1 << self.bits) - 1 << shift)
        self._values[place] = cleared | value << shift

    def __len__(self) -> int:
        return len(self._values) * self._per_byte

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StatusList) and (self.bits, self._values) == (other.bits, other._values)

    __hash__ = None  # type: ignore[assignment] # it changes

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise _no_entry(index)


def _no_entry(index: int) -> NotFound:
    return NotFound(f"the status list has no entry {index}")


@lru_cache(32)
def _column(bits: int, column: int) -> bytes:
    """The entry at one place in a byte, for every byte that there is."""
    return bytes(byte >> column * bits & (1 << bits) - 1 for byte in range(256))


def _inflate(data: bytes, limit: int) -> bytes:
    """By pieces: a list that would inflate to more than `limit` is stopped there, and never copied whole."""
    work, pieces, size = zlib.decompressobj(), list[bytes](), 0
    try:
        while not work.eof:
            piece = work.decompress(data, _PIECE)
            data = work.unconsumed_tail
            if not piece and not data:
                break  # nothing more comes, and it was not the end
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise TooLarge("status list", f"inflates to more than {limit} bytes")
    except zlib.error as exc:
        raise MalformedInput("status list", "TSL 4.1: not a ZLIB stream") from exc
    if not work.eof or work.unused_data:
        raise MalformedInput("status list", "TSL 4.1: the ZLIB stream is cut off or followed by more")
    if not size:
        raise MalformedInput("status list", "no entries")
    return b"".join(pieces)
