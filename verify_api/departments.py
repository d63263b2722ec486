"""Departments (用证部门) that may ask for verifications: who they are, their keys, what they may see.

A registered client has one purpose: a department that has two registers two, with different keys (as
Singpass demands of its apps). Here are the values and the registry, where one member of staff proposes
and a second approves. Storage is `verify_api.repository`, authentication `yinxin.access.tokens`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from signing.jose import dump_json
from signing.keys import PublicKey
from verify_api.repository import DepartmentRepository
from yinxin.base import audit
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import Conflict, InvalidClaims, MalformedInput, NotFound, NotPermitted
from yinxin.base.identifiers import CreditCode
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel import Session

    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

MAX_KEYS, MAX_GRANTS, MAX_TYPES, MAX_FIELDS = 8, 64, 256, 256
DIRECTORY_AGE = timedelta(seconds=5)
# RFC 7591 leaves client ids free; ours are URIs, because the same text is the audience of presentations.
_CLIENT_ID = re.compile(r"(?:https://|urn:)[A-Za-z0-9._~:/-]{3,180}\Z")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class DepartmentState(StrEnum):
    """Whether a department may ask."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a department may see for one matter (事项编码) of its purpose: fields for each licence type."""

    purpose: str
    matter: str
    fields: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        frozen = {code: frozenset(names) for code, names in sorted(self.fields.items())}
        object.__setattr__(self, "fields", MappingProxyType(frozen))

    @property
    def every_field(self) -> frozenset[str]:
        """The fields of all types together."""
        return frozenset(name for names in self.fields.values() for name in names)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        kinds = {code: sorted(names) for code, names in self.fields.items()}
        return {"purpose": self.purpose, "matter": self.matter, "fields": kinds}


@dataclass(frozen=True)
class Department:
    """A registered client of the verification service.

    `id` is a URI (`https://…` or `urn:…`): its OAuth client id, and the audience of the presentations made
    for it. All its grants have one purpose. `version` counts approved changes.
    """

    id: str
    name: Text
    credit_code: str
    keys: tuple[PublicKey, ...]
    grants: tuple[Grant, ...]
    state: DepartmentState = DepartmentState.ACTIVE
    version: int = field(default=0, compare=False)

    @property
    def actor(self) -> Actor:
        """The department as somebody who acts."""
        return Actor(ActorKind.DEPARTMENT, self.id, self.credit_code)

    @property
    def purpose(self) -> str:
        """The one purpose."""
        return self.grants[0].purpose

    def key(self, thumbprint: str) -> PublicKey | None:
        """The registered key of this name (RFC 7638), or None."""
        return next((key for key in self.keys if key.thumbprint == thumbprint), None)

    def grant(self, purpose: str, matter: str) -> Grant:
        """The grant for this purpose and matter, or `NotPermitted`."""
        for grant in self.grants:
            if (grant.purpose, grant.matter) == (purpose, matter):
                return grant
        raise NotPermitted(f"no grant for the purpose {purpose!r} and the matter {matter!r}")

    def check(self) -> None:
        """`InvalidClaims` with every fault of a registration."""
        if faults := [*_identity_faults(self), *_key_faults(self.keys), *_grant_faults(self.grants)]:
            raise InvalidClaims(faults=faults)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it."""
        return {
            "id": self.id,
            "name": self.name.to_dict(),
            "credit_code": self.credit_code,
            "keys": [key.to_jwk() for key in self.keys],
            "grants": [grant.to_dict() for grant in self.grants],
            "state": str(self.state),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], *, version: int = 0) -> Department:
        """Read what `to_dict` wrote, or what an administrator did; `MalformedInput` for another shape."""
        try:
            return cls(
                id=_text(value["id"]),
                name=Text(_text(value["name"]["zh"]), _text(value["name"]["en"])),
                credit_code=_text(value["credit_code"]),
                keys=tuple(PublicKey.from_jwk(jwk) for jwk in value["keys"]),
                grants=tuple(_grant(item) for item in value["grants"]),
                state=DepartmentState(value.get("state", "active")),
                version=version,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise MalformedInput("department", "members are missing or of another kind") from exc


def require_clerk(clerk: Actor, department: Department) -> Actor:
    """The clerk, when somebody of this department's own organisation with that role; else `NotPermitted`."""
    if clerk.kind is not ActorKind.STAFF or clerk.agency != department.credit_code:
        raise NotPermitted("only its own staff ask for a department")
    clerk.require_role("clerk")
    return clerk


