"""`yinxin staff first | add | list | roles | enrol | link | deactivate | platform`; keys are in `.staff_keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from credentials.licence import agency_time
from yinxin.access.accounts import ROLES
from yinxin.app import sign_in
from yinxin.app.commands.options import home_option, passphrase_option, read_passphrase
from yinxin.app.commands.registrars import account_facts, acting, registrar_of, state_word
from yinxin.app.commands.staff_keys import KEY_COMMANDS
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.actor import staff
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from yinxin.access.accounts import Enrolment
    from yinxin.app.console import Console


@click.group(
    "staff",
    help=phrase(
        "工作人员：首位注册人员由两人共同设立，此后由本单位注册人员管理，任何人不得变更本人。",
        "Staff: two people enter an organisation's first registrar, who keeps the others; nobody changes the own entry.",
    ),
)
def command() -> None:
    """Group."""


for one in KEY_COMMANDS:
    command.add_command(one)


_IDENTIFIER = click.argument("identifier")
_NAME = click.option("--name", required=True, help=phrase("姓名", "the person's name"))
_ORGANISATION = click.option(
    "--organisation",
    help=phrase("统一社会信用代码，默认为本机关", "its credit code; the home's own agency by default"),
)
_ROLES = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(ROLES),
    help=phrase("角色，可多次给出", "the role; may be given again"),
)


@command.command(
    "first",
    help=phrase(
        "设立一个单位的首位注册人员：操作人与见证人须为两人，并需密钥口令。",
        "Enter an organisation's first registrar: who acts and who witnesses are two people; needs the passphrase.",
    ),
)
@_IDENTIFIER
@_NAME
@_ORGANISATION
@click.option("--witness", required=True, help=phrase("见证人", "who witnesses it"))
@passphrase_option
@acting
def first(
    context: click.Context,
    identifier: str,
    name: str,
    organisation: str | None,
    witness: str,
    passphrase_file: str | None,
    actor: str,
    home: str,
) -> int:
    """Show the code by which the registrar registers a passkey."""
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    place.document_key()  # whoever opens this home's keys was there at its ceremony
    code = organisation or place.settings.agency_code
    made = sign_in.staff_directory(place).bootstrap(
        identifier,
        name=name,
        organisation=code,
        actor=staff(actor, agency=code),
        witness=staff(witness, agency=code),
    )
    return _handed_out(console_of(context), made)


@command.command(
    "add", help=phrase("添加工作人员，输出一次性注册码。", "Add somebody; shows their enrolment code, once.")
)
@_IDENTIFIER
@_NAME
@_ROLES
@acting
def add(
    context: click.Context, identifier: str, name: str, roles: tuple[str, ...], actor: str, home: str
) -> int:
    """In the registrar's own organisation."""
    place = Home.open(home)
    registrar = registrar_of(place, actor)
    made = sign_in.staff_directory(place).add(
        identifier, name=name, organisation=registrar.agency or "", roles=roles, actor=registrar
    )
    return _handed_out(console_of(context), made)


@command.command("list", help=phrase("列出本单位工作人员。", "List the staff of the actor's organisation."))
@acting
def list_staff(context: click.Context, actor: str, home: str) -> int:
    """A table of accounts."""
    console, place = console_of(context), Home.open(home)
    reader = registrar_of(place, actor)
    found = sign_in.staff_directory(place).list(reader.agency or "", actor=reader)
    rows = [
        (one.identifier, one.name, "、".join(sorted(one.roles)), state_word(console, is_active=one.is_active))
        for one in found
    ]
    columns = [("工号", "identifier"), ("姓名", "name"), ("角色", "roles"), ("状态", "state")]
    console.table(columns, rows)
    console.result([account_facts(one) for one in found])
    return ExitCode.DONE


