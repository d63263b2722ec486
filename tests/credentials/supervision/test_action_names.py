"""What people read in a list of the log's lines are words, for every step of the desk."""

from __future__ import annotations

import pytest

from credentials.licence import EndingKind, EventKind
from credentials.office.supervision.showing import action_text

STEPS = ("draft", "submit", "review", "approve", "send_back", "seal", "withdraw")
VERSIONS = ("issue", "correct", "change", "renew", "replace", "merge", "split")


@pytest.mark.parametrize(
    "action",
    [
        *(f"{room}.{step}" for room in ("case", "bundle") for step in STEPS),
        *(f"licence.{made}" for made in VERSIONS),
        *(f"licence.{kind}" for kind in (*EndingKind, *EventKind)),
        *(f"erasure.{step}" for step in ("ask", "agree", "done")),
        *(f"subject.{step}" for step in ("plan", "approve", "run", "done")),
    ],
)
def test_a_step_is_called_by_words(action: str) -> None:
    assert action not in {action_text(action).zh, action_text(action).en}
