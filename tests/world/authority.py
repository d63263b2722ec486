"""An office that runs an authority of ours: its keys, its people, and a company that wants a seal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ca.issuance import Application, Authority
from ca.names import SubjectName
from ca.ocsp import OcspResponder
from ca.proofing import Proofing, ProofingMethod
from ca.registration import Registration
from ca.tsa import TimestampAuthority
from signing.signers.file import FileSigner, KeyKind
from yinxin.base.actor import Actor, ActorKind, staff
from yinxin.base.clock import FixedClock
from yinxin.base.identifiers import CreditCode

if TYPE_CHECKING:
    from datetime import timedelta

    from signing.certificates import Certificate
    from signing.keys import PublicKey
    from yinxin.base.database import Database

REGISTRAR = staff("registrar-1", roles=("registrar",))
CLERK = staff("clerk-17", roles=("clerk",))
REVIEWER = staff("reviewer-3", roles=("reviewer",))
COMPANY_CODE = CreditCode.parse("91110000600037341L")
COMPANY = Actor(ActorKind.HOLDER, "company-8", agency=str(COMPANY_CODE))
EVIDENCE = Proofing(ProofingMethod.BUSINESS_REGISTER, "市场主体登记系统", "ab" * 32)
_KEYS: dict[tuple[str, str], FileSigner] = {}


def name(common: str, **more: object) -> SubjectName:
    return SubjectName(common_name=common, organisation="津城数据局", **more)  # type: ignore[arg-type]


def company_name(common: str = "津城面包坊有限公司") -> SubjectName:
    return SubjectName(common_name=common, organisation=common, credit_code=COMPANY_CODE)


def cached_key(kind: KeyKind, place: str = "") -> FileSigner:
    """RSA keys take a while to make: one for each place is enough for all tests."""
    if (kind, place) not in _KEYS:
        _KEYS[kind, place] = FileSigner.generate(kind)
    return _KEYS[kind, place]


def csr(
    signer: FileSigner, common: str = "whatever it says", *extensions: tuple[x509.ExtensionType, bool]
) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer._private_key, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass
class Office:
    """A root, an issuing authority below it, and what they serve."""

    database: Database
    clock: FixedClock = field(default_factory=lambda: FixedClock(2026, 11, 20, 12))
    base_url: str | None = "http://127.0.0.1:8080"
    root_kind: KeyKind = "P-384"
    kind: KeyKind = "P-256"

    def __post_init__(self) -> None:
        self.root_signer = cached_key(self.root_kind, "root")
        self.signer = cached_key(self.kind, "issuing")
        self.root = self.create("root", self.root_signer, name("津城根 Root"))
        self.authority = self.create("enterprise", self.signer, name("津城企业 CA"), issuer=self.root)

    def create(
        self, called: str, signer: FileSigner, subject: SubjectName, issuer: Authority | None = None
    ) -> Authority:
        return Authority.create(
            called,
            database=self.database,
            signer=signer,
            subject=subject,
            issuer=issuer,
            clock=self.clock,
            actor=REGISTRAR,
            base_url=self.base_url,
        )

    @property
    def registration(self) -> Registration:
        return Registration(self.database, self.authority, self.clock)

    def issue(
        self, profile: str = "status", common: str = "状态服务", key: PublicKey | None = None
    ) -> Certificate:
        key = key or FileSigner.generate().public_key
        return self.authority.issue(profile, Application(name(common), key), actor=REGISTRAR)

    def signer_for(self, profile: str, *, kind: KeyKind = "P-256") -> FileSigner:
        signer = FileSigner.generate(kind)
        certificate = self.issue(profile, profile, signer.public_key)
        return signer.with_chain((certificate, *self.authority.chain))

    def ocsp(self, **options: timedelta) -> OcspResponder:
        return OcspResponder(self.authority, self.signer_for("ocsp"), self.clock, **options)

    def tsa(self, *, kind: KeyKind = "P-256") -> TimestampAuthority:
        return TimestampAuthority(self.signer_for("timestamp", kind=kind), self.clock)

    def company_seal(self) -> tuple[FileSigner, Certificate]:
        """The whole way of a company to its seal's certificate."""
        signer = FileSigner.generate()
        identifier = self.registration.apply(
            "organisation-seal", company_name(), csr=csr(signer), actor=COMPANY
        )
        self.registration.record_proofing(identifier, EVIDENCE, actor=CLERK)
        return signer, self.registration.approve(identifier, REVIEWER)
