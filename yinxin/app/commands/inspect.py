"""`yinxin inspect search | findings | close | explain | rules | counts | scope`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_time
from credentials.office.supervision.findings import STATE_NAMES, Finding, FindingState
from credentials.office.supervision.service import By, Search
from credentials.office.supervision.showing import (
    FEW,
    action_text,
    counts_csv,
    counts_facts,
    found_facts,
    told_facts,
)
from yinxin.app.commands.options import actor_option, home_option, passphrase_option, read_passphrase
from yinxin.app.commands.people import ANYWHERE, person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.supervision import make_supervision, make_watch, rules
from yinxin.app.phrases import phrase
from yinxin.app.wiring import log_key, sequencer
from yinxin.base.actor import staff
from yinxin.base.audit.bundle import Bundle
from yinxin.base.files import write_new_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credentials.office.supervision.repository import Told
    from credentials.office.supervision.service import Supervision
    from yinxin.app.console import Console
    from yinxin.base.actor import Actor


@click.group(
    "inspect",
    help=phrase(
        "电子监察：说明事由后查询，每次查询先记入审计日志；结果可离线证明。",
        "Supervision: look up for a stated reason; each look is noted first, and each line can be proven.",
    ),
)
def command() -> None:
    """Group."""


_MATTER = click.option(
    "--matter", required=True, help=phrase("监察事项编号", "the number of the inspector's matter")
)
_REASON = click.option("--reason", required=True, help=phrase("事由", "why, in words"))
_WORDS = click.option("--words", required=True, help=phrase("说明文字", "what is to be said"))
_FINDING = click.argument("finding")


def _acting(function: Any) -> Any:
    """What every command names: who acts, by which key of theirs, and where."""
    return passphrase_option(person_options("inspector")(function))


@command.command(
    "search",
    help=phrase(
        "按办件、人员、持有人、印章或证照查询记录；持有人代码不会留在日志中。",
        "The lines about one case, officer, holder, seal or licence; a holder's code is not kept in the log.",
    ),
)
@click.argument("by", type=click.Choice([str(one) for one in By]))
@click.argument("sought")
@click.option("--after", type=int, default=-1, help=phrase("从此日志序号之后", "behind this log index"))
@click.option(
    "--limit", type=click.IntRange(1, 200), default=50, show_default=True, help=phrase("条数", "how many")
)
@click.option(
    "--proofs",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("将各条记录的离线证明写入此文件", "write the offline proofs of the lines into this file"),
)
@_MATTER
@_REASON
@_acting
def search(
    context: click.Context,
    by: str,
    sought: str,
    after: int,
    limit: int,
    proofs: Path | None,
    matter: str,
    reason: str,
    **given: Any,
) -> int:
    """A table of lines."""
    console, place = console_of(context), _open(given)
    supervision, inspector = _caught_up(place), _member(place, given)
    begun = supervision.begin(matter=matter, words=reason, actor=inspector)
    found = supervision.search(begun.id, Search(By(by), sought, after, limit), actor=inspector)
    _lines(console, found.told)
    facts = found_facts(found)
    if proofs is not None and found.told:
        names = [one.line.entry_id for one in found.told]
        proven = supervision.prove(begun.id, names, actor=inspector)
        key = log_key(place)[1]
        write_new_file(proofs, Bundle.of(key, proven).to_text().encode())
        console.say(
            f"离线证明已写入 {proofs}；日志公钥 {key}", f"proofs written: {proofs}; the log's key is {key}"
        )
        facts |= {"proofs": str(proofs), "key": key}
    if not found.is_all:
        console.say(f"更多记录：--after {facts['after']}", f"more lines: --after {facts['after']}")
    console.result({"inspection": begun.id, **facts})
    return ExitCode.DONE


@command.command("findings", help=phrase("列出监察发现，或查看其中一项。", "List findings, or show one."))
@click.argument("finding", required=False)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(one) for one in FindingState]),
    help=phrase("状态，可多次给出", "only in this state; may be given again"),
)
@click.option("--rule", help=phrase("只看此规则", "only of this rule"))
@_MATTER
@_REASON
@_acting
def findings(
    context: click.Context,
    finding: str | None,
    states: tuple[str, ...],
    rule: str | None,
    matter: str,
    reason: str,
    **given: Any,
) -> int:
    """A table of findings, or one with its lines."""
    console, place = console_of(context), _open(given)
    supervision, inspector = _caught_up(place), _member(place, given)
    begun = supervision.begin(matter=matter, words=reason, actor=inspector)
    if finding is not None:
        found, told = supervision.finding(begun.id, finding, actor=inspector)
        _lines(console, told)
        console.result({**found.to_dict(), "lines": [told_facts(one) for one in told]})
        return ExitCode.DONE
    wanted = tuple(map(FindingState, states)) or (FindingState.OPEN, FindingState.EXPLAINED)
    rows = supervision.findings(begun.id, actor=inspector, states=wanted, rule=rule)
    _findings(console, supervision, rows)
    console.result({"findings": [one.to_dict() for one in rows]})
    return ExitCode.DONE


@command.command(
    "explain",
    help=phrase(
        "被监察单位说明一项监察发现（当事人、批准人或注册人员）。",
        "Explain a finding: whom it is about, an approver or a registrar of the organisation.",
    ),
)
@_FINDING
@_WORDS
@_acting
def explain(context: click.Context, finding: str, words: str, **given: Any) -> int:
    """It waits for an inspector then."""
    console, place = console_of(context), _open(given)
    done = make_supervision(place).explain(finding, words=words, actor=_member(place, given))
    return _state(console, done)


@command.command("close", help=phrase("办结一项已说明的监察发现。", "Close a finding that was explained."))
@_FINDING
@_WORDS
@_MATTER
@_REASON
@_acting
def close(
    context: click.Context,
    finding: str,
    words: str,
    matter: str,
    reason: str,
    **given: Any,
) -> int:
    """Never one about the inspector."""
    console, place = console_of(context), _open(given)
    supervision, inspector = make_supervision(place), _member(place, given)
    begun = supervision.begin(matter=matter, words=reason, actor=inspector)
    return _state(console, supervision.close(begun.id, finding, words=words, actor=inspector))


@command.command(
    "rules", help=phrase("列出监察规则及其法律依据。", "List the rules and the law behind each.")
)
@home_option()
@click.pass_context
def list_rules(context: click.Context, home: str) -> int:
    """A table of rules."""
    console, found = console_of(context), rules(Home.open(home))
    columns = [("规则", "rule"), ("内容", "what it looks for"), ("依据", "law")]
    rows = [
        (one.id, one.text.in_language(console.language), one.legal.in_language(console.language))
        for one in found
    ]
    console.table(columns, rows)
    console.result([one.to_dict() for one in found])
    return ExitCode.DONE


@command.command(
    "counts",
    help=phrase(
        "月度统计（如 2026-11），不含个人信息；少于 5 次的不显示。",
        "Counts of a month (2026-11) without personal data; fewer than 5 are not told.",
    ),
)
@click.argument("month")
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("写入 CSV 文件", "write them to a CSV file"),
)
@_acting
def counts(
    context: click.Context,
    month: str,
    file: Path | None,
    **given: Any,
) -> int:
    """A table of counts."""
    console, place = console_of(context), _open(given)
    found = _caught_up(place).counts(month, actor=_member(place, given))
    if file is not None:
        write_new_file(file, counts_csv(month, found).encode())
        console.say(f"已写入 {file}", f"written: {file}")
    rows = [
        (
            one.organisation,
            action_text(one.action).in_language(console.language),
            FEW if one.count is None else one.count,
        )
        for one in found
    ]
    console.table([("单位", "organisation"), ("动作", "what"), ("次数", "count")], rows)
    console.result(counts_facts(month, found))
    return ExitCode.DONE


@command.command(
    "scope",
    help=phrase(
        "授予（或收回）监察人员对其他单位的监察范围：由两人共同决定，并需密钥口令。",
        "Let an inspector look into another organisation, or no longer: two people decide; needs the passphrase.",
    ),
)
@click.argument("inspector")
@click.argument("organisation")
@click.option("--witness", required=True, help=phrase("见证人", "who decides it with the actor"))
@click.option("--withdraw", is_flag=True, help=phrase("收回", "take it back"))
@actor_option("inspector")
@home_option()
@passphrase_option
@click.pass_context
def scope(
    context: click.Context,
    inspector: str,
    organisation: str,
    witness: str,
    actor: str,
    home: str,
    passphrase_file: str | None,
    *,
    withdraw: bool,
) -> int:
    """At the home itself."""
    console, place = console_of(context), _open({"home": home, "passphrase_file": passphrase_file})
    place.document_key()  # whoever opens this home's keys was there at its ceremony
    supervision, agency = make_supervision(place), place.settings.agency_code
    change = supervision.withdraw if withdraw else supervision.grant
    change(inspector, organisation, actor=staff(actor, agency=agency), witness=staff(witness, agency=agency))
    zh, en = ("已收回", "taken back") if withdraw else ("已授予", "given")
    console.say(f"{inspector} → {organisation}：{zh}", f"{inspector} → {organisation}: {en}")
    console.result({"inspector": inspector, "organisation": organisation, "granted": not withdraw})
    return ExitCode.DONE


def _open(given: Mapping[str, Any]) -> Home:
    passphrase = read_passphrase(given["passphrase_file"], required=False)
    return Home.open(given["home"], passphrase=passphrase)


def _caught_up(place: Home) -> Supervision:
    """Supervision of a home whose log is in order and read, as far as its keys are at hand."""
    if place.has_passphrase:
        while sequencer(place).run_once():
            pass
    make_watch(place).run()
    return make_supervision(place)


def _member(place: Home, given: Mapping[str, Any]) -> Actor:
    """Who acts: whoever holds a key of theirs. The directory says what they may do; some are not of here."""
    key = {name: given[name] for name in ("key", "key_passphrase_file")}
    return person_of(place, given["actor"], **key, organisation=ANYWHERE).actor


def _lines(console: Console, told: Sequence[Told]) -> None:
    columns = [
        ("序号", "index"),
        ("时间", "at"),
        ("动作", "what"),
        ("人员", "who"),
        ("对象", "subject"),
        ("内容", "details"),
    ]
    rows = [
        (
            one.line.log_index,
            agency_time(one.line.at),
            action_text(one.line.action).in_language(console.language),
            one.line.actor,
            one.line.subject,
            phrase("（已擦除）", "(erased)")
            if one.details is None
            else json.dumps(one.details, ensure_ascii=False)[:80],
        )
        for one in told
    ]
    console.table(columns, rows)


def _findings(console: Console, supervision: Supervision, found: Sequence[Finding]) -> None:
    texts = {rule.id: rule.text.in_language(console.language) for rule in supervision.rules}
    columns = [("编号", "finding"), ("内容", "what"), ("人员", "who"), ("次数", "count"), ("状态", "state")]
    rows = [
        (
            one.id,
            texts.get(one.rule, one.rule),
            "、".join(one.officers),
            one.count,
            STATE_NAMES[one.state].in_language(console.language),
        )
        for one in found
    ]
    console.table(columns, rows)


def _state(console: Console, finding: Finding) -> int:
    text = STATE_NAMES[finding.state]
    console.say(f"{finding.id}：{text.zh}", f"{finding.id}: {text.en}")
    console.result(finding.to_dict())
    return ExitCode.DONE
