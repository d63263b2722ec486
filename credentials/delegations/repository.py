"""Every query about delegations. Never commits; the services own the transactions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from credentials.delegations.delegation import OPEN, Agent, Delegation, Principal, State
from credentials.delegations.records import (
    DelegatedCopyRecord,
    DelegationHolderRecord,
    DelegationRecord,
    DelegationUseRecord,
)
from credentials.delegations.terms import Kind, Terms
from credentials.records import CredentialCopyRecord
from credentials.repository import CredentialCopy
from credentials.status_records import StatusRecords
from credentials.vocabulary import INVALID
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import CursorResult, Table
    from sqlmodel import Session

    from credentials.blind_index import BlindIndex


def _table(record: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(record.__tablename__)]


_HOLDERS, _DELEGATIONS = _table(DelegationHolderRecord), _table(DelegationRecord)
_COPIES, _USES = _table(DelegatedCopyRecord), _table(DelegationUseRecord)
_LICENCE_COPIES = _table(CredentialCopyRecord)
_OPEN = tuple(map(str, OPEN))


@dataclass(frozen=True, slots=True)
class Use:
    """A verification that an agent was in: which department, for which matter, when, and how it came out."""

    verification: str
    delegation: str
    department: str
    purpose: str
    matter: str
    licence_type: str
    indication: str
    at: datetime

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in _USE_NAMES} | {"at": self.at.isoformat()}


_USE_NAMES = tuple(Use.__slots__)


class DelegationRepository:
    """Delegations in the caller's session; `index` finds them by whom they are for, or to."""

    def __init__(self, session: Session, *, index: BlindIndex) -> None:
        self._session = session
        self._index = index

    def lock(self, code: str) -> None:
        """Let one transaction after another change what a holder has given."""
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        first = dialect.insert(_HOLDERS).values(holder_index=self._holder(code), changes=1)
        counted = first.on_conflict_do_update(
            index_elements=["holder_index"], set_={"changes": _HOLDERS.c.changes + 1}
        )
        self._session.execute(counted)

    def add(self, one: Delegation) -> None:
        """Store a new one; its holder is locked already."""
        row = {
            "id": one.id,
            "holder_index": self._holder(one.principal.code),
            "person_index": self._holder(one.agent.code) if one.agent.code else None,
            "agent_key": one.agent.key.thumbprint,
            "parent": one.parent,
            "kind": str(one.terms.kind),
            "ends_at": one.terms.ends_at,
            "proposed_at": one.proposed_at,
            **_changing(one),
        }
        self._session.execute(insert(_DELEGATIONS).values(row))

    def find(self, delegation_id: str) -> Delegation:
        """One delegation, or `NotFound`."""
        found = self._all(_DELEGATIONS.c.id == delegation_id)
        if not found:
            raise NotFound("no such delegation")
        return found[0]

    def chain(self, delegation_id: str) -> tuple[Delegation, ...]:
        """A delegation with those that it stands under, the holder's own first; empty for none."""
        last = self._all(_DELEGATIONS.c.id == delegation_id)
        if not last:
            return ()
        above = {one.id: one for one in self._all(_DELEGATIONS.c.id.in_(last[0].ancestors))}
        return (*(above[name] for name in last[0].ancestors if name in above), last[0])

    def change(self, before: Delegation, after: Delegation) -> None:
        """Store a changed one; `Conflict` when somebody else was faster."""
        mine = (_DELEGATIONS.c.id == before.id) & (_DELEGATIONS.c.step == before.step)
        values = _changing(after) | {"step": before.step + 1}
        result = self._session.execute(update(_DELEGATIONS).where(mine).values(values))
        if cast("CursorResult[tuple[()]]", result).rowcount != 1:
            raise Conflict("somebody else changed the delegation meanwhile: look at it again")

    def below(self, delegation_ids: Collection[str], *, ended: bool = False) -> list[Delegation]:
        """Every delegation under these that has not ended, near ones first; with `ended` all."""
        found: list[Delegation] = []
        level = set(delegation_ids)
        while level:
            children = self._all(_DELEGATIONS.c.parent.in_(level))
            found += [one for one in children if ended or one.state in OPEN]
            level = {one.id for one in children}
        return found

    def administrators(self, code: str, *, now: datetime) -> int:
        """How many administrators a holder has or has proposed."""
        mine = (_DELEGATIONS.c.holder_index == self._holder(code)) & _DELEGATIONS.c.state.in_(_OPEN)
        running = (_DELEGATIONS.c.kind == str(Kind.ADMINISTRATOR)) & (_DELEGATIONS.c.ends_at > now)
        query = select(func.count()).select_from(_DELEGATIONS).where(mine, running)
        return int(self._session.execute(query).scalar_one())

    def of_holder(self, code: str, *, limit: int = 500) -> list[Delegation]:
        """What a holder has given, newest first."""
        return self._all(_DELEGATIONS.c.holder_index == self._holder(code), limit=limit)

    def open_of_kind(self, kind: Kind, *, limit: int = 500) -> list[Delegation]:
        """Those of a kind that nobody has ended, newest first."""
        wanted = (_DELEGATIONS.c.kind == str(kind)) & _DELEGATIONS.c.state.in_(_OPEN)
        return self._all(wanted, limit=limit)

    def of_person(self, code: str, *, limit: int = 500) -> list[Delegation]:
        """What was given to a person whose number was named, newest first."""
        return self._all(_DELEGATIONS.c.person_index == self._holder(code), limit=limit)

    def of_key(self, thumbprint: str, *, limit: int = 500) -> list[Delegation]:
        """What was given to the wallet that has this key, newest first."""
        return self._all(_DELEGATIONS.c.agent_key == thumbprint, limit=limit)

    def licence_copy(self, uri: str, position: int) -> CredentialCopy | None:
        """The licence copy whose status stands there."""
        mine = (_LICENCE_COPIES.c.status_uri == uri) & (_LICENCE_COPIES.c.status_index == position)
        row = self._session.execute(select(_LICENCE_COPIES).where(mine)).one_or_none()
        return (
            CredentialCopy(**{name: getattr(row, name) for name in CredentialCopy.__slots__}) if row else None
        )

    def add_copies(self, delegation_id: str, places: Iterable[tuple[str, int]]) -> None:
        """Remember which credentials were made under a delegation."""
        rows = [
            {"status_uri": uri, "status_index": index, "delegation": delegation_id} for uri, index in places
        ]
        self._session.execute(insert(_COPIES), rows)

    def copies(self, delegation_id: str) -> list[tuple[str, int]]:
        """Where the status of the credentials stands that were made under a delegation."""
        query = select(_COPIES.c.status_uri, _COPIES.c.status_index).where(
            _COPIES.c.delegation == delegation_id
        )
        return [(row.status_uri, row.status_index) for row in self._session.execute(query)]

    def retire(self, places: Collection[tuple[str, int]], *, at: datetime) -> None:
        """Have licence copies that still hold end: what happens to their licence touches them no more."""
        for uri, position in places:
            mine = (_LICENCE_COPIES.c.status_uri == uri) & (_LICENCE_COPIES.c.status_index == position)
            ended = update(_LICENCE_COPIES).where(mine, _LICENCE_COPIES.c.retired_at.is_(None))
            self._session.execute(ended.values(retired_at=at, retired_by="delegation"))

    def settle(self, *, at: datetime, ground: str) -> int:
        """End what was recalled after a backup was taken, for a node that was put back; returns how many.

        A status list that was published since tells: the credential of a delegation is INVALID when that was
        recalled. Whatever waits for an answer begins anew.
        """
        statuses, ended = StatusRecords(self._session), set[str]()
        every = self._all(_DELEGATIONS.c.state.in_(_OPEN), limit=None)
        for one in sorted(every, key=lambda one: len(one.ancestors)):
            own = [place for place in self.copies(one.id) if self.licence_copy(*place) is None]
            values = {statuses.value(*place) for place in own}
            lost = one.state is not State.ACCEPTED or INVALID in values
            if lost or ended.intersection(one.ancestors):
                ended.add(one.id)
                self.change(
                    one, replace(one, state=State.RECALLED, ended_at=at, ended_by="system", ground=ground)
                )
        return len(ended)

    def over(self, *, before: datetime, limit: int) -> list[str]:
        """Ids of delegations that ended, by somebody or by their last moment, before a moment."""
        ended = (_DELEGATIONS.c.ended_at < before) | (_DELEGATIONS.c.ends_at < before)
        query = select(_DELEGATIONS.c.id).where(ended).order_by(_DELEGATIONS.c.id)
        return list(self._session.execute(query.limit(limit)).scalars())

    def erase(self, ids: Collection[str]) -> None:
        """Delete delegations with all that stands under them, the lowest first."""
        below = self.below(ids, ended=True)
        depth = {one.id: len(one.ancestors) for one in below} | {
            one.id: len(one.ancestors) for name in ids for one in self.chain(name)[-1:]
        }
        for name in sorted(depth, key=lambda one: -depth[one]):
            for table in (_COPIES, _USES):
                self._session.execute(delete(table).where(table.c.delegation == name))
            self._session.execute(delete(_DELEGATIONS).where(_DELEGATIONS.c.id == name))

    def of_copy(self, uri: str, position: int) -> str | None:
        """The delegation that a copy was made under."""
        mine = (_COPIES.c.status_uri == uri) & (_COPIES.c.status_index == position)
        found: str | None = self._session.execute(
            select(_COPIES.c.delegation).where(mine)
        ).scalar_one_or_none()
        return found

    def add_use(self, use: Use) -> None:
        """Remember that an agent acted."""
        self._session.execute(insert(_USES).values({name: getattr(use, name) for name in _USE_NAMES}))

    def uses(self, delegation_ids: Collection[str], *, limit: int = 500) -> list[Use]:
        """When agents acted under these, newest first."""
        query = select(_USES).where(_USES.c.delegation.in_(delegation_ids))
        rows = self._session.execute(query.order_by(_USES.c.at.desc(), _USES.c.verification).limit(limit))
        return [Use(**{name: getattr(row, name) for name in _USE_NAMES}) for row in rows]

    def _all(self, condition: Any, *, limit: int | None = 500) -> list[Delegation]:
        query = select(_DELEGATIONS).where(condition)
        query = query.order_by(_DELEGATIONS.c.proposed_at.desc(), _DELEGATIONS.c.id).limit(limit)
        return [_delegation(row) for row in self._session.execute(query)]

    def _holder(self, code: str) -> bytes:
        return self._index.of("holder", code)


def _changing(one: Delegation) -> dict[str, Any]:
    return {
        "state": str(one.state),
        "step": one.step,
        "content": _content(one),
        "accepted_at": one.accepted_at,
        "ended_at": one.ended_at,
    }


def _content(one: Delegation) -> dict[str, Any]:
    return {
        "principal": [one.principal.code, one.principal.name, one.principal.representative],
        "agent": one.agent.to_dict(),
        "terms": one.terms.to_dict(),
        "ancestors": list(one.ancestors),
        "ended_by": one.ended_by,
        "ground": one.ground,
        "proofs": [dict(proof) for proof in one.proofs],
    }


def _delegation(row: Any) -> Delegation:
    content = row.content
    return Delegation(
        id=row.id,
        principal=Principal(*content["principal"]),
        agent=Agent(**content["agent"]),
        terms=Terms.from_dict(content["terms"]),
        state=State(row.state),
        proposed_at=row.proposed_at,
        ancestors=tuple(content["ancestors"]),
        accepted_at=row.accepted_at,
        ended_at=row.ended_at,
        ended_by=content["ended_by"],
        ground=content["ground"],
        proofs=tuple(content["proofs"]),
        step=row.step,
    )
