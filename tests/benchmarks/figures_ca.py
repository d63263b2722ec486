"""Print how fast the authority is here, in one thread: `python tests/benchmarks/figures_ca.py`.

The first figure is what a clock on the wall shows; the second counts only the processor's time of this
process: on a busy machine it says what a quiet one would do.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

sys.path.insert(0, str(Path(__file__).parents[1]))

from world.authority import REGISTRAR, Office, name

from ca.crl import CrlDraft, RevocationReason, encode_entry
from ca.issuance import Application
from ca.template import signed
from signing.signers.file import FileSigner
from signing.timestamp import TimestampRequest
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable


def rate(label: str, work: Callable[[int], object], times: int) -> None:
    work(0)
    start, cpu = perf_counter(), process_time()
    for number in range(1, times + 1):
        work(number)
    took, busy = perf_counter() - start, process_time() - cpu
    print(f"{label:<48}{times / took:>8,.0f} /s {times / busy:>8,.0f} /s of processor time")  # noqa: T201 - figures


def main() -> None:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/ca.db")
        database.create_schema()
        office = Office(database)
        applications = [Application(name("x"), FileSigner.generate().public_key) for _ in range(1001)]
        rate(
            "certificates, SQLite file, every one durable",
            lambda number: office.authority.issue("status", applications[number], actor=REGISTRAR),
            1000,
        )
        answers(office)
        tokens(office)
        lists(office)
        database.close()


def answers(office: Office) -> None:
    """OCSP with and without nonce."""
    certificate, responder = office.issue(common="asked"), office.ocsp()
    plain = ocsp.OCSPRequestBuilder().add_certificate(
        certificate.x509, office.authority.certificate.x509, hashes.SHA256()
    )
    nonced = plain.add_extension(x509.OCSPNonce(b"n" * 32), critical=False)
    for label, builder in (("without nonce", plain), ("with nonce, each signed", nonced)):
        request = builder.build().public_bytes(Encoding.DER)
        rate(f"OCSP answers, {label}", lambda _, request=request: responder.respond(request), 3000)  # type: ignore[misc]


def tokens(office: Office) -> None:
    """Time-stamps."""
    tsa = office.tsa()
    request = TimestampRequest("sha256", hashlib.sha256(b"x").digest(), nonce=1).to_der()
    rate("time-stamp tokens", lambda _: tsa.respond(request), 3000)


def lists(office: Office) -> None:
    """A list of 100,000 revoked certificates: from nothing, and with its entries kept."""
    now, signer = office.clock.now(), office.signer
    draft = CrlDraft(
        issuer=office.authority.certificate.subject_der,
        issuer_key_identifier=signer.public_key.identifier,
        algorithm=signer.algorithm,
        number=1,
        this_update=now,
        next_update=now,
    )
    start = perf_counter()
    reason = RevocationReason.SUPERSEDED
    entries = [encode_entry(serial << 100 | 1 << 130, at=now, reason=reason) for serial in range(100_000)]
    between = perf_counter()
    tbs = draft.encode(entries)
    size = len(signed(tbs, signer.algorithm, signer.sign(tbs)))
    end = perf_counter()
    print(  # noqa: T201 - figures
        f"list of 100,000 entries, {size / 1e6:.1f} MB: {end - start:.2f} s, with its entries kept "
        f"{end - between:.3f} s"
    )


main()
