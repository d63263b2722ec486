"""Documents that are kept for the long term: evidence put into a PDF, and stamped again, by another maker."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing import Certificate
    from world.tsa import MemoryTsa


class _Stamper(TimeStamper):
    """An in-memory authority in pyHanko's shape."""

    def __init__(self, tsa: MemoryTsa) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._tsa = tsa

    async def async_request_tsa_response(self, req: object) -> object:
        return tsp.TimeStampResp.load(self._tsa.respond(req.dump()))  # type: ignore[attr-defined]


def stamp_again(pdf: bytes, tsa: MemoryTsa) -> bytes:
    """The document with a document time-stamp over all of it."""
    out = PdfTimeStamper(_Stamper(tsa)).timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), "sha256", bytes_reserved=12_000
    )
    return bytes(out.getvalue())


def with_store(
    pdf: bytes,
    crls: Iterable[bytes] = (),
    ocsp: Iterable[bytes] = (),
    certificates: Iterable[Certificate] = (),
) -> bytes:
    """The document with evidence in its security store."""
    out = io.BytesIO(pdf)
    DocumentSecurityStore.add_dss(
        out,
        None,
        certs=[asn1_x509.Certificate.load(one.der) for one in certificates],
        crls=[asn1_crl.CertificateList.load(one) for one in crls],
        ocsps=[asn1_ocsp.OCSPResponse.load(one) for one in ocsp],
        force_write=True,
    )
    return out.getvalue()
