"""`yinxin seal grant | stop-grant | show | uses`: who may use a seal, what it was used for, with proofs."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_day, agency_time, start_of_day
from credentials.office.seals import GrantTerms
from credentials.office.seals.grants import REFUSALS
from credentials.office.seals.values import STATE_NAMES
from yinxin.app.commands.options import Moment, actor_option, home_option, passphrase_option
from yinxin.app.commands.people import member_of, person_options
from yinxin.app.commands.seal_register import SEAL_ARGUMENT, opened, register_of, tell_request
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.audit import AuditLog
from yinxin.base.errors import NotFound
from yinxin.base.files import write_new_file

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.office.seals.uses import Use

MAX_USES = 1000


class _Day(click.ParamType[date]):
    """A day, ISO 8601."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """A date."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(phrase(f"{value} 不是日期", f"{value} is not a day"), param, ctx)


class _Hour(click.ParamType[time]):
    """A time of the agency's day, such as 08:30."""

    name = "hour"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> time:
        """A time."""
        try:
            return value if isinstance(value, time) else time.fromisoformat(value)
        except ValueError:
            self.fail(phrase(f"{value} 不是时刻，如 08:30", f"{value} is no time such as 08:30"), param, ctx)


@click.command(
    "grant",
    help=phrase(
        "申请用印授权（须另一人批准）：谁、哪些类型、时段、每日次数、起止日期。",
        "Ask for a grant of use; another person agrees: who, which types, hours, daily limit, days.",
    ),
)
@SEAL_ARGUMENT
@click.option(
    "--to",
    "grantee",
    required=True,
    help=phrase("staff:工号、role:角色 或 *", "staff:NAME, role:ROLE, or *"),
)
@click.option(
    "--type",
    "types",
    multiple=True,
    required=True,
    help=phrase(
        "证照类型，可多次给出；file 为其他 PDF，* 为全部",
        "a licence type, may be given again; file for other PDFs, * for all",
    ),
)
@click.option(
    "--hours", nargs=2, type=_Hour(), help=phrase("每日起止时刻", "from and to, of the agency's day")
)
@click.option("--daily-limit", type=click.IntRange(1), help=phrase("每日次数上限", "so often a day"))
@click.option("--from", "from_day", type=_Day(), help=phrase("自（含）", "the first day"))
@click.option("--until", "until_day", type=_Day(), help=phrase("至（含）", "the last day"))
@passphrase_option
@person_options("keeper")
def grant(
    context: click.Context,
    seal: str,
    grantee: str,
    types: tuple[str, ...],
    hours: tuple[time, time] | None,
    daily_limit: int | None,
    from_day: date | None,
    until_day: date | None,
    **given: Any,
) -> int:
    """What is not named is not limited."""
    home, person = opened(given)
    opens, closes = hours or (None, None)
    terms = GrantTerms(grantee, types, opens, closes, daily_limit, from_day, until_day)
    return tell_request(context, register_of(home).ask_to_grant(seal, terms, actor=person.actor))


@click.command("stop-grant", help=phrase("立即终止一项用印授权。", "End a grant at once."))
@SEAL_ARGUMENT
@click.argument("grant_id")
@click.option("--why", required=True, help=phrase("原因", "why"))
@passphrase_option
@person_options("keeper")
def stop_grant(context: click.Context, seal: str, grant_id: str, why: str, **given: Any) -> int:
    """One person is enough."""
    home, person = opened(given)
    register_of(home).stop_grant(seal, grant_id, why=why, actor=person.actor)
    console_of(context).say(f"已终止 {grant_id}", f"ended {grant_id}")
    console_of(context).result({"grant": grant_id, "active": False})
    return ExitCode.DONE


@click.command(
    "show",
    help=phrase(
        "查看印章：状态、授权、今日用印、告警。", "Show a seal: state, grants, today's uses, alarms."
    ),
)
@SEAL_ARGUMENT
@actor_option("keeper")
@home_option()
@click.pass_context
def show(context: click.Context, seal: str, actor: str, home: str) -> int:
    """As the keeper's page does."""
    console, place = console_of(context), Home.open(home)
    seals, who = register_of(place), member_of(place, actor)
    found, today = seals.seal(seal, actor=who), start_of_day(agency_day(place.clock.now()))
    grants, alarms = seals.grants(seal, actor=who), seals.alarms(seal, actor=who)
    uses = seals.uses(seal, actor=who, since=today, limit=MAX_USES)
    state = STATE_NAMES[found.state]
    console.say(
        f"{found.name}：{state.zh}，今日用印 {len(uses)} 次",
        f"{found.name}: {state.en}, {len(uses)} uses today",
    )
    rows = [
        (
            one.id,
            one.terms.grantee,
            "、".join(one.terms.types),
            one.terms.daily_limit or "–",
            one.stopped_for or "–",
        )
        for one in grants
    ]
    columns = [
        ("授权", "grant"),
        ("授予", "to"),
        ("类型", "types"),
        ("每日上限", "a day"),
        ("终止原因", "ended for"),
    ]
    console.table(columns, rows)
    console.table(
        [("时间", "at"), ("告警", "alarm"), ("操作人", "actor")],
        [
            (
                agency_time(one.at),
                REFUSALS[one.kind].in_language(console.language),
                one.actor,
            )
            for one in alarms
        ],
    )
    console.result(
        {
            **found.to_dict(),
            "grants": [one.to_dict() for one in grants],
            "uses_today": len(uses),
            "alarms": [one.to_dict() for one in alarms],
        }
    )
    return ExitCode.DONE


@click.command(
    "uses",
    help=phrase(
        "用印日志；--prove 为每次用印写出可离线核验的日志证明。",
        "The log of uses; --prove writes a proof for each, against the audit log's checkpoint.",
    ),
)
@SEAL_ARGUMENT
@click.option("--since", type=Moment(), help=phrase("自何时起", "from when on"))
@click.option("--after", type=click.IntRange(0), default=0, help=phrase("从此序号之后", "behind this number"))
@click.option(
    "--prove",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("证明文件的目录", "folder for the proofs"),
)
@actor_option("keeper")
@home_option()
@click.pass_context
def uses(
    context: click.Context,
    seal: str,
    since: datetime | None,
    after: int,
    prove: Path | None,
    actor: str,
    home: str,
) -> int:
    """In their order, a thousand at most."""
    console, place = console_of(context), Home.open(home)
    who = member_of(place, actor)
    found = register_of(place).uses(seal, actor=who, after=after, since=since, limit=MAX_USES)
    proved = _prove(place, found, prove) if prove else {}
    rows = [
        (
            one.number,
            agency_time(one.used_at),
            one.actor,
            one.licence or "–",
            one.document[:16],
        )
        for one in found
    ]
    columns = [
        ("序号", "number"),
        ("时间", "at"),
        ("操作人", "actor"),
        ("证照标识", "licence"),
        ("文件摘要", "document"),
    ]
    console.table(columns, rows)
    console.result([{**one.to_dict(), "proof": proved.get(one.number)} for one in found])
    return ExitCode.DONE


def _prove(home: Home, found: list[Use], folder: Path) -> dict[int, str]:
    """A file of proof for each use; none for one that the log has not taken yet, or that is from before it."""
    log, proved = AuditLog(home.database), {}
    folder.mkdir(parents=True, exist_ok=True)
    for use in found:
        try:
            text = log.offline_proof(use.entry)
        except NotFound:
            continue
        target = folder / f"{use.number}.tlog-proof"
        target.unlink(missing_ok=True)
        write_new_file(target, text.encode())
        proved[use.number] = str(target)
    return proved


COMMANDS = (grant, stop_grant, show, uses)
