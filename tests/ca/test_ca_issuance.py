"""Certificates: what they say, who gets none, and that none is lost or doubled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier
from world.authority import COMPANY, COMPANY_CODE, REGISTRAR, REVIEWER, Office, cached_key, company_name, name
from world.databases import with_tables

from ca.issuance import Application, Authority
from ca.names import SubjectName
from ca.profiles import Profiles
from signing import der
from signing.algorithms import RSA_PSS
from signing.certificates import Certificate
from signing.keys import RSA_ENCRYPTION, PublicKey
from signing.signers.file import FileSigner
from signing.usages import usage
from yinxin.base.actor import system
from yinxin.base.errors import (
    Conflict,
    InvalidClaims,
    IssuanceRefused,
    NotFound,
    NotPermitted,
    SignerUnavailable,
    UnknownProfile,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.signers.file import KeyKind
    from yinxin.base.database import Database

SERVICE_PROFILES = ("credential", "status", "receipt", "request", "metadata", "timestamp", "ocsp")


class Device(FileSigner):
    def with_chain(self, chain: tuple[Certificate, ...]) -> Device:
        return type(self)(self._private_key, chain)


class FailingSigner(Device):
    """A device that dies when it is asked to sign."""

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 - the interface
        raise SignerUnavailable("the device does not answer")


class FaultySigner(Device):
    """A device that answers nonsense."""

    def sign(self, message: bytes) -> bytes:
        return super().sign(message + b"?")


def with_signer(office: Office, kind: type[Device]) -> Authority:
    signer = kind(office.signer._private_key, office.authority.chain)
    return Authority.open(
        "enterprise", database=office.database, signer=signer, clock=office.clock, base_url=None
    )


@pytest.mark.parametrize("profile", SERVICE_PROFILES)
def test_a_certificate_says_its_one_use_and_nothing_else(office: Office, profile: str) -> None:
    certificate = office.issue(profile)
    extensions = certificate.x509.extensions
    row = Profiles.load()[profile].usage
    assert row
    bits = extensions.get_extension_for_class(x509.KeyUsage)
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert bits.critical
    assert [bit for bit in vars(bits.value) if getattr(bits.value, bit) is True] == [f"_{row.key_usage}"]
    assert [each.dotted_string for each in purposes.value] == [row.extended]
    assert purposes.critical == (profile == "timestamp")
    assert extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(
        False, None
    )
    assert certificate.is_issued_by(office.authority.certificate)
    has_points = any(isinstance(each.value, x509.CRLDistributionPoints) for each in extensions)
    assert has_points == (profile != "ocsp")
    assert any(isinstance(each.value, x509.OCSPNoCheck) for each in extensions) == (profile == "ocsp")


def test_a_certificate_points_at_its_issuer(office: Office) -> None:
    extensions = office.issue().x509.extensions
    (point,) = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert point.full_name[0].value == "http://127.0.0.1:8080/crl/enterprise.crl"
    assert {each.access_method: each.access_location.value for each in access} == {
        AuthorityInformationAccessOID.OCSP: "http://127.0.0.1:8080/ocsp/enterprise",
        AuthorityInformationAccessOID.CA_ISSUERS: "http://127.0.0.1:8080/ca/enterprise.cer",
    }


def test_a_company_seal_carries_the_credit_code_twice(office: Office) -> None:
    _, certificate = office.company_seal()
    extension = certificate.x509.extensions.get_extension_for_oid(ObjectIdentifier("1.2.156.10260.4.1.4"))
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == b"\x13\x12" + str(COMPANY_CODE).encode()
    (identifier,) = certificate.x509.subject.get_attributes_for_oid(ObjectIdentifier("2.5.4.97"))
    assert identifier.value == f"NTRCN-{COMPANY_CODE}"
    assert certificate.common_name == "津城面包坊有限公司"


@pytest.mark.parametrize(("root", "issuing", "leaf"), [
    ("P-256", "P-256", "P-256"), ("P-384", "P-384", "P-384"), ("RSA-3072", "RSA-3072", "RSA-2048"),
])  # fmt: skip
def test_every_kind_of_key_works(memory: Database, root: str, issuing: str, leaf: str) -> None:
    office = Office(memory, root_kind=root, kind=issuing)  # type: ignore[arg-type]
    certificate = office.issue("timestamp", key=cached_key(leaf, "leaf").public_key)  # type: ignore[arg-type]
    assert certificate.is_issued_by(office.authority.certificate)
    assert office.authority.certificate.is_issued_by(office.root.certificate)
    assert office.root.certificate.is_issued_by(office.root.certificate)


def test_a_request_certificate_names_its_host(office: Office) -> None:
    key = FileSigner.generate().public_key
    hosts = ("verify.city.example", "localhost")
    certificate = office.authority.issue(
        "request", Application(name("x"), key, dns_names=hosts), actor=REGISTRAR
    )
    found = certificate.extension(x509.SubjectAlternativeName)
    assert found
    assert tuple(found.value.get_values_for_type(x509.DNSName)) == hosts
    with pytest.raises(IssuanceRefused, match="names no hosts"):
        office.authority.issue("status", Application(name("x"), key, dns_names=hosts), actor=REGISTRAR)


@pytest.mark.parametrize(
    "host",
    ["*.city.example", "City.example", "127.0.0.1", "a..b", "-a.b", "a_b.c", "a b", "a\n", "城.example", "",
     "a" * 64 + ".b", "a." * 126 + "bc"],
)  # fmt: skip
def test_what_is_no_host_name_gets_into_no_certificate(host: str) -> None:
    with pytest.raises(InvalidClaims):
        Application(name("x"), FileSigner.generate().public_key, dns_names=(host,))
    with pytest.raises(InvalidClaims):
        Application(name("x"), FileSigner.generate().public_key, dns_names=("a.b", "a.b"))


def test_validity_ends_with_the_issuer_at_the_latest(office: Office) -> None:
    end = office.authority.certificate.not_after
    office.clock.advance(end - office.clock.now() - timedelta(days=10))
    assert office.issue().not_after == end
    wish = office.clock.now() + timedelta(days=2)
    shorter = Application(name("short"), FileSigner.generate().public_key, not_after=wish)
    assert office.authority.issue("status", shorter, actor=REGISTRAR).not_after == wish


def test_an_expired_authority_refuses(office: Office) -> None:
    office.clock.advance(timedelta(days=3651))
    with pytest.raises(SignerUnavailable, match="out of date"):
        office.issue()


def test_an_authority_that_was_revoked_refuses(office: Office) -> None:
    office.root.revoke(office.authority.certificate.serial, reason="ca_compromise", actor=REGISTRAR)
    with pytest.raises(SignerUnavailable, match="revoked"):
        office.issue()


@pytest.mark.parametrize(
    ("profile", "subject", "why"),
    [
        ("status", {"credit_code": None, "organisation": None}, "lacks organisation"),
        ("personal-signature", {"credit_code": COMPANY_CODE}, "may not have credit_code"),
        ("issuing", {}, "does not issue it"),
        ("root", {}, "does not issue it"),
    ],
)  # fmt: skip
def test_a_profile_is_obeyed(office: Office, profile: str, subject: dict[str, object], why: str) -> None:
    values = {"organisation": "津城数据局", "common_name": "x", **subject}
    application = Application(SubjectName(**values), FileSigner.generate().public_key)  # type: ignore[arg-type]
    with pytest.raises(IssuanceRefused, match=why):
        office.authority.issue(profile, application, actor=REGISTRAR)
    assert len(office.authority.issued()) == 0


def test_an_unknown_profile_is_named(office: Office) -> None:
    with pytest.raises(UnknownProfile, match="sealing"):
        office.issue("sealing")


def test_a_key_of_the_wrong_kind_or_too_weak_is_refused(office: Office) -> None:
    with pytest.raises(IssuanceRefused, match="Ed25519 key"):
        office.issue(key=FileSigner.generate("Ed25519").public_key)
    with pytest.raises(IssuanceRefused, match="RSA key is not for"):
        office.issue("credential", key=cached_key("RSA-2048").public_key)
    with pytest.raises(IssuanceRefused, match="2048 bits is too short"):
        office.create("small", cached_key("RSA-2048"), name("small CA"), issuer=office.root)


def test_one_key_has_one_use_and_one_owner(office: Office) -> None:
    key = FileSigner.generate().public_key
    office.issue("status", "状态服务", key)
    office.issue("status", "状态服务", key)  # a renewal
    for profile, common in (("receipt", "状态服务"), ("status", "别的服务")):
        with pytest.raises(IssuanceRefused, match="another use or subject"):
            office.issue(profile, common, key)
    with pytest.raises(IssuanceRefused, match="another use or subject"):
        office.issue("status", "津城企业 CA", office.signer.public_key)


def other_forms(signer: FileSigner) -> Iterator[PublicKey]:
    """The same key, written as readers take it too (RFC 5480, 2.2; RFC 4055, 1.2)."""
    key = signer.public_key
    identifier, bits = der.children(der.read_exactly(key.spki, der.SEQUENCE))
    if key.kind == "RSA":
        for name in (RSA_PSS, RSA_ENCRYPTION):
            yield PublicKey(der.sequence(der.sequence(der.oid(name)), bits.encoded))
    else:
        point = key.native.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        yield PublicKey(der.sequence(identifier.encoded, der.bit_string(point)))


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "RSA-2048"])
def test_a_key_has_one_owner_however_it_is_written(office: Office, kind: KeyKind) -> None:
    """Another form has another fingerprint: it was nobody's key."""
    signer = cached_key(kind, "another form")
    for other in other_forms(signer):
        assert other.native == signer.public_key.native
        assert other.fingerprint != signer.public_key.fingerprint
        with pytest.raises(IssuanceRefused, match="usual form"):
            office.issue("status", "某甲", other)


