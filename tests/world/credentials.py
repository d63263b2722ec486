"""An agency that issues credentials, a baker who holds one, and a counter that verifies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials import key_binding
from credentials.sd_jwt import issue_sd_jwt
from credentials.status_service import StatusService
from credentials.status_snapshot import StatusSnapshot
from credentials.verifier import Verifier
from signing.revocation import Crl, RevocationSnapshot
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from world.databases import with_tables
from world.pki import NOON, Pki
from yinxin.base.clock import FixedClock
from yinxin.base.randomness import UnsafeSeededRandomness

if TYPE_CHECKING:
    from collections.abc import Collection

    from credentials.claim_paths import ClaimPath

ISSUER = "https://licences.jincheng.example"
COUNTER, NONCE = "https://market-bureau.jincheng.example", "n-0S6_WzA2Mj"
VCT = "urn:cn:jincheng:licence:food-business:1"
SECONDS = int(NOON.timestamp())
DISCLOSABLE: tuple[ClaimPath, ...] = (
    "name", "credit_code", "address", ("address", "street"), ("scopes", None),
)  # fmt: skip


def food_licence() -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "vct": VCT,
        "iat": SECONDS - 3600,
        "nbf": SECONDS - 3600,
        "exp": SECONDS + 86400 * 180,
        "licence_identifier": "1.2.156.3003.2.11100000000013338W.12345.001.X",
        "name": "津城小麦面包坊",
        "credit_code": "91120101MA5K3WXY0T",
        "address": {"city": "津城", "street": "和平路 18 号"},
        "scopes": ["糕点类食品制售", "自制饮品制售", "预包装食品销售"],
    }


@dataclass
class CredentialWorld:
    """Who takes part in a presentation, on `NOON`."""

    pki: Pki = field(default_factory=Pki)

    def __post_init__(self) -> None:
        self.clock = FixedClock(2026, 11, 20, 12)
        self.randomness = UnsafeSeededRandomness("credentials")
        self.agency = self.pki.signer("credential", "津城市市场监督管理局")
        self.baker = FileSigner.generate()
        self.database = with_tables()
        self.statuses = StatusService(
            self.database,
            self.pki.signer("status"),
            ISSUER,
            clock=self.clock,
            randomness=self.randomness,
            size=1 << 10,
        )
        self.trust = TrustStore([self.pki.root.certificate])

    def issue(
        self,
        claims: dict[str, Any] | None = None,
        *,
        disclosable: Collection[ClaimPath] = DISCLOSABLE,
        **more: Any,
    ) -> str:
        """A food licence bound to the baker's key, with a status of its own."""
        options = {"signer": self.agency, "randomness": self.randomness, "holder_key": self.baker.public_key}
        return issue_sd_jwt(claims or self.licence(), disclosable=disclosable, **{**options, **more})

    def licence(self, **changes: Any) -> dict[str, Any]:
        """The licence's claims, with a fresh status reference."""
        with self.database.transaction() as session:
            uri, index = self.statuses.allocate(session)
        return {**food_licence(), "status": {"status_list": {"idx": index, "uri": uri}}, **changes}

    def set_status(self, claims: dict[str, Any], value: int) -> None:
        reference = claims["status"]["status_list"]
        with self.database.transaction() as session:
            self.statuses.set(session, reference["uri"], reference["idx"], value)

    def present(self, credential: str, disclose: Collection[ClaimPath] = ("name",), **changes: Any) -> str:
        options = {"holder": self.baker, "audience": COUNTER, "nonce": NONCE, "at": self.clock.now()}
        return key_binding.present(credential, disclose=disclose, **{**options, **changes})

    @property
    def revocation(self) -> RevocationSnapshot:
        now = self.clock.now()
        return RevocationSnapshot(Crl.from_der(ca.crl(now)) for ca in (self.pki.root, self.pki.issuing))

    def snapshots(self, at: datetime | None = None) -> dict[str, StatusSnapshot]:
        """What the counter fetched and verified just now."""
        options = {"at": at or self.clock.now(), "revocation": self.revocation}
        return {
            uri: StatusSnapshot.from_token(self.statuses.token(uri), self.trust, uri=uri, **options)
            for uri in self.statuses.uris()
        }

    def counter(self, **changes: Any) -> Verifier:
        options = {"statuses": self.snapshots(), "revocation": self.revocation, "clock": self.clock}
        return Verifier(self.trust, **{**options, **changes})

    def examine(self, presentation: str, **changes: Any) -> Any:
        """The counter's report."""
        return self.counter().verify(presentation, **{"audience": COUNTER, "nonce": NONCE, **changes})


def later(**by: float) -> datetime:
    return NOON + timedelta(**by)
