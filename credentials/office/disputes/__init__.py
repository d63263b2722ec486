"""Refusals and disputes: who is refused takes a slip along, and can dispute what a licence says.

    slip = slips.make(SlipKind.VERIFICATION, "licence_unknown", agency=code)
    opened = disputes.open(Complaint(DisputeKind.WRONG, "…", licence=number), actor=department)
    disputes.answer(opened.dispute.number, "accept", words="…", actor=clerk)

Slips are in `slips`, what a dispute is in `dispute`, who may do what in `service`.
"""

from credentials.office.disputes.contacts import Contact, Contacts
from credentials.office.disputes.dispute import (
    Complaint,
    Dispute,
    DisputeKind,
    DisputeState,
    Elsewhere,
    Opened,
)
from credentials.office.disputes.service import Disputes, Terms
from credentials.office.disputes.slips import Phrase, Slip, SlipKind, Slips

__all__ = [
    "Complaint",
    "Contact",
    "Contacts",
    "Dispute",
    "DisputeKind",
    "DisputeState",
    "Disputes",
    "Elsewhere",
    "Opened",
    "Phrase",
    "Slip",
    "SlipKind",
    "Slips",
    "Terms",
]
