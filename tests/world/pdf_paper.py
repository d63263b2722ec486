"""PDFs written by hand, object by object, as different makers do; and such as no tool makes.

Nothing of what is judged is used but `signing.cms`, which fills the signatures. The numbers of objects are
fixed, so that a test can say what it changes: 1 catalogue, 2 pages, 3 font, 10 page, 11 what it draws,
20 form, 40 the first signature's field and 41 its value (the next free ones where these are behind us).
"""

from __future__ import annotations

import copy
import hashlib
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signing import cms

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.signers.file import FileSigner

Body = bytes | dict[str, bytes]
ROOM = 9000  # bytes of a signature, with a time-stamp in it
HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_NUMBERS = b"********** ********** **********]"
SLOT = b"/ByteRange [0 " + _NUMBERS
PADES, PKCS7, RFC3161 = b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached", b"/ETSI.RFC3161"
DRAWING = (
    b"<< /Subtype /Form /BBox [0 0 99 99] /Resources << >> /Length 12 >>\nstream\n0 0 9 9 re f\nendstream"
)


def encoded(body: Body) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"<< " + b" ".join(b"/%b %b" % (key.encode(), value) for key, value in body.items()) + b" >>"


def stream(data: bytes, more: bytes = b"") -> bytes:
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (more, len(data), data)


def references(numbers: list[int]) -> bytes:
    return b"[" + b" ".join(b"%d 0 R" % number for number in numbers) + b"]"


def one_page(text: str = "Licence 001") -> dict[int, Body]:
    """The objects of a document of one page."""
    return {
        1: {"Type": b"/Catalog", "Pages": b"2 0 R"},
        2: {"Type": b"/Pages", "Kids": b"[10 0 R]", "Count": b"1", "MediaBox": b"[0 0 595 842]"},
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        10: {
            "Type": b"/Page",
            "Parent": b"2 0 R",
            "Resources": b"<< /Font << /F1 3 0 R >> >>",
            "Contents": b"11 0 R",
        },
        11: stream(b"BT /F1 24 Tf 72 700 Td (%b) Tj ET" % text.encode()),
    }


@dataclass
class Paper:
    """A PDF that grows by revisions. `objects` is how they stand now, `pdf` the file so far."""

    objects: dict[int, Body] = field(default_factory=one_page)
    layout: str = "table"
    head: bytes = HEAD
    trailer: bytes = b""
    pdf: bytes = b""
    fields: list[int] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pdf = self.head
        self.write(dict(self.objects))

    def copy(self) -> Paper:
        return copy.deepcopy(self)

    def entry(self, number: int, **entries: bytes) -> dict[str, bytes]:
        """A dictionary as it stands, with these entries."""
        body = self.objects[number]
        assert isinstance(body, dict)
        return {**body, **entries}

    def write(self, changes: dict[int, Body], **how: object) -> Paper:
        """One more revision with these objects. `layout`, `trailer` and what `revised` takes may differ."""
        self.objects.update(changes)
        values = {"layout": self.layout, "trailer": self.trailer, **how}
        bodies = {number: encoded(body) for number, body in changes.items()}
        self.pdf = revised(self.pdf, bodies, **values)  # type: ignore[arg-type]
        return self

    def form(self, fields: dict[int, Body], more: dict[int, Body] | None = None, **entries: bytes) -> Paper:
        """One more revision with form fields on the page, each its own widget."""
        self.fields += fields
        self.notes += fields
        return self.write({**fields, **(more or {}), **self._home(entries)})

    def _home(self, entries: dict[str, bytes] | None = None) -> dict[int, Body]:
        """The catalogue, form and page that name all fields and annotations."""
        old = self.objects.get(20, {})
        assert isinstance(old, dict)
        return {
            1: self.entry(1, AcroForm=b"20 0 R"),
            10: self.entry(10, Annots=references(self.notes)),
            20: {**old, "Fields": references(self.fields), **(entries or {})},
        }

    def slot(
        self,
        name: str = "Signature1",
        *,
        kind: bytes = PADES,
        permission: int | None = None,
        lock: bytes = b"",
        entries: bytes = b"/M (D:20261120120000Z)",
        widget: bytes = b"/Rect [0 0 0 0] /F 132",
        more: dict[int, Body] | None = None,
        place: bytes = SLOT,
        contents: bytes = b"/Contents <" + b"00" * ROOM + b">",
        **how: object,
    ) -> Paper:
        """One more revision with a signature that waits for its value."""
        number = max(40, *map(int, re.findall(rb"/Size (\d+)", self.pdf)), max(self.objects) + 1)
        value = number + 1
        if permission is not None:
            entries += (
                b" /Reference [<< /Type /SigRef /TransformMethod /DocMDP"
                b" /TransformParams << /Type /TransformParams /V /1.2 /P %d >> >>]" % permission
            )
        kind_of = b"/DocTimeStamp" if kind == RFC3161 else b"/Sig"
        lock = b" /Lock " + lock if lock else b""
        self.fields.append(number)
        self.notes.append(number)
        home = self._home({"SigFlags": b"3"})
        if permission is not None:
            home[1] = {**self.entry(1), **home[1], "Perms": b"<< /DocMDP %d 0 R >>" % value}  # type: ignore[dict-item]
        made: dict[int, Body] = {
            number: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (%b) /P 10 0 R /V %d 0 R %b%b >>"
            % (name.encode(), value, widget, lock),
            value: b"<< /Type %b /Filter /Adobe.PPKLite /SubFilter %b %b %b %b >>"
            % (kind_of, kind, place, contents, entries),
        }
        return self.write({**home, **made, **(more or {})}, plain=(value,), **how)

    def sign(
        self, signer: FileSigner | Callable[[bytes], bytes], name: str = "Signature1", **how: object
    ) -> Paper:
        """One more revision with a signature, by a signer or by what makes contents of what is signed."""
        self.slot(name, **how)  # type: ignore[arg-type]
        self.pdf = filled(self.pdf, signer)
        return self


