"""`yinxin gather [FILE…]`: fetch the evidence that verification stands on, and say what cannot be had."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from credentials.licence import agency_time
from signing.trust import TrustStore
from verify_api.mdocs import certificates_in
from yinxin.app import rounds
from yinxin.app.commands.options import home_option
from yinxin.app.console import ExitCode, console_of
from yinxin.app.gathering.outcome import State
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock
from yinxin.base.errors import UsageError
from yinxin.base.files import read_file
from yinxin.base.settings import Settings
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.certificates import Certificate
    from yinxin.app.console import Console
    from yinxin.app.gathering.outcome import Item, Outcome

_STATES = {
    State.TAKEN: Text("已更新", "taken"),
    State.UNCHANGED: Text("无变化", "unchanged"),
    State.NOT_DUE: Text("未到时间", "not due"),
    State.IN_PEACE: Text("该主机近期无应答，暂不访问", "its host did not answer; left in peace"),
    State.DUE: Text("待获取", "due"),
    State.FAILED: Text("未取得", "not had"),
}
_KINDS = {
    "issuer": Text("上级证书", "issuer"),
    "list": Text("吊销列表", "list"),
    "delta": Text("增量吊销列表", "delta list"),
    "answer": Text("OCSP 应答", "OCSP answer"),
}
_MISSING = {
    "unknown": Text("没有吊销数据", "no revocation data"),
    "stale": Text("吊销数据已过期", "its revocation data are out of date"),
}
_TITLES = {
    "malformed_input": Text("应答无法使用", "the answer is of no use"),
    "too_large": Text("应答过大", "the answer is too large"),
    "not_found": Text("应答中没有所需内容", "the answer has nothing of what is wanted"),
    "conflict": Text("应答与现有数据不符或更旧", "older than what is at hand, or something else"),
    "not_permitted": Text(
        "地址不允许访问，或内容不可采信", "the address is not allowed, or the content not to be believed"
    ),
    "unreachable": Text("无法连接", "cannot be reached"),
    "too_many_requests": Text("对方要求稍后再试", "its server asks for patience"),
}
_PLACE = click.Path(file_okay=False, path_type=Path)


@click.command(
    "gather",
    help=phrase(
        "收集证书所指的吊销列表、OCSP 应答和上级证书，供核验使用；核验本身不访问网络。\n\n"
        "给出文件（PDF、.p7s、SD-JWT 或 mdoc 凭证、PEM）时，也为其中的证书收集，并记住这些证书。取不到的保留原有数据，并逐项说明。",
        "Fetch the lists, OCSP answers and issuers that certificates name; verification itself fetches nothing.\n\n"
        "With files (PDF, .p7s, SD-JWT, mdoc, PEM) also for the certificates in them, which are remembered. What "
        "cannot be had stays as it was, and is named.",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--plan",
    "is_plan",
    is_flag=True,
    help=phrase("只列出将获取什么，不访问网络", "only list what would be asked"),
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help=phrase("未到时间的也重新获取", "also ask for what is not due yet"),
)
@click.option(
    "--trust",
    type=_PLACE,
    help=phrase("信任锚目录（不用安装目录时）", "folder of trust anchors, without a home"),
)
@click.option(
    "--into",
    type=_PLACE,
    help=phrase("存放目录（不用安装目录时）", "the folder to gather into, without a home"),
)
@home_option(required=False)
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    is_plan: bool,
    everything: bool,
    trust: Path | None,
    into: Path | None,
    home: str | None,
) -> int:
    """Exit 1 when a certificate is left without current evidence."""
    console = console_of(context)
    certificates = [one for file in files for one in certificates_in(read_file(file))]
    if home:
        place = Home.open(home)
        found = (
            rounds.plan(place, certificates)
            if is_plan
            else rounds.gather(place, certificates, everything=everything)
        )
    elif trust and into:
        gatherer = rounds.without_home(
            into, TrustStore.load(trust), Settings.load(None, os.environ), clock=SystemClock()
        )
        found = gatherer.plan(certificates) if is_plan else gatherer.run(certificates, everything=everything)
    else:
        raise UsageError(phrase("请给出 --home，或 --trust 和 --into", "give --home, or --trust and --into"))
    say(console, found)
    console.result(found.to_dict())
    return ExitCode.FAILED if found.missing and not is_plan else ExitCode.DONE


def say(console: Console, found: Outcome) -> None:
    """The round for a person: each thing wanted, then what is missing."""
    for item in found.items:
        head = f"{_STATES[item.state].in_language(console.language)}  {_kind(item, console)}  {item.url}"
        console.say(head, head)
        if more := _more(item, console):
            console.say(f"    {more}", f"    {more}")
    if not found.items:
        console.say("没有需要获取的数据", "there is nothing to fetch")
    for one in found.missing:
        says, name = _MISSING[str(one.state)], one.certificate.common_name
        console.say(f"{name}：{says.zh}", f"{name}: {says.en}")
    for name in names_of(found.loose):
        console.say(f"{name}：尚未连到信任锚", f"{name}: does not lead to a trust anchor so far")


def names_of(certificates: Iterable[Certificate]) -> list[str]:
    """What people call them, each name once."""
    return sorted({one.common_name for one in certificates})


def _kind(item: Item, console: Console) -> str:
    return _KINDS[str(item.kind)].in_language(console.language)


def _more(item: Item, console: Console) -> str:
    """Why not, until when what is at hand is good, and when it is asked for again."""
    parts = []
    if item.detail:
        code, _, detail = item.detail.partition(": ")
        title = _TITLES[code].in_language(console.language) if code in _TITLES else code
        parts.append(f"{title} ({detail})" if detail else title)
    if item.until:
        parts.append(
            console.text(f"有效至 {agency_time(item.until)}", f"good until {agency_time(item.until)}")
        )
    if item.due and item.state is not State.DUE:
        parts.append(console.text(f"下次 {agency_time(item.due)}", f"next {agency_time(item.due)}"))
    return console.text("；", "; ").join(parts)