class DepartmentRegistry:
    """Registers and changes departments: one member of staff proposes, a second one approves.

    Suspending takes rights away and needs one person; being active again needs two, like a change.
    """

    def __init__(self, database: Database, *, clock: Clock, randomness: Randomness | None = None) -> None:
        self._database = database
        self._clock = clock
        self._randomness = randomness or SystemRandomness()

    def propose(self, department: Department, *, actor: Actor) -> str:
        """Propose a new department or a change of one; returns the proposal's id, to be approved."""
        _require_staff(actor, "clerk", "registrar")
        department.check()
        proposal, now = random_text(self._randomness), self._clock.now()
        with self._database.transaction() as session:
            departments = DepartmentRepository(session)
            current = departments.find(department.id)
            departments.add_proposal(
                proposal, department.to_dict(), base=current.version if current else 0, by=str(actor), at=now
            )
            self._record(session, "propose", department.id, actor, now, proposal, department)
        return proposal

    def approve(self, proposal: str, *, actor: Actor) -> Department:
        """Put a proposal into force.

        `NotPermitted` for the person who proposed it; `Conflict` when it was decided before, or the
        department has changed since.
        """
        _require_staff(actor, "reviewer", "registrar")
        now = self._clock.now()
        with self._database.transaction() as session:
            departments = DepartmentRepository(session)
            found = departments.open_proposal(proposal)
            if found.proposed_by == str(actor):
                raise NotPermitted("a proposal is approved by somebody else")
            department = Department.from_dict(found.content)
            department.check()
            current = departments.find(department.id)
            if (current.version if current else 0) != found.base:
                raise Conflict("the department has changed since this was proposed")
            departments.decide(proposal, approved=True, by=str(actor), at=now)
            approved = replace(department, state=DepartmentState.ACTIVE, version=found.base + 1)
            departments.put(approved.id, approved.version, approved.to_dict(), at=now)
            self._record(session, "approve", approved.id, actor, now, proposal, approved)
        return approved

    def reject(self, proposal: str, *, actor: Actor) -> None:
        """Close a proposal without effect."""
        _require_staff(actor, "reviewer", "registrar")
        now = self._clock.now()
        with self._database.transaction() as session:
            departments = DepartmentRepository(session)
            found = departments.open_proposal(proposal)
            departments.decide(proposal, approved=False, by=str(actor), at=now)
            self._record(session, "reject", str(found.content["id"]), actor, now, proposal, None)

    def suspend(self, department_id: str, *, actor: Actor) -> None:
        """Stop serving a department from now on (other processes notice within five seconds)."""
        _require_staff(actor, "reviewer", "registrar", "inspector")
        now = self._clock.now()
        with self._database.transaction() as session:
            departments = DepartmentRepository(session)
            row = departments.find(department_id)
            if row is None:
                raise NotFound(f"no department {department_id}")
            suspended = replace(Department.from_dict(row.content), state=DepartmentState.SUSPENDED)
            departments.put(department_id, row.version + 1, suspended.to_dict(), at=now)
            self._record(session, "suspend", department_id, actor, now, "", suspended)

    def get(self, department_id: str) -> Department:
        """The department in force, suspended or not; `NotFound` when there is none."""
        with self._database.reading() as session:
            row = DepartmentRepository(session).find(department_id)
        if row is None:
            raise NotFound(f"no department {department_id}")
        return Department.from_dict(row.content, version=row.version)

    def every(self) -> list[Department]:
        """Every department, suspended or not, by its id."""
        with self._database.reading() as session:
            rows = DepartmentRepository(session).all()
        return [Department.from_dict(row.content, version=row.version) for row in rows]

    def proposals(self) -> list[dict[str, Any]]:
        """Open proposals, oldest first: id, content, who, when."""
        with self._database.reading() as session:
            return DepartmentRepository(session).open_proposals()

    @staticmethod
    def _record(  # noqa: PLR0913, PLR0917 - the facts of one entry
        session: Session,
        verb: str,
        department_id: str,
        actor: Actor,
        at: datetime,
        proposal: str,
        content: Department | None,
    ) -> None:
        details = {"proposal": proposal} if proposal else {}
        if content is not None:
            details["content"] = _digest(content.to_dict())
        audit.record(
            session, action=f"department.{verb}", subject=department_id, actor=actor, at=at, details=details
        )


@dataclass(frozen=True)
class Grants:
    """All departments at one moment: an immutable snapshot."""

    departments: Mapping[str, Department]
    taken_at: datetime

    @cached_property
    def snapshot_id(self) -> str:
        """SHA-256 over what decides answers, in hex."""
        return _digest([self.departments[name].to_dict() for name in sorted(self.departments)])


