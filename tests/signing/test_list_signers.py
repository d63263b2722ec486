"""Lists that another key than the issuer's signed: who may, and who may not (RFC 5280, 6.3.3 (f))."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from world.pki import NOON, Extra, TestAuthority, name

from signing import Certificate, Crl, FileSigner, Policy, RevocationSnapshot, TrustStore, validate_path
from signing.path import validate
from signing.reasons import Reason

DAY = timedelta(days=1)
UNKNOWN, REVOKED = {Reason.REVOCATION_UNKNOWN}, {Reason.CERTIFICATE_REVOKED}
INDIRECT = x509.IssuingDistributionPoint(
    full_name=None,
    relative_name=None,
    only_contains_user_certs=False,
    only_contains_ca_certs=False,
    only_some_reasons=None,
    indirect_crl=True,
    only_contains_attribute_certs=False,
)


class Office:
    """A root, an office below it, and a separate key that signs the office's lists."""

    def __init__(
        self, *, signer_above: TestAuthority | None = None, bits: tuple[str, ...] = ("crl_sign",)
    ) -> None:
        self.root = TestAuthority("Root")
        self.office = TestAuthority("Office", issuer=self.root)
        self.lists = TestAuthority(
            "Office", issuer=signer_above or self.root, is_authority=False, bits=bits, extra=()
        )
        self.leaf = self.office.issue("bureau").certificate

    def reasons(self, *lists: bytes, also: tuple[Certificate, ...] = ()) -> set[Reason]:
        offered = [self.office.certificate, self.lists.certificate, *also]
        return set(judge(self.leaf, offered, self.root, [self.root.crl(), *lists]))


def judge(
    leaf: Certificate, offered: list[Certificate], root: TestAuthority, lists: list[bytes]
) -> set[Reason]:
    result = validate_path(
        leaf,
        offered,
        TrustStore([root.certificate]),
        at=NOON,
        usage="seal",
        revocation=RevocationSnapshot(map(Crl, lists)),
        policy=Policy.default(),
    )
    return set(result.reasons)


def test_an_office_may_keep_its_lists_under_another_key() -> None:
    office = Office()
    assert office.reasons() == UNKNOWN
    assert office.reasons(office.lists.crl()) == set()
    office.lists.revoke(office.leaf, NOON - DAY)
    assert office.reasons(office.lists.crl()) == REVOKED


def test_a_key_that_may_not_sign_lists_clears_nobody() -> None:
    office = Office(bits=("digital_signature",))
    assert office.reasons(office.lists.crl()) == UNKNOWN


def test_a_signer_of_the_same_name_under_a_stranger_clears_nobody() -> None:
    office = Office(signer_above=TestAuthority("Stranger"))
    assert office.reasons(office.lists.crl()) == UNKNOWN


def test_a_signer_under_another_trusted_root_clears_nobody() -> None:
    """RFC 5280, 6.3.3 (f): the path of the list's signer ends at the same anchor."""
    other = TestAuthority("Other root")
    office = Office(signer_above=other)
    result = validate_path(
        office.leaf,
        [office.office.certificate, office.lists.certificate],
        TrustStore([office.root.certificate, other.certificate]),
        at=NOON,
        usage="seal",
        revocation=RevocationSnapshot(map(Crl, [office.root.crl(), other.crl(), office.lists.crl()])),
        policy=Policy.default(),
    )
    assert set(result.reasons) == UNKNOWN


def test_a_signer_that_was_revoked_clears_nobody() -> None:
    office = Office()
    office.root.revoke(office.lists.certificate, NOON - DAY)
    assert office.reasons(office.lists.crl()) == UNKNOWN


def test_the_end_of_the_path_does_not_clear_itself() -> None:
    """A bureau whose certificate may also sign lists, and that calls itself by its issuer's name."""
    root = TestAuthority("Root")
    office = TestAuthority("Office", issuer=root)
    bureau = office.issue("Office", bits=("content_commitment", "crl_sign"))
    false = TestAuthority("Office", signer=FileSigner(bureau._private_key))
    assert judge(bureau.certificate, [office.certificate], root, [root.crl(), false.crl()]) == UNKNOWN


@pytest.mark.parametrize("is_indirect", [True, False])
def test_a_list_of_another_name_is_asked_for_by_the_certificate(*, is_indirect: bool) -> None:
    root = TestAuthority("Root")
    lister = TestAuthority("Lists of the city", issuer=root)
    office = TestAuthority("Office", issuer=root)
    point = x509.DistributionPoint(None, None, None, [x509.DirectoryName(name("Lists of the city"))])
    extra: Extra = ((x509.CRLDistributionPoints([point]), False),)
    leaf = office.issue("bureau", extra=extra).certificate
    entry: Extra = ((x509.CertificateIssuer([x509.DirectoryName(name("Office"))]), True),)
    scope: Extra = ((INDIRECT, True),) if is_indirect else ()
    offered = [lister.certificate, office.certificate]
    clear = [root.crl(), lister.crl(extra=scope)]
    assert judge(leaf, offered, root, clear) == (set() if is_indirect else UNKNOWN)
    lister.revoke(leaf, NOON - DAY)
    listed = [root.crl(), lister.crl(extra=scope, entry_extra=entry if is_indirect else ())]
    assert judge(leaf, offered, root, listed) == (REVOKED if is_indirect else UNKNOWN)
    # The office's own list is not where this certificate says it is to be looked for.
    assert judge(leaf, offered, root, [root.crl(), office.crl()]) == UNKNOWN


def test_signers_that_vouch_for_each_other_end_soon() -> None:
    office = Office()
    crowd = [TestAuthority("Office", issuer=office.root, bits=("crl_sign",)).certificate for _ in range(30)]
    assert office.reasons(TestAuthority("Office").crl(), also=tuple(crowd)) == UNKNOWN


def test_certificates_that_came_along_do_not_crowd_out_a_signer_that_was_gathered() -> None:
    office = Office()
    office.lists.revoke(office.leaf, NOON - DAY)
    crowd = [TestAuthority("Office").certificate for _ in range(40)]
    result = validate_path(
        office.leaf,
        [office.office.certificate, *crowd],
        TrustStore([office.root.certificate], known=[office.lists.certificate]),
        at=NOON,
        usage="seal",
        revocation=RevocationSnapshot(map(Crl, [office.root.crl(), office.lists.crl()])),
        policy=Policy.default(),
    )
    assert set(result.reasons) == REVOKED


def test_signers_whose_own_lists_have_signers_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of lists in every certificate, and certificates for every name, by whoever has one of ours."""
    judged: list[Any] = []
    plain = validate._judged

    def counted(path: Any, question: Any) -> Any:
        judged.append(path)
        return plain(path, question)

    monkeypatch.setattr(validate, "_judged", counted)
    root, others = TestAuthority("Root"), [TestAuthority(f"Lists {number}") for number in range(10)]
    points = [
        x509.DistributionPoint(None, None, None, [x509.DirectoryName(one.certificate.x509.subject)])
        for one in others
    ]
    extra: Extra = ((x509.CRLDistributionPoints(points), False),)
    mallory = TestAuthority("Mallory", issuer=root, is_authority=False)
    crowd = [
        TestAuthority(one.common_name, issuer=mallory, extra=extra).certificate
        for one in others
        for _ in range(4)
    ]
    leaf = TestAuthority("leaf", issuer=mallory, extra=extra).certificate
    lists = [one.crl(extra=((INDIRECT, True),)) for one in others]
    assert judge(leaf, [mallory.certificate, *crowd], root, lists) >= UNKNOWN
    assert len(judged) <= 2 * validate.MAX_SIGNER_SEARCHES
