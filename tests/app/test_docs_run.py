"""Every Python block of the README and of the documentation runs, in order, one namespace for each page.

A block that cannot run says why in the line above it: `<!-- not run: the reason -->`.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from credentials.type_files import read_type

ROOT = Path(__file__).parents[2]
PAGES = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if not {"_build", "api"} & set(path.relative_to(ROOT).parts)
]
BLOCK = re.compile(r"(?P<before>[^\n]*)\n(?P<indent> *)```python\n(?P<code>.*?)\n(?P=indent)```", re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.{10,}) -->")


def blocks(path: Path) -> list[tuple[int, str]]:
    """The line number and the code of each block that is to be run."""
    text = "\n" + path.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        if not NOT_RUN.fullmatch(match["before"].strip()):
            line = text.count("\n", 0, match.start("code"))
            code = match["code"].replace("\n" + match["indent"], "\n").removeprefix(match["indent"])
            found.append((line, code))
    return found


WITH_CODE = [path for path in PAGES if blocks(path)]


@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_python_of_a_page_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__docs__"}
    for line, code in blocks(path):
        # Blank lines in front give tracebacks the page's own line numbers.
        exec(compile("\n" * (line - 1) + code, str(path), "exec"), namespace)  # noqa: S102 - our own pages


def test_blocks_are_found_where_they_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "text\n\n```python\na = 1\n```\n\n<!-- not run: needs a hardware token -->\n```python\nb\n```\n"
        "- item\n\n  ```python\n  if a:\n      c = 2\n  ```\n",
        encoding="utf-8",
    )
    assert blocks(page) == [(4, "a = 1"), (14, "if a:\n    c = 2")]


def test_the_licence_type_in_the_guide_is_one() -> None:
    """An office copies it: it must read."""
    guide = (ROOT / "docs" / "how-to" / "add-a-licence-type.md").read_text(encoding="utf-8")
    example = guide.partition("```toml\n")[2].partition("```")[0]
    assert read_type(dedent(example).encode(), "guide").code == "hairdresser-notice"
