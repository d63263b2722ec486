"""The issuer on HTTP: status lists for everybody, OpenID4VCI for wallets, an offer's page for people."""

from credentials.http.status import router
from credentials.http.wallets import wallet_router

__all__ = ["router", "wallet_router"]
