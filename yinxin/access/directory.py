"""The directory of staff: who works for an agency or a department, and what each may do.

A registrar keeps the directory of the own organisation, and nobody changes the own entry
(`yinxin.access.rights`). The first registrar of an organisation is entered by two people at the home itself
(`bootstrap`). An organisation's own systems stand in it too: they come in by key, have no passkey, and may do
what a clerk may and nothing that takes a person's judgement.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from yinxin.access.accounts import ROLES, SYSTEM_PREFIX, SYSTEM_ROLES, Account, Enrolment, Realm
from yinxin.access.codes import digest_of, identity_digest, make_code, read_code
from yinxin.access.repository import AccessRepository
from yinxin.access.rights import changeable, require_registrar
from yinxin.base import audit, once
from yinxin.base.actor import Actor, ActorKind, one_spelling
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted
from yinxin.base.identifiers import CreditCode
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from yinxin.base.database import Database, Session

ENROLMENT_LIFE = timedelta(hours=24)
MAX_NAME, MAX_IDENTIFIER = 100, 64


class StaffDirectory:
    """Adds and changes staff accounts."""

    def __init__(
        self, database: Database, *, clock: Clock | None = None, randomness: Randomness | None = None
    ) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._randomness = randomness or SystemRandomness()

    def add(
        self, identifier: str, *, name: str, organisation: str, roles: Collection[str], actor: Actor
    ) -> Enrolment:
        """Add somebody; the code lets them register a passkey, once, within 24 hours.

        `identifier` is what the audit log will know them by: `clerk-17`, no personal number. `Conflict` when
        somebody has it.
        """
        account = self._new(_person(identifier), name, organisation, roles)
        with self._database.transaction() as session:
            require_registrar(session, actor, organisation)
            return self._enter(session, account, actor)

    def add_system(self, name: str, *, title: str, organisation: str, actor: Actor) -> Account:
        """Add a system of the organisation; its identifier is `system/` and this name.

        It comes in by the keys that `yinxin.access.clients` keeps, and it is a clerk: it drafts and hands
        over, and never reviews or approves.
        """
        account = self._new(f"{SYSTEM_PREFIX}{name}", title, organisation, SYSTEM_ROLES)
        with self._database.transaction() as session:
            require_registrar(session, actor, organisation)
            self._keep(session, account, actor, {})
        return account

    def bootstrap(
        self, identifier: str, *, name: str, organisation: str, actor: Actor, witness: Actor
    ) -> Enrolment:
        """Enter an organisation's first registrar: two people do it together, at the home.

        `Conflict` when the organisation has an active registrar: that one adds the others.
        """
        account = self._new(_person(identifier), name, organisation, {"registrar"})
        if {actor.kind, witness.kind} - {ActorKind.STAFF} or actor.identifier == witness.identifier:
            raise NotPermitted("two different people enter the first registrar")
        if account.identifier == witness.identifier:
            raise NotPermitted("nobody witnesses the own entry")
        with self._database.transaction() as session:
            present = AccessRepository(session).staff_of(organisation)
            if any(one.is_active and "registrar" in one.roles for one in present):
                raise Conflict("the organisation has a registrar, who adds the others")
            self._only_once(session, organisation, len(present))
            return self._enter(session, account, actor, {"witness": str(witness)})

    def enrol(self, identifier: str, *, actor: Actor) -> Enrolment:
        """A new code for somebody who has no passkey at hand; an older unused one is void."""
        with self._database.transaction() as session:
            account = _with_passkey(changeable(session, identifier, actor))
            return self._hand_out(session, account, actor, {})

    def set_roles(self, identifier: str, roles: Collection[str], *, actor: Actor) -> Account:
        """Change what somebody may do, from the next request on."""
        _check(_role_faults(roles))
        with self._database.transaction() as session:
            account = changeable(session, identifier, actor)
            if account.is_system and not set(roles) <= set(SYSTEM_ROLES):
                raise NotPermitted(f"a system is {' or '.join(SYSTEM_ROLES)}, and nothing else")
            AccessRepository(session).set_roles(account.id, roles)
            self._record(session, "staff.roles", account, actor, {"roles": sorted(roles)})
            return _found(AccessRepository(session).account(account.id), identifier)

    def deactivate(self, identifier: str, *, actor: Actor) -> None:
        """Close an account for good: its sessions end, its passkeys and codes are forgotten."""
        with self._database.transaction() as session:
            account = changeable(session, identifier, actor)
            AccessRepository(session).deactivate(account.id, at=self._clock.now())
            self._record(session, "staff.deactivate", account, actor, {})

    def link(self, identifier: str, *, issuer: str, subject: str, actor: Actor) -> None:
        """Let somebody sign in by an identity of the city's platform (OpenID Connect: iss and sub)."""
        if not 0 < len(subject) <= 255 or not subject.isprintable() or not 0 < len(issuer) <= 500:
            raise InvalidClaims(faults=[("subject", Text("身份标识有误", "not an issuer and subject"))])
        with self._database.transaction() as session:
            account = _with_passkey(changeable(session, identifier, actor))
            AccessRepository(session).add_identity(issuer, subject, account.id)
            identity = identity_digest(issuer, subject)
            self._record(session, "staff.link", account, actor, {"identity": identity})

    def list(self, organisation: str, *, actor: Actor) -> list[Account]:
        """Everybody of the actor's organisation, by identifier."""
        if actor.kind is not ActorKind.STAFF or actor.agency != organisation:
            raise NotPermitted("a directory is read by the organisation's own staff")
        with self._database.reading() as session:
            return AccessRepository(session).staff_of(organisation)

    def find(self, identifier: str) -> Account | None:
        """The active member of staff of this identifier."""
        with self._database.reading() as session:
            found = AccessRepository(session).by_identifier(one_spelling(identifier))
        return found if found and found.is_active else None

    def _new(self, identifier: str, name: str, organisation: str, roles: Collection[str]) -> Account:
        spelt = one_spelling(identifier)
        faults = _role_faults(roles)
        if len(spelt) > MAX_IDENTIFIER:
            faults["identifier"] = Text("工号过长", "the identifier is too long")
        if not 0 < len(name.strip()) <= MAX_NAME or not name.isprintable():
            faults["name"] = Text("姓名有误", "not a readable name")
        if str(CreditCode.parse(organisation)) != organisation:
            faults["organisation"] = Text("统一社会信用代码有误", "not a unified social credit code")
        _check(faults)
        account_id = random_text(self._randomness)
        return Account(account_id, ActorKind.STAFF, spelt, name.strip(), organisation, frozenset(roles))

    def _enter(
        self, session: Session, account: Account, actor: Actor, more: Mapping[str, str] | None = None
    ) -> Enrolment:
        self._keep(session, account, actor, more or {})
        return self._hand_out(session, account, actor, more or {})

    def _keep(self, session: Session, account: Account, actor: Actor, more: Mapping[str, str]) -> None:
        AccessRepository(session).add_account(account, realm=Realm.STAFF, at=self._clock.now())
        details = {"organisation": account.organisation, "roles": sorted(account.roles), **more}
        self._record(session, "staff.add", account, actor, details)

    def _hand_out(
        self, session: Session, account: Account, actor: Actor, more: Mapping[str, str]
    ) -> Enrolment:
        code = make_code(self._randomness)
        expires_at = self._clock.now() + ENROLMENT_LIFE
        digest = digest_of("enrolment", read_code(code) or "")
        AccessRepository(session).add_enrolment(digest, account.id, expires_at=expires_at)
        self._record(session, "staff.enrol", account, actor, {"code": digest.hex()[:16], **more})
        return Enrolment(account, code, expires_at)

    def _only_once(self, session: Session, organisation: str, present: int) -> None:
        """Of two who bootstrap at the same moment, one gets a `Conflict`."""
        until = self._clock.now() + timedelta(days=1)
        once.consume(session, "staff bootstrap", f"{organisation} {present}", expires_at=until)

    def _record(
        self, session: Session, action: str, account: Account, actor: Actor, details: Mapping[str, object]
    ) -> None:
        subject = f"account:{account.id}"
        audit.record(
            session,
            action=action,
            subject=subject,
            actor=actor,
            at=self._clock.now(),
            details={"identifier": account.identifier, **details},
        )


def _person(identifier: str) -> str:
    """An identifier that no system has, nor could have."""
    spelt = one_spelling(identifier)
    if spelt.startswith(SYSTEM_PREFIX):
        raise InvalidClaims(
            faults=[("identifier", Text("该工号形式留给系统使用", "identifiers like this are for systems"))]
        )
    return spelt


def _with_passkey(account: Account) -> Account:
    if account.is_system:
        raise NotPermitted("a system comes in by its keys alone")
    return account


def _role_faults(roles: Collection[str]) -> dict[str, Text]:
    if roles and set(roles) <= set(ROLES):
        return {}
    known = ", ".join(ROLES)
    return {"roles": Text(f"角色须为：{known}", f"a role must be one of: {known}")}


def _check(faults: Mapping[str, Text]) -> None:
    if faults:
        raise InvalidClaims(faults=list(faults.items()))


def _found(account: Account | None, identifier: str) -> Account:
    if account is None:
        raise NotFound(identifier)
    return account
