"""`yinxin case draft | show | list | edit | submit | review | approve | return | withdraw | seal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_time
from credentials.office.cases import STATE_NAMES, CaseState
from credentials.office.desk import WAITING
from credentials.office.telling import rows_of
from credentials.office.wire import case_facts, case_summary, read_case, read_work
from signing.jose import load_json_object
from yinxin.app.commands.options import actor_option, home_option, passphrase_option, read_passphrase
from yinxin.app.commands.people import member_of, person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.desk import make_desk
from yinxin.app.phrases import phrase
from yinxin.app.wiring import catalogue
from yinxin.base.errors import NotFound, UnknownLicenceType
from yinxin.base.files import PRIVATE, read_file, write_new_file
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office import Case, Desk
    from yinxin.app.commands.people import Person
    from yinxin.base.actor import Actor

MAX_FILE_BYTES = 256 * 1024


@click.group(
    "case",
    help=phrase(
        "办件：起草、审核、批准、制证，三人办理，各凭本人密钥。",
        "Cases of the issuing office: draft, review, approve, seal; three people, each with a key of their own.",
    ),
)
def command() -> None:
    """Group."""


_CASE = click.argument("case")
_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_NOTE = click.option("--note", required=True, help=phrase("说明", "why, in words"))


@command.command(
    "draft",
    help=phrase(
        "按 JSON 文件起草办件（格式同 POST /v1/licences；编号相同、内容相同则为同一办件）。",
        "Open a case from a JSON file (as for POST /v1/licences); one number is one case.",
    ),
)
@_FILE
@passphrase_option
@person_options("clerk")
def draft(context: click.Context, file: Path, **given: Any) -> int:
    """Print its id and the digest that people agree to."""
    number, work = read_case(load_json_object(read_file(file, limit=MAX_FILE_BYTES)))
    desk, person = _at_work(given)
    return _tell(context, desk.draft(number, work, actor=person.actor))


@command.command(
    "edit",
    help=phrase(
        "按 JSON 文件修改办件；已有的同意随之失效。", "Edit from a JSON file; what was agreed before is void."
    ),
)
@_CASE
@_FILE
@passphrase_option
@person_options("clerk")
def edit(context: click.Context, case: str, file: Path, **given: Any) -> int:
    """It is a draft again."""
    work = read_work(load_json_object(read_file(file, limit=MAX_FILE_BYTES)))
    desk, person = _at_work(given)
    found = _find(desk, case, person.actor)
    return _tell(context, desk.edit(found.id, work, actor=person.actor, seen=found.digest))


@command.command("show", help=phrase("查看办件（编号或标识）。", "Show a case, by its number or id."))
@_CASE
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def show(context: click.Context, case: str, actor: str, home: str, passphrase_file: str | None) -> int:
    """What it asks for, and who has agreed."""
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    found = _find(make_desk(place), case, member_of(place, actor))
    console = console_of(context)
    try:
        kind = catalogue(place)[found.work.type_code]
    except UnknownLicenceType:
        kind = None
    rows = [
        (label.in_language(console.language), said.in_language(console.language))
        for label, said in rows_of(found.work, kind)
    ]
    console.table([("项目", "item"), ("内容", "content")], rows, title=found.number)
    people = [(phrase("经办", "written"), name, "") for name in found.editors]
    people += [
        (_AGREED[one.role].in_language(console.language), one.by, agency_time(one.at))
        for one in found.consents
    ]
    console.table([("环节", "step"), ("人员", "who"), ("时间", "at")], people)
    return _tell(context, found)


_AGREED = {"reviewer": Text("审核同意", "reviewed"), "approver": Text("批准", "approved")}


@command.command("list", help=phrase("列出办件，默认为在办的。", "List cases, open ones by default."))
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(one) for one in CaseState]),
    help=phrase("状态，可多次给出", "the state; may be given again"),
)
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def list_cases(
    context: click.Context, states: tuple[str, ...], actor: str, home: str, passphrase_file: str | None
) -> int:
    """The longest unchanged first, a thousand at most."""
    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    wanted = [CaseState(one) for one in states] or WAITING
    found = make_desk(place).waiting(actor=member_of(place, actor), states=wanted, limit=1000)
    rows = [
        (
            one.number,
            one.work.type_code,
            STATE_NAMES[one.state].in_language(console.language),
            agency_time(one.changed_at),
        )
        for one in found
    ]
    columns = [("办件编号", "number"), ("类型", "type"), ("状态", "state"), ("最近变动", "changed")]
    console.table(columns, rows)
    console.result([case_summary(one) for one in found])
    return ExitCode.DONE


def _step(
    name: str,
    role: str,
    says: tuple[str, str],
    act: Callable[[Desk, Case, Person, str], Case],
    *,
    has_note: bool = False,
) -> None:
    """A command that takes a case one step on."""

    def run(context: click.Context, case: str, note: str = "", **given: Any) -> int:
        desk, person = _at_work(given)
        return _tell(context, act(desk, _find(desk, case, person.actor), person, note))

    made = person_options(role)(run)
    made = _CASE(passphrase_option(_NOTE(made) if has_note else made))
    command.command(name, help=phrase(*says))(made)


_step(
    "submit",
    "clerk",
    ("提交审核。", "Hand a draft over for review."),
    lambda desk, case, person, _: desk.submit(case.id, actor=person.actor),
)
_step(
    "review",
    "reviewer",
    (
        "审核同意：以本人密钥对内容签名（不得由经办人审核）。",
        "Agree as reviewer, by a signature over the content (never who wrote it).",
    ),
    lambda desk, case, person, _: desk.review(case.id, proof=person.agree(case.digest), actor=person.actor),
)
_step(
    "approve",
    "approver",
    (
        "批准：以本人密钥对内容签名（不得由经办人、审核人批准）。",
        "Approve, by a signature over the content (never who wrote or reviewed it).",
    ),
    lambda desk, case, person, _: desk.approve(case.id, proof=person.agree(case.digest), actor=person.actor),
)
_step(
    "return",
    "reviewer",
    ("退回补正。", "Send a case back to its clerk."),
    lambda desk, case, person, note: desk.send_back(case.id, note=note, actor=person.actor),
    has_note=True,
)
_step(
    "withdraw",
    "clerk",
    ("撤件。", "End a case without a licence."),
    lambda desk, case, person, note: desk.withdraw(case.id, note=note, actor=person.actor),
    has_note=True,
)


@command.command(
    "seal",
    help=phrase(
        "为已批准的办件盖章制证；各项同意先行复核。",
        "Seal the licence of an approved case; every agreement is checked again first.",
    ),
)
@_CASE
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("证照文件", "where the sealed PDF goes"),
)
@passphrase_option
@person_options("clerk")
def seal(context: click.Context, case: str, output: Path | None, **given: Any) -> int:
    """Print the licence's identifier."""
    console, (desk, person) = console_of(context), _at_work(given)
    done = desk.seal(_find(desk, case, person.actor).id, actor=person.actor)
    for one in done.issued[:1]:
        if output:
            write_new_file(output, one.pdf, mode=PRIVATE)
    licence = done.licence
    console.say(
        f"已办结：{licence.identifier}，编号 {licence.number}，第 {licence.version} 版",
        f"done: {licence.identifier}, number {licence.number}, version {licence.version}",
    )
    console.result({"licence": licence.identifier, "number": licence.number, "version": licence.version})
    return ExitCode.DONE


def _at_work(given: dict[str, Any]) -> tuple[Desk, Person]:
    """The desk, and who is at it by their own key."""
    place = Home.open(given["home"], passphrase=read_passphrase(given["passphrase_file"], required=False))
    person = person_of(
        place, given["actor"], key=given["key"], key_passphrase_file=given["key_passphrase_file"]
    )
    return make_desk(place), person


def _find(desk: Desk, name: str, actor: Actor) -> Case:
    """A case by its number, or else by its id."""
    try:
        return desk.numbered(name, actor=actor)
    except NotFound:
        return desk.case(name, actor=actor)


def _tell(context: click.Context, case: Case) -> int:
    console = console_of(context)
    state, digest = STATE_NAMES[case.state], case.digest.hex()
    console.say(
        f"{case.number}：{state.zh}；内容摘要 {digest}", f"{case.number}: {state.en}; digest {digest}"
    )
    if case.note:
        console.say(f"说明：{case.note}", f"note: {case.note}")
    console.result(case_facts(case))
    return ExitCode.DONE
