"""An offer as the holder is asked about it: who gives what, and how it is got. Nothing is spent yet.

Who gives it is told from the issuer's metadata: its own words, unless somebody whom the wallet trusts has
signed them (OpenID4VCI 1.0, 12.2.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credentials.oid4vci.metadata import well_known_path
from credentials.oid4vci.vocabulary import METADATA_TYP, WELL_KNOWN_ISSUER, WELL_KNOWN_SERVER
from signing.jose import parse_jws
from wallet.receiving.errors import OfferRefused
from wallet.receiving.metadata import host_of, read_issuer_metadata, read_server_metadata
from wallet.receiving.wire import JSON, JWT, kind_of, read_json
from wallet.trusted import is_trusted
from wallet.words import plain
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wallet.receiving.metadata import IssuerMetadata, OfferedType, ServerMetadata
    from wallet.receiving.offers import CredentialOffer, TxCode
    from wallet.receiving.wire import Wire
    from wallet.trusted import TrustedParties
    from yinxin.base.outbound import Response


@dataclass(frozen=True, slots=True)
class ConsideredOffer:
    """An offer that the wallet can take.

    `is_verified` says that the issuer's words about itself are signed by somebody whom the wallet trusts;
    `issuer_name` is then the name in that certificate, with what it calls itself.
    """

    offer: CredentialOffer = field(repr=False)
    metadata: IssuerMetadata = field(repr=False)
    server: ServerMetadata = field(repr=False)
    issuer_name: Text
    is_verified: bool

    @property
    def issuer(self) -> str:
        """The issuer's identifier, an address."""
        return self.metadata.issuer

    @property
    def types(self) -> tuple[OfferedType, ...]:
        """The licence types, with the names that the issuer gives them."""
        return tuple(self.metadata.types[one] for one in self.offer.configurations)

    @property
    def names(self) -> tuple[Text, ...]:
        """What the licences are called; one that is offered in several forms is one licence."""
        return tuple(dict.fromkeys(one.name for one in self.types))

    @property
    def needs_tx_code(self) -> bool:
        """Whether the holder must type the code that the issuer gave them apart from the link."""
        return self.offer.tx_code is not None

    @property
    def tx_code(self) -> TxCode | None:
        """How that code looks; None when there is none."""
        return self.offer.tx_code

    @property
    def needs_sign_in(self) -> bool:
        """Whether the holder must sign in at the issuer first: go on with `Receiving.begin_authorization`."""
        return self.offer.code is None

    @property
    def consent(self) -> Text:
        """The question to the holder: who gives what, and what happens with a yes."""
        return Text("\n".join(self._chinese()), "\n".join(self._english()))

    def _chinese(self) -> list[str]:
        known = "身份已核验" if self.is_verified else "身份未核验，收到后将核验证照本身"
        lines = [
            f"发证方：{self.issuer_name.zh}（{host_of(self.issuer)}，{known}）",
            "将领取：" + "、".join(name.zh for name in self.names),
        ]
        if self.needs_tx_code:
            lines.append("需要输入发证机关另行告知的验证码。")
        if self.needs_sign_in:
            lines.append("需要先在发证机关的网页上登录。")
        return [*lines, "证照加密保存在本钱包，不经您同意不向任何人出示。是否领取？"]

    def _english(self) -> list[str]:
        known = (
            "identity verified"
            if self.is_verified
            else "identity NOT verified; the licence itself is, on arrival"
        )
        lines = [
            f"Who gives it: {self.issuer_name.en} ({host_of(self.issuer)}, {known})",
            "You receive: " + ", ".join(name.en for name in self.names),
        ]
        if self.needs_tx_code:
            lines.append("You need the code that the authority gave you apart from the link.")
        if self.needs_sign_in:
            lines.append("You sign in on the authority's page first.")
        return [
            *lines,
            "It is kept encrypted in this wallet and shown to nobody without your yes. Receive it?",
        ]


def consider_offer(
    wire: Wire, offer: CredentialOffer, *, trusted: TrustedParties, allow_http: bool = False
) -> ConsideredOffer:
    """Ask issuer and authorization server what they say of themselves; `OfferRefused` says why not."""
    document, certified = _issuer_document(wire, offer.issuer, trusted)
    metadata = read_issuer_metadata(
        document, issuer=offer.issuer, wanted=offer.configurations, allow_http=allow_http
    )
    server = metadata.server(offer.server)
    answer = read_json(wire.document(_well_known(server, WELL_KNOWN_SERVER)))
    about = read_server_metadata(answer, server=server, allow_http=allow_http)
    name = _certified_name(metadata.name, certified) if certified else metadata.name
    return ConsideredOffer(offer, metadata, about, name, certified is not None)


def _issuer_document(
    wire: Wire, issuer: str, trusted: TrustedParties
) -> tuple[Mapping[str, Any], str | None]:
    """The issuer's metadata, and the name of the trusted certificate that signed them, if one did."""
    answer = wire.document(_well_known(issuer, WELL_KNOWN_ISSUER), accept=f"{JWT}, {JSON};q=0.9")
    if kind_of(answer) != JWT:
        return read_json(answer), None
    return _signed_document(answer, issuer, trusted)


def _signed_document(
    answer: Response, issuer: str, trusted: TrustedParties
) -> tuple[Mapping[str, Any], str | None]:
    try:
        token = parse_jws(answer.body.decode("ascii"))
        claims = token.claims()
    except (MalformedInput, UnicodeDecodeError) as exc:
        raise OfferRefused("OpenID4VCI, 12.2.3: the signed metadata cannot be read") from exc
    if token.header.get("typ") != METADATA_TYP or claims.get("sub") != issuer:
        raise OfferRefused("OpenID4VCI, 12.2.3: the signed metadata are of another kind, or issuer")
    signed = trusted.judge(token, usage="metadata")
    if not signed.is_genuine or signed.certificate is None:
        raise OfferRefused("OpenID4VCI, 12.2.3: the signature of the metadata does not verify")
    # Of a signer whom we do not know the word counts as much as unsigned metadata.
    return claims, plain(signed.certificate.common_name) if is_trusted(signed) else None


def _certified_name(name: Text, certified: str) -> Text:
    """What the issuer calls itself, with the name that its certificate vouches for where that is another."""
    if certified.startswith((name.zh, name.en)):
        return name
    return Text(f"{name.zh}（{certified}）", f"{name.en} ({certified})")


def _well_known(url: str, suffix: str) -> str:
    """Where a document about `url` stands: inserted between host and path (12.2.2; RFC 8414, 3.1)."""
    return f"{url.partition('://')[0]}://{host_of(url)}{well_known_path(url, suffix)}"
