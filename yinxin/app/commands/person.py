"""`yinxin person export | erasure | show | agree | erase | erased | erase-again | forget | seal`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yinxin.app import persons, wiring
from yinxin.app.commands.options import (
    actor_option,
    agreement,
    home_option,
    key_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.actor import staff
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.base.files import PRIVATE, read_file, write_new_file
from yinxin.base.identifiers import CitizenNumber, CreditCode

if TYPE_CHECKING:
    from credentials.persons import Erasure
    from yinxin.app.console import Console
    from yinxin.base.actor import Actor


@click.group(
    "person",
    help=phrase(
        "个人信息：查询所存内容、两人办理删除、按期清除、加密密钥轮换。",
        "Personal data: what is held, erasure by two people, retention, keys.",
    ),
)
def command() -> None:
    """Group."""


def _why(function: Any) -> Any:
    ground = click.option("--ground", required=True, help=phrase("依据", "the ground"))
    number = click.option(
        "--document", required=True, help=phrase("申请或决定文号", "the request's or decision's number")
    )
    return ground(number(function))


@command.command(
    "export",
    help=phrase(
        "导出本安装所存的某人全部信息（JSON 与已盖章文件）到新文件夹；查询会记入审计日志。",
        "Write all that is held on a person (JSON and sealed pages) into a new folder; the log keeps who asked.",
    ),
)
@click.argument("person")
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path))
@_why
@actor_option("registrar")
@passphrase_option
@home_option()
@click.pass_context
def export(
    context: click.Context,
    person: str,
    folder: Path,
    ground: str,
    document: str,
    actor: str,
    passphrase_file: str | None,
    home: str,
) -> int:
    """Give out what is held."""
    console, place = console_of(context), _home(home, passphrase_file)
    found = persons.personal_data(place).export(
        person, ground=ground, document_number=document, actor=_registrar(place, actor)
    )
    if not found["held"]:
        _require_well_typed(person)
    folder.mkdir(mode=0o700)
    text = json.dumps(found, ensure_ascii=False, indent=2).encode()
    write_new_file(folder / "held.json", text, mode=PRIVATE)
    pages = _write_pages(place, folder, found)
    console.say(
        f"{len(found['held'])} 项，文件 {pages} 份：{folder}",
        f"{len(found['held'])} things held, {pages} documents: {folder}",
    )
    console.result({"held": len(found["held"]), "documents": pages, "folder": str(folder)})
    return ExitCode.DONE


@command.command(
    "erasure",
    help=phrase(
        "申请删除：列出可删除的与依法须保存的；由另一人同意后执行。",
        "Ask for an erasure: what would go, what the law keeps; somebody else agrees, then it is done.",
    ),
)
@click.argument("person")
@_why
@actor_option("registrar")
@passphrase_option
@home_option()
@click.pass_context
def erasure(
    context: click.Context,
    person: str,
    ground: str,
    document: str,
    actor: str,
    passphrase_file: str | None,
    home: str,
) -> int:
    """Plan it."""
    console, place = console_of(context), _home(home, passphrase_file)
    planned = persons.personal_data(place).propose_erasure(
        person, ground=ground, document_number=document, actor=_registrar(place, actor)
    )
    _show(console, planned)
    if not (planned.going or planned.staying):
        _require_well_typed(person)
    return ExitCode.DONE


@command.command("show", help=phrase("查看一项删除申请。", "Show an erasure."))
@click.argument("identifier")
@actor_option("registrar")
@passphrase_option
@home_option()
@click.pass_context
def show(context: click.Context, identifier: str, actor: str, passphrase_file: str | None, home: str) -> int:
    """What it would do now."""
    place = _home(home, passphrase_file)
    found = persons.personal_data(place).erasure(identifier, actor=_registrar(place, actor))
    _show(console_of(context), found)
    return ExitCode.DONE


@command.command(
    "agree",
    help=phrase(
        "以本人密钥签名同意删除（不得为申请人）。", "Agree to an erasure with your own key (not who asked)."
    ),
)
@click.argument("identifier")
@key_option
@actor_option("registrar")
@passphrase_option
@home_option()
@click.pass_context
def agree(
    context: click.Context,
    identifier: str,
    key: str,
    key_passphrase_file: str | None,
    actor: str,
    passphrase_file: str | None,
    home: str,
) -> int:
    """Sign the plan."""
    console, place = console_of(context), _home(home, passphrase_file)
    personal, who = persons.personal_data(place), _registrar(place, actor)
    planned = personal.erasure(identifier, actor=who)
    proof = agreement(planned.digest, who, key=key, key_passphrase_file=key_passphrase_file)
    _show(console, personal.agree(identifier, proof=proof, actor=who))
    return ExitCode.DONE


@command.command("erase", help=phrase("执行已同意的删除。", "Do an erasure that was agreed to."))
@click.argument("identifier")
@actor_option("registrar")
@passphrase_option
@home_option()
@click.pass_context
def erase(context: click.Context, identifier: str, actor: str, passphrase_file: str | None, home: str) -> int:
    """Once."""
    console, place = console_of(context), _home(home, passphrase_file)
    counts = persons.personal_data(place).erase(identifier, actor=_registrar(place, actor))
    _tell(console, counts)
    return ExitCode.DONE


@command.command(
    "erased",
    help=phrase(
        "导出已删除事项清单（不含个人信息），与备份分开保存；恢复旧备份后据此再次删除。",
        "Write the list of what was erased (no personal data): keep it apart from the backups.",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@actor_option("registrar")
@passphrase_option
@home_option()
@click.pass_context
def erased(context: click.Context, file: Path, actor: str, passphrase_file: str | None, home: str) -> int:
    """For the day on which an older backup is put back."""
    console, place = console_of(context), _home(home, passphrase_file)
    found = persons.personal_data(place).erased(actor=_registrar(place, actor))
    write_new_file(file, json.dumps(found).encode(), mode=PRIVATE)
    console.say(f"{len(found)} 项：{file}", f"{len(found)} things: {file}")
    console.result({"erased": len(found), "file": str(file)})
    return ExitCode.DONE


@command.command(
    "erase-again",
    help=phrase(
        "恢复旧备份后，按清单再次删除（清单由 person erased 导出）。",
        "After an older backup was put back: erase again what the list of `person erased` names.",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@actor_option("registrar")
@passphrase_option
@home_option()
@click.pass_context
def erase_again(
    context: click.Context, file: Path, actor: str, passphrase_file: str | None, home: str
) -> int:
    """What a person was promised holds for restored data too."""
    console, place = console_of(context), _home(home, passphrase_file)
    things = _things(file)
    _tell(console, persons.personal_data(place).erase_again(things, actor=_registrar(place, actor)))
    return ExitCode.DONE


@command.command(
    "forget",
    help=phrase(
        "清除保存期限已满的个人信息（服务每日自动执行）。",
        "Erase what its time is over for (the service does it daily).",
    ),
)
@passphrase_option
@home_option()
@click.pass_context
def forget(context: click.Context, passphrase_file: str | None, home: str) -> int:
    """Retention, now."""
    console, place = console_of(context), _home(home, passphrase_file)
    _tell(console, persons.forget(place))
    return ExitCode.DONE


@command.command(
    "seal",
    help=phrase(
        "用现用密钥加密尚未加密或用旧密钥加密的数据（更换密钥后执行）。",
        "Seal what is plain or under an older key with the current one (after a new key was set).",
    ),
)
@passphrase_option
@home_option()
@click.pass_context
def seal(context: click.Context, passphrase_file: str | None, home: str) -> int:
    """Bring every row under the current key."""
    console, place = console_of(context), _home(home, passphrase_file)
    done = persons.seal_all(place, progress=lambda count: console.note(f"{count} 行", f"{count} rows"))
    console.say(f"已用现用密钥加密 {done} 行", f"{done} rows are sealed with the current key now")
    console.result({"rows": done})
    return ExitCode.DONE


def _home(home: str, passphrase_file: str | None) -> Home:
    return Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))


def _require_well_typed(person: str) -> None:
    """Nothing is held under a code that cannot be anybody's: most likely a slip of the finger."""
    form = CitizenNumber if len(person) == 18 and person[:1] != "9" else CreditCode
    try:
        form.parse(person)
    except MalformedInput as exc:
        raise MalformedInput(
            "person", f"nothing is held under this code, and it is mistyped: {exc.detail}"
        ) from exc


