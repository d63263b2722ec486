"""The wallet: a person's or a company's one place for licences, shown to whom they choose.

    from wallet import Holder

    holder = Holder.create("my-wallet", passphrase, clock=clock)
    key = holder.new_key()                       # give it to the issuing agency
    licence = holder.receive(credential)         # what the agency sent back
    proposal = holder.consider(request, licence.id)
    print(proposal.consent.zh)                   # who asks, what for, what is shown, and what is not
    presentation = holder.answer(proposal)       # after the holder said yes

Everything lies in one encrypted file, and every presentation in an activity log that can be exported.
"""

from wallet.activity import Activity, ActivityKind
from wallet.holder import HeldLicence, Holder
from wallet.keys import HolderKey
from wallet.present import Proposal, Shared
from wallet.request import PresentationRequest
from wallet.store import Store

__all__ = [
    "Activity",
    "ActivityKind",
    "HeldLicence",
    "Holder",
    "HolderKey",
    "PresentationRequest",
    "Proposal",
    "Shared",
    "Store",
]
