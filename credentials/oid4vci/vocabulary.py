"""Names of OpenID4VCI 1.0 and of the OAuth RFCs that it stands on, and the limits that we set.

Paths are seen from the issuer's own URL; `/.well-known` ones are put between host and path (12.2.2).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

# Grants (RFC 6749, 4.1.3 and 6; OpenID4VCI, 4.1.1)
PRE_AUTHORIZED_CODE = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant's name

# Types of tokens
PROOF_TYP = "openid4vci-proof+jwt"  # appendix F.1
METADATA_TYP = "openidvci-issuer-metadata+jwt"  # 12.2.3
DPOP_TYP = "dpop+jwt"  # RFC 9449, 4.2

AUTHORIZATION_DETAILS_TYPE = "openid_credential"  # 5.1.1
REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"  # RFC 9126, 2.2
OFFER_SCHEME = "openid-credential-offer://"  # 4.1
CREDENTIAL_FORMAT: Final = "dc+sd-jwt"  # appendix A.3
MDOC_FORMAT: Final = "mso_mdoc"  # appendix A.2
MDOC_SUFFIX = ".mdoc"  # of the configuration that a licence's mdoc is fetched by

WELL_KNOWN_ISSUER = "/.well-known/openid-credential-issuer"
WELL_KNOWN_SERVER = "/.well-known/oauth-authorization-server"
OFFERS_PATH = "/oid4vci/offers/"
PAR_PATH = "/oid4vci/par"
AUTHORIZE_PATH = "/oid4vci/authorize"
TOKEN_PATH = "/oid4vci/token"  # noqa: S105 - a path
NONCE_PATH = "/oid4vci/nonce"
CREDENTIAL_PATH = "/oid4vci/credential"
NOTIFICATION_PATH = "/oid4vci/notification"

# One algorithm for everything that a wallet signs: HAIP 1.0 demands it of everybody.
ALGORITHMS = frozenset({"ES256"})

BATCH_SIZE = 10
TX_CODE_DIGITS = 6
TX_CODE_TRIES = 5
LOGIN_TRIES = 5
MAX_OFFERED = 20
MAX_COPIES = 100
"""Copies of all licences together that one grant is good for in `COPIES_PERIOD`."""
COPIES_PERIOD = timedelta(days=1)

OFFER_LIFE = timedelta(minutes=15)
LOGIN_LIFE = timedelta(minutes=15)
REQUEST_LIFE = timedelta(minutes=5)
CODE_LIFE = timedelta(seconds=60)
ACCESS_LIFE = timedelta(minutes=5)  # 6.2: longer ones must be bound to their sender
REFRESH_LIFE = timedelta(days=90)
NONCE_LIFE = timedelta(minutes=5)
PROOF_AGE = timedelta(minutes=5)
CLOCK_SKEW = timedelta(seconds=30)

MAX_PROOF_CHARACTERS = 8 * 1024
MAX_PARAMETER_CHARACTERS = 8 * 1024
