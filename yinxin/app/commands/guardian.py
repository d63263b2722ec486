"""`yinxin guardian register | list | approve | recall`."""

from __future__ import annotations

import sys
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

import click

from credentials.delegations.cards import read_card
from credentials.delegations.delegation import STATE_NAMES, Principal
from credentials.delegations.terms import EVERY, Kind, Terms
from credentials.licence import start_of_day
from yinxin.app.commands.options import passphrase_option, read_passphrase
from yinxin.app.commands.people import person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.delegations import make_guardians
from yinxin.app.phrases import phrase
from yinxin.app.proofs import office_proofs
from yinxin.base.errors import Conflict, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.delegations.delegation import Delegation
    from credentials.delegations.guardians import Guardians
    from yinxin.app.commands.people import Person
    from yinxin.app.console import Console


@click.group(
    "guardian",
    help=phrase(
        "监护登记：一人依据证明文件登记，另一人批准，监护人在其证照夹中接受。",
        "Guardians: one registers what the document says, another agrees, the guardian accepts in their wallet.",
    ),
)
def command() -> None:
    """Group."""


_ONE = click.argument("guardian")


@command.command(
    "register",
    help=phrase(
        "凭监护人的委托名片（CARD）和证明文件登记监护人。",
        "Register a guardian by the card of their wallet (CARD), on a document.",
    ),
)
@click.argument("card_text", metavar="CARD")
@click.option("--ward", required=True, help=phrase("被监护人姓名", "the ward's name"))
@click.option(
    "--code",
    default="-",
    help=phrase(
        "被监护人公民身份号码；- 从标准输入读取", "the ward's citizen number; - reads standard input"
    ),
)
@click.option(
    "--document", required=True, help=phrase("证明文件名称和编号", "the document's name and number")
)
@click.option("--until", required=True, help=phrase("截止日期，如 2035-06-30", "the last day, as 2035-06-30"))
@click.option(
    "--matter",
    "matters",
    multiple=True,
    help=phrase("事项编码，默认所有事项", "a matter; every one by default"),
)
@passphrase_option
@person_options("clerk")
def register(
    context: click.Context,
    card_text: str,
    ward: str,
    code: str,
    document: str,
    until: str,
    matters: tuple[str, ...],
    **given: Any,
) -> int:
    """Another member of staff approves it."""
    console, (place, guardians, person) = console_of(context), _come(given)
    terms = Terms(
        Kind.GUARDIAN,
        matters or (EVERY,),
        (EVERY,),
        place.clock.now(),
        _end_of(until),
        document=document,
    )
    number = sys.stdin.readline(64).strip() if code == "-" else code
    made = guardians.register(Principal(number, ward), read_card(card_text), terms, actor=person.actor)
    return _shown(console, guardians, made)


@command.command("list", help=phrase("列出待批准和有效的监护登记。", "List guardianships that wait or hold."))
@passphrase_option
@person_options("clerk")
def list_guardians(context: click.Context, **given: Any) -> int:
    """The newest first."""
    console, (place, guardians, person) = console_of(context), _come(given)
    found, now = guardians.open(actor=person.actor), place.clock.now()
    rows = [
        (
            one.id,
            one.agent.name,
            one.principal.name,
            STATE_NAMES[one.state_at(now)].in_language(console.language),
            one.digest[:16],
        )
        for one in found
    ]
    columns = [
        ("编号", "guardian"),
        ("监护人", "name"),
        ("被监护人", "ward"),
        ("状态", "state"),
        ("摘要", "digest"),
    ]
    console.table(columns, rows)
    console.result({"guardians": [one.to_dict(now=now) for one in found]})
    return ExitCode.DONE


@command.command("approve", help=phrase("批准登记（不得由登记人批准）。", "Agree, as another person."))
@_ONE
@click.option("--digest", required=True, help=phrase("核对过的摘要（前 16 位即可）", "what was looked at"))
@passphrase_option
@person_options("approver")
def approve(context: click.Context, guardian: str, digest: str, **given: Any) -> int:
    """A signature over the digest that was looked at."""
    console, (_, guardians, person) = console_of(context), _come(given)
    found = guardians.one(guardian, actor=person.actor)
    if len(digest) < 16 or not found.digest.startswith(digest.lower()):
        raise Conflict("the registration is another than the one that was looked at")
    proof = person.agree(bytes.fromhex(found.digest))
    return _shown(console, guardians, guardians.approve(guardian, proof, actor=person.actor))


@command.command("recall", help=phrase("终止监护登记，立即生效。", "End a guardianship, at once."))
@_ONE
@click.option("--ground", required=True, help=phrase("理由", "the ground"))
@click.option("--document", "document_number", required=True, help=phrase("文号", "the document's number"))
@passphrase_option
@person_options("clerk")
def recall(context: click.Context, guardian: str, ground: str, document_number: str, **given: Any) -> int:
    """What the guardian passed on ends with it."""
    console, (_, guardians, person) = console_of(context), _come(given)
    done = guardians.recall(guardian, ground=ground, document_number=document_number, actor=person.actor)
    return _shown(console, guardians, done)


def _come(given: Mapping[str, Any]) -> tuple[Home, Guardians, Person]:
    place = Home.open(given["home"], passphrase=read_passphrase(given["passphrase_file"], required=False))
    key = {name: given[name] for name in ("key", "key_passphrase_file")}
    person = person_of(place, given["actor"], **key)
    return place, make_guardians(place, office_proofs(place)), person


def _end_of(text: str) -> Any:
    try:
        return start_of_day(date.fromisoformat(text) + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise UsageError(f"{text[:40]} is not a day such as 2035-06-30") from exc


def _shown(console: Console, guardians: Guardians, one: Delegation) -> int:
    now = guardians.delegations.clock.now()
    state = STATE_NAMES[one.state_at(now)]
    console.say(f"{one.id}：{state.zh}，摘要 {one.digest}", f"{one.id}: {state.en}, digest {one.digest}")
    console.result(one.to_dict(now=now))
    return ExitCode.DONE
