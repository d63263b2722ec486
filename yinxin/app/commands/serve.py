"""`yinxin serve --role …`."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from yinxin.app.commands.options import home_option, passphrase_option, read_passphrase
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.serve import ROLES, require_parts, running
from yinxin.app.supervisor import MAX_WORKERS, Supervisor

if TYPE_CHECKING:
    from types import FrameType

    from yinxin.app.wiring import Stage

_HELP = phrase(
    "启动服务。每个角色应各用一个网址；--workers 让每个角色有多个进程（需要 PostgreSQL）。SQLite 只允许一个"
    "服务进程，可同时给出多个 --role（仅供开发）。SIGTERM：处理完已收到的请求后停止；SIGHUP：立即刷新吊销与状态。",
    "Run services. Each role should have its own origin; --workers gives each role several processes (PostgreSQL "
    "only). SQLite serves one process, which may take several roles (for development). SIGTERM ends it when the "
    "requests at hand are answered; SIGHUP refreshes revocation and status at once.",
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
@click.option(
    "--workers",
    type=click.IntRange(1, MAX_WORKERS),
    default=1,
    show_default=True,
    help=phrase("每个角色的进程数", "processes for each role"),
)
@home_option()
@passphrase_option
@click.pass_context
def command(
    context: click.Context, roles: tuple[str, ...], workers: int, home: str, passphrase_file: str | None
) -> int:
    """Serve until interrupted."""
    require_parts()
    console = console_of(context)
    passphrase = read_passphrase(passphrase_file, required=False)
    place = Home.open(home, passphrase=passphrase)
    if not place.has_passphrase:
        passphrase = read_passphrase(None)
        place = Home.open(home, passphrase=passphrase)
    os.environ.pop("YINXIN_PASSPHRASE", None)  # processes that we start get it by a pipe, or not at all
    _log(place)
    stop, reload = _signals()
    with ExitStack() as closing:
        running_here: Stage | None = None
        supervisor: Supervisor | None = None
        if workers > 1:
            supervisor = Supervisor(place, roles, workers=workers, passphrase=passphrase)
            closing.enter_context(supervisor)
        else:
            running_here = closing.enter_context(running(place, roles))
        for role in roles:
            url = ROLES[role].url(place)
            console.say(f"{role} 已启动：{url}", f"{role} serves {url}")
        console.result({"serving": {role: ROLES[role].url(place) for role in roles}, "workers": workers})
        if supervisor:
            supervisor.run(stop, reload)
        elif running_here:
            _wait(running_here, stop, reload)
    return ExitCode.DONE


def _log(home: Home) -> None:
    from yinxin.app.observing import logs  # noqa: PLC0415 - with the extra `service` only

    logs.set_up(home.settings.log_format, process={"process": "serve"})


def _wait(stage: Stage, stop: threading.Event, reload: threading.Event) -> None:
    while not stop.wait(0.25):
        if reload.is_set():
            reload.clear()
            stage.refresh()


def _signals() -> tuple[threading.Event, threading.Event]:
    stop, reload = threading.Event(), threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    def again(_signal: int, _frame: FrameType | None) -> None:
        reload.set()

    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, end)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, again)
    return stop, reload
