"""The name of a certificate's subject: what may stand in it, and its DER.

Only plain text of bounded length gets in. Whoever reads a certificate reads the name, so characters that
hide, reorder or end text are refused here once, whatever asked for the certificate.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from signing import der
from yinxin.base.errors import InvalidClaims, MalformedInput
from yinxin.base.identifiers import CreditCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

ORGANISATION_IDENTIFIER = "2.5.4.97"  # X.520: organizationIdentifier


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of a name: our word, its identifier, and the most characters of it (RFC 5280, appendix A)."""

    field: str
    oid: str
    longest: int
    label: Text


# In the order in which a name is written: from the country down to the subject itself.
ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("country", "2.5.4.6", 2, Text("国家代码", "country code")),
    Attribute("province", "2.5.4.8", 128, Text("省级行政区", "province")),
    Attribute("locality", "2.5.4.7", 128, Text("地市", "locality")),
    Attribute("organisation", "2.5.4.10", 64, Text("单位名称", "organisation")),
    Attribute("unit", "2.5.4.11", 64, Text("部门", "unit")),
    Attribute("common_name", "2.5.4.3", 64, Text("通用名称", "common name")),
)
FIELDS = frozenset((*(row.field for row in ATTRIBUTES), "credit_code"))
MAX_DNS_NAMES = 8
_COUNTRY = re.compile(r"[A-Z]{2}")
# RFC 5280, 4.2.1.6 and RFC 1034, 3.5, in lower case; IDNs as A-labels. No wildcard: one name, one service.
_DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_ADDRESS_LIKE = re.compile(r"(.*\.)?[0-9]+")  # a last label of digits is an address, not a name (RFC 3696, 2)
# Control, format (joiners, direction overrides), surrogate, private, unassigned; ends of lines and
# paragraphs, and every space but the plain one.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectName:
    """Who a certificate speaks of. `InvalidClaims` names every field that breaks a rule.

    `country` is an ISO 3166 code of two capitals. `credit_code` (GB 32100) does not stand among the
    attributes: a profile puts it into the identity extension of GM/T 0015 and, where it says so, into
    `organizationIdentifier`.
    """

    common_name: str
    country: str = "CN"
    province: str | None = None
    locality: str | None = None
    organisation: str | None = None
    unit: str | None = None
    credit_code: CreditCode | None = None

    def __post_init__(self) -> None:
        faults = [fault for row in ATTRIBUTES for fault in _faults(row, getattr(self, row.field))]
        code: object = self.credit_code
        if code is not None and not isinstance(code, CreditCode):
            faults.append(("credit_code", Text("不是统一社会信用代码", "is not a credit code")))
        if faults:
            raise InvalidClaims(faults=faults)

    @property
    def present(self) -> frozenset[str]:
        """The fields that are filled."""
        return frozenset(field.name for field in fields(self) if getattr(self, field.name) is not None)

    def encode(self, *, organisation_identifier: bool = False) -> bytes:
        """The Name in DER; with the credit code as `organizationIdentifier` where asked and present."""
        parts = []
        for row in ATTRIBUTES:
            if row.field == "common_name" and organisation_identifier and self.credit_code:
                parts.append(
                    _attribute(ORGANISATION_IDENTIFIER, organisation_identifier_of(self.credit_code))
                )
            value = getattr(self, row.field)
            if value is not None:
                parts.append(_attribute(row.oid, value, printable=row.field == "country"))
        return der.sequence(*parts)

    def to_dict(self) -> dict[str, str]:
        """The filled fields as text, for storage and display."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, values: dict[str, str]) -> SubjectName:
        """A name from what `to_dict` gave; `MalformedInput` or `InvalidClaims` for anything else.

        A credit code of which the check character is wrong was let in by somebody who knew, and stays.
        """
        if not isinstance(values, dict) or not FIELDS.issuperset(values) or "common_name" not in values:
            raise MalformedInput("name", "fields are missing or unknown")
        code = values.get("credit_code")
        texts = {field: value for field, value in values.items() if field != "credit_code"}
        return cls(**texts, credit_code=CreditCode.parse(code, strict=False) if code is not None else None)


def checked_dns_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of hosts a certificate may speak of, as given; `InvalidClaims` for one that is none."""
    bad = [name for name in names if not _DNS_NAME.fullmatch(name) or _ADDRESS_LIKE.fullmatch(name)]
    if bad or len(names) > MAX_DNS_NAMES or len(set(names)) != len(names):
        raise InvalidClaims(
            faults=[
                (
                    "dns_names",
                    Text(
                        f"应为至多 {MAX_DNS_NAMES} 个互不相同的小写域名，不含通配符",
                        f"at most {MAX_DNS_NAMES} different host names in lower case, without wildcards",
                    ),
                )
            ]
        )
    return names


def organisation_identifier_of(code: CreditCode) -> str:
    """The credit code in the form of EN 319 412-1, 5.1.4: national trade register, country, number."""
    return f"NTRCN-{code}"


def _attribute(oid: str, value: str, *, printable: bool = False) -> bytes:
    tag = der.PRINTABLE_STRING if printable else der.UTF8_STRING
    return der.set_of(der.sequence(der.oid(oid), der.tlv(tag, value.encode())))


def _faults(row: Attribute, value: object) -> Iterator[tuple[str, Text]]:
    if value is None and row.field not in {"common_name", "country"}:
        return
    if not isinstance(value, str) or not value:
        yield row.field, Text(f"{row.label.zh}不能为空", f"{row.label.en} is empty")
    elif len(value) > row.longest:
        yield row.field, Text(f"{row.label.zh}超过 {row.longest} 个字符", f"is over {row.longest} characters")
    elif row.field == "country" and not _COUNTRY.fullmatch(value):
        yield row.field, Text("国家代码应为两个大写字母", "a country code is two capitals")
    elif value != value.strip(" ") or "  " in value:
        yield row.field, Text(f"{row.label.zh}含多余空格", "has spaces at an end or doubled")
    else:
        yield from _character_faults(row, value)


def _character_faults(row: Attribute, value: str) -> Iterator[tuple[str, Text]]:
    if any(unicodedata.category(character) in _HIDDEN for character in value.replace(" ", "")):
        yield row.field, Text(f"{row.label.zh}含控制字符或不可见字符", "has control or invisible characters")
    elif not unicodedata.is_normalized("NFC", value):
        yield row.field, Text(f"{row.label.zh}的字符编码形式不规范", "is not in Unicode normal form C")
    elif _mixes_directions(value):
        yield row.field, Text(f"{row.label.zh}混用了不同书写方向的文字", "mixes writing directions")


def _mixes_directions(value: str) -> bool:
    # A name in a script written from the right is fine; mixed with others, a reader sees another order.
    directions = {unicodedata.bidirectional(character) for character in value}
    return bool(directions & {"R", "AL", "AN"}) and bool(directions & {"L", "EN"})
