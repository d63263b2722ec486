"""What proves what, as a table: time-stamps before and after each ending, by each policy.

The processes are those of EN 319 102-1, 5.5 and 5.6. Every row is a PDF made and judged by the public calls.
`then` and `now` are the two verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ReasonFlags
from world.archive import stamp_again, with_store
from world.desk import Desk, plain_pdf
from world.pki import NOON, START, TestAuthority
from world.tsa import MemoryTsa

from signing import Crl, Policy, Reason, RevocationSnapshot, TrustStore
from signing.pdf import verify
from signing.report import Indication
from signing.report.checks import OTHER, kind_of
from signing.signers.file import FileSigner

DAY = timedelta(days=1)
PASSED, FAILED, UNSURE = Indication.PASSED, Indication.FAILED, Indication.INDETERMINATE
# Days after noon, when the ends come that a row does not choose.
SIGNER_END, STAMP_END, ARCHIVE_END = 30, 365, 1100
COMPROMISED, ENDED_WORK = ReasonFlags.key_compromise, ReasonFlags.cessation_of_operation
ORDERLY = {ReasonFlags.affiliation_changed, ReasonFlags.superseded, ENDED_WORK}
REASONS = sorted(
    set(ReasonFlags) - {ReasonFlags.certificate_hold, ReasonFlags.remove_from_crl},
    key=lambda flag: flag.value,
)
RSA = FileSigner.generate("RSA-2048")


def on(day: float) -> datetime:
    return NOON + day * DAY


@dataclass(frozen=True)
class Fate:
    """A revocation: the day, why, and since when the key is bad, where that is stated."""

    day: float
    reason: ReasonFlags = COMPROMISED
    since: float | None = None


@dataclass(frozen=True)
class Story:
    """Days after noon of the time-stamp, of the archive time-stamp over the evidence, and of the ends."""

    stamp: float | None = 0
    archive: float | None = None
    signer: Fate | None = None
    tsa: Fate | None = None
    issuer: Fate | None = None
    issuer_end: float = 3000
    policy: dict[str, Any] = field(default_factory=dict)

    def asked(self, day: float) -> Any:
        """The report about this story, asked on a day."""
        return _World(self).report(day)


class _World:
    """The agency's authorities use P-256, the first time-stamps P-384 and the archive's RSA."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.root = TestAuthority("Root")
        self.issuing = TestAuthority("Issuing", issuer=self.root, valid=on(story.issuer_end) - START)
        self.times = TestAuthority("Time Root", key_kind="P-384")
        self.archives = TestAuthority("Archive Root", signer=RSA.with_chain(()))
        self.agency = self.issuing.issue("Bureau", not_after=on(SIGNER_END))
        self.tsa = self.times.issue("TSA", "timestamp", not_after=on(STAMP_END), key_kind="P-384")
        self.archive = self.archives.issue(
            "Archive TSA", "timestamp", not_after=on(ARCHIVE_END), signer=RSA.with_chain(())
        )

    def report(self, day: float) -> Any:
        story = self.story
        own = [*self.lists(0.1), *self.lists(day)]
        return verify(
            self.pdf(),
            TrustStore([one.certificate for one in (self.root, self.times, self.archives)]),
            revocation=RevocationSnapshot(map(Crl.from_der, own)),
            policy=Policy(**story.policy),
            now=on(day),
        )

    def pdf(self) -> bytes:
        story, desk = self.story, Desk.__new__(Desk)
        desk.agency, desk.tsa = self.agency, MemoryTsa(self.tsa, on(story.stamp or 0))
        pdf = desk.seal(plain_pdf(), stamped=story.stamp is not None)
        if story.archive is None:
            return pdf
        kept = with_store(pdf, self.lists(min(story.archive, SIGNER_END) - 0.01))
        return stamp_again(kept, MemoryTsa(self.archive, on(story.archive)))

    def lists(self, day: float) -> list[bytes]:
        """The lists of a day: what happens later is not in them."""
        story, at = self.story, on(day)
        fates = (
            (self.issuing, self.agency.certificate, story.signer),
            (self.times, self.tsa.certificate, story.tsa),
            (self.root, self.issuing.certificate, story.issuer),
            (self.archives, self.archive.certificate, None),
        )
        made = []
        for authority, certificate, fate in fates:
            extra: tuple[Any, ...] = ()
            authority.revoked.clear()
            if fate and fate.day <= day:
                authority.revoke(certificate, on(fate.day), fate.reason)
                if fate.since is not None:
                    extra = ((x509.InvalidityDate(on(fate.since).replace(tzinfo=None)), False),)
            made.append(authority.crl(at, entry_extra=extra))
        return made


