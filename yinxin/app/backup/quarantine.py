"""What is done to a node that was put back, before anybody may rely on it again.

Its database is of some time ago, and what happened since is not known: codes that look unused were used,
numbers that look free were given, certificates that look good were revoked. So everything that is used once
is used up, everything that is counted jumps ahead, and what the operator still has of what was published
(status lists, revocation lists, a checkpoint) is taken back in. What remains is said aloud: a signed notice
in the log that its history forks here.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ca.repository import AuthorityRepository
from credentials.delegations.repository import DelegationRepository
from credentials.office.bundles.repository import BundleRepository
from credentials.office.repository import CaseRepository
from credentials.office.seals.holding import Holding
from credentials.oid4vci.repository import IssuanceRepository
from credentials.persons.repository import reopen_erasures
from credentials.repository import LicenceRepository
from credentials.status_records import StatusRecords
from verify_api.presentations.repository import PresentationRepository
from verify_api.repository import SessionRepository
from yinxin.access.repository import AccessRepository
from yinxin.app import wiring
from yinxin.app.backup import published
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.base import audit, restoration
from yinxin.base.audit import AuditLog, verify_checkpoint
from yinxin.base.audit.checkpoint import parse_verifier_key, sign_note
from yinxin.base.errors import Conflict
from yinxin.base.randomness import SystemRandomness, random_text
from yinxin.base.restoration import Restoration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlmodel import Session

    from credentials.licence_type import LicenceType
    from yinxin.app.home import Home
    from yinxin.base.actor import Actor
    from yinxin.base.audit import Checkpoint

CRL_NUMBERS_SKIPPED = 1 << 20  # a list a minute for two years
SERIALS_SKIPPED = 1000  # of each series of licence numbers, unless the checkpoint says how much was lost
NOTICE = "yinxin log fork"
DELEGATION_NOTE = "系统已从备份恢复 / restored from a backup"
CASE_NOTE = "系统已从备份恢复，请核对是否已制证 / restored from a backup: look whether it was sealed before"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What was done. `notice` is the signed fork notice, None when the log agrees with the checkpoint given."""

    id: str
    burnt: int
    closed_lists: int
    crl_numbers: dict[str, int]
    serials_skipped: int
    statuses_taken_back: int
    revocations_taken_back: int
    lost_entries: int | None
    notice: str | None
    seals_held: int
    grants_held: int


def enter(  # noqa: PLR0913 - what is known of the time that was lost
    home: Home,
    *,
    actor: Actor,
    taken_at: datetime | None,
    checkpoint: str | None = None,
    lists: Sequence[Path] = (),
    serials: int | None = None,
) -> Quarantine:
    """Put a node into quarantine, in one transaction, and write the log up to there.

    `checkpoint` is the newest one that was published, `lists` are status and revocation lists that were;
    `serials` says how many numbers of each series to skip. `Conflict` when the checkpoint is not of this log's
    history: then the database is not what it is taken for.
    """
    seen = _verified(home, checkpoint)
    state = _judge(home, seen)
    notice = None if state.agrees else _notice(home, state, seen)
    found = published.read(home, lists)
    skipped = serials if serials is not None else max(SERIALS_SKIPPED, state.lost or 0)
    kinds = list(wiring.catalogue(home))  # before the transaction: the catalogue reads the database
    with home.database.transaction() as session:
        now = home.clock.now()
        row = restoration.unreleased(session)
        if row is None:
            row = Restoration(random_text(SystemRandomness()), taken_at, now, str(actor))
            restoration.keep(session, row)
        made = _apply(home, session, found, skipped, taken_at, kinds)
        facts = {
            "taken_at": taken_at.isoformat() if taken_at else None,
            "log": "agrees" if state.agrees else "forks",
            "size": state.size,
            "lost_entries": state.lost,
            "notice": notice,
            "checkpoint": checkpoint,
            **made,
        }
        audit.record(
            session,
            action="node.restore",
            subject=f"restoration/{row.id}",
            actor=actor,
            at=now,
            details=facts,
        )
        held = Holding(session, document_number=f"restoration/{row.id}", actor=actor, at=now).hold()
    writer = wiring.sequencer(home)
    while writer.run_once():
        pass
    return Quarantine(
        row.id,
        made["burnt"],
        made["closed_lists"],
        made["crl_numbers"],
        skipped,
        made["statuses_taken_back"],
        made["revocations_taken_back"],
        state.lost,
        notice,
        held.seals,
        held.grants,
    )


