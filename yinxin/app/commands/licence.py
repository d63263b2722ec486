"""`yinxin licence types | issue | show`; what becomes of one: `licence_events`, `licence_versions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from credentials.catalogue import Catalogue
from credentials.licence import KIND_NAMES, agency_day
from credentials.repository import LicenceRepository
from verify_api.register import RepositoryRegister
from yinxin.app import wiring
from yinxin.app.commands import licence_events, licence_versions
from yinxin.app.commands.licence_events import open_for_change
from yinxin.app.commands.offer import offer
from yinxin.app.commands.options import (
    Moment,
    actor_option,
    clerk_of,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.actor import system
from yinxin.base.files import PRIVATE, read_file, write_new_file

if TYPE_CHECKING:
    from datetime import datetime


@click.group(
    "licence",
    help=phrase("电子证照：目录、签发、查询、状态变更。", "Licences: catalogue, issue, look up, change."),
)
def command() -> None:
    """Group."""


command.add_command(offer)
for one in (*licence_events.COMMANDS, *licence_versions.COMMANDS):
    command.add_command(one)


@command.command(
    "types",
    help=phrase("列出证照目录；给出类型则列出其字段。", "List the catalogue, or the fields of one type."),
)
@click.argument("code", required=False)
@click.option(
    "--catalogue",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("证照目录文件夹", "folder of the catalogue"),
)
@click.pass_context
def types(context: click.Context, code: str | None, catalogue: Path | None) -> int:
    """A table of types, or of the fields of one."""
    console = console_of(context)
    found = Catalogue.load(catalogue)
    if code:
        kind = found[code]
        rows = [
            (field.name, field.label.zh, field.label.en, str(field.kind), str(field.disclosure))
            for field in kind.fields
        ]
        columns = [
            ("字段", "field"),
            ("中文", "Chinese"),
            ("英文", "English"),
            ("类型", "kind"),
            ("披露", "disclosure"),
        ]
    else:
        rows = [(kind.code, kind.name.zh, kind.name.en, kind.number, str(len(kind.fields))) for kind in found]
        columns = [
            ("类型", "type"),
            ("名称", "Chinese"),
            ("英文名称", "English"),
            ("类型代码", "type code"),
            ("字段数", "fields"),
        ]
    console.table(columns, rows)
    console.result([dict(zip((en for _, en in columns), row, strict=True)) for row in rows])
    return ExitCode.DONE


@command.command(
    "issue",
    help=phrase(
        "按申请表（CSV）批量签发；有误的行逐项报告，其余照常签发。",
        "Issue from a CSV of applications; faulty rows are reported, the rest is issued.",
    ),
)
@click.argument("applications", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--type",
    "type_code",
    help=phrase(
        "全部行的证照类型（否则看“证照类型”列）", "the type of all rows (else the column `type` says it)"
    ),
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("证照文件输出目录", "folder for the licences"),
)
@click.option(
    "--resume",
    is_flag=True,
    help=phrase(
        "继续签发此前中断的同一份申请表；已签发的行不会重复",
        "go on with a file that was begun before; no row leads to a second licence",
    ),
)
@click.option(
    "--processes",
    type=click.IntRange(0, 64),
    default=0,
    help=phrase("排版使用的进程数（默认不另起进程）", "set pages in so many processes (none by default)"),
)
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def issue(
    context: click.Context,
    applications: Path,
    type_code: str | None,
    output: Path,
    resume: bool,
    processes: int,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """Write one PDF for each licence; exit 1 when a row was faulty."""
    console = console_of(context)
    place = open_for_change(home, passphrase_file)
    issuer = wiring.issuer(place)
    output.mkdir(parents=True, exist_ok=True)
    data = read_file(applications)

    def write(identifier: str, pdf: bytes) -> None:
        write_new_file(output / f"{identifier}.pdf", pdf, mode=PRIVATE)

    with console.progress("签发", "issuing") as show:
        result = issuer.issue_rows(
            data,
            actor=clerk_of(place, actor),
            type_code=type_code,
            progress=show,
            each=lambda made: write(made.licence.identifier, made.pdf),
            processes=processes,
            resume=resume,
        )
    for one in result.before:
        if not (output / f"{one.licence}.pdf").exists():
            write(one.licence, issuer.document(one.licence))
    faults = [
        (fault.row, fault.column, fault.reason.in_language(console.language)) for fault in result.faults
    ]
    console.table([("行", "row"), ("列", "column"), ("原因", "reason")], faults)
    console.say(
        f"签发 {len(result.issued)} 件，此前已签发 {len(result.before)} 件，{len({row for row, *_ in faults})} 行有误",
        f"{len(result.issued)} issued, {len(result.before)} issued before, {len({row for row, *_ in faults})} rows faulty",
    )
    console.result(
        {
            "batch": result.batch,
            "issued": [made.licence.identifier for made in result.issued],
            "before": [one.licence for one in result.before],
            "faults": [
                {"row": fault.row, "column": fault.column, "reason": fault.reason.to_dict()}
                for fault in result.faults
            ],
        }
    )
    return ExitCode.FAILED if faults else ExitCode.DONE


@command.command(
    "show",
    help=phrase(
        "查询一件证照：内容、事件、在某时刻的状态。", "Show a licence: its data, its events, how it stood."
    ),
)
@click.argument("identifier")
@click.option("--as-of", type=Moment(), help=phrase("询问的时刻", "the moment asked about"))
@click.option("--known-at", type=Moment(), help=phrase("以何时所知为准", "by what was known then"))
@home_option()
@passphrase_option
@click.pass_context
def show(
    context: click.Context,
    identifier: str,
    as_of: datetime | None,
    known_at: datetime | None,
    home: str,
    passphrase_file: str | None,
) -> int:
    """The licence as the register knows it."""
    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    now = place.clock.now()
    with place.database.reading() as session:
        licences = LicenceRepository(session)
        licence = wiring.reading(place).licence(identifier, actor=system("command line"))
        events = licences.events(licence.identifier)
    entry = RepositoryRegister(place.database).find(licence.identifier)
    assert entry and entry.named  # noqa: S101, PT018 - it was just read, and licences are never deleted
    state = entry.standing(entry.named, as_of=as_of or now, known_at=known_at or now)
    console.table([("项目", "item"), ("内容", "value")], _flat("", licence.to_dict()))
    for event in events:
        console.say(
            f"{agency_day(event.effective_from)} {KIND_NAMES[event.kind].zh} {event.document_number}：{event.ground}",
            f"{agency_day(event.effective_from)} {KIND_NAMES[event.kind].en} {event.document_number}: {event.ground}",
        )
    console.say(f"状态：{state.text.zh}", f"state: {state.text.en}")
    if promised := state.commitment_text:
        console.say(promised.zh, promised.en)
    console.result({**licence.to_dict(), "state": str(state.state), "says": state.text.to_dict()})
    return ExitCode.DONE


def _flat(path: str, value: object) -> list[tuple[str, str]]:
    """Nested values as rows: what is inside another is named by its path."""
    if isinstance(value, dict):
        return [row for name, inner in value.items() for row in _flat(f"{path}.{name}".lstrip("."), inner)]
    if isinstance(value, list | tuple):
        return [(path, "；".join(map(str, value)))]
    return [(path, "–" if value is None else str(value))]