class DepartmentDirectory:
    """Gives the current snapshot, re-read when it is older than `max_age`."""

    def __init__(self, database: Database, *, clock: Clock, max_age: timedelta = DIRECTORY_AGE) -> None:
        self._database = database
        self._clock = clock
        self._max_age = max_age
        self._snapshot: Grants | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the snapshot at hand is young enough."""
        kept = self._snapshot
        return kept is not None and timedelta(0) <= self._clock.now() - kept.taken_at < self._max_age

    def snapshot(self) -> Grants:
        """The departments, at most `max_age` old; reads the database when it must."""
        if self._snapshot is None or not self.is_fresh:
            self._snapshot = self._read(self._clock.now())
        return self._snapshot

    def active(self, department_id: str) -> Department | None:
        """The department when it exists and is not suspended."""
        found = self.snapshot().departments.get(department_id)
        return found if found and found.state is DepartmentState.ACTIVE else None

    def of_organisation(self, credit_code: str | None) -> tuple[Department, ...]:
        """The active departments that one organisation has registered: one for each of its purposes."""
        every = self.snapshot().departments
        return tuple(
            found
            for _, found in sorted(every.items())
            if found.state is DepartmentState.ACTIVE and found.credit_code == credit_code
        )

    def _read(self, now: datetime) -> Grants:
        with self._database.reading() as session:
            rows = DepartmentRepository(session).all()
        return Grants({row.id: Department.from_dict(row.content, version=row.version) for row in rows}, now)


def _require_staff(actor: Actor, *roles: str) -> None:
    if actor.kind is not ActorKind.STAFF:
        raise NotPermitted("departments are registered by staff")
    actor.require_role(*roles)


def _digest(value: object) -> str:
    return hashlib.sha256(dump_json(value)).hexdigest()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _grant(value: Mapping[str, Any]) -> Grant:
    fields = {_text(code): frozenset(map(_text, names)) for code, names in value["fields"].items()}
    return Grant(_text(value["purpose"]), _text(value["matter"]), fields)


def _identity_faults(department: Department) -> list[tuple[str, Text]]:
    faults = []
    if not _CLIENT_ID.match(department.id):
        faults.append(
            (
                "id",
                Text("须为 https:// 或 urn: 开头的标识", "must be a URI that begins with https:// or urn:"),
            )
        )
    if max(len(department.name.zh), len(department.name.en)) > 200:
        faults.append(("name", Text("名称过长", "the name is too long")))
    try:
        CreditCode.parse(department.credit_code)
    except MalformedInput as exc:
        faults.append(("credit_code", Text("统一社会信用代码有误", f"not a credit code: {exc.detail}")))
    return faults


def _key_faults(keys: tuple[PublicKey, ...]) -> list[tuple[str, Text]]:
    if not 1 <= len(keys) <= MAX_KEYS or len(set(keys)) != len(keys):
        return [
            (
                "keys",
                Text(
                    f"须登记 1 至 {MAX_KEYS} 个不同的公钥", f"register 1 to {MAX_KEYS} different public keys"
                ),
            )
        ]
    if any(key.kind == "SM2" for key in keys):
        return [("keys", Text("JOSE 尚无 SM2 签名算法名称", "JOSE has no name for SM2 signatures"))]
    return []


def _grant_faults(grants: tuple[Grant, ...]) -> list[tuple[str, Text]]:
    if not 1 <= len(grants) <= MAX_GRANTS:
        return [("grants", Text(f"须有 1 至 {MAX_GRANTS} 项授权", f"1 to {MAX_GRANTS} grants are needed"))]
    faults = []
    if len({grant.purpose for grant in grants}) > 1:
        faults.append(("grants", Text("一个应用只能有一个用途", "one client has one purpose")))
    if len({grant.matter for grant in grants}) < len(grants):
        faults.append(("grants", Text("同一事项重复授权", "a matter is granted twice")))
    for grant in grants:
        words = [grant.purpose, grant.matter, *grant.fields, *grant.every_field]
        if not all(_WORD.match(word) for word in words):
            faults.append(
                (
                    "grants",
                    Text(
                        "用途、事项、类型或字段名称不合规",
                        "a purpose, matter, type or field is no plain word",
                    ),
                )
            )
        if not grant.fields or len(grant.fields) > MAX_TYPES or len(grant.every_field) > MAX_FIELDS:
            faults.append(
                ("grants", Text("证照类型或字段数量不合规", "too few or too many licence types or fields"))
            )
    return faults
