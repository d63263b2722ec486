"""Whatever is passed on, however often: a delegation is never wider than the one that it stands under."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as some

from credentials.delegations.chain import chain_checks
from credentials.delegations.delegation import Agent, Delegation, Principal, State
from credentials.delegations.terms import Kind, Terms, require_within
from signing.signers.file import FileSigner
from yinxin.base.errors import MalformedInput, NotPermitted, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

T0 = datetime(2026, 11, 20, tzinfo=UTC)
MATTERS, TYPES = ("m1", "m2", "m3"), ("t1", "t2")
JWK = FileSigner.generate().public_key.to_jwk()


def names(every: Sequence[str]) -> some.SearchStrategy[tuple[str, ...]]:
    chosen = some.lists(some.sampled_from(every), min_size=1, unique=True).map(tuple)
    return some.just(("*",)) | chosen


days = some.integers(0, 6)


@some.composite
def terms(draw: some.DrawFn) -> Terms:
    start = draw(days)
    kind = draw(some.sampled_from((Kind.ADMINISTRATOR, Kind.AGENT, Kind.AGENT, Kind.AGENT)))
    return Terms(
        kind,
        draw(names(MATTERS)),
        draw(names(TYPES)),
        T0 + timedelta(days=start),
        T0 + timedelta(days=start + 1 + draw(days)),
        may_pass_on=draw(some.booleans()),
    )


def chain_of(every: Sequence[Terms]) -> list[Delegation]:
    """The longest chain that may be made of these, in their order."""
    made: list[Delegation] = []
    for one in every:
        try:
            if made:
                require_within(one, made[-1].terms, depth=len(made) + 1)
        except NotPermitted:
            continue
        above = tuple(link.id for link in made)
        principal, agent = Principal("c", "公司", "法人"), Agent(f"甲{len(made)}", JWK)
        made.append(Delegation(f"d{len(made)}", principal, agent, one, State.ACCEPTED, T0, above))
    return made


@settings(max_examples=80, deadline=None)
@given(
    some.lists(terms(), min_size=1, max_size=8),
    some.integers(-1, 14),
    some.integers(0, 3),
    some.integers(0, 2),
)
def test_the_last_of_a_chain_covers_nothing_that_one_above_does_not(
    every: list[Terms], day: int, matter: int, kind: int
) -> None:
    chain = chain_of(every)
    moment, asked = (
        T0 + timedelta(days=day),
        {"matter": [*MATTERS, "m9"][matter], "type_code": [*TYPES, "t9"][kind]},
    )
    last = chain[-1]
    if last.holds_at(moment) and last.terms.covers(**asked):
        assert all(link.holds_at(moment) and link.terms.covers(**asked) for link in chain)
    passed = not any(check.reason for check in chain_checks(chain, at=moment, **asked))
    assert passed == (last.holds_at(moment) and last.terms.covers(**asked))
    assert all(link.terms.may_pass_on for link in chain[:-1] if link.terms.kind is Kind.AGENT)
    assert not any(link.terms.kind is Kind.ADMINISTRATOR for link in chain[1:])


@settings(max_examples=40, deadline=None)
@given(some.lists(terms(), min_size=2, max_size=6), some.data())
def test_a_chain_with_any_link_ended_lost_or_widened_passes_nothing(
    every: list[Terms], data: some.DataObject
) -> None:
    chain = chain_of(every)
    place = data.draw(some.integers(0, len(chain) - 1))
    moment = chain[-1].terms.starts_at
    asked = {"matter": "m1", "type_code": "t1"}
    ended = [State.RECALLED, State.RESIGNED, State.PROPOSED, State.DECLINED, State.WAITING]
    broken = [*chain]
    broken[place] = _with(chain[place], state=data.draw(some.sampled_from(ended)))
    assert any(check.reason for check in chain_checks(broken, at=moment, **asked))
    if len(chain) > 1:
        lost = chain[:place] + chain[place + 1 :]
        if place < len(chain) - 1:
            assert any(check.reason for check in chain_checks(lost, at=moment, **asked))


@settings(max_examples=50, deadline=None)
@given(
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.text(max_size=8),
        lambda inner: (
            some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3)
        ),
    ),
    some.sampled_from(("kind", "matters", "types", "starts_at", "ends_at", "may_pass_on", "document")),
)
def test_terms_of_strangers_raise_our_errors_only(value: object, name: str) -> None:
    good = Terms(Kind.AGENT, ("m1",), ("t1",), T0, T0 + timedelta(days=1)).to_dict()
    for body in (value, {**good, name: value}):
        try:
            read = Terms.from_dict(body)
        except (MalformedInput, UsageError):
            continue
        assert Terms.from_dict(read.to_dict()) == read


def _with(one: Delegation, **changes: object) -> Delegation:
    return replace(one, **changes)  # type: ignore[arg-type]
