"""`yinxin policy show | check | diff | strength`: what a verifier demands, before it decides anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signing.algorithms import ALGORITHMS
from signing.policy import Policy
from signing.policy.levels import Level
from signing.policy.strength import strength_table, strength_tables
from yinxin.app.commands.options import home_option
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(
    "policy", help=phrase("验证策略：查看、检查、比较。", "Validation policies: show, check, compare.")
)
def command() -> None:
    """Group."""


@command.command(
    "show",
    help=phrase(
        "列出策略的全部要求（含默认值），格式即策略文件。",
        "Print every demand of a policy, defaults too, in the form of a policy file.",
    ),
)
@click.argument("file", type=_FILE, required=False)
@home_option(required=False)
@click.pass_context
def show(context: click.Context, file: Path | None, home: str | None) -> int:
    """The policy of a file, of a home, or the default one."""
    console = console_of(context)
    policy = _read(file) if file else Home.open(home).policy if home else Policy.default()
    if not console.as_json:
        click.echo(policy.to_toml(), nl=False)
        console.note(f"策略摘要（SHA-256）{policy.hash}", f"SHA-256 of the policy {policy.hash}")
    console.result({"hash": policy.hash, "policy": policy.to_dict()})
    return ExitCode.DONE


@command.command(
    "check",
    help=phrase(
        "检查策略文件：键名与取值、无法满足的要求、即将停用的算法。",
        "Check a policy file: keys and values, demands that nothing can meet, algorithms that end.",
    ),
)
@click.argument("file", type=_FILE)
@click.pass_context
def check(context: click.Context, file: Path) -> int:
    """Exit 0 when it can be used, 1 when nothing could pass under it, 4 when it is no policy."""
    console = console_of(context)
    policy = _read(file)
    faults, ends = list(_faults(policy)), list(_ends(policy))
    for zh, en in faults:
        console.say(f"✗ {zh}", f"✗ {en}")
    if ends:
        console.table(
            [("算法", "algorithm"), ("密钥位数不低于", "keys from bits"), ("有效至", "counts until")],
            [(row["algorithm"], row["bits"] or "–", row["until"]) for row in ends],
        )
    if not faults:
        console.say(f"策略可用，摘要 {policy.hash}", f"the policy can be used; its hash is {policy.hash}")
    told = [{"zh": zh, "en": en} for zh, en in faults]
    console.result({"hash": policy.hash, "faults": told, "ends": ends})
    return ExitCode.FAILED if faults else ExitCode.DONE


@command.command("diff", help=phrase("比较两个策略文件。", "Compare two policy files."))
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.pass_context
def diff(context: click.Context, before: Path, after: Path) -> int:
    """Each demand that differs; exit 1 when any does."""
    console = console_of(context)
    old, new = _read(before).to_dict(), _read(after).to_dict()
    changed = [
        {"demand": name, "before": old[name], "after": new[name]}
        for name in sorted(old)
        if old[name] != new[name]
    ]
    console.table(
        [("要求", "demand"), ("原", "before"), ("新", "after")],
        [(row["demand"], row["before"], row["after"]) for row in changed],
    )
    if not changed:
        console.say("两个策略相同", "the two policies are the same")
    console.result({"changed": changed})
    return ExitCode.FAILED if changed else ExitCode.DONE


@command.command(
    "strength",
    help=phrase("列出算法强度表及其出处。", "List the tables of algorithm strength, with their sources."),
)
@click.pass_context
def strength(context: click.Context) -> int:
    """Every table that comes with the program."""
    console = console_of(context)
    for table in strength_tables().values():
        rows = [
            (", ".join(sorted(row.algorithms)), row.from_bits or "–", row.below_bits or "–", row.until)
            for row in table.rows
        ]
        columns = [
            ("算法", "algorithms"),
            ("位数自", "from bits"),
            ("低于", "below bits"),
            ("有效至", "counts until"),
        ]
        console.table(columns, rows, title=table.name)
        console.say(f"  出处：{table.source}", f"  source: {table.source}")
    console.result([{**table.to_dict(), "source": table.source} for table in strength_tables().values()])
    return ExitCode.DONE


def _read(file: Path) -> Policy:
    return Policy.from_toml(read_file(file))


def _faults(policy: Policy) -> Iterator[tuple[str, str]]:
    """Demands that no signature can meet, though each of them can be written down."""
    if not policy.algorithms:
        yield "没有允许任何算法，任何签名都不会通过", "no algorithm is allowed: nothing can pass"
    timed = [policy.demand, *(demand for _, demand in policy.licence_types)]
    serves = {usage for _, usages in policy.anchors for usage in usages}
    whole = any(not usages for _, usages in policy.anchors)
    if (
        policy.anchors
        and not whole
        and "timestamp" not in serves
        and any(d.level is not Level.B_B for d in timed)
    ):
        yield (
            "要求时间戳，但没有信任锚可用于时间戳",
            "a time-stamp is demanded, and no anchor may serve for time-stamps",
        )


def _ends(policy: Policy) -> Iterator[dict[str, Any]]:
    """Which of the allowed algorithms end, and when; a table's row for each size of keys that it tells apart."""
    table = strength_table(policy.strength) if policy.strength else None
    for algorithm in (row for row in ALGORITHMS if row.name in policy.algorithms):
        days = [(0, end.date()) for name, end in policy.algorithm_ends if name == algorithm.name]
        for row in table.rows if table else ():
            if (
                algorithm.name in row.algorithms
                and (row.below_bits or policy.min_rsa_bits + 1) > policy.min_rsa_bits
            ):
                is_rsa = algorithm.key_kind == "RSA"
                days.append((max(row.from_bits, policy.min_rsa_bits) if is_rsa else row.from_bits, row.until))
        least: dict[date, int] = {}
        for bits, day in days:
            least[day] = min(bits, least.get(day, bits))
        yield from (
            {"algorithm": algorithm.name, "bits": bits, "until": day.isoformat()}
            for day, bits in sorted(least.items())
        )
