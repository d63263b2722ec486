"""Kill the authority's process at any moment: no certificate is lost, doubled, or unknown to the authority.

A round forks a process in which threads issue by themselves and through approved applications; it is killed
with SIGKILL after a random number of certificates. Its signer tells what it signs before it hands it over, so
that also a signature that never reached the database is known to the test.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from sqlmodel import select
from world.authority import CLERK, COMPANY, EVIDENCE, REGISTRAR, REVIEWER, Office, company_name, csr, name
from world.databases import database, database_url, postgresql  # noqa: F401 - fixtures

from ca.issuance import Application, Authority
from ca.records import CertificateRecord
from ca.registration import Registration
from signing.signers.file import FileSigner
from yinxin.base.actor import system
from yinxin.base.audit.records import INBOX
from yinxin.base.clock import FixedClock
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from signing.certificates import Certificate

Message = tuple[str, str]
START = (2026, 11, 20, 12)


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no fork server")
def test_no_certificate_is_lost_doubled_or_unknown_however_often_the_process_is_killed(
    database: Database,  # noqa: F811 - the fixture
    database_url: str,  # noqa: F811 - the fixture
    rounds: Callable[[int, int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office(database, clock=FixedClock(*START))
    key = office.signer._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "world.authority", "world.databases", "psycopg"])
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # so that the server can import `world`
    chance = random.Random(20261120)  # noqa: S311 - a repeatable story
    told: set[Message] = set()
    for _ in range(rounds(4, 100)):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=issue_until_killed, args=(database_url, key, theirs), daemon=True)
        process.start()
        theirs.close()
        told.update(ours.recv() for _ in range(chance.randrange(1, 60)))
        process.kill()
        told.update(_rest(ours))
        process.join()
    _check(office, told)


def issue_until_killed(url: str, key: bytes, pipe: Connection) -> None:
    """What the killed process does."""
    store, clock, gate = Database(url), FixedClock(*START), threading.Lock()

    def tell(kind: str, what: str) -> None:
        with gate:
            pipe.send((kind, what))

    signer = Telling(load_der_private_key(key, None))
    signer.tell = tell
    authority = Authority.open("enterprise", database=store, signer=signer, clock=clock, base_url=None)

    def issue() -> None:
        while True:
            application = Application(name("x"), FileSigner.generate().public_key)
            tell("issued", f"{authority.issue('status', application, actor=REGISTRAR).serial:x}")

    threading.Thread(target=issue, daemon=True).start()
    registration = Registration(store, authority, clock)
    while True:
        request = csr(FileSigner.generate())
        identifier = registration.apply("organisation-seal", company_name(), csr=request, actor=COMPANY)
        registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
        tell("issued", f"{registration.approve(identifier, REVIEWER).serial:x}")


class Telling(FileSigner):
    """Tells what it is about to hand over."""

    tell: Callable[[str, str], None]

    def sign(self, message: bytes) -> bytes:
        signature = super().sign(message)
        self.tell("signed", hashlib.sha256(message).hexdigest())
        return signature

    def with_chain(self, chain: tuple[Certificate, ...]) -> Telling:
        twin = Telling(self._private_key, chain)
        twin.tell = self.tell
        return twin


def _rest(pipe: Connection) -> list[Message]:
    """What was told before the kill and not read yet; a message cut in two was not."""
    found = []
    try:
        while True:
            found.append(pipe.recv())
    except (EOFError, OSError):
        return found


def _check(office: Office, told: set[Message]) -> None:
    issued = {int(what, 16) for kind, what in told if kind == "issued"}
    signed = {what for kind, what in told if kind == "signed"}
    assert issued
    office.clock.advance(timedelta(hours=1))
    abandoned = set(office.authority.reconcile(actor=system("reconciler")))
    settled = office.registration.reconcile(actor=REGISTRAR)
    with office.database.reading() as session:
        rows = session.exec(
            select(CertificateRecord).where(CertificateRecord.authority == "enterprise")
        ).all()
        finals = sum('"action":"certificate.issue"' in body for body in session.scalars(select(INBOX.c.body)))
    by_state = {
        state: {int(row.serial, 16) for row in rows if row.state == state}
        for state in ("intended", "issued", "abandoned")
    }
    assert by_state["intended"] == set()
    assert by_state["abandoned"] == abandoned
    assert issued <= by_state["issued"]
    assert signed <= {row.tbs_digest for row in rows}  # nothing was signed that the authority does not know
    assert finals == len(by_state["issued"]) + 2  # root and issuing authority are in the log too
    listed = x509.load_der_x509_crl(office.authority.crl())
    assert {entry.serial_number for entry in listed} == abandoned
    for identifier in settled:
        row = office.registration.get(identifier)
        assert (row.state == "issued") == (row.serial is not None)
        assert row.state in {"issued", "approved"}
    done = [row for row in rows if row.issued_for]
    assert len({row.issued_for for row in done}) == len(done)
