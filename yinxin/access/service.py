"""Let people in: registration of passkeys, sign-in, sessions. HTTP stands in `yinxin.access.pages`.

Whoever signs in gets a fresh session. Why somebody was not let in is told in one sentence for all cases
that a stranger could probe.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from yinxin.access import passkeys
from yinxin.access.accounts import Account, Entered, How, Passkey, Realm, SignedIn
from yinxin.access.challenges import Challenges
from yinxin.access.codes import digest_of, identity_digest, read_code
from yinxin.access.directory import MAX_NAME, StaffDirectory
from yinxin.access.openid.travel import Traveller
from yinxin.access.passkeys import Site
from yinxin.access.repository import AccessRepository
from yinxin.access.sessions import Sessions
from yinxin.base import audit, once
from yinxin.base.actor import ActorKind
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotFound, NotPermitted, Unauthenticated, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.access.openid.provider import Identity, OpenIdProvider
    from yinxin.access.passkeys import Registered
    from yinxin.access.repository import StoredPasskey
    from yinxin.base.database import Database, Session
    from yinxin.base.text import Text

CALLBACK_PATH = "/sign-in/openid/callback"
SECRET_BYTES = 32
FRESH = timedelta(minutes=10)
_TIDY = timedelta(minutes=10)
_NOT_LET_IN = "this passkey does not open an account here"


class Access:
    """Who may enter at one origin.

    `realm` parts staff from holders. `origin` is scheme, host and port as browsers write them. `secret` (32
    bytes) is shared by all workers of the origin; without it this process makes its own.
    """

    def __init__(  # noqa: PLR0913 - the doors, by name
        self,
        database: Database,
        *,
        realm: str,
        origin: str,
        name: Text,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        openid: OpenIdProvider | None = None,
        secret: bytes | None = None,
    ) -> None:
        self.realm, self.name, self.openid = Realm(realm), name, openid
        self.site = Site(origin, name.zh)
        self.clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self.secret = secret or self._randomness.bytes(SECRET_BYTES)
        if len(self.secret) < SECRET_BYTES:
            raise UsageError(f"the secret needs {SECRET_BYTES} bytes")
        self._database, self._tidied_at = database, self.clock.now()
        self._challenges = Challenges(self.secret, f"access {realm} {origin}", randomness=self._randomness)
        self._sessions = Sessions(
            database, realm=self.realm, origin=origin, clock=self.clock, randomness=self._randomness
        )
        self.staff = StaffDirectory(database, clock=self.clock, randomness=self._randomness)

    @property
    def is_open(self) -> bool:
        """Whether everybody may make an account: holders may, staff needs an enrolment code."""
        return self.realm is Realm.HOLDER

    def begin_registration(
        self, *, code: str | None = None, name: str | None = None, signed_in: SignedIn | None = None
    ) -> dict[str, Any]:
        """What the authenticator is asked: `{"options": …, "user": account id}`.

        `code` for staff with an enrolment code, `name` for a new holder, `signed_in` for one more passkey.
        `Unauthenticated` for a code that is not good.
        """
        account = self._applicant(code=code, name=name, signed_in=signed_in)
        with self._database.reading() as session:
            known = [one.id for one in AccessRepository(session).passkeys_of(account.id)]
        challenge = self._challenges.make("register", _subject(account, code), now=self.clock.now())
        options = passkeys.registration_options(
            self.site, challenge, user_id=account.id, name=account.name, known=known
        )
        return {"options": options, "user": account.id}

    def finish_registration(
        self,
        answer: Mapping[str, Any],
        *,
        code: str | None = None,
        user: str | None = None,
        name: str | None = None,
        signed_in: SignedIn | None = None,
    ) -> Entered:
        """Keep the passkey that the authenticator made, and let its owner in.

        `user` is what `begin_registration` gave, for a new holder. Exactly one of two who use the same code
        is let in.
        """
        account = self._applicant(code=code, name=name, signed_in=signed_in, user=user)
        challenge = passkeys.challenge_of(answer)
        self._challenges.check(challenge, "register", _subject(account, code), now=self.clock.now())
        made = passkeys.check_registration(answer, site=self.site, challenge=challenge)
        with self._database.transaction() as session:
            self._challenges.use_up(session, challenge)
            if code is not None:
                self._spend(session, code)
            elif signed_in is None:
                AccessRepository(session).add_account(account, realm=self.realm, at=self.clock.now())
            self._keep(session, account, made)
            return self._sessions.open(session, account, How.PASSKEY)

    def begin_sign_in(self) -> dict[str, Any]:
        """What the authenticator is asked, `{"options": …}`; it names nobody, and writes nothing."""
        challenge = self._challenges.make("sign in", "", now=self.clock.now())
        return {"options": passkeys.sign_in_options(self.site, challenge)}

    def finish_sign_in(self, answer: Mapping[str, Any]) -> Entered:
        """Let somebody in by a passkey; `Unauthenticated` else."""
        challenge = passkeys.challenge_of(answer)
        self._challenges.check(challenge, "sign in", "", now=self.clock.now())
        passkey, user = passkeys.passkey_of(answer)
        with self._database.reading() as session:
            found = AccessRepository(session).passkey(passkey)
        if found is None or user != found.account.id or not self._lets_in(found.account):
            raise Unauthenticated(_NOT_LET_IN)
        count = passkeys.check_sign_in(
            answer, site=self.site, challenge=challenge, public_key=found.public_key
        )
        with self._database.transaction() as session:
            self._challenges.use_up(session, challenge)
            entered = self._count_up(session, found, count)
        self._tidy()
        if entered is None:
            raise Unauthenticated("this passkey may have been copied: ask for a new enrolment")
        return entered

    def begin_openid(self, onward: str, *, language: str) -> tuple[str, str]:
        """Where the browser goes to sign in at the identity platform, and what it carries meanwhile."""
        traveller = Traveller.begin(onward, randomness=self._randomness, now=self.clock.now())
        url = self._provider.authorization_url(traveller, redirect_uri=self._redirect_uri, language=language)
        return url, traveller.seal(self.secret, self.site.origin)

    def finish_openid(self, query: Mapping[str, str], carried: str | None) -> tuple[Entered | Identity, str]:
        """Let somebody in whom the platform names, and where they were going.

        An `Identity` comes back instead when no registrar joined it to an account. Each way back is good
        once, whatever comes of it.
        """
        now = self.clock.now()
        traveller = Traveller.unseal(carried, self.secret, self.site.origin, now=now)
        if not hmac.compare_digest(query.get("state", "").encode(), traveller.state.encode()):
            raise Unauthenticated("the answer belongs to another sign-in")
        self._provider.check_issuer(query.get("iss"))
        with self._database.transaction() as session:
            self._use_up(session, traveller)
        if "error" in query:
            raise Unauthenticated("the identity platform let nobody in")
        identity = self._provider.identify(query.get("code", ""), traveller, redirect_uri=self._redirect_uri)
        return self._enter(identity), traveller.onward

    def signed_in(self, token: str | None) -> SignedIn | None:
        """Who has this cookie; None for nobody, or no longer."""
        return self._sessions.find(token)

    def sign_out(self, token: str | None) -> None:
        """End a session."""
        self._sessions.end(token)

    def passkeys(self, signed_in: SignedIn) -> list[Passkey]:
        """The own passkeys."""
        with self._database.reading() as session:
            return AccessRepository(session).passkeys_of(signed_in.account.id)

    def remove_passkey(self, passkey: str, *, signed_in: SignedIn) -> None:
        """Forget an own passkey; `Conflict` for the last one."""
        with self._database.transaction() as session:
            repository = AccessRepository(session)
            if len(repository.passkeys_of(signed_in.account.id)) < 2:
                raise Conflict("the last passkey stays: add another one first")
            if not repository.remove_passkey(passkey, account_id=signed_in.account.id):
                raise NotFound("no such passkey")
            self._record(session, "access.passkey_removed", signed_in.account, passkey)

    def purge(self) -> int:
        """Forget sessions and codes that are over."""
        return self._sessions.purge()

    @property
    def _provider(self) -> OpenIdProvider:
        if self.openid is None:
            raise NotFound("no identity platform is set here")
        return self.openid

    @property
    def _redirect_uri(self) -> str:
        return f"{self.site.origin}{CALLBACK_PATH}"

    def _use_up(self, session: Session, traveller: Traveller) -> None:
        scope = f"openid {self.site.origin}"
        try:
            once.consume(session, scope, traveller.state, expires_at=traveller.ends_at)
        except Conflict as exc:
            raise Unauthenticated("this way back was used before") from exc

    def _enter(self, identity: Identity) -> Entered | Identity:
        with self._database.transaction() as session:
            account = AccessRepository(session).by_identity(identity.issuer, identity.subject)
            if account is None or not self._lets_in(account):
                return identity
            digest = identity_digest(identity.issuer, identity.subject)
            audit.record(
                session,
                action="access.signed_in",
                subject=f"account:{account.id}",
                actor=account.actor,
                at=self.clock.now(),
                details={"identity": digest},
            )
            return self._sessions.open(session, account, How.OPENID)

    def _tidy(self) -> None:
        now = self.clock.now()
        if now - self._tidied_at >= _TIDY:
            self._tidied_at = now
            self.purge()

    def _applicant(
        self, *, code: str | None, name: str | None, signed_in: SignedIn | None, user: str | None = None
    ) -> Account:
        """Whose passkey is made."""
        if signed_in is not None:
            self._require_fresh(signed_in)
            return signed_in.account
        if code is not None:
            return self._enrolling(code)
        if not self.is_open:
            raise NotPermitted("staff accounts are made by a registrar, who hands out an enrolment code")
        shown = (name or "").strip()
        if not 0 < len(shown) <= MAX_NAME or not shown.isprintable():
            raise UsageError("a name to know the account by is needed")
        account_id = user or random_text(self._randomness)
        return Account(account_id, ActorKind.HOLDER, account_id, shown)

    def _require_fresh(self, signed_in: SignedIn) -> None:
        """A found session must not become a key for good; and who is let in by the city stays with it."""
        if signed_in.how is not How.PASSKEY:
            raise NotPermitted("who signs in at the identity platform registers no passkey here")
        if self.clock.now() - signed_in.at > FRESH:
            raise NotPermitted("adding a passkey needs a sign-in of the last minutes: sign in again")

    def _enrolling(self, code: str) -> Account:
        read = read_code(code)
        with self._database.reading() as session:
            repository = AccessRepository(session)
            found = repository.enrolling(_code_digest(read), now=self.clock.now()) if read else None
        if found is None or not self._lets_in(found):
            raise Unauthenticated("the enrolment code is wrong, used or over")
        return found

    def _lets_in(self, account: Account) -> bool:
        kind = ActorKind.STAFF if self.realm is Realm.STAFF else ActorKind.HOLDER
        return account.is_active and account.kind is kind

    def _spend(self, session: Session, code: str) -> None:
        digest = _code_digest(read_code(code) or "")
        if not AccessRepository(session).spend_enrolment(digest, now=self.clock.now()):
            raise Unauthenticated("the enrolment code is wrong, used or over")

    def _keep(self, session: Session, account: Account, made: Registered) -> None:
        AccessRepository(session).add_passkey(
            made.id,
            account.id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            backed_up=made.is_backed_up,
            at=self.clock.now(),
        )
        self._record(session, "access.passkey_added", account, made.id)

    def _count_up(self, session: Session, found: StoredPasskey, count: int) -> Entered | None:
        """A session; None, and a word in the log, when the count did not grow (WebAuthn 3, 6.1.1)."""
        has_grown = count > found.sign_count or count == found.sign_count == 0
        now = self.clock.now()
        if not has_grown or not AccessRepository(session).count_up(found, count, at=now):
            self._record(session, "access.passkey_suspected", found.account, found.id)
            return None
        if self.realm is Realm.STAFF:  # when holders open their wallets is nobody's business
            self._record(session, "access.signed_in", found.account, found.id)
        return self._sessions.open(session, found.account, How.PASSKEY)

    def _record(self, session: Session, action: str, account: Account, passkey: str) -> None:
        audit.record(
            session,
            action=action,
            subject=f"account:{account.id}",
            actor=account.actor,
            at=self.clock.now(),
            details={"passkey": digest_of("passkey", passkey).hex()[:32]},
        )


def _code_digest(code: str) -> bytes:
    return digest_of("enrolment", code)


def _subject(account: Account, code: str | None) -> str:
    """What a challenge for a registration is bound to: the account, its name, and the code."""
    return "\0".join((account.id, account.name, read_code(code or "") or ""))
