"""What is done about a leaked key: of a seal, whose documents are sealed anew, or of credentials.

    drill = compromise.begin(seal_id, since=…, ground=…, document_number=…, actor=keeper)   # it is stopped
    plan = compromise.examine(drill.id, actor=keeper)      # what is surely before, and what is doubtful
    compromise.agree(plan.request, proof=…, actor=approver)
    …                                                      # the authority revokes the certificate
    compromise.reseal(drill.id, issuer, actor=keeper)      # next versions of the doubtful, by the new seal

Each step goes on where it was cut off. How a document is judged stands in `judging`.
"""

from credentials.office.seals.drills.copies import LostCredentialKey
from credentials.office.seals.drills.judging import Examiner
from credentials.office.seals.drills.values import Drill, DrillState, Item, ItemState, Plan, Verdict
from credentials.office.seals.drills.work import Compromise

__all__ = [
    "Compromise",
    "Drill",
    "DrillState",
    "Examiner",
    "Item",
    "ItemState",
    "LostCredentialKey",
    "Plan",
    "Verdict",
]
