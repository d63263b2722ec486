"""The issuer on HTTP: status lists and keys for everybody, OpenID4VCI for wallets, an offer's page."""

from credentials.http.keys import keys_router
from credentials.http.status import router
from credentials.http.wallets import wallet_router

__all__ = ["keys_router", "router", "wallet_router"]
