"""`yinxin department propose | proposals | approve | reject | suspend | list | show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from verify_api.department_files import read_department
from yinxin.app import wiring
from yinxin.app.commands.options import actor_option, home_option
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.actor import staff

if TYPE_CHECKING:
    from verify_api.departments import Department
    from yinxin.base.actor import Actor


@click.group(
    "department",
    help=phrase(
        "用证部门：登记及变更须两人办理，停用一人即可。",
        "Departments that verify: two people register or change one, one person suspends it.",
    ),
)
def command() -> None:
    """Group."""


@command.command(
    "propose",
    help=phrase(
        "按 TOML 文件申请登记或变更用证部门（格式见操作指南）。",
        "Propose a department, or a change of one, from a TOML file (see the guide).",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@actor_option("clerk")
@home_option()
@click.pass_context
def propose(context: click.Context, file: Path, actor: str, home: str) -> int:
    """Hand in a proposal and print its number."""
    console = console_of(context)
    place = Home.open(home)
    department = read_department(file)
    proposal = wiring.departments(place).propose(department, actor=_act(place, actor, "clerk"))
    console.say(
        f"申请编号 {proposal}；请由另一人审批",
        f"proposal {proposal}; somebody else now approves it",
    )
    console.result({"proposal": proposal, "department": department.id})
    return ExitCode.DONE


@command.command("proposals", help=phrase("列出待审批的申请。", "List what waits for approval."))
@home_option()
@click.pass_context
def proposals(context: click.Context, home: str) -> int:
    """A table of open proposals."""
    console = console_of(context)
    found = wiring.departments(Home.open(home)).proposals()
    rows = [(row["id"], row["content"]["id"], row["proposed_by"], row["proposed_at"]) for row in found]
    console.table(
        [("编号", "number"), ("部门", "department"), ("申请人", "proposed by"), ("时间", "at")], rows
    )
    console.result([{**row, "proposed_at": row["proposed_at"].isoformat()} for row in found])
    return ExitCode.DONE


@command.command(
    "approve",
    help=phrase("审批申请（不得由申请人审批）。", "Approve a proposal (never by who proposed it)."),
)
@click.argument("proposal")
@actor_option("registrar")
@home_option()
@click.pass_context
def approve(context: click.Context, proposal: str, actor: str, home: str) -> int:
    """Put it into force."""
    console = console_of(context)
    place = Home.open(home)
    department = wiring.departments(place).approve(proposal, actor=_act(place, actor, "registrar"))
    console.say(f"已生效：{department.id}", f"in force: {department.id}")
    console.result(_shown(department))
    return ExitCode.DONE


@command.command("reject", help=phrase("驳回申请。", "Reject a proposal."))
@click.argument("proposal")
@actor_option("registrar")
@home_option()
@click.pass_context
def reject(context: click.Context, proposal: str, actor: str, home: str) -> int:
    """Close it without effect."""
    console = console_of(context)
    place = Home.open(home)
    wiring.departments(place).reject(proposal, actor=_act(place, actor, "registrar"))
    console.say(f"已驳回 {proposal}", f"rejected {proposal}")
    console.result({"proposal": proposal})
    return ExitCode.DONE


@command.command(
    "suspend",
    help=phrase(
        "立即停用；恢复须重新申请并审批。",
        "Suspend at once; a new proposal, approved, makes it active again.",
    ),
)
@click.argument("department")
@actor_option("registrar")
@home_option()
@click.pass_context
def suspend(context: click.Context, department: str, actor: str, home: str) -> int:
    """Stop serving it."""
    console = console_of(context)
    place = Home.open(home)
    wiring.departments(place).suspend(department, actor=_act(place, actor, "registrar"))
    console.say(f"已停用 {department}", f"suspended {department}")
    console.result({"department": department, "state": "suspended"})
    return ExitCode.DONE


@command.command("list", help=phrase("列出用证部门。", "List the departments."))
@home_option()
@click.pass_context
def list_departments(context: click.Context, home: str) -> int:
    """A table of departments."""
    console = console_of(context)
    found = wiring.departments(Home.open(home)).every()
    rows = [
        (each.id, each.name.in_language(console.language), each.credit_code, each.purpose, str(each.state))
        for each in found
    ]
    console.table(
        [
            ("标识", "id"),
            ("名称", "name"),
            ("信用代码", "credit code"),
            ("用途", "purpose"),
            ("状态", "state"),
        ],
        rows,
    )
    console.result([_shown(each) for each in found])
    return ExitCode.DONE


@command.command(
    "show", help=phrase("查看一个部门的密钥与授权。", "Show the keys and grants of one department.")
)
@click.argument("department")
@home_option()
@click.pass_context
def show(context: click.Context, department: str, home: str) -> int:
    """Its keys by thumbprint, and what it may see."""
    console = console_of(context)
    found = wiring.departments(Home.open(home)).get(department)
    console.say(
        f"{found.name.zh}（{found.credit_code}），{found.state}",
        f"{found.name.en} ({found.credit_code}), {found.state}",
    )
    console.table([("公钥", "key"), ("算法", "kind")], [(key.thumbprint, key.kind) for key in found.keys])
    rows = [
        (grant.purpose, grant.matter, kind, "、".join(sorted(names)))
        for grant in found.grants
        for kind, names in grant.fields.items()
    ]
    console.table(
        [("用途", "purpose"), ("事项", "matter"), ("证照类型", "licence type"), ("字段", "fields")], rows
    )
    console.result(_shown(found))
    return ExitCode.DONE


def _act(home: Home, name: str, role: str) -> Actor:
    return staff(name, agency=home.settings.agency_code or None, roles=(role,))


def _shown(department: Department) -> dict[str, Any]:
    return {**department.to_dict(), "version": department.version}
