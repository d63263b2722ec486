"""A lost seal key with real kills: who seals anew is killed again and again, and nothing is done twice.

10,000 licences in the campaign, a handful in every test run. A third is proved to be from before the loss, a
third was sealed after it, a third has no trusted time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world.pki import Pki
from world.sealing import FACTS, SealOffice
from world.tsa import MemoryTsa

from credentials import samples
from credentials.documents import DocumentStore
from credentials.office.seals.drills import DrillState
from credentials.repository import LicenceRepository
from signing.certificates import load_pem_chain
from signing.pdf.seal import Seal as PdfSeal
from signing.signers.file import FileSigner
from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from credentials.issuer import IssuedLicence

FOOD, KEY, WORKERS = "food-business-licence", b"d" * 32, min(4, os.cpu_count() or 1)
HOUR = timedelta(hours=1)


@pytest.mark.campaign
@pytest.mark.timeout(7200)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no fork server")
def test_a_lost_key_with_kills(
    pki: Pki, tmp_path: Path, rounds: Callable[[int, int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = int(os.environ.get("YINXIN_LOST_KEY", rounds(9, 10_000)))
    url = f"sqlite:///{tmp_path / 'drill.db'}"
    database = Database(url)
    database.create_schema()
    office = SealOffice(pki, database, documents=DocumentStore(tmp_path / "documents", KEY))
    start, clock = office.now, time.perf_counter
    lost, began = start + 10 * HOUR, clock()
    before = issue(office, start + HOUR, range(1, 1 + size // 3))
    late = issue(office, lost, range(100_000, 100_000 + size // 3))
    unproved = issue(office, start + HOUR, range(200_000, 200_000 + size // 3), stamped=False)
    office.clock.advance(lost + 20 * HOUR - office.now)
    tell("issued", size, clock() - began)

    began = clock()
    drill = office.compromise.begin(office.seal.id, since=lost, **FACTS, actor=office.keeper)
    plan = office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
    tell("examined", size, clock() - began)
    assert plan.verdicts == {"before": size // 3, "late": size // 3, "unproved": size // 3}
    request = office.compromise.request(plan.request or "", actor=office.zhao)
    office.compromise.agree(request.id, proof=office.proof(request), actor=office.zhao)
    office.revoke(office.key)
    seal, key = office.remade(office.seal)
    for name, signer in (("seal", key), ("tsa", office.tsa.signer), ("credential", pki.signer("credential"))):
        keep(signer, tmp_path / name)

    began, kills = clock(), 0
    context = multiprocessing.get_context("forkserver")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # so that the server can import `world`
    todo = 2 * (size // 3)
    for part in range(1, rounds(2, 6)):
        work = (url, str(tmp_path), drill.id, seal.id, office.now)
        process = context.Process(target=seal_anew, args=work, daemon=True)
        process.start()
        while process.is_alive() and resealed(office, drill.id) < todo * part // rounds(2, 6):
            time.sleep(0.05)
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
            kills += 1
        process.join()
    seal_anew(url, str(tmp_path), drill.id, seal.id, office.now)
    tell(f"sealed anew with {kills} kills", todo, clock() - began)

    assert office.compromise.drill(drill.id, actor=office.keeper).state is DrillState.DONE
    assert len({one.document for one in every_use(office, seal.id)}) == todo
    began = clock()
    for old in (*late, *unproved):
        assert not office.verified(old.pdf, lost=lost).passed
        assert [one.version for one in versions(office, old)] == [1, 2]
    for old in before:
        assert office.verified(old.pdf, lost=lost).passed
        assert [one.version for one in versions(office, old)] == [1]
    tell("verified", size, clock() - began)
    database.close()


def issue(
    office: SealOffice, moment: datetime, indexes: range, *, stamped: bool = True
) -> list[IssuedLicence]:
    office.clock.advance(moment - office.now)
    office.tsa.at = moment
    maker = office.issuer if stamped else office.issuer_with(office.key, seal=PdfSeal(office.key))

    def one(index: int) -> IssuedLicence:
        claims = samples.application(FOOD, index)
        return maker.issue(FOOD, claims, holder=None, actor=office.clerk)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, indexes))


def keep(signer: FileSigner, path: Path) -> None:
    signer.save(path.with_suffix(".pem"), passphrase="throw-away")
    path.with_suffix(".chain.pem").write_bytes(b"".join(one.to_pem() for one in signer.chain))


def kept(folder: Path, name: str) -> FileSigner:
    signer = FileSigner.open(str(folder / f"{name}.pem"), passphrase="throw-away")
    return signer.with_chain(load_pem_chain((folder / f"{name}.chain.pem").read_bytes()))


def seal_anew(url: str, folder: str, drill: str, seal: str, now: datetime) -> None:
    """What a process of its own does, until it is killed."""
    database, place = Database(url), Path(folder)
    office = SealOffice(Pki(), database, managed=False, documents=DocumentStore(place / "documents", KEY))
    office.clock.advance(now - office.now)
    office.tsa = MemoryTsa(kept(place, "tsa"), now)
    issuer = office.issuer_with(kept(place, "seal"), credential_signer=kept(place, "credential"))
    office.compromise.reseal(drill, issuer, seal_id=seal, actor=office.keeper, workers=WORKERS)
    database.close()


def resealed(office: SealOffice, drill: str) -> int:
    return office.compromise.plan(drill, actor=office.keeper).states.get("resealed", 0)


def versions(office: SealOffice, old: IssuedLicence) -> list[object]:
    with office.database.reading() as session:
        return list(LicenceRepository(session).versions(old.licence.identifier))


def every_use(office: SealOffice, seal: str) -> list[object]:
    found: list[object] = []
    after = 0
    while page := office.seals.uses(seal, actor=office.keeper, after=after, limit=1000):
        found += page
        after = page[-1].number
    return found


def tell(what: str, count: int, seconds: float) -> None:
    print(f"{what}: {count} in {seconds:.1f} s, {count / seconds:.1f}/s")  # noqa: T201 - figures
