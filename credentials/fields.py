"""What one field of a licence type may hold, and how a value is checked, kept and shown.

A value comes in as text (from a CSV cell, a form) or as JSON; it is kept in one canonical form: dates as
`2026-11-20`, money and numbers as plain decimal text, lists as lists of text, everything else as text.
Which fields a type has is the business of `credentials.catalogue`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import CitizenNumber, CreditCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LIST_ITEMS = 50
_DATE = re.compile(r"(\d{4})\s*(?:-|/|\.|年)\s*(\d{1,2})\s*(?:-|/|\.|月)\s*(\d{1,2})\s*日?")
_LIST_BREAK = re.compile(r"[;；\n]")
_DECIMAL = re.compile(r"\d{1,15}(\.\d{1,4})?")


class FieldKind(StrEnum):
    """What sort of value a field holds."""

    TEXT = "text"
    DATE = "date"
    CODE = "code"
    CITIZEN_NUMBER = "citizen-number"
    CREDIT_CODE = "credit-code"
    CHOICE = "choice"
    MONEY = "money"
    NUMBER = "number"
    LIST = "list"


class Disclosure(StrEnum):
    """Whether the holder may keep a field back when showing the credential."""

    ALWAYS = "always"
    SELECTIVE = "selective"


Claim = str | list[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value of a choice, and what people read."""

    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class Source:
    """The one authority that a datum comes from (一数一源).

    `name` is the register as people call it. `authority` is the credit code of who keeps it; `type_code` and
    `field` are the licence type and field that it stands in first, where it does.
    """

    name: Text
    authority: str | None = None
    type_code: str | None = None
    field: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name.to_dict(),
            "authority": self.authority,
            "type": self.type_code,
            "field": self.field,
        }


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its machine name, what people read, what it holds and where the datum comes from.

    `source` says which authority the datum is taken from; `personal` marks data on a natural
    person; `unit` follows a number or money; `pattern` is a whole-match expression for text and codes.
    """

    name: str
    label: Text
    kind: FieldKind
    source: Source
    required: bool = True
    disclosure: Disclosure = Disclosure.SELECTIVE
    personal: bool = False
    max_characters: int = 200
    pattern: re.Pattern[str] | None = None
    pattern_text: Text | None = None
    choices: tuple[Choice, ...] = ()
    unit: Text | None = None
    example: str = ""

    @property
    def disclosable(self) -> bool:
        """Whether the holder may keep this field back."""
        return self.disclosure is Disclosure.SELECTIVE

    def check(self, value: object) -> Claim:
        """The canonical form of a value; `InvalidValue` says what is wrong with it."""
        if isinstance(value, list) and self.kind is FieldKind.LIST:
            return _list(self, value)
        if not isinstance(value, str):
            raise InvalidValue(
                Text("值的类型不对，应为文字", "the value has the wrong type; text is expected")
            )
        text = _clean(self, value)
        return _CHECKS[self.kind](self, text)

    def shown(self, value: Claim) -> Text:
        """A canonical value as people read it."""
        if isinstance(value, list):
            return Text("；".join(value), "; ".join(value))
        if self.kind is FieldKind.DATE:
            return shown_date(date.fromisoformat(value))
        if self.kind is FieldKind.CHOICE:
            return next(
                (choice.label for choice in self.choices if choice.value == value), Text(value, value)
            )
        if self.kind in {FieldKind.MONEY, FieldKind.NUMBER}:
            number = f"{Decimal(value):,f}"
            unit = self.unit or Text("元", "CNY") if self.kind is FieldKind.MONEY else self.unit
            return Text(f"{number} {unit.zh}", f"{number} {unit.en}") if unit else Text(number, number)
        return Text(value, value)


@dataclass
class InvalidValue(Exception):
    """A value breaks its field's rule; `why` is for people."""

    why: Text = field(default_factory=lambda: Text("值不符合要求", "the value breaks the rule"))


def shown_date(day: date) -> Text:
    """A day as people read it."""
    return Text(f"{day.year}年{day.month}月{day.day}日", day.isoformat())


def _clean(rule: Field, value: str) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} and character != "\n":
            code = f"U+{ord(character):04X}"
            raise InvalidValue(
                Text(f"含有不可见或未定义的字符 {code}", f"holds the invisible or undefined character {code}")
            )
    if len(text) > rule.max_characters:
        most = rule.max_characters
        raise InvalidValue(Text(f"超过 {most} 个字符", f"is longer than {most} characters"))
    return text


