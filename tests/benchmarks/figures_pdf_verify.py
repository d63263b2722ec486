"""Print how fast PDFs are verified, in one thread, beside stock pyHanko and beside one signature.

Run `python tests/benchmarks/figures_pdf_verify.py`. Rows take turns, so ratios hold on a busy machine too.
Warm: the same certificates are met again and again, as a department meets those of its city; no file is met
twice in a row. pyHanko gets the same authorities and lists, and no network.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import logging
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from benchmarks.rounds import measure
from benchmarks.stock_pyhanko import stock
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext
from world.archive import stamp_again, with_store
from world.desk import Desk, plain_pdf
from world.pki import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 8  # of each kind, in turns
MANY = 30


class Peer:
    """The same question to pyHanko alone."""

    def __init__(self, desk: Desk) -> None:
        self._root = asn1_x509.Certificate.load(desk.pki.root.certificate.der)
        self._lists = [asn1_crl.CertificateList.load(one.crl()) for one in (desk.pki.root, desk.pki.issuing)]

    @stock()
    def verify(self, pdf: bytes) -> None:
        """Path, lists, integrity and later changes of every signature."""
        for embedded in PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures:
            context = ValidationContext(crls=self._lists, **self._values())
            _good(validate_pdf_signature(embedded, context, context))

    @stock()
    def verify_archived(self, pdf: bytes) -> None:
        """The same and the time-stamp of the document, by what the file keeps."""
        reader = PdfFileReader(io.BytesIO(pdf))
        store = DocumentSecurityStore.read_dss(reader)
        for embedded in reader.embedded_regular_signatures:
            context = store.as_validation_context(self._values())
            _good(validate_pdf_signature(embedded, context, context))
        for embedded in reader.embedded_timestamp_signatures:
            _good(validate_pdf_timestamp(embedded, store.as_validation_context(self._values())))

    def _values(self) -> dict[str, Any]:
        values = {"trust_roots": [self._root], "moment": NOON, "revocation_mode": "hard-fail"}
        return {**values, "allow_fetching": False}


def _good(status: Any) -> None:
    assert status.intact
    assert status.valid
    assert status.trusted


def turning(verify: Callable[[bytes], Any], files: list[bytes]) -> Callable[[], Any]:
    """One call verifies the next file of a circle."""
    circle = itertools.cycle(files)
    return lambda: verify(next(circle))


def archived(desk: Desk, text: str) -> bytes:
    lists = [one.crl() for one in (desk.pki.root, desk.pki.issuing)]
    return stamp_again(with_store(desk.seal(plain_pdf(text)), lists), desk.tsa)


def signed_often(desk: Desk, count: int) -> bytes:
    document = plain_pdf()
    for _ in range(count):
        document = desk.seal(document, signer=desk.citizen, certify=False, stamped=False)
    return document


def compare(title: str, ours: Callable[[], Any], theirs: Callable[[], Any], aim: float, **how: int) -> None:
    """Print a pair of rows, and how many times as fast ours is beside what is aimed at."""
    print(f"\n{title}")  # noqa: T201 - figures
    found = measure({"ours": ours, "stock pyHanko": theirs}, beside="ours", **how)
    ratio = found["stock pyHanko"] / found["ours"]
    print(f"{ratio:.1f} times as fast (aim {aim})")  # noqa: T201 - figures


def main() -> None:
    """All figures."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    desk = Desk()
    peer, revocation = Peer(desk), desk.revocation()

    def verify(pdf: bytes) -> None:
        assert desk.verify(pdf, revocation=revocation).passed

    texts = [f"Licence {number:03}" for number in range(FILES)]
    bare = [desk.seal(plain_pdf(text), stamped=False) for text in texts]
    compare("B-B, one revision, the whole file", turning(verify, bare), turning(peer.verify, bare), 10)
    stamped = [desk.seal(plain_pdf(text)) for text in texts]
    compare("B-T", turning(verify, stamped), turning(peer.verify, stamped), 10)
    kept = [archived(desk, text) for text in texts]
    compare("B-LTA", turning(verify, kept), turning(peer.verify_archived, kept), 3, calls=6)

    print(f"\n{MANY} signatures in one file beside one")  # noqa: T201 - figures
    single = [desk.seal(plain_pdf(text), signer=desk.citizen, certify=False, stamped=False) for text in texts]
    many = signed_often(desk, MANY)
    rows = {"one signature": turning(verify, single), f"{MANY} signatures": lambda: verify(many)}
    found = measure(rows, beside="one signature", rounds=10, calls=3)
    times = found[f"{MANY} signatures"] / (MANY * found["one signature"])
    print(f"{times:.2f} times {MANY} single ones (aim 1.5)")  # noqa: T201 - figures

    print("\nThe floor of B-B: one SHA-256 and one check of a signature")  # noqa: T201 - figures
    message = hashlib.sha256(bare[0]).digest()
    signature, key = desk.agency.sign(message), desk.agency.public_key
    floor: dict[str, Callable[[], Any]] = {
        "floor": lambda: key.verify(signature, hashlib.sha256(bare[0]).digest()),
        "verify B-B": turning(verify, bare),
    }
    measure(floor, beside="floor")


if __name__ == "__main__":
    main()
