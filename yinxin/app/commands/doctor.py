"""`yinxin doctor`."""

from __future__ import annotations

import click
from rich.text import Text as RichText

from yinxin.app.commands.options import home_option, passphrase_option, read_passphrase
from yinxin.app.console import ExitCode, console_of
from yinxin.app.doctor import State, examine
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock

_MARKS = {State.GOOD: ("✓", "green"), State.NOTE: ("·", "yellow"), State.FAULT: ("✗", "red")}


@click.command(
    help=phrase(
        "检查版本、可选部件、导入名冲突、数据库和密钥。",
        "Examine versions, optional parts, name clashes, the database and the keys.",
    )
)
@home_option(required=False)
@passphrase_option
@click.pass_context
def command(context: click.Context, home: str | None, passphrase_file: str | None) -> int:
    """Print what was found; exit 1 when something is at fault."""
    console = console_of(context)
    passphrase = read_passphrase(passphrase_file, required=False)
    place = Home.open(home, passphrase=passphrase) if home else None
    findings = examine(place, clock=SystemClock(), passphrase=passphrase)
    rows = [
        (
            RichText(_MARKS[found.state][0], style=_MARKS[found.state][1]),
            found.subject,
            found.says.in_language(console.language),
        )
        for found in findings
    ]
    console.table([("", ""), ("项目", "what"), ("情况", "finding")], rows)
    console.result({"findings": [found.to_dict() for found in findings]})
    faults = sum(found.state is State.FAULT for found in findings)
    if not faults:
        console.say("一切正常", "Everything is in order")
        return ExitCode.DONE
    console.say(f"发现 {faults} 处问题", f"{faults} fault(s) found")
    return ExitCode.FAILED