def test_only_staff_and_our_own_processes_issue_and_revoke(office: Office) -> None:
    application = Application(name("x"), FileSigner.generate().public_key)
    with pytest.raises(NotPermitted):
        office.authority.issue("status", application, actor=COMPANY)
    certificate = office.authority.issue("status", application, actor=system("renewal"))
    with pytest.raises(NotPermitted):
        office.authority.revoke(certificate.serial, reason="superseded", actor=COMPANY)


def test_a_profile_that_needs_approval_has_no_other_door(office: Office) -> None:
    application = Application(company_name(), FileSigner.generate().public_key)
    for approval in (None, "made-up"):
        with pytest.raises(IssuanceRefused, match="approval"):
            office.authority.issue("organisation-seal", application, actor=REGISTRAR, approval=approval)
    identifier = office.registration.apply(
        "organisation-seal", company_name(), public_key=application.public_key, actor=REGISTRAR
    )
    with pytest.raises(IssuanceRefused, match="does not cover"):
        office.authority.issue("organisation-seal", application, actor=REGISTRAR, approval=identifier)


def test_an_authority_opens_with_its_own_key_only(stored_office: Office) -> None:
    office = stored_office
    opened = Authority.open(
        "enterprise", database=office.database, signer=office.signer, clock=office.clock, base_url=None
    )
    assert opened.chain == office.authority.chain
    assert opened.issue(
        "status", Application(name("x"), FileSigner.generate().public_key), actor=REGISTRAR
    ).is_issued_by(office.authority.certificate)
    with pytest.raises(SignerUnavailable, match="not the key"):
        Authority.open(
            "root", database=office.database, signer=office.signer, clock=office.clock, base_url=None
        )
    with pytest.raises(NotFound):
        Authority.open("nobody", database=office.database, signer=None, clock=office.clock, base_url=None)


