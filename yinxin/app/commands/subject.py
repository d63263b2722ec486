"""`yinxin subject plan | again | approve | withdraw | run | halt | show | list | link`."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_day
from yinxin.app.commands.options import (
    actor_option,
    clerk_of,
    home_option,
    key_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.commands.people import person_of
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.subjects import Subjects, make_subjects
from yinxin.app.phrases import phrase
from yinxin.app.subjects.comparing import PlanOutdated
from yinxin.app.subjects.history import STATE_TEXTS
from yinxin.app.subjects.values import (
    ACTION_NAMES,
    EFFECT_NAMES,
    KIND_NAMES,
    OUTCOME_NAMES,
    STATE_NAMES,
    EventKind,
    OutcomeKind,
    Subject,
)
from yinxin.base.actor import staff
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from yinxin.app.console import Console
    from yinxin.app.subjects.cascade import Planned
    from yinxin.app.subjects.values import PlannedEffect


@click.group(
    "subject",
    help=phrase(
        "持证主体的变更（更名、法定代表人变更、合并、终止、死亡、纠错）及其联动处理：先出方案，另一人批准，再执行。",
        "What happens to a person or company, and all that follows: planned, approved by another person, done.",
    ),
)
def command() -> None:
    """Group."""


_SUBJECT = click.option(
    "--subject",
    help=phrase(
        "统一社会信用代码或公民身份号码；填 - 则从标准输入读取（不留在命令记录中）",
        "credit code or citizen's number; - reads it from standard input, out of the shell's history",
    ),
)
_EVENT = click.argument("event_id", metavar="EVENT")


@command.command(
    "plan",
    help=phrase(
        "拟定方案：列出涉及的每件证照、副本、证书、印章、授权委托及处理方式，不作任何改动。",
        "Plan: every licence, copy, certificate, seal and delegation touched, and what would happen to it.",
    ),
)
@click.argument("kind", type=click.Choice([str(kind) for kind in EventKind]))
@_SUBJECT
@click.option(
    "--name", help=phrase("新名称；合并时为存续主体名称", "the new name; of who takes over in a merger")
)
@click.option("--representative", help=phrase("新法定代表人", "the new legal representative"))
@click.option("--into", help=phrase("合并后存续主体的代码", "code of the organisation merged into"))
@click.option("--undoes", help=phrase("要撤回的事件编号", "the event that is taken back"))
@click.option("--on", "happened_on", help=phrase("发生日期（年-月-日）", "the day it happened"))
@click.option("--ground", required=True, help=phrase("法律依据", "the legal ground"))
@click.option("--document", required=True, help=phrase("文书编号", "number of the decision"))
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def plan(
    context: click.Context,
    kind: str,
    subject: str | None,
    name: str | None,
    representative: str | None,
    into: str | None,
    undoes: str | None,
    happened_on: str | None,
    ground: str,
    document: str,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """Keep a plan and print it."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    facts = subjects.cascade.facts(
        kind=EventKind(kind),
        subject=_subject(subject),
        ground=ground,
        document_number=document,
        name=name,
        representative=representative,
        into=Subject.parse(into) if into else None,
        undoes=undoes,
        happened_on=_day(happened_on),
    )
    planned = subjects.cascade.plan(facts, actor=clerk_of(place, actor))
    _show(console, planned)
    console.say(
        f"方案编号 {planned.event.id}；请另一人核对并批准（摘要 {planned.event.digest[:16]}…）",
        f"plan {planned.event.id}; somebody else now looks at it and approves it (digest {planned.event.digest[:16]}…)",
    )
    console.result(planned.to_dict())
    return ExitCode.DONE


