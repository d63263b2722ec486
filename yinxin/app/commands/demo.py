"""`yinxin demo`."""

from __future__ import annotations

from pathlib import Path

import click

from signing.report import Indication
from yinxin.app.console import ExitCode, console_of
from yinxin.app.demo import play
from yinxin.app.phrases import phrase
from yinxin.base.errors import Conflict

_HELP = phrase(
    "在一个新目录里走一遍全过程：建立机构、签发证照、盖章、持有、核验、吊销。",
    "Run the whole story in a new folder: set up, issue, seal, hold, verify, revoke.",
)


@click.command(help=_HELP)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("yinxin-demo"),
    show_default=True,
    help=phrase("存放一切的新目录", "the new folder that holds everything"),
)
@click.pass_context
def command(context: click.Context, directory: Path) -> int:
    """Play the demo and print the closing table."""
    console = console_of(context)
    if directory.exists() and any(directory.iterdir()):
        raise Conflict(f"{directory} is not empty; name another folder with --directory, or remove it")
    cast, chapters = play(directory, console)
    rows = [
        (
            told.what.in_language(console.language),
            console.verdict(told.answer) if isinstance(told.answer, Indication) else told.answer,
            told.why,
        )
        for told in cast.told
    ]
    console.table([("事项", "what"), ("结果", "answer"), ("原因或内容", "reason or content")], rows)
    seconds = sum(chapter.seconds for chapter in chapters)
    console.say(
        f"用时 {seconds:.1f} 秒。文件在 {directory}：先看 licences/ 里的证照。",
        f"{seconds:.1f} s. Everything is in {directory}; look at the licences in licences/ first.",
    )
    console.result(
        {
            "directory": str(directory),
            "chapters": [{"title": one.title.to_dict(), "seconds": one.seconds} for one in chapters],
            "told": [{"what": one.what.to_dict(), "answer": one.answer, "why": one.why} for one in cast.told],
        }
    )
    return ExitCode.DONE
