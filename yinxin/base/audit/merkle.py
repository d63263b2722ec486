"""Merkle trees of RFC 6962, section 2: hashing, proofs, and their verification.

Pure functions over SHA-256. Making a proof asks its caller for subtree hashes through a function, so that it
does not matter whether they come from a list or from stored tiles.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # The hash of the entries from a first index up to, but without, a last one.
    Subtree = Callable[[int, int], bytes]

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry; the prefix keeps entries and inner nodes apart (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_hash(hashes: Sequence[bytes]) -> bytes:
    """The tree hash over hashes of leaves, or of equally high full subtrees."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        # An odd last node rises unchanged, which is the tree that RFC 6962 defines by recursion.
        paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def inclusion_path(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The audit path of one leaf, from its sibling up to the root's child (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise UsageError(f"no entry {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The proof that the first `old` entries of both trees are the same (RFC 6962, 2.1.2)."""
    if not 0 <= old <= new:
        raise UsageError(f"no consistency between trees of {old} and {new}")
    if old in {0, new}:
        return ()
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree(start, end))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf hash `leaf` stands at `index` of the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes((leaf, root, *path)):
        return False
    node, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found, root)


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the new tree holds the old one unchanged as its beginning (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= new_size or not _are_hashes((old_root, new_root, *path)):
        return False
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    if old_size == new_size:
        return not path and hmac.compare_digest(old_root, new_root)
    # A full old tree is itself the first node of the proof.
    nodes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not nodes:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and hmac.compare_digest(old, old_root) and hmac.compare_digest(new, new_root)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _are_hashes(values: Sequence[bytes]) -> bool:
    return len(values) <= 130 and all(
        isinstance(value, bytes) and len(value) == HASH_BYTES for value in values
    )
