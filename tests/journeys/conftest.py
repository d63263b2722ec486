"""One demo for all journeys: it is long, and what it leaves behind is what they look at."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from yinxin.app.cli import run
from yinxin.app.home import Home

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Played:
    """The folder that a demo left, what it told, and its home."""

    directory: Path
    answer: dict[str, Any]

    @property
    def home(self) -> Home:
        return Home.open(self.directory)

    def told(self, english: str) -> tuple[str, str]:
        for line in self.answer["told"]:
            if line["what"]["en"] == english:
                return line["answer"], line["why"]
        raise AssertionError(f"the demo tells nothing about {english!r}")

    def licences(self) -> list[Path]:
        return sorted((self.directory / "licences").glob("*.pdf"))


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    directory = tmp_path_factory.mktemp("demo") / "office"
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert run(["demo", "--directory", str(directory), "--json", "--lang", "en"]) == 0
    return Played(directory, json.loads(printed.getvalue()))
