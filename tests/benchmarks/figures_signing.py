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
from pathlib import Path

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
from signing.pdf import Seal
from signing.policy import Policy
from signing.sm2 import libcrypto, pure

# A catalogue with a form: such a file is not plain, and pyHanko's writer seals it.
FORM = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] >> >>"


class Peer:
    """The same work by pyHanko alone: PAdES B-B, one key, one page."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        agency = desk.agency
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


def main(folder: Path) -> None:
    """All figures."""
    warnings.simplefilter("ignore")
    desk, page = Desk(), plain_pdf()
    peer, face = Peer(desk, folder), red_face()
    sealed, stamped = desk.seal(page, stamped=False), desk.seal(page)
    message = hashlib.sha256(page).digest()
    signature, key = desk.agency.sign(message), desk.agency.public_key
    revocation = desk.revocation()
    leaf, *above = desk.agency.chain

    def path() -> object:
        return validate_path(
            leaf, above, desk.trust, at=NOON, usage="seal", revocation=revocation, policy=Policy.default()
        )

    typeset = typst.compile(b"#set page(width: 210mm, height: 297mm)\nLicence 001")
    seal, form = Seal(desk.agency), append_revision(page, {1: FORM})

    print("Sealing a one-page PDF, P-256")  # noqa: T201 - figures
    measure(
        {
            "floor: SHA-256 and one signature": lambda: desk.agency.sign(hashlib.sha256(page).digest()),
            "seal B-B": lambda: seal.apply(page, now=NOON),
            "seal B-B, a page of the typesetter": lambda: seal.apply(typeset, now=NOON),
            "seal B-B, not plain: pyHanko's writer": lambda: seal.apply(form, now=NOON),
            "seal B-B with a face": lambda: desk.seal(page, stamped=False, face=face),
            "seal B-T, authority in this process": lambda: desk.seal(page),
            "stock pyHanko, B-B": lambda: peer.seal(page),
        },
        beside="stock pyHanko, B-B",
    )
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
