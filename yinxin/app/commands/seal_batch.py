"""`yinxin seal batch DIR` (also `yinxin seal --batch DIR`): seal a folder; `yinxin seal state DIR`: how far it is."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signing.pdf.profiles.commitment import COMMITMENTS
from yinxin.app.commands.options import (
    actor_option,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.commands.seal_options import (
    face_option,
    invisible_option,
    page_option,
    place_option,
    private_option,
    signer_option,
    tsa_option,
)
from yinxin.app.commands.seal_tools import face_in, home_at, leave_of, own_face
from yinxin.app.console import ExitCode, console_of
from yinxin.app.phrases import phrase
from yinxin.app.seal_batches import Batch, Book, Key, Order, State, Tally
from yinxin.app.seal_batches.profile import KINDS, SEAL, Profile
from yinxin.base.clock import SystemClock, pause
from yinxin.base.errors import NotFound, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from signing.pdf import SealFace
    from yinxin.app.console import Console
    from yinxin.app.home import Home
    from yinxin.app.seal_batches import Entry

_HELP = phrase(
    "为目录中的全部 PDF（含子目录）盖章，写入另一目录；每个文件旁边有一份报告。\n\n中断后再次运行即从断点继续，"
    "不会重复盖章。加 --stamp-within 则先盖章，时间戳随后在限定分钟内补上；yinxin seal state 可查看进度。",
    "Seal every PDF of a folder and below into another folder, with a report beside each.\n\nRun it again after "
    "a stop: it goes on where it was, and seals nothing twice. With --stamp-within the seal comes first and the "
    "time-stamp follows within that time; `yinxin seal state` shows how far it is.",
)
_STATES = {
    State.REFUSED: ("未能盖章", "refused"),
    State.SEALED: ("已盖章", "sealed"),
    State.WAITING: ("待加盖时间戳", "waiting for their time-stamp"),
    State.STAMPED: ("已盖章并加时间戳", "sealed and stamped"),
}


@click.command("batch", help=_HELP)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase(
        "存放已盖章文件的目录（默认 原目录.sealed）", "where sealed files go (DIR.sealed by default)"
    ),
)
@signer_option
@face_option
@invisible_option
@page_option
@place_option
@click.option("--reason", help=phrase("盖章事由", "why they are sealed"))
@click.option(
    "--faces",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help=phrase(
        "每个文件各用一个印模：目录中与其同名的 .png",
        "a face for each file: the .png of its name in this folder",
    ),
)
@click.option(
    "--profile",
    "kind",
    type=click.Choice(KINDS),
    default=SEAL,
    show_default=True,
    help=phrase(
        "签署种类，同名命令见 yinxin seal certify、sign",
        "what kind of signature, as of the commands `yinxin seal certify` and `sign`",
    ),
)
@click.option("--straddle", is_flag=True, help=phrase("加盖骑缝章", "a straddle seal across all pages"))
@click.option("--final", is_flag=True, help=phrase("盖章后不得再改动或签署", "nothing may follow"))
@click.option(
    "--commitment", type=click.Choice([*COMMITMENTS]), help=phrase("承诺类型", "what the signer commits to")
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    help=phrase("签署人自称的身份；可重复", "a role that the signer claims; may be given again"),
)
@tsa_option
@click.option(
    "--stamp-within",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help=phrase(
        "先盖章，时间戳在这么多分钟内补上", "seal now; the time-stamp follows within so many minutes"
    ),
)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    help=phrase("进程数（默认为处理器数）", "how many processes (as many as processors by default)"),
)
@private_option
@actor_option("clerk")
@home_option(required=False)
@passphrase_option
@click.pass_context
def batch(context: click.Context, /, folder: Path, output: Path | None, **asked: Any) -> int:
    """Seal them, and say how many are in which state."""
    console = console_of(context)
    key, home = asked["key"], asked["home"]
    if not key and not home:
        raise UsageError(phrase("请用 --home 或 --key 指明印章", "name a seal by --home or --key"))
    passphrase = read_passphrase(asked["passphrase_file"], required=not home)
    place = home_at(home, passphrase) if home else None
    where = Key(uri=key or "", home="" if key else home, secret=passphrase)
    signer = where.open()
    order = Order(
        where,
        face=None if asked["invisible"] else _face(None if key else place, asked),
        page=asked["page"],
        at=asked["at"],
        reason=asked["reason"],
        authorities=asked["tsas"],
        allow_private=_allowed(place, asked["allow_private"]),
        stamp_within=timedelta(minutes=asked["stamp_within"]) if asked["stamp_within"] else None,
        profile=Profile(
            asked["kind"], asked["straddle"], asked["final"], asked["commitment"], asked["roles"]
        ),
        faces=asked["faces"],
    )
    leave = leave_of(place, signer.chain, asked["actor"])
    more: dict[str, Any] = {"leave": leave} if leave else {}
    target = output or folder.with_name(f"{folder.resolve().name}.sealed")
    with console.progress("盖章", "sealing") as progress:
        work = Batch(
            folder, Book(target), order, signer, SystemClock(),
            processes=asked["processes"] or os.cpu_count() or 1,
            wait=pause,
            progress=progress,
            **more,
        )  # fmt: skip
        tally = work.run()
    console.say(f"已盖章的文件在 {target}", f"sealed files are in {target}")
    return _tell(console, Book(target), tally)


@click.command(
    "state",
    help=phrase(
        "查看一批文件的盖章进度：各状态数量、待加盖时间戳的文件及期限。",
        "How far a batch is: files by state, those that wait for their time-stamp and until when.",
    ),
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def state(context: click.Context, folder: Path) -> int:
    """Show the reports of a folder of sealed files."""
    book = Book(folder)
    if not book.is_begun:
        raise NotFound(f"no batch was begun in {folder}")
    tally = Tally.of(list(book.entries()), now=SystemClock().now())
    return _tell(console_of(context), book, tally)


def _tell(console: Console, book: Book, tally: Tally) -> int:
    now = SystemClock().now()
    open_ = [one for one in book.entries() if one.state in {State.WAITING, State.REFUSED}]
    columns = [("状态", "state"), ("文件数", "files")]
    rows = [[console.text(*_STATES[one]), count] for one, count in tally.states.items() if count]
    console.table(columns, rows)
    if open_:
        console.table(
            [("文件", "file"), ("说明", "says")], [[one.file, _says(console, one, now)] for one in open_]
        )
    console.result(
        {
            "folder": str(book.target),
            "states": {str(one): count for one, count in tally.states.items()},
            "overdue": tally.overdue,
            "open": [one.to_dict() for one in open_],
        }
    )
    return ExitCode.DONE if tally.is_done else ExitCode.FAILED


def _says(console: Console, entry: Entry, now: datetime) -> str:
    if entry.state is State.REFUSED:
        return f"{entry.error}: {entry.detail}"
    due = entry.due.astimezone().isoformat(timespec="seconds") if entry.due else ""
    if entry.is_overdue(now):
        return console.text(f"时间戳已逾期（{due}）", f"its time-stamp was due at {due}")
    return console.text(f"时间戳期限 {due}", f"its time-stamp is due at {due}")


def _face(place: Home | None, asked: dict[str, Any]) -> SealFace | None:
    """One face for all: the file that is named, or the home's; none where each file has its own."""
    shown = face_in(asked["face"])
    return own_face(place) if place and not shown and not asked["faces"] else shown


def _allowed(place: Home | None, named: tuple[str, ...]) -> tuple[str, ...]:
    if named or place is None:
        return named
    return tuple(place.settings.outbound_allowed_private)


COMMANDS = (batch, state)
