"""The profiles as programs of other makers see them: pdfsig, qpdf and pyHanko accept all that we make."""

from __future__ import annotations

import io
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from world.desk import Desk, plain_pdf, red_face
from world.pki import NOON

from signing.pdf import (
    Place,
    Seal,
    countersign,
    prepare_joint,
    seal_as_agency,
    seal_copy,
    sign_as_citizen,
    sign_jointly,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def documents(desk: Desk) -> dict[str, tuple[bytes, int]]:
    """Each kind of document, and how many signatures it has."""
    agency, citizen = Seal(desk.agency, face=red_face(), timestamper=desk.tsa), Seal(desk.citizen)
    sealed = seal_as_agency(agency, plain_pdf(pages=7), now=NOON, straddles=True, reason="准予许可")
    signed = sign_as_citizen(citizen, plain_pdf(), now=NOON, roles=("法定代表人",), reason="同意")
    joint = prepare_joint(
        plain_pdf(), [Place("甲"), Place("乙", 0, (50, 60)), Place("丙")], left_open=("见证",)
    )
    for field in ("甲", "乙", "丙"):
        joint = sign_jointly(citizen, joint, field=field, now=NOON)
    document, note = desk.verify(sealed).require(), red_face(20, 20)
    return {
        "straddle": (sealed, 1),
        "final": (seal_as_agency(agency, plain_pdf(), now=NOON, is_final=True), 1),
        "citizen": (signed, 1),
        "counter-signed": (countersign(agency, signed, of="Seal1", now=NOON), 2),
        "joint": (joint, 3),
        "witnessed": (countersign(citizen, joint, of="丙", now=NOON, as_witness=True, field="见证"), 4),
        "copy": (seal_copy(agency, sealed, document, maker="馆", purpose="备查", note=note, now=NOON), 1),
    }


def test_pdfsig_and_qpdf_accept_them(documents: dict[str, tuple[bytes, int]], tmp_path: Path) -> None:
    if which("pdfsig") is None or which("qpdf") is None:
        pytest.skip("no pdfsig or no qpdf: apt-get install poppler-utils qpdf")
    for name, (document, count) in documents.items():
        file = tmp_path / f"{name}.pdf"
        file.write_bytes(document)
        said = subprocess.run(["pdfsig", "-nocert", file], capture_output=True, check=True).stdout.decode()
        assert said.count("Signature is Valid.") == count, (name, said)
        assert "Total document signed" in said
        checked = subprocess.run(["qpdf", "--check", file], capture_output=True, check=True).stdout
        assert b"No syntax or stream encoding errors found" in checked, name


def test_pyhanko_accepts_them_with_their_locks(desk: Desk, documents: dict[str, tuple[bytes, int]]) -> None:
    root = asn1_x509.Certificate.load(desk.pki.root.certificate.der)
    context = ValidationContext(trust_roots=[root], moment=NOON, allow_fetching=False)
    for name, (document, count) in documents.items():
        found = PdfFileReader(io.BytesIO(document)).embedded_signatures
        assert len(found) == count
        for embedded in found:
            status = validate_pdf_signature(embedded, context, context)
            assert status.bottom_line or name == "counter-signed", name
            assert status.intact, name
            assert status.valid, name


def test_pyhanko_reads_the_roles_that_are_claimed(
    desk: Desk, documents: dict[str, tuple[bytes, int]]
) -> None:
    root = asn1_x509.Certificate.load(desk.pki.root.certificate.der)
    context = ValidationContext(trust_roots=[root], moment=NOON, allow_fetching=False)
    (embedded,) = PdfFileReader(io.BytesIO(documents["citizen"][0])).embedded_signatures
    status = validate_pdf_signature(embedded, context, context)
    (claimed,) = status.cades_signer_attrs.claimed_attrs
    assert [value.native for value in claimed.attr_values] == ["法定代表人"]
