"""A seal's key is lost: what is surely from before is kept, the doubtful is sealed anew, nothing else passes.

The drill over 60 licences with a process that is killed midway; the one over 10,000 is a campaign
(`tests/campaign/test_lost_key.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import with_tables
from world.desk import plain_pdf
from world.pki import Pki
from world.sealing import FACTS, SealOffice
from world.tsa import MemoryTsa

from credentials import samples
from credentials.documents import DocumentStore
from credentials.licence import EndingKind
from credentials.office.seals import Custody, GrantTerms, SealState
from credentials.office.seals.drills import DrillState, ItemState, Verdict
from credentials.office.seals.records import SealDrillItemRecord
from credentials.repository import LicenceRepository
from signing.pdf.seal import Seal as PdfSeal
from yinxin.base.errors import Conflict, NotPermitted, Unreachable, UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from credentials.issuer import IssuedLicence, Issuer
    from credentials.office.seals import Seal
    from yinxin.base.database import Database
HOUR = timedelta(hours=1)
SIZE = 60


@dataclass
class Loss:
    """An office whose key is lost at `lost`: every third licence is from before, one late, one unproved."""

    office: SealOffice
    lost: datetime
    before: list[IssuedLicence]
    late: list[IssuedLicence]
    unproved: list[IssuedLicence]

    @classmethod
    def of(cls, office: SealOffice, size: int) -> Loss:
        start = office.now
        lost = start + 10 * HOUR
        made: dict[str, list[IssuedLicence]] = {"before": [], "late": [], "unproved": []}
        for index in range(size):
            kind = ("before", "late", "unproved")[index % 3]
            moment = lost + HOUR if kind == "late" else start + HOUR
            made[kind].append(office.issue_at(moment, index + 1, stamped=kind != "unproved"))
        office.clock.advance(lost + 20 * HOUR - office.now)
        office.tsa.at = office.now
        return cls(office, lost, **made)

    @property
    def doubtful(self) -> list[IssuedLicence]:
        return [*self.late, *self.unproved]

    def agreed(self) -> Any:
        """The drill up to the second person, and the authority's part."""
        office = self.office
        drill = office.compromise.begin(office.seal.id, since=self.lost, **FACTS, actor=office.keeper)
        plan = office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        agree(office, plan)
        office.revoke(office.key)
        return drill

    def successor(self) -> tuple[Issuer, Seal]:
        new, key = self.office.remade(self.office.seal)
        return self.office.issuer_with(key), new


def agree(office: SealOffice, plan: Any) -> None:
    request = office.compromise.request(plan.request, actor=office.zhao)
    office.compromise.agree(request.id, proof=office.proof(request), actor=office.zhao)


@pytest.fixture
def small(office: SealOffice) -> Loss:
    return Loss.of(office, 6)


