"""Rules are data: every event says what it does to everything, and a file that is wrong says where."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from ca.crl import RevocationReason
from credentials.catalogue import Catalogue
from credentials.licence import EndingKind
from yinxin.app.subjects.rules import Rules
from yinxin.app.subjects.values import TAKING_BACK, Action, EffectKind, EventKind
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

RULED = (EffectKind.LICENCE, EffectKind.CERTIFICATE, EffectKind.SEAL, EffectKind.DELEGATION)
EVENTS = [kind for kind in EventKind if kind not in TAKING_BACK]
ROW = '[[rule]]\nevent = "renamed"\nof = "licence"\naction = "left"\nwhy = { zh = "不变", en = "as it is" }\n'


def test_every_event_has_a_default_for_everything_with_its_reason_in_both_languages() -> None:
    rules = Rules.load()
    for event, of in product(EVENTS, RULED):
        found = rules.find(event, of, "a type that nobody has heard of")
        assert found.why.zh
        assert found.why.en


def test_an_unconfirmed_death_ends_nothing() -> None:
    rules = Rules.load()
    types = [*(one.code for one in Catalogue.load()), "any"]
    for of, code in product(RULED, types):
        found = rules.find(EventKind.DEATH_REPORTED, of, code)
        assert found.action in {Action.SUSPEND, Action.HOLD, Action.STOP, Action.LEFT}


def test_what_the_shipped_rules_mean() -> None:
    rules, licences = Rules.load(), EffectKind.LICENCE
    assert rules.find(EventKind.RENAMED, EffectKind.CERTIFICATE, "organisation-seal").terms == {
        "reason": RevocationReason.AFFILIATION_CHANGED
    }
    for event in (EventKind.MERGED, EventKind.DISSOLVED, EventKind.DEATH_CONFIRMED):
        assert rules.find(event, EffectKind.CERTIFICATE, "x").terms["reason"] == "cessation_of_operation"
        assert rules.find(event, licences, "food-business-licence").terms["ending"] == EndingKind.DEREGISTERED
        assert rules.find(event, EffectKind.DELEGATION, "agent").action is Action.RECALL
        assert rules.find(event, licences, "real-estate-certificate").action is Action.BY_HAND
    changed = rules.find(EventKind.REPRESENTATIVE_CHANGED, licences, "food-business-licence")
    assert changed.terms == {"responsible_person": "representative"}


def test_the_types_that_rules_name_are_there() -> None:
    known = {one.code for one in Catalogue.load()}
    named = {key[2] for key in Rules.load()._rows if key[2]} - {"person"}  # a kind of seals
    assert named <= known


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("renamed", "flown"), "rule 1"),
        (('"left"', '"suspend"\nterms = { x = "1" }'), "takes no terms"),
        (('"left"', '"revoke"'), "nothing that is done"),
        (('"left"', '"end"'), "legal kind"),
        (('"left"', '"end"\nterms = { ending = "superseded" }'), "legal kind"),
        (('"left"', '"reissue"\nterms = { a = "everything" }'), "a field takes one of"),
        (('"renamed"', '"restored"'), "follows from what was done"),
        (('"left"', '"left"\nmore = 1'), "unknown: more"),
        (("[[rule]]", "[rule]"), "a list of"),
        (("zh =", "zh"), "no TOML"),
    ],
)
def test_a_wrong_file_says_where(change: tuple[str, str], says: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(ROW.replace(*change), "utf-8")
    with pytest.raises(UsageError, match=says):
        Rules.load(file)


def test_a_file_without_every_default_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(ROW, "utf-8")
    with pytest.raises(UsageError, match="has no default"):
        Rules.load(file)
    file.write_text(ROW * 2, "utf-8")
    with pytest.raises(UsageError, match="already"):
        Rules.load(file)
