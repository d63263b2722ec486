"""What an SD-JWT VC's own claims must be, each rule as a check (SD-JWT VC, 2.2.2; RFC 7519, 4.1).

Here stand rules that need nothing but the processed claims and who was proved to have signed them; times,
types, permissions and the key binding are judged where `credentials.verifier` puts them together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from credentials.signed_tokens import host_of, hosts_of, uris_of
from credentials.type_metadata import is_integrity
from credentials.vocabulary import NEVER_DISCLOSABLE
from signing.reasons import Reason
from signing.report import Check, good

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.disclosures import Revealed
    from signing.certificates import Certificate

_DISCLOSED, _ALWAYS_VISIBLE = map(good, ("disclosures", "always_visible_claims"))
_TYPED, _NAMED = map(good, ("credential_type", "issuer_name"))
_ABSENT: Mapping[str, Any] = {}  # no cnf, of which nothing is wrong
_RARE = frozenset({"sub", "jti", "vct#integrity", "aka_vcts"})
_KEYS, _PRIVATE = frozenset({"jwk", "jwe", "jku"}), frozenset({"d", "k"})


def disclosures_check(revealed: Revealed) -> Check:
    """SD-JWT VC, 2.2.2.5: where nothing can be disclosed selectively there is no `_sd`."""
    if not revealed.is_empty:
        return _DISCLOSED
    return Check("disclosures", Reason.DISCLOSURE_INVALID, detail="SD-JWT VC, 2.2.2.5: _sd without a digest")


def never_hidden_check(revealed: Revealed) -> Check:
    """SD-JWT VC, 2.2.2.3: some claims, and what stands below them, never come as disclosures.

    A digest below them that no disclosure belongs to is a decoy, which may stand in any object (RFC 9901,
    4.2.5): nothing of it is used.
    """
    disclosed = {path[0] for _, path, _ in revealed.placed}
    if NEVER_DISCLOSABLE.isdisjoint(disclosed):
        return _ALWAYS_VISIBLE
    hidden = sorted(str(name) for name in NEVER_DISCLOSABLE & disclosed)
    return Check("always_visible_claims", Reason.CLAIM_NOT_ALLOWED, detail=", ".join(hidden))


def types_check(claims: Mapping[str, Any], *, known: Any = _ABSENT) -> Check:
    """The types that it says it is of, and texts that must be texts (SD-JWT VC, 2.2.2.1; RFC 7519, 4.1).

    `known` is a `cnf` that `holder_key` made a key of: it keeps these rules.
    """
    vct, confirmation = claims.get("vct"), claims.get("cnf", _ABSENT)
    is_sound = confirmation is known or not _confirmation_fault(confirmation)
    if is_sound and _RARE.isdisjoint(claims) and _is_name(vct):
        return _TYPED
    others = claims.get("aka_vcts", ["-"])
    texts = [name for name in ("sub", "jti") if not isinstance(claims.get(name, ""), str)]
    fault = f"RFC 7519, 4.1: {texts[0]} is no text" if texts else ""
    if not _are_names([vct]):
        fault = "SD-JWT VC, 2.2.2.1: vct is missing, or no name"
    elif "vct#integrity" in claims and not is_integrity(claims["vct#integrity"]):
        fault = "SD-JWT VC, 6: vct#integrity is no integrity metadata"
    elif not isinstance(others, list) or not others or not _are_names(others):
        fault = "SD-JWT VC, 2.2.2.1: aka_vcts is not an array of types"
    elif confirmation := _confirmation_fault(claims.get("cnf", {})):
        fault = confirmation
    elif vct in others:
        fault = "SD-JWT VC, 2.2.2.1: aka_vcts repeats the vct"
    return Check("credential_type", Reason.CLAIM_INVALID, detail=fault) if fault else _TYPED


def _are_names(values: list[Any]) -> bool:
    return all(map(_is_name, values))


def _is_name(value: Any) -> bool:
    """Whether this may be a collision-resistant name (RFC 7515, 2): it has no space in it."""
    return isinstance(value, str) and value.split() == [value]


def _confirmation_fault(confirmation: Any) -> str:
    """What is wrong with a `cnf`, whoever presents it: it is one key at most, and no private one."""
    if not isinstance(confirmation, dict):
        return "RFC 7800, 3.1: cnf is no object"
    if len(_KEYS & confirmation.keys()) > 1:
        return "RFC 7800, 3.1: more than one key"
    jwk = confirmation.get("jwk", {})
    if not isinstance(jwk, dict) or not _PRIVATE.isdisjoint(jwk):
        return "RFC 7800, 3.2: jwk is no public key"
    return ""


def audience_check(named: Any, ours: str | None) -> Check:
    """RFC 7519, 4.1.3: who is not named is not meant; names are texts."""
    names = named if isinstance(named, list) else [named]
    if not all(isinstance(name, str) for name in names):
        return Check("credential_audience", Reason.CLAIM_INVALID, detail="RFC 7519, 4.1.3: aud is no text")
    is_meant = ours is not None and ours in names
    return good("credential_audience") if is_meant else Check("credential_audience", Reason.WRONG_AUDIENCE)


def issuer_name_check(claims: Mapping[str, Any], issuer: Certificate | str | None) -> Check:
    """Where `iss` stands beside a certificate that names addresses or hosts, it is one of them, or there."""
    if isinstance(issuer, str):
        return Check("issuer_name", None if claims.get("iss") == issuer else Reason.ISSUER_MISMATCH)
    if "iss" not in claims:
        return _NAMED
    name = claims["iss"]
    if not isinstance(name, str) or not name:
        return Check("issuer_name", Reason.CLAIM_INVALID, detail="RFC 7519, 4.1.1: iss is no text")
    addresses, hosts = _places_of(issuer) if issuer else ((), ())
    if name in addresses or not (addresses or hosts) or (hosts and host_of(name) in hosts):
        return _NAMED
    return Check("issuer_name", Reason.ISSUER_MISMATCH, detail="iss is not in the certificate")


@lru_cache(256)
def _places_of(issuer: Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return uris_of(issuer), hosts_of(issuer)
