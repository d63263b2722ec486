"""`yinxin serve --role …`."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import click

from yinxin.app.commands.options import home_option, passphrase_option, read_passphrase
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.serve import ROLES, running

if TYPE_CHECKING:
    from types import FrameType

_HELP = phrase(
    "启动服务。每个角色应各用一个进程和网址；SQLite 只允许一个服务进程，可同时给出多个 --role（仅供开发）。",
    "Run services. Each role should have its own process and origin; SQLite serves one process, which may take "
    "several roles (for development).",
)


@click.command(help=_HELP)
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(sorted(ROLES)),
    help=phrase("角色，可多次给出", "the role; may be given again"),
)
@home_option()
@passphrase_option
@click.pass_context
def command(context: click.Context, roles: tuple[str, ...], home: str, passphrase_file: str | None) -> int:
    """Serve until interrupted."""
    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, end)
    with running(place, roles):
        for role in roles:
            url = ROLES[role].url(place)
            console.say(f"{role} 已启动：{url}", f"{role} serves {url}")
        console.result({"serving": {role: ROLES[role].url(place) for role in roles}})
        while not stop.wait(0.5):
            pass
    return ExitCode.DONE
