"""Put right how a value is written, by the rules that a mapping allows; what it says never changes.

Pure functions. Each gives the text and the names of what was done to it, so that a report can tell.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import TYPE_CHECKING

from credentials.fields import FieldKind
from credentials.legacy.mapping import DateForm, Fix
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import CreditCode, citizen_check_character

if TYPE_CHECKING:
    from collections.abc import Collection

EDGES = " \t\r\n\u00a0\u3000\u200b\ufeff"
_INNER_SPACE = re.compile(r"[ \u00a0\u3000]+")
_HAN = re.compile(r"[\u3400-\u9fff][\u3400-\u9fff \u00a0\u3000]*[\u3400-\u9fff]\Z")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FULL_WIDTH_ALNUM = {
    full: half for full, half in _FULL_WIDTH.items() if chr(half).isalnum()
}  # in a text, full-width brackets and commas are as they should be
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅●．", "·"))
_LOOK_ALIKE = str.maketrans("OISZ", "0152")  # GB 32100, 4.2: a credit code has no I, O, S, V, Z
_NUMERIC = frozenset(
    {
        FieldKind.DATE,
        FieldKind.CODE,
        FieldKind.CITIZEN_NUMBER,
        FieldKind.CREDIT_CODE,
        FieldKind.MONEY,
        FieldKind.NUMBER,
    }
)
# What a fix could be about, in one look: most values have nothing of it.
_ODD_TEXT = re.compile(r"\s|[\u200b\ufeff\uff01-\uff5e•・‧∙⋅●]")
_SUSPECT = {
    **dict.fromkeys(FieldKind, _ODD_TEXT),
    FieldKind.DATE: re.compile(r"\A(?![0-9]{4}-[0-9]{2}-[0-9]{2}\Z)"),
    FieldKind.CITIZEN_NUMBER: re.compile(r"\A(?![0-9]{17}[0-9X]\Z)"),
    FieldKind.CREDIT_CODE: re.compile(r"\A(?![0-9A-HJ-NP-RTUW-Y]{18}\Z)"),
}
_PARTS = re.compile(
    r"(\d{1,4})\s*[-/.年月、]\s*(\d{1,2})\s*[-/.月日、]\s*(\d{1,4})\s*日?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?"
)
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHORT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SPREADSHEET_DAY = date(1899, 12, 30)  # day 0 of spreadsheets, from March 1900 on
_OLD_NUMBER = re.compile(r"[1-9][0-9]{14}")


def repaired(kind: FieldKind, text: str, rules: Collection[Fix], *, dates: DateForm) -> tuple[str, list[Fix]]:
    """A value of this kind, better written where the rules allow it, and what was done."""
    if not _SUSPECT[kind].search(text):
        return text, []
    done: list[Fix] = []

    def apply(rule: Fix, better: str) -> None:
        nonlocal text
        if rule in rules and better != text:
            text = better
            done.append(rule)

    apply(Fix.SPACES, text.strip(EDGES))
    apply(Fix.FULL_WIDTH, text.translate(_FULL_WIDTH if kind in _NUMERIC else _FULL_WIDTH_ALNUM))
    if kind is FieldKind.TEXT:
        if _HAN.match(text):
            apply(Fix.SPACES, _INNER_SPACE.sub("", text))
        apply(Fix.MIDDLE_DOT, text.translate(_DOTS))
    if kind in {FieldKind.CITIZEN_NUMBER, FieldKind.CREDIT_CODE}:
        apply(Fix.SPACES, _INNER_SPACE.sub("", text))
        apply(Fix.LETTER_CASE, text.upper())
    if kind is FieldKind.CITIZEN_NUMBER:
        apply(Fix.CITIZEN_NUMBER_15, longer_citizen_number(text))
    if kind is FieldKind.CREDIT_CODE:
        apply(Fix.LOOK_ALIKE, _without_look_alikes(text))
    if kind is FieldKind.DATE:
        apply(Fix.DATE_FORM, plain_date(text, dates))
    return text, list(dict.fromkeys(done))


def longer_citizen_number(text: str) -> str:
    """The 18 characters of a citizen number of 15 digits (before 1999); any other text as it is.

    All who have one were born before 2000: the century is 19 (GB 11643-1999, annex).
    """
    if not _OLD_NUMBER.fullmatch(text):
        return text
    try:
        date(1900 + int(text[6:8]), int(text[8:10]), int(text[10:12]))
    except ValueError:
        return text
    body = f"{text[:6]}19{text[6:]}"
    return body + citizen_check_character(body)


def plain_date(text: str, form: DateForm) -> str:
    """A date as 2026-11-20, however the old system wrote it; a text that is no date as it is."""
    if _PLAIN.fullmatch(text):
        return text
    try:
        if form is DateForm.SPREADSHEET and text.isdigit() and len(text) == 5:
            return (_SPREADSHEET_DAY + timedelta(days=int(text))).isoformat()
        if short := _SHORT.fullmatch(text):
            return date(*map(int, short.groups())).isoformat()
        found = _PARTS.fullmatch(text)
        return _in_order(found, form).isoformat() if found else text
    except (ValueError, OverflowError):
        return text


def _in_order(found: re.Match[str], form: DateForm) -> date:
    first, second, third = found.groups()
    if len(first) == 4:
        return date(int(first), int(second), int(third))
    if len(third) != 4 or form in {DateForm.YEAR_FIRST, DateForm.SPREADSHEET}:
        raise ValueError  # which of them is the year, or the month, nobody said
    day, month = (first, second) if form is DateForm.DAY_FIRST else (second, first)
    return date(int(third), int(month), int(day))


def _without_look_alikes(text: str) -> str:
    """A credit code with the digits that were meant, if only then its check character fits."""
    better = text.translate(_LOOK_ALIKE)
    try:
        CreditCode.parse(better)
    except MalformedInput:
        return text
    return better


def plain_heading(text: str) -> str:
    """A heading as files and mappings are compared by."""
    return unicodedata.normalize("NFC", text).strip(EDGES)
