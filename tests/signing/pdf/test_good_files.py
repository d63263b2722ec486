"""Files that are as they should be, in the many shapes that PDFs have: sealed here, and sealed by pyHanko."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, sign_pdf
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from world.desk import Desk, plain_pdf, red_face
from world.pyhanko import other_maker

if TYPE_CHECKING:
    from signing.signers.file import FileSigner


def saved(pdf: bytes, **how: object) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(out, **how)  # type: ignore[arg-type]
    return out.getvalue()


def turned(angle: int) -> bytes:
    with pikepdf.open(io.BytesIO(plain_pdf())) as document:
        document.pages[0].rotate(angle, relative=False)
        document.pages[0].cropbox = [20, 20, 500, 700]
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()


PACKED = pikepdf.ObjectStreamMode.generate
SHAPES = {
    "a classic table": plain_pdf(),
    "twenty pages": plain_pdf(pages=20),
    "files inside": plain_pdf(files={"a.json": b"{}", "b.json": b"[]"}),
    "object streams": saved(plain_pdf(pages=3), object_stream_mode=PACKED),
    "linearised": saved(plain_pdf(pages=3), linearize=True),
    "linearised with object streams": saved(plain_pdf(pages=3), linearize=True, object_stream_mode=PACKED),
    "PDF 1.4": saved(plain_pdf(), force_version="1.4"),
    "PDF 2.0": saved(plain_pdf(), force_version="2.0"),
    "written for people": saved(plain_pdf(), qdf=True),
    "turned by 90 and cropped": turned(90),
    "turned by 180 and cropped": turned(180),
    "turned by 270 and cropped": turned(270),
    "no end of line behind the end": plain_pdf().rstrip(b"\n"),
}


def signed(desk: Desk, pdf: bytes, field: str, signer: FileSigner | None = None, **meta: object) -> bytes:
    place = meta.pop("place", None)
    settings = PdfSignatureMetadata(field_name=field, md_algorithm="sha256", **meta)  # type: ignore[arg-type]
    out = sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)),
        settings,
        other_maker(signer or desk.agency),
        new_field_spec=place,  # type: ignore[arg-type]
    )
    return bytes(out.getvalue())


@pytest.mark.parametrize("name", SHAPES)
def test_sealed_here_and_signed_again(desk: Desk, name: str) -> None:
    sealed = desk.seal(SHAPES[name], face=red_face())
    assert desk.verify(sealed).passed
    both = desk.seal(sealed, signer=desk.citizen, stamped=False)
    assert len(desk.verify(both).require().signatures) == 2


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kind", [SigSeedSubFilter.PADES, SigSeedSubFilter.ADOBE_PKCS7_DETACHED], ids=str)
def test_signed_elsewhere_and_sealed_here(desk: Desk, name: str, kind: SigSeedSubFilter) -> None:
    alone = signed(desk, SHAPES[name], "Other", subfilter=kind)
    assert desk.verify(alone).passed
    assert len(desk.verify(desk.seal(alone, face=red_face())).require().signatures) == 2


@pytest.mark.parametrize("permission", [MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE], ids=str)
def test_certified_elsewhere_and_approved(desk: Desk, permission: MDPPerm) -> None:
    first = signed(desk, plain_pdf(), "First", certify=True, docmdp_permissions=permission)
    second = signed(desk, first, "Second", desk.citizen)
    assert [item.certifies for item in desk.verify(second).require().signatures] == [True, False]


def test_certified_so_that_nothing_may_follow(desk: Desk) -> None:
    only = signed(desk, plain_pdf(), "Only", certify=True, docmdp_permissions=MDPPerm.NO_CHANGES)
    assert desk.verify(only).passed


def test_a_signature_that_locks_fields(desk: Desk) -> None:
    lock = FieldMDPSpec(FieldMDPAction.ALL)
    place = SigFieldSpec("Locking", box=(20, 20, 120, 60), field_mdp_spec=lock)
    assert desk.verify(signed(desk, plain_pdf(), "Locking", place=place)).passed


@pytest.mark.parametrize("kind", ["RSA-2048", "P-384", "Ed25519"])
def test_keys_of_every_kind(desk: Desk, kind: str) -> None:
    signer = desk.pki.issuing.issue(f"{kind} Agency", "seal", key_kind=kind)
    assert desk.verify(desk.seal(plain_pdf(), signer=signer)).passed


def test_many_signatures(desk: Desk) -> None:
    document = plain_pdf()
    for _ in range(6):
        document = desk.seal(document, stamped=False)
    assert len(desk.verify(document).require().signatures) == 6
