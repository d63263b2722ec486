"""CMS SignedData (RFC 5652): what seals of PDFs, `.p7s` files and time-stamps are made of.

    encoded = cms.sign(signer, digest)
    signed = cms.parse(encoded)
    checks = cms.check_signature(signed, digest, policy=policy, at=now)

Written and read as DER through `signing.der`; a signer's structure is encoded once and filled for each
signature. The checks here are the cryptographic ones: content type, digest, certificate reference (RFC 5035),
algorithm, signature value. Whether the certificate is trusted is the work of `signing.path`, and when it was
signed that of `signing.timestamp`.
"""

from signing.cms.apart import MAX_SIGNERS, apart, chains, countersignatures
from signing.cms.checking import check_signature, verifies
from signing.cms.reading import (
    MAX_CERTIFICATES,
    MAX_CMS_BYTES,
    MAX_EVIDENCE,
    SeveralSigners,
    parse,
    read_certificates,
)
from signing.cms.structure import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    OCSP_RESPONSE,
    SIGNED_DATA,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    SIGNING_TIME,
    STRONG_DIGESTS,
    TIMESTAMP_TOKEN,
    TST_INFO,
    SignedData,
    cms_digest,
    digest_identifier,
    hash_pieces,
    hash_with,
    read_digest,
)
from signing.cms.writing import (
    attribute,
    chain_bound,
    put_together,
    sign,
    size_bound,
    to_be_signed,
    with_evidence,
    with_unsigned,
)

__all__ = [
    "CONTENT_TYPE",
    "DATA",
    "MAX_CERTIFICATES",
    "MAX_CMS_BYTES",
    "MAX_EVIDENCE",
    "MAX_SIGNERS",
    "MESSAGE_DIGEST",
    "OCSP_RESPONSE",
    "SIGNED_DATA",
    "SIGNING_CERTIFICATE",
    "SIGNING_CERTIFICATE_V2",
    "SIGNING_TIME",
    "STRONG_DIGESTS",
    "TIMESTAMP_TOKEN",
    "TST_INFO",
    "SeveralSigners",
    "SignedData",
    "apart",
    "attribute",
    "chain_bound",
    "chains",
    "check_signature",
    "cms_digest",
    "countersignatures",
    "digest_identifier",
    "hash_pieces",
    "hash_with",
    "parse",
    "put_together",
    "read_certificates",
    "read_digest",
    "sign",
    "size_bound",
    "to_be_signed",
    "verifies",
    "with_evidence",
    "with_unsigned",
]
