"""SM2 keys that sign, in Python integers: for tests alone, where a throw-away key may leak.

The product only verifies with integers; see `signing.sm2`.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from signing import der
from signing.certificates import Certificate
from signing.keys import PublicKey
from signing.sm2 import pure
from world.pki import START

_ALGORITHM = der.sequence(der.oid("1.2.156.10197.1.501"))
_KEY_ALGORITHM = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.156.10197.1.301"))


def _multiple_of_base(number: int) -> tuple[int, int]:
    total = (1, 1, 0)
    for bit in f"{number:b}":
        total = pure._double(total)
        if bit == "1":
            total = pure._add(total, (pure.GX, pure.GY))
    ((x, y),) = pure._to_affine([total])
    return x, y


class UnsafeSm2Key:
    """A key for tests."""

    def __init__(self, number: int | None = None) -> None:
        self.number = number or secrets.randbelow(pure.N - 2) + 1
        x, y = _multiple_of_base(self.number)
        self.point = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")

    @property
    def public_key(self) -> PublicKey:
        return PublicKey(der.sequence(_KEY_ALGORITHM, der.bit_string(self.point)))

    def sign(
        self, message: bytes, identity: bytes = pure.DEFAULT_IDENTITY, nonce: int | None = None
    ) -> bytes:
        """GB/T 32918.2, 6.1, without any care for side channels."""
        e = int.from_bytes(pure.digest(self.point, message, identity), "big")
        while True:
            k = nonce or secrets.randbelow(pure.N - 1) + 1
            r = (e + _multiple_of_base(k)[0]) % pure.N
            s = pow(1 + self.number, -1, pure.N) * (k - r * self.number) % pure.N
            if r and s and r + k != pure.N:
                return der.sequence(der.integer(r), der.integer(s))


class Sm2Authority:
    """A root or issuing authority with an SM2 key, its certificates written by hand."""

    def __init__(self, common_name: str, issuer: Sm2Authority | None = None) -> None:
        self.key = UnsafeSm2Key()
        self.name = _name(common_name)
        self.issuer = issuer or self
        self._serial = 0
        self.certificate = self.issuer.certify(self.name, self.key, authority=True)

    def issue(self, common_name: str, *extensions: bytes) -> tuple[UnsafeSm2Key, Certificate]:
        key = UnsafeSm2Key()
        return key, self.certify(_name(common_name), key, *extensions)

    def certify(
        self, subject: bytes, key: UnsafeSm2Key, *extensions: bytes, authority: bool = False
    ) -> Certificate:
        self._serial += 1
        if authority:
            basic = der.sequence(der.boolean(value=True))
            extensions = (extension("2.5.29.19", basic, critical=True), key_usage_extension(0b00000110))
        head = (der.explicit(0, der.integer(2)), der.integer(self._serial), _ALGORITHM, self.name)
        dates = der.sequence(der.time(START), der.time(START + timedelta(days=3650)))
        tail = (dates, subject, key.public_key.spki, der.explicit(3, der.sequence(*extensions)))
        return Certificate(self._signed(der.sequence(*head, *tail)))

    def crl(
        self, revoked: dict[int, datetime], at: datetime, *, valid: timedelta = timedelta(days=1)
    ) -> bytes:
        entries = [der.sequence(der.integer(serial), der.time(when)) for serial, when in revoked.items()]
        listed = [der.sequence(*entries)] if entries else []
        dates = (der.time(at.astimezone(UTC)), der.time(at + valid))
        return self._signed(der.sequence(der.integer(1), _ALGORITHM, self.name, *dates, *listed))

    def _signed(self, tbs: bytes) -> bytes:
        return der.sequence(tbs, _ALGORITHM, der.bit_string(self.key.sign(tbs)))


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = [der.boolean(value=True)] if critical else []
    return der.sequence(der.oid(oid), *flag, der.octet_string(value))


def key_usage_extension(bits: int) -> bytes:
    """Key usage from one octet of bits, the first use at the highest bit."""
    unused = (bits & -bits).bit_length() - 1
    return extension("2.5.29.15", der.tlv(der.BIT_STRING, bytes((unused, bits))), critical=True)


def _name(common_name: str) -> bytes:
    attribute = der.sequence(der.oid("2.5.4.3"), der.tlv(der.UTF8_STRING, common_name.encode()))
    return der.sequence(der.set_of(attribute))