@command.command(
    "roles", help=phrase("变更角色（不得变更本人）。", "Set somebody's roles (never one's own).")
)
@_IDENTIFIER
@_ROLES
@acting
def roles(context: click.Context, identifier: str, roles: tuple[str, ...], actor: str, home: str) -> int:
    """From the next request on."""
    console, place = console_of(context), Home.open(home)
    account = sign_in.staff_directory(place).set_roles(identifier, roles, actor=registrar_of(place, actor))
    shown = "、".join(sorted(account.roles))
    console.say(f"{account.identifier} 的角色：{shown}", f"roles of {account.identifier}: {shown}")
    console.result(account_facts(account))
    return ExitCode.DONE


@command.command(
    "enrol",
    help=phrase("重新发放注册码（原通行密钥不受影响）。", "Hand out a new enrolment code; passkeys stay."),
)
@_IDENTIFIER
@acting
def enrol(context: click.Context, identifier: str, actor: str, home: str) -> int:
    """For a new device."""
    place = Home.open(home)
    made = sign_in.staff_directory(place).enrol(identifier, actor=registrar_of(place, actor))
    return _handed_out(console_of(context), made)


@command.command(
    "link",
    help=phrase(
        "关联统一身份认证平台的身份标识（登录页会显示）。",
        "Join an identity of the city's platform to an account (the sign-in page shows it).",
    ),
)
@_IDENTIFIER
@click.argument("subject")
@click.option(
    "--issuer",
    help=phrase("平台，默认为 openid_issuer", "the platform; the setting openid_issuer by default"),
)
@acting
def link(
    context: click.Context, identifier: str, subject: str, issuer: str | None, actor: str, home: str
) -> int:
    """From now on that identity signs in as this account."""
    console, place = console_of(context), Home.open(home)
    platform = issuer or place.settings.openid_issuer
    if not platform:
        raise NotFound("no identity platform is set: openid_issuer, or --issuer")
    directory = sign_in.staff_directory(place)
    directory.link(identifier, issuer=platform, subject=subject, actor=registrar_of(place, actor))
    console.say(f"已关联 {identifier}", f"joined to {identifier}")
    console.result({"identifier": identifier, "issuer": platform, "subject": subject})
    return ExitCode.DONE


@command.command(
    "deactivate",
    help=phrase(
        "停用账户：立即退出，通行密钥作废，不可恢复。",
        "Close an account for good: its sessions end and its passkeys are void.",
    ),
)
@_IDENTIFIER
@acting
def deactivate(context: click.Context, identifier: str, actor: str, home: str) -> int:
    """At once."""
    console, place = console_of(context), Home.open(home)
    sign_in.staff_directory(place).deactivate(identifier, actor=registrar_of(place, actor))
    console.say(f"已停用 {identifier}", f"closed {identifier}")
    console.result({"identifier": identifier, "active": False})
    return ExitCode.DONE


@command.command(
    "platform",
    help=phrase(
        "输出在统一身份认证平台登记本系统所需的信息；首次运行生成客户端密钥。",
        "What the city's platform needs to know of us; makes the client's key when there is none.",
    ),
)
@home_option()
@passphrase_option
@click.pass_context
def platform(context: click.Context, home: str, passphrase_file: str | None) -> int:
    """Redirect address, client id, public key."""
    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    facts = sign_in.client_facts(place)
    for name, value in facts.items():
        console.say(f"{name}：{value}", f"{name}: {value}")
    console.result(facts)
    return ExitCode.DONE


def _handed_out(console: Console, made: Enrolment) -> int:
    console.say(
        f"注册码（仅显示一次，请当面交给本人）：{made.code}",
        f"enrolment code (shown once; hand it over in person): {made.code}",
    )
    console.say(
        f"有效至 {agency_time(made.expires_at)}；在登录页选择“凭注册码登记通行密钥”",
        f"good until {agency_time(made.expires_at)}, at /register of the service",
    )
    console.result(
        {**account_facts(made.account), "code": made.code, "expires_at": made.expires_at.isoformat()}
    )
    return ExitCode.DONE