def test_the_drill_killed_midway(pki: Pki, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    found = with_tables(f"sqlite:///{tmp_path / 'drill.db'}")
    request.addfinalizer(found.close)
    loss = Loss.of(SealOffice(pki, found, documents=DocumentStore(tmp_path / "d", b"d" * 32)), SIZE)
    office, third = loss.office, SIZE // 3
    drill = loss.agreed()
    plan = office.compromise.plan(drill.id, actor=office.keeper)
    assert plan.verdicts == {"before": third, "late": third, "unproved": third}
    issuer, seal = loss.successor()
    killed = Killed(issuer, after=13)
    with pytest.raises(KeyboardInterrupt):
        office.compromise.reseal(drill.id, killed, seal_id=seal.id, actor=office.keeper)  # type: ignore[arg-type]
    done = office.compromise.plan(drill.id, actor=office.keeper).states["resealed"]
    assert 0 < done < 2 * third
    plan = office.compromise.reseal(drill.id, issuer, seal_id=seal.id, actor=office.keeper, workers=2)
    assert plan.states == {"kept": third, "resealed": 2 * third}
    assert office.compromise.drill(drill.id, actor=office.keeper).state is DrillState.DONE
    for old in loss.doubtful:
        versions = versions_of(office, old)
        assert [one.version for one in versions] == [1, 2]
        assert len({one.number for one in versions}) == 1
        assert not office.verified(old.pdf, lost=loss.lost).passed
    for old in loss.doubtful[::9]:
        new = versions_of(office, old)[1]
        assert office.verified(issuer.document(new.identifier), lost=loss.lost).passed
    for old in loss.before:
        assert len(versions_of(office, old)) == 1
        report = office.verified(old.pdf, lost=loss.lost)
        assert (report.then, report.indication) == ("passed", "passed")
    assert len(office.seals.uses(seal.id, actor=office.keeper)) == 2 * third


class Killed:
    """An issuer in a process that ends after so many licences."""

    def __init__(self, issuer: Issuer, *, after: int) -> None:
        self._issuer, self._left = issuer, after

    def replace(self, *arguments: Any, **more: Any) -> Any:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return self._issuer.replace(*arguments, **more)


def versions_of(office: SealOffice, old: IssuedLicence) -> list[Any]:
    with office.database.reading() as session:
        return LicenceRepository(session).versions(old.licence.identifier)


class TestTheBeginning:
    def test_a_told_loss_stops_the_seal_for_good(self, office: SealOffice) -> None:
        drill = office.compromise.begin(office.seal.id, since=office.now, **FACTS, actor=office.keeper)
        assert office.state(office.seal) == SealState.STOPPED
        with pytest.raises(Conflict, match="stopped"):
            office.issue()
        request = office.seals.ask_to_resume(office.seal.id, **FACTS, actor=office.keeper)
        with pytest.raises(Conflict, match="leaked"):
            office.agreed(request)
        again = office.compromise.begin(office.seal.id, since=office.now, **FACTS, actor=office.keeper)
        assert again.id == drill.id

    def test_two_days_at_once_are_a_conflict(self, office: SealOffice) -> None:
        office.compromise.begin(office.seal.id, since=office.now, **FACTS, actor=office.keeper)
        with pytest.raises(Conflict, match="another day"):
            office.compromise.begin(office.seal.id, since=office.now - HOUR, **FACTS, actor=office.keeper)
        with pytest.raises(UsageError):
            office.compromise.begin(office.seal.id, since=office.now + HOUR, **FACTS, actor=office.keeper)

    def test_clerks_and_strangers_tell_nothing(self, office: SealOffice) -> None:
        with pytest.raises(NotPermitted):
            office.compromise.begin(office.seal.id, since=office.now, **FACTS, actor=office.clerk)


class TestTheAgreement:
    def test_nothing_is_sealed_before_a_second_person_agreed(self, small: Loss) -> None:
        office = small.office
        drill = office.compromise.begin(office.seal.id, since=small.lost, **FACTS, actor=office.keeper)
        issuer, seal = small.successor()
        for _ in range(2):
            with pytest.raises(Conflict):
                office.compromise.reseal(drill.id, issuer, seal_id=seal.id, actor=office.keeper)
            office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)

    def test_who_made_the_plan_does_not_agree_to_it(self, small: Loss) -> None:
        office = small.office
        drill = office.compromise.begin(office.seal.id, since=small.lost, **FACTS, actor=office.keeper)
        plan = office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        both = office.person("keeper-he", "keeper", "approver")
        request = office.compromise.request(plan.request or "", actor=both)
        with pytest.raises(NotPermitted, match="another person"):
            office.compromise.agree(request.id, proof=office.proof(request, both), actor=both)
        with pytest.raises(UsageError):
            office.seals.agree(request.id, proof=office.proof(request), actor=office.zhao)

    def test_a_plan_that_was_changed_is_not_the_one_agreed_to(self, small: Loss) -> None:
        office = small.office
        drill = office.compromise.begin(office.seal.id, since=small.lost, **FACTS, actor=office.keeper)
        plan = office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        (item, *_) = office.compromise.items(drill.id, actor=office.keeper, state=ItemState.OPEN)
        with office.database.transaction() as session:
            row = session.get(SealDrillItemRecord, (drill.id, item.use))
            assert row
            row.verdict = str(Verdict.BEFORE)
            session.add(row)
        with pytest.raises(Conflict, match="not the one"):
            agree(office, plan)

    def test_the_lost_seal_seals_nothing_anew(self, small: Loss) -> None:
        drill, office = small.agreed(), small.office
        with pytest.raises(Conflict, match="another seal"):
            office.compromise.reseal(drill.id, office.issuer, seal_id=office.seal.id, actor=office.keeper)


