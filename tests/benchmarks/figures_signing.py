"""Print how fast keys, paths and PDF seals are, in one thread, beside their floors and stock pyHanko.

Run `python tests/benchmarks/figures_signing.py`. The floor of a seal is one SHA-256 over the file and one
signature; of a verification, one SHA-256 and one check.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

import typst
from benchmarks.rounds import measure
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore
from world.desk import Desk, append_revision, plain_pdf, red_face
from world.pki import NOON
from world.sm2 import UnsafeSm2Key

from signing import sm2
from signing.path import validate_path
from signing.pdf import Seal, writers
from signing.pdf.document_stamp import stamp_document
from signing.pdf.store import Store
from signing.pdf.update import NotPlain
from signing.policy import Policy
from signing.sm2 import libcrypto, pure

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.signers.file import FileSigner

PAGE = b"<< /Type /Page /Parent 2 0 R /Contents 11 0 R >>"


class Peer:
    """The same work by pyHanko alone: PAdES B-B, one key, one page."""

    def __init__(self, agency: FileSigner, folder: Path) -> None:
        key = agency._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        for number, certificate in enumerate(agency.chain):
            (folder / f"{number}.pem").write_bytes(certificate.to_pem())
        certificates = [load_cert_from_pemder(str(folder / f"{n}.pem")) for n in range(len(agency.chain))]
        store = SimpleCertificateStore.from_certs(certificates)
        self.root = certificates[-1]
        self.signer = signers.SimpleSigner(
            signing_cert=certificates[0],
            signing_key=load_private_key_from_pemder_data(key, passphrase=None),
            cert_registry=store,
        )

    def seal(self, pdf: bytes) -> bytes:
        """What its documentation does."""
        meta = signers.PdfSignatureMetadata(field_name="Seal", subfilter=SigSeedSubFilter.PADES)
        target = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), meta, signer=self.signer)
        return bytes(target.getbuffer())

    def verify(self, pdf: bytes) -> bool:
        """Path, integrity and later changes; no revocation data."""
        context = ValidationContext(trust_roots=[self.root], moment=NOON, revocation_mode="soft-fail")
        (embedded,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        return bool(validate_pdf_signature(embedded, context).bottom_line)


def sealing(desk: Desk, folder: Path) -> None:
    """Seals beside their floor, with keys of two kinds; and a large file."""
    page, typeset = plain_pdf(), typst.compile(b"#set page(width: 210mm, height: 297mm)\nLicence 001")
    older, large = append_revision(page, {10: PAGE}), large_pdf()
    for kind in ("P-256", "RSA-2048"):
        agency = desk.pki.issuing.issue(f"Agency {kind}", "seal", key_kind=kind)
        (folder / kind).mkdir()
        peer, seal = Peer(agency, folder / kind), Seal(agency)
        faced, stamped = Seal(agency, face=red_face()), Seal(agency, timestamper=desk.tsa)
        print(f"\nSealing a one-page PDF, {kind}")  # noqa: T201 - figures
        rows = {
            "floor: SHA-256 and one signature": partial(floor, agency, typeset),
            "B-B, a page of the typesetter": partial(seal.apply, typeset, now=NOON),
            "B-B, a page in a table of pieces": partial(seal.apply, page, now=NOON),
            "B-B with a face": partial(faced.apply, typeset, now=NOON),
            "B-B, not plain but orderly": partial(seal.apply, older, now=NOON),
            "B-T, authority (P-256) in this process": partial(stamped.apply, typeset, now=NOON),
            "stock pyHanko, B-B": partial(peer.seal, typeset),
        }
        found = measure(rows, beside="floor: SHA-256 and one signature", rounds=10)
        stock = found["stock pyHanko, B-B"] / found["B-B, a page of the typesetter"]
        share = found["floor: SHA-256 and one signature"] / found["B-B, a page of the typesetter"]
        print(f"B-B: {stock:.0f} x stock pyHanko, {share:.0%} of the floor")  # noqa: T201 - figures
    print("\nSealing a PDF of 20 MB, P-256")  # noqa: T201 - figures
    seal = Seal(desk.agency)
    rows = {
        "SHA-256": lambda: hashlib.sha256(large).digest(),
        "B-B": lambda: seal.apply(large, now=NOON),
    }
    measure(rows, beside="SHA-256", rounds=8, calls=3)


def later(desk: Desk) -> None:
    """Second seals, and archive time-stamps with evidence, by our writer and by pyHanko's."""
    first, seal = desk.seal(plain_pdf()), Seal(desk.agency, face=red_face())
    known = Store(tuple(one.der for one in desk.agency.chain), (desk.pki.issuing.crl(NOON),))
    jobs = {
        "a second seal with a face": partial(seal.apply, first, now=NOON),
        "evidence and a time-stamp over all": partial(stamp_document, first, desk.tsa, store=known),
    }

    def by_the_library(job: Callable[[], bytes]) -> bytes:
        with patch.object(writers, "OrderlyEditing", side_effect=NotPlain):
            return job()

    rows: dict[str, Callable[[], object]] = {}
    for name, job in jobs.items():
        rows |= {name: job, f"{name}, pyHanko's writer": partial(by_the_library, job)}
    print("\nBehind a seal, P-256")  # noqa: T201 - figures
    found = measure(rows, beside="a second seal with a face", rounds=10)
    for name in jobs:
        ratio = found[f"{name}, pyHanko's writer"] / found[name]
        print(f"{name}: {ratio:.1f} x pyHanko's writer")  # noqa: T201 - figures


