"""The identifiers of Chinese licences: credit code, citizen number, licence identifier.

Each is a frozen value made by `parse`, which checks length, alphabet and check character and raises
`MalformedInput`. What a standard asks but real numbers break is a warning, not a refusal. Whether a number
was ever given to anybody is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100, 4.2: no I, O, S, V, Z
_CREDIT_VALUES = {character: value for value, character in enumerate(_CREDIT_ALPHABET)}
_CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_CREDIT_CODE = re.compile(rf"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}\Z")
_CITIZEN_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9X]\Z")
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE36_VALUES = {character: value for value, character in enumerate(_BASE36)}
_LICENCE_ROOT = "1.2.156.3005.2"  # GB/T 36904: the arc of e-licences
_TYPE_CODE = re.compile(r"[0-9A-Z]{21}\Z")
_ISSUER = re.compile(r"[0-9A-Z]{18}\Z|[0-9]{6}\Z")
_SERIAL = re.compile(r"[0-9A-Z]{1,64}\Z")
_VERSION = re.compile(r"[0-9]{3}\Z")


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters.

    `strict=False` in `parse` turns a wrong check character into a warning: some codes given out early, in
    Fujian for one, are in lawful use and fail it.
    """

    value: str
    warnings: tuple[Text, ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, text: str, *, strict: bool = True) -> CreditCode:
        """The code in this text; surrounding spaces and lower case are forgiven."""
        value = _clean("credit code", text)
        if not _CREDIT_CODE.match(value):
            raise MalformedInput("credit code", "not 18 characters of its alphabet")
        warnings = []
        if credit_check_character(value[:17]) != value[17]:
            if strict:
                raise MalformedInput("credit code", "the check character is wrong")
            warnings.append(
                Text("统一社会信用代码校验码不符", "the check character of the credit code is wrong")
            )
        if _organisation_check_character(value[8:16]) != value[16]:
            warnings.append(
                Text(
                    "其中的组织机构代码校验码不符", "the organisation code inside has a wrong check character"
                )
            )
        return cls(value, tuple(warnings))

    @property
    def registrar(self) -> str:
        """The registering department and the kind of body, the first two characters."""
        return self.value[:2]

    @property
    def region(self) -> str:
        """The six digits of the registering authority's region (GB/T 2260)."""
        return self.value[2:8]

    @property
    def organisation_code(self) -> str:
        """The organisation code (GB 11714), nine characters."""
        return self.value[8:17]

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class CitizenNumber:
    """A citizen's identity number (公民身份号码, GB 11643): personal data, so masked unless revealed."""

    _value: str = field(repr=False)
    warnings: tuple[Text, ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, text: str) -> CitizenNumber:
        """The number in this text; an error's detail never repeats it."""
        value = _clean("citizen number", text)
        if not _CITIZEN_NUMBER.match(value):
            raise MalformedInput("citizen number", "not 17 digits and a check character")
        try:
            date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
        except ValueError:
            raise MalformedInput("citizen number", "there is no such birthday") from None
        if citizen_check_character(value[:17]) != value[17]:
            raise MalformedInput("citizen number", "the check character is wrong")
        return cls(value)

    @property
    def birthday(self) -> date:
        """The day of birth."""
        return date(int(self._value[6:10]), int(self._value[10:12]), int(self._value[12:14]))

    @property
    def sex(self) -> Literal["male", "female"]:
        """From the seventeenth digit: odd is male."""
        return "male" if int(self._value[16]) % 2 else "female"

    @property
    def region(self) -> str:
        """The six digits of the region where the number was given (GB/T 2260)."""
        return self._value[:6]

    def reveal(self) -> str:
        """The number in clear. Whoever calls this answers for where it goes."""
        return self._value

    def __str__(self) -> str:
        return f"{self._value[:3]}{'*' * 11}{self._value[-4:]}"

    def __repr__(self) -> str:
        return f"CitizenNumber('{self}')"


