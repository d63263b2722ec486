"""Trees and proofs against the definition of RFC 6962, written out as it stands there."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinxin.base.audit.merkle import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from yinxin.base.audit.tiles import GrowingTree, TileName, TileReader
from yinxin.base.errors import MalformedInput, UsageError

# RFC 6962 test data as published with the first implementation of certificate transparency.
KNOWN = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
KNOWN.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
KNOWN_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@cache
def leaf(index: int) -> bytes:
    return leaf_hash(index.to_bytes(4, "big"))


@cache
def by_definition(start: int, end: int) -> bytes:
    """MTH of RFC 6962, 2.1, over the entries `start` up to `end`."""
    if end - start == 0:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return leaf(start)
    k = 1
    while k * 2 < end - start:
        k *= 2
    children = by_definition(start, start + k) + by_definition(start + k, end)
    return hashlib.sha256(b"\x01" + children).digest()


class Tiles:
    """A tree as it is kept: nothing but tiles."""

    def __init__(self) -> None:
        self.stored: dict[tuple[int, int], bytes] = {}
        self.size = 0

    def read(self, level: int, number: int) -> bytes:
        return self.stored.get((level, number), b"")

    def grow(self, to: int) -> bytes:
        """Start from the tiles alone, as after a restart."""
        tree = GrowingTree(self.size, self.read)
        tree.append(leaf(i) for i in range(self.size, to))
        for name, hashes in tree.changed.items():
            assert hashes.startswith(self.stored.get(name, b"")), "a tile only grows"
        self.stored |= tree.changed
        self.size = tree.size
        return tree.root()


def test_published_roots() -> None:
    for size, root in KNOWN_ROOTS.items():
        assert root_hash([leaf_hash(entry) for entry in KNOWN[:size]]).hex() == root


def test_the_root_is_the_recursive_definition_at_every_size() -> None:
    tiles = Tiles()
    for size in range(1400):
        assert tiles.grow(size) == by_definition(0, size)
        if size % 37 == 0:
            assert TileReader(size, tiles.read).root() == by_definition(0, size)
    assert by_definition(0, 0) == EMPTY_ROOT


def test_the_root_is_right_where_tiles_fill_up() -> None:
    tiles = Tiles()
    for size in (255, 256, 257, 65_535, 65_536, 65_537, 65_536 + 256, 66_000, 70_000):
        assert tiles.grow(size) == by_definition(0, size)
        assert TileReader(size, tiles.read).root() == by_definition(0, size)
    # C2SP tlog-tiles, the example of a tree of size 70,000
    widths = {name: len(hashes) // 32 for name, hashes in tiles.stored.items()}
    assert sum(width == 256 for (level, _), width in widths.items() if level == 0) == 273
    assert (widths[0, 273], widths[1, 0], widths[1, 1], widths[2, 0]) == (112, 256, 17, 1)


@given(st.lists(st.integers(0, 400), max_size=6))
def test_however_the_entries_arrive_the_tree_is_the_same(batches: list[int]) -> None:
    tiles = Tiles()
    for count in batches:
        assert tiles.grow(tiles.size + count) == by_definition(0, tiles.size)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 64, 65, 100])
def test_every_entry_is_proved(size: int) -> None:
    root = by_definition(0, size)
    for index in range(size):
        path = inclusion_path(index, size, by_definition)
        assert verify_inclusion(leaf(index), index=index, size=size, path=path, root=root)
        for other in {index - 1, index + 1, size}:
            assert not verify_inclusion(leaf(index), index=other, size=size, path=path, root=root)
        assert not verify_inclusion(leaf(index + 1), index=index, size=size, path=path, root=root)
        assert not verify_inclusion(leaf(index), index=index, size=size, path=(*path, root), root=root)
        assert not verify_inclusion(leaf(index), index=index, size=size, path=path, root=leaf(9999))
        for i in range(len(path)):
            broken = (*path[:i], leaf(9999), *path[i + 1 :])
            assert not verify_inclusion(leaf(index), index=index, size=size, path=broken, root=root)
            shorter = path[:i] + path[i + 1 :]
            assert not verify_inclusion(leaf(index), index=index, size=size, path=shorter, root=root)


def test_every_pair_of_sizes_is_consistent() -> None:
    for new in range(40):
        for old in range(new + 1):
            path = consistency_path(old, new, by_definition)
            trees = {
                "old_size": old,
                "new_size": new,
                "old_root": by_definition(0, old),
                "new_root": by_definition(0, new),
            }
            assert verify_consistency(**trees, path=path)  # type: ignore[arg-type]
            assert not verify_consistency(**{**trees, "new_root": leaf(9999)}, path=path) or old == 0  # type: ignore[arg-type]
            assert not verify_consistency(**{**trees, "old_root": leaf(9999)}, path=path)  # type: ignore[arg-type]
            assert not verify_consistency(**trees, path=(*path, leaf(1)))  # type: ignore[arg-type]
            for i in range(len(path)):
                broken = (*path[:i], leaf(9999), *path[i + 1 :])
                assert not verify_consistency(**trees, path=broken)  # type: ignore[arg-type]


@given(st.integers(1, 70_000), st.data())
def test_proofs_from_tiles_hold_in_a_large_tree(size: int, data: st.DataObject) -> None:
    tree = TileReader(size, _LARGE.read)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    root = tree.root()
    path = inclusion_path(index, size, tree.subtree)
    assert verify_inclusion(leaf(index), index=index, size=size, path=path, root=root)
    assert verify_consistency(
        old_size=old,
        old_root=TileReader(old, _LARGE.read).root(),
        new_size=size,
        new_root=root,
        path=consistency_path(old, size, tree.subtree),
    )


@given(
    st.binary(max_size=40),
    st.integers(-5, 1 << 70),
    st.integers(-5, 1 << 70),
    st.lists(st.binary(min_size=32, max_size=32) | st.binary(max_size=33), max_size=140),
    st.binary(max_size=40),
)
def test_any_proof_is_answered(leaf_: bytes, index: int, size: int, path: list[bytes], root: bytes) -> None:
    assert verify_inclusion(leaf_, index=index, size=size, path=path, root=root) in {True, False}
    trees = {"old_size": index, "old_root": leaf_, "new_size": size, "new_root": root}
    assert verify_consistency(**trees, path=path) in {True, False}  # type: ignore[arg-type]


def test_a_proof_of_what_is_not_there_is_refused() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(UsageError):
            inclusion_path(index, size, by_definition)
    with pytest.raises(UsageError):
        consistency_path(6, 5, by_definition)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tile/0/000", TileName(0, 0)),
        ("tile/0/x001/x234/067", TileName(0, 1_234_067)),
        ("tile/1/999.p/255", TileName(1, 999, 255)),
        ("tile/entries/x001/000.p/1", TileName(None, 1000, 1)),
    ],
)
def test_tiles_have_the_names_of_c2sp(path: str, name: TileName) -> None:
    assert str(name) == path
    assert TileName.parse(path) == name


@given(st.text() | st.from_regex(r"tile/(entries|[0-9]{1,3})/(x[0-9]{3}/)*[0-9]{1,4}(\.p/[0-9]{1,4})?"))
def test_any_path_is_a_tile_or_refused(path: str) -> None:
    with suppress(MalformedInput):
        assert str(TileName.parse(path)) == path


_LARGE = Tiles()
_LARGE.grow(70_000)
