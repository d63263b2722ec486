"""What people read in a list of the log's lines are words, for every act that any room records."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import credentials
from ca.registration import REJECTED, WITHDRAWN
from credentials.licence import EndingKind, EventKind
from credentials.office.supervision.showing import action_text
from credentials.oid4vci.requests import NotificationEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = ("draft", "submit", "review", "approve", "send_back", "seal", "withdraw")
VERSIONS = ("issue", "correct", "change", "renew", "replace", "merge", "split")
ROOMS = ("ca", "credentials", "verify_api", "wallet", "yinxin")
# What a function that records is told to call the act.
NAMES = {"action", "step", "verb"}
# These take a verb and record nothing under it: what may be done, and what an attempt was.
NO_ACTS = {"admit", "require_verb", "_require_inspector"}


@pytest.mark.parametrize(
    "action",
    [
        *(f"{room}.{step}" for room in ("case", "bundle") for step in STEPS),
        *(f"licence.{made}" for made in VERSIONS),
        *(f"licence.{kind}" for kind in (*EndingKind, *EventKind)),
        *(f"erasure.{step}" for step in ("ask", "agree", "done")),
        *(f"subject.{step}" for step in ("plan", "approve", "run", "done")),
        *(f"application.{state}" for state in (REJECTED, WITHDRAWN, "issue", "issue_failed")),
        *(f"oid4vci.{event}" for event in NotificationEvent),
        *(f"presentation.{verb}" for verb in ("answer", "decline")),
        *(f"delegation.{verb}" for verb in ("propose", "hand", "register", "approve", "recall", "resign")),
    ],
)
def test_a_step_is_called_by_words(action: str) -> None:
    assert is_worded(action)


def is_worded(action: str) -> bool:
    return action not in {action_text(action).zh, action_text(action).en}


@cache
def modules() -> dict[str, ast.Module]:
    root = Path(credentials.__file__).parents[1]
    files = (path for room in ROOMS for path in sorted((root / room).rglob("*.py")))
    found = ((str(path.relative_to(root)), path.read_text("utf-8")) for path in files)
    return {name: ast.parse(text) for name, text in found if re.search(r"\b(action|step|verb)\b", text)}


def literals(node: ast.AST) -> set[str]:
    """What an expression can be, as far as it is written down."""
    if isinstance(node, ast.IfExp):
        return literals(node.body) | literals(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def prefixes(tree: ast.Module) -> set[str]:
    """`case.` of `f"case.{verb}"`."""
    heads = (
        node.values[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        and len(node.values) == 2
        and isinstance(node.values[0], ast.Constant)
    )
    return {str(head) for head in heads if re.fullmatch(r"[a-z_0-9.]+\.", str(head))}


def told(tree: ast.Module) -> Iterator[str]:
    """What functions of this module are told to call acts, in its own calls."""
    places = {
        node.name: place
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name not in NO_ACTS
        for place, name in enumerate(one.arg for one in node.args.args if one.arg != "self")
        if name in NAMES
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        yield from (one for word in node.keywords if word.arg == "action" for one in literals(word.value))
        if name in places and len(node.args) > places[name]:
            yield from literals(node.args[places[name]])


def wordless() -> list[tuple[str, str]]:
    found = []
    for path, tree in modules().items():
        heads = prefixes(tree)
        for act in set(told(tree)):
            names = [act] if "." in act else [head + act for head in heads]
            if names and not any(map(is_worded, names)):
                found.append((path, act))
    return found


def test_no_room_records_an_act_without_words() -> None:
    assert wordless() == []


def test_the_search_finds_acts() -> None:
    found = {act for tree in modules().values() for act in told(tree)}
    assert {"certificate.revoke", "draft", "settle", "resign", "person.export"} <= found