def test_names_of_authorities_are_unique_and_fit_into_addresses(office: Office) -> None:
    with pytest.raises(Conflict):
        office.create("enterprise", FileSigner.generate(), name("twice"), issuer=office.root)
    with pytest.raises(UsageError):
        office.create("../root", FileSigner.generate(), name("odd"), issuer=office.root)
    with pytest.raises(IssuanceRefused, match="its own name"):
        office.create("same", FileSigner.generate(), name("津城根 Root"), issuer=office.root)
    with pytest.raises(IssuanceRefused, match="does not issue it"):
        office.create("below", FileSigner.generate(), name("below"), issuer=office.authority)


def test_serial_numbers_never_repeat(office: Office) -> None:
    serials = [office.issue(key=FileSigner.generate().public_key).serial for _ in range(50)]
    assert len(set(serials)) == 50
    assert {serial.to_bytes(17, "big")[0] for serial in serials} == {1}
    assert all(128 <= serial.bit_length() <= 159 for serial in serials)


def test_a_serial_number_that_is_taken_is_a_conflict(office: Office) -> None:
    class Stuck:
        def bytes(self, size: int) -> bytes:
            return b"\x07" * size

    authority = Authority.open(
        "enterprise", database=office.database, signer=office.signer, clock=office.clock, base_url=None,
        randomness=Stuck(),
    )  # fmt: skip
    application = [Application(name("x"), FileSigner.generate().public_key) for _ in range(2)]
    authority.issue("status", application[0], actor=REGISTRAR)
    with pytest.raises(Conflict):
        authority.issue("status", application[1], actor=REGISTRAR)


