"""The language of help texts, which are made when a command's module is imported.

Help is written before options are parsed, so the wish is read from the raw arguments here.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yinxin.base.text import Language

LANGUAGE_OPTION = "--lang"


def phrase(zh: str, en: str) -> str:
    """The text in the language that this process speaks."""
    return zh if chosen_language(wished_language(sys.argv[1:])) == "zh" else en


def wished_language(arguments: Sequence[str]) -> str | None:
    """What `--lang` says, wherever it stands before `--`."""
    options = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    for place, argument in enumerate(options):
        if argument.startswith(f"{LANGUAGE_OPTION}="):
            return argument.partition("=")[2]
        if argument == LANGUAGE_OPTION and place + 1 < len(options):
            return options[place + 1]
    return None


def chosen_language(option: str | None = None) -> Language:
    """The language asked for: option, `YINXIN_LANG`, then the locale; English when none says Chinese."""
    for wish in (
        option,
        *(os.environ.get(name) for name in ("YINXIN_LANG", "LC_ALL", "LC_MESSAGES", "LANG")),
    ):
        if wish:
            return "zh" if wish.lower().startswith("zh") else "en"
    return "en"
