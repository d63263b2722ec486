"""Errors over HTTP: one row for each class, nothing of our inside, both languages."""

from __future__ import annotations

import inspect
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.reasons import Reason
from yinxin.app.problems import ROWS, language_of, problem, row_of
from yinxin.base import errors
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, YinxinError)]


def example(kind: type[YinxinError]) -> YinxinError:
    if kind is errors.InvalidClaims:
        return errors.InvalidClaims(faults=[("name", Text("名", "the name"))])
    if kind is errors.TooManyRequests:
        return errors.TooManyRequests("slow down", retry_after=timedelta(seconds=1.2))
    if kind is errors.IssuanceRefused:
        return errors.IssuanceRefused(reasons=["no approval"])
    if kind is errors.VerificationFailed:
        return errors.VerificationFailed(SimpleNamespace(reasons=frozenset({Reason.EXPIRED})))
    return kind("what happened")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_of_errors_has_a_row_of_its_own(kind: type[YinxinError]) -> None:
    assert kind in ROWS
    for language in ("zh", "en"):
        answer = problem(example(kind), language)  # type: ignore[arg-type]
        body: dict[str, Any] = json.loads(bytes(answer.body))
        assert answer.media_type == "application/problem+json"
        assert body["status"] == answer.status_code == ROWS[kind].status >= 400
        assert body["code"] == kind.code
        assert body["title"] == getattr(kind.title, language)
        assert body["next"] == getattr(ROWS[kind].next, language)
        assert body["detail"]
        assert answer.headers["x-reference"] == body["reference"]
        assert answer.headers["content-language"] == language


def test_there_is_no_row_without_a_class() -> None:
    assert {kind for kind in ROWS if kind.__module__ == errors.__name__} == set(CLASSES)
    assert all(issubclass(kind, YinxinError) for kind in ROWS)


def test_a_class_of_another_room_takes_the_nearest_row() -> None:
    class Own(errors.NotFound):
        """Something of another room."""

    assert row_of(Own()) is ROWS[errors.NotFound]


@pytest.mark.parametrize("kind", [YinxinError, errors.SignerUnavailable, errors.Unreachable])
def test_what_concerns_only_us_is_not_told(kind: type[YinxinError]) -> None:
    answer = problem(kind("the key /etc/keys/seal.pem does not open"))
    assert b"seal.pem" not in bytes(answer.body)
    assert answer.status_code >= 500


def test_retry_after_is_whole_and_never_early() -> None:
    assert problem(example(errors.TooManyRequests)).headers["retry-after"] == "2"
    assert problem(errors.Unreachable("x", retry_after=timedelta(0))).headers["retry-after"] == "1"


def test_control_characters_do_not_leave() -> None:
    body = json.loads(bytes(problem(errors.NotFound("a\x1b[31m\x00\u202eb")).body))
    assert body["detail"] == "a�[31m��b"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9", "zh"),
        ("en;q=0.1,zh;q=0.9", "zh"),
        ("fr", "en"),
        ("fr,zh;q=0.1", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=x", "en"),
        ("en,zh", "en"),
        ("zh;level=1", "en"),
        ("*", "en"),
    ],
)
def test_the_language_that_the_caller_asks_for(header: str | None, language: str) -> None:
    assert language_of(header) == language


@given(st.text())
def test_any_accept_language_is_answered(header: str) -> None:
    assert language_of(header) in {"zh", "en"}
