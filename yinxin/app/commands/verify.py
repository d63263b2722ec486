"""`yinxin verify FILE… --qr CODE`: PDFs, credentials (SD-JWT VC, mdoc), receipts and printed codes that a user brings.

`--archive` keeps a decision with all that it stands on, `--replay` makes an archived one again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yinxin.app.commands.options import (
    Moment,
    crl_option,
    home_option,
    passphrase_option,
    policy_option,
    read_passphrase,
    trust_option,
)
from yinxin.app.console import ExitCode, console_of, exit_code
from yinxin.app.examine import Demand, Examiner, Exhibit
from yinxin.app.examine_code import CodeExaminer, Sources
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.rounds import evidence_for
from yinxin.app.trust_lists import serving_list
from yinxin.base.clock import SystemClock
from yinxin.base.errors import NotFound
from yinxin.base.files import read_file, write_new_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signing.report import Report
    from signing.trust_list import ServingList
    from yinxin.app.console import Console

MAX_TRANSCRIPT_BYTES = 1 << 16
MOST_SHOWN = 60  # characters of a code's text; the rest says nothing to a person
_HELP = phrase(
    "核验文件：PDF、SD-JWT 或 mdoc 凭证、核验回执，或文件旁的签名（.p7s）；用 --qr 核验纸质证照上的二维码。用 --archive 将结论连同全部依据归档，用 --replay 重新核验已归档的结论。\n\n信任锚取自 --trust 目录或安装目录；不访问网络（除非用 --gather 先行收集），不改动文件。",
    "Verify files: PDFs, credentials (SD-JWT, mdoc), receipts, signatures beside a file (.p7s); with --qr codes printed on "
    "licences. --archive keeps a verdict with all that it stands on, --replay makes an archived one again."
    "\n\nTrust comes from --trust or from the installation; "
    "nothing is fetched (unless --gather says so, beforehand) and no file is changed.",
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
@trust_option
@click.option(
    "--trust-list",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "信任列表文件：其信任锚一并采用，签发权限以其为准",
        "a trust list: its anchors count too, and it says who may issue what",
    ),
)
@click.option(
    "--trust-list-root",
    "trust_roots",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "信任列表的根文件（已核对指纹）；其后各版根文件可依次再给",
        "the list's root, compared before; give those after it in their order",
    ),
)
@crl_option
@click.option(
    "--gather",
    "gathers",
    is_flag=True,
    help=phrase(
        "核验前先联网收集文件中证书所指的吊销数据和上级证书",
        "before verifying, fetch the revocation data and issuers that the files' certificates name",
    ),
)
@click.option(
    "--gathered",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("yinxin gather 收集的数据所在目录", "a folder that `yinxin gather` gathered into"),
)
@policy_option
@click.option(
    "--archive",
    type=click.Path(path_type=Path),
    help=phrase(
        "把结论及其全部依据归档到此目录或 .zip 文件（一次一个文件）",
        "keep the verdict with all that it stands on in this folder or .zip file (one file at a time)",
    ),
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "另存一份可打印的验证报告网页（一次一个文件）",
        "also write the report as a page to print (one file at a time)",
    ),
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    help=phrase(
        "重新核验已归档的结论：归档目录、.zip 文件或其中的 decision.json",
        "make an archived verdict again: its folder, its .zip file, or the decision.json",
    ),
)
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    help=phrase(
        "与 --replay 同用：依据所在的目录或 .zip 文件（默认与结论同处）",
        "with --replay: where the inputs lie, a folder or a .zip file (beside the verdict by default)",
    ),
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
@click.option(
    "--audience",
    help=phrase(
        "出示须针对的核验方（与 --nonce 同用；SD-JWT VC）：持有人须证明持有密钥",
        "whom the presentation must name (SD-JWT VC, with --nonce): its holder proves to have the key",
    ),
)
@click.option(
    "--nonce",
    help=phrase("出示须针对的随机数（SD-JWT VC）", "the nonce that it must answer to (SD-JWT VC)"),
)
@click.option(
    "--transcript",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "mdoc 出示时会话的 SessionTranscript（CBOR 文件）：设备须对其签名",
        "the session's transcript (SessionTranscript in CBOR) that the device of an mdoc must have signed",
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
    trust_list: Path | None,
    trust_roots: tuple[Path, ...],
    crls: tuple[Path, ...],
    gathers: bool,
    gathered: Path | None,
    policy: Path | None,
    archive: Path | None,
    page: Path | None,
    replay: Path | None,
    inputs: Path | None,
    at: datetime | None,
    issuers: Path | None,
    addresses: tuple[str, ...],
    audience: str | None,
    nonce: str | None,
    transcript: Path | None,
    home: str | None,
    passphrase_file: str | None,
) -> int:
    """Print one report for each file and code; exit 0 when all passed, 1 when one failed, 3 when one is open."""
    if replay:
        _check_alone(*files, *codes, audience, nonce, transcript)
        return _replay(context, replay, inputs, page)
    _check_options(files, codes, alone=bool(archive or page), inputs=inputs)
    demand = _demand(files, codes, audience, nonce, transcript, archive)
    console = console_of(context)
    # The register's rows are sealed: who asks with a home has its passphrase.
    passphrase = read_passphrase(passphrase_file, required=False) if home else None
    place = Home.open(home, passphrase=passphrase) if home else None
    listed = _listed(trust_list, trust_roots)
    reports: list[Report[Any]] = []
    answers = []
    if files:
        beside = evidence_for(files, gathers=gathers, folder=gathered, home=place, trust=trust)
        examiner = Examiner.of(
            trust, crls, home=place, clock=SystemClock(), policy=policy, gathered=beside, listed=listed
        )
    for file in files:
        report = (
            _keep(console, examiner, file, at, archive)
            if archive
            else examiner.examine(file, at=at, demand=demand)
        )
        reports.append(report)
        if page:
            _write_page(console, page, file.name, report)
        console.report(str(file), report)
        answers.append({"file": str(file), **report.to_dict(), **_slip(console, place, report)})
    if codes:
        sources = Sources(trust, crls, issuers, addresses, listed)
        for code, report in _examine_codes(codes, sources, console, home=place, at=at):
            reports.append(report)
            answers.append({"qr": code, **report.to_dict()})
    console.result({"reports": answers})
    return exit_code(reports)


def _check_options(
    files: tuple[Path, ...], codes: tuple[str, ...], *, alone: bool, inputs: Path | None
) -> None:
    """Refuse options that do not go together; `alone` where one file at a time is taken."""
    if inputs:
        raise click.UsageError(phrase("--inputs 与 --replay 同用", "--inputs goes with --replay"))
    if alone and (len(files) != 1 or codes):
        raise click.UsageError(
            phrase("--archive 和 --page 一次用于一个文件", "--archive and --page take one file at a time")
        )
    if not files and not codes:
        raise click.UsageError(phrase("请给出文件，或用 --qr 给出二维码", "name a file, or a code with --qr"))


def _check_alone(*beside: object) -> None:
    """Refuse what an archived verdict does not look at: nobody is to think that it was asked."""
    if any(one is not None for one in beside):
        raise click.UsageError(
            phrase(
                "--replay 只重做已归档的核验，不与文件、--qr、--audience、--nonce 或 --transcript 同用",
                "--replay makes an archived verdict again: it takes no file, --qr, --audience, --nonce or "
                "--transcript",
            )
        )


def _demand(
    files: tuple[Path, ...],
    codes: tuple[str, ...],
    audience: str | None,
    nonce: str | None,
    transcript: Path | None,
    archive: Path | None,
) -> Demand | None:
    """Whom the one presentation must have been made for; None where nothing is demanded."""
    if audience is None and nonce is None and transcript is None:
        return None
    if len(files) != 1 or codes or archive:
        raise click.UsageError(
            phrase(
                "--audience、--nonce 和 --transcript 一次用于一个出示文件，且不与 --archive 同用",
                "--audience, --nonce and --transcript take one presentation at a time, and no --archive",
            )
        )
    return Demand(audience, nonce, read_file(transcript, limit=MAX_TRANSCRIPT_BYTES) if transcript else None)


def _listed(file: Path | None, roots: tuple[Path, ...]) -> ServingList | None:
    """The trust list that was named; a bad one is an error, and no verdict without it."""
    if file is None:
        return None
    if not roots:
        raise click.UsageError(
            phrase("--trust-list 须与 --trust-list-root 同用", "--trust-list needs --trust-list-root")
        )
    return serving_list(file, roots[0], next_roots=roots[1:], now=SystemClock().now())


def _keep(console: Console, examiner: Examiner, file: Path, at: datetime | None, place: Path) -> Report[Any]:
    """Examine a file and archive the decision."""
    from yinxin.app.decisions import archive, decision  # noqa: PLC0415 - few ask for it

    report, made = decision.decide(examiner, Exhibit.of(file), at=at)
    archive.write(place, made)
    console.note(f"已归档至 {place}", f"archived in {place}")
    return report


def _replay(context: click.Context, place: Path, inputs: Path | None, page: Path | None) -> int:
    """Make an archived decision again: exit 0 when the same came out, 1 when not, 3 when an input is missing."""
    from yinxin.app.decisions import archive, decision  # noqa: PLC0415 - few ask for it

    console = console_of(context)
    try:
        kept = archive.read(place, inputs=inputs)
        outcome = decision.replay(kept)
    except NotFound as error:
        console.error(error)
        return ExitCode.INDETERMINATE
    report = outcome.report
    console.report(str(place), report)
    if page:
        _write_page(console, page, str(kept.record["question"]["name"]), report)
    if outcome.is_same:
        console.say("结论与归档时完全相同", "the same verdict came out, byte for byte")
    else:
        console.say(
            f"结论与归档时不同：{'、'.join(outcome.differs)}",
            f"another verdict came out: {', '.join(outcome.differs)}",
        )
    console.result({"same": outcome.is_same, "differs": list(outcome.differs), "report": report.to_dict()})
    return ExitCode.DONE if outcome.is_same else ExitCode.FAILED


def _write_page(console: Console, page: Path, name: str, report: Report[Any]) -> None:
    from yinxin.app.report_page import report_page  # noqa: PLC0415 - it brings the templates

    write_new_file(page, report_page(name, report, language=console.language).encode())
    console.note(f"报告页已写入 {page}", f"the page is in {page}")


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
