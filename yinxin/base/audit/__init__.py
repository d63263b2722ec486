"""The audit log: what was done, provably, without telling it to who should not know.

    with database.transaction() as session:
        licences.suspend(session, number)
        audit.record(session, action="licence.suspend", subject=number, actor=clerk, at=now)

One entry goes into the inbox in the transaction of its change. The `Sequencer` gives it its place in a
Merkle tree (RFC 6962, C2SP tlog-tiles) and signs a checkpoint; `AuditLog` reads entries and proofs.
"""

from yinxin.base.audit.entry import Entry
from yinxin.base.audit.inbox import record

__all__ = ["Entry", "record"]
