"""Custody of seals (印章管理): the register, who may use a seal for what, the log of uses, and a lost key.

    seals = Seals(agency, database=database, proofs=proofs)
    seal = seals.apply(name="行政审批专用章", owner=code, owner_name="…", key="seal", actor=keeper)
    seals.agree(seals.open_requests(actor=approver)[0].id, proof=…, actor=approver)
    seals.make(seal.id, certificate=certificate, actor=keeper)
    seals.file(seal.id, number="津印备〔2026〕1号", actor=keeper)
    seals.begin(seal.id, actor=keeper)

What a seal is stands in `values`, what people ask a second person for in `requests`, who may use one in
`grants`, the check beside every sealing in `custody`, and what a lost key leads to in `compromise`.
"""

from credentials.office.seals.adoption import Adoption
from credentials.office.seals.custody import Custody
from credentials.office.seals.grants import ANY_TYPE, ANYONE, FILE, Grant, GrantTerms
from credentials.office.seals.reading import KEEPER
from credentials.office.seals.requests import Request, RequestKind
from credentials.office.seals.service import Seals
from credentials.office.seals.values import RemakeReason, Seal, SealKind, SealState

__all__ = [
    "ANYONE",
    "ANY_TYPE",
    "FILE",
    "KEEPER",
    "Adoption",
    "Custody",
    "Grant",
    "GrantTerms",
    "RemakeReason",
    "Request",
    "RequestKind",
    "Seal",
    "SealKind",
    "SealState",
    "Seals",
]
