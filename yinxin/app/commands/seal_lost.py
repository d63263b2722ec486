"""`yinxin seal compromise | credential-key`: a key is lost; run it again and it goes on where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from credentials.office.seals.drills import DrillState, ItemState
from credentials.office.seals.drills.values import DRILL_NAMES, VERDICT_NAMES, Verdict
from yinxin.app import sealing, wiring
from yinxin.app.commands.options import Moment, passphrase_option
from yinxin.app.commands.people import person_options
from yinxin.app.commands.seal_register import DOCUMENT, GROUND, SEAL_ARGUMENT, opened, register_of
from yinxin.app.console import ExitCode, console_of
from yinxin.app.office.entrance import office_proofs
from yinxin.app.phrases import phrase

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.office.seals.drills import Compromise, Drill, Plan
    from yinxin.app.commands.people import Person
    from yinxin.app.console import Console
    from yinxin.app.home import Home


@click.command(
    "compromise",
    help=phrase(
        "印章密钥失密：立即停用，按可信时间区分失密前后的文件，提出方案；另一人批准后吊销证书，以新章重制存疑的证照。\n\n可反复执行，从中断处继续。",
        "A seal's key is lost: stop it, split what is surely before from what is doubtful, ask for a second "
        "person; then the doubtful are sealed anew by its successor.\n\nRun it again and it goes on.",
    ),
)
@SEAL_ARGUMENT
@click.option(
    "--since",
    required=True,
    type=Moment(),
    help=phrase("自何时起不可信", "since when it is not to be trusted"),
)
@GROUND
@DOCUMENT
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help=phrase("同时重制的件数", "so many are sealed anew at once"),
)
@passphrase_option
@person_options("keeper")
def compromise(
    context: click.Context, seal: str, since: datetime, ground: str, document: str, workers: int, **given: Any
) -> int:
    """As far as it can go today; exit 1 while something is left to do."""
    home, person = opened(given)
    console, lost = console_of(context), sealing.lost_keys(home, office_proofs(home))
    drill = lost.begin(seal, since=since, ground=ground, document_number=document, actor=person.actor)
    if drill.state is DrillState.EXAMINING:
        with console.progress("核查", "examining") as show:
            lost.examine(drill.id, sealing.examiner(home), actor=person.actor, progress=show)
    elif drill.state is DrillState.APPROVED:
        _reseal(home, console, lost, drill, person, workers)
    return _tell(console, lost.plan(drill.id, actor=person.actor), lost, person)


def _reseal(
    home: Home, console: Console, lost: Compromise, drill: Drill, person: Person, workers: int
) -> None:
    sealing.revoke_lost(home, drill, actor=person.actor)
    new = sealing.seal_in_use(home, register_of(home), actor=person.actor)
    if new is None or new.certificate == drill.certificate:
        console.note(
            "新章尚未启用：请依次 remake、approve、make --people、file、begin",
            "no successor is in use yet: remake, approve, make --people, file, begin",
        )
        return
    issuer = wiring.issuer(home)
    with console.progress("重制", "sealing anew") as show:
        lost.reseal(drill.id, issuer, seal_id=new.id, actor=person.actor, progress=show, workers=workers)


def _tell(console: Console, plan: Plan, lost: Compromise, person: Person) -> int:
    drill, state = plan.drill, DRILL_NAMES[plan.drill.state]
    console.say(f"处置 {drill.id}：{state.zh}", f"{drill.id}: {state.en}")
    rows = [
        (VERDICT_NAMES[Verdict(name)].in_language(console.language), count)
        for name, count in sorted(plan.verdicts.items())
    ]
    console.table([("判定", "verdict"), ("份数", "documents")], rows)
    if drill.state is DrillState.PLANNED:
        console.say(
            f"须由另一人批准：yinxin seal approve {plan.request}",
            f"another person agrees: yinxin seal approve {plan.request}",
        )
    left = lost.items(drill.id, actor=person.actor, state=ItemState.LEFT, limit=1000)
    console.table(
        [("证照或文件", "licence or file"), ("未重制的原因", "why it is left")],
        [(one.licence or one.document, one.result) for one in left],
    )
    console.result({**plan.to_dict(), "left": [one.to_dict() for one in left]})
    return ExitCode.DONE if drill.state is DrillState.DONE else ExitCode.FAILED


@click.command(
    "credential-key",
    help=phrase(
        "凭证密钥失密：换发新密钥（服务须重启），提出方案；另一人批准后吊销证书，作废全部副本，持证人的证照夹刷新即得新副本。\n\n可反复执行，从中断处继续。",
        "The credential key is lost: a new one takes its place (services restart); after a second person agreed "
        "every copy in a wallet is ended, and refreshing brings fresh ones.\n\nRun it again and it goes on.",
    ),
)
@click.option(
    "--since",
    required=True,
    type=Moment(),
    help=phrase("自何时起不可信", "since when it is not to be trusted"),
)
@GROUND
@DOCUMENT
@passphrase_option
@person_options("keeper")
def credential_key(context: click.Context, since: datetime, ground: str, document: str, **given: Any) -> int:
    """Exit 1 while something is left to do."""
    home, person = opened(given)
    console, lost = console_of(context), sealing.lost_keys(home, office_proofs(home))
    drill = sealing.begin_credential_drill(
        home, lost, since=since, ground=ground, document_number=document, actor=person.actor
    )
    ended = 0
    if drill.state in {DrillState.APPROVED, DrillState.DONE}:
        sealing.revoke_lost(home, drill, actor=person.actor)
        with console.progress("作废副本", "ending copies") as show:
            ended = lost.retire(drill.id, wiring.status_service(home), actor=person.actor, progress=show)
    plan = lost.plan(drill.id, actor=person.actor)
    state = DRILL_NAMES[plan.drill.state]
    console.say(f"处置 {drill.id}：{state.zh}", f"{drill.id}: {state.en}")
    if plan.drill.state is DrillState.PLANNED:
        console.say(
            f"须由另一人批准：yinxin seal approve {plan.request}",
            f"another person agrees: yinxin seal approve {plan.request}",
        )
    else:
        console.say(f"本次作废副本 {ended} 份", f"{ended} copies ended this time")
    console.result({**plan.to_dict(), "ended": ended})
    return ExitCode.DONE if plan.drill.state is DrillState.DONE else ExitCode.FAILED


COMMANDS = (compromise, credential_key)
