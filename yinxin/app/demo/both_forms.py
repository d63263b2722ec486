"""One licence in both of its forms: fetched with a wallet, shown as SD-JWT VC and as mdoc to the department.

Everything travels as it does between strangers: OpenID4VCI from the issuer, OpenID4VP to the verifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.oid4vci.offers import AuthenticationMethod, Holder, Offer
from wallet.exchange import fetch, send
from wallet.invitation import Invitation
from wallet.names import Names
from wallet.receiving import Receiving
from wallet.trusted import TrustedParties
from yinxin.app import wiring
from yinxin.app.demo.cast import MATTER, PURPOSE, Cast
from yinxin.app.demo.licences import CLERK
from yinxin.base.errors import Conflict
from yinxin.base.files import write_new_file
from yinxin.base.text import Text

if TYPE_CHECKING:
    from credentials.production import IssuedLicence
    from verify_api.client import Shown
    from wallet.holder import Holder as Wallet

COPIES = 3  # of each form: each is shown once, so that those who see them cannot tell that it is one holder
WHAT_FOR = Text("办理食品经营延续", "renewing a food business licence")
SHOWN = ["operator_name", "business_items"]


def both_forms(cast: Cast) -> None:
    """A licence goes into its holder's wallet, and is shown in the one form and the other."""
    food = cast.issued["food-business-licence"][0]
    wallet, trusted = cast.wallet_of(food.licence.claims), _trusted(cast)
    held = _fetch(cast, food, wallet, trusted)
    cast.tell(
        "钱包领取同一证照的两种形式",
        "the wallet fetches both forms of a licence",
        cast.word(f"各 {COPIES} 份", f"{COPIES} copies each"),
        ", ".join(held),
    )
    for zh, en, form in (
        ("以 SD-JWT VC 出示", "shown as SD-JWT VC", "sd-jwt-vc"),
        ("以 mdoc（ISO/IEC 18013-5）出示", "shown as mdoc (ISO/IEC 18013-5)", "mdoc"),
    ):
        shown = _show(cast, form, wallet, trusted)
        for answer in (one for answers in shown.answers.values() for one in answers):
            cast.heard(zh, en, answer)
        if not shown.passed:
            raise Conflict(f"the {form} was not accepted: {shown.content.get('reasons')}")


def _trusted(cast: Cast) -> TrustedParties:
    home = cast.home
    return TrustedParties(
        home.trust, home.outbound, policy=home.policy, revocation=home.revocation, clock=cast.clock
    )


def _fetch(cast: Cast, made: IssuedLicence, wallet: Wallet, trusted: TrustedParties) -> tuple[str, ...]:
    """The counter offers it to its holder, whose wallet fetches it; the forms that came."""
    holder = Holder(made.licence.holder_code, AuthenticationMethod.COUNTER, "窗口核验〔2026〕118号")
    server = wiring.issuance_server(cast.home)
    offer = server.offers.make(Offer((made.licence.identifier,), holder), actor=CLERK)
    receiving = Receiving(
        wallet, cast.home.outbound, trusted=trusted, client_id=None, clock=cast.clock, allow_http=True
    )
    considered = receiving.consider(offer.by_reference)
    (held,) = receiving.accept(considered, tx_code=offer.tx_code, copies=COPIES)
    return held.forms


def _show(cast: Cast, form: str, wallet: Wallet, trusted: TrustedParties) -> Shown:
    """The department asks, the holder agrees, the department reads what was shown."""
    case = {"purpose": PURPOSE, "matter": MATTER}
    begun = cast.client.ask(
        types=["food-business-licence"], claims=SHOWN, forms=[form], reason=WHAT_FOR.to_dict(), **case
    )
    outbound, clock = cast.home.outbound, cast.clock
    fetched = fetch(Invitation.parse(begun["link"], allow_http=True), outbound)
    request = trusted.read_request(
        fetched.text,
        client_id=fetched.client_id,
        now=clock.now(),
        wallet_nonce=fetched.wallet_nonce,
        allow_http=True,
    )
    labels = Names(wiring.catalogue(cast.home)).labels()
    answering = wallet.consider_presentation(request, labels=labels)
    consent = cast.directory / "wallets" / f"consent-{form}.txt"
    write_new_file(consent, f"{answering.consent.zh}\n\n{answering.consent.en}\n".encode())
    send(wallet.answer_presentation(answering), outbound, allow_http=True)
    return cast.client.shown(begun["id"], **case)
