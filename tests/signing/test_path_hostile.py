"""Certificates made to explode a search, to pass by a changed byte, or to be odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from world.paths import DAY, LENIENT, Story, reasons
from world.pki import NOON, START, TestAuthority, digest_for, key_usage
from world.work import counted_calls

from signing import Certificate, FileSigner, Reason, TrustStore, der, validate_path
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from world.pki import Extra

    from signing import PathResult


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
    story: Story, changes: list[tuple[int, int]], *, is_leaf: bool
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


class TestMoreShapes:
    """Crafted intermediates that do lead to the anchor: rules are asked as well as signatures."""

    @staticmethod
    def ladder(extra: Extra = (), *, twins: int = 2, levels: int = 8) -> Story:
        """Levels of authorities, each with twins of one name and key: hundreds of genuine paths."""
        root = above = TestAuthority("Root")
        authorities = []
        for level in range(levels):
            first = TestAuthority(f"Level {level}", issuer=above, extra=extra)
            key = first.signer.with_chain(())
            authorities += [first] + [
                TestAuthority(first.common_name, issuer=above, extra=extra, signer=key)
                for _ in range(twins - 1)
            ]
            above = first
        return Story(root, authorities, above.issue("bureau", not_after=NOON - DAY).certificate)

    def check(self, story: Story, *, most: int = 250_000) -> PathResult:
        lists = story.lists()
        with counted_calls() as work:
            result = story.ask(revocation=lists)
        assert work.calls < most
        return result

    def test_a_ladder_whose_leaf_is_expired(self) -> None:
        """Every path fails, none is without an anchor: only so many are judged."""
        assert Reason.CERTIFICATE_EXPIRED in self.check(self.ladder()).reasons

    def test_a_ladder_with_many_twins(self) -> None:
        """More signatures than are checked for one answer: the search ends before it comes to the anchor."""
        result = self.check(self.ladder(twins=6, levels=4))
        assert result.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
        assert "search was ended" in result.checks[0].detail

    def test_a_ladder_of_certificate_policies_that_map_to_each_other(self) -> None:
        """RFC 9618: the tree of policies doubles at each level, the graph does not."""
        names = [x509.ObjectIdentifier(f"1.2.3.{number}") for number in range(30)]
        policies = x509.CertificatePolicies([x509.PolicyInformation(name, None) for name in names])
        few = [der.oid(name.dotted_string) for name in names[:8]]
        pairs = [der.sequence(one, two) for one in few for two in few]
        mappings = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), der.sequence(*pairs))
        demand = x509.PolicyConstraints(0, None)
        extra = ((policies, False), (mappings, True), (demand, True))
        assert Reason.CERTIFICATE_EXPIRED in self.check(self.ladder(extra), most=400_000).reasons

    def test_a_ladder_of_name_constraints(self) -> None:
        hosts = [x509.DNSName(f"h{number}.example.gov") for number in range(200)]
        extra = ((x509.NameConstraints(None, hosts), True),)
        assert Reason.CERTIFICATE_EXPIRED in self.check(self.ladder(extra), most=400_000).reasons
