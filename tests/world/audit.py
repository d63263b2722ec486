"""An audit log in a test: its key, its writer, and entries to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from world.pki import NOON
from yinxin.base import audit
from yinxin.base.actor import staff
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from sqlmodel import Session

    from yinxin.base.database import Database

ORIGIN = "audit.example.gov/test"
CLERK = staff("clerk-17")
_KEY = Ed25519PrivateKey.from_private_bytes(b"the key of the test's audit log!")
PUBLIC_KEY = _KEY.public_key().public_bytes_raw()


def sequencer(database: Database, *, origin: str = ORIGIN) -> audit.Sequencer:
    clock = FixedClock(2026, 11, 20)
    return audit.Sequencer(database, origin=origin, sign=_KEY.sign, public_key=PUBLIC_KEY, clock=clock)


def note_down(session: Session, subject: str = "licence-1") -> str:
    return audit.record(session, action="licence.suspend", subject=subject, actor=CLERK, at=NOON)


def write(database: Database, count: int, subject: str = "licence-1") -> list[str]:
    with database.transaction() as session:
        return [note_down(session, subject) for _ in range(count)]
