"""Sign-in at the city's identity platform by OpenID Connect: authorisation code with PKCE, state and nonce.

provider = OpenIdProvider(issuer, client_id, authentication, outbound=outbound, clock=clock)
access = Access(..., openid=provider)
"""

from yinxin.access.openid.provider import Authentication, Identity, OpenIdProvider
from yinxin.access.openid.travel import Traveller

__all__ = ["Authentication", "Identity", "OpenIdProvider", "Traveller"]
