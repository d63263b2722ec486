"""`yinxin form list | show | check | revoke`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from credentials.licence_type import InvalidCatalogue
from credentials.sources.form_files import form_faults, read_form_file
from verify_api.forms.service import take_back
from yinxin.app import wiring
from yinxin.app.commands.options import home_option
from yinxin.app.console import ExitCode, console_of
from yinxin.app.forms import form_book
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from credentials.sources.form import Form, FormBook
    from yinxin.app.console import Console


@click.group(
    "form",
    help=phrase(
        "事项表单：经持证人同意，从其现有证照自动填写。",
        "Forms of matters, filled from the licences a holder has, with the holder's consent.",
    ),
)
def command() -> None:
    """Group."""


@command.command("list", help=phrase("列出事项表单。", "List the forms."))
@home_option()
@click.pass_context
def list_forms(context: click.Context, home: str) -> int:
    """A table of matters."""
    console, book = console_of(context), _book(home)
    rows = [(one.matter, console.text(one.name.zh, one.name.en), str(len(one.fields))) for one in book]
    console.table([("事项编码", "matter"), ("表单", "form"), ("字段数", "fields")], rows)
    console.result([one.to_dict() for one in book])
    return ExitCode.DONE


@command.command(
    "show", help=phrase("查看一张表单及各项来源。", "Show a form, and where each value comes from.")
)
@click.argument("matter")
@home_option()
@click.pass_context
def show(context: click.Context, matter: str, home: str) -> int:
    """Empty."""
    _show(console_of(context), _book(home)[matter])
    return ExitCode.DONE


@command.command(
    "check", help=phrase("按证照目录检查一个表单文件。", "Check a form file against the catalogue.")
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@home_option()
@click.pass_context
def check(context: click.Context, file: Path, home: str) -> int:
    """All faults at once; nothing is kept."""
    form = read_form_file(read_file(file), file.name)
    faults = list(form_faults(form, wiring.catalogue(Home.open(home))))
    if faults:
        raise InvalidCatalogue([(f"{file.name}: {place}", what) for place, what in faults])
    _show(console_of(context), form)
    return ExitCode.DONE


@command.command(
    "revoke",
    help=phrase(
        "凭编号撤回一份尚未使用的同意书。", "Take back a consent that was not used yet, by its number."
    ),
)
@click.argument("number")
@home_option()
@click.pass_context
def revoke(context: click.Context, number: str, home: str) -> int:
    """For holders who come to the counter with the number."""
    console, place = console_of(context), Home.open(home)
    with place.database.transaction() as session:
        found = take_back(session, number, clock=place.clock)
    console.say("已撤回", "taken back")
    console.result(found.to_dict(now=place.clock.now()))
    return ExitCode.DONE


def _book(home: str) -> FormBook:
    place = Home.open(home)
    return form_book(place, wiring.catalogue(place))


def _show(console: Console, form: Form) -> None:
    console.say(f"{form.name.zh}（{form.matter}）", f"{form.name.en} ({form.matter})")
    rows = [
        (
            console.text(one.label.zh, one.label.en),
            "✓" if one.required else "",
            " → ".join(map(str, one.places)) or console.text("由申请人填写", "typed"),
        )
        for one in form.fields
    ]
    console.table([("字段", "field"), ("必填", "required"), ("来源", "from")], rows)
    console.result(form.to_dict())
