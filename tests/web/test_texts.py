"""Every word of every page stands in its room's texts, in both languages; and no text is left over.

Rooms are found by their `texts.toml`: a new room is tested from the day it has one.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import pytest
from jinja2 import nodes

from yinxin.base.errors import UsageError
from yinxin.web.pages import Pages
from yinxin.web.texts import read_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("ca", "credentials", "verify_api", "wallet", "yinxin")
ROOMS = sorted(
    ".".join(path.relative_to(ROOT).parent.parts)
    for package in PACKAGES
    for path in (ROOT / package).rglob("texts.toml")
)
SHARED = "yinxin.web"
KEPT = "yinxin.app.report_page"  # its page is written to a file
# Words that have no business in a template: they belong into texts.toml.
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def folder(room: str) -> Path:
    return ROOT.joinpath(*room.split("."))


@cache
def used(room: str) -> tuple[frozenset[str], frozenset[str]]:
    """The keys that a room's templates and modules name, and the beginnings of those that they make."""
    keys, beginnings = set(), set()
    environment = jinja2.Environment(autoescape=True)
    for template in sorted(folder(room).rglob("templates/*.html")):
        for call in environment.parse(template.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t":
                found, begun = _named(call.args[0])
                keys |= found
                beginnings |= begun
    for module in sorted(folder(room).rglob("*.py")):
        keys |= {
            node.value
            for node in ast.walk(ast.parse(module.read_bytes()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        beginnings |= set(_beginnings(ast.parse(module.read_bytes())))
    return frozenset(keys), frozenset(beginnings)


def templates_name(room: str) -> Iterator[str]:
    environment = jinja2.Environment(autoescape=True)
    for template in sorted(folder(room).rglob("templates/*.html")):
        for call in environment.parse(template.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t":
                yield from _named(call.args[0])[0]


def _named(argument: nodes.Node) -> tuple[set[str], set[str]]:
    """Keys and beginnings of keys in the first argument of a `t(…)`."""
    if isinstance(argument, nodes.Const):
        return {str(argument.value)}, set()
    if isinstance(argument, nodes.Concat) and isinstance(argument.nodes[0], nodes.Const):
        return set(), {str(argument.nodes[0].value)}
    if isinstance(argument, nodes.Add) and isinstance(argument.left, nodes.Const):
        return set(), {str(argument.left.value)}
    if isinstance(argument, nodes.CondExpr) and argument.expr2 is not None:
        (first, begun), (second, more) = _named(argument.expr1), _named(argument.expr2)
        return first | second, begun | more
    return set(), set()


def _beginnings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            yield str(node.values[0].value)


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_that_a_template_names_is_there(room: str) -> None:
    known = Pages(room).texts
    missing = sorted({key for key in templates_name(room) if key not in known})
    assert missing == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_is_left_over(room: str) -> None:
    rooms = ROOMS if room == SHARED else [room, SHARED]
    keys = set().union(*(used(one)[0] for one in rooms))
    beginnings = tuple(one for each in rooms for one in used(each)[1] if "." in one)
    over = [
        key
        for key in read_texts(folder(room) / "texts.toml")
        if key not in keys and not key.startswith(beginnings)
    ]
    assert over == []


@pytest.mark.parametrize("room", ROOMS)
def test_templates_hold_no_words_of_one_language(room: str) -> None:
    wrong = {
        template.name: found
        for template in folder(room).rglob("templates/*.html")
        if (found := _CHINESE.findall(template.read_text("utf-8")))
    }
    assert wrong == {}


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_fill_in_the_same_values(room: str) -> None:
    wrong = [
        key
        for key, text in read_texts(folder(room) / "texts.toml").items()
        if set(re.findall(r"{(\w+)}", text.zh)) != set(re.findall(r"{(\w+)}", text.en))
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_pages_hold_no_script_no_style_and_no_outside_address(room: str) -> None:
    """The policy would block them; better they are never written.

    A report is a file that is kept, without a server that could send its style along: that one has its own.
    """
    wrong = []
    for template in folder(room).rglob("templates/*.html"):
        text = template.read_text("utf-8").replace("<style>", "", room == KEPT)
        wrong += [
            f"{template.name}: {found}"
            for found in re.findall(
                r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|(?:src|href)=\"https?:", text
            )
        ]
    for style in folder(room).rglob("static/*.css"):
        wrong += [
            f"{style.name}: {found}"
            for found in re.findall(r"@import|url\(['\"]?https?:", style.read_text("utf-8"))
        ]
    assert wrong == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('[a]\nzh = "x"\n', "both languages"),
        ('[a]\nzh = "x"\nen = ""\n', "both languages"),
        ("a = 1\n", "no table"),
        ("[a\n", "texts.toml"),
    ],
)
def test_a_text_that_lacks_a_language_is_an_error(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "texts.toml").write_text(content, "utf-8")
    with pytest.raises(UsageError, match=why):
        read_texts(tmp_path / "texts.toml")
