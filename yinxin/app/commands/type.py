"""`yinxin type list | propose | changes | preview | approve | withdraw | abolish`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from credentials.office.types.versions import KIND_NAMES, STATE_NAMES
from yinxin.app import wiring
from yinxin.app.commands.options import actor_option, agreement, home_option, key_option
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.types import make_types
from yinxin.app.phrases import phrase
from yinxin.base.actor import staff
from yinxin.base.files import read_file, write_new_file

if TYPE_CHECKING:
    from datetime import date, datetime

    from credentials.office.types import Preview, TypeChange
    from yinxin.app.console import Console
    from yinxin.base.actor import Actor

MAX_FILE_BYTES = 1 << 20  # the reader has its own, smaller limit, and says so


@click.group(
    "type",
    help=phrase(
        "证照类型：提出新版本、预览样证、两人批准、废止。",
        "Licence types: propose a version, see a specimen, approve by a second person, abolish.",
    ),
)
def command() -> None:
    """Group."""


@command.command("list", help=phrase("列出各类型的全部版本。", "List every version of every type."))
@home_option()
@click.pass_context
def list_types(context: click.Context, home: str) -> int:
    """A table of versions."""
    console, place = console_of(context), Home.open(home)
    found = wiring.catalogue(place)
    in_force = {one.code: one.version for one in found}
    rows = [
        (
            one.code,
            console.text(one.name.zh, one.name.en),
            str(one.version),
            str(one.from_day or "—"),
            str(one.until_day or "—"),
            "✓" if in_force.get(one.code) == one.version else "",
        )
        for one in found.every_version()
    ]
    columns = [
        ("类型", "type"),
        ("名称", "name"),
        ("版本", "version"),
        ("启用日", "from"),
        ("最后可签发日", "until"),
        ("现行", "in force"),
    ]
    console.table(columns, rows)
    console.result(
        [
            {
                "type": one.code,
                "version": one.version,
                "vct": one.vct,
                "from_day": one.from_day.isoformat() if one.from_day else None,
                "until_day": one.until_day.isoformat() if one.until_day else None,
                "in_force": in_force.get(one.code) == one.version,
            }
            for one in found.every_version()
        ]
    )
    return ExitCode.DONE


@command.command(
    "propose",
    help=phrase(
        "按类型文件提出新版本（须写明 version 与 from_day）。", "Propose the version in a type file."
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@actor_option("clerk")
@home_option()
@click.pass_context
def propose(context: click.Context, file: Path, actor: str, home: str) -> int:
    """Hand it in; somebody else approves it."""
    console, place = console_of(context), Home.open(home)
    types, data = make_types(place), read_file(file, limit=MAX_FILE_BYTES)
    change = types.propose(data, actor=_act(place, actor, "clerk"))
    _show(console, change)
    return ExitCode.DONE


@command.command("changes", help=phrase("列出目录变更。", "List the changes of the catalogue."))
@actor_option("clerk")
@home_option()
@click.pass_context
def changes(context: click.Context, actor: str, home: str) -> int:
    """The newest first."""
    console, place = console_of(context), Home.open(home)
    found = make_types(place).changes(actor=_act(place, actor, "clerk"))
    rows = [
        (
            one.id,
            one.code,
            str(one.version),
            console.text(KIND_NAMES[one.kind].zh, KIND_NAMES[one.kind].en),
            one.day.isoformat(),
            console.text(STATE_NAMES[one.state].zh, STATE_NAMES[one.state].en),
        )
        for one in found
    ]
    columns = [
        ("编号", "id"),
        ("类型", "type"),
        ("版本", "version"),
        ("事项", "what"),
        ("日期", "day"),
        ("状态", "state"),
    ]
    console.table(columns, rows)
    console.result([one.to_dict() for one in found])
    return ExitCode.DONE


@command.command(
    "preview",
    help=phrase(
        "预览：与现行版本的差别；可将样证写成 PDF 或 PNG。",
        "What a version changes; its specimen as PDF or PNG.",
    ),
)
@click.argument("change")
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), help=phrase("样证 PDF", "the page"))
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), help=phrase("样证图片", "a picture"))
@actor_option("clerk")
@home_option()
@click.pass_context
def preview(
    context: click.Context, change: str, pdf: Path | None, png: Path | None, actor: str, home: str
) -> int:
    """In plain words, and files that did not exist."""
    console, place = console_of(context), Home.open(home)
    types, who = make_types(place), _act(place, actor, "clerk")
    found = types.preview(change, actor=who)
    if pdf:
        write_new_file(pdf, types.page(change, actor=who))
    if png:
        write_new_file(png, types.picture(change, actor=who))
    _tell(console, found)
    console.result(found.to_dict())
    return ExitCode.DONE


@command.command(
    "approve",
    help=phrase("以本人密钥签名批准（不得为提出人）。", "Approve with your own key (not who proposed it)."),
)
@click.argument("change")
@key_option
@actor_option("approver")
@home_option()
@click.pass_context
def approve(
    context: click.Context, change: str, key: str, key_passphrase_file: str | None, actor: str, home: str
) -> int:
    """Sign the digest of the change."""
    console, place = console_of(context), Home.open(home)
    types, who = make_types(place), _act(place, actor, "approver")
    seen = types.change(change, actor=who)
    proof = agreement(seen.digest, who, key=key, key_passphrase_file=key_passphrase_file)
    _show(console, types.approve(change, proof=proof, actor=who))
    return ExitCode.DONE


@command.command("withdraw", help=phrase("撤回或退回。", "Take a proposal back, or turn it down."))
@click.argument("change")
@click.option("--note", required=True, help=phrase("理由", "the reason"))
@actor_option("clerk")
@home_option()
@click.pass_context
def withdraw(context: click.Context, change: str, note: str, actor: str, home: str) -> int:
    """With a reason."""
    console, place = console_of(context), Home.open(home)
    _show(console, make_types(place).withdraw(change, note=note, actor=_act(place, actor, "clerk")))
    return ExitCode.DONE


@command.command(
    "abolish",
    help=phrase(
        "提出废止：最后可签发日之后不再新发，已发证照不变。",
        "Propose that nothing new is issued after a last day; licences issued stay as they are.",
    ),
)
@click.argument("code")
@click.option(
    "--last-day",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help=phrase("最后可签发日", "the last day of issuing"),
)
@click.option("--ground", required=True, help=phrase("依据", "the legal ground"))
@click.option("--document", required=True, help=phrase("文号", "the number of the document"))
@actor_option("clerk")
@home_option()
@click.pass_context
def abolish(
    context: click.Context,
    code: str,
    last_day: datetime,
    ground: str,
    document: str,
    actor: str,
    home: str,
) -> int:
    """Somebody else approves it."""
    console, place = console_of(context), Home.open(home)
    last: date = last_day.date()
    change = make_types(place).abolish(
        code, last_day=last, ground=ground, document_number=document, actor=_act(place, actor, "clerk")
    )
    _show(console, change)
    return ExitCode.DONE


def _act(home: Home, name: str, role: str) -> Actor:
    return staff(name, agency=home.settings.agency_code or None, roles=(role,))


def _show(console: Console, change: TypeChange) -> None:
    kind, state = KIND_NAMES[change.kind], STATE_NAMES[change.state]
    console.say(
        f"{change.id}：{change.code} 第 {change.version} 版 {kind.zh}，{change.day}，{state.zh}",
        f"{change.id}: {change.code} version {change.version}, {kind.en}, {change.day}, {state.en}",
    )
    console.result(change.to_dict())


def _tell(console: Console, found: Preview) -> None:
    if not found.previous:
        console.say("这是该类型的第一版", "this is the first version of the type")
    for one in found.changes:
        console.say(f"{one.what.zh}：{one.means.zh}", f"{one.what.en}: {one.means.en}")
