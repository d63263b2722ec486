"""A node: a home with everything that an office runs, and what happens there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ca.issuance import Application
from ca.tsa import TimestampAuthority
from credentials import samples
from credentials.licence import EndingKind
from credentials.oid4vci.offers import AuthenticationMethod, Holder, Offer
from signing.signers.file import FileSigner
from world.homes import make_home
from world.ports import free_ports
from yinxin.app import wiring
from yinxin.app.ceremony import Plan, open_authority, subject_of
from yinxin.app.home import Home
from yinxin.base.actor import staff
from yinxin.base.audit import AuditLog
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from pathlib import Path

    from credentials.issuer import IssuedLicence
    from credentials.oid4vci.offers import OpenOffer
    from signing.certificates import Certificate
    from yinxin.base.clock import Clock

PASSPHRASE = "throw-away passphrase"
TYPE = "food-business-licence"
WHY = {"ground": "《中华人民共和国食品安全法》第一百二十四条", "document_number": "津城监罚〔2026〕7号"}
CLERK = staff("clerk-17", agency=samples.AGENCY.credit_code)
REGISTRAR = staff("registrar-1", roles=("registrar",))


@dataclass
class Node:
    """A home and its office."""

    home: Home
    clock: Any

    @classmethod
    def make(cls, directory: Path, database_url: str, *, clock: Clock | None = None) -> Node:
        issuer, ca, verifier = (f"http://127.0.0.1:{port}" for port in free_ports(3))
        agency = samples.AGENCY
        plan = Plan(
            agency.name.zh,
            agency.name.en,
            agency.credit_code,
            base_url=issuer,
            ca_url=ca,
            verify_url=verifier,
            database_url=database_url,
            people=("applicant-1", "prover-1", "registrar-1"),
        )
        used = clock or FixedClock(2026, 11, 20, 12)
        return cls(make_home(directory, plan, clock=used, passphrase=PASSPHRASE), used)

    def opened(self, directory: Path) -> Node:
        """A node of another folder, at the same time."""
        return Node(Home.open(directory, passphrase=PASSPHRASE, clock=self.clock), self.clock)

    def issue(self, index: int = 1) -> IssuedLicence:
        home = self.home
        stamps = TimestampAuthority(home.signer("timestamp"), home.clock, home.database)
        claims = samples.application(TYPE, index)
        office = wiring.issuer(self.home, timestamper=stamps)
        return office.issue(TYPE, claims, holder=FileSigner.generate().public_key, actor=CLERK)

    def revoke(self, licence: IssuedLicence) -> None:
        now = self.clock.now()
        wiring.issuer(self.home).end(
            licence.licence.identifier, EndingKind.REVOKED, effective_from=now, actor=CLERK, **WHY
        )

    def offer(self, licence: IssuedLicence) -> OpenOffer:
        holder = Holder(licence.licence.holder_code, AuthenticationMethod.COUNTER, "窗口核验〔2026〕118号")
        server = wiring.issuance_server(self.home)
        return server.offers.make(Offer((licence.licence.identifier,), holder), actor=CLERK)

    def certificate(self) -> Certificate:
        """A certificate of the issuing authority."""
        application = Application(subject_of("津城市测试机关", "备用"), FileSigner.generate().public_key)
        return open_authority(self.home, "issuing").issue("receipt", application, actor=REGISTRAR)

    def status_token(self) -> tuple[str, str]:
        """The one status list, as it is published."""
        statuses = wiring.status_service(self.home)
        (uri,) = statuses.uris()
        return uri, statuses.token(uri)

    def publish_log(self) -> str:
        """The newest checkpoint, everything sequenced."""
        writer = wiring.sequencer(self.home)
        while writer.run_once():
            pass
        return AuditLog(self.home.database).checkpoint() or ""

    def close(self) -> None:
        self.home.database.close()
