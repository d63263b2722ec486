"""COSE_Key (RFC 9052, 7; RFC 9053, 7): public keys in CBOR, as mdoc carries its holder's key.

    key = key_from_cose(value)
    value = key_to_cose(key)

Elliptic curves and Ed25519 only: what a holder's device signs with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signing.algorithms import algorithm_by_cose
from signing.keys import PublicKey
from yinxin.base.errors import MalformedInput, UnknownAlgorithm, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

# RFC 9053, 7.1 and 7.2
KTY, CRV, X, Y, D = 1, -1, -2, -3, -4
_KID, _ALG, _OPERATIONS = 2, 3, 4  # RFC 9052, 7.1
_VERIFY, _DERIVE = 2, {7, 8}  # RFC 9052, table 5; a device's key may serve to agree on a code's key
_OKP, _EC2 = 1, 2
_CURVES = {(_EC2, 1): "P-256", (_EC2, 2): "P-384", (_EC2, 3): "P-521", (_OKP, 6): "Ed25519"}
_NUMBERS = {name: numbers for numbers, name in _CURVES.items()}


def key_from_cose(value: Any) -> PublicKey:
    """The public key of a COSE_Key map; `MalformedInput` for another kind, a private key, or a bad point.

    Of a compressed point `y` is a truth value, the sign bit (RFC 9053, 7.1.1).
    """
    if not isinstance(value, dict):
        raise MalformedInput("cose key", "not a map")
    if D in value:
        raise MalformedInput("cose key", "holds a private key")
    kind, curve = value.get(KTY), value.get(CRV)
    name = _CURVES.get((kind, curve)) if type(kind) is int and type(curve) is int else None
    if name is None:
        raise MalformedInput("cose key", "a kind or curve that is not known here")
    _check_use(value, name)
    x, y = value.get(X), value.get(Y, b"")
    if not isinstance(x, bytes) or not isinstance(y, bytes | bool):
        raise MalformedInput("cose key", "a coordinate is missing or no byte string")
    try:
        if kind == _OKP:
            return PublicKey.from_coordinates(name, x)
        if isinstance(y, bool):
            return PublicKey.from_half_point(name, x, is_odd=y)
        return PublicKey.from_coordinates(name, x, y)
    except MalformedInput as exc:
        raise MalformedInput("cose key", exc.detail) from exc


def _check_use(value: Mapping[Any, Any], kind: str) -> None:
    """What a key says of itself (RFC 9052, 7.1) fits: its algorithm is of its kind, it may verify."""
    if not isinstance(value.get(_KID, b""), bytes):
        raise MalformedInput("cose key", "RFC 9052, 7.1: kid is no byte string")
    if _ALG in value:
        number = value[_ALG]
        try:
            fits = type(number) is int and algorithm_by_cose(number).key_kind == kind
        except UnknownAlgorithm:
            fits = False
        if not fits:
            raise MalformedInput("cose key", "RFC 9052, 7.1: the key is for another algorithm")
    operations = value.get(_OPERATIONS, [])  # empty for a key to agree with (RFC 9053, 6.3.1)
    if not isinstance(operations, list) or (
        operations and not any(type(one) is int and one in {_VERIFY, *_DERIVE} for one in operations)
    ):
        raise MalformedInput("cose key", "RFC 9052, 7.1: the key is not to verify with")


def key_to_cose(key: PublicKey) -> Mapping[int, Any]:
    """The COSE_Key map of a public key; `UsageError` for a kind that devices do not sign with here."""
    if key.kind not in _NUMBERS:
        raise UsageError(f"{key.kind} has no COSE_Key here")
    kind, curve = _NUMBERS[key.kind]
    if kind == _OKP:
        return {KTY: kind, CRV: curve, X: key.bits}
    middle = (len(key.point) + 1) // 2
    return {KTY: kind, CRV: curve, X: key.point[1:middle], Y: key.point[middle:]}
