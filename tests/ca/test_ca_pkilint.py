"""What we issue, looked at by a linter that others wrote (RFC 5280, RFC 6960, EN 319 412)."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from world.authority import REGISTRAR, Office

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signing.certificates import Certificate
    from yinxin.base.database import Database

pytest.importorskip("pkilint", reason="no pkilint: uv pip install pkilint")
# Its programs leave the file open that they read.
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore::ResourceWarning")]

# Uses that no standard has named stand under 2.25 and a UUID (X.667), which its reader refuses.
LARGE_ARC = "itu.invalid_asn1_syntax"
# An office that has a written certificate policy names it; we have none to claim.
NO_POLICY = "etsi.en_319_412_2.certificate_policies_extension_absent"


@pytest.fixture
def lint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., set[str]]:
    def run(tool: str, data: bytes, *options: str) -> set[str]:
        place = tmp_path / "linted"
        place.write_bytes(data)
        capsys.readouterr()
        import_module(f"pkilint.bin.{tool}").main(["lint", *options, "-s", "NOTICE", str(place)])
        said = capsys.readouterr()
        assert not said.err
        return set(re.findall(r"^\s+(\S+) \((?:NOTICE|WARNING|ERROR|FATAL)\)", said.out, re.MULTILINE))

    return run


@pytest.fixture
def office(memory: Database) -> Office:
    return Office(memory, base_url="http://pki.example.gov.cn")


@pytest.mark.parametrize("profile", ["credential", "status", "receipt", "request", "timestamp", "ocsp"])
def test_service_certificates(office: Office, lint: Callable[..., set[str]], profile: str) -> None:
    expected = set() if profile in {"timestamp", "ocsp"} else {LARGE_ARC}
    assert lint("lint_pkix_cert", office.issue(profile).der) == expected


def test_authorities(office: Office, lint: Callable[..., set[str]]) -> None:
    for certificate in office.authority.chain:
        assert lint("lint_pkix_cert", certificate.der) == set()


def test_the_seal_of_a_company(office: Office, lint: Callable[..., set[str]]) -> None:
    _, certificate = office.company_seal()
    assert lint("lint_pkix_cert", certificate.der) == set()
    options = ("-t", "NCP-LEGAL-PERSON-CERTIFICATE")
    assert lint("lint_etsi_cert", certificate.der, *options) == {NO_POLICY}


def test_a_list_and_an_answer(office: Office, lint: Callable[..., set[str]]) -> None:
    certificate = office.issue()
    office.authority.revoke(certificate.serial, reason="key_compromise", actor=REGISTRAR)
    assert lint("lint_crl", office.authority.crl(), "-t", "CRL", "-p", "PKIX") == set()
    assert lint("lint_ocsp_response", _answer(office, certificate)) == set()


def _answer(office: Office, certificate: Certificate) -> bytes:
    request = ocsp.OCSPRequestBuilder().add_certificate(
        certificate.x509, office.authority.certificate.x509, hashes.SHA256()
    )
    return office.ocsp().respond(request.build().public_bytes(Encoding.DER))