@dataclass(frozen=True, slots=True)
class LicenceIdentifier:
    """An e-licence's identifier (电子证照标识, GB/T 36904-2018).

    `1.2.156.3005.2.<type code>.<issuer>.<serial>.<version>.<check>`: the type code is the defining
    authority's credit code and three digits, the issuer a credit code or (it occurs) a six-digit region.
    """

    type_code: str
    issuer: str
    serial: str
    version: str
    warnings: tuple[Text, ...] = field(default=(), compare=False)

    @classmethod
    def make(cls, type_code: str, issuer: str, serial: str, version: str = "001") -> LicenceIdentifier:
        """Put one together; the check character follows."""
        parts = {"type code": (_TYPE_CODE, type_code), "issuer": (_ISSUER, issuer)}
        parts |= {"serial": (_SERIAL, serial), "version": (_VERSION, version)}
        for name, (pattern, value) in parts.items():
            if not isinstance(value, str) or not pattern.match(value):
                raise MalformedInput("licence identifier", f"the {name} is not of its form")
        return cls(type_code, issuer, serial, version, _licence_warnings(type_code, issuer))

    @classmethod
    def parse(cls, text: str) -> LicenceIdentifier:
        """The identifier in this text, its check character checked."""
        value = _clean("licence identifier", text, limit=160)
        if not value.startswith(_LICENCE_ROOT + "."):
            raise MalformedInput("licence identifier", f"does not begin with {_LICENCE_ROOT}")
        parts = value[len(_LICENCE_ROOT) + 1 :].split(".")
        if len(parts) != 5:
            raise MalformedInput("licence identifier", "not five parts after the root")
        identifier = cls.make(*parts[:4])
        if identifier.check != parts[4]:
            raise MalformedInput("licence identifier", "the check character is wrong")
        return identifier

    @property
    def credit_code(self) -> str | None:
        """The issuer's credit code; None where the issuer is written as a region."""
        return self.issuer if len(self.issuer) == 18 else None

    @property
    def check(self) -> str:
        """The check character: ISO 7064 MOD 37,36 over the parts without root and dots."""
        return licence_check_character(self.type_code + self.issuer + self.serial + self.version)

    def with_version(self, version: int) -> LicenceIdentifier:
        """The same licence in another version, 1 to 999."""
        return self.make(self.type_code, self.issuer, self.serial, f"{version:03d}")

    def __str__(self) -> str:
        return f"{_LICENCE_ROOT}.{self.type_code}.{self.issuer}.{self.serial}.{self.version}.{self.check}"


def credit_check_character(body: str) -> str:
    """The 18th character of a credit code from the first 17 (GB 32100, 4.3.3)."""
    total = sum(_CREDIT_VALUES[c] * weight for c, weight in zip(body, _CREDIT_WEIGHTS, strict=True))
    return _CREDIT_ALPHABET[-total % 31]


def citizen_check_character(body: str) -> str:
    """The 18th character of a citizen number from the first 17 (GB 11643; ISO 7064 MOD 11-2)."""
    total = sum(int(c) * pow(2, 17 - i, 11) for i, c in enumerate(body))
    return "10X98765432"[total % 11]


def licence_check_character(body: str) -> str:
    """The check character of an e-licence identifier (GB/T 36904; ISO 7064 MOD 37,36)."""
    product = 36
    for character in body:
        product = ((product + _BASE36_VALUES[character]) % 36 or 36) * 2 % 37
    return _BASE36[(37 - product) % 36]


def _organisation_check_character(body: str) -> str:
    # GB 11714: weights, MOD 11, 10 is X.
    total = sum(_BASE36.index(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return "0123456789X"[-total % 11]


def _licence_warnings(type_code: str, issuer: str) -> tuple[Text, ...]:
    warnings = []
    if not _is_credit_code(type_code[:18]):
        warnings.append(
            Text("证照类型代码中的机构代码校验不符", "the type code does not begin with a valid credit code")
        )
    if len(issuer) == 6:
        warnings.append(Text("颁发机构为行政区划代码", "the issuer is a region, not a credit code"))
    elif not _is_credit_code(issuer):
        warnings.append(Text("颁发机构代码校验不符", "the issuer is not a valid credit code"))
    return tuple(warnings)


@lru_cache(maxsize=256)  # agencies and authorities: few, and no personal data
def _is_credit_code(text: str) -> bool:
    return bool(_CREDIT_CODE.match(text)) and credit_check_character(text[:17]) == text[17]


def _clean(kind: str, text: object, *, limit: int = 64) -> str:
    if not isinstance(text, str) or len(text) > limit or not text.isascii():
        raise MalformedInput(kind, "not a short text in ASCII")
    return text.strip().upper()
