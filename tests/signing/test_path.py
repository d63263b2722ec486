"""Paths: found within a budget, judged by the rules, alike to what OpenSSL says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from world.openssl import need_sm2, openssl
from world.pki import NOON, START, TestAuthority, digest_for, key_usage
from world.sm2 import Sm2Authority, key_usage_extension
from world.work import counted_calls

from signing import (
    Certificate,
    Crl,
    FileSigner,
    Indication,
    OcspAnswer,
    Policy,
    Reason,
    RevocationSnapshot,
    Scope,
    TrustAnchor,
    TrustStore,
    validate_path,
)
from signing.path import AUTHORITY
from signing.usages import USAGES, usage
from yinxin.base.errors import UsageError, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signing import PathResult
    from signing.usages import Usage

    Changes = list[tuple[int, int]]

DAY = timedelta(days=1)
LENIENT = Policy(revocation="if_available", strict_usage=False)
UNRECOGNISED = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")


@dataclass
class Story:
    """A leaf with its authorities, and how it is asked about."""

    root: TestAuthority
    authorities: list[TestAuthority]
    leaf: Certificate
    extra: list[Certificate] = field(default_factory=list)

    @classmethod
    def plain(cls, **leaf: Any) -> Story:
        root = TestAuthority("Root")
        issuing = TestAuthority("Issuing", issuer=root)
        return cls(root, [issuing], issuing.issue("bureau", **leaf).certificate)

    @property
    def intermediates(self) -> list[Certificate]:
        return [authority.certificate for authority in self.authorities] + self.extra

    def lists(self) -> RevocationSnapshot:
        return RevocationSnapshot([Crl(authority.crl()) for authority in (self.root, *self.authorities)])

    def ask(self, **changes: Any) -> PathResult:
        question: dict[str, Any] = {
            "at": NOON,
            "usage": "seal",
            "revocation": self.lists(),
            "policy": Policy.default(),
            **changes,
        }
        trust = question.pop("trust", TrustStore([self.root.certificate]))
        intermediates = question.pop("intermediates", self.intermediates)
        return validate_path(self.leaf, intermediates, trust, **question)


def reasons(story: Story, **changes: Any) -> set[Reason]:
    return set(story.ask(**changes).reasons)


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
        assert ask(no_sm2, lists).reasons == {Reason.ALGORITHM_NOT_ALLOWED}
        revoked = RevocationSnapshot([Crl(root.crl({}, NOON)), Crl(issuing.crl({leaf.serial: NOON}, NOON))])
        assert ask(policy, revoked).reasons == {Reason.CERTIFICATE_REVOKED}

    def test_the_order_of_certificates_means_nothing(self) -> None:
        story = Story.plain()
        twin = TestAuthority("Issuing", issuer=story.root).certificate
        offered = [*story.intermediates, twin, story.root.certificate, story.leaf]
        results = {story.ask(intermediates=list(order)).checks for order in permutations(offered)}
        assert len(results) == 1
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
        assert reasons(story, policy=Policy(min_rsa_bits=3072)) == {Reason.ALGORITHM_NOT_ALLOWED}
        only = Policy(algorithms=frozenset({"ES256"}))
        assert reasons(story, policy=only) == {Reason.ALGORITHM_NOT_ALLOWED}
        ended = Policy(algorithm_ends=(("RS256", NOON - DAY),))
        assert reasons(story, policy=ended) == {Reason.ALGORITHM_NOT_ALLOWED}
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


class TestHostileSearches:
    """Certificates made to explode a search: the answer comes fast and is the same each time."""

    @staticmethod
    def crossed(count: int, *, one_key: bool) -> list[Certificate]:
        """Authorities that all certify each other, under one name or under names of their own."""
        keys = [FileSigner.generate() for _ in range(1 if one_key else count)]
        roots = [
            TestAuthority("Twin" if one_key else f"Twin {number}", signer=keys[number % len(keys)])
            for number in range(count)
        ]
        return [
            TestAuthority(below.common_name, issuer=above, signer=below.signer.with_chain(())).certificate
            for below in roots
            for above in roots
            if below is not above
        ]

    @pytest.mark.parametrize("one_key", [True, False], ids=["one name and key", "many names"])
    def test_cross_signed_authorities(self, *, one_key: bool) -> None:
        crossed = self.crossed(12, one_key=one_key)
        story = Story.plain()
        twin = TestAuthority(crossed[0].common_name)
        story.leaf = twin.issue("forged").certificate
        self.check_work(story, crossed)

    def test_twenty_that_all_seem_to_have_issued_the_leaf(self) -> None:
        """Every pair verifies, none leads anywhere: the worst case of a search without a budget."""
        rings = [FileSigner.generate() for _ in range(20)]
        names = [TestAuthority("Ring", signer=key) for key in rings]
        offered = [one.certificate for one in names]
        offered += [
            TestAuthority("Ring", issuer=above, signer=below.signer.with_chain(())).certificate
            for below, above in zip(names, names[1:] + names[:1], strict=True)
        ]
        story = Story.plain()
        story.leaf = names[0].issue("forged").certificate
        self.check_work(story, offered)

    @staticmethod
    def check_work(story: Story, offered: list[Certificate]) -> None:
        lists = story.lists()
        with counted_calls() as work:
            result = story.ask(intermediates=[*offered, *story.intermediates], revocation=lists)
        assert work.calls < 150_000
        assert result.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}

    def test_the_genuine_path_is_found_among_the_junk(self) -> None:
        root = TestAuthority("Root")
        issuing = TestAuthority("Issuing", issuer=root)
        story = Story(root, [issuing], issuing.issue("bureau").certificate)
        story.extra = [TestAuthority("Issuing").certificate for _ in range(20)]
        assert story.ask().passed

    def test_more_certificates_than_anybody_needs(self) -> None:
        story = Story.plain()
        junk = [TestAuthority(f"Junk {number}").certificate for number in range(150)]
        result = story.ask(intermediates=junk)
        assert result.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
        assert "search was ended" in result.checks[0].detail

    def test_a_chain_that_is_too_long(self) -> None:
        root = above = TestAuthority("Root")
        authorities = []
        for number in range(12):
            above = TestAuthority(f"CA {number}", issuer=above)
            authorities.append(above)
        story = Story(root, authorities, above.issue("bureau").certificate)
        assert reasons(story) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


@pytest.fixture(scope="module")
def story() -> Story:
    return Story.plain()


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=3),
    is_leaf=st.booleans(),
)
def test_mutated_certificates_never_pass_and_never_raise(
    story: Story, changes: Changes, *, is_leaf: bool
) -> None:
    original = story.leaf if is_leaf else story.intermediates[0]
    data = bytearray(original.der)
    for place, value in changes:
        data[place % len(data)] = value
    try:
        certificate = Certificate(bytes(data))
    except YinxinError:
        return
    leaf, above = (certificate, story.intermediates[0]) if is_leaf else (story.leaf, certificate)
    trust = TrustStore([story.root.certificate])
    result = validate_path(
        leaf, [above], trust, at=NOON, usage="seal", revocation=story.lists(), policy=LENIENT
    )
    assert not result.passed or certificate == original


def _broken(story: Story) -> Story:
    data = bytearray(story.leaf.der)
    data[-3] ^= 1
    story.leaf = Certificate(bytes(data))
    return story


def _revoked(story: Story) -> Story:
    story.authorities[0].revoke(story.leaf, NOON - DAY)
    return story


def _revoked_authority(story: Story) -> Story:
    story.root.revoke(story.intermediates[0], NOON - DAY)
    return story


def _with_issuer(**changes: Any) -> Story:
    root = TestAuthority("Root")
    issuing = TestAuthority("Issuing", issuer=root, **changes)
    return Story(root, [issuing], issuing.issue("bureau", "client").certificate)


def _deep(length: int | None) -> Story:
    root = TestAuthority("Root")
    policy = TestAuthority("Policy CA", issuer=root, path_length=length)
    issuing = TestAuthority("Issuing", issuer=policy)
    return Story(root, [policy, issuing], issuing.issue("bureau", "client").certificate)


MATRIX: dict[str, tuple[bool, Callable[[], Story]]] = {
    "good": (True, lambda: Story.plain(use="client")),
    "good, deeper": (True, lambda: _deep(1)),
    "path length": (False, lambda: _deep(0)),
    "expired": (False, lambda: Story.plain(use="client", not_after=NOON - DAY)),
    "not yet valid": (
        False,
        lambda: Story.plain(use="client", not_before=NOON + DAY, not_after=NOON + 9 * DAY),
    ),
    "expired authority": (False, lambda: _with_issuer(valid=DAY)),
    "wrong use": (False, lambda: Story.plain(use="timestamp")),
    "wrong key usage": (False, lambda: Story.plain(use="client", bits=("key_cert_sign",))),
    "unknown critical extension": (False, lambda: Story.plain(use="client", extra=((UNRECOGNISED, True),))),
    "unknown extension": (True, lambda: Story.plain(use="client", extra=((UNRECOGNISED, False),))),
    "critical in the authority": (False, lambda: _with_issuer(extra=((UNRECOGNISED, True),))),
    "no authority": (False, lambda: _with_issuer(is_authority=False)),
    "no basic constraints": (False, lambda: _with_issuer(is_authority=None)),
    "may not certify": (False, lambda: _with_issuer(bits=("crl_sign", "digital_signature"))),
    "authority for another use": (
        False,
        lambda: _with_issuer(
            extra=((x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.4")]), False),)
        ),
    ),
    "bad signature": (False, lambda: _broken(Story.plain(use="client"))),
    "revoked": (False, lambda: _revoked(Story.plain(use="client"))),
    "revoked authority": (False, lambda: _revoked_authority(Story.plain(use="client"))),
}


@pytest.mark.peer
@pytest.mark.parametrize("name", MATRIX)
def test_openssl_says_the_same(name: str, tmp_path: Path) -> None:
    passes, make = MATRIX[name]
    story = make()
    assert story.ask(usage="client").passed is passes
    files = {"root.pem": [story.root.certificate], "leaf.pem": [story.leaf], "chain.pem": story.intermediates}
    for file, certificates in files.items():
        (tmp_path / file).write_bytes(b"".join(certificate.to_pem() for certificate in certificates))
    lists = [x509.load_der_x509_crl(authority.crl()) for authority in (story.root, *story.authorities)]
    (tmp_path / "lists.pem").write_bytes(b"".join(crl.public_bytes(Encoding.PEM) for crl in lists))
    options = (
        "-purpose",
        "sslclient",
        "-attime",
        str(int(NOON.timestamp())),
        "-crl_check_all",
        "-x509_strict",
    )
    files_of = ("-CAfile", "root.pem", "-untrusted", "chain.pem", "-CRLfile", "lists.pem", "leaf.pem")
    answer = openssl("verify", *options, *files_of, cwd=tmp_path, check=False)
    assert ("leaf.pem: OK" in answer) is passes, answer


@pytest.mark.peer
def test_openssl_verifies_the_sm2_path_that_we_do(tmp_path: Path) -> None:
    need_sm2()
    root = Sm2Authority("Root")
    issuing = Sm2Authority("Issuing", root)
    _, leaf = issuing.issue("bureau")
    for name, certificate in (("root", root.certificate), ("issuing", issuing.certificate), ("leaf", leaf)):
        (tmp_path / f"{name}.pem").write_bytes(certificate.to_pem())
    # The command hands the identity to the certificate it was given only, so it goes link by link.
    options = ("-vfyopt", "distid:1234567812345678", "-attime", str(int(NOON.timestamp())), "-partial_chain")
    for issuer, below in (("root", "issuing"), ("issuing", "leaf")):
        answer = openssl("verify", *options, "-CAfile", f"{issuer}.pem", f"{below}.pem", cwd=tmp_path)
        assert f"{below}.pem: OK" in answer
    trust, nothing = TrustStore([root.certificate]), RevocationSnapshot()
    result = validate_path(
        leaf, [issuing.certificate], trust, at=NOON, usage="seal", revocation=nothing, policy=LENIENT
    )
    assert result.passed


def test_serials_and_names_that_are_odd_raise_no_warning() -> None:
    """Zero as a serial and an overlong country are of the real world; the parser only warns of them."""
    root = TestAuthority("Root")
    key = FileSigner.generate()
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "CN")]))
        .issuer_name(root.certificate.x509.subject)
        .public_key(key.public_key.native)
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(NOON + DAY)
        .add_extension(key_usage("content_commitment"), critical=True)
        .sign(root.signer._private_key, digest_for(root.signer))
    )
    encoded = leaf.public_bytes(Encoding.DER)
    # The common names become countries, which must have two letters.
    long_country = Certificate(encoded.replace(b"\x55\x04\x03", b"\x55\x04\x06"))
    assert long_country.issuer
    assert long_country.common_name
    zero = Certificate(encoded.replace(b"\x02\x01\x01", b"\x02\x01\x00", 1))
    assert (Certificate(encoded).serial, zero.serial) == (1, 0)
