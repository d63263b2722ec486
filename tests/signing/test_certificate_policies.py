"""Certificate policies along a path: demanded, mapped, inhibited, and made to explode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import NOON, Extra, Pki, TestAuthority
from world.work import counted_calls

from signing import Policy, RevocationSnapshot, TrustStore, der, validate_path
from signing.path.certificate_policies import ANY
from signing.reasons import Reason
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from signing.certificates import Certificate

OFFICE, COUNTER, OTHER = "1.2.156.10260.9.1", "1.2.156.10260.9.2", "1.2.156.10260.9.3"
POLICY = Policy(revocation="if_available")


def named(*policies: str) -> tuple[x509.ExtensionType, bool]:
    rows = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in policies]
    return x509.CertificatePolicies(rows), False


def constrained(
    *, explicit: int | None = None, mapping: int | None = None
) -> tuple[x509.ExtensionType, bool]:
    return x509.PolicyConstraints(explicit, mapping), True


def mapped(*pairs: tuple[str, str]) -> tuple[x509.ExtensionType, bool]:
    rows = (der.sequence(der.oid(ours), der.oid(theirs)) for ours, theirs in pairs)
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), der.sequence(*rows)), True


def faults(pki: Pki, authority: Extra, leaf: Extra, policy: Policy = POLICY) -> set[Reason]:
    """What is wrong with root → issuing (with these extensions) → leaf (with those)."""
    issuing = TestAuthority("策略签发机构", issuer=pki.root, extra=authority)
    certificate = issuing.issue("印章", "seal", extra=leaf).certificate
    return judge(pki, certificate, (issuing,), policy)


def judge(pki: Pki, leaf: Certificate, between: tuple[TestAuthority, ...], policy: Policy) -> set[Reason]:
    return set(
        validate_path(
            leaf,
            [authority.certificate for authority in between],
            TrustStore([pki.root.certificate]),
            at=NOON,
            usage="seal",
            revocation=RevocationSnapshot(),
            policy=policy,
        ).reasons
    )


REFUSED = {Reason.CHAIN_CONSTRAINTS_FAILURE}
ONLY_OFFICE = POLICY.with_changes(certificate_policies=frozenset({OFFICE}), require_certificate_policy=True)


@pytest.mark.parametrize(
    ("authority", "leaf", "policy", "expected"),
    [
        ((), (), POLICY, set()),
        ((), (), ONLY_OFFICE, REFUSED),
        ((named(OFFICE),), (named(OFFICE),), ONLY_OFFICE, set()),
        ((named(OFFICE),), (named(OTHER),), ONLY_OFFICE, REFUSED),
        ((named(OTHER),), (named(OFFICE),), ONLY_OFFICE, REFUSED),
        ((named(ANY),), (named(OFFICE),), ONLY_OFFICE, set()),
        ((named(ANY),), (named(ANY),), ONLY_OFFICE, set()),
        ((named(ANY),), (named(OFFICE),), ONLY_OFFICE.with_changes(inhibit_any_policy=True), REFUSED),
        ((named(OFFICE), constrained(explicit=0)), (), POLICY, REFUSED),
        ((named(OFFICE), constrained(explicit=0)), (named(OFFICE),), POLICY, set()),
        ((named(OFFICE), mapped((OFFICE, COUNTER))), (named(COUNTER),), ONLY_OFFICE, set()),
        ((named(OFFICE), mapped((OFFICE, COUNTER))), (named(OFFICE),), ONLY_OFFICE, REFUSED),
        (
            (named(OFFICE), mapped((OFFICE, COUNTER))),
            (named(COUNTER),),
            ONLY_OFFICE.with_changes(inhibit_policy_mapping=True),
            REFUSED,
        ),
        ((named(ANY), mapped((ANY, COUNTER))), (named(COUNTER),), POLICY, REFUSED),
        ((named(ANY), mapped((OFFICE, ANY))), (named(COUNTER),), POLICY, REFUSED),
    ],
)
def test_policies_are_kept_or_lost(
    pki: Pki, authority: Extra, leaf: Extra, policy: Policy, expected: set[Reason]
) -> None:
    assert faults(pki, authority, leaf, policy) == expected


def test_mappings_that_cannot_be_read_are_refused(pki: Pki) -> None:
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), b"\x30\x03\x30\x01\x05")
    assert faults(pki, (named(OFFICE), (broken, False)), (named(OFFICE),)) == REFUSED


def test_a_tree_that_was_made_to_explode_is_one_level_at_a_time(pki: Pki) -> None:
    """Each authority maps every policy to every other: the tree of RFC 5280 would have 15^6 leaves."""
    policies = [f"1.2.156.10260.9.{number}" for number in range(1, 16)]
    everything = tuple((ours, theirs) for ours in policies for theirs in policies)
    above, chain = pki.root, []  # type: TestAuthority, list[TestAuthority]
    for depth in range(6):
        extra = (named(*policies), mapped(*everything))
        above = TestAuthority(f"策略签发机构 {depth}", issuer=above, extra=extra)
        chain.append(above)
    leaf = above.issue("印章", "seal", extra=(named(policies[0]),)).certificate
    with counted_calls() as work:
        assert judge(pki, leaf, tuple(chain), POLICY) == set()
    assert work.calls < 300_000  # the tree would take millions
    many = tuple((f"1.2.3.{number}", OFFICE) for number in range(300))
    assert faults(pki, (named(OFFICE), mapped(*many)), (named(OFFICE),)) == REFUSED


@settings(deadline=None, max_examples=60)
@given(
    authority=st.lists(st.sampled_from([OFFICE, COUNTER, OTHER, ANY]), unique=True, max_size=4),
    leaf=st.lists(st.sampled_from([OFFICE, COUNTER, OTHER, ANY]), unique=True, max_size=4),
    wanted=st.frozensets(st.sampled_from([OFFICE, COUNTER, OTHER]), max_size=3),
)
def test_without_mapping_a_path_keeps_what_both_name(
    pki: Pki, authority: list[str], leaf: list[str], wanted: frozenset[str]
) -> None:
    """The plain rule, said with sets: what both certificates and the verifier name."""
    every = {OFFICE, COUNTER, OTHER, "unnamed"}
    above, below = (every if ANY in names else set(names) for names in (authority, leaf))
    kept = above & below & (set(wanted) or every)
    policy = POLICY.with_changes(certificate_policies=wanted, require_certificate_policy=True)
    extensions = [(named(*names),) if names else () for names in (authority, leaf)]
    assert faults(pki, extensions[0], extensions[1], policy) == (set() if kept else REFUSED)


@pytest.mark.parametrize(
    "text",
    [
        "certificate_policies = ['x']",
        "certificate_policies = ['1.2.03']",
        "certificate_policies = 'a'",
        "require_certificate_policy = 1",
    ],
)
def test_a_policy_file_names_object_identifiers(text: str) -> None:
    with pytest.raises(MalformedInput):
        Policy.from_toml(text.encode())
    assert Policy.from_toml(b"certificate_policies = ['1.2.156.1']").certificate_policies == {"1.2.156.1"}
