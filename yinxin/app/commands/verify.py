"""`yinxin verify FILE… --qr CODE`: PDFs, credentials (SD-JWT VC), receipts and printed codes that a user brings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yinxin.app.commands.options import Moment, home_option, passphrase_option, read_passphrase
from yinxin.app.console import console_of, exit_code
from yinxin.app.examine import Examiner
from yinxin.app.examine_code import CodeExaminer, Sources
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signing.report import Report
    from yinxin.app.console import Console

MOST_SHOWN = 60  # characters of a code's text; the rest says nothing to a person
_HELP = phrase(
    "核验文件：PDF、SD-JWT 凭证、核验回执，或文件旁的签名（.p7s）；用 --qr 核验纸质证照上的二维码。\n\n信任锚取自 --trust 目录或安装目录；不访问网络，不改动文件。",
    "Verify files: PDFs, SD-JWT credentials, receipts, signatures beside a file (.p7s); with --qr codes printed on "
    "licences.\n\nTrust comes from --trust or from the installation; "
    "nothing is fetched and no file is changed.",
)


@click.command(help=_HELP)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--qr",
    "codes",
    multiple=True,
    metavar="TEXT|IMAGE",
    help=phrase(
        "核验纸质证照上的二维码：其文本，或含有它的 PNG、JPEG 图片；可多次给出",
        "verify the code printed on a licence: its text, or a PNG or JPEG picture of it; may be given again",
    ),
)
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
@click.option(
    "--issuers",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "二维码签发机关列表（核验服务 /v1/credential-issuers 的内容）",
        "whose codes count: the list that a verification service publishes at /v1/credential-issuers",
    ),
)
@click.option(
    "--address",
    "addresses",
    multiple=True,
    help=phrase(
        "可信的二维码网址，如 https://verify.city.example/q，可多次给出",
        "an address that codes may lead to, like https://verify.city.example/q; may be given again",
    ),
)
@home_option(required=False)
@passphrase_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    codes: tuple[str, ...],
    trust: Path | None,
    crls: tuple[Path, ...],
    at: datetime | None,
    issuers: Path | None,
    addresses: tuple[str, ...],
    home: str | None,
    passphrase_file: str | None,
) -> int:
    """Print one report for each file and code; exit 0 when all passed, 1 when one failed, 3 when one is open."""
    if not files and not codes:
        raise click.UsageError(phrase("请给出文件，或用 --qr 给出二维码", "name a file, or a code with --qr"))
    console = console_of(context)
    # The register's rows are sealed: who asks with a home has its passphrase.
    passphrase = read_passphrase(passphrase_file, required=False) if home else None
    place = Home.open(home, passphrase=passphrase) if home else None
    reports: list[Report[Any]] = []
    answers = []
    if files:
        examiner = Examiner.of(trust, crls, home=place, clock=SystemClock())
    for file in files:
        report = examiner.examine(file, at=at)
        reports.append(report)
        console.report(str(file), report)
        answers.append({"file": str(file), **report.to_dict(), **_slip(console, place, report)})
    if codes:
        sources = Sources(trust, crls, issuers, addresses)
        for code, report in _examine_codes(codes, sources, console, home=place, at=at):
            reports.append(report)
            answers.append({"qr": code, **report.to_dict()})
    console.result({"reports": answers})
    return exit_code(reports)


def _examine_codes(
    codes: tuple[str, ...], sources: Sources, console: Console, *, home: Home | None, at: datetime | None
) -> Iterator[tuple[str, Report[Any]]]:
    examiner = CodeExaminer.of(sources, home=home, clock=SystemClock())
    for code in codes:
        name = code if len(code) <= MOST_SHOWN else f"{code[:MOST_SHOWN]}…"
        for report in examiner.examine(code, at=at):
            console.report(name, report)
            facts = examiner.facts(report)
            rows = [tuple(text.in_language(console.language) for text in row) for row in facts]
            if rows:
                console.table([("项目", "item"), ("请与纸面核对", "compare with the paper")], rows)
            yield name, report


def _slip(console: Console, place: Home | None, report: Report[Any]) -> dict[str, Any]:
    """The slip of a verdict that is not `passed`, where a home with its keys was asked."""
    if place is None or not place.has_passphrase or report.passed:
        return {}
    from yinxin.app import slips  # noqa: PLC0415 - it brings the services

    found = slips.slip_of_report(place, report)
    slips.say_slip(console, found)
    return {"slip": found.to_dict()}