def floor(agency: FileSigner, page: bytes) -> bytes:
    """The least that a seal takes."""
    return agency.sign(hashlib.sha256(page).digest())


def large_pdf(size_bytes: int = 20 << 20) -> bytes:
    """One page with a picture of noise."""
    noise = bytes(hashlib.shake_256(b"noise").digest(1 << 20)) * (size_bytes >> 20)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
        10: PAGE,
        11: b"<< /Length %d >>\nstream\n%b\nendstream" % (len(noise), noise),
    }
    return append_revision(b"%PDF-1.7\n", objects)


def main(folder: Path) -> None:
    """All figures."""
    warnings.simplefilter("ignore")
    desk, page = Desk(), plain_pdf()
    peer = Peer(desk.agency, folder)
    sealed, stamped = desk.seal(page, stamped=False), desk.seal(page)
    message = hashlib.sha256(page).digest()
    signature, key = desk.agency.sign(message), desk.agency.public_key
    revocation = desk.revocation()
    leaf, *above = desk.agency.chain

    def path() -> object:
        return validate_path(
            leaf, above, desk.trust, at=NOON, usage="seal", revocation=revocation, policy=Policy.default()
        )

    sealing(desk, folder)
    later(desk)
    print("\nVerifying it")  # noqa: T201 - figures
    measure(
        {
            "floor: SHA-256 and one check": lambda: key.verify(signature, hashlib.sha256(page).digest()),
            "path of three certificates, warm, with lists": path,
            "verify B-B, with lists": lambda: desk.verify(sealed, revocation=revocation),
            "verify B-T, with lists": lambda: desk.verify(stamped, revocation=revocation),
            "stock pyHanko, B-B, no lists": lambda: peer.verify(sealed),
        },
        beside="stock pyHanko, B-B, no lists",
    )
    print(f"\nSM2 (engine here: {sm2.engine()})")  # noqa: T201 - figures
    national = UnsafeSm2Key()
    point, der = national.point, national.sign(message)
    engines = {"P-256 by cryptography, the floor": lambda: key.verify(signature, message)}
    engines["SM2, pure"] = lambda: pure.verify(point, der, message, sm2.DEFAULT_IDENTITY)
    if libcrypto.available():
        engines["SM2, libcrypto"] = lambda: libcrypto.verify(point, der, message, sm2.DEFAULT_IDENTITY)
    measure(engines, beside="P-256 by cryptography, the floor")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(Path(place))
