"""`yinxin bundle draft | show | list | submit | review | approve | return | withdraw | seal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.applications import MAX_BYTES
from credentials.office.cases import STATE_NAMES
from credentials.office.wire import bundle_facts, bundle_summary
from yinxin.app.commands.options import actor_option, home_option, passphrase_option, read_passphrase
from yinxin.app.commands.people import member_of, person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.desk import make_bundles
from yinxin.app.phrases import phrase
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.office.bundles import Bundle, Bundles
    from yinxin.app.commands.people import Person
    from yinxin.base.actor import Actor


@click.group(
    "bundle",
    help=phrase(
        "批量办件：一份申请表，一次审核、一次批准，整批制证。",
        "Bundles of cases: one file of applications, one review, one approval, sealed together.",
    ),
)
def command() -> None:
    """Group."""


_BUNDLE = click.argument("bundle")
_NOTE = click.option("--note", required=True, help=phrase("说明", "why, in words"))


@command.command(
    "draft",
    help=phrase(
        "由申请表（CSV、XLSX 或 JSON 行）起草一批办件，逐行报告；有误的行不成办件。",
        "Make cases of a file (CSV, XLSX or JSON lines) with a report for each row that is none.",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--number", required=True, help=phrase("批次编号", "your agency's own number for it"))
@click.option(
    "--type",
    "type_code",
    help=phrase("全部行的证照类型（否则看各行）", "the type of all rows (else each row says it)"),
)
@passphrase_option
@person_options("clerk")
def draft(context: click.Context, file: Path, number: str, type_code: str | None, **given: Any) -> int:
    """Exit 1 when a row is faulty."""
    bundles, person = _at_work(given)
    data = read_file(file, limit=MAX_BYTES)
    bundle = bundles.open(number, data, actor=person.actor, type_code=type_code).bundle
    return _tell(context, bundle)


@command.command("show", help=phrase("查看批次及逐行报告。", "Show a bundle with its report."))
@_BUNDLE
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def show(context: click.Context, bundle: str, actor: str, home: str, passphrase_file: str | None) -> int:
    """By its number or id."""
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    return _tell(context, _find(make_bundles(place), bundle, member_of(place, actor)))


@command.command("list", help=phrase("列出最近的批次。", "List the latest bundles."))
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def list_bundles(context: click.Context, actor: str, home: str, passphrase_file: str | None) -> int:
    """The latest changed first."""
    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    found = make_bundles(place).latest(actor=member_of(place, actor))
    rows = [
        (one.number, STATE_NAMES[one.state].in_language(console.language), one.total, one.faulty)
        for one in found
    ]
    console.table([("批次", "number"), ("状态", "state"), ("行数", "rows"), ("有误", "faulty")], rows)
    console.result([bundle_summary(one) for one in found])
    return ExitCode.DONE


def _step(
    name: str,
    role: str,
    says: tuple[str, str],
    act: Callable[[Bundles, Bundle, Person, str], Bundle],
    *,
    has_note: bool = False,
) -> None:
    """A command that takes a bundle one step on."""

    def run(context: click.Context, bundle: str, note: str = "", **given: Any) -> int:
        bundles, person = _at_work(given)
        _tell(context, act(bundles, _find(bundles, bundle, person.actor), person, note))
        return ExitCode.DONE

    made = person_options(role)(run)
    made = _BUNDLE(passphrase_option(_NOTE(made) if has_note else made))
    command.command(name, help=phrase(*says))(made)


_step(
    "submit",
    "clerk",
    ("提交审核。", "Hand a bundle over for review."),
    lambda bundles, one, person, _: bundles.submit(one.id, actor=person.actor),
)
_step(
    "review",
    "reviewer",
    (
        "审核同意：以本人密钥对整批内容签名（不得由经办人审核）。",
        "Agree as reviewer, by one signature over all cases (never who wrote any).",
    ),
    lambda bundles, one, person, _: bundles.review(
        one.id, proof=person.agree(bytes.fromhex(one.digest)), actor=person.actor
    ),
)
_step(
    "approve",
    "approver",
    (
        "批准：以本人密钥对整批内容签名（不得由经办人、审核人批准）。",
        "Approve, by one signature over all cases (never who wrote or reviewed any).",
    ),
    lambda bundles, one, person, _: bundles.approve(
        one.id, proof=person.agree(bytes.fromhex(one.digest)), actor=person.actor
    ),
)
_step(
    "return",
    "reviewer",
    ("退回补正。", "Send a bundle back to its clerk."),
    lambda bundles, one, person, note: bundles.send_back(one.id, note=note, actor=person.actor),
    has_note=True,
)
_step(
    "withdraw",
    "clerk",
    ("撤件：未制证的办件不再办理。", "End a bundle: what was not sealed leads to no licence."),
    lambda bundles, one, person, note: bundles.withdraw(one.id, note=note, actor=person.actor),
    has_note=True,
)


@command.command(
    "seal",
    help=phrase(
        "整批盖章制证；中断后再次运行即继续，不会重复。",
        "Seal all licences of an approved bundle; run it again to go on, none is made twice.",
    ),
)
@_BUNDLE
@click.option(
    "--processes",
    type=click.IntRange(0, 64),
    default=0,
    help=phrase("排版使用的进程数（默认不另起进程）", "set pages in so many processes (none by default)"),
)
@passphrase_option
@person_options("clerk")
def seal(context: click.Context, bundle: str, processes: int, **given: Any) -> int:
    """Exit 1 when a case could not be sealed."""
    console, (bundles, person) = console_of(context), _at_work(given)
    found = _find(bundles, bundle, person.actor)
    with console.progress("制证", "sealing") as progress:
        done = bundles.seal(found.id, actor=person.actor, progress=progress, workers=4, processes=processes)
    console.table(
        [("行", "row"), ("原因", "reason")],
        [(one.row, one.reason.in_language(console.language)) for one in done.faults],
    )
    console.say(
        f"制证 {len(done.licences)} 件，尚余 {done.left} 件",
        f"{len(done.licences)} sealed, {done.left} left",
    )
    console.result({**bundle_summary(done.bundle), "licences": list(done.licences), "left": done.left})
    return ExitCode.ERROR if done.faults else ExitCode.DONE


def _at_work(given: dict[str, Any]) -> tuple[Bundles, Person]:
    """The agency's bundles, and who is at them by their own key."""
    place = Home.open(given["home"], passphrase=read_passphrase(given["passphrase_file"], required=False))
    person = person_of(
        place, given["actor"], key=given["key"], key_passphrase_file=given["key_passphrase_file"]
    )
    return make_bundles(place), person


def _find(bundles: Bundles, name: str, actor: Actor) -> Bundle:
    """A bundle by its number, or else by its id."""
    return bundles.numbered(name, actor=actor) or bundles.bundle(name, actor=actor)


def _tell(context: click.Context, bundle: Bundle) -> int:
    console = console_of(context)
    rows = [(one.row, one.column, one.reason.in_language(console.language)) for one in bundle.faults]
    console.table([("行", "row"), ("列", "column"), ("原因", "reason")], rows)
    state = STATE_NAMES[bundle.state]
    console.say(
        f"{bundle.number}：{state.zh}；共 {bundle.total} 行，{bundle.faulty} 行有误；内容摘要 {bundle.digest}",
        f"{bundle.number}: {state.en}; {bundle.total} rows, {bundle.faulty} faulty; digest {bundle.digest}",
    )
    if bundle.note:
        console.say(f"说明：{bundle.note}", f"note: {bundle.note}")
    console.result(bundle_facts(bundle))
    return ExitCode.ERROR if bundle.faulty else ExitCode.DONE
