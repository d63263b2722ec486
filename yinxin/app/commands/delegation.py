"""`yinxin delegation card | give | accept | decline | recall | list | uses | fetch`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.delegations.cards import read_card
from credentials.delegations.terms import KIND_NAMES, LIFE, Kind, Terms
from credentials.licence import agency_time
from wallet.delegations import COPIES
from yinxin.app.console import ExitCode, console_of
from yinxin.app.own_wallet import Place, read_passphrase
from yinxin.app.phrases import phrase
from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wallet.delegations import Delegating
    from yinxin.app.console import Console

GIVEN_KINDS = (Kind.ADMINISTRATOR, Kind.AGENT, Kind.HELPER)


@click.group(
    "delegation",
    help=phrase(
        "授权委托：任命证照管理员、经办人、帮办人员，接受、收回，查看使用记录。口令取自提示或 YINXIN_WALLET_PASSPHRASE。",
        "Delegations: appoint administrators, agents and helpers, accept, recall, and see what they did. The "
        "wallet's passphrase comes from a prompt or YINXIN_WALLET_PASSPHRASE.",
    ),
)
def command() -> None:
    """Group."""


def _wallet(function: Any) -> Any:
    """Options of every command here: which wallet, at which issuer, and its surroundings."""
    folder = click.Path(file_okay=False, path_type=Path)
    options: tuple[Callable[[Any], Any], ...] = (
        click.option(
            "--store",
            type=folder,
            required=True,
            envvar="YINXIN_WALLET",
            show_envvar=True,
            help=phrase("钱包目录", "the wallet's folder"),
        ),
        click.option(
            "--issuer",
            help=phrase(
                "办理委托的发证机关网址（默认取自钱包中的证照）",
                "address of the issuer that keeps them (default: of the licences in the wallet)",
            ),
        ),
        click.option("--trust", "trust_folder", type=folder, help=phrase("信任锚目录", "folder of anchors")),
        click.option(
            "--home",
            "home_folder",
            type=folder,
            envvar="YINXIN_HOME",
            show_envvar=True,
            help=phrase("安装目录：借用其信任锚与网络设置", "an installation that lends anchors and network"),
        ),
        click.option(
            "--allow-private",
            "allowed_private",
            multiple=True,
            help=phrase(
                "允许访问的内网地址，可多次给出", "a private address that may be called; may be repeated"
            ),
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


_yes = click.option("--yes", is_flag=True, help=phrase("不再询问，视为同意", "agree without being asked"))


def _open(store: Path, issuer: str | None, surroundings: Mapping[str, Any]) -> Delegating:
    return Place(store, **surroundings).open(read_passphrase()).delegating(issuer)


@command.command(
    "card",
    help=phrase(
        "出示本钱包的经办人名片，交给委托方。", "The wallet's card, for who wants to appoint its holder."
    ),
)
@click.argument("name")
@click.option("--code", default="", help=phrase("公民身份号码（可不填）", "citizen number (may be left out)"))
@_wallet
@click.pass_context
def card(
    context: click.Context, /, name: str, code: str, store: Path, issuer: str | None, **surroundings: Any
) -> int:
    """One line of text."""
    text = _open(store, issuer, surroundings).card(name, code=code)
    console = console_of(context)
    console.say(text, text)
    console.result({"card": text})
    return ExitCode.DONE


@command.command(
    "give",
    help=phrase(
        "委托名片（CARD）的持有人：以营业执照证明法定代表人身份，或在已受委托的范围内转委托。",
        "Appoint the holder of a CARD: as the legal representative by the licence, or under a delegation.",
    ),
)
@click.argument("card_text", metavar="CARD")
@click.option(
    "--as",
    "kind",
    type=click.Choice([str(kind) for kind in GIVEN_KINDS]),
    default=str(Kind.AGENT),
    show_default=True,
    help=phrase("身份", "as what"),
)
@click.option(
    "--matter",
    "matters",
    multiple=True,
    required=True,
    help=phrase("事项编码，可多次给出；* 为全部", "code of a matter, may be repeated; * is every one"),
)
@click.option(
    "--type",
    "types",
    multiple=True,
    required=True,
    help=phrase("证照类型，可多次给出；* 为全部", "licence type, may be repeated; * is every one"),
)
@click.option("--days", type=click.IntRange(1, 366), help=phrase("有效天数", "for so many days"))
@click.option("--hours", type=click.IntRange(1, 24), help=phrase("有效小时数", "for so many hours"))
@click.option("--pass-on", is_flag=True, help=phrase("允许转委托", "it may be passed on"))
@click.option("--licence", help=phrase("用哪一份证照证明身份", "the licence that says who appoints"))
@click.option("--under", help=phrase("依据哪一份委托转委托", "the delegation that it stands under"))
@_yes
@_wallet
@click.pass_context
def give(
    context: click.Context,
    /,
    card_text: str,
    kind: str,
    matters: tuple[str, ...],
    types: tuple[str, ...],
    days: int | None,
    hours: int | None,
    pass_on: bool,
    licence: str | None,
    under: str | None,
    yes: bool,
    store: Path,
    issuer: str | None,
    **surroundings: Any,
) -> int:
    """Say what it means, ask, appoint."""
    if days and hours:
        raise UsageError("give days or hours, not both")
    console, delegating = console_of(context), _open(store, issuer, surroundings)
    to, what, now = read_card(card_text), Kind(kind), delegating.now()
    life = timedelta(days=days) if days else timedelta(hours=hours) if hours else LIFE[what]
    terms = Terms(what, matters, types, now, now + life, may_pass_on=pass_on)
    _agreed(console, _proposal(to.name, terms), yes=yes)
    made = delegating.give(to, terms, licence=licence, under=under)
    console.say(
        f"已提出委托 {made['id']}，待{to.name}接受后生效",
        f"proposed: delegation {made['id']}; it holds once {to.name} has accepted",
    )
    console.result(made)
    return ExitCode.DONE


@command.command(
    "accept",
    help=phrase(
        "接受一份委托，并领取委托凭证与所委托的证照。", "Accept a delegation, and fetch its credentials."
    ),
)
@click.argument("delegation")
@_yes
@_wallet
@click.pass_context
def accept(
    context: click.Context,
    /,
    delegation: str,
    yes: bool,
    store: Path,
    issuer: str | None,
    **surroundings: Any,
) -> int:
    """Say what it means, ask, accept."""
    console, delegating = console_of(context), _open(store, issuer, surroundings)
    found = next((one for one in delegating.listed()["received"] if one["id"] == delegation), None)
    if found is not None:
        _agreed(console, _meaning(found), yes=yes)
    done = delegating.accept(delegation)
    names = [Text(**one["name"]) for one in done["licences"]]
    zh, en = "、".join(one.zh for one in names), ", ".join(one.en for one in names)
    console.say(
        f"已接受委托 {delegation}；已领取：{zh or '无证照'}",
        f"accepted: delegation {delegation}; received: {en or 'no licence'}",
    )
    console.result(done)
    return ExitCode.DONE


@command.command("decline", help=phrase("拒绝一份委托。", "Say no to a delegation."))
@click.argument("delegation")
@_wallet
@click.pass_context
def decline(
    context: click.Context, /, delegation: str, store: Path, issuer: str | None, **surroundings: Any
) -> int:
    """Decline."""
    console = console_of(context)
    done = _open(store, issuer, surroundings).decline(delegation)
    console.say(f"已拒绝委托 {delegation}", f"declined: delegation {delegation}")
    console.result(done)
    return ExitCode.DONE


@command.command(
    "recall",
    help=phrase(
        "立即收回委托（经办人则为辞任），其下的委托一并终止。",
        "End a delegation at once, with all that stands under it; an agent resigns.",
    ),
)
@click.argument("delegation")
@click.option("--ground", default="", help=phrase("原因", "why"))
@_yes
@_wallet
@click.pass_context
def recall(
    context: click.Context,
    /,
    delegation: str,
    ground: str,
    yes: bool,
    store: Path,
    issuer: str | None,
    **surroundings: Any,
) -> int:
    """Ask, end."""
    console = console_of(context)
    says = Text(
        f"委托 {delegation} 及其下的委托将立即终止，无法恢复。是否收回？",
        f"Delegation {delegation} and all under it end at once, for good. Recall it?",
    )
    _agreed(console, says, yes=yes)
    ended = _open(store, issuer, surroundings).recall(delegation, ground=ground)
    for one in ended:
        state = Text(**one["state_name"])
        console.say(f"{one['id']}：{state.zh}", f"{one['id']}: {state.en}")
    console.result({"ended": ended})
    return ExitCode.DONE


@command.command("list", help=phrase("列出给出的与收到的委托。", "List delegations given and received."))
@_wallet
@click.pass_context
def list_(context: click.Context, /, store: Path, issuer: str | None, **surroundings: Any) -> int:
    """Two tables in one."""
    console = console_of(context)
    found = _open(store, issuer, surroundings).listed()
    words = {"given": Text("给出", "given"), "received": Text("收到", "received")}
    rows = [
        (words[way].in_language(console.language), *_row(console, one))
        for way in ("given", "received")
        for one in found[way]
    ]
    columns = [
        ("", ""),
        ("委托书", "delegation"),
        ("身份", "as"),
        ("委托人", "principal"),
        ("经办人", "agent"),
        ("事项", "matters"),
        ("至", "until"),
        ("状态", "state"),
    ]
    if rows:
        console.table(columns, rows)
    else:
        console.say("没有委托", "no delegations")
    console.result(found)
    return ExitCode.DONE


@command.command(
    "uses",
    help=phrase("查看经办人去过哪些部门、办了什么事项。", "Where agents went, in which matter, and when."),
)
@click.argument("delegation", required=False)
@_wallet
@click.pass_context
def uses(
    context: click.Context, /, delegation: str | None, store: Path, issuer: str | None, **surroundings: Any
) -> int:
    """A table."""
    console = console_of(context)
    found = _open(store, issuer, surroundings).uses(delegation)
    rows = [
        (
            _time(one["at"]),
            one["delegation"],
            one["department"],
            one["matter"],
            one["licence_type"],
            one["indication"],
        )
        for one in found
    ]
    columns = [
        ("时间", "at"),
        ("委托书", "delegation"),
        ("部门", "department"),
        ("事项", "matter"),
        ("证照", "licence"),
        ("结论", "verdict"),
    ]
    if rows:
        console.table(columns, rows)
    else:
        console.say("没有使用记录", "no uses")
    console.result({"uses": found})
    return ExitCode.DONE


@command.command(
    "fetch",
    help=phrase("领取委托凭证或证照的新副本。", "Fetch new copies of a delegation or of a licence under it."),
)
@click.argument("delegation")
@click.option("--licence", help=phrase("证照标识或类型", "identifier or type of the licence"))
@click.option("--copies", type=click.IntRange(1, 10), default=COPIES, help=phrase("副本数", "copies"))
@_wallet
@click.pass_context
def fetch(
    context: click.Context,
    /,
    delegation: str,
    licence: str | None,
    copies: int,
    store: Path,
    issuer: str | None,
    **surroundings: Any,
) -> int:
    """Fetch."""
    console = console_of(context)
    name = _open(store, issuer, surroundings).fetch(delegation, licence=licence, copies=copies)
    console.say(f"已领取 {copies} 份副本：{name}", f"received {copies} copies: {name}")
    console.result({"id": name, "copies": copies})
    return ExitCode.DONE


def _row(console: Console, one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one["id"],
        Text(**one["kind_name"]).in_language(console.language),
        one["principal"]["name"],
        one["agent"]["name"],
        ", ".join(one["terms"]["matters"]),
        _time(one["terms"]["ends_at"]),
        Text(**one["state_name"]).in_language(console.language),
    )


def _time(text: str) -> str:
    return agency_time(datetime.fromisoformat(text))


def _proposal(name: str, terms: Terms) -> Text:
    kind, until = KIND_NAMES[terms.kind], agency_time(terms.ends_at)
    matters, types = ", ".join(terms.matters), ", ".join(terms.types)
    return Text(
        f"将委托{name}为{kind.zh}：事项 {matters}；证照 {types}；至 {until}"
        f"{'；可以转委托' if terms.may_pass_on else ''}。是否委托？",
        f"{name} becomes {kind.en}: matters {matters}; licences {types}; until {until}"
        f"{'; may pass it on' if terms.may_pass_on else ''}. Appoint them?",
    )


def _meaning(found: Mapping[str, Any]) -> Text:
    terms, principal = found["terms"], found["principal"]["name"]
    matters, types = ", ".join(terms["matters"]), ", ".join(terms["types"])
    kind, until = Text(**found["kind_name"]), _time(terms["ends_at"])
    return Text(
        f"{principal}委托您为{kind.zh}：事项 {matters}；证照 {types}；至 {until}。"
        "委托方可以看到您的每次使用。是否接受？",
        f"{principal} appoints you as {kind.en}: matters {matters}; licences {types}; until {until}. They see "
        "each of your uses. Do you accept?",
    )


def _agreed(console: Console, says: Text, *, yes: bool) -> None:
    console.note(says.zh, says.en)
    if not yes and not click.confirm(phrase("同意？", "Agree?"), default=False, err=True):
        raise click.exceptions.Abort