class TestTheSplit:
    def verdicts(self, office: SealOffice, lost: datetime) -> list[str]:
        drill = office.compromise.begin(office.seal.id, since=lost, **FACTS, actor=office.keeper)
        office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        return [str(one.verdict) for one in office.compromise.items(drill.id, actor=office.keeper)]

    def test_the_very_moment_of_the_loss_is_late(self, office: SealOffice) -> None:
        start, second = office.now, timedelta(seconds=1)
        for moment in (start + HOUR - second, start + HOUR):
            office.issue_at(moment, 1 + (moment > start + HOUR - second))
        office.clock.advance(HOUR)
        assert self.verdicts(office, start + HOUR) == ["before", "late"]

    def test_a_document_that_is_gone_or_damaged_is_doubtful(self, office: SealOffice) -> None:
        gone, damaged = office.issue_at(office.now, 1), office.issue_at(office.now, 2)
        documents = office.documents
        assert documents
        documents.remove(gone.licence.pdf_sha256 or "")
        name, place = documents._name(damaged.licence.pdf_sha256 or ""), documents._place
        place.write(name, (place.read(name, limit=1 << 20) or b"")[:-1])
        office.clock.advance(HOUR)
        assert self.verdicts(office, office.now) == ["unreadable", "unreadable"]

    def test_a_store_that_is_away_stops_the_work_and_makes_nothing_doubtful(
        self, small: Loss, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office = small.office
        drill = office.compromise.begin(office.seal.id, since=small.lost, **FACTS, actor=office.keeper)

        def away(_store: object, _digest: str) -> bytes:
            raise Unreachable("the store")

        with monkeypatch.context() as patch:
            patch.setattr(DocumentStore, "get", away)
            with pytest.raises(Unreachable):
                office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        plan = office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        assert plan.verdicts == {"before": 2, "late": 2, "unproved": 2}

    def test_a_time_by_an_authority_that_nobody_trusts_is_none(self, office: SealOffice) -> None:
        stamps = MemoryTsa(Pki().signer("timestamp"), office.now)
        issuer = office.issuer_with(office.key, seal=PdfSeal(office.key, timestamper=stamps))
        issuer.issue("food-business-licence", office_claims(1), holder=None, actor=office.clerk)
        office.clock.advance(HOUR)
        assert self.verdicts(office, office.now) == ["unproved"]

    def test_other_files_are_told_and_left_to_those_who_asked(self, office: SealOffice) -> None:
        custody = office.custody(office.key)
        use_of_file(office, custody, PdfSeal(office.key).apply(plain_pdf(), now=office.now))
        drill = office.compromise.begin(office.seal.id, since=office.now, **FACTS, actor=office.keeper)
        office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        (item,) = office.compromise.items(drill.id, actor=office.keeper)
        assert (item.verdict, item.state, item.licence) == (Verdict.UNREADABLE, ItemState.LEFT, None)

    def test_what_was_sealed_before_the_register_is_looked_at_too(
        self, pki: Pki, database: Database, tmp_path: Path
    ) -> None:
        office = SealOffice(pki, database, managed=False, documents=DocumentStore(tmp_path / "d", b"d" * 32))
        office.issuer = office.issuer_with(office.key, custody=None)
        old = office.issue_at(office.now, 1, stamped=True)
        adopted = office.adoption.adopt(
            office.key.certificate, name="电子印章", owner_name=office.agency.name.zh, key="seal"
        )
        assert adopted
        office.seal = adopted
        office.clock.advance(HOUR)
        drill = office.compromise.begin(adopted.id, since=office.now, **FACTS, actor=office.keeper)
        office.compromise.examine(drill.id, office.examiner(), actor=office.keeper)
        (item,) = office.compromise.items(drill.id, actor=office.keeper)
        assert (item.licence, item.verdict) == (old.licence.identifier, Verdict.BEFORE)


class TestWhatIsNotSealedAnew:
    def test_ended_replaced_and_paused_licences_are_left_with_the_reason(self, small: Loss) -> None:
        office = small.office
        ended, paused = small.late[0].licence.identifier, small.late[1].licence.identifier
        replaced = small.unproved[0].licence
        drill = small.agreed()
        issuer, seal = small.successor()
        office.granted(seal, GrantTerms("role:clerk", ("*",)))
        why = {"ground": "x", "document_number": "y", "actor": office.clerk}
        issuer.end(ended, EndingKind.REVOKED, **why)
        issuer.suspend(paused, **why)
        issuer.replace(replaced.identifier, replaced.claims, **why)
        plan = office.compromise.reseal(drill.id, issuer, seal_id=seal.id, actor=office.keeper)
        assert plan.states == {"kept": 2, "left": 3, "resealed": 1}
        left = office.compromise.items(drill.id, actor=office.keeper, state=ItemState.LEFT)
        said = {one.licence: one.result for one in left}
        assert said[ended] == "it is revoked"
        assert said[paused].startswith("suspended")
        assert said[replaced.identifier].startswith("superseded by")
        issuer.resume(paused, **why)
        plan = office.compromise.reseal(drill.id, issuer, seal_id=seal.id, actor=office.keeper)
        assert plan.states == {"kept": 2, "left": 2, "resealed": 2}

    def test_a_new_seal_that_stops_meanwhile_stops_the_work(self, small: Loss) -> None:
        office, drill = small.office, small.agreed()
        issuer, seal = small.successor()
        office.seals.stop(seal.id, **FACTS, actor=office.keeper)
        with pytest.raises(Conflict):
            office.compromise.reseal(drill.id, issuer, seal_id=seal.id, actor=office.keeper)
        plan = office.compromise.plan(drill.id, actor=office.keeper)
        assert plan.states == {"kept": 2, "open": 4}

    def test_a_works_grant_ends_with_the_work(self, small: Loss) -> None:
        office, drill = small.office, small.agreed()
        issuer, seal = small.successor()
        office.compromise.reseal(drill.id, issuer, seal_id=seal.id, actor=office.keeper)
        (grant,) = office.seals.grants(seal.id, actor=office.keeper)
        assert (grant.terms.grantee, grant.is_active) == ("system:seal-drill", False)


def use_of_file(office: SealOffice, custody: Custody, document: bytes) -> None:
    permit = custody.allow(office.clerk, {"file": 1})
    with office.database.transaction() as session:
        custody.used(
            session, permit, document=hashlib.sha256(document).hexdigest(), licence=None, at=office.now
        )


def office_claims(index: int) -> Any:
    return samples.application("food-business-licence", index)