def _text(rule: Field, text: str) -> Claim:
    if "\n" in text:
        text = " ".join(part.strip() for part in text.split("\n") if part.strip())
    if rule.pattern and not rule.pattern.fullmatch(text):
        raise InvalidValue(rule.pattern_text or Text("格式不符合要求", "has not the required form"))
    return text


def _code(rule: Field, text: str) -> Claim:
    if not re.fullmatch(r"[0-9A-Za-z\-_/.()（）〔〕\u4e00-\u9fff]+", text):
        raise InvalidValue(Text("代码含有不允许的字符", "a code holds characters that are not allowed"))
    return _text(rule, text)


def _date(_rule: Field, text: str) -> Claim:
    found = _DATE.fullmatch(text) or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text)
    if found:
        try:
            return date(*(int(part) for part in found.groups())).isoformat()
        except ValueError:
            pass
    raise InvalidValue(Text("不是有效日期，应如 2026-11-20", "is not a date such as 2026-11-20"))


def _citizen_number(_rule: Field, text: str) -> Claim:
    try:
        return CitizenNumber.parse(text.upper()).reveal()
    except MalformedInput as exc:
        raise InvalidValue(
            Text(
                "不是有效的公民身份号码（位数、日期或校验码有误）",
                "is not a valid citizen number (length, date or check digit)",
            )
        ) from exc


def _credit_code(_rule: Field, text: str) -> Claim:
    try:
        return str(CreditCode.parse(text.upper()))
    except MalformedInput as exc:
        raise InvalidValue(
            Text(
                "不是有效的统一社会信用代码（位数或校验码有误）",
                "is not a valid unified social credit code (length or check digit)",
            )
        ) from exc


def _choice(rule: Field, text: str) -> Claim:
    for choice in rule.choices:
        if text in {choice.value, choice.label.zh} or text.casefold() == choice.label.en.casefold():
            return choice.value
    zh, en = "、".join(c.label.zh for c in rule.choices), ", ".join(c.label.en for c in rule.choices)
    raise InvalidValue(Text(f"应为以下之一：{zh}", f"must be one of: {en}"))


def _number(_rule: Field, text: str) -> Claim:
    plain = text.replace(",", "").replace("，", "")
    if not _DECIMAL.fullmatch(plain):
        raise InvalidValue(Text("应为数字，如 1200.50", "must be a number such as 1200.50"))
    try:
        return f"{Decimal(plain):f}"
    except InvalidOperation as exc:
        raise InvalidValue(Text("应为数字，如 1200.50", "must be a number such as 1200.50")) from exc


def _money(rule: Field, text: str) -> Claim:
    plain = (
        text.removesuffix("元")
        .removesuffix("整")
        .removesuffix("元")
        .strip()
        .lstrip("¥￥")
        .removeprefix("人民币")
        .strip()
    )
    amount = _number(rule, plain)
    if isinstance(amount, str) and len(amount.partition(".")[2]) > 2:
        raise InvalidValue(Text("金额最多两位小数", "money has at most two decimals"))
    return f"{Decimal(str(amount)):.2f}"


def _split_list(rule: Field, text: str) -> Claim:
    return _list(rule, list(_LIST_BREAK.split(text)))


def _list(rule: Field, items: list[Any]) -> Claim:
    if len(items) > MAX_LIST_ITEMS:
        raise InvalidValue(Text(f"超过 {MAX_LIST_ITEMS} 项", f"has more than {MAX_LIST_ITEMS} items"))
    kept: list[str] = []
    for item in items:
        if not isinstance(item, str):
            raise InvalidValue(Text("每一项都应为文字", "every item must be text"))
        text = str(_text(rule, _clean(rule, item)))
        if text and text not in kept:
            kept.append(text)
    if not kept:
        raise InvalidValue(Text("至少需要一项", "at least one item is needed"))
    return kept


_CHECKS: dict[FieldKind, Callable[[Field, str], Claim]] = {
    FieldKind.TEXT: _text,
    FieldKind.DATE: _date,
    FieldKind.CODE: _code,
    FieldKind.CITIZEN_NUMBER: _citizen_number,
    FieldKind.CREDIT_CODE: _credit_code,
    FieldKind.CHOICE: _choice,
    FieldKind.MONEY: _money,
    FieldKind.NUMBER: _number,
    FieldKind.LIST: _split_list,
}
