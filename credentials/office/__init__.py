"""The licence office: an application's way from a clerk's draft to a sealed licence, by three people.

    case = desk.draft("办-2026-0001", work, actor=clerk)
    case = desk.submit(case.id, actor=clerk)
    case = desk.review(case.id, proof=…, actor=reviewer)
    case = desk.approve(case.id, proof=…, actor=approver)
    issued = desk.seal(case.id, actor=clerk)

What a case is stands in `cases`, how people prove what they agreed to in `proofs`, who may do what in `desk`.
"""

from credentials.office.agreements import Consent
from credentials.office.cases import Case, CaseState, Work, WorkKind
from credentials.office.desk import Desk
from credentials.office.making import Sealed
from credentials.office.proofs import KeyProofs, Proofs

__all__ = ["Case", "CaseState", "Consent", "Desk", "KeyProofs", "Proofs", "Sealed", "Work", "WorkKind"]