@command.command(
    "again",
    help=phrase("按现状重新生成方案；此前的批准作废。", "Plan again; what was approved before is void."),
)
@_EVENT
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def again(context: click.Context, event_id: str, actor: str, home: str, passphrase_file: str | None) -> int:
    """Put a new plan in the place of the old one."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    planned = subjects.cascade.plan_again(event_id, actor=clerk_of(place, actor))
    _show(console, planned)
    console.result(planned.to_dict())
    return ExitCode.DONE


@command.command(
    "approve",
    help=phrase("以本人密钥签名批准方案（不得批准本人拟定的方案）。", "Approve a plan with your own key."),
)
@_EVENT
@click.option(
    "--digest", help=phrase("所核对方案的摘要（开头即可）", "the digest of the plan that you looked at")
)
@key_option
@actor_option("approver")
@home_option()
@passphrase_option
@click.pass_context
def approve(
    context: click.Context,
    event_id: str,
    digest: str | None,
    key: str,
    key_passphrase_file: str | None,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """Sign the digest of the plan as it is."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    person = person_of(place, actor, key=key, key_passphrase_file=key_passphrase_file)
    planned = subjects.cascade.show(event_id, actor=person.actor)
    if digest and not planned.event.digest.startswith(digest):
        raise NotPermitted("the plan is not the one that you looked at: show it again")
    proof = person.agree(bytes.fromhex(planned.event.digest))
    event = subjects.cascade.approve(event_id, proof=proof, actor=person.actor)
    console.say(f"已批准 {event.id}", f"approved {event.id}")
    console.result(event.to_dict())
    return ExitCode.DONE


@command.command("withdraw", help=phrase("撤回未执行的方案。", "Give up a plan that was not run."))
@_EVENT
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def withdraw(
    context: click.Context, event_id: str, actor: str, home: str, passphrase_file: str | None
) -> int:
    """Close it."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    event = subjects.cascade.withdraw(event_id, actor=clerk_of(place, actor))
    console.say(f"已撤回 {event.id}", f"withdrawn {event.id}")
    console.result(event.to_dict())
    return ExitCode.DONE


@command.command(
    "halt",
    help=phrase("立即叫停执行中的事项；已办理的不变。", "Halt a running event; what was done stays."),
)
@_EVENT
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def halt(context: click.Context, event_id: str, actor: str, home: str, passphrase_file: str | None) -> int:
    """Leave the rest."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    event = subjects.cascade.halt(event_id, actor=clerk_of(place, actor))
    console.say(f"已叫停 {event.id}", f"halted {event.id}")
    console.result(event.to_dict())
    return ExitCode.DONE


@command.command(
    "run",
    help=phrase(
        "执行已批准的方案；中断后再次执行即从断点继续，不重复、不遗漏。",
        "Run an approved plan; run it again after an interruption: nothing is done twice, nothing is lost.",
    ),
)
@_EVENT
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def run(context: click.Context, event_id: str, actor: str, home: str, passphrase_file: str | None) -> int:
    """Exit 1 when an effect failed, or the plan is out of date."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    try:
        with console.progress("处理中", "at work") as progress:
            report = subjects.work.run(event_id, actor=clerk_of(place, actor), progress=progress)
    except PlanOutdated as outdated:
        console.say(
            "方案拟定后情况已变化，请重新生成方案：", "things changed since the plan was made; plan again:"
        )
        for one in outdated.differences:
            console.say(f"· {one.text.zh}", f"· {one.text.en}")
        console.result({"plan_outdated": [one.to_dict() for one in outdated.differences]})
        return ExitCode.FAILED
    _show(console, report)
    console.result(report.to_dict())
    return ExitCode.FAILED if report.counts[OutcomeKind.FAILED] else ExitCode.DONE


@command.command("show", help=phrase("查看方案及执行情况。", "Show a plan and how far it is."))
@_EVENT
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def show(context: click.Context, event_id: str, actor: str, home: str, passphrase_file: str | None) -> int:
    """Effect by effect."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    planned = subjects.cascade.show(event_id, actor=clerk_of(place, actor))
    _show(console, planned)
    if planned.event.digest:  # what an approver names with `approve --digest`
        console.say(f"方案摘要 {planned.event.digest}", f"digest of the plan: {planned.event.digest}")
    console.result(planned.to_dict())
    return ExitCode.DONE


