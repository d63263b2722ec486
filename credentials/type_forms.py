"""The forms that values of a type file have, and how each is checked.

`read_value` gives the value in our terms or raises `WrongForm`, which says what to write instead.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from credentials.fields import Choice, Source
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import CreditCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.type_keys import Key


_SOURCE = ("authority", "type", "field")


def read_value(key: Key, value: Any) -> Any:
    """The value of a key, in the form that the key asks for."""
    return _FORMS[key.form](key, value)


class WrongForm(Exception):
    """A value has not the form of its key; `.text` says what to write instead. Stays within the reader."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def _as_text(_key: Key, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongForm("应为非空文字", "give a text")
    return value.strip()


def _as_words(_key: Key, value: Any) -> Text:
    wanted = isinstance(value, dict) and set(value) == {"zh", "en"}
    if not wanted or not all(isinstance(one, str) and one.strip() for one in value.values()):
        raise WrongForm('应写成 { zh = "…", en = "…" }', 'write it as { zh = "…", en = "…" }')
    return Text(value["zh"].strip(), value["en"].strip())


def _as_choice(key: Key, value: Any) -> str:
    if value not in key.choices:
        raise WrongForm(
            f"应为以下之一：{'、'.join(key.choices)}", f"must be one of: {', '.join(key.choices)}"
        )
    return str(value)


def _as_flag(_key: Key, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongForm("应为 true 或 false", "must be true or false")
    return value


def _as_whole(_key: Key, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 10_000:
        raise WrongForm("应为 1 到 10000 的整数", "must be a whole number from 1 to 10000")
    return value


def _as_names(_key: Key, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise WrongForm('应写成 ["字段", "字段"]', 'write it as ["field", "field"]')
    if len(set(value)) != len(value):
        raise WrongForm("有重复的字段", "a field stands in it twice")
    return tuple(value)


def _as_texts(key: Key, value: Any) -> tuple[Text, ...]:
    if not isinstance(value, list) or not value:
        raise WrongForm('应写成 [{ zh = "…", en = "…" }]', 'write it as [{ zh = "…", en = "…" }]')
    return tuple(_as_words(key, one) for one in value)


def _as_colour(_key: Key, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise WrongForm("应为 #rrggbb 颜色", "give a colour as #rrggbb")
    return value.lower()


def _as_pattern(_key: Key, value: Any) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except (re.error, TypeError, RecursionError, OverflowError) as exc:
        raise WrongForm("不是有效的正则表达式", "not a regular expression") from exc


def _as_source(key: Key, value: Any) -> Source:
    if not isinstance(value, dict) or not {"zh", "en"} <= set(value) <= {"zh", "en", *_SOURCE}:
        raise WrongForm(
            '应写成 { zh = "…", en = "…" }，可加 authority、type、field',
            'write it as { zh = "…", en = "…" }, with authority, type and field where they are known',
        )
    name = _as_words(key, {one: value[one] for one in ("zh", "en")})
    authority, code, field = (value.get(one) for one in _SOURCE)
    if authority is not None:
        try:
            authority = str(CreditCode.parse(authority))
        except (MalformedInput, TypeError, AttributeError) as exc:
            raise WrongForm("authority 应为统一社会信用代码", "authority must be a credit code") from exc
    if (code is None) != (field is None) or (code is not None and authority is None):
        raise WrongForm(
            "type 与 field 须同时写，并写明 authority", "give type and field together, and their authority"
        )
    if code is not None:
        code, field = _as_text(key, code), _as_text(key, field)
    return Source(name, authority, code, field)


def _as_day(_key: Key, value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise WrongForm("应为不加引号的日期，如 2027-01-01", "give a day without quotes, as 2027-01-01")
    return value


def _as_choices(key: Key, value: Any) -> tuple[Choice, ...]:
    if not isinstance(value, dict) or not value:
        raise WrongForm("应写成 值 = { zh, en } 的表", "write it as a table of value = { zh, en }")
    return tuple(Choice(name, _as_words(key, words)) for name, words in value.items())


_FORMS: dict[str, Callable[[Key, Any], Any]] = {
    "text": _as_text,
    "words": _as_words,
    "choice": _as_choice,
    "flag": _as_flag,
    "whole": _as_whole,
    "names": _as_names,
    "texts": _as_texts,
    "colour": _as_colour,
    "pattern": _as_pattern,
    "day": _as_day,
    "source": _as_source,
    "table": _as_choices,
}
