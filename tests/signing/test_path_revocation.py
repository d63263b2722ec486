"""Revocation along a path: lists and answers, known when, stale or missing."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from world.paths import DAY, Story, reasons
from world.pki import NOON, TestAuthority

from signing import Crl, Indication, OcspAnswer, Policy, Reason, RevocationSnapshot, Scope


class TestRevocation:
    def test_revoked_leaf_and_revoked_authority(self) -> None:
        story = Story.plain()
        story.authorities[0].revoke(story.leaf, NOON - DAY)
        assert reasons(story) == {Reason.CERTIFICATE_REVOKED}
        assert story.ask().revoked_at == NOON - DAY
        story = Story.plain()
        story.root.revoke(story.authorities[0].certificate, NOON - DAY)
        assert reasons(story) == {Reason.CERTIFICATE_REVOKED}

    def test_revoked_later_was_good_then_and_the_result_still_says_when(self) -> None:
        story = Story.plain()
        story.authorities[0].revoke(story.leaf, NOON - DAY)
        result = story.ask(at=NOON - 2 * DAY, scope=Scope.THEN)
        assert result.passed
        assert result.revoked_at == NOON - DAY
        assert {check.scope for check in result.checks} == {Scope.THEN}

    def test_on_hold_is_indeterminate(self) -> None:
        story = Story.plain()
        story.authorities[0].revoke(story.leaf, NOON - DAY, x509.ReasonFlags.certificate_hold)
        assert reasons(story) == {Reason.CERTIFICATE_ON_HOLD}
        assert story.ask().indication is Indication.INDETERMINATE

    def test_unknown_and_stale(self) -> None:
        story = Story.plain()
        assert reasons(story, revocation=RevocationSnapshot()) == {Reason.REVOCATION_UNKNOWN}
        assert reasons(story, at=NOON + 5 * DAY) == {Reason.REVOCATION_STALE}
        assert story.ask(revocation=RevocationSnapshot(), policy=Policy(revocation="if_available")).passed
        old = Policy(max_revocation_age=timedelta(hours=1))
        assert reasons(story, policy=old, at=NOON + timedelta(hours=2)) == {Reason.REVOCATION_STALE}
        assert story.ask(policy=old, at=NOON + timedelta(minutes=30)).passed
        assert story.ask(policy=old, at=NOON - DAY).passed

    def test_what_is_never_revoked_needs_no_evidence(self) -> None:
        no_revocation = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.56"), b"\x05\0")
        root = TestAuthority("Root")
        story = Story(root, [], root.issue("bureau", extra=((no_revocation, False),)).certificate)
        assert story.ask(revocation=RevocationSnapshot()).passed
        no_check = ((x509.OCSPNoCheck(), False),)
        story.leaf = root.issue("responder", "ocsp", extra=no_check).certificate
        assert story.ask(revocation=RevocationSnapshot(), usage="ocsp").passed
        story.leaf = root.issue("bureau", extra=no_check).certificate
        assert reasons(story, revocation=RevocationSnapshot()) == {Reason.REVOCATION_UNKNOWN}

    def test_facts_of_a_later_day_are_left_aside_when_asked(self) -> None:
        story = Story.plain()
        early = [Crl(authority.crl(NOON - DAY)) for authority in (story.root, *story.authorities)]
        story.authorities[0].revoke(story.leaf, NOON - 2 * DAY)
        both = RevocationSnapshot(early).merged_with(story.lists())
        assert story.ask(at=NOON - DAY, revocation=both, known_at=NOON - DAY).passed
        assert reasons(story, at=NOON - DAY, revocation=both) == {Reason.CERTIFICATE_REVOKED}

    def test_answers_do_as_well_as_lists(self) -> None:
        story = Story.plain()
        answers = [story.authorities[0].ocsp(story.leaf), story.root.ocsp(story.intermediates[0])]
        assert story.ask(revocation=RevocationSnapshot(ocsp=map(OcspAnswer, answers))).passed
