"""Licences on paper: sample licences with their printed codes, and what an offline verifier has at hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.licence import Licence
from credentials.printed_code import (
    IssuerCertificate,
    IssuerCertificates,
    PrintedCodeVerifier,
    RegisterAnswer,
    make,
)
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore
from world.pki import NOON, Pki
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from credentials.printed_code import PrintedLicence
    from signing.report import Report
    from signing.signers.file import FileSigner

ADDRESS = "https://verify.jincheng.example/q"
ISSUED = datetime(2026, 11, 20, 4, 30, 15, 250_000, tzinfo=UTC)
CATALOGUE = Catalogue.load()
KINDS = [kind.code for kind in CATALOGUE]


def sample_licence(code: str, *, version: int = 1, issued: datetime = ISSUED, **changed: object) -> Licence:
    """A licence of this kind as the sample agency issues it; `changed` are claims."""
    kind = CATALOGUE[code]
    claims: Any = {**kind.check(samples.application(code)), **changed}
    name, holder = kind.holder(claims)
    identifier = LicenceIdentifier.make(kind.number, samples.AGENCY.credit_code, "7K2M9Q4TZ8X1B5CV3N6L")
    return Licence(
        identifier=str(identifier.with_version(version)),
        number="津（2026）第0000128号",
        type_code=kind.code,
        type_name=kind.name,
        version=version,
        agency=samples.AGENCY,
        holder_name=name,
        holder_code=holder,
        claims=claims,
        issued_at=issued,
        recorded_at=issued,
        valid_from=date(2026, 11, 20),
        valid_until=None if kind.validity.rule == "unlimited" else date(2031, 11, 19),
    )


class Paper:
    """The agency's credential key, and a verifier with yesterday's snapshots."""

    def __init__(self, pki: Pki | None = None, *, address: str = ADDRESS) -> None:
        self.pki, self.address = pki or Pki(), address
        self.signer = self.pki.signer("credential", "津城区行政审批局 凭证签发")
        self.now = NOON

    def code(
        self, licence: Licence | str = "food-business-licence", *, signer: FileSigner | None = None
    ) -> str:
        """The text of a licence's printed code."""
        found = sample_licence(licence) if isinstance(licence, str) else licence
        return make(found, CATALOGUE[found.type_code], address=self.address, signer=signer or self.signer)

    def issuers(self, *others: IssuerCertificate) -> IssuerCertificates:
        return IssuerCertificates([IssuerCertificate(samples.AGENCY.credit_code, self.signer.chain), *others])

    @property
    def trust(self) -> TrustStore:
        return TrustStore([self.pki.root.certificate])

    def revocation(self, at: datetime | None = None) -> RevocationSnapshot:
        """The lists of both authorities, made just now."""
        moment = at or self.now
        return RevocationSnapshot(Crl.from_der(one.crl(moment)) for one in (self.pki.root, self.pki.issuing))

    def verifier(self, *others: IssuerCertificate, now: datetime | None = None) -> PrintedCodeVerifier:
        return PrintedCodeVerifier(
            self.trust,
            issuers=self.issuers(*others),
            addresses=[self.address],
            revocation=self.revocation(now),
        )

    def verify(
        self, text: str, *, now: datetime | None = None, registered: RegisterAnswer | None = None
    ) -> Report[PrintedLicence]:
        return self.verifier(now=now).verify(text, now=now or self.now, registered=registered)