EN, LAX = {"later_revocation": "ignored"}, {"after_end": "believed"}
AFTER = {"evidence_after_proof": True}
EXPIRED, NOT_TRUSTED = Reason.CERTIFICATE_EXPIRED, Reason.TIMESTAMP_NOT_TRUSTED
NO_PROOF, LOST = Reason.NO_PROOF_OF_EXISTENCE, Reason.AUTHORITY_REVOKED_WITHOUT_PROOF
ORDERLY_END, REVOKED = Fate(40, ENDED_WORK), Reason.CERTIFICATE_REVOKED
# What happens, the day of the question, the verdicts then and now, and a reason for the worse one.
ROWS: dict[str, tuple[Story, float, Indication, Indication, Reason | None]] = {
    # The signer's certificate ends on day 30.
    "no stamp, in time": (Story(stamp=None), 1, PASSED, PASSED, None),
    "no stamp, ended": (Story(stamp=None), 31, UNSURE, UNSURE, EXPIRED),
    "stamped in time, ended since": (Story(), 31, PASSED, PASSED, None),
    "stamped after the end": (Story(stamp=31), 32, UNSURE, UNSURE, EXPIRED),
    "an archive's stamp alone": (Story(stamp=None, archive=20), 31, PASSED, PASSED, None),
    # The first authority for time-stamps ends on day 365, the archive's on day 1100.
    "the stamp's authority works": (Story(), 364, PASSED, PASSED, None),
    "the stamp's authority ended": (Story(), 366, UNSURE, UNSURE, NOT_TRUSTED),
    "it ended and is believed": (Story(policy=LAX), 366, PASSED, PASSED, None),
    "stamped again before that": (Story(archive=364), 366, PASSED, PASSED, None),
    "stamped again too late": (Story(archive=366), 370, UNSURE, UNSURE, EXPIRED),
    "the archive's ended too": (Story(archive=20), 1101, UNSURE, UNSURE, NOT_TRUSTED),
    # The authority that issued the signer's certificate.
    "the issuer ended": (Story(issuer_end=60), 61, UNSURE, UNSURE, NO_PROOF),
    "ended and is believed": (Story(issuer_end=60, policy=LAX), 61, PASSED, PASSED, None),
    "kept before its end": (Story(issuer_end=60, archive=59), 61, PASSED, PASSED, None),
    "kept after its end": (Story(issuer_end=60, archive=61), 62, UNSURE, UNSURE, NO_PROOF),
    "its key was lost": (Story(issuer=Fate(40)), 41, UNSURE, FAILED, LOST),
    "lost on a stated day": (Story(issuer=Fate(40, since=39)), 41, UNSURE, UNSURE, LOST),
    "kept before that day": (Story(issuer=Fate(40, since=39), archive=20), 41, PASSED, PASSED, None),
    "kept after that day": (Story(issuer=Fate(40, since=19), archive=20), 41, UNSURE, UNSURE, LOST),
    "kept before, no day": (Story(issuer=Fate(40), archive=20), 41, PASSED, FAILED, REVOKED),
    "the same by the standard": (Story(issuer=Fate(40), archive=20, policy=EN), 41, PASSED, PASSED, None),
    "it ended its work orderly": (Story(issuer=ORDERLY_END), 41, PASSED, PASSED, None),
    # Evidence that knows of the time of signing.
    "evidence of after the stamp": (Story(stamp=0.05, policy=AFTER), 1, PASSED, PASSED, None),
    "evidence kept after it": (Story(stamp=25, archive=26, policy=AFTER), 400, PASSED, PASSED, None),
}


@pytest.mark.parametrize(("story", "day", "then", "now", "reason"), ROWS.values(), ids=ROWS)
def test_ends(story: Story, day: float, then: Indication, now: Indication, reason: Reason | None) -> None:
    report = story.asked(day)
    assert (report.then, report.indication) == (then, now), report.reasons
    assert reason in report.reasons if reason else not report.reasons
    assert [check.name for check in report.checks if kind_of(check.name) is OTHER] == []


def test_evidence_from_before_the_signature_is_too_old_where_a_policy_says_so() -> None:
    """The lists at hand are of day 0.1, and the question is asked before there are newer ones."""
    assert Story(stamp=0.2).asked(0.3).passed
    world = _World(Story(stamp=0.2, policy=AFTER))
    world.lists = lambda day, kept=world.lists: kept(min(day, 0.1))  # type: ignore[method-assign]
    assert world.report(0.3).reasons == {Reason.REVOCATION_STALE}


