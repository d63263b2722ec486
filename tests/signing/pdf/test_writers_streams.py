"""Our own writer, on files whose table is a stream and whose objects may be packed."""

from __future__ import annotations

import io
import re
import subprocess
import zlib
from shutil import which
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from world.desk import Desk, plain_pdf, red_face
from world.mutants import Edit, edited

from signing.pdf.frame import Frame
from signing.pdf.update import NotPlain, PlainEditing
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from pathlib import Path

DESK = Desk()
REVOCATION = DESK.revocation()
OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj\n", re.DOTALL)


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


GOOD = {
    "packed, deflated, with differences": Kind(),
    "not packed": Kind(packed=False),
    "no differences": Kind(predictor=False),
    "nothing deflated": Kind(deflated=False, predictor=False),
    "a maker's name": Kind(behind=b"%made by hand\n"),
    "an index": Kind(index=b"/Index [0 14]"),
    "no identity": Kind(identity=b""),
}


@pytest.mark.parametrize("name", GOOD)
def test_such_a_file_is_sealed_without_the_library(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_pdf: bytes) -> None:
        raise AssertionError("pyHanko was asked")

    monkeypatch.setattr("signing.pdf._pyhanko.Editing", refuse)
    pdf = streamed(plain_pdf(), GOOD[name])
    for face in (None, red_face()):
        sealed = DESK.seal(pdf, face=face, reason="准予")
        assert sealed.startswith(pdf)
        (signature,) = DESK.verify(sealed, revocation=REVOCATION).require().signatures
        assert (signature.reason, signature.covers_whole_file) == ("准予", True)
        (found,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
        assert found.sig_field["/T"] == "Seal1"
        if which("qpdf"):
            (tmp_path / "sealed.pdf").write_bytes(sealed)
            ran = subprocess.run(
                ["qpdf", "--check", tmp_path / "sealed.pdf"], capture_output=True, check=False
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "kind",
    [
        Kind(index=b"/Index [0 4 2 9]"),
        Kind(index=b"/Index [0 14 3]"),
        Kind(index=b"/Index [0 13]"),
        Kind(more=b"/Encrypt 9 0 R"),
        Kind(more=b"/Prev 9"),
        Kind(more=b"/Type /XRef"),
        Kind(more=b"/DecodeParms << /Predictor 12 /Columns 4 >>", predictor=False),
        Kind(more=b"/DecodeParms << /Predictor 2 /Columns 5 >>", predictor=False),
        Kind(pack_type=b"/Other"),
        Kind(deflated=False),
        Kind(behind=b"1 0 obj null endobj\n"),
        Kind(identity=b"/ID [<00>]"),
        Kind(identity=b"/ID null"),
    ],
)
def test_what_is_not_plain_is_left_to_the_library(kind: Kind) -> None:
    with pytest.raises(NotPlain):
        PlainEditing(streamed(plain_pdf(), kind)).page_box(0)


def test_what_lies_elsewhere_than_it_says_is_not_plain() -> None:
    good = streamed(plain_pdf(), Kind(deflated=False, predictor=False))
    PlainEditing(good).page_box(0)
    for old, new in (
        (b"1 0 2 ", b"2 0 1 "),
        (b"/W [1 3 1]", b"/W [2 3 0]"),
        (b"/W [1 3 1]", b"/W [1 3 2]"),
        (b"/N 4", b"/N 5"),
        (b"/First ", b"/First 9"),
        (b"endstream\nendobj\nstartxref", b"endstreams\nendobj\nstartxref"),
    ):
        if old in good:
            with pytest.raises(NotPlain):
                PlainEditing(good.replace(old, new, 1)).page_box(0)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.builds(
            Edit,
            st.sampled_from(["set", "insert", "delete", "copy", "zero"]),
            st.integers(0, 1 << 20),
            st.integers(1, 40),
            st.integers(0, 1 << 20),
            st.sampled_from([b"<<", b">>", b"/", b"[", b"(", b"9", b"\x02", b"\xff"]),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([Kind(deflated=False, predictor=False), Kind()]),
)
def test_whatever_is_read_only_our_errors_come_out(changes: list[Edit], kind: Kind) -> None:
    pdf = edited(streamed(plain_pdf(), kind), changes)
    frame = Frame("Seal1", 0, certify=True, appearance=None)
    try:
        editing = PlainEditing(pdf)
        editing.page_box(0)
        editing.prepare(frame, digest_algorithm="sha256", reserve=10)
    except (NotPlain, YinxinError):
        return