def _things(file: Path) -> list[tuple[str, str]]:
    try:
        found = json.loads(read_file(file))
        return [(str(kind), str(key)) for kind, key in found]
    except (ValueError, TypeError, RecursionError) as exc:
        raise MalformedInput(str(file), "not a list that `person erased` wrote") from exc


def _registrar(place: Home, name: str) -> Actor:
    return staff(name, agency=place.settings.agency_code, roles=("registrar",))


def _show(console: Console, found: Erasure) -> None:
    rows = [(one.kind, one.key, "—") for one in found.going]
    rows += [(one.kind, one.key, one.why.in_language(console.language)) for one in found.staying]
    console.say(f"删除申请 {found.id}（{found.state}）", f"erasure {found.id} ({found.state})")
    console.table([("种类", "kind"), ("标识", "key"), ("须保存的原因", "why it stays")], rows)
    console.result(found.to_dict())


def _tell(console: Console, counts: dict[str, int]) -> None:
    said = "、".join(f"{kind} {count}" for kind, count in counts.items())
    console.say(f"已清除：{said or '无'}", f"erased: {said.replace('、', ', ') or 'nothing'}")
    console.result(counts)


def _write_pages(place: Home, folder: Path, found: dict[str, Any]) -> int:
    store, count = wiring.documents(place), 0
    for digest in sorted({name for one in found["held"] for name in one["documents"]}):
        try:
            write_new_file(folder / f"{digest[:16]}.pdf", store.get(digest), mode=PRIVATE)
            count += 1
        except NotFound:
            continue
    return count
