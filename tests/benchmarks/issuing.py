"""What `figures_issuing` measures.

It stands apart, because every new process imports the script that was started.
"""

from __future__ import annotations

import itertools
import os
import resource
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.rounds import measure
from world.office import Office
from world.pki import Pki
from world.rows import csv_of
from world.tsa import MemoryTsa

from credentials import printed_code, samples
from credentials.documents import DocumentStore
from credentials.face.page import Typesetter
from credentials.face.qr_code import draw_code
from credentials.production import Draft
from signing.pdf.seal import Seal
from yinxin.base.database import Database

if TYPE_CHECKING:
    from credentials.licence import Licence

KINDS = [code for code, _ in samples.applications(8)]
BATCH_KIND = "food-business-licence"


def make_office(folder: Path, *, pki: Pki | None = None, is_new: bool = True) -> Office:
    """An office whose seals are stamped, and whose documents and rows are kept on a disk."""
    database = Database(f"sqlite:///{folder / 'office.db'}")
    if is_new:
        database.create_schema()
    pki = pki or Pki()
    office = Office(pki, database, documents=DocumentStore(folder / "documents", b"k" * 32))
    production = office.issuer._production
    stamped = Seal(
        pki.signer("seal"), face=production.seal.face, timestamper=MemoryTsa(pki.signer("timestamp"))
    )
    office.issuer._production = replace(production, seal=stamped)
    return office


def parts(office: Office) -> None:
    """One licence after the other, and its parts."""
    production, numbers = office.issuer._production, itertools.count(100)
    made = [office.issue(KINDS[index % len(KINDS)], index).licence for index in range(24)]
    turn, typesetter = itertools.cycle(made), Typesetter()

    def code_of(licence: Licence) -> str:
        kind = office.catalogue[licence.type_code]
        return printed_code.make(
            licence, kind, address=production.code_address, signer=production.credential_signer
        )

    codes = {licence.identifier: code_of(licence) for licence in made}

    def page(setter: Typesetter) -> bytes:
        licence = next(turn)
        kind = office.catalogue[licence.type_code]
        return setter.typeset(licence, kind, code=codes[licence.identifier]).pdf

    pages = itertools.cycle([page(typesetter) for _ in made])

    def whole() -> object:
        number = next(numbers)
        return office.issue(KINDS[number % len(KINDS)], number)

    def record() -> object:
        number = next(numbers)
        kind = office.catalogue[BATCH_KIND]
        draft = Draft(kind, kind.check(samples.application(BATCH_KIND, number)), office.holder.public_key)
        (reserved,) = production.reserve([draft], office.clerk)
        return production._licence(draft, reserved.number)

    measure(
        {
            "whole licence": whole,
            "its page": lambda: page(typesetter),
            "of that: its code as a picture": lambda: draw_code(codes[next(turn).identifier]),
            "its seal, B-T": lambda: production.seal.apply(next(pages), now=office.now, at=(300, 100)),
            "its printed code, signed": lambda: code_of(next(turn)),
            "number and status entry": record,
            "a page with a new compiler": lambda: page(Typesetter()),
        },
        beside="whole licence",
        rounds=5,
        calls=16,
    )


def batches(office: Office, rows: int) -> None:
    """A file of one type, with pages set here and in other processes."""
    print(f"\n{'a batch of ' + str(rows):<44}{'per s':>8}{'per s and core':>16}")  # noqa: T201 - figures
    cores = os.cpu_count() or 1
    for number, processes in enumerate((0, 1, cores)):
        data = csv_of(BATCH_KIND, range(number * rows, (number + 1) * rows))
        began, busy = perf_counter(), processor_time()
        result = office.issuer.issue_rows(
            data,
            type_code=BATCH_KIND,
            actor=office.clerk,
            holder_key=lambda _kind, _claims: office.holder.public_key,
            processes=processes,
        )
        took, spent = perf_counter() - began, processor_time() - busy
        assert len(result.issued) == rows, result.faults
        label = f"pages in {processes} processes" if processes else "pages in threads"
        print(f"{label:<44}{rows / took:>8.1f}{rows / spent:>16.1f}")  # noqa: T201 - figures


def processor_time() -> float:
    """Seconds of this process and of those that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(rows: int) -> None:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        office = make_office(Path(folder))
        parts(office)
        batches(office, rows)
        office.database.close()