@pytest.mark.parametrize("kind", [FailingSigner, FaultySigner])
def test_a_crash_between_intent_and_certificate_is_never_good(
    stored_office: Office, kind: type[Device]
) -> None:
    office = stored_office
    broken = with_signer(office, kind)
    key = FileSigner.generate().public_key
    with pytest.raises(SignerUnavailable):
        broken.issue("status", Application(name("x"), key), actor=REGISTRAR)
    (row,) = office.authority.issued()
    status = office.authority.status(row.serial)
    assert (row.state, row.der) == ("intended", None)
    assert status
    assert status.state == "intended"
    with pytest.raises(NotFound):
        office.authority.find(row.serial)
    with pytest.raises(NotFound):
        office.authority.revoke(row.serial, reason="superseded", actor=REGISTRAR)

    assert office.authority.reconcile(actor=system("reconciler")) == ()  # it may still be at work
    office.clock.advance(timedelta(hours=1))
    assert office.authority.reconcile(actor=system("reconciler")) == (row.serial,)
    assert office.authority.reconcile(actor=system("reconciler")) == ()
    listed = x509.load_der_x509_crl(office.authority.crl())
    assert [entry.serial_number for entry in listed] == [row.serial]
    assert office.issue(common="x", key=key).public_key == key  # a new attempt has a new serial number


def test_a_slow_signer_does_not_finish_what_was_given_up(office: Office) -> None:
    class SlowSigner(Device):
        def sign(self, message: bytes) -> bytes:
            office.clock.advance(timedelta(hours=1))
            office.authority.reconcile(actor=system("reconciler"))
            return super().sign(message)

    slow = with_signer(office, SlowSigner)
    with pytest.raises(Conflict, match="abandoned"):
        slow.issue("status", Application(name("x"), FileSigner.generate().public_key), actor=REGISTRAR)
    (row,) = office.authority.issued()
    assert row.state == "abandoned"


def test_many_threads_issue_and_each_gets_its_own(stored_office: Office) -> None:
    keys = [FileSigner.generate().public_key for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda key: stored_office.issue(key=key), keys))
    assert [certificate.public_key for certificate in made] == keys
    assert len({certificate.serial for certificate in made}) == 24
    first = stored_office.authority.issued(limit=10)
    rest = stored_office.authority.issued(after=first[-1].serial)
    assert {row.serial for row in (*first, *rest)} == {certificate.serial for certificate in made}
    assert {row.state for row in (*first, *rest)} == {"issued"}
    assert stored_office.authority.find(made[3].serial) == made[3]


def test_a_client_certificate_is_one_for_clients(office: Office) -> None:
    identifier = office.registration.apply(
        "department-client", company_name(), public_key=FileSigner.generate().public_key, actor=REGISTRAR
    )
    certificate = office.registration.approve(identifier, REVIEWER)
    purposes = certificate.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in purposes] == [usage("client").extended]
    assert isinstance(certificate, Certificate)


def test_an_authority_is_created_where_it_makes_sense(office: Office) -> None:
    elsewhere = with_tables()
    common: dict[str, Any] = {
        "subject": name("x CA"),
        "clock": office.clock,
        "actor": REGISTRAR,
        "base_url": None,
    }
    with pytest.raises(UsageError, match="one database"):
        Authority.create(
            "x", database=elsewhere, signer=cached_key("P-256", "x"), issuer=office.root, **common
        )
    with pytest.raises(UsageError, match="not one of authorities"):
        Authority.create(
            "x", database=office.database, signer=cached_key("P-256", "x"), profile="status", **common
        )
    with pytest.raises(UsageError, match="needs an issuer"):
        Authority.create(
            "x", database=office.database, signer=cached_key("P-256", "x"), profile="issuing", **common
        )
    elsewhere.close()
