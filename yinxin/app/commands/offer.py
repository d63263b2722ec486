"""`yinxin licence offer`: let a holder's wallet fetch a licence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import segno

from credentials.licence import agency_time
from credentials.oid4vci.offers import AuthenticationMethod, Flow, Holder, Offer
from yinxin.app import wiring
from yinxin.app.commands.options import (
    actor_option,
    clerk_of,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from credentials.oid4vci.offers import OpenOffer
    from yinxin.app.console import Console


@click.command(
    "offer",
    help=phrase(
        "为已核验身份的持证主体生成凭证领取码（OpenID4VCI）；验证码另行告知。",
        "Offer a licence to the wallet of its holder, whom you have authenticated (OpenID4VCI).",
    ),
)
@click.argument("identifier")
@click.option(
    "--authenticated",
    type=click.Choice([str(one) for one in AuthenticationMethod]),
    default=str(AuthenticationMethod.COUNTER),
    show_default=True,
    help=phrase("身份核验方式", "how the holder was authenticated"),
)
@click.option(
    "--evidence",
    required=True,
    help=phrase(
        "身份核验记录编号（审计日志留存其摘要）", "where that is on file; the audit log keeps its digest"
    ),
)
@click.option(
    "--by-value", is_flag=True, help=phrase("链接内含全部内容", "a link that holds the offer itself")
)
@click.option(
    "--sign-in",
    is_flag=True,
    help=phrase(
        "改用授权码流程：持证人在网页上以一次性登录码登录",
        "the code flow: the holder signs in with a one-time code",
    ),
)
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def offer(
    context: click.Context,
    identifier: str,
    authenticated: str,
    evidence: str,
    by_value: bool,
    sign_in: bool,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """A QR code in the terminal, the link, and the tx_code apart from both."""
    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    clerk = clerk_of(place, actor)
    licence = wiring.reading(place).licence(identifier, actor=clerk)
    if licence.awaits_document:  # of an older register: this is its first use
        licence = wiring.issuer(place).first_use.seal(licence.identifier, actor=clerk)
    holder = Holder(licence.holder_code, AuthenticationMethod(authenticated), evidence)
    server = wiring.issuance_server(place)
    if sign_in and not server.with_code:
        raise UsageError("the code flow needs wallets in the setting wallet_clients")
    wanted = Offer((licence.identifier,), holder, flow=Flow.CODE if sign_in else Flow.PRE_AUTHORIZED)
    made = server.offers.make(wanted, actor=clerk)
    code = server.login_codes.hand_out(holder, actor=clerk) if sign_in else made.tx_code
    _show(console, made, made.by_value if by_value else made.by_reference, code or "")
    return ExitCode.DONE


def _show(console: Console, made: OpenOffer, link: str, code: str) -> None:
    if not console.as_json:
        segno.make(link, error="l").terminal(compact=True)
    console.say(f"链接：{link}", f"link: {link}")
    console.say(f"网页：{made.page}", f"page: {made.page}")
    console.say(
        f"验证码（请另行告知持证人）：{code}",
        f"code (tell the holder apart from the link): {code}",
    )
    console.say(f"有效至 {agency_time(made.expires_at)}", f"good until {agency_time(made.expires_at)}")
    console.result(
        {
            "offer": made.id,
            "link": link,
            "page": made.page,
            "code": code,
            "expires_at": made.expires_at.isoformat(),
        }
    )
