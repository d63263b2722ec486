"""Name constraints: which names an authority may certify, and what is made of names that are none."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from world.pki import NOON, TestAuthority
from world.work import counted_calls

from signing import Policy, Reason, RevocationSnapshot, TrustStore, validate_path
from signing.path.name_constraints import _host_of, _is_host_within, _is_mailbox_within

if TYPE_CHECKING:
    from signing import PathResult

DNS, URI, MAIL = x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name
OTHER = x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\0")
POLICY = Policy(revocation="if_available")


def unchecked(text: str) -> x509.RFC822Name:
    """A mailbox as a hostile certificate has it."""
    return x509.RFC822Name._init_without_validation(text)


def directory(*parts: str) -> x509.DirectoryName:
    kinds = (x509.NameOID.COUNTRY_NAME, x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME)
    return x509.DirectoryName(
        x509.Name([x509.NameAttribute(kind, part) for kind, part in zip(kinds, parts, strict=False)])
    )


def network(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_network(text))


def address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_address(text))


def ask(
    names: list[x509.GeneralName], permitted: list[x509.GeneralName] | None, excluded: Any = None
) -> PathResult:
    root = TestAuthority("Root")
    constraints = x509.NameConstraints(permitted, excluded)
    issuing = TestAuthority("Issuing", issuer=root, extra=((constraints, True),))
    extra = ((x509.SubjectAlternativeName(names), False),) if names else ()
    leaf = issuing.issue("bureau", extra=extra).certificate
    trust, nothing = TrustStore([root.certificate]), RevocationSnapshot()
    return validate_path(
        leaf, [issuing.certificate], trust, at=NOON, usage="seal", revocation=nothing, policy=POLICY
    )


CASES: list[tuple[x509.GeneralName, x509.GeneralName | None, bool]] = [
    (directory("CN", "津城测试机构"), None, True),
    (directory("cn"), None, True),
    (directory("CN", "Another Bureau"), None, False),
    (DNS("example.gov"), DNS("www.example.gov"), True),
    (DNS("example.gov"), DNS("EXAMPLE.gov."), True),
    (DNS("example.gov"), DNS("badexample.gov"), False),
    (DNS(".example.gov"), DNS("example.gov"), False),
    (MAIL("example.gov"), MAIL("clerk@example.gov"), True),
    (MAIL("example.gov"), MAIL("clerk@www.example.gov"), False),
    (MAIL(".example.gov"), MAIL("clerk@www.example.gov"), True),
    (MAIL("clerk@example.gov"), MAIL("Clerk@example.gov"), False),
    (URI("example.gov"), URI("https://example.gov:8443/path"), True),
    (URI("example.gov"), URI("https://www.example.gov/"), False),
    (URI(".example.gov"), URI("https://www.example.gov/"), True),
    (URI("example.gov"), URI("urn:uuid:1"), False),
    (URI("example.gov"), URI("https://[::1"), False),
    (network("10.0.0.0/8"), address("10.1.2.3"), True),
    (network("10.0.0.0/8"), address("11.1.2.3"), False),
    (network("fd00::/8"), address("fd00::1"), True),
    (network("10.0.0.0/8"), address("fd00::1"), False),
    (OTHER, OTHER, False),
    (OTHER, DNS("example.gov"), True),
    (DNS("example.gov"), MAIL("clerk@elsewhere.gov"), True),
    # Names that are none, where names of their kind are constrained.
    (DNS("example.gov"), DNS(".example.gov"), False),
    (DNS("example.gov"), DNS("www..example.gov"), False),
    (MAIL("example.gov"), unchecked("clerk@other@example.gov"), False),
    (MAIL("example.gov"), unchecked("@example.gov"), False),
    (MAIL("example.gov"), DNS("www..example.gov"), True),
]


@pytest.mark.parametrize(("base", "name", "passes"), CASES)
def test_permitted(base: x509.GeneralName, name: x509.GeneralName | None, *, passes: bool) -> None:
    result = ask([name] if name else [], [base])
    assert result.passed is passes
    assert result.reasons == (set() if passes else {Reason.CHAIN_CONSTRAINTS_FAILURE})


@pytest.mark.parametrize(
    ("base", "name", "passes"),
    [
        (DNS("example.gov"), DNS("www.example.gov"), False),
        (DNS("www.example.gov"), DNS("*.example.gov"), False),
        (DNS("example.gov"), DNS("example.org"), True),
        (directory("CN"), None, False),
        (URI("example.gov"), URI("urn:uuid:1"), False),
        (OTHER, OTHER, False),
        (network("10.0.0.0/8"), address("11.1.2.3"), True),
    ],
)
def test_excluded(base: x509.GeneralName, name: x509.GeneralName | None, *, passes: bool) -> None:
    assert ask([name] if name else [], None, [base]).passed is passes


def test_more_names_than_anybody_needs_fail_closed_and_fast() -> None:
    names = [DNS(f"h{number}.example.gov") for number in range(1000)]
    with counted_calls() as work:
        result = ask(names, [DNS(f"h{number}.example.org") for number in range(1000)])
    assert result.reasons == {Reason.CHAIN_CONSTRAINTS_FAILURE}
    assert work.calls < 200_000  # each with each would be a million


@given(st.text(max_size=30), st.text(max_size=30))
def test_arbitrary_names_are_compared_without_error(name: str, base: str) -> None:
    for or_below in (True, False):
        assert _is_host_within(name, base, or_below=or_below) in {True, False}
    assert _is_mailbox_within(name, base) in {True, False}
    assert _host_of("https://" + name) is None or _host_of("https://" + name)
