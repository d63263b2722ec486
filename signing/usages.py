"""What a key is for. One key has one use, and its certificate says which.

A row joins our word for a use with the key usage bits and the extended key usage that a certificate must
carry. The CA's profiles write these, path validation demands them. Uses that no standard has named yet
stand under our own arc (ITU-T X.667, 2.25 and a UUID), so that nobody else's certificate means them.
"""

from __future__ import annotations

from dataclasses import dataclass

from yinxin.base.errors import UsageError

# RFC 5280, 4.2.1.3: the bits of the key usage that say something by themselves; a bit's place is its number.
KEY_USAGE_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_ARC = "2.25.122226302454643061161832467862686897435"


@dataclass(frozen=True, slots=True)
class Usage:
    """A use: its name, the one key-usage bit that it needs, and its extended key usage."""

    name: str
    key_usage: str
    extended: str
    means: str


USAGES: tuple[Usage, ...] = (
    # RFC 9336: id-kp-documentSigning. Contentcommitment alone, as EN 319 412-2, 4.3.2 prefers.
    Usage("seal", "content_commitment", "1.3.6.1.5.5.7.3.36", "seals documents for a legal person"),
    Usage("signature", "content_commitment", _ARC + ".7", "signs documents as a natural person"),
    Usage("credential", "digital_signature", _ARC + ".1", "signs SD-JWT VC"),
    # ISO/IEC 18013-5, B.1.4: id-mdl-kp-mdlDS, which its readers demand of every mdoc's issuer.
    Usage("mdoc", "digital_signature", "1.0.18013.5.1.2", "signs mdoc"),
    # draft-ietf-oauth-status-list, 11.3: id-kp-oauthStatusSigning has no number yet.
    Usage("status", "digital_signature", _ARC + ".2", "signs status lists"),
    Usage("receipt", "digital_signature", _ARC + ".3", "signs verification receipts"),
    Usage("request", "digital_signature", _ARC + ".4", "signs presentation requests"),
    Usage("metadata", "digital_signature", _ARC + ".8", "signs what an issuer says of itself to wallets"),
    Usage("timestamp", "digital_signature", "1.3.6.1.5.5.7.3.8", "signs RFC 3161 time-stamps"),
    Usage("ocsp", "digital_signature", "1.3.6.1.5.5.7.3.9", "signs OCSP answers"),
    Usage("client", "digital_signature", "1.3.6.1.5.5.7.3.2", "authenticates a department or an enterprise"),
)
_BY_NAME = {row.name: row for row in USAGES}


def usage(name: str) -> Usage:
    """The row of this name, or `UsageError`."""
    try:
        return _BY_NAME[name]
    except KeyError as exc:
        raise UsageError(f"no key usage {name!r}; known: {', '.join(_BY_NAME)}") from exc
