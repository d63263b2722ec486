"""Our own writer, on files whose table is a stream and whose objects may be packed."""

from __future__ import annotations

import io
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from world.desk import Desk, plain_pdf, red_face
from world.mutants import Edit, drawn_edits, edited
from world.pdf_files import Kind, streamed

from signing.pdf.frame import Frame
from signing.pdf.update import NotPlain, PlainEditing
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from pathlib import Path

DESK = Desk()
REVOCATION = DESK.revocation()


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
    drawn_edits(b"<<", b">>", b"/", b"[", b"(", b"9", b"\x02", b"\xff"),
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
