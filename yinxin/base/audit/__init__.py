"""The audit log: what was done, provably, without telling it to who should not know.

    with database.transaction() as session:
        licences.suspend(session, number)
        audit.record(session, action="licence.suspend", subject=number, actor=clerk, at=now)

One entry goes into the inbox in the transaction of its change. The `Sequencer` gives it its place in a
Merkle tree (RFC 6962, C2SP tlog-tiles) and signs a checkpoint; `AuditLog` reads entries and proofs, which
anybody verifies with `verify_checkpoint` and `verify_offline`.
"""

from yinxin.base.audit.checkpoint import Checkpoint, verifier_key, verify_checkpoint
from yinxin.base.audit.entry import Entry
from yinxin.base.audit.inbox import record
from yinxin.base.audit.log import AuditLog, erase
from yinxin.base.audit.merkle import verify_consistency, verify_inclusion
from yinxin.base.audit.proof import (
    ConsistencyProof,
    InclusionProof,
    OfflineProof,
    ProvenEntry,
    verify_offline,
)
from yinxin.base.audit.sequencer import Sequencer

__all__ = [
    "AuditLog",
    "Checkpoint",
    "ConsistencyProof",
    "Entry",
    "InclusionProof",
    "OfflineProof",
    "ProvenEntry",
    "Sequencer",
    "erase",
    "record",
    "verifier_key",
    "verify_checkpoint",
    "verify_consistency",
    "verify_inclusion",
    "verify_offline",
]
