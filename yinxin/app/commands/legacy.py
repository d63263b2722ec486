"""`yinxin legacy check | propose | agree | import | seal | close | list | foreign`."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.foreign.repository import ForeignRepository
from credentials.legacy.mapping_files import MAX_FILE_BYTES, read_mapping
from credentials.legacy.registers import agreement_digest
from credentials.legacy.repository import LegacyRepository
from credentials.legacy.results import OUTCOME_NAMES, Outcome, csv_heading, csv_line, json_line
from yinxin.app import wiring
from yinxin.app.commands.options import (
    actor_option,
    clerk_of,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.commands.people import person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.legacy import make_first_use, make_import, make_registers
from yinxin.app.phrases import phrase
from yinxin.base.errors import Conflict, NotFound, UsageError
from yinxin.base.files import PRIVATE, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from credentials.legacy.mapping import LegacyMapping
    from credentials.legacy.repository import Register
    from credentials.legacy.results import RowResult, Summary
    from yinxin.app.console import Console
    from yinxin.base.actor import Actor

SEALED_AT_ONCE = 1000


@click.group(
    "legacy",
    help=phrase(
        "存量证照：核对、录入、补盖章，每日续录。",
        "Older registers: check, take over, seal, follow every night.",
    ),
)
def command() -> None:
    """Group."""


_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_REGISTER = click.argument("register")
_MAPPING = click.option(
    "--mapping",
    "mapping_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("对照文件（TOML）", "the mapping file (TOML)"),
)
_REPORT = click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "逐行报告文件（.csv 或 .jsonl；含个人信息，仅本人可读）",
        "file for the report on every row (.csv or .jsonl; holds personal data, only you can read it)",
    ),
)


def _common(role: str) -> Callable[[Any], Any]:
    """`--actor`, `--home` and `--passphrase-file`, with the context."""

    def named(function: Any) -> Any:
        for option in reversed([actor_option(role), home_option(), passphrase_option, click.pass_context]):
            function = option(function)
        return function

    return named


@command.command(
    "check",
    help=phrase(
        "试录：逐行判断可用、可修正或不予录入，不写入任何数据。",
        "A dry run: every row usable, fixable or refused; nothing is written.",
    ),
)
@_FILE
@_MAPPING
@_REPORT
@_common("clerk")
def check(context: click.Context, file: Path, mapping_file: Path, report: Path | None, **given: Any) -> int:
    """Exit 1 when a row would be refused."""
    console, place = console_of(context), _open(given)
    mapping, actor = _mapping(place, mapping_file), clerk_of(place, given["actor"])
    legacy = make_import(place)
    with _walking(console, file, report, ("核对", "checking")) as (stream, each, progress):
        summary = legacy.check(stream, mapping, actor=actor, each=each, progress=progress)
    return _tell(console, summary)


@command.command(
    "propose",
    help=phrase(
        "提出登记库的对照文件，交他人同意。",
        "Propose by which mapping a register is read, for another to agree.",
    ),
)
@_MAPPING
@_common("clerk")
def propose(context: click.Context, mapping_file: Path, **given: Any) -> int:
    """Print what is to be agreed to."""
    console, place = console_of(context), _open(given)
    actor = clerk_of(place, given["actor"])
    register = make_registers(place).propose(_mapping(place, mapping_file), actor=actor)
    return _tell_register(console, register)


@command.command(
    "agree",
    help=phrase(
        "以本人密钥对登记库的对照文件签名同意（不得由提出人同意）。",
        "Agree to a register's mapping by a signature with your own key (never who proposed it).",
    ),
)
@_REGISTER
@passphrase_option
@person_options("approver")
def agree(context: click.Context, register: str, **given: Any) -> int:
    """Rows may come in from now on."""
    console, place = console_of(context), _open(given)
    person = person_of(
        place, given["actor"], key=given["key"], key_passphrase_file=given["key_passphrase_file"]
    )
    registers = make_registers(place)
    found = registers.register(register, actor=person.actor)
    proof = person.agree(agreement_digest(found))
    return _tell_register(console, registers.agree(register, proof=proof, actor=person.actor))


@command.command(
    "import",
    help=phrase(
        "录入存量数据；同一文件再次录入不重复，中断后可再次运行。",
        "Take rows over; the same file again changes nothing, and goes on after a kill.",
    ),
)
@_FILE
@_MAPPING
@_REPORT
@click.option(
    "--catch-up",
    is_flag=True,
    help=phrase("每日续录：只看上次以来有更新的行", "nightly: only rows that changed since the last time"),
)
@click.option(
    "--seal",
    is_flag=True,
    help=phrase("录入后立即全部盖章（默认首次使用时盖章）", "seal all at once (by default at first use)"),
)
@_common("clerk")
def take_over(
    context: click.Context,
    file: Path,
    mapping_file: Path,
    report: Path | None,
    catch_up: bool,
    seal: bool,
    **given: Any,
) -> int:
    """Exit 1 when a row was refused or is in conflict."""
    console, place = console_of(context), _open(given)
    mapping, actor = _mapping(place, mapping_file), clerk_of(place, given["actor"])
    legacy = make_import(place)
    with _walking(console, file, report, ("录入", "taking over")) as (stream, each, progress):
        summary = legacy.run(stream, mapping, actor=actor, catch_up=catch_up, each=each, progress=progress)
    if seal and mapping.foreign is None:
        _seal_all(console, place, mapping.register, actor)
    return _tell(console, summary)


@command.command(
    "seal",
    help=phrase(
        "为登记库中尚未盖章的证照全部盖章。", "Seal all that a register brought in and has no document."
    ),
)
@_REGISTER
@_common("clerk")
def seal_register(context: click.Context, register: str, **given: Any) -> int:
    """Exit 1 when one could not be sealed."""
    console, place = console_of(context), _open(given)
    actor = clerk_of(place, given["actor"])
    make_registers(place).register(register, actor=actor)
    sealed, refused = _seal_all(console, place, register, actor)
    console.result({"sealed": sealed, "refused": refused})
    return ExitCode.FAILED if refused else ExitCode.DONE


@command.command(
    "close",
    help=phrase(
        "设定原登记系统的截止日，此后不得新增。", "Name the last day on which the old register may add."
    ),
)
@_REGISTER
@click.option(
    "--on", "cut_off", required=True, help=phrase("截止日，如 2026-12-31", "the day, as 2026-12-31")
)
@passphrase_option
@person_options("approver")
def close(context: click.Context, register: str, cut_off: str, **given: Any) -> int:
    """It can be drawn nearer, never put off."""
    console, place = console_of(context), _open(given)
    try:
        day = date.fromisoformat(cut_off)
    except ValueError as exc:
        raise UsageError(f"{cut_off} is not a date such as 2026-12-31") from exc
    key = {name: given[name] for name in ("key", "key_passphrase_file")}
    approver = person_of(place, given["actor"], **key).actor
    return _tell_register(console, make_registers(place).close(register, cut_off=day, actor=approver))


@command.command(
    "list", help=phrase("列出登记库、录入数量与续录位置。", "Registers, how much came in, and how far.")
)
@_common("clerk")
def list_registers(context: click.Context, **given: Any) -> int:
    """How many licences each brought in, and how many have a document."""
    console, place = console_of(context), _open(given)
    found = make_registers(place).all(actor=clerk_of(place, given["actor"]))
    with place.database.reading() as session:
        repository = LegacyRepository(session, agency=place.settings.agency_code)
        counts = {one.register: repository.counts(one.register) for one in found}
    rows = [
        (
            one.register,
            one.source,
            one.type_code,
            *counts[one.register],
            one.cursor or "–",
            one.cut_off or "–",
        )
        for one in found
    ]
    columns = [
        ("登记库", "register"),
        ("来源", "source"),
        ("类型", "type"),
        ("证照", "licences"),
        ("已盖章", "sealed"),
        ("续录至", "cursor"),
        ("截止日", "cut-off"),
    ]
    console.table(columns, rows)
    console.result(
        [
            {**one.to_dict(), "licences": counts[one.register][0], "sealed": counts[one.register][1]}
            for one in found
        ]
    )
    return ExitCode.DONE


@command.command(
    "foreign",
    help=phrase(
        "查询其他机关签发的证照：由谁签发、到何处核验。",
        "Licences of other issuers: who issued one, where to ask.",
    ),
)
@click.argument("number")
@home_option()
@click.pass_context
def foreign(context: click.Context, number: str, home: str) -> int:
    """Exit 1 when none is known."""
    console, place = console_of(context), Home.open(home)
    with place.database.reading() as session:
        found = ForeignRepository(session).find(number.strip())
    if not found:
        raise NotFound(f"no licence of another issuer has the number {number}")
    for one in found:
        console.say(
            f"{one.type_name.zh}：由{one.issuer_name.zh}签发，请到 {one.verify_at} 核验",
            f"{one.type_name.en}: issued by {one.issuer_name.en}, verify it at {one.verify_at}",
        )
    console.result([one.to_dict() for one in found])
    return ExitCode.DONE


def _seal_all(console: Console, place: Home, register: str, actor: Actor) -> tuple[int, int]:
    """Seal in portions, so that what a kill leaves is found again; how many, and how many could not be."""
    first_use, after = make_first_use(place), ""
    sealed, reasons = 0, Counter[str]()
    with console.progress("盖章", "sealing") as show:
        while True:
            with place.database.reading() as session:
                repository = LegacyRepository(session, agency=place.settings.agency_code)
                open_ones = repository.unsealed(register, after=after, limit=SEALED_AT_ONCE)
            if not open_ones:
                break
            base = sealed + reasons.total()
            done, why = first_use.seal_all(
                open_ones,
                actor=actor,
                workers=os.cpu_count() or 1,
                progress=partial(_show, show, base, base + len(open_ones)),
            )
            sealed, after = sealed + done, open_ones[-1]
            reasons.update(one.detail for one in why.values())
    refused = reasons.total()
    console.say(
        f"已盖章 {sealed} 件，未能盖章 {refused} 件", f"{sealed} sealed, {refused} could not be sealed"
    )
    if reasons:
        console.table([("原因", "reason"), ("件数", "licences")], reasons.most_common(20))
    return sealed, refused


def _show(show: Callable[[int, int], None], before: int, total: int, count: int) -> None:
    show(before + count, total)


@contextmanager
def _walking(
    console: Console, file: Path, report: Path | None, words: tuple[str, str]
) -> Iterator[tuple[BinaryIO, Callable[[RowResult], None], Callable[[int], None]]]:
    """The file, where its rows are told, and a bar by what of the file is read."""
    try:
        size = file.stat().st_size
        stream = file.open("rb")
    except OSError as exc:
        raise NotFound(f"{file} cannot be read") from exc
    with stream, _report(console, report) as each, console.progress(*words) as show:
        yield stream, each, lambda _rows: show(stream.tell(), size)


@contextmanager
def _report(console: Console, report: Path | None) -> Iterator[Callable[[RowResult], None]]:
    """A new private file, a line for each row that was not the same as before."""
    if report is None:
        yield lambda _result: None
        return
    is_json = report.suffix == ".jsonl"
    try:
        handle = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError as exc:
        raise Conflict(f"{report} exists and is not overwritten") from exc
    except OSError as exc:
        raise UsageError(f"{report} cannot be written") from exc
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
        if not is_json:
            out.write(csv_heading())

        told = False

        def each(result: RowResult) -> None:
            nonlocal told
            told = True
            out.write(json_line(result) if is_json else csv_line(result, console.language))

        try:
            yield each
        except BaseException:
            if not told:  # refused before the first row: the same command works once it is put right
                report.unlink(missing_ok=True)
            raise


def _tell(console: Console, summary: Summary) -> int:
    """Counts and reasons by column; never a word of a row."""
    counted = [(OUTCOME_NAMES[one].in_language(console.language), summary.outcomes[one]) for one in Outcome]
    console.table([("结果", "outcome"), ("行数", "rows")], [row for row in counted if row[1]])
    if summary.fixes:
        said = ", ".join(f"{name} {count}" for name, count in sorted(summary.fixes.items()))
        console.say(f"已修正：{said}", f"fixed: {said}")
    reasons = [
        (column or "–", reason.in_language(console.language), count)
        for (column, reason), count in summary.reasons.most_common(20)
    ]
    if reasons:
        console.table([("列", "column"), ("原因", "reason"), ("行数", "rows")], reasons)
    console.result(summary.to_dict())
    return ExitCode.DONE if summary.clean else ExitCode.FAILED


def _tell_register(console: Console, register: Register) -> int:
    digest = agreement_digest(register).hex()
    console.say(
        f"{register.register}（{register.source}）：对照文件 {register.mapping_sha256[:16]}…，"
        + ("已同意" if register.consent else "待他人同意"),
        f"{register.register} ({register.source}): mapping {register.mapping_sha256[:16]}…, "
        + ("agreed" if register.consent else "waits for another's agreement"),
    )
    console.result({**register.to_dict(), "digest": digest})
    return ExitCode.DONE


def _mapping(place: Home, file: Path) -> LegacyMapping:
    data = read_file(file, limit=MAX_FILE_BYTES)
    return read_mapping(data, file.name, wiring.catalogue(place), agency=place.settings.agency_code)


def _open(given: dict[str, Any]) -> Home:
    return Home.open(given["home"], passphrase=read_passphrase(given["passphrase_file"], required=False))
