"""`yinxin seal expiring DIR`: which sealed PDFs lose their proof soon; with `--renew` they are stamped again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yinxin.app.commands.options import crl_option, home_option, policy_option, trust_option
from yinxin.app.commands.seal_options import private_option, tsa_option
from yinxin.app.commands.seal_tools import authorities, home_at
from yinxin.app.console import ExitCode, console_of
from yinxin.app.examine import Examiner
from yinxin.app.phrases import phrase
from yinxin.app.seal_batches.renewing import Renewal, look
from yinxin.base.clock import SystemClock
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from yinxin.app.console import Console
    from yinxin.app.seal_batches.renewing import Finding

DAYS_OF_A_MONTH = 30.4375
_HELP = phrase(
    "列出目录中（含子目录）即将失去证明力的已盖章 PDF：何时、因何到期。默认看今后十二个月。\n\n加 --renew 与 --tsa，"
    "则为其补存验证依据并重新加盖时间戳（PAdES B-LTA），写入 -o 所指目录；中断后再次运行即可继续。",
    "Sealed PDFs of a folder and below that lose their proof soon: when, and because of what. Twelve months "
    "by default.\n\nWith --renew and --tsa their evidence goes into them and they are stamped again (PAdES "
    "B-LTA), into the folder of -o; run it again after a stop, and it goes on.",
)


@click.command("expiring", help=_HELP)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--months",
    type=click.IntRange(0, 1200),
    default=12,
    show_default=True,
    help=phrase("看今后多少个月", "how many months ahead"),
)
@click.option(
    "--renew", is_flag=True, help=phrase("为即将到期的文件重新加盖时间戳", "stamp those that end again")
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase(
        "存放续期后文件的目录（默认 原目录.renewed）", "where renewed files go (DIR.renewed by default)"
    ),
)
@tsa_option
@trust_option
@crl_option
@policy_option
@private_option
@home_option(required=False)
@click.pass_context
def expiring(context: click.Context, /, folder: Path, **asked: Any) -> int:
    """List them, and renew them where that is asked for."""
    console = console_of(context)
    if asked["renew"] and not asked["tsas"]:
        raise UsageError(
            phrase("续期需用 --tsa 指明时间戳服务", "renewing needs a time-stamp authority (--tsa)")
        )
    place = home_at(asked["home"]) if asked["home"] else None
    stands_on = Examiner.of(
        asked["trust"], asked["crls"], home=place, clock=SystemClock(), policy=asked["policy"]
    )
    now, known = stands_on.clock.now(), stands_on.snapshots
    until = now + timedelta(days=asked["months"] * DAYS_OF_A_MONTH)
    with console.progress("检查", "looking") as progress:
        everything = look(folder, known, now=now, progress=progress)
    found = [one for one in everything if one.lasting is None or one.lasting.until <= until]
    if asked["renew"]:
        target = asked["output"] or folder.with_name(f"{folder.resolve().name}.renewed")
        timestamper = authorities(place, asked["tsas"], asked["allow_private"])
        with console.progress("续期", "renewing") as progress:
            work = Renewal(folder, target, known, timestamper, now)
            found = work.run(found, progress=progress)
    _tell(console, found, until, len(everything))
    return ExitCode.FAILED if any(one.fault for one in found) else ExitCode.DONE


def _tell(console: Console, found: list[Finding], until: datetime, looked_at: int) -> None:
    day = until.date().isoformat()
    console.say(
        f"共检查 {looked_at} 个文件，其中 {len(found)} 个至 {day} 将失去证明力或无法验证",
        f"{looked_at} files, of which {len(found)} lose their proof up to {day} or do not pass",
    )
    if found:
        columns = [("文件", "file"), ("证明力至", "provable until"), ("级别", "level"), ("说明", "says")]
        console.table(columns, [_row(console, one) for one in found])
    console.result(
        {"looked_at": looked_at, "until": until.isoformat(), "files": [one.to_dict() for one in found]}
    )


def _row(console: Console, one: Finding) -> list[str]:
    lasting = one.lasting
    says = one.fault or (lasting.ends if lasting else "")
    if one.renewed:
        says = console.text(f"已续期：{one.renewed}", f"renewed: {one.renewed}")
    return [
        one.file,
        lasting.until.date().isoformat() if lasting else "",
        str(lasting.level) if lasting else "",
        says,
    ]


COMMANDS = (expiring,)
