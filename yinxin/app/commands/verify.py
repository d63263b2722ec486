"""`yinxin verify FILE…`: PDFs, credentials (SD-JWT VC) and receipts that a user brings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from yinxin.app.commands.options import Moment, home_option
from yinxin.app.console import console_of, exit_code
from yinxin.app.examine import Examiner
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime

_HELP = phrase(
    "核验文件：PDF、SD-JWT 凭证或核验回执。\n\n信任锚取自 --trust 目录或安装目录；不访问网络，不改动文件。",
    "Verify files: PDFs, SD-JWT credentials or receipts.\n\nTrust comes from --trust or from the installation; "
    "nothing is fetched and no file is changed.",
)


@click.command(help=_HELP)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--trust",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("信任锚目录（PEM）", "folder of trust anchors (PEM)"),
)
@click.option(
    "--crl",
    "crls",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("吊销列表文件，可多次给出", "a CRL file; may be given again"),
)
@click.option(
    "--at", type=Moment(), help=phrase("按此时刻回答（默认现在）", "answer for this time (now by default)")
)
@home_option(required=False)
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    trust: Path | None,
    crls: tuple[Path, ...],
    at: datetime | None,
    home: str | None,
) -> int:
    """Print one report for each file; exit 0 when all passed, 1 when one failed, 3 when one is open."""
    console = console_of(context)
    place = Home.open(home) if home else None
    examiner = Examiner.of(trust, crls, home=place, clock=SystemClock())
    reports = []
    answers = []
    for file in files:
        report = examiner.examine(file, at=at)
        reports.append(report)
        answers.append({"file": str(file), **report.to_dict()})
        console.report(str(file), report)
    console.result({"reports": answers})
    return exit_code(reports)
