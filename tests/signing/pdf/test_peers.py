"""Our seals, judged by programs of other makers; and seals of another maker, judged by us."""

from __future__ import annotations

import io
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfTimeStamper, sign_pdf
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from world.desk import Desk, red_face
from world.pki import NOON
from world.pyhanko import other_maker

from signing.reasons import Reason

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def documents(desk: Desk, pdf: bytes, writer: str) -> dict[str, bytes]:
    first = desk.seal(pdf, face=red_face(), reason="准予许可")
    rsa = desk.pki.issuing.issue("RSA Agency", "seal", key_kind="RSA-2048")
    return {
        "stamped": first,
        "plain": desk.seal(pdf, stamped=False),
        "rsa": desk.seal(pdf, signer=rsa),
        "p384": desk.seal(pdf, signer=desk.pki.issuing.issue("P-384 Agency", "seal", key_kind="P-384")),
        "twice": desk.seal(first, signer=desk.citizen, face=red_face(30, 15), at=(72, 72)),
    }


def run(*command: str | Path) -> str:
    ran = subprocess.run(list(map(str, command)), capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.decode()


def test_pdfsig_finds_every_signature_valid(documents: dict[str, bytes], tmp_path: Path) -> None:
    if which("pdfsig") is None:
        pytest.skip("no pdfsig: apt-get install poppler-utils")
    for name, document in documents.items():
        (tmp_path / name).write_bytes(document)
        said = run("pdfsig", "-nocert", tmp_path / name)
        assert said.count("Signature is Valid.") == (2 if name == "twice" else 1), said
        assert said.count("ETSI.CAdES.detached") == said.count("Signature is Valid.")
        assert "Total document signed" in said


def test_qpdf_finds_nothing_wrong(documents: dict[str, bytes], tmp_path: Path) -> None:
    if which("qpdf") is None:
        pytest.skip("no qpdf: apt-get install qpdf")
    for name, document in documents.items():
        (tmp_path / name).write_bytes(document)
        assert "No syntax or stream encoding errors found" in run("qpdf", "--check", tmp_path / name)


def test_pyhanko_s_own_validator_agrees(desk: Desk, documents: dict[str, bytes]) -> None:
    root = asn1_x509.Certificate.load(desk.pki.root.certificate.der)
    for name, document in documents.items():
        for embedded in PdfFileReader(io.BytesIO(document)).embedded_signatures:
            context = ValidationContext(trust_roots=[root], moment=NOON, allow_fetching=False)
            status = validate_pdf_signature(embedded, context, context)
            # It refuses visible fields added after a certification, which we let a later signature cover.
            assert status.intact, name
            assert status.valid, name
            assert status.trusted, name
            if name != "twice":
                assert status.bottom_line, name
                assert (status.timestamp_validity is not None) == (name != "plain")


class _Stamper(TimeStamper):
    """Our in-memory authority in pyHanko's shape."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    async def async_request_tsa_response(self, req: object) -> object:
        return tsp.TimeStampResp.load(self._desk.tsa.respond(req.dump()))  # type: ignore[attr-defined]


def signed_elsewhere(desk: Desk, pdf: bytes, *, stamped: bool = False, **meta: object) -> bytes:
    settings = PdfSignatureMetadata(field_name="Other", md_algorithm="sha256", **meta)  # type: ignore[arg-type]
    stamper = _Stamper(desk) if stamped else None
    out = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), settings, other_maker(desk.agency), stamper)
    return bytes(out.getvalue())


def test_signatures_of_another_maker_verify(desk: Desk, pdf: bytes) -> None:
    for stamped in (False, True):
        for kind in (SigSeedSubFilter.PADES, SigSeedSubFilter.ADOBE_PKCS7_DETACHED):
            report = desk.verify(signed_elsewhere(desk, pdf, stamped=stamped, subfilter=kind))
            assert report.passed, report.reasons
            assert (report.require().signatures[0].proved_at == NOON) == stamped


def test_a_seal_on_a_document_that_another_maker_certified(desk: Desk, pdf: bytes) -> None:
    certified = signed_elsewhere(desk, pdf, certify=True, docmdp_permissions=MDPPerm.FILL_FORMS)
    both = desk.seal(certified, face=red_face())
    assert both.startswith(certified)
    assert [item.certifies for item in desk.verify(both).require().signatures] == [True, False]


def test_a_document_time_stamp_proves_the_time_of_what_it_covers(desk: Desk, pdf: bytes) -> None:
    bare = desk.seal(pdf, stamped=False)
    out = PdfTimeStamper(_Stamper(desk)).timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(bare)), "sha256")
    report = desk.verify(out.getvalue())
    assert report.require().signatures[0].proved_at == NOON
    assert [item["usage"] for item in report.findings["signatures"]] == ["seal", "timestamp"]


def test_a_document_with_a_time_stamp_alone_is_signed_by_nobody(desk: Desk, pdf: bytes) -> None:
    out = PdfTimeStamper(_Stamper(desk)).timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), "sha256")
    assert desk.verify(out.getvalue()).reasons == {Reason.NO_SIGNATURE}
