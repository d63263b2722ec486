"""`yinxin correction route | ask | list | settle | refuse`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from credentials.licence import agency_day
from credentials.sources.corrections.routing import STATE_NAMES, RequestState
from yinxin.app.commands.options import (
    actor_option,
    clerk_of,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.sources import make_corrections
from yinxin.app.phrases import phrase
from yinxin.app.slips import say_slip

if TYPE_CHECKING:
    from credentials.sources.corrections import Corrections, Request, Route
    from yinxin.app.console import Console


@click.group(
    "correction",
    help=phrase(
        "数据更正（一数一源）：更正申请转至数据的来源机关。",
        "Corrections: each goes to the one source of the datum.",
    ),
)
def command() -> None:
    """Group."""


@command.command(
    "route", help=phrase("查看某字段的更正由谁办理。", "Say who puts a field of a licence right.")
)
@click.argument("licence")
@click.argument("field")
@actor_option("clerk")
@passphrase_option
@home_option()
@click.pass_context
def route(
    context: click.Context, licence: str, field: str, actor: str, passphrase_file: str | None, home: str
) -> int:
    """Nothing is recorded."""
    console, place = console_of(context), _home(home, passphrase_file)
    found = make_corrections(place).route(licence, field, actor=clerk_of(place, actor))
    _tell(console, found)
    console.result(found.to_dict())
    return ExitCode.DONE


@command.command("ask", help=phrase("受理更正申请。", "Take a request for correction."))
@click.argument("licence")
@click.argument("field")
@click.option(
    "--words", required=True, help=phrase("应更正为什么，依据什么", "what should stand there, and why")
)
@actor_option("clerk")
@passphrase_option
@home_option()
@click.pass_context
def ask(
    context: click.Context,
    licence: str,
    field: str,
    words: str,
    actor: str,
    passphrase_file: str | None,
    home: str,
) -> int:
    """It waits here, or the answer says where to go."""
    console, place = console_of(context), _home(home, passphrase_file)
    corrections = make_corrections(place)
    asked, way = corrections.ask(licence, field, words=words, actor=clerk_of(place, actor))
    _tell(console, way)
    _show(console, asked)
    _say_slip(console, corrections, asked)
    console.result({**corrections.to_dict(asked), "route": way.to_dict()})
    return ExitCode.DONE


@command.command("list", help=phrase("列出更正申请。", "List requests for correction."))
@click.option(
    "--state",
    type=click.Choice([str(state) for state in RequestState]),
    default=str(RequestState.OPEN),
    help=phrase("状态", "the state"),
)
@actor_option("clerk")
@passphrase_option
@home_option()
@click.pass_context
def list_requests(
    context: click.Context, state: str, actor: str, passphrase_file: str | None, home: str
) -> int:
    """The longest waiting first."""
    console, place = console_of(context), _home(home, passphrase_file)
    corrections = make_corrections(place)
    found = corrections.waiting(actor=clerk_of(place, actor), state=RequestState(state))
    rows = [(one.id, one.licence, one.field, one.authority, agency_day(one.asked_at)) for one in found]
    columns = [
        ("编号", "id"),
        ("证照", "licence"),
        ("字段", "field"),
        ("来源机关", "authority"),
        ("申请日", "asked on"),
    ]
    console.table(columns, rows)
    console.result([corrections.to_dict(one) for one in found])
    return ExitCode.DONE


@command.command("settle", help=phrase("已更正：写明办件编号。", "Put right: name the case that did it."))
@click.argument("request")
@click.option("--case", required=True, help=phrase("办件编号", "the number of the case"))
@actor_option("clerk")
@passphrase_option
@home_option()
@click.pass_context
def settle(
    context: click.Context, request: str, case: str, actor: str, passphrase_file: str | None, home: str
) -> int:
    """Once."""
    console, place = console_of(context), _home(home, passphrase_file)
    done = make_corrections(place).settle(request, case=case, actor=clerk_of(place, actor))
    _show(console, done)
    console.result(done.to_dict())
    return ExitCode.DONE


@command.command("refuse", help=phrase("不予更正：写明理由。", "Not put right: say why."))
@click.argument("request")
@click.option("--note", required=True, help=phrase("理由", "the reason"))
@actor_option("clerk")
@passphrase_option
@home_option()
@click.pass_context
def refuse(
    context: click.Context, request: str, note: str, actor: str, passphrase_file: str | None, home: str
) -> int:
    """Once."""
    console, place = console_of(context), _home(home, passphrase_file)
    corrections = make_corrections(place)
    done = corrections.refuse(request, note=note, actor=clerk_of(place, actor))
    _show(console, done)
    _say_slip(console, corrections, done)
    console.result(corrections.to_dict(done))
    return ExitCode.DONE


def _home(home: str, passphrase_file: str | None) -> Home:
    """What is asked for is personal data, and sealed: the passphrase opens it."""
    return Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))


def _show(console: Console, one: Request) -> None:
    state = STATE_NAMES[one.state]
    console.say(f"{one.id}：{one.field}，{state.zh}", f"{one.id}: {one.field}, {state.en}")


def _say_slip(console: Console, corrections: Corrections, one: Request) -> None:
    if slip := corrections.slip_of(one):
        say_slip(console, slip)


def _tell(console: Console, way: Route) -> None:
    console.say(way.next_step.zh, way.next_step.en)
