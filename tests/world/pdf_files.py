"""Small files of many structures: with forms, with tables of both kinds, with packed objects."""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

from world.desk import append_revision

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj\n", re.DOTALL)


def one_page(page: str = "", catalogue: str = "", tree: str = "", trailer: str = "") -> bytes:
    """A file of one page with these further entries."""
    media = "" if "/MediaBox" in page + tree else "/MediaBox [0 0 595 842]"
    return append_revision(
        b"%PDF-1.7\n",
        {
            1: f"<< /Type /Catalog /Pages 2 0 R {catalogue} >>".encode(),
            2: f"<< /Type /Pages /Kids [10 0 R] /Count 1 {media} {tree} >>".encode(),
            10: f"<< /Type /Page /Parent 2 0 R /Contents 11 0 R {page} >>".encode(),
            11: b"<< /Length 0 >>\nstream\n\nendstream",
        },
        extra=trailer.encode(),
    )


def with_form(field: str, fields: str = "[20 0 R]", form: str = "", *, apart: bool = False) -> bytes:
    """A file of one page with a form of one field, which is object 20."""
    body = f"<< /Fields {fields} {form} >>"
    pdf = one_page(catalogue=f"/AcroForm {'21 0 R' if apart else body}")
    objects = {number: body.encode() for number, body in ((20, f"<< {field} >>"), (21, body))}
    return one_revision(pdf, objects)


def one_revision(pdf: bytes, more: dict[int, bytes]) -> bytes:
    """The same file with more objects, in its one revision."""
    places = re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj\n", pdf, re.DOTALL)
    return append_revision(b"%PDF-1.7\n", {int(number): body for number, body in places} | more)


class Kind(NamedTuple):
    """How a file with a table in a stream is written."""

    packed: bool = True
    predictor: bool = True
    deflated: bool = True
    behind: bytes = b""
    index: bytes = b""
    identity: bytes = b"/ID [<00> <01>]"
    more: bytes = b""
    pack_type: bytes = b"/ObjStm"


def packed(data: bytes, kind: Kind) -> bytes:
    return zlib.compress(data) if kind.deflated else data


def streamed(pdf: bytes, kind: Kind) -> bytes:
    """The same objects in a file with a table that is a stream."""
    objects = {int(number): body for number, body in OBJECT.findall(pdf)}
    together = [number for number in objects if kind.packed and b"stream" not in objects[number]]
    pack, table = max(objects) + 1, max(objects) + 2
    how = b"/Filter /FlateDecode" if kind.deflated else b""
    if together:
        inside = b" ".join(objects[number] for number in together)
        heads, place = [], 0
        for number in together:
            heads.append(b"%d %d" % (number, place))
            place += len(objects[number]) + 1
        head = b" ".join(heads) + b" "
        data = packed(head + inside, kind)
        objects[pack] = b"<< /Type %b /N %d /First %d /Length %d %b >>\nstream\n%b\nendstream" % (
            kind.pack_type, len(together), len(head), len(data), how, data,
        )  # fmt: skip
    out = bytearray(b"%PDF-1.7\n")
    rows = {0: bytes((0, 0, 0, 0, 255))}
    for number, body in objects.items():
        if number in together:
            rows[number] = bytes((2, *pack.to_bytes(3, "big"), together.index(number)))
            continue
        rows[number] = bytes((1, *len(out).to_bytes(3, "big"), 0))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows[table], above, lines = bytes((1, *len(out).to_bytes(3, "big"), 0)), bytes(5), []
    for number in range(table + 1):
        row = rows.get(number, bytes(5))
        steps = bytes((one - other) % 256 for one, other in zip(row, above, strict=True))
        lines.append(b"\2" + steps if kind.predictor else row)
        above = row
    data, start = packed(b"".join(lines), kind), len(out)
    predicted = b"/DecodeParms << /Predictor 12 /Columns 5 >>" if kind.predictor else b""
    out += b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 3 1] /Root 1 0 R /Length %d %b %b %b %b %b >>\n" % (
        table, table + 1, len(data), how, predicted, kind.index, kind.identity, kind.more,
    )  # fmt: skip
    return bytes(
        out + b"stream\n%b\nendstream\nendobj\n%bstartxref\n%d\n%%%%EOF\n" % (data, kind.behind, start)
    )
