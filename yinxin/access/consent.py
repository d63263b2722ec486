"""Agreement by passkey: somebody signs a digest with the passkey that they sign in with.

The digest itself is the challenge (WebAuthn 3, 13.4.3 lets it be any bytes that cannot be guessed before they
are asked for), so the answer is a signature about that content and no other. A sign-in is no agreement and an
agreement no sign-in: the challenges of sign-in are of another kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yinxin.access import passkeys
from yinxin.access.repository import AccessRepository
from yinxin.base.errors import MalformedInput, NotPermitted, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.access.accounts import Account
    from yinxin.access.passkeys import Site
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

KIND = "passkey"
DIGEST_BYTES = 32


class PasskeyConsent:
    """Asks for agreement, and judges what is shown as one; `site` is where the passkeys are used."""

    def __init__(self, database: Database, site: Site) -> None:
        self._database, self._site = database, site

    def options(self, digest: bytes) -> dict[str, Any]:
        """What the authenticator is asked: to sign this digest, with a passkey that its owner picks."""
        return passkeys.sign_in_options(self._site, _checked(digest))

    @staticmethod
    def proof(answer: Mapping[str, Any]) -> dict[str, Any]:
        """The authenticator's answer as a proof that can be kept."""
        return {"kind": KIND, "answer": dict(answer)}

    def check(self, proof: Mapping[str, Any], digest: bytes, actor: Actor) -> None:
        """`NotPermitted` unless a passkey that this person has now signed this digest."""
        answer = proof.get("answer")
        if proof.get("kind") != KIND or not isinstance(answer, dict):
            raise NotPermitted("this is no agreement by passkey")
        try:
            passkey, user = passkeys.passkey_of(answer)
            with self._database.reading() as session:
                found = AccessRepository(session).passkey(passkey)
            if found is None or found.account.id != user or not _is(found.account, actor):
                raise NotPermitted("the passkey is none of this person's")
            passkeys.check_sign_in(
                answer, site=self._site, challenge=_checked(digest), public_key=found.public_key
            )
        except (MalformedInput, Unauthenticated) as exc:
            raise NotPermitted("the passkey did not sign this") from exc


def _is(account: Account, actor: Actor) -> bool:
    own = (account.kind, account.identifier, account.organisation)
    return account.is_active and own == (actor.kind, actor.identifier, actor.agency)


def _checked(digest: bytes) -> bytes:
    if len(digest) != DIGEST_BYTES:
        raise MalformedInput("consent", "a digest has 32 bytes")
    return digest
