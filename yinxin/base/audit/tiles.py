"""The tree cut into tiles of 256 hashes (C2SP tlog-tiles), read and grown.

A tile of level 0 holds leaf hashes, one of level n the roots of full tiles of level n-1. Only the rightmost
tile of each level is ever written to, and a tile only grows: a partial tile is the beginning of the full one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.base.audit.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, root_hash
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    # All hashes, side by side, that the tile of a level and number has by now.
    ReadTile = Callable[[int, int], bytes]

TILE_WIDTH = 256
ENTRIES = "entries"
_NUMBER = r"(?P<number>(x[0-9]{3}/){0,6}[0-9]{3})"
_PATH = re.compile(
    rf"tile/(?P<level>{ENTRIES}|[0-9]|[1-5][0-9]|6[0-3])/{_NUMBER}(\.p/(?P<width>[1-9][0-9]{{0,2}}))?\Z"
)


@dataclass(frozen=True, slots=True)
class TileName:
    """Which tile: `level` None is a bundle of entries, `width` below 256 a partial tile."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    def __str__(self) -> str:
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = ENTRIES if self.level is None else str(self.level)
        return f"tile/{level}/{path}" + (f".p/{self.width}" if self.width < TILE_WIDTH else "")

    @classmethod
    def parse(cls, path: str) -> TileName:
        """The tile that a path such as `tile/0/x001/067.p/112` names."""
        found = _PATH.match(path)
        if not found:
            raise MalformedInput("tile path")
        level = None if found["level"] == ENTRIES else int(found["level"])
        name = cls(level, int(re.sub("[x/]", "", found["number"])), int(found["width"] or TILE_WIDTH))
        if str(name) != path:
            raise MalformedInput("tile path", "not in its one form")
        return name


class TileReader:
    """Computes hashes of a tree of `size` leaves from its tiles, each read once."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        """The tree's root hash."""
        return self.subtree(0, self.size) if self.size else EMPTY_ROOT

    def subtree(self, start: int, end: int) -> bytes:
        """The hash over the leaves from `start` up to `end`, of a subtree that RFC 6962 has."""
        full: list[bytes] = []
        while start < end:
            height = (end - start).bit_length() - 1
            full.append(self._full_subtree(height, start >> height))
            start += 1 << height
        answer = full.pop()
        while full:
            answer = node_hash(full.pop(), answer)
        return answer

    def _full_subtree(self, height: int, number: int) -> bytes:
        level, inside = divmod(height, 8)
        tile, offset = divmod(number << inside, TILE_WIDTH)
        return root_hash(self._hashes(level, tile, offset, 1 << inside))

    def _hashes(self, level: int, number: int, offset: int, count: int) -> list[bytes]:
        key = (level, number)
        if key not in self._tiles:
            self._tiles[key] = self._read(level, number)
        return _cut(self._tiles[key][offset * HASH_BYTES : (offset + count) * HASH_BYTES])


class GrowingTree:
    """The right edge of a tree: takes new leaf hashes, knows the root, and which tiles changed."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self.changed: dict[tuple[int, int], bytes] = {}
        self._edge: list[list[bytes]] = []
        level = 0
        while size >> (8 * level):
            in_level = size >> (8 * level)
            number, width = divmod(in_level, TILE_WIDTH)
            self._edge.append(_cut(read(level, number)[: width * HASH_BYTES]) if width else [])
            level += 1

    def append(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes at the end."""
        touched = set()
        for leaf in leaves:
            touched |= self._add(0, leaf)
            self.size += 1
        for level in touched:
            if self._edge[level]:
                self.changed[level, self._number(level)] = b"".join(self._edge[level])

    def root(self) -> bytes:
        """The root hash of the tree as it is now."""
        answer: bytes | None = None
        for hashes in self._edge:  # from the right and lowest full subtree to the left and highest
            end = len(hashes)
            while end:
                width = end & -end
                found = root_hash(hashes[end - width : end])
                answer = found if answer is None else node_hash(found, answer)
                end -= width
        return EMPTY_ROOT if answer is None else answer

    def _add(self, level: int, value: bytes) -> set[int]:
        if level == len(self._edge):
            self._edge.append([])
        hashes = self._edge[level]
        hashes.append(value)
        if len(hashes) < TILE_WIDTH:
            return {level}
        self.changed[level, self.size >> (8 * (level + 1))] = b"".join(hashes)
        self._edge[level] = []
        return self._add(level + 1, root_hash(hashes))

    def _number(self, level: int) -> int:
        return self.size >> (8 * (level + 1))


def _cut(hashes: bytes) -> list[bytes]:
    return [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]
