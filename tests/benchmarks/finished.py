"""What `figures_finished` measures.

It stands apart, because every new process imports the script that was started.
"""

from __future__ import annotations

import io
import itertools
import multiprocessing
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import typst
from benchmarks.figures_signing import Peer
from benchmarks.issuing import BATCH_KIND, KINDS, make_office
from benchmarks.rounds import measure
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from world.desk import plain_pdf
from world.pki import Pki
from world.rows import csv_of

from credentials import printed_code
from credentials.face import typst_engine
from credentials.face.fonts import font_directory
from credentials.face.page import Typesetter
from yinxin.app.seal_batches import Batch, Book, Key, Order
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from signing.signers.file import FileSigner


WARM = 8


def ratios(folder: Path) -> None:
    """Finished licences beside typesetting alone, and beside the naive way."""
    office = make_office(folder)
    production, numbers = office.issuer._production, itertools.count(100)
    made = [office.issue(KINDS[index % len(KINDS)], index).licence for index in range(24)]
    turn, typesetter = itertools.cycle(made), Typesetter()
    code_of = {
        one.identifier: printed_code.make(
            one,
            office.catalogue[one.type_code],
            address=production.code_address,
            signer=production.credential_signer,
        )
        for one in made
    }
    (folder / "peer").mkdir()
    peer = Naive(production.seal._signer, folder / "peer")  # type: ignore[arg-type]

    def page(setter: Typesetter) -> bytes:
        licence = next(turn)
        return setter.typeset(
            licence, office.catalogue[licence.type_code], code=code_of[licence.identifier]
        ).pdf

    def whole() -> object:
        number = next(numbers)
        return office.issue(KINDS[number % len(KINDS)], number)

    def naive() -> bytes:
        """A new compiler with its fonts for each page, and pyHanko as its documentation has it."""
        fonts = typst.Fonts(font_paths=[str(font_directory())])  # and those of the system, as by default
        with patch.object(typst_engine, "_fonts", lambda: fonts):
            return peer.seal(page(Typesetter()))

    for _ in made:
        page(typesetter)
    rows = {"finished licence": whole, "its page alone, a compiler reused": lambda: page(typesetter)}
    found = measure(rows, beside="finished licence", rounds=6, calls=24)
    naive()
    slow = measure({"the naive way": naive}, beside="the naive way", rounds=2, calls=3)
    one, alone = found["finished licence"], found["its page alone, a compiler reused"]
    print(f"{alone / one:.2f} x typesetting alone (at least 0.5)")  # noqa: T201 - figures
    print(f"{slow['the naive way'] / one:.1f} x the naive way (at least 10)")  # noqa: T201 - figures
    office.database.close()


class Naive(Peer):
    """PyHanko alone with its own time-stamp authority (RSA, which is all that it knows): B-T."""

    def __init__(self, agency: FileSigner, folder: Path) -> None:
        super().__init__(agency, folder)
        (folder / "tsa").mkdir()
        tsa = Peer(Pki().issuing.issue("TSA", "timestamp", key_kind="RSA-2048"), folder / "tsa").signer
        self.timestamper = DummyTimeStamper(tsa.signing_cert, tsa.signing_key, tsa.cert_registry)

    def seal(self, pdf: bytes) -> bytes:
        """What its documentation does."""
        meta = signers.PdfSignatureMetadata(field_name="Seal", subfilter=SigSeedSubFilter.PADES)
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        target = signers.sign_pdf(writer, meta, signer=self.signer, timestamper=self.timestamper)
        return bytes(target.getbuffer())


def issue(folder: str, number: int, rows: int, begin: Barrier, pipe: Connection) -> None:
    """What one of several processes does: its own file, into the database of all."""
    office = make_office(Path(folder), pki=Pki(), is_new=False)

    def run(indexes: range) -> None:
        result = office.issuer.issue_rows(
            csv_of(BATCH_KIND, indexes), type_code=BATCH_KIND, actor=office.clerk,
            holder_key=lambda _kind, _claims: office.holder.public_key, workers=1,
        )  # fmt: skip
        assert len(result.issued) == len(indexes), result.faults

    start = (number + 1) * 100_000
    run(range(start, start + WARM))
    begin.wait()
    busy = process_time()
    run(range(start + WARM, start + WARM + rows))
    pipe.send(process_time() - busy)


def processes(rows: int) -> None:
    """The same number of licences for each process, by the clock."""
    print(f"\n{'licences, so many processes':<40}{'per s':>8}{'ms of processor each':>22}")  # noqa: T201 - it is a report
    rates = {count: _together(count, rows) for count in (1, 4)}
    print(f"4 processes: {rates[4] / rates[1]:.2f} x one (at least 3, on 4 quiet cores)")  # noqa: T201 - it is a report


def _together(count: int, rows: int) -> float:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        make_office(Path(folder)).database.close()
        begin = context.Barrier(count + 1)
        pipes = [context.Pipe(duplex=False) for _ in range(count)]
        workers = [
            context.Process(target=issue, args=(folder, number, rows, begin, pipe[1]))
            for number, pipe in enumerate(pipes)
        ]
        for worker in workers:
            worker.start()
        begin.wait()
        began = perf_counter()
        busy = sum(pipe[0].recv() for pipe in pipes)
        took = perf_counter() - began
        for worker in workers:
            worker.join()
    rate = count * rows / took
    print(f"{count:<40}{rate:>8.1f}{busy / count / rows * 1000:>22.1f}")  # noqa: T201 - figures
    return rate


def batches(files: int) -> None:
    """`yinxin seal --batch`: one-page PDFs of one key, read, sealed, written to the disk and reported."""
    print(f"\n{'seals of a folder, so many processes':<40}{'per s':>8}")  # noqa: T201 - figures
    rates = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        signer = Pki().signer("seal")
        signer.save(folder / "seal.pem", passphrase="x")
        (folder / "chain.pem").write_bytes(b"".join(one.to_pem() for one in signer.chain))
        (folder / "in").mkdir()
        for number in range(files):
            (folder / "in" / f"{number}.pdf").write_bytes(plain_pdf(f"letter {number}"))
        key = Key(uri=f"file:{folder / 'seal.pem'}?chain={folder / 'chain.pem'}", secret="x")
        for count in (1, 4):
            rates[count] = _sealed(folder, key, count, files)
    print(f"4 processes: {rates[4] / rates[1]:.2f} x one")  # noqa: T201 - figures


def _sealed(folder: Path, key: Key, count: int, files: int) -> float:
    times: list[Any] = []
    Batch(
        folder / "in", Book(folder / f"out{count}"), Order(key), key.open(), SystemClock(),
        processes=count, progress=lambda done, _all: times.append((perf_counter(), done)),
    ).run()  # fmt: skip
    (began, before), (ended, done) = times[1], times[-1]  # the first group waits for the processes
    rate = (done - before) / (ended - began)
    print(f"{count:<40}{rate:>8.0f}")  # noqa: T201 - figures
    return float(rate)


def main(rows: int, files: int) -> None:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        ratios(Path(folder))
    processes(rows)
    batches(files)
