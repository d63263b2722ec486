"""`yinxin licence suspend | resume | meet | end | undo | history`: what happens to a licence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from credentials.licence import CAUSE_NAMES, VERSION_NAMES, Cause, EndingKind, agency_day
from yinxin.app import wiring
from yinxin.app.commands.options import (
    Moment,
    actor_option,
    clerk_of,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.actor import system
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.issuer import Issuer
    from credentials.licence import Event, Licence
    from yinxin.base.text import Language

_ENDINGS = [str(kind) for kind in EndingKind if kind is not EndingKind.SUPERSEDED]


def open_home(home: str, passphrase_file: str | None) -> Home:
    """The installation, with its keys."""
    return Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))


def open_for_change(home: str, passphrase_file: str | None) -> Home:
    """The same, for what one person does alone; `NotPermitted` where the desk is demanded for it."""
    place = open_home(home, passphrase_file)
    if place.settings.desk_required:
        raise NotPermitted(
            "desk_required: this is done at the desk, by its pages, `yinxin case` or `yinxin bundle`"
        )
    return place


def deciding(function: Any) -> Any:
    """What every change of a licence names: ground, document, who, where."""
    options: list[Callable[[Any], Any]] = [
        click.option("--ground", required=True, help=phrase("法律依据", "the legal ground")),
        click.option("--document", required=True, help=phrase("文书编号", "number of the decision")),
        actor_option("clerk"),
        home_option(),
        passphrase_option,
        click.pass_context,
    ]
    for option in reversed(options):
        function = option(function)
    return function


def decided(place: Home, facts: dict[str, Any]) -> dict[str, Any]:
    """The same as the issuer's verbs take it."""
    return {
        "ground": facts["ground"],
        "document_number": facts["document"],
        "actor": clerk_of(place, facts["actor"]),
    }


FROM = click.option(
    "--from",
    "effective_from",
    type=Moment(),
    help=phrase("自何时起（默认现在）", "from when on (now by default)"),
)
_CAUSES = "、".join(f"{one}（{CAUSE_NAMES[one].zh}）" for one in Cause)
_CAUSE = click.option(
    "--cause",
    type=click.Choice([str(cause) for cause in Cause]),
    help=phrase(f"起因：{_CAUSES}", "what it follows from, where a rule hangs on it"),
)


@click.command("suspend", help=phrase("暂停证照。", "Suspend a licence."))
@click.argument("identifier")
@FROM
@_CAUSE
@deciding
def suspend(context: click.Context, identifier: str, **facts: Any) -> int:
    """Until it is resumed."""
    return _change(context, identifier, facts, lambda issuer, event: issuer.suspend(identifier, **event))


@click.command("resume", help=phrase("恢复已暂停的证照。", "Resume a suspended licence."))
@click.argument("identifier")
@FROM
@_CAUSE
@deciding
def resume(context: click.Context, identifier: str, **facts: Any) -> int:
    """It holds again."""
    return _change(context, identifier, facts, lambda issuer, event: issuer.resume(identifier, **event))


@click.command("meet", help=phrase("登记告知承诺已履行。", "Record that a holder's commitment is met."))
@click.argument("identifier")
@FROM
@deciding
def meet(context: click.Context, identifier: str, **facts: Any) -> int:
    """Its due date no longer matters."""
    return _change(
        context,
        identifier,
        facts,
        lambda issuer, event: issuer.meet_commitment(identifier, **event),
        is_for_one=True,
    )


@click.command(
    "end", help=phrase("终止证照：到期、注销、撤销、撤回、吊销。", "End a licence by its legal kind.")
)
@click.argument("identifier")
@click.option(
    "--kind", required=True, type=click.Choice(_ENDINGS), help=phrase("终止的法律性质", "the legal kind")
)
@FROM
@_CAUSE
@deciding
def end(context: click.Context, identifier: str, kind: str, **facts: Any) -> int:
    """For good, unless that was a mistake."""
    return _change(
        context, identifier, facts, lambda issuer, event: issuer.end(identifier, EndingKind(kind), **event)
    )


@click.command(
    "undo",
    help=phrase(
        "撤回误登的终止或暂停：留痕，且不改变此前所知。",
        "Take back a mistaken ending or suspension: with a trace, and without changing what was known.",
    ),
)
@click.argument("identifier")
@click.option(
    "--event",
    "sequence",
    required=True,
    type=click.IntRange(min=1),
    help=phrase("事件序号（见 history）", "the event's number (see history)"),
)
@deciding
def undo(context: click.Context, identifier: str, sequence: int, **facts: Any) -> int:
    """It never counted, as is known from now on."""
    return _change(
        context, identifier, facts, lambda issuer, event: issuer.undo(identifier, sequence, **event)
    )


@click.command(
    "history",
    help=phrase("列出一件证照的各版本、事件和前后关联。", "List versions, events and links of a licence."),
)
@click.argument("identifier")
@home_option()
@passphrase_option
@click.pass_context
def history(context: click.Context, identifier: str, home: str, passphrase_file: str | None) -> int:
    """Old and new, as the register links them."""
    console, place = console_of(context), open_home(home, passphrase_file)
    found = wiring.reading(place).history(identifier, actor=system("command line"))
    rows = [
        (f"{licence.version:03}", VERSION_NAMES[licence.kind].in_language(console.language), *_links(licence))
        for licence, _ in found.versions
    ]
    console.table([("版本", "version"), ("由来", "made by"), ("承前", "from"), ("启后", "into")], rows)
    happened = [
        (f"{licence.version:03}", *_event_row(event, console.language))
        for licence, events in found.versions
        for event in events
    ]
    columns = [
        ("版本", "version"),
        ("序号", "no."),
        ("事项", "event"),
        ("生效", "from"),
        ("登记", "recorded"),
        ("文书", "document"),
    ]
    if happened:
        console.table(columns, happened)
    console.result(found.to_dict())
    return ExitCode.DONE


def _links(licence: Licence) -> tuple[str, str]:
    before = (*((licence.replaces,) if licence.replaces else ()), *licence.origins)
    after = (*((licence.replaced_by,) if licence.replaced_by else ()), *licence.successors)
    return "；".join(before) or "–", "；".join(after) or "–"


def _event_row(event: Event, language: Language) -> tuple[str, ...]:
    name = event.title.in_language(language)
    what = f"{name} → {event.undoes}" if event.undoes else name
    return (
        str(event.sequence),
        what,
        str(agency_day(event.effective_from)),
        str(agency_day(event.recorded_at)),
        event.document_number,
    )


def _change(
    context: click.Context,
    identifier: str,
    facts: dict[str, Any],
    change: Callable[[Issuer, dict[str, Any]], Event],
    *,
    is_for_one: bool = False,
) -> int:
    """Record it. `is_for_one` is what no case of the desk is about."""
    console = console_of(context)
    begin = open_home if is_for_one else open_for_change
    place = begin(facts["home"], facts["passphrase_file"])
    event = decided(place, facts)
    if "effective_from" in facts:
        event["effective_from"] = facts["effective_from"]
    if facts.get("cause"):
        event["cause"] = Cause(facts["cause"])
    recorded = change(wiring.issuer(place), event)
    console.say(f"已登记：{identifier}", f"recorded: {identifier}")
    console.result({"licence": identifier, "event": recorded.sequence})
    return ExitCode.DONE


COMMANDS = (suspend, resume, meet, end, undo, history)
