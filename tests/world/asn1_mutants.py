"""Changed copies of DER structures: of their bytes, and of their elements with lengths that fit again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signing import der
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

CONSTRUCTED = 0x20
TAGS = (0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x82, 0xA0, 0xA1, 0xA3)
NUMBERS = (b"", b"\0", b"\1", b"\x7f", b"\xff", b"\0\xff", b"\x80" * 21, b"\xff" * 9)


@dataclass
class Node:
    """One element: its tag, and the elements in it or its bytes."""

    tag: int
    encoded: bytes
    children: list[Node] = field(default_factory=list)
    prefix: bytes = b""  # what stands before the elements inside a BIT STRING


class Mutator:
    """Makes mutants of one structure."""

    def __init__(self, original: bytes) -> None:
        self.original = original
        self._root = _node(der.read_exactly(original, original[0]))
        self._paths = list(_paths(self._root))

    def mutant(self, source: random.Random) -> bytes:
        """A changed copy; one in many is the same as the original."""
        if source.random() < 0.4:
            changed = self.original
            for _ in range(source.choice((1, 1, 1, 2, 4))):
                changed = _of_bytes(changed, source)
            return changed
        return self._of_elements(source)

    def _of_elements(self, source: random.Random) -> bytes:
        path = source.choice(self._paths)
        node, other = self._at(path), self._at(source.choice(self._paths))
        encoded, content = node.encoded, _content(node.encoded)
        new = source.choice(
            (
                lambda: b"",
                lambda: encoded + encoded,
                lambda: other.encoded,
                lambda: encoded + other.encoded,
                lambda: other.encoded + encoded,
                lambda: der.tlv(node.tag, _content(other.encoded)),
                lambda: der.tlv(source.choice(TAGS), content),
                lambda: der.tlv(node.tag, source.choice(NUMBERS)),
                lambda: der.tlv(node.tag, source.randbytes(source.randrange(40))),
                lambda: der.tlv(node.tag, content, b"\0"),
                lambda: der.tlv(node.tag, content[:-1]),
                lambda: der.tlv(node.tag, _of_bytes(content, source)),
                lambda: der.tlv(source.choice(TAGS), encoded),
                lambda: _long_form(encoded, source),
                lambda: _shuffled(node, source),
            )
        )()
        return self._with(self._root, path, new)

    def _at(self, path: Sequence[int]) -> Node:
        node = self._root
        for index in path:
            node = node.children[index]
        return node

    def _with(self, node: Node, path: Sequence[int], new: bytes) -> bytes:
        """The encoding with one element exchanged, lengths around it counted anew."""
        if not path:
            return new
        first, *rest = path
        parts = [child.encoded for child in node.children]
        parts[first] = self._with(node.children[first], rest, new)
        return der.tlv(node.tag, node.prefix, *parts)


def _node(element: der.Element) -> Node:
    if element.tag & CONSTRUCTED:
        return Node(element.tag, element.encoded, [_node(one) for one in der.children(element)])
    # Extensions and signatures hold DER inside of strings.
    prefix = b"\0" if element.tag == der.BIT_STRING else b""
    inside = element.content[len(prefix) :]
    if element.tag in {der.OCTET_STRING, der.BIT_STRING} and element.content.startswith(prefix):
        try:
            found = [_node(one) for one in der.children(der.Element(element.tag, inside, b""))]
        except MalformedInput:
            found = []
        if found and found[0].tag in {der.SEQUENCE, der.OCTET_STRING}:
            return Node(element.tag, element.encoded, found, prefix)
    return Node(element.tag, element.encoded)


def _paths(node: Node, before: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    yield before
    for index, child in enumerate(node.children):
        yield from _paths(child, (*before, index))


def _content(encoded: bytes) -> bytes:
    return der.read(encoded)[0].content


def _of_bytes(data: bytes, source: random.Random) -> bytes:
    out, size = bytearray(data), len(data) or 1
    place = source.randrange(size)
    kind = source.randrange(6)
    if kind == 0 and out:
        out[place] ^= 1 << source.randrange(8)
    elif kind == 1 and out:
        out[place] = source.choice((0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)))
    elif kind == 2:
        out[place:place] = source.randbytes(source.randrange(1, 5))
    elif kind == 3:
        del out[place : place + source.randrange(1, 9)]
    elif kind == 4:
        start = source.randrange(size)
        out[place : place + 8] = out[start : start + 8]
    else:
        del out[place:]
    return bytes(out)


def _long_form(encoded: bytes, source: random.Random) -> bytes:
    """The same element with a length that takes more octets than it needs, or none at all."""
    content = _content(encoded)
    if source.random() < 0.3:
        return bytes((encoded[0], 0x80)) + content + b"\0\0"
    count = source.choice((1, 2, 3, 4, 5, 9))
    return bytes((encoded[0], 0x80 | count)) + len(content).to_bytes(max(count, 4), "big")[-count:] + content


def _shuffled(node: Node, source: random.Random) -> bytes:
    parts = [child.encoded for child in node.children]
    source.shuffle(parts)
    return der.tlv(node.tag, node.prefix, *parts) if parts else node.encoded
