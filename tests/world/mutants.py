"""Changed copies of a document, for tests that nothing changed passes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence


@dataclass(frozen=True)
class Edit:
    """One change: `kind` at `place` (modulo the length), of `size` bytes, from `source` or with `data`."""

    kind: str
    place: int
    size: int
    source: int
    data: bytes


def edited(original: bytes, edits: Sequence[Edit]) -> bytes:
    out = bytearray(original)
    for edit in edits:
        length = len(out) or 1
        place, source = edit.place % length, edit.source % length
        if edit.kind == "insert":
            out[place:place] = edit.data
        elif edit.kind == "delete":
            del out[place : place + edit.size]
        elif edit.kind == "copy":
            out[place : place + edit.size] = out[source : source + edit.size]
        elif edit.kind == "zero":
            out[place : place + edit.size] = b"0" * min(edit.size, len(out) - place)
        else:
            out[place : place + len(edit.data)] = edit.data
    return bytes(out)


def drawn_edits(*data: bytes, most: int = 3) -> st.SearchStrategy[list[Edit]]:
    """Lists of edits for a property; they write one of `data`, or any few bytes where nothing is said."""
    return st.lists(
        st.builds(
            Edit,
            st.sampled_from(["set", "insert", "delete", "copy", "zero"]),
            st.integers(0, 1 << 20),
            st.integers(1, 40),
            st.integers(0, 1 << 20),
            st.sampled_from(data) if data else st.binary(min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=most,
    )


def random_edits(source: random.Random, interesting: Sequence[int]) -> list[Edit]:
    """A few edits, half of them near places that matter: object heads, byte ranges, tables."""
    edits = []
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        near = source.random() < 0.5
        place = source.choice(interesting) + source.randrange(-4, 40) if near else source.randrange(1 << 20)
        kind = source.choice(("set", "set", "insert", "delete", "copy", "zero"))
        data = source.choice(
            (source.randbytes(source.randrange(1, 6)), b"%", b">>", b"<<", b" 0 R", b"9", b"/", b"\n")
        )
        edits.append(Edit(kind, max(place, 0), source.randrange(1, 40), source.randrange(1 << 20), data))
    return edits


def interesting_places(pdf: bytes) -> list[int]:
    names = rb"\d+ 0 obj|/ByteRange|/Contents|xref|trailer|/Fields|/V |/Kids|/Perms|/Prev|/Root|/Size|endobj"
    return [match.start() for match in re.finditer(names, pdf)]


def signed_part_is_unchanged(original: bytes, changed: bytes) -> bool:
    """Whether two files differ at most in what their signatures leave out."""
    return _without_gaps(original) == _without_gaps(changed)


def _without_gaps(pdf: bytes) -> bytes:
    ranges = re.findall(rb"/ByteRange\s*\[\s*0 (\d+) (\d+) (\d+)\s*\]", pdf)
    out = bytearray(pdf)
    for start, end, _ in ranges:
        out[int(start) : int(end)] = b"0" * (int(end) - int(start))
    return bytes(out)
