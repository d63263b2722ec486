"""What the commands of the directory of staff share: who acts, and how an account is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from yinxin.app import sign_in
from yinxin.app.commands.options import actor_option, home_option
from yinxin.base.actor import staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from yinxin.access.accounts import Account
    from yinxin.app.console import Console
    from yinxin.app.home import Home
    from yinxin.base.actor import Actor


def acting(function: Any) -> Any:
    """What every change names: who does it, and where."""
    options: list[Callable[[Any], Any]] = [actor_option("registrar"), home_option(), click.pass_context]
    for option in reversed(options):
        function = option(function)
    return function


def registrar_of(home: Home, name: str) -> Actor:
    """Who acts, as the directory knows them; what they may do is the directory's to say."""
    found = sign_in.staff_directory(home).find(name)
    return found.actor if found else staff(name, agency=home.settings.agency_code or None, roles=())


def state_word(console: Console, *, is_active: bool) -> str:
    """In use, or closed."""
    zh, en = ("在用", "active") if is_active else ("已停用", "closed")
    return zh if console.language == "zh" else en


def account_facts(account: Account) -> dict[str, Any]:
    """An account as JSON."""
    return {
        "identifier": account.identifier,
        "name": account.name,
        "organisation": account.organisation,
        "roles": sorted(account.roles),
        "active": account.is_active,
    }
