"""The words of a room's pages: `texts.toml`, a table for each text with `zh` and `en`.

    [sign_in.title]
    zh = "登录"
    en = "Sign in"

is `t("sign_in.title")` in a template. Names in braces are filled in when the text is used.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "texts.toml"


def read_texts(file: Path) -> dict[str, Text]:
    """Every text of a file by its dotted name; none where there is no such file."""
    if not file.is_file():
        return {}
    try:
        return dict(_texts(tomllib.loads(file.read_text("utf-8")), ""))
    except (tomllib.TOMLDecodeError, ValueError, TypeError) as exc:
        raise UsageError(f"{file}: {exc}") from exc


def _texts(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Text]]:
    for name, value in table.items():
        if not isinstance(value, dict):
            raise TypeError(f"{prefix}{name} is no table")
        if value.keys() <= {"zh", "en"} and all(isinstance(one, str) for one in value.values()):
            yield f"{prefix}{name}", Text(value.get("zh", ""), value.get("en", ""))
        else:
            yield from _texts(value, f"{prefix}{name}.")