@dataclass(frozen=True, slots=True)
class _State:
    """How the log stands to the checkpoint: `lost` entries are known to be missing, None when nobody knows."""

    size: int
    root: bytes
    agrees: bool
    lost: int | None


def _verified(home: Home, checkpoint: str | None) -> Checkpoint | None:
    if checkpoint is None:
        return None
    _, public_key = parse_verifier_key(wiring.log_key(home)[1])
    return verify_checkpoint(checkpoint, origin=home.settings.audit_origin, public_key=public_key)


def _judge(home: Home, seen: Checkpoint | None) -> _State:
    log = AuditLog(home.database)
    size, root = log.head()
    if seen is None:
        return _State(size, root, agrees=False, lost=None)
    reached = log.root_at(seen.size)
    if reached is not None and reached != seen.root:
        raise Conflict(
            "the checkpoint is not of this log's history: this database is not what it is taken for"
        )
    if reached is None:
        return _State(size, root, agrees=False, lost=seen.size - size)
    # Older than the backup: it says nothing of the time after.
    return _State(size, root, agrees=seen.size >= size, lost=0 if seen.size >= size else None)


def _notice(home: Home, state: _State, seen: Checkpoint | None) -> str:
    """The fork in words that anybody can verify with the log's key."""
    origin = home.settings.audit_origin
    published_state = f"{seen.size} {_text(seen.root)}" if seen and state.lost else "unknown"
    text = "\n".join(
        (
            NOTICE,
            origin,
            f"common {state.size} {_text(state.root)}",
            f"published {published_state}",
            f"at {home.clock.now().isoformat(timespec='seconds')}",
            "",
        )
    )
    raw, _ = wiring.log_key(home)
    return sign_note(text, name=origin, sign=home.signer("log").sign, public_key=raw)


def _text(root: bytes) -> str:
    return b64encode(root).decode("ascii")


def _apply(  # noqa: PLR0913, PLR0917 - one call
    home: Home,
    session: Session,
    found: published.Lists,
    serials: int,
    taken_at: datetime | None,
    kinds: Iterable[LicenceType],
) -> dict[str, Any]:
    now = home.clock.now()
    burnt = IssuanceRepository(session).burn(now=now) + AccessRepository(session).burn(now=now)
    burnt += SessionRepository(session).burn() + PresentationRepository(session).burn()
    reopened = BundleRepository(session).reopen(CASE_NOTE, at=now)
    reopened += CaseRepository(session).reopen(CASE_NOTE, at=now)
    reopened += SubjectRepository(session).reopen() + reopen_erasures(session)
    statuses = StatusRecords(session)
    revoked = found.take_back_statuses(statuses, at=now)
    closed = statuses.close_lists()
    delegations = DelegationRepository(session, index=wiring.holder_index(home))
    recalled = delegations.settle(at=now, ground=DELEGATION_NOTE)
    authorities = AuthorityRepository(session)
    certificates = found.take_back_certificates(authorities)
    numbers: dict[str, int] = {}
    for name in authorities.authority_names():
        number = authorities.skip_crl_numbers(name, CRL_NUMBERS_SKIPPED, at_least=found.crl_number(name))
        if number is not None:
            numbers[name] = number
    _skip_serials(kinds, LicenceRepository(session), serials, {now.date(), (taken_at or now).date()})
    return {
        "burnt": burnt,
        "agreements_reopened": reopened,
        "delegations_ended": recalled,
        "closed_lists": closed,
        "crl_numbers": numbers,
        "serials_skipped": serials,
        "statuses_taken_back": revoked,
        "revocations_taken_back": certificates,
    }


def _skip_serials(
    kinds: Iterable[LicenceType], licences: LicenceRepository, count: int, days: set[Any]
) -> None:
    """Jump ahead in every series that could have been counted in, also one that did not exist yet."""
    for kind in kinds:
        if kind.numbering.field is None and count > 0:
            for series in {kind.numbering.series(on=day) for day in days}:
                licences.take_serials(kind.code, series, count=count)
