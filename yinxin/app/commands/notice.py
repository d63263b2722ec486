"""`yinxin notice list | acknowledge`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_time
from credentials.office.notices import NoticeQueue
from verify_api.departments import DepartmentDirectory
from verify_api.notices import granted_fields
from yinxin.app import wiring
from yinxin.app.commands.options import passphrase_option, read_passphrase
from yinxin.app.commands.people import person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.errors import NotFound, NotPermitted

if TYPE_CHECKING:
    from verify_api.departments import Department
    from yinxin.base.actor import Actor

MOST = 100


@click.group(
    "notice",
    help=phrase(
        "变更通知：用证部门曾采信的证照后来如何。",
        "Notices: what became of licences that a department accepted.",
    ),
)
def command() -> None:
    """Group."""


_DEPARTMENT = click.option("--department", required=True, help=phrase("用证部门标识", "the department's id"))


@command.command(
    "list", help=phrase("列出本部门未确认的通知。", "The department's notices that wait, oldest first.")
)
@_DEPARTMENT
@passphrase_option
@person_options("clerk")
def list_notices(context: click.Context, **given: Any) -> int:
    """What is granted with its values, all else by name; the log says who read them first."""
    console, (place, department, clerk) = console_of(context), _come(given)
    catalogue = wiring.catalogue(place)
    len(catalogue)  # looked up now: no second look is taken inside a transaction
    with place.database.transaction() as session:
        found = NoticeQueue(clock=place.clock).hand_out(
            session, department.id, granted=granted_fields(department), actor=clerk, limit=MOST
        )
    notices = [one.to_dict(catalogue) for one in found]
    language = console.language
    columns = [
        ("编号", "notice"),
        ("证照", "licence"),
        ("现状", "now"),
        ("变更字段", "fields"),
        ("时间", "told"),
    ]
    rows = [
        (
            one["id"],
            one["licence"],
            one["text"][str(language)],
            "、".join((field["label"] or {}).get(str(language), field["name"]) for field in one["fields"]),
            agency_time(datetime.fromisoformat(one["told_at"])),
        )
        for one in notices
    ]
    console.table(columns, rows)
    console.result({"notices": notices})
    return ExitCode.DONE


@command.command(
    "acknowledge", help=phrase("确认已收到通知；重复确认无影响。", "Take a notice off the queue.")
)
@click.argument("notice")
@_DEPARTMENT
@passphrase_option
@person_options("clerk")
def acknowledge(context: click.Context, notice: str, **given: Any) -> int:
    """Again changes nothing."""
    console, (place, department, clerk) = console_of(context), _come(given)
    with place.database.transaction() as session:
        done = NoticeQueue(clock=place.clock).acknowledge(session, notice, department.id, actor=clerk)
    at = done.acknowledged_at.isoformat() if done.acknowledged_at else None
    console.say(f"已确认 {notice}", f"acknowledged {notice}")
    console.result({"id": done.id, "acknowledged_at": at, "acknowledged_by": done.acknowledged_by})
    return ExitCode.DONE


def _come(given: dict[str, Any]) -> tuple[Home, Department, Actor]:
    """The home, the department and its clerk, who holds a registered key; else `NotPermitted`."""
    place = Home.open(given["home"], passphrase=read_passphrase(given["passphrase_file"], required=False))
    directory = DepartmentDirectory(place.database, clock=place.clock)
    directory.snapshot()
    department = directory.active(given["department"])
    if department is None:
        raise NotFound(f"no department {given['department'][:200]}")
    clerk = person_of(
        place,
        given["actor"],
        key=given["key"],
        key_passphrase_file=given["key_passphrase_file"],
        organisation=department.credit_code,
    ).actor
    if clerk.agency != department.credit_code:
        raise NotPermitted("notices are for the department's own clerks")
    clerk.require_role("clerk")
    return place, department, clerk
