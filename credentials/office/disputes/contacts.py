"""Whom people ask: the agencies' contacts, from a TOML file of the installation.

[agencies.11120000000000000A]
zh = "津城市市场监督管理局"
en = "Jincheng Market Regulation Bureau"
where_zh = "政务大厅 12 号窗口，电话 12345"
where_en = "Government hall, window 12, telephone 12345"
elsewhere = true        # its licences are not issued here: people are sent there
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_REQUIRED, _OPTIONAL = ("zh", "en", "where_zh", "where_en"), ("elsewhere",)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask, and where. `is_elsewhere`: it issues its licences with a system of its own."""

    code: str
    name: Text
    where: Text
    is_elsewhere: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name.to_dict(), "where": self.where.to_dict(), "credit_code": self.code}


class Contacts:
    """Contacts by credit code; `operator` for whom nobody else is responsible."""

    def __init__(self, operator: Contact, others: Iterable[Contact] = ()) -> None:
        self.operator = operator
        self._by_code = {one.code: one for one in (operator, *others)}

    @classmethod
    def read(cls, text: str, *, operator: Contact) -> Contacts:
        """From the file's text; `UsageError` says what is wrong with it."""
        try:
            agencies = tomllib.loads(text).get("agencies", {})
        except tomllib.TOMLDecodeError as exc:
            raise UsageError(f"the file of contacts is no TOML: {exc}") from exc
        if not isinstance(agencies, dict):
            raise UsageError("the file of contacts has tables [agencies.CODE]")
        return cls(operator, [_contact(code, table) for code, table in agencies.items()])

    def of(self, code: str) -> Contact:
        """An agency's contact, or the operator's."""
        return self._by_code.get(code, self.operator)

    def find(self, code: str) -> Contact | None:
        """An agency's contact, None for one that nobody named."""
        return self._by_code.get(code)

    def by_tag(self, tag: bytes, tag_of: Callable[[str], bytes]) -> Contact:
        """The contact whose code has this tag, or the operator's."""
        return next((one for code, one in self._by_code.items() if tag_of(code) == tag), self.operator)


def _contact(code: str, table: Any) -> Contact:
    if not isinstance(table, dict) or not set(_REQUIRED) <= set(table) <= {*_REQUIRED, *_OPTIONAL}:
        raise UsageError(f"the contact {code} needs {', '.join(_REQUIRED)}, and may have {_OPTIONAL[0]}")
    texts = [table[name] for name in _REQUIRED]
    elsewhere = table.get("elsewhere", False)
    if not all(isinstance(one, str) and one.strip() for one in texts) or not isinstance(elsewhere, bool):
        raise UsageError(f"the contact {code} has an empty text, or elsewhere is not true or false")
    return Contact(code, Text(texts[0], texts[1]), Text(texts[2], texts[3]), elsewhere)
