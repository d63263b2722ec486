"""SM2 verification in plain Python (GB/T 32918.2-2016, 7): for machines whose libcrypto has no SM2.

Verification only: everything here is public, so nothing needs to be constant in time. Points are Jacobian
coordinates over the curve of GB/T 32918.5; the two scalar products run in one ladder of signed windows,
with the odd multiples of a key kept for its next signature.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from signing import der
from yinxin.base.errors import MalformedInput, UnknownAlgorithm

DEFAULT_IDENTITY = b"1234567812345678"
MAX_IDENTITY_BYTES = 0xFFFF // 8

# GB/T 32918.5-2017, A: the recommended curve.
P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
A = P - 3
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
GX = 0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7
GY = 0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0

_Affine = tuple[int, int]
_Jacobian = tuple[int, int, int]
_BASE_WINDOW, _KEY_WINDOW = 7, 5


def verify(point: bytes, signature: bytes, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bool:
    """Whether `signature` (DER SEQUENCE of r and s) over `message` is of the key at `point` (04||x||y).

    False for whatever is not a signature; `MalformedInput` for a point that is none.
    """
    numbers = read_signature(signature)
    if numbers is None:
        check_point(point)
        return False
    r, s = numbers
    t = (r + s) % N
    e = int.from_bytes(digest(point, message, identity), "big")
    x, _, z = _sum_of_products(s, t, point)
    if t == 0 or z == 0:
        return False
    # R = (e + x1) mod n must be r; x1 = x / z^2 is compared without the division.
    wanted, square = (r - e) % N, z * z % P
    return any(x == candidate * square % P for candidate in (wanted, wanted + N) if candidate < P)


def check_point(point: bytes) -> None:
    """Raise `MalformedInput` unless these bytes are an uncompressed point of the curve."""
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if len(point) != 65 or point[0] != 4 or x >= P or y >= P:
        raise MalformedInput("key", "not an uncompressed SM2 point")
    if (y * y - (x * x * x + A * x + B)) % P:
        raise MalformedInput("key", "the point is not on the SM2 curve")


def read_signature(signature: bytes) -> tuple[int, int] | None:
    """The numbers r and s of a signature in strict DER, both from 1 to n - 1; None otherwise."""
    if len(signature) > 72:
        return None
    try:
        parts = tuple(der.children(der.read_exactly(signature, der.SEQUENCE)))
        if [part.tag for part in parts] != [der.INTEGER, der.INTEGER]:
            return None
        r, s = (der.read_integer(part) for part in parts)
    except MalformedInput:
        return None
    return (r, s) if 0 < r < N and 0 < s < N else None


def digest(point: bytes, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """SM3 over ZA and the message: the number e of GB/T 32918.2, in bytes."""
    return sm3(_identity_digest(point, identity) + message)


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905), by whichever library here has it; `UnknownAlgorithm` when none does."""
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:  # an OpenSSL without SM3 behind hashlib
        pass
    try:
        context = hashes.Hash(hashes.SM3())
    except UnsupportedAlgorithm as exc:
        raise UnknownAlgorithm("no library here has SM3") from exc
    context.update(data)
    return context.finalize()


@lru_cache(maxsize=256)
def _identity_digest(point: bytes, identity: bytes) -> bytes:
    """ZA (GB/T 32918.2, 5.5): binds the signer's identity, the curve and the key."""
    if len(identity) > MAX_IDENTITY_BYTES:
        raise MalformedInput("sm2", "the identity is too long")
    curve = b"".join(number.to_bytes(32, "big") for number in (A, B, GX, GY))
    return sm3((len(identity) * 8).to_bytes(2, "big") + identity + curve + point[1:])


def _sum_of_products(s: int, t: int, point: bytes) -> _Jacobian:
    """[s]G + [t]P (Shamir's trick over two non-adjacent forms)."""
    base_digits, key_digits = _signed_windows(s, _BASE_WINDOW), _signed_windows(t, _KEY_WINDOW)
    base, key = _base_table(), _key_table(point)
    total: _Jacobian = (1, 1, 0)
    for position in range(max(len(base_digits), len(key_digits)) - 1, -1, -1):
        total = _double(total)
        for digits, table in ((base_digits, base), (key_digits, key)):
            digit = digits[position] if position < len(digits) else 0
            if digit > 0:
                total = _add(total, table[digit >> 1])
            elif digit < 0:
                x, y = table[-digit >> 1]
                total = _add(total, (x, P - y))
    return total


def _signed_windows(number: int, width: int) -> list[int]:
    """The width-w non-adjacent form, lowest digit first: zeros and odd digits below 2^(w-1)."""
    digits, size = [], 1 << width
    while number:
        digit = 0
        if number & 1:
            digit = number & (size - 1)
            if digit >> (width - 1):
                digit -= size
            number -= digit
        digits.append(digit)
        number >>= 1
    return digits


@lru_cache(maxsize=1)
def _base_table() -> tuple[_Affine, ...]:
    return _odd_multiples((GX, GY), _BASE_WINDOW)


@lru_cache(maxsize=256)
def _key_table(point: bytes) -> tuple[_Affine, ...]:
    check_point(point)
    affine = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return _odd_multiples(affine, _KEY_WINDOW)


def _odd_multiples(point: _Affine, width: int) -> tuple[_Affine, ...]:
    """P, 3P, 5P … up to 2^(width-1) - 1, in affine coordinates."""
    (twice,) = _to_affine([_double((*point, 1))])
    found: list[_Jacobian] = [(*point, 1)]
    for _ in range((1 << (width - 2)) - 1):
        found.append(_add(found[-1], twice))
    return tuple(_to_affine(found))


def _to_affine(points: list[_Jacobian]) -> list[_Affine]:
    answer = []
    for x, y, z in points:
        inverse = pow(z, -1, P)
        square = inverse * inverse % P
        answer.append((x * square % P, y * square * inverse % P))
    return answer


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if z == 0:
        return point
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, 2 * y * z % P


def _add(point: _Jacobian, other: _Affine) -> _Jacobian:
    """A Jacobian and an affine point."""
    x1, y1, z1 = point
    if z1 == 0:
        return (*other, 1)
    square = z1 * z1 % P
    h = (other[0] * square - x1) % P
    r = (other[1] * square * z1 - y1) % P
    if h == 0:
        return _double(point) if r == 0 else (1, 1, 0)
    h2 = h * h % P
    h3, v = h * h2 % P, x1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return x3, (r * (v - x3) - y1 * h3) % P, z1 * h % P
