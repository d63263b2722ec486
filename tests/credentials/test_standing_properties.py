"""Whatever happens to a licence: states never skip, and what was answered for the past stays answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import samples
from credentials.licence import EndingKind, Event, EventKind, Licence
from credentials.standing import State, standing
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.text import Text

START = datetime(2026, 1, 10, 2, tzinfo=UTC)
IDENTIFIER = LicenceIdentifier.make("11100000900001017N002", samples.AGENCY.credit_code, "A1")
LICENCE = Licence(
    identifier=str(IDENTIFIER),
    number="JY1",
    type_code="food-business-licence",
    type_name=Text("食品经营许可证", "Food Business Licence"),
    version=1,
    agency=samples.AGENCY,
    holder_name="津城海河糕点有限公司",
    holder_code=samples.credit_code(1),
    claims={},
    issued_at=START,
    recorded_at=START,
    valid_from=date(2026, 1, 10),
    valid_until=date(2028, 1, 9),
    commitment_due=date(2026, 7, 1),
)
MOMENTS = st.integers(-100, 1200).map(lambda day: START + timedelta(days=day))


def event(kind: EndingKind | EventKind, effective: datetime, delay: int) -> Event:
    later = str(IDENTIFIER.with_version(2)) if kind is EndingKind.SUPERSEDED else None
    return Event(kind, effective, max(effective, START) + timedelta(days=delay), "g", "d", "a", later)


KINDS = [*EndingKind, *(kind for kind in EventKind if kind is not EventKind.UNDONE)]
EVENTS = st.lists(st.builds(event, st.sampled_from(KINDS), MOMENTS, st.integers(0, 200)), max_size=8)


@given(EVENTS, EVENTS, MOMENTS, MOMENTS)
@settings(max_examples=500, deadline=None)
def test_an_answer_for_a_past_known_at_never_changes(
    before: list[Event], after: list[Event], as_of: datetime, known_at: datetime
) -> None:
    later = [one for one in after if one.recorded_at > known_at]
    first = standing(LICENCE, before, as_of=as_of, known_at=known_at)
    assert standing(LICENCE, [*before, *later], as_of=as_of, known_at=known_at) == first
    # Two events of the very same moments stand in the order in which they were recorded; others in any.
    if len({(one.effective_from, one.recorded_at) for one in before}) == len(before):
        mixed = standing(LICENCE, [*later, *reversed(before)], as_of=as_of, known_at=known_at)
        assert mixed.state is first.state


@given(EVENTS, MOMENTS, MOMENTS)
@settings(max_examples=500, deadline=None)
def test_the_answer_is_always_in_words_and_json(
    events: list[Event], as_of: datetime, known_at: datetime
) -> None:
    found = standing(LICENCE, events, as_of=as_of, known_at=known_at)
    assert found.text.zh
    assert found.to_dict()["state"] == str(found.state)
    assert found.holds is (found.state is State.IN_FORCE)


@given(EVENTS, MOMENTS, MOMENTS)
@settings(max_examples=500, deadline=None)
def test_what_has_ended_does_not_hold_again(events: list[Event], first: datetime, second: datetime) -> None:
    early, late = sorted((first, second))
    known_at = START + timedelta(days=3000)
    ended = {State(kind) for kind in EndingKind}
    if standing(LICENCE, events, as_of=early, known_at=known_at).state in ended:
        assert standing(LICENCE, events, as_of=late, known_at=known_at).state in ended
