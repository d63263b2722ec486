"""`yinxin seal stamp FILE`: keep a sealed document provable, with its evidence and a new time-stamp over all.

With `--level B-LT` the evidence alone is put in, which asks no time-stamp authority.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signing import detached, pdf
from yinxin.app.commands.options import crl_option, home_option, policy_option, trust_option
from yinxin.app.commands.seal_options import private_option
from yinxin.app.commands.seal_tools import authorities
from yinxin.app.console import ExitCode, console_of
from yinxin.app.examine import Examiner
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.files import read_file, write_new_file

if TYPE_CHECKING:
    from signing.pdf.archive import StandsOn
    from signing.timestamp import Timestamper

_HELP = phrase(
    "为已盖章的 PDF 或旁签（.p7s）补存验证依据并整体加盖时间戳（PAdES、CAdES B-LTA），写入新文件。\n\n在最近一次时间戳的机构证书到期前再做一次，文件即可一直自证。--level B-LT 只补存依据，不加盖时间戳。依据取自 --trust 与 --crl，或安装目录。",
    "Put a sealed PDF's evidence, or that of a signature beside a file (.p7s), into it and stamp all of it "
    "(PAdES and CAdES B-LTA), into a new file.\n\nDone again before the authority of the newest time-stamp "
    "ends, the document stays provable by itself. --level B-LT puts the evidence in alone, without a stamp. "
    "Evidence is that of --trust and --crl, or of the installation.",
)


@click.command("stamp", help=_HELP)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "新文件（默认 原名.stamped.后缀；B-LT 为 原名.extended.后缀）",
        "the new file (NAME.stamped.SUFFIX by default; NAME.extended.SUFFIX for B-LT)",
    ),
)
@click.option(
    "--level",
    type=click.Choice(["B-LT", "B-LTA"]),
    default="B-LTA",
    show_default=True,
    help=phrase(
        "B-LT 只补存依据；B-LTA 再整体加盖时间戳",
        "B-LT: the evidence alone; B-LTA: and a time-stamp over all",
    ),
)
@click.option(
    "--tsa",
    "tsas",
    multiple=True,
    help=phrase(
        "时间戳服务 URL（B-LTA 必填）；可重复，前一个不可用时依次改用后一个",
        "URL of a time-stamp authority (B-LTA needs one); again for others, asked in order when one fails",
    ),
)
@trust_option
@crl_option
@policy_option
@private_option
@home_option(required=False)
@click.pass_context
def stamp(
    context: click.Context,
    file: Path,
    output: Path | None,
    level: str,
    tsas: tuple[str, ...],
    trust: Path | None,
    crls: tuple[Path, ...],
    policy: Path | None,
    allow_private: tuple[str, ...],
    home: str | None,
) -> int:
    """Write the stamped copy and say where it is."""
    console, stamps = console_of(context), level == "B-LTA"
    if stamps and not tsas:
        raise UsageError("--level B-LTA wants --tsa URL, the time-stamp authority")
    place = Home.open(home) if home else None
    stands_on = Examiner.of(trust, crls, home=place, clock=SystemClock(), policy=policy)
    name = "stamped" if stamps else "extended"
    target = output or file.with_name(f"{file.stem}.{name}{file.suffix}")
    _keep(file, target, stands_on, authorities(place, tsas, allow_private) if stamps else None)
    console.say(f"已{'加盖时间戳' if stamps else '补存验证依据'}：{target}", f"{name}: {target}")
    console.result({name: str(target), "bytes": target.stat().st_size})
    return ExitCode.DONE


def _keep(file: Path, target: Path, stands_on: Examiner, timestamper: Timestamper | None) -> None:
    """With its evidence, and stamped where there is an authority."""
    known = stands_on.snapshots
    asked: StandsOn = {"revocation": known.revocation, "policy": known.policy, "now": stands_on.clock.now()}
    if not _is_cms(file):
        if timestamper is None:
            pdf.extend_file(file, target, known.trust, **asked)
        else:
            pdf.archive_file(file, target, known.trust, timestamper=timestamper, **asked)
        return
    data, signed = read_file(file), file.with_suffix("")
    # What is signed lies beside it, or is carried inside.
    with signed.open("rb") if file.suffix == ".p7s" and signed.is_file() else nullcontext() as content:
        if timestamper is None:
            made = detached.extend(data, content, known.trust, **asked)
        else:
            made = detached.archive(data, content, known.trust, timestamper=timestamper, **asked)
    write_new_file(target, made)


def _is_cms(file: Path) -> bool:
    """Whether a file begins as a signature that lies beside another file does."""
    try:
        with file.open("rb") as opened:
            return opened.read(1) == b"\x30"
    except (OSError, ValueError) as exc:
        raise NotFound(f"{file} cannot be read") from exc


COMMANDS = (stamp,)