def filled(pdf: bytes, signer: FileSigner | Callable[[bytes], bytes], *, until: int | None = None) -> bytes:
    """The file with its last slot filled; what is signed goes up to `until`, or to the end."""
    place = pdf.rindex(_NUMBERS)
    start = pdf.rindex(b"<" + b"00" * 50)
    end = pdf.index(b">", start) + 1
    size = len(pdf) if until is None else until
    numbers = b"%d %d %d]" % (start, end, size - end)
    pdf = pdf[:place] + numbers.ljust(len(_NUMBERS)) + pdf[place + len(_NUMBERS) :]
    contents = (signer if callable(signer) else contents_by(signer))(pdf[:start] + pdf[end:size])
    assert len(contents) <= (end - start - 2) // 2
    return pdf[: start + 1] + contents.hex().encode().ljust(end - start - 2, b"0") + pdf[end - 1 :]


def contents_by(signer: FileSigner) -> Callable[[bytes], bytes]:
    """What a sound maker puts there: CAdES B-B."""
    name = cms.cms_digest(signer.algorithm)
    return lambda signed: cms.sign(signer, hashlib.new(name, signed).digest())


def last_table(pdf: bytes) -> int | None:
    """Where the newest cross-reference section is said to be."""
    place = pdf.rfind(b"startxref")
    return int(pdf[place + 9 :].split()[0]) if place >= 0 else None


def revised(
    pdf: bytes,
    objects: dict[int, bytes],
    *,
    layout: str = "table",
    trailer: bytes = b"",
    root: int = 1,
    freed: tuple[int, ...] = (),
    plain: tuple[int, ...] = (),
    moved: dict[int, int] | None = None,
    before: bytes = b"",
    behind: bytes = b"",
    packed: dict[int, bytes] | None = None,
) -> bytes:
    """One more revision: `table`, `stream` (of references), `packed` (object streams), `hybrid`.

    `plain` objects are never packed; `moved` entries lead to places in the file, `before` stands between the
    objects and the table, `behind` between the trailer and `startxref`, and `packed` are packed whatever the
    layout.
    """
    out, places, inside = bytearray(pdf), dict(moved or {}), dict(packed or {})
    previous = last_table(pdf)
    size = max([1, *map(int, re.findall(rb"/Size (\d+)", pdf)), *(number + 1 for number in objects)])
    if out and out[-1] not in b"\r\n":
        out += b"\n"
    if layout in {"packed", "hybrid"}:
        inside |= {
            number: body
            for number, body in objects.items()
            if b"stream" not in body and number not in plain and number != root
        }
    for number, body in sorted(objects.items()):
        if number not in inside:
            places[number] = len(out)
            out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    out += before
    rows: dict[int, tuple[int, int, int]] = {number: (1, place, 0) for number, place in places.items()}
    rows |= dict.fromkeys(freed, (0, 0, 1))
    if previous is None:
        rows[0] = (0, 0, 65535)
    ends = b"/Root %d 0 R" % root + (b"" if previous is None else b" /Prev %d" % previous) + trailer
    if inside:
        number = size = max(100, size, *(one + 1 for one in inside))  # holders never meet other objects
        places[number] = len(out)
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, object_stream(inside))
        hidden = {one: (2, number, index) for index, one in enumerate(inside)}
        if layout != "hybrid":
            rows |= hidden
        else:
            size += 1
            ends += b" /XRefStm %d" % len(out)
            listed = _reference_stream({**hidden, size: (1, len(out), 0)}, size + 1, b"")
            out += b"%d 0 obj\n%b\nendobj\n" % (size, listed)
        size += 1
    start = len(out)
    if layout in {"table", "hybrid"}:
        out += b"xref\n" + _table(rows) + b"trailer\n<< /Size %d %b >>\n" % (size, ends)
    else:
        size = max(100, size)
        rows[size] = (1, start, 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (size, _reference_stream(rows, size + 1, ends))
    return bytes(out + behind + b"startxref\n%d\n%%%%EOF\n" % start)


def _table(rows: dict[int, tuple[int, int, int]]) -> bytes:
    out = b""
    for numbers in _runs(sorted(rows)):
        out += b"%d %d\n" % (numbers[0], len(numbers))
        for number in numbers:
            kind, place, generation = rows[number]
            out += b"%010d %05d %b \n" % (place, generation, b"n" if kind else b"f")
    return out


def _reference_stream(rows: dict[int, tuple[int, int, int]], size: int, more: bytes) -> bytes:
    runs = _runs(sorted(rows))
    index = b" ".join(b"%d %d" % (run[0], len(run)) for run in runs)
    data = b"".join(
        kind.to_bytes(1, "big") + place.to_bytes(4, "big") + last.to_bytes(2, "big")
        for kind, place, last in (rows[number] for run in runs for number in run)
    )
    entries = b"/Type /XRef /Size %d /W [1 4 2] /Index [%b] /Filter /FlateDecode %b" % (size, index, more)
    return stream(zlib.compress(data), entries)


def object_stream(objects: dict[int, bytes]) -> bytes:
    heads, data = b"", b""
    for number, body in objects.items():
        heads += b"%d %d " % (number, len(data))
        data += body + b"\n"
    entries = b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (len(objects), len(heads))
    return stream(zlib.compress(heads + data), entries)


def _runs(numbers: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def place_of(pdf: bytes, number: int) -> int:
    """Where the newest body of an object stands that is not packed."""
    return list(re.finditer(rb"(?<!\d)%d 0 obj" % number, pdf))[-1].start()
