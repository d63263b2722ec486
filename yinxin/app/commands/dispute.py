"""`yinxin dispute slip | open | list | show | answer | link | correct | follow`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_day, agency_time
from credentials.office.disputes.dispute import (
    KIND_NAMES,
    MAX_NAME,
    STATE_NAMES,
    Complaint,
    DisputeKind,
    Elsewhere,
)
from verify_api.departments import DepartmentDirectory
from yinxin.app.commands.options import home_option, passphrase_option, read_passphrase
from yinxin.app.commands.people import person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.disputing import make_disputes
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.slips import make_slips, say_slip
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from credentials.office.disputes.dispute import Dispute
    from yinxin.app.console import Console
    from yinxin.base.actor import Actor

MAX_DOCUMENT, MAX_PRESENTATION = 20 << 20, 1 << 20


@click.group(
    "dispute",
    help=phrase(
        "告知单与证照异议（缺证、错证）：查询、提出、受理、答复、更正。",
        "Slips, and disputes about missing or wrong licences: find, open, accept, answer, correct.",
    ),
)
def command() -> None:
    """Group."""


_NUMBER = click.argument("number")
_WORDS = click.option("--words", required=True, help=phrase("告知提出方的内容", "what the opener is told"))


def _as_clerk(function: Any) -> Any:
    """Who acts for the agency, by which key of theirs, and where."""
    return passphrase_option(person_options("clerk")(function))


def _at_home(function: Any) -> Any:
    options: list[Callable[[Any], Any]] = [home_option(), passphrase_option, click.pass_context]
    for option in reversed(options):
        function = option(function)
    return function


@command.command("slip", help=phrase("凭编号查看告知单。", "What the slip of this number says."))
@_NUMBER
@_at_home
def slip(context: click.Context, number: str, home: str, passphrase_file: str | None) -> int:
    """In plain words."""
    console = console_of(context)
    found = make_slips(_open(home, passphrase_file)).read(number)
    say_slip(console, found)
    console.result(found.to_dict())
    return ExitCode.DONE


@command.command(
    "open",
    help=phrase(
        "提出异议：用证部门以本部门名义，或持有人凭告知单与证照文件（出示）。",
        "Open a dispute: a department in its own name, or a holder with slip and the licence's file or presentation.",
    ),
)
@click.argument("kind", type=click.Choice([str(one) for one in DisputeKind]))
@_WORDS
@click.option("--licence", default="", help=phrase("证照编号或标识", "the licence's number or identifier"))
@click.option("--type", "type_code", default="", help=phrase("缺少的证照类型", "the type that is missing"))
@click.option(
    "--agency", default="", help=phrase("发证机关代码，默认为本机关", "whose; this agency by default")
)
@click.option("--field", "fields", multiple=True, help=phrase("有误的项目", "a field that is wrong"))
@click.option("--slip", "slip_number", default="", help=phrase("告知单编号", "the slip's number"))
@click.option(
    "--document",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("证照原件（PDF）", "the licence's sealed file"),
)
@click.option(
    "--presentation",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("以告知单编号为随机数的出示文件", "a presentation with the slip's number as its nonce"),
)
@click.option("--department", help=phrase("用证部门标识", "the department's id"))
@_at_home
def open_dispute(
    context: click.Context,
    kind: str,
    words: str,
    licence: str,
    type_code: str,
    agency: str,
    fields: tuple[str, ...],
    slip_number: str,
    document: Path | None,
    presentation: Path | None,
    department: str | None,
    home: str,
    passphrase_file: str | None,
) -> int:
    """Say its number and secret, once."""
    console, place = console_of(context), _open(home, passphrase_file)
    is_missing = kind == DisputeKind.MISSING
    complaint = Complaint(
        DisputeKind(kind),
        words,
        licence=licence[: MAX_NAME + 1],
        type_code=type_code,
        agency=(agency or place.settings.agency_code) if is_missing else "",
        fields=fields,
        slip=slip_number,
    )
    actor = _department(place, department) if department else None
    found = make_disputes(place).open(complaint, actor=actor, proof=_proof(document, presentation))
    if isinstance(found, Elsewhere):
        name, where = found.contact.name, found.contact.where
        console.say(f"请向{name.zh}提出：{where.zh}", f"ask {name.en}: {where.en}")
        console.result({"elsewhere": found.contact.to_dict()})
        return ExitCode.DONE
    number = found.dispute.number
    console.say(
        f"异议编号 {number}，查询口令 {found.secret}（仅显示一次）",
        f"dispute {number}, its secret is {found.secret} (shown once)",
    )
    console.result({"dispute": found.dispute.to_dict(for_staff=False), "secret": found.secret})
    return ExitCode.DONE


@command.command(
    "follow", help=phrase("凭编号与口令查询异议进度。", "Follow a dispute by number and secret.")
)
@_NUMBER
@click.argument("secret")
@click.option("--escalate", help=phrase("移送监察，并说明理由", "hand it to supervision, and say why"))
@_at_home
def follow(
    context: click.Context,
    number: str,
    secret: str,
    escalate: str | None,
    home: str,
    passphrase_file: str | None,
) -> int:
    """As its opener sees it."""
    console, disputes = console_of(context), make_disputes(_open(home, passphrase_file))
    found = disputes.escalate(number, secret, words=escalate) if escalate else disputes.follow(number, secret)
    return _shown(console, found, for_staff=False)


@command.command("list", help=phrase("列出待办异议。", "List the disputes that wait for an answer."))
@_as_clerk
def list_disputes(context: click.Context, **given: Any) -> int:
    """The first to be answered first."""
    console, (place, clerk) = console_of(context), _come(given)
    found = make_disputes(place).waiting(clerk.agency or "", actor=clerk)
    now, language = place.clock.now(), console.language
    columns = [("编号", "number"), ("类型", "kind"), ("状态", "state"), ("期限", "due"), ("逾期", "overdue")]
    rows = [
        (
            one.number,
            KIND_NAMES[one.kind].in_language(language),
            STATE_NAMES[one.state].in_language(language),
            str(_last_day(one)),
            "!" if one.is_overdue(now) else "",
        )
        for one in found
    ]
    console.table(columns, rows)
    console.result([{**one.to_dict(for_staff=True), "overdue": one.is_overdue(now)} for one in found])
    return ExitCode.DONE


@command.command("show", help=phrase("查看一项异议。", "Show a dispute."))
@_NUMBER
@_as_clerk
def show(context: click.Context, number: str, **given: Any) -> int:
    """As the agency's staff see it."""
    console, (place, clerk) = console_of(context), _come(given)
    found = make_disputes(place).one(number, actor=clerk)
    return _shown(console, found, for_staff=True)


