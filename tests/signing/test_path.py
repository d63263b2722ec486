"""Paths: found, and judged by the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from world.paths import DAY, LENIENT, UNRECOGNISED, Story, reasons
from world.pki import NOON, START, TestAuthority
from world.sm2 import Sm2Authority, key_usage_extension

from signing import (
    Certificate,
    Crl,
    Indication,
    Policy,
    Reason,
    RevocationSnapshot,
    TrustAnchor,
    TrustStore,
    validate_path,
)
from signing.path import AUTHORITY
from signing.usages import USAGES, usage
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from signing import PathResult
    from signing.usages import Usage


class TestTheGoodPath:
    def test_every_check_passes_and_says_so(self) -> None:
        story = Story.plain()
        result = story.ask()
        assert result.passed
        assert result.path == (story.leaf, story.authorities[0].certificate, story.root.certificate)
        assert {check.name for check in result.checks} == {
            "certificate_path",
            "certificate_validity",
            "certificate_constraints",
            "certificate_usage",
            "certificate_algorithms",
            "certificate_revocation",
        }
        assert result.checks[0].detail == "bureau < Issuing < Root"

    @pytest.mark.parametrize("row", USAGES, ids=lambda row: row.name)
    def test_each_use_has_its_certificate(self, row: Usage) -> None:
        story = Story.plain(use=row.name)
        for other in USAGES:
            assert story.ask(usage=other.name).passed == (other == row)

    @pytest.mark.parametrize("kind", ["P-384", "RSA-2048", "Ed25519"])
    def test_every_kind_of_key(self, kind: str) -> None:
        root = TestAuthority("Root", key_kind=kind)
        issuing = TestAuthority("Issuing", issuer=root, key_kind=kind)
        assert Story(root, [issuing], issuing.issue("bureau", key_kind=kind).certificate).ask().passed

    def test_sm2_like_any_other(self) -> None:
        root = Sm2Authority("Root")
        issuing = Sm2Authority("Issuing", root)
        _, leaf = issuing.issue("bureau", key_usage_extension(0b11000000))
        lists = RevocationSnapshot([Crl(root.crl({}, NOON)), Crl(issuing.crl({}, NOON))])
        policy = Policy(strict_usage=False)

        def ask(policy: Policy, revocation: RevocationSnapshot) -> PathResult:
            trust = TrustStore([root.certificate])
            return validate_path(
                leaf,
                [issuing.certificate],
                trust,
                at=NOON,
                usage="seal",
                revocation=revocation,
                policy=policy,
            )

        assert ask(policy, lists).passed
        no_sm2 = policy.with_changes(algorithms=policy.algorithms - {"SM2"})
        # Lists by such keys clear nobody either.
        assert ask(no_sm2, lists).reasons == {Reason.ALGORITHM_NOT_ALLOWED, Reason.REVOCATION_UNKNOWN}
        revoked = RevocationSnapshot([Crl(root.crl({}, NOON)), Crl(issuing.crl({leaf.serial: NOON}, NOON))])
        assert ask(policy, revoked).reasons == {Reason.CERTIFICATE_REVOKED}

    def test_the_order_of_certificates_means_nothing(self) -> None:
        story = Story.plain()
        twin = TestAuthority("Issuing", issuer=story.root).certificate
        offered = [*story.intermediates, twin, story.root.certificate, story.leaf]
        asked = [story.ask(intermediates=list(order)) for order in permutations(offered)]
        # Each question has lists of its own, so the evidence differs and nothing else.
        assert len({tuple(replace(check, evidence=()) for check in one.checks) for one in asked}) == 1
        assert story.ask(intermediates=offered * 10).passed

    def test_an_anchor_may_be_the_leaf_itself(self) -> None:
        story = Story.plain()
        result = story.ask(trust=TrustStore([story.leaf]), revocation=RevocationSnapshot())
        assert result.passed
        assert result.path == (story.leaf,)

    def test_an_anchor_may_be_an_issuing_authority(self) -> None:
        story = Story.plain()
        trust = TrustStore([story.authorities[0].certificate])
        assert story.ask(trust=trust).path == (story.leaf, story.authorities[0].certificate)

    def test_a_renewed_authority_is_chosen_when_the_old_one_is_out_of_date(self) -> None:
        story = Story.plain()
        key = story.authorities[0].signer.with_chain(())
        story.extra = [TestAuthority("Issuing", issuer=story.root, valid=DAY, signer=key).certificate]
        result = story.ask()
        assert result.passed
        assert result.path[1] == story.authorities[0].certificate

    def test_a_cross_signed_root_leads_to_the_trusted_one(self) -> None:
        story = Story.plain()
        trusted = TestAuthority("Trusted")
        crossed = TestAuthority("Root", issuer=trusted, signer=story.root.signer.with_chain(()))
        story.extra = [crossed.certificate]
        lists = [Crl(authority.crl()) for authority in (trusted, story.root, *story.authorities)]
        result = story.ask(trust=TrustStore([trusted.certificate]), revocation=RevocationSnapshot(lists))
        assert result.passed
        assert [one.common_name for one in result.path] == ["bureau", "Issuing", "Root", "Trusted"]


class TestWhatIsWrong:
    def test_nobody_we_trust(self) -> None:
        story, stranger = Story.plain(), TestAuthority("Root")
        trust = TrustStore([stranger.certificate])
        assert reasons(story, trust=trust) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
        assert story.ask(trust=trust).indication is Indication.INDETERMINATE
        assert story.ask(trust=trust).path == ()
        assert reasons(story, trust=TrustStore([])) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
        assert reasons(story, intermediates=[]) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}

    def test_an_altered_certificate(self) -> None:
        story = Story.plain()
        altered = bytearray(story.leaf.der)
        altered[-1] ^= 1
        story.leaf = Certificate(bytes(altered))
        assert reasons(story) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}

    def test_times(self) -> None:
        story = Story.plain(not_before=START + DAY, not_after=NOON)
        assert not reasons(story, at=NOON)
        assert reasons(story, at=NOON + timedelta(seconds=1)) >= {Reason.CERTIFICATE_EXPIRED}
        assert reasons(story, at=START + DAY / 2) >= {Reason.CERTIFICATE_NOT_YET_VALID}

    def test_an_anchor_that_is_out_of_date(self) -> None:
        root = TestAuthority("Root", valid=DAY)
        story = Story(root, [], root.issue("bureau").certificate)
        assert reasons(story) == {Reason.CERTIFICATE_EXPIRED}

    def test_an_anchor_for_another_use(self) -> None:
        story = Story.plain()
        trust = TrustStore([TrustAnchor(story.root.certificate, frozenset({"status"}))])
        assert reasons(story, trust=trust) == {Reason.WRONG_KEY_USAGE}

    @pytest.mark.parametrize(
        "broken",
        [
            {"is_authority": False},
            {"is_authority": None},
            {"bits": ("crl_sign",)},
            {"extra": ((UNRECOGNISED, True),)},
        ],
        ids=["no authority", "no basic constraints", "may not certify", "unknown critical extension"],
    )
    def test_an_issuer_that_may_not_issue(self, broken: dict[str, Any]) -> None:
        root = TestAuthority("Root")
        issuing = TestAuthority("Issuing", issuer=root, **broken)
        story = Story(root, [issuing], issuing.issue("bureau").certificate)
        assert Reason.CHAIN_CONSTRAINTS_FAILURE in reasons(story, policy=LENIENT)
        assert story.ask(policy=LENIENT).indication is Indication.FAILED

    def test_a_leaf_that_issues(self) -> None:
        story = Story.plain()
        thief = story.authorities[0].issue("thief")
        rogue = TestAuthority("thief", signer=thief.with_chain(()))
        story.leaf, story.extra = rogue.issue("forged").certificate, [thief.certificate]
        assert Reason.CHAIN_CONSTRAINTS_FAILURE in reasons(story, policy=LENIENT)

    @pytest.mark.parametrize(
        ("length", "depth", "passes"), [(0, 1, True), (0, 2, False), (1, 2, True), (1, 3, False)]
    )
    def test_path_length(self, length: int, depth: int, *, passes: bool) -> None:
        root = TestAuthority("Root")
        above = root
        authorities = []
        for number in range(depth):
            above = TestAuthority(f"CA {number}", issuer=above, path_length=None if number else length)
            authorities.append(above)
        story = Story(root, authorities, above.issue("bureau").certificate)
        assert story.ask().passed is passes
        assert reasons(story) == (set() if passes else {Reason.CHAIN_CONSTRAINTS_FAILURE})

    def test_unknown_critical_extensions_of_the_leaf(self) -> None:
        assert reasons(Story.plain(extra=((UNRECOGNISED, True),))) == {Reason.CHAIN_CONSTRAINTS_FAILURE}
        assert not reasons(Story.plain(extra=((UNRECOGNISED, False),)))

    def test_a_demand_for_certificate_policies_fails_closed(self) -> None:
        root = TestAuthority("Root")
        issuing = TestAuthority("Issuing", issuer=root, extra=((x509.PolicyConstraints(0, None), True),))
        story = Story(root, [issuing], issuing.issue("bureau").certificate)
        assert reasons(story) == {Reason.CHAIN_CONSTRAINTS_FAILURE}

    def test_an_authority_bound_to_other_uses(self) -> None:
        root = TestAuthority("Root")
        only = x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage("status").extended)])
        issuing = TestAuthority("Issuing", issuer=root, extra=((only, False),))
        story = Story(root, [issuing], issuing.issue("bureau").certificate)
        assert reasons(story) == {Reason.WRONG_KEY_USAGE}
        story.leaf = issuing.issue("list", "status").certificate
        assert story.ask(usage="status").passed

    def test_algorithms_and_keys(self) -> None:
        root = TestAuthority("Root", key_kind="RSA-2048")
        story = Story(root, [], root.issue("bureau").certificate)
        assert story.ask().passed
        # The authority's list is signed with the same key: it clears nobody either.
        refused = {Reason.ALGORITHM_NOT_ALLOWED, Reason.REVOCATION_UNKNOWN}
        assert reasons(story, policy=Policy(min_rsa_bits=3072)) == refused
        only = Policy(algorithms=frozenset({"ES256"}))
        assert reasons(story, policy=only) == refused
        ended = Policy(algorithm_ends=(("RS256", NOON - DAY),))
        assert reasons(story, policy=ended) == refused
        assert story.ask(policy=ended, at=NOON - 2 * DAY).passed

    def test_usage_strict_and_lenient(self) -> None:
        bare = Story.plain(bits=(), extended=())
        assert reasons(bare) == {Reason.WRONG_KEY_USAGE}
        assert bare.ask(policy=LENIENT).passed
        assert not bare.ask(policy=LENIENT, usage="timestamp").passed
        other_bit = Story.plain(bits=("digital_signature",), extended=())
        assert other_bit.ask(policy=LENIENT).passed
        wrong_bit = Story.plain(bits=("key_encipherment",), extended=())
        assert reasons(wrong_bit, policy=LENIENT) == {Reason.WRONG_KEY_USAGE}
        wrong_use = Story.plain(extended=("1.3.6.1.5.5.7.3.4",))
        assert reasons(wrong_use, policy=LENIENT) == {Reason.WRONG_KEY_USAGE}
        any_use = Story.plain(extended=("2.5.29.37.0",))
        assert any_use.ask(policy=LENIENT).passed
        assert reasons(any_use) == {Reason.WRONG_KEY_USAGE}
        authority = Story.plain(is_authority=True)
        assert reasons(authority) == {Reason.WRONG_KEY_USAGE}

    def test_a_time_stamp_certificate_has_one_critical_use(self) -> None:
        two = Story.plain(use="timestamp", extended=(usage("timestamp").extended, usage("ocsp").extended))
        assert reasons(two, usage="timestamp") == {Reason.WRONG_KEY_USAGE}

    def test_an_authority_is_asked_for_by_its_own_word(self) -> None:
        story = Story.plain()
        assert reasons(story, usage=AUTHORITY) == {Reason.WRONG_KEY_USAGE}
        story.leaf = story.authorities[0].certificate
        assert story.ask(usage=AUTHORITY).passed
        assert not story.ask(usage="seal").passed

    def test_a_wrong_question_is_the_callers_fault(self) -> None:
        story = Story.plain()
        with pytest.raises(UsageError):
            story.ask(usage="everything")
        with pytest.raises(UsageError):
            story.ask(at=NOON.replace(tzinfo=None))
