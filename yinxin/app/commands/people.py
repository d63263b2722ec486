"""A person of the office at the command line: known by name, and by a key of their own.

Whoever sits there says who they are; that they hold that person's registered key is what shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from credentials.office.proofs import KeyProofs
from yinxin.app import sign_in
from yinxin.app.commands.options import actor_option, home_option, key_option, open_key
from yinxin.app.proofs import staff_keys
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.signer import Signer
    from yinxin.app.home import Home
    from yinxin.base.actor import Actor


ANYWHERE = "*"  # whoever is in the directory: inspectors are of an organisation of their own


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, with the roles that the directory gives them, and the key that they agree with."""

    actor: Actor
    signer: Signer

    def agree(self, digest: bytes) -> dict[str, Any]:
        """The proof that they agree to a digest."""
        return KeyProofs.make(digest, self.actor, self.signer)


def person_of(
    home: Home, name: str, *, key: str, key_passphrase_file: str | None, organisation: str | None = None
) -> Person:
    """The member of staff of this name who holds this key; else `NotPermitted`.

    Of the home's own agency, unless another `organisation` is named (`ANYWHERE`: of whichever).
    """
    signer, actor = open_key(key, key_passphrase_file), member_of(home, name)
    wanted = None if organisation == ANYWHERE else organisation or home.settings.agency_code
    own = staff_keys(home).keys_of(actor.identifier, organisation=wanted)
    if signer.public_key not in own:
        raise NotPermitted(f"this key is not registered for {actor.identifier}")
    return Person(actor, signer)


def member_of(home: Home, name: str) -> Actor:
    """The active member of staff of this name; `NotPermitted` for nobody."""
    found = sign_in.staff_directory(home).find(name)
    if found is None:
        raise NotPermitted("no member of staff has this identifier")
    return found.actor


def person_options(role: str) -> Callable[[Any], Any]:
    """`--actor`, `--key`, `--key-passphrase-file` and `--home`, with the context."""

    def named(function: Any) -> Any:
        for option in reversed([actor_option(role), key_option, home_option(), click.pass_context]):
            function = option(function)
        return function

    return named