@command.command(
    "answer",
    help=phrase(
        "办理异议：accept 受理、reject 不予受理、answer 答复、escalate 移送监察。",
        "Take a step: accept, reject, answer, escalate.",
    ),
)
@_NUMBER
@click.argument("step", type=click.Choice(["accept", "reject", "answer", "escalate"]))
@_WORDS
@_as_clerk
def answer(context: click.Context, number: str, step: str, words: str, **given: Any) -> int:
    """The opener reads the words."""
    console, (place, clerk) = console_of(context), _come(given)
    found = make_disputes(place).answer(number, step, words=words, actor=clerk)
    return _shown(console, found, for_staff=True)


@command.command(
    "link",
    help=phrase("关联更正或补发证照的办件。", "Join the desk case that corrects or makes the licence."),
)
@_NUMBER
@click.argument("case")
@_as_clerk
def link(context: click.Context, number: str, case: str, **given: Any) -> int:
    """Only a case about this licence."""
    console, (place, clerk) = console_of(context), _come(given)
    found = make_disputes(place).link(number, case, actor=clerk)
    return _shown(console, found, for_staff=True)


@command.command(
    "correct", help=phrase("关联办件制证后，以更正办结。", "End it by the licence that its case led to.")
)
@_NUMBER
@_WORDS
@_as_clerk
def correct(context: click.Context, number: str, words: str, **given: Any) -> int:
    """Once the case is sealed."""
    console, (place, clerk) = console_of(context), _come(given)
    found = make_disputes(place).correct(number, words=words, actor=clerk)
    return _shown(console, found, for_staff=True)


def _open(home: str, passphrase_file: str | None) -> Home:
    return Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))


def _come(given: Mapping[str, Any]) -> tuple[Home, Actor]:
    """The home, and the member of its staff who holds this key."""
    place = _open(given["home"], given["passphrase_file"])
    key = {name: given[name] for name in ("key", "key_passphrase_file")}
    return place, person_of(place, given["actor"], **key).actor


def _department(place: Home, name: str) -> Actor:
    directory = DepartmentDirectory(place.database, clock=place.clock)
    directory.snapshot()
    found = directory.active(name)
    if found is None:
        raise NotFound(f"no department {name}")
    return found.actor


def _proof(document: Path | None, presentation: Path | None) -> dict[str, Any] | None:
    if document and presentation:
        raise UsageError("show the file or the presentation, not both")
    if document:
        return {"document": read_file(document, limit=MAX_DOCUMENT)}
    if presentation:
        return {
            "presentation": read_file(presentation, limit=MAX_PRESENTATION).decode("utf-8", "replace").strip()
        }
    return None


def _last_day(found: Dispute) -> date | None:
    """The last day of an open term: it ends with that day, in Beijing."""
    return agency_day(found.due_at - timedelta(seconds=1)) if found.is_open else None


def _shown(console: Console, found: Dispute, *, for_staff: bool) -> int:
    state = STATE_NAMES[found.state]
    due_zh, due_en = (
        (f"，期限 {day}", f", to be answered by {day}") if (day := _last_day(found)) else ("", "")
    )
    console.say(f"{found.number}：{state.zh}{due_zh}", f"{found.number}: {state.en}{due_en}")
    about = " ".join((found.licence or found.type_code, *found.fields))
    for line in filter(None, (about, found.words)):
        console.say(f"  {line}", f"  {line}")
    for one in found.answers:
        said = f"  {agency_time(one.at)} {one.words}"
        console.say(said, said)
    if found.result:
        console.say(f"更正后的证照：{found.result}", f"the corrected licence: {found.result}")
    console.result(found.to_dict(for_staff=for_staff))
    return ExitCode.DONE
