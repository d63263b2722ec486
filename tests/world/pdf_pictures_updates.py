"""Updates of chance that change nothing, each written in another of the ways in which a PDF may be written.

The page that they follow has another content in its signed part, in no table: a reader that cannot read an
update repairs the file, and shows that content.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from world.pdf_paper import last_table

if TYPE_CHECKING:
    import random

    from world.pdf_paper import Paper

SPACES = (b" ", b" ", b" ", b"\n", b"\r\n", b"\r", b"\t", b"\x0c", b"\0", b"  ", b" % c\n", b"%\r", b" \n ")
ENDS = (b"\n", b"\n", b"\n", b"\r\n", b"\r", b" \n", b"\n\n", b"\n%c\n", b" ", b"\t\n", b"\0\n")


@dataclass
class Writer:
    """One update, by chance: `odd` is how often something unusual is written."""

    paper: Paper
    source: random.Random
    odd: float = 0.1
    out: bytearray = field(default_factory=bytearray)
    rows: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def write(self) -> bytes:
        """The file with the update behind it."""
        source = self.source
        self.out += self.paper.pdf
        objects = self._objects()
        packed = {
            number: body
            for number, body in objects.items()
            if source.random() < 0.3 and b"stream" not in body
        }
        is_stream = bool(packed) or source.random() < 0.4
        for number in source.sample(sorted(objects), len(objects)):
            if number not in packed:
                self._object(number, objects[number])
        if packed:
            self._pack(packed)
        if is_stream:
            self._stream()
        else:
            self._table()
        return bytes(self.out)

    @cached_property
    def _previous(self) -> int:
        return last_table(self.paper.pdf) or 0

    def _maybe(self) -> bool:
        return self.source.random() < self.odd

    def _pick(self, usual: bytes, *others: bytes) -> bytes:
        return self.source.choice(others) if self._maybe() else usual

    def _space(self) -> bytes:
        return self._pick(b" ", *SPACES)

    def _end(self) -> bytes:
        return self._pick(b"\n", *ENDS)

    def _objects(self) -> dict[int, bytes]:
        """Evidence, versions, information: and things that were there, written anew."""
        source = self.source
        catalogue = {key.encode(): value for key, value in self.paper.entry(1).items()}
        made = {201: self._stuff()}
        if source.random() < 0.7:
            made[200] = self._dictionary({b"Certs": b"[201 0 R]", **self._more()})
            catalogue[b"DSS"] = b"200 0 R"
        if source.random() < 0.3:
            catalogue[b"Version"] = b"/" + source.choice((b"1.7", b"2.0", b"1.9", b"9.9"))
        if source.random() < 0.2:
            catalogue[b"Extensions"] = b"<< /A << /BaseVersion /1.7 /ExtensionLevel 8 >> >>"
        made[1] = self._dictionary(catalogue)
        for number in (2, 3, 10, 11):
            if source.random() < 0.25:
                body = self.paper.objects[number]
                if isinstance(body, bytes):
                    made[number] = self._spelled(body)
                else:
                    made[number] = self._dictionary({key.encode(): value for key, value in body.items()})
        return made

    def _more(self) -> dict[bytes, bytes]:
        pairs = (
            (b"Type", b"/DSS"), (b"Type", b"/Catalog"), (b"Type", b"/ObjStm"), (b"Type", b"/XRef"),
            (b"Type", b"/Page"), (b"VRI", b"<< >>"), (b"Pages", b"2 0 R"), (b"Length", b"9"),
            (b"Linearized", b"1"), (b"Size", b"3"), (b"Prev", b"0"), (b"Encrypt", b"9 0 R"),
        )  # fmt: skip
        return dict(self.source.sample(pairs, self.source.randrange(3)))

    def _stuff(self) -> bytes:
        """A stream that nobody draws."""
        source = self.source
        data = source.choice((b"a", b"", b"xref", b"endstream", b"%%EOF", b"startxref 0", b"%PDF-1.4", b"<<"))
        if self._maybe():
            data += source.randbytes(9)
        entries = {b"Length": self._number(len(data)), **self._more()}
        opened = self._pick(b"stream\n", b"stream\r\n", b"stream\r")
        closed = self._pick(b"\nendstream", b"endstream", b"\r\nendstream", b"\n\nendstream")
        return self._dictionary(entries) + self._space() + opened + data + closed

    def _dictionary(self, entries: dict[bytes, bytes]) -> bytes:
        keys = list(entries)
        if self._maybe():
            self.source.shuffle(keys)
        pairs = b"".join(
            b"/" + self._name(key) + self._space() + self._spelled(entries[key]) + self._space()
            for key in keys
        )
        return b"<<" + self._space() + pairs + b">>"

    def _name(self, name: bytes) -> bytes:
        if not self._maybe():
            return name
        at = self.source.randrange(len(name))
        return name[:at] + b"#%02x" % name[at] + name[at + 1 :]

    def _spelled(self, body: bytes) -> bytes:
        """A value whose numbers and spaces are written otherwise, here and there."""
        if b"stream" in body:
            return body
        body = re.sub(
            rb"(?<=[ \[])(?<!\d )\d+(?=[ \]])(?! \d+ R| R)", lambda found: self._number(int(found[0])), body
        )
        return re.sub(rb" ", lambda _: self._space(), body)

    def _number(self, value: int) -> bytes:
        plain = b"%d" % value
        return self._pick(plain, b"+" + plain, b"00" + plain, plain + b".", plain + b".0", b"0" * 40 + plain)

    def _object(self, number: int, body: bytes) -> None:
        self.out += self._pick(b"", *SPACES)
        self.rows[number] = (1, len(self.out), 0)
        head = (self._pick(b"", b"0", b"00") + b"%d" % number, b"%d" % 0, b"obj")
        self.out += self._space().join(head[:1]) + self._space() + head[1] + self._space() + head[2]
        self.out += self._end() + body + self._end() + b"endobj" + self._end()

    def _pack(self, packed: dict[int, bytes]) -> None:
        source = self.source
        heads, data = b"", b""
        extra = {source.choice((11, 12, 400)): b"[9]"} if self._maybe() else {}
        listed = {**packed, **extra}
        for number, body in listed.items():
            heads += b"%d" % number + source.choice((b" ", b"\n")) + b"%d " % len(data)
            data += body + self._space()
        heads += self._pick(b"", b" ", b"\n\n", b"%c\n", b"7 7 ")
        entries = {b"Type": b"/ObjStm", b"N": b"%d" % len(listed), b"First": b"%d" % len(heads)}
        entries |= {b"Extends": b"201 0 R"} if self._maybe() else {}
        for index, number in enumerate(listed):
            if number in packed:
                self.rows[number] = (2, 300, index)
        self._object(300, self._squeezed(heads + data, entries))

    def _squeezed(self, data: bytes, entries: dict[bytes, bytes], columns: int = 4) -> bytes:
        """A stream, packed in one of several ways."""
        way = self.source.randrange(6) if self._maybe() else self.source.randrange(2)
        if way == 1:
            data, entries = zlib.compress(data), {**entries, b"Filter": b"/FlateDecode"}
        elif way == 2:
            data, entries = zlib.compress(data), {**entries, b"Filter": b"[ /FlateDecode ]"}
        elif way == 3:
            data, entries = data.hex().encode() + b">", {**entries, b"Filter": b"/ASCIIHexDecode"}
        elif way >= 4:
            rows = [data[at : at + columns] for at in range(0, len(data), columns)]
            data = zlib.compress(b"".join(b"\0" + row for row in rows))
            parameters = b"<< /Predictor %d /Columns %d >>" % (self.source.randrange(10, 16), columns)
            entries = {**entries, b"Filter": b"/FlateDecode", b"DecodeParms": parameters}
        data += self._pick(b"", b"\n", b"\0", b"more")
        entries = {**entries, b"Length": b"%d" % len(data)}
        return self._dictionary(entries) + b"\nstream\n" + data + b"\nendstream"

    def _ends(self) -> dict[bytes, bytes]:
        source = self.source
        size = max([400, *self.rows]) + 1
        entries = {
            b"Size": self._number(source.choice((size, size, size + 5, 5000))),
            b"Root": b"1 0 R",
            b"Prev": self._pick(
                b"%d" % self._previous,
                b"%d.0" % self._previous,
                b"+%d" % self._previous,
                b"0%d" % self._previous,
            ),
        }
        for key, value in (
            (b"ID", b"[<00><00>]"), (b"ID", b"[(a)]"), (b"Info", b"<< /Producer (a) >>"),
            (b"Info", b"999 0 R"), (b"Info", b"201 0 R"), (b"Type", b"/XRef"), (b"W", b"[1 1 1]"),
            (b"Index", b"[0 9]"), (b"Length", b"9"), (b"Filter", b"/FlateDecode"), (b"ID", b"999 0 R"),
        ):  # fmt: skip
            if source.random() < self.odd / 3:
                entries.setdefault(key, value)
        return entries

    def _runs(self) -> list[list[int]]:
        numbers = sorted(self.rows)
        if self._maybe():
            self.source.shuffle(numbers)
        runs: list[list[int]] = []
        for number in numbers:
            if runs and runs[-1][-1] == number - 1 and not self._maybe():
                runs[-1].append(number)
            else:
                runs.append([number])
        return runs

    def _unused(self) -> None:
        """Rows of objects that nothing refers to."""
        if self._maybe():
            self.rows[self.source.choice((0, 350, 351, 60))] = (
                0, self.source.choice((0, 0, 7)), self.source.choice((0, 1, 65535)),
            )  # fmt: skip

    def _table(self) -> None:
        self._unused()
        start = len(self.out)
        out = b"xref" + self._pick(b"\n", *ENDS)
        if self._maybe():
            out += b"0 0\n"
        for run in self._runs():
            out += self._pick(b"", b"0") + b"%d" % run[0] + self._pick(b" ", b"  ", b"\t") + b"%d" % len(run)
            out += self._pick(b"\n", b"\r\n", b" \n", b"\r", b" ")
            for number in run:
                kind, place, generation = self.rows[number]
                letter = b"n" if kind else b"f"
                ending = self._pick(b" \n", b"\r\n", b" \r")
                out += b"%010d %05d %b" % (place, generation, letter) + ending
        out += b"trailer" + self._pick(b"\n", *ENDS, b"") + self._dictionary(self._ends())
        self.out += out
        self._finish(start)

    def _stream(self) -> None:
        source = self.source
        self._unused()
        self.out += self._pick(b"", *SPACES)
        start = len(self.out)
        number = source.choice((301, 301, 301, 302, 60, 12))
        if source.random() < 0.8:
            self.rows[number] = (1, start, 0)
        widths = self._widths()
        runs = self._runs()
        rows = [self.rows[one] for run in runs for one in run]
        data = b"".join(
            part.to_bytes(width, "big")
            for row in rows
            for part, width in zip(row, widths, strict=True)
            if width
        )
        data += self._pick(b"", b"\0" * 20, b"more")
        index = b" ".join(b"%d %d" % (run[0], len(run)) for run in runs)
        entries = {**self._ends(), b"Type": b"/XRef", b"W": b"[%d %d %d]" % tuple(widths)}
        entries[b"Index"] = b"[" + index + b"]"
        body = self._squeezed(data, entries, sum(widths))
        self.out += b"%d" % number + self._space() + b"0" + self._space() + b"obj"
        self.out += self._end() + body + self._end() + b"endobj" + self._end()
        self._finish(start)

    def _widths(self) -> list[int]:
        last = max(row[2] for row in self.rows.values())
        kinds = {row[0] for row in self.rows.values()}
        choices = [[1, 4, 2], [1, 3, 2], [1, 4, 4], [2, 8, 4], [1, 8, 2]]
        if not last:
            choices += [[1, 4, 0], *([[0, 4, 0]] if kinds == {1} else [])]
        return self.source.choice(choices) if self._maybe() else [1, 4, 2]

    def _finish(self, start: int) -> None:
        self.out += self._end() + b"startxref" + self._pick(b"\n", *ENDS)
        self.out += self._pick(b"", b"0", b"000") + b"%d" % start
        self.out += self._pick(b"\n", *ENDS) + b"%%EOF" + self._pick(b"\n", b"", b"\r\n", b"\r", b" ", b"\0")