@command.command(
    "list", help=phrase("列出事件；可限定某一主体。", "List events; those of one subject where named.")
)
@_SUBJECT
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def list_events(
    context: click.Context, subject: str | None, actor: str, home: str, passphrase_file: str | None
) -> int:
    """Newest first; of one subject oldest first, with what it is by them."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    who = clerk_of(place, actor)
    if subject is None:
        events = subjects.cascade.recent(actor=who)
    else:
        state, events = subjects.cascade.of_subject(_subject(subject), actor=who)
        says = STATE_TEXTS[state]
        console.say(f"主体状态：{says.zh}", f"the subject is {says.en}")
    rows = [
        (
            one.id,
            KIND_NAMES[one.facts.kind].in_language(console.language),
            one.facts.subject.shown,
            STATE_NAMES[one.state].in_language(console.language),
            agency_day(one.planned_at),
        )
        for one in events
    ]
    columns = [("编号", "event"), ("事项", "what"), ("主体", "subject"), ("状态", "state"), ("日期", "day")]
    console.table(columns, rows)
    console.result([one.to_dict() for one in events])
    return ExitCode.DONE


@command.command(
    "link",
    help=phrase(
        "登记某张个人证书属于某人（证书内不写身份号码）。",
        "Say whose a person's certificate is: it does not hold their number.",
    ),
)
@_SUBJECT
@click.option("--authority", default="issuing", show_default=True, help=phrase("签发机构", "the authority"))
@click.option("--serial", required=True, help=phrase("证书序列号（十六进制）", "serial number, hexadecimal"))
@actor_option("registrar")
@home_option()
@passphrase_option
@click.pass_context
def link(
    context: click.Context,
    subject: str | None,
    authority: str,
    serial: str,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """So that an event of the person reaches it."""
    console = console_of(context)
    place, subjects = _open(home, passphrase_file)
    who = staff(actor, agency=place.settings.agency_code, roles=("registrar",))
    subjects.cascade.link_certificate(_subject(subject), authority, _serial(serial), actor=who)
    console.say(f"已登记：{authority}/{serial}", f"linked: {authority}/{serial}")
    console.result({"authority": authority, "serial": serial})
    return ExitCode.DONE


def _show(console: Console, planned: Planned) -> None:
    """What happened, and a row for each effect."""
    event, language = planned.event, console.language
    kind, state = KIND_NAMES[event.facts.kind], STATE_NAMES[event.state]
    console.say(
        f"{kind.zh}：{event.facts.subject.shown}（{state.zh}）",
        f"{kind.en}: {event.facts.subject.shown} ({state.en})",
    )
    columns = [
        ("类别", "kind"),
        ("名称", "what"),
        ("标识", "thing"),
        ("处理", "action"),
        ("结果", "outcome"),
        ("理由", "why"),
    ]
    console.table(columns, [_row(one, language) for one in planned.effects])
    counted = [(OUTCOME_NAMES[kind], count) for kind, count in planned.counts.items() if count]
    console.say(
        "，".join(f"{name.zh} {count}" for name, count in counted) or "不涉及任何事项",
        ", ".join(f"{count} {name.en}" for name, count in counted) or "nothing is touched",
    )


def _row(one: PlannedEffect, language: Any) -> tuple[str, ...]:
    effect = one.effect
    return (
        EFFECT_NAMES[effect.of].in_language(language),
        effect.name.in_language(language),
        effect.thing,
        ACTION_NAMES[effect.action].in_language(language),
        one.outcome.text.in_language(language),
        effect.why.in_language(language),
    )


def _open(home: str, passphrase_file: str | None) -> tuple[Home, Subjects]:
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    return place, make_subjects(place)


def _subject(given: str | None) -> Subject:
    if given is None or given == "-":
        given = sys.stdin.readline() if given == "-" else ""
    return Subject.parse(given)


def _serial(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError as exc:
        raise click.BadParameter(phrase("不是十六进制序列号", "not a hexadecimal serial number")) from exc


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as exc:
        raise click.BadParameter(phrase("不是日期", "not a day (YYYY-MM-DD)")) from exc
