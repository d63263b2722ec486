"""Why a licence does not come in: an offer that the wallet refuses, or an issuer that says no."""

from __future__ import annotations

from wallet.words import plain
from yinxin.base.errors import NotPermitted
from yinxin.base.text import Text

_AGAIN = Text("请向发证机关索取新的领取链接。", "Ask the issuing authority for a new offer.")
# What the issuer's code means for the holder (OpenID4VCI, 6.3 and 8.3.1.2; RFC 6749, 4.1.2.1 and 5.2).
ADVICE = {
    "invalid_grant": Text(
        "领取码已使用、已过期，或验证码有误。请核对验证码后重试；仍不成功，请向发证机关索取新的领取链接。",
        "The offer was used, is over, or the code is wrong. Check the code and try again; if that fails too, "
        "ask the issuing authority for a new offer.",
    ),
    "invalid_tx_code": Text(
        "验证码有误。请核对发证机关另行告知的验证码后重试。",
        "The code is wrong. Check the code that the authority gave you apart from the link, and try again.",
    ),
    "invalid_client": Text(
        "发证机关未登记此钱包。请改用窗口提供的领取链接。",
        "The authority does not know this wallet. Use an offer from the counter instead.",
    ),
    "credential_request_denied": Text(
        "发证机关不予发放，证照可能已失效或已变更。请咨询发证机关。",
        "The authority does not give out this licence; it may have ended or changed. Ask the authority.",
    ),
    "access_denied": Text(
        "未获同意，没有领取任何证照。如非本意，请重新开始。",
        "Nobody agreed, so nothing was received. Begin again if that was not meant.",
    ),
}
_ELSE = Text(
    "请稍后重试；仍不成功，请联系发证机关。", "Try again later; if that fails too, ask the authority."
)


class OfferRefused(NotPermitted):
    """The wallet does not take an offer: it, or its issuer's metadata, is not in order or not understood."""

    code = "offer_refused"
    title = Text("领取链接不可接受", "The offer is not accepted")
    advice = _AGAIN


class IssuerRefused(NotPermitted):
    """The issuer says no. `.error` is its code, `.advice` what the holder can do."""

    code = "issuer_refused"
    title = Text("发证机关未发放证照", "The issuer did not give the licence")

    def __init__(self, error: object, description: object = "") -> None:
        self.error = plain(error, limit=60)
        said = f": {plain(description)}" if isinstance(description, str) and description else ""
        super().__init__(self.error + said)

    @property
    def advice(self) -> Text:
        """What to do next."""
        return ADVICE.get(self.error, _ELSE)


class DeliveryRefused(NotPermitted):
    """What the issuer sent is not what was asked for; nothing of it was kept."""

    code = "delivery_refused"
    title = Text("收到的证照不符合要求，未予保存", "What the issuer sent is not in order and was not kept")
    advice = Text(
        "请向发证机关反映，并索取新的领取链接。", "Tell the issuing authority, and ask for a new offer."
    )
