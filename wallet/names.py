"""What people call licences and their claims, in both languages, and how values read.

Kinds of the catalogue speak for themselves. Of kinds of other issuers the wallet knows what it learnt when it
received one, and after that the names in the credential. Whatever comes from a credential is made fit to be
read: one line, printable, of bounded length.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from credentials.claim_paths import to_text
from credentials.credential import COMMON_CLAIMS
from credentials.fields import shown_date
from credentials.vocabulary import DELEGATION, NEVER_DISCLOSABLE
from wallet.words import plain
from yinxin.base.errors import UnknownLicenceType
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from credentials.catalogue import Catalogue, LicenceType

MAX_VALUE_CHARACTERS, MAX_ITEMS, MAX_DEPTH, MAX_CLAIMS = 500, 50, 4, 200
MAX_PICTURE_CHARACTERS = 512 * 1024
# What serves the machines and tells a holder nothing.
_PROTOCOL = NEVER_DISCLOSABLE | {"iat", "jti", "sub"}
_PICTURE = re.compile(r"data:image/(?:jpeg|png);base64,[A-Za-z0-9+/]+={0,2}")
_A_PICTURE = Text("照片", "a picture")
NOTHING = "—"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_STYLES = 6  # of the style sheet, for kinds that the catalogue does not know


@dataclass(frozen=True, slots=True)
class Item:
    """One claim as a page shows it: `value` is text in both languages, or `picture` a data: address."""

    name: str
    label: Text
    value: Text
    picture: str = ""


class Names:
    """The names in one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def kind(self, vct: str) -> LicenceType | None:
        """The kind of the catalogue, if it is one."""
        try:
            return self._catalogue.by_vct(vct)
        except UnknownLicenceType:
            return None

    def types(self) -> list[tuple[str, Text]]:
        """The kinds of the catalogue: code and name."""
        return [(one.code, one.name) for one in self._catalogue]

    def type_name(self, code: str) -> Text:
        """The name of the kind of this code; the code itself where it is not known."""
        known = dict(self.types()).get(code)
        return known or Text(plain(code), plain(code))

    def labels(self) -> dict[str, dict[str, Text]]:
        """What people call claims, by type and text of the path; for consent."""
        return {
            one.vct: {**COMMON_CLAIMS, **{to_text((field.name,)): field.label for field in one.fields}}
            for one in self._catalogue
        }

    def title(self, vct: str, claims: Mapping[str, Any] | None = None, learnt: Text | None = None) -> Text:
        """The name of a kind of licence."""
        kind = self.kind(vct)
        if kind and DELEGATION in (claims or {}):
            return Text(f"{kind.name.zh}（代办）", f"{kind.name.en} (as an agent)")
        if kind:
            return kind.name
        if learnt:
            return Text(plain(learnt.zh), plain(learnt.en))
        named = (claims or {}).get("licence_name")
        name = plain(named if isinstance(named, str) and named.strip() else vct)
        return Text(name, name)

    def style(self, vct: str) -> str:
        """The class of the style sheet that a kind's cards have."""
        kind = self.kind(vct)
        if kind:
            return f"kind-{kind.code}"
        return f"other-{hashlib.sha256(vct.encode('utf-8', 'replace')).digest()[0] % _STYLES}"

    def items(
        self, vct: str, claims: Mapping[str, Any], learnt: Mapping[str, Text] | None = None
    ) -> list[Item]:
        """All that a licence says, in the type's order, without what only machines read."""
        kind = self.kind(vct)
        order = [field.name for field in kind.fields] if kind else []
        order += [name for name in COMMON_CLAIMS if name not in order]
        order += [name for name in claims if name not in order]
        found = [name for name in order if name in claims and name not in _PROTOCOL]
        return [self.item(vct, name, claims[name], learnt) for name in found[:MAX_CLAIMS]]

    def item(self, vct: str, name: str, value: Any, learnt: Mapping[str, Text] | None = None) -> Item:
        """One claim at the top of a licence."""
        if isinstance(value, str) and _is_picture(value):
            return Item(name, self._label(vct, name, learnt), _A_PICTURE, value)
        return Item(name, self._label(vct, name, learnt), self.value(vct, name, value))

    def value(self, vct: str, name: str, value: Any) -> Text:
        """A claim's value as people read it."""
        if isinstance(value, str) and _is_picture(value):
            return _A_PICTURE
        kind = self.kind(vct)
        field = next((one for one in kind.fields if one.name == name), None) if kind else None
        if field and isinstance(value, str | list):
            try:
                shown = field.shown(value)
            except (ValueError, TypeError, ArithmeticError):
                return _any_value(value)
            return Text(readable(shown.zh) or NOTHING, readable(shown.en) or NOTHING)
        return _any_value(value)

    def style_sheet(self) -> str:
        """The colours of the catalogue's kinds, as their pages have them; values were checked as colours."""
        return "".join(
            f".kind-{one.code}{{--licence:{one.page.colour};--licence-paper:{one.page.paper};"
            f"--licence-accent:{one.page.accent}}}\n"
            for one in self._catalogue
        )

    def _label(self, vct: str, name: str, learnt: Mapping[str, Text] | None) -> Text:
        kind = self.kind(vct)
        field = next((one for one in kind.fields if one.name == name), None) if kind else None
        known = field.label if field else (learnt or {}).get(name) or COMMON_CLAIMS.get(name)
        return Text(plain(known.zh), plain(known.en)) if known else Text(plain(name), plain(name))


def readable(text: str, *, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """A text of others as one line; the cut of a long one is marked. Empty stays empty."""
    line = " ".join(text[: 2 * limit].split())
    if not line:
        return ""
    return plain(line, limit=limit) + ("…" if len(line) > limit else "")


def _is_picture(value: str) -> bool:
    return len(value) <= MAX_PICTURE_CHARACTERS and _PICTURE.fullmatch(value) is not None


def _any_value(value: Any) -> Text:
    if isinstance(value, bool):
        return Text("是", "yes") if value else Text("否", "no")
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return shown_date(date.fromisoformat(value))
        except ValueError:
            pass
    if isinstance(value, dict | list):
        return Text("；".join(_parts(value, 0)) or NOTHING, "; ".join(_parts(value, 0)) or NOTHING)
    text = _scalar(value)
    return Text(text, text)


def _scalar(value: Any) -> str:
    try:
        return readable(str(value)) or NOTHING
    except ValueError:  # an integer of thousands of digits
        return "…"


def _parts(value: Any, depth: int) -> list[str]:
    """What stands in a list or an object, flat."""
    if depth >= MAX_DEPTH:
        return ["…"]
    rows: Iterable[tuple[str, Any]]
    rows = value.items() if isinstance(value, dict) else (("", one) for one in value)
    parts = list(_row_parts(rows, depth))
    return [*parts[:MAX_ITEMS], "…"] if len(parts) > MAX_ITEMS else parts


def _row_parts(rows: Iterable[tuple[str, Any]], depth: int) -> Iterator[str]:
    for name, inner in rows:
        before = f"{readable(str(name), limit=80)} " if name else ""
        if isinstance(inner, dict | list):
            yield from (before + part for part in _parts(inner, depth + 1))
        else:
            yield before + _scalar(inner)
