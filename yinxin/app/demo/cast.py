"""Who takes part in the demo, and what they say: the cast, and the closing table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from credentials import samples
from signing.report import Indication
from wallet.request import PresentationRequest
from yinxin.app import wiring
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.files import write_new_file
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from credentials.issuer import Issuer
    from credentials.production import IssuedLicence
    from signing.signer import Signer
    from verify_api.client import Client, ClientAnswer
    from wallet.holder import Holder
    from yinxin.app.console import Console
    from yinxin.app.home import Home

COUNTER, HOUSING = "urn:jincheng:counter", "urn:jincheng:housing-bureau"
PURPOSE, MATTER = "market-entry", "120199-0031"


@dataclass(slots=True)
class Told:
    """One line of the closing table: what happened, what was answered, why."""

    what: Text
    answer: str | Indication
    why: str = ""


@dataclass(slots=True)
class Cast:
    """The folder, the console, and everybody who acts. Chapters fill in who comes on stage later."""

    directory: Path
    console: Console
    clock: Clock = field(default_factory=SystemClock)
    told: list[Told] = field(default_factory=list)
    home: Home = field(init=False)
    services: wiring.Stage = field(init=False)
    issuer: Issuer = field(init=False)
    issued: dict[str, list[IssuedLicence]] = field(default_factory=dict)
    wallets: dict[str, Holder] = field(default_factory=dict)
    company_seal: Signer = field(init=False)
    client: Client = field(init=False)

    def tell(self, zh: str, en: str, answer: str | Indication, why: str = "") -> None:
        """Add a line to the closing table."""
        self.told.append(Told(Text(zh, en), answer, why))

    def word(self, zh: str, en: str) -> str:
        """In the language of the console."""
        return self.console.text(zh, en)

    def heard(self, zh: str, en: str, answer: ClientAnswer) -> None:
        """Tell what the service answered: the verdict, and why or what it says."""
        self.tell(
            zh, en, Indication(answer.receipt.indication), ", ".join(answer.reasons) or self._claims(answer)
        )

    def heard_then(self, zh: str, en: str, answer: ClientAnswer) -> None:
        """Tell the verdict for the moment that was asked about, and the one for now."""
        self.tell(
            zh,
            en,
            Indication(answer.receipt.then),
            self.word("现在：", "now: ") + self.console.verdict(Indication(answer.receipt.indication)).plain,
        )

    def present(self, made: IssuedLicence, claims: list[str], *, audience: str | None = None) -> ClientAnswer:
        """The wallet is asked, its holder agrees, the department hands in what it got."""
        asked = self.client.nonce()
        wallet = self.wallet_of(made.licence.claims)
        kind = wiring.catalogue(self.home)[made.licence.type_code]
        request = PresentationRequest(
            requester=Text("津城区政务服务中心窗口", "Jincheng District service counter"),
            purpose=Text("办理食品经营延续", "renewing a food business licence"),
            matter=MATTER,
            audience=audience or asked["audience"],
            nonce=asked["nonce"],
            vct=kind.vct,
            claims=tuple((name,) for name in claims),
        )
        labels = {entry.name: entry.label for entry in kind.fields}
        proposal = wallet.consider(request, made.licence.identifier, labels=labels)
        consent = self.directory / "wallets" / "consent.txt"
        if not consent.exists():
            write_new_file(consent, f"{proposal.consent.zh}\n\n{proposal.consent.en}\n".encode())
        presentation = wallet.answer(proposal)
        return self.client.verify_presentation(
            presentation, nonce=asked["nonce"], purpose=PURPOSE, matter=MATTER
        )

    def number(self, text: str, **moments: Any) -> ClientAnswer:
        """The department asks for the number on paper or the identifier."""
        return self.client.verify_licence(text, purpose=PURPOSE, matter=MATTER, **moments)

    def wallet_of(self, claims: Mapping[str, object]) -> Holder:
        """The company and one citizen have wallets of their own; others are served at the counter."""
        values = set(map(str, claims.values()))
        if samples.company(1)["credit_code"] in values:
            return self.wallets["company"]
        return self.wallets["citizen" if samples.person(2)["citizen_number"] in values else "counter"]

    def _claims(self, answer: ClientAnswer) -> str:
        said = (value if isinstance(value, list) else [value] for value in answer.claims.values())
        return "；".join("、".join(map(str, values)) for values in said)
