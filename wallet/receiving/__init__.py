"""Licences come into the wallet: OpenID4VCI 1.0 as its client.

    receiving = Receiving(holder, outbound, trusted=trusted)
    considered = receiving.consider("openid-credential-offer://…")
    print(considered.consent.zh)                        # who gives what; nothing is spent yet
    licences = receiving.accept(considered, tx_code="493210")

`offers` and `metadata` read what issuers say, `wire` talks to them, `delivery` judges what comes.
"""

from wallet.receiving.considered import ConsideredOffer
from wallet.receiving.errors import DeliveryRefused, IssuerRefused, OfferRefused
from wallet.receiving.metadata import OfferedType
from wallet.receiving.offers import TxCode
from wallet.receiving.service import DEFAULT_COPIES, Receiving

__all__ = [
    "DEFAULT_COPIES",
    "ConsideredOffer",
    "DeliveryRefused",
    "IssuerRefused",
    "OfferRefused",
    "OfferedType",
    "Receiving",
    "TxCode",
]
