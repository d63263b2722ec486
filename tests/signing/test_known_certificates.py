"""Certificates of authorities that were gathered: found for a path and for a list, trusted for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from world.pki import NOON, Pki, TestAuthority, name

from signing.path import validate_path
from signing.policy import Policy
from signing.reasons import Reason
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore

if TYPE_CHECKING:
    from signing.certificates import Certificate


def judged(leaf: Certificate, trust: TrustStore, *lists: bytes) -> frozenset[Reason]:
    """Why the leaf does not pass, when it comes without any other certificate."""
    revocation = RevocationSnapshot(map(Crl.from_der, lists))
    result = validate_path(
        leaf, (), trust, at=NOON, usage="seal", revocation=revocation, policy=Policy.default()
    )
    return result.reasons


def test_a_path_leads_over_a_certificate_that_is_known() -> None:
    pki = Pki()
    leaf, lists = pki.signer("seal").certificate, (pki.root.crl(), pki.issuing.crl())
    bare = TrustStore([pki.root.certificate])
    known = bare.with_known([pki.issuing.certificate])
    assert judged(leaf, bare, *lists) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
    assert judged(leaf, known, *lists) == frozenset()
    assert known.snapshot_id != bare.snapshot_id, "verdicts depend on it"
    assert bare.with_known([pki.root.certificate]).snapshot_id == bare.snapshot_id, "an anchor is one already"


def test_what_is_known_is_no_anchor() -> None:
    pki, stranger = Pki(), TestAuthority("陌生根 Stranger")
    leaf = stranger.issue("陌生印章 Stranger's seal").certificate
    trust = TrustStore([pki.root.certificate], [stranger.certificate])
    assert judged(leaf, trust, stranger.crl()) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_a_known_certificate_may_be_revoked() -> None:
    pki = Pki()
    leaf = pki.signer("seal").certificate
    pki.root.revoke(pki.issuing.certificate, NOON)
    trust = TrustStore([pki.root.certificate], [pki.issuing.certificate])
    assert Reason.CERTIFICATE_REVOKED in judged(leaf, trust, pki.root.crl(), pki.issuing.crl())


def test_the_signer_of_an_indirect_list_is_found_among_the_known() -> None:
    pki = Pki()
    signer = TestAuthority("吊销列表 List signer", issuer=pki.root, is_authority=False, bits=("crl_sign",))
    place = x509.UniformResourceIdentifier("http://lists.example/all.crl")
    point = x509.DistributionPoint([place], None, None, [x509.DirectoryName(name(signer.common_name))])
    leaf = pki.issuing.issue("印章 Seal", extra=((x509.CRLDistributionPoints([point]), False),)).certificate
    scope = x509.IssuingDistributionPoint([place], None, False, False, None, True, False)
    lists = (pki.root.crl(), pki.issuing.crl(), signer.crl(extra=((scope, True),)))
    trust = TrustStore([pki.root.certificate], [pki.issuing.certificate])
    assert judged(leaf, trust, *lists) == {Reason.REVOCATION_UNKNOWN}
    assert judged(leaf, trust.with_known([signer.certificate]), *lists) == frozenset()
