"""A small PKI made with `cryptography` alone, so that `signing` is tested without our own CA."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID, ObjectIdentifier

from signing.certificates import Certificate
from signing.signers.file import FileSigner
from signing.usages import KEY_USAGE_BITS, usage

START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # when the tests' stories happen
ALL_KEY_USAGE_BITS = (*KEY_USAGE_BITS, "encipher_only", "decipher_only")
Extra = tuple[tuple[x509.ExtensionType, bool], ...]


def name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "津城测试机构"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def key_usage(*bits: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{bit: bit in bits for bit in ALL_KEY_USAGE_BITS})


@dataclass
class TestAuthority:
    """A root or an issuing authority in memory. What a test wants wrong with it comes in by keyword."""

    __test__ = False
    common_name: str
    issuer: TestAuthority | None = None
    path_length: int | None = None
    valid: timedelta = timedelta(days=3650)
    key_kind: str = "P-256"
    revoked: dict[int, tuple[datetime, x509.ReasonFlags]] = field(default_factory=dict)
    start: datetime = START
    is_authority: bool | None = True  # None: no basic constraints at all
    bits: tuple[str, ...] | None = ("key_cert_sign", "crl_sign")  # None: no key usage at all
    extra: Extra = ()
    signer: FileSigner = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.signer = self.signer or FileSigner.generate(self.key_kind)  # type: ignore[arg-type]
        above = self.issuer or self
        builder = self._builder(self.common_name, self.signer, above, self.start, self.start + self.valid)
        if self.is_authority is not None:
            basic = x509.BasicConstraints(self.is_authority, self.path_length if self.is_authority else None)
            builder = builder.add_extension(basic, True)
        if self.bits is not None:
            builder = builder.add_extension(key_usage(*self.bits), True)
        for extension, critical in self.extra:
            builder = builder.add_extension(extension, critical)
        self.certificate = Certificate(
            builder.sign(above.signer._private_key, digest_for(above.signer)).public_bytes(Encoding.DER)
        )
        self.signer = self.signer.with_chain((self.certificate, *(above.chain if self.issuer else ())))

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """This authority's certificate and those above it."""
        return self.signer.chain

    def issue(
        self,
        common_name: str,
        use: str = "seal",
        *,
        key_kind: str = "P-256",
        not_before: datetime = START,
        not_after: datetime | None = None,
        extra: Extra = (),
        bits: tuple[str, ...] | None = None,
        extended: tuple[str, ...] | None = None,
        is_authority: bool = False,
        signer: FileSigner | None = None,
    ) -> FileSigner:
        """A signer with a certificate for one use. `bits` and `extended` replace what the use asks for."""
        signer = signer or FileSigner.generate(key_kind)  # type: ignore[arg-type]
        end = not_after or not_before + timedelta(days=730)
        builder = self._builder(common_name, signer, self, not_before, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True)
        if bits != ():
            builder = builder.add_extension(key_usage(*(bits or (usage(use).key_usage,))), True)
        if extended != ():
            numbers = [ObjectIdentifier(number) for number in extended or (usage(use).extended,)]
            # RFC 3161, 2.3: a time-stamp certificate's extended key usage is critical.
            builder = builder.add_extension(x509.ExtendedKeyUsage(numbers), use == "timestamp")
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical)
        leaf = builder.sign(self.signer._private_key, digest_for(self.signer))
        return signer.with_chain((Certificate(leaf.public_bytes(Encoding.DER)), *self.chain))

    def revoke(
        self,
        certificate: Certificate,
        when: datetime,
        reason: x509.ReasonFlags = x509.ReasonFlags.cessation_of_operation,
    ) -> None:
        self.revoked[certificate.serial] = (when, reason)

    def crl(
        self,
        at: datetime = NOON,
        *,
        valid: timedelta = timedelta(days=1),
        extra: Extra = (),
        entry_extra: Extra = (),
    ) -> bytes:
        """The list of revoked certificates, in DER."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.x509.subject)
            .last_update(at)
            .next_update(at + valid)
            .add_extension(x509.CRLNumber(int(at.timestamp())), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.signer.public_key.native), False
            )
        )
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical)
        for serial, (when, reason) in self.revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when)
            entry = entry.add_extension(x509.CRLReason(reason), False)
            for extension, critical in entry_extra:
                entry = entry.add_extension(extension, critical)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.signer._private_key, digest_for(self.signer)).public_bytes(Encoding.DER)

    def ocsp(
        self,
        certificate: Certificate,
        at: datetime = NOON,
        *,
        status: ocsp.OCSPCertStatus | None = None,
        responder: FileSigner | None = None,
        valid: timedelta | None = timedelta(hours=12),
        digest: Any = None,
        by_name: bool = False,
    ) -> bytes:
        """An answer about a certificate, signed by the authority or by a responder's key."""
        signer = responder or self.signer
        when, reason = self.revoked.get(certificate.serial, (None, None))
        status = status or (ocsp.OCSPCertStatus.REVOKED if when else ocsp.OCSPCertStatus.GOOD)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate.x509,
            issuer=self.certificate.x509,
            algorithm=digest or hashes.SHA256(),
            cert_status=status,
            this_update=at,
            next_update=at + valid if valid else None,
            revocation_time=when if status is ocsp.OCSPCertStatus.REVOKED else None,
            revocation_reason=reason if status is ocsp.OCSPCertStatus.REVOKED else None,
        )
        encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
        builder = builder.responder_id(encoding, signer.certificate.x509)
        if responder:
            builder = builder.certificates([responder.certificate.x509])
        return builder.sign(signer._private_key, digest_for(signer)).public_bytes(Encoding.DER)

    @staticmethod
    def _builder(
        common_name: str, signer: FileSigner, above: TestAuthority, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        issuer = above.certificate.x509.subject if hasattr(above, "certificate") else name(common_name)
        return (
            x509.CertificateBuilder()
            .subject_name(name(common_name))
            .issuer_name(issuer)
            .public_key(signer.public_key.native)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier(signer.public_key.identifier), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(above.signer.public_key.native), False
            )
        )


def digest_for(signer: FileSigner) -> hashes.HashAlgorithm | None:
    """What `cryptography`'s builders want beside a key."""
    digests = {"Ed25519": None, "P-384": hashes.SHA384()}
    return digests.get(signer.public_key.kind, hashes.SHA256())


@dataclass
class Pki:
    """A root, an issuing authority below it, and one signer for each use that is asked for."""

    def __post_init__(self) -> None:
        self.root = TestAuthority("测试根 Test Root")
        self.issuing = TestAuthority("测试签发机构 Test Issuing CA", issuer=self.root, path_length=0)

    def signer(self, use: str, common_name: str | None = None) -> FileSigner:
        return self.issuing.issue(common_name or f"{use} certificate", use)