class TestTheSignersRevocation:
    """On day 10, known to who asks on day 11."""

    @pytest.mark.parametrize("policy", ["counts", "counts_if_compromised", "ignored"])
    @pytest.mark.parametrize("reason", REASONS, ids=lambda flag: flag.name)
    def test_after_a_proved_time(self, reason: ReasonFlags, policy: str) -> None:
        report = Story(signer=Fate(10, reason), policy={"later_revocation": policy}).asked(11)
        is_excused = policy == "ignored" or (policy != "counts" and reason in ORDERLY)
        assert (report.then, report.indication) == (PASSED, PASSED if is_excused else FAILED)

    @pytest.mark.parametrize("reason", REASONS, ids=lambda flag: flag.name)
    def test_before_the_proved_time_or_without_any(self, reason: ReasonFlags) -> None:
        lax = {"later_revocation": "ignored", "after_end": "believed"}
        for stamp in (10.5, None):
            report = Story(stamp=stamp, signer=Fate(10, reason), policy=lax).asked(11)
            assert (report.then, report.indication) == (FAILED, FAILED)
            assert report.reasons == {Reason.CERTIFICATE_REVOKED}

    @pytest.mark.parametrize("policy", ["counts", "counts_if_compromised", "ignored"])
    @pytest.mark.parametrize(("since", "verdict"), [(5, PASSED), (-1, FAILED)])
    def test_the_authority_states_since_when(self, since: float, verdict: Indication, policy: str) -> None:
        report = Story(signer=Fate(10, since=since), policy={"later_revocation": policy}).asked(11)
        assert (report.then, report.indication) == (verdict, verdict)

    def test_a_hold_after_the_proved_time_is_told_as_one(self) -> None:
        report = Story(signer=Fate(10, ReasonFlags.certificate_hold)).asked(11)
        assert (report.then, report.indication) == (PASSED, UNSURE)
        assert report.reasons == {Reason.CERTIFICATE_ON_HOLD}


class TestOlderEvidenceDecides:
    """The newest list is not old enough, one that was kept is; what the newest knows is not forgotten."""

    def test_a_loss_that_is_heard_of_after_the_issuer_ended(self) -> None:
        for since, verdict in ((-1, FAILED), (21, PASSED)):
            story = Story(issuer_end=60, archive=20, signer=Fate(61, since=since))
            report = story.asked(62)
            assert (report.then, report.indication) == (verdict, verdict)

    def test_lists_that_were_stamped_too_late_do_no_harm(self) -> None:
        """Kept in time, and once more with newer lists after the issuer's key was lost."""
        world = _World(Story(issuer=Fate(40, since=39), archive=20))
        late = with_store(world.pdf(), world.lists(25))
        world.pdf = lambda: stamp_again(late, MemoryTsa(world.archive, on(45)))  # type: ignore[method-assign]
        assert world.report(50).passed


class TestTheStampsAuthorityRevoked:
    """On day 100, known to who asks on day 101; the signer's certificate has ended by then."""

    @pytest.mark.parametrize("reason", REASONS, ids=lambda flag: flag.name)
    def test_its_earlier_stamps_outlive_an_orderly_ending_only(self, reason: ReasonFlags) -> None:
        for policy in ("counts", "counts_if_compromised", "ignored"):
            report = Story(tsa=Fate(100, reason), policy={"later_revocation": policy}).asked(101)
            assert report.passed == (reason in ORDERLY)

    def test_what_another_authority_covered_before_holds(self) -> None:
        lost = Fate(100, since=99)
        assert Story(tsa=lost, archive=50).asked(101).passed
        assert not Story(tsa=lost, archive=99.5).asked(101).passed

    def test_a_loss_without_a_day(self) -> None:
        """The archive proves the signature on its own day, where that is in time, and not the lost one's."""
        lost = Fate(100)
        assert not Story(tsa=lost, archive=50).asked(101).passed
        assert Story(tsa=lost, archive=50, policy={"later_revocation": "ignored"}).asked(101).passed
        early = Story(tsa=lost, archive=20).asked(101)
        assert early.passed
        assert early.require().signatures[0].proved_at == on(20)

    def test_revoked_before_it_stamped(self) -> None:
        report = Story(stamp=5, tsa=Fate(4, ENDED_WORK)).asked(6)
        assert report.reasons == {Reason.TIMESTAMP_INVALID}


class TestAlgorithms:
    """An algorithm ends on day 60: the agency's P-256, or the first stamps' P-384."""

    @staticmethod
    def story(name: str, **more: Any) -> Story:
        return Story(policy={"algorithm_ends": ((name, on(60)),)}, **more)

    def test_the_signers(self) -> None:
        assert self.story("ES256").asked(59).passed
        assert Reason.ALGORITHM_ENDED in self.story("ES256").asked(61).reasons
        assert Reason.ALGORITHM_NOT_ALLOWED in self.story("ES256", stamp=None).asked(61).reasons
        assert self.story("ES256", archive=59).asked(400).passed
        assert Reason.ALGORITHM_ENDED in self.story("ES256", archive=61).asked(62).reasons

    def test_the_stamps(self) -> None:
        assert self.story("ES384").asked(59).passed
        assert Reason.TIMESTAMP_INVALID in self.story("ES384").asked(61).reasons
        assert self.story("ES384", archive=59).asked(400).passed
        assert not self.story("ES384", archive=61).asked(62).passed

    def test_the_archives(self) -> None:
        assert self.story("RS256", archive=20).asked(59).passed
        # The signature's own stamp proves its time all the same, as long as its authority works.
        assert self.story("RS256", archive=20).asked(61).passed
        assert not self.story("RS256", archive=20).asked(400).passed
