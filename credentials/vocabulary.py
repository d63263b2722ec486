"""Names that drafts may still change: media types, header types, claims and numbers.

SD-JWT VC is at the IESG and Token Status List waits for its RFC number; whoever updates us to the final
texts looks here first. RFC 9901 (SD-JWT) is final and its control names stand here beside the others.
"""

from __future__ import annotations

# RFC 9901: SD-JWT
DIGESTS, ARRAY_DIGEST, DIGEST_ALGORITHM = "_sd", "...", "_sd_alg"
CONTROL_NAMES = frozenset({DIGESTS, ARRAY_DIGEST, DIGEST_ALGORITHM})
DEFAULT_DIGEST_ALGORITHM = "sha-256"
# Of the registered names (IANA, Named Information Hash Algorithm) those that are not truncated → hashlib
DIGEST_ALGORITHMS = {
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}
KEY_BINDING_TYP = "kb+jwt"

# draft-ietf-oauth-sd-jwt-vc
CREDENTIAL_TYP = "dc+sd-jwt"
CREDENTIAL_MEDIA_TYPE = "application/dc+sd-jwt"
# 2.2.2.3: these, and whatever stands below them, are never selectively disclosable.
NEVER_DISCLOSABLE = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})

# draft-ietf-oauth-status-list
STATUS_LIST_TYP = "statuslist+jwt"
STATUS_LIST_MEDIA_TYPE = "application/statuslist+jwt"
STATUS_LIST_CWT_TYP = "application/statuslist+cwt"  # header 16 (RFC 9596), and the media type
STATUS_LIST_BITS = (1, 2, 4, 8)
# 5.2: claims of the CWT form
CWT_SUBJECT, CWT_EXPIRES, CWT_ISSUED, CWT_TTL, CWT_STATUS_LIST = 2, 4, 6, 65534, 65533
CWT_AUDIENCE, CWT_NOT_BEFORE = 3, 5  # RFC 8392, 3.1
VALID, INVALID, SUSPENDED = 0, 1, 2

# Our own claim: the licence that a credential is a copy of (GB/T 36904 identifier).
LICENCE_IDENTIFIER = "licence_identifier"
# Our own claim: that the data come from an older register, and whether anybody compared them since.
PROVENANCE = "licence_provenance"
# Our own claim: the delegation that a credential was given to an agent under.
DELEGATION = "delegation"
DELEGATION_VCT = "urn:yinxin:delegation:1"
# What differs between copies that say the same: when it was made, for which key, where its status stands.
OF_THE_COPY = frozenset({"iss", "iat", "nbf", "exp", "jti", "cnf", "status", "_sd_alg"})
