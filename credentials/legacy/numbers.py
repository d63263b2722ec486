"""Which numbers a file had so far: eight bytes for each, whatever the length of the file."""

from __future__ import annotations

from array import array

_SMALLEST = 1 << 12


class SeenNumbers:
    """A set of keyed digests; two of them are taken for one when 63 of their bits agree.

    In three million rows that happens by chance once in two million files.
    """

    def __init__(self) -> None:
        self._count = 0
        self._slots = array("Q", bytes(8 * _SMALLEST))

    def add(self, key: bytes) -> bool:
        """Whether the key is new."""
        if self._count * 2 > len(self._slots):
            self._grow()
        return self._put(int.from_bytes(key[:8], "big") | 1)

    def _put(self, value: int) -> bool:
        slots, mask = self._slots, len(self._slots) - 1
        place = (value >> 8) & mask
        while slots[place]:
            if slots[place] == value:
                return False
            place = (place + 1) & mask
        slots[place] = value
        self._count += 1
        return True

    def _grow(self) -> None:
        before, self._count = self._slots, 0
        self._slots = array("Q", bytes(16 * len(before)))
        for value in before:
            if value:
                self._put(value)
