"""Queries of any shape: what is read is read again the same, and what matches was asked for."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.claim_paths import covers
from credentials.dcql import SD_JWT_VC, Candidate, Query, is_satisfied, match, options_to_return, resolve
from yinxin.base.errors import MalformedInput

NAMES = st.sampled_from(["name", "code", "items", "a", "b"])
PLAIN = st.one_of(st.sampled_from(["x", "y", "1"]), st.integers(-2, 2), st.booleans())
CLAIMS = st.dictionaries(
    NAMES,
    st.recursive(
        PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_size=4,
)
PATHS = st.lists(NAMES | st.none() | st.integers(0, 3), min_size=1, max_size=4)
CLAIM = st.fixed_dictionaries({"path": PATHS}, optional={"values": st.lists(PLAIN, min_size=1, max_size=3)})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
)
MEMBERS = st.sampled_from(
    (
        *("credentials", "credential_sets", "id", "format", "meta", "vct_values", "doctype_value", "claims"),
        *("claim_sets", "path", "values", "multiple", "trusted_authorities", "type", "options", "required"),
    )
)
ODD = st.recursive(
    JSON | st.sampled_from(["dc+sd-jwt", "mso_mdoc", "a", "aki"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=6),
)


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=3, unique=True))
    credentials = []
    for name in names:
        made: dict[str, Any] = {"id": name, "format": SD_JWT_VC, "meta": {"vct_values": ["urn:a"]}}
        claims = draw(st.none() | st.lists(CLAIM, min_size=1, max_size=3))
        if claims is not None:
            made["claims"] = [{**one, "id": f"c{number}"} for number, one in enumerate(claims)]
            ids = st.sampled_from([one["id"] for one in made["claims"]])
            sets = draw(st.none() | st.lists(st.lists(ids, min_size=1, max_size=3), min_size=1, max_size=3))
            if sets is not None:
                made["claim_sets"] = sets
        credentials.append(made)
    answer: dict[str, Any] = {"credentials": credentials}
    options = st.lists(st.lists(st.sampled_from(names), min_size=1, max_size=3), min_size=1, max_size=3)
    sets = draw(
        st.none()
        | st.lists(
            st.fixed_dictionaries({"options": options, "required": st.booleans()}), min_size=1, max_size=2
        )
    )
    return answer if sets is None else {**answer, "credential_sets": sets}


@given(ODD)
@settings(max_examples=300)
def test_anything_is_a_query_or_malformed(value: Any) -> None:
    try:
        query = Query.parse(value)
    except MalformedInput:
        return
    assert Query.parse(query.to_dict()) == query


@given(queries())
def test_a_query_survives_its_json(value: dict[str, Any]) -> None:
    query = Query.parse(value)
    assert Query.parse(query.to_dict()) == query


@given(queries(), CLAIMS)
def test_what_would_be_disclosed_was_asked_for_and_satisfies(
    value: dict[str, Any], claims: dict[str, Any]
) -> None:
    for asked in Query.parse(value).credentials:
        found = match(asked, Candidate(SD_JWT_VC, "urn:a", claims))
        if found is None:
            continue
        wanted = [claim.path for claim in found.claims]
        assert found.claims == asked.alternatives[found.alternative]
        assert all(any(covers(path, place) or path == place for path in wanted) for place in found.paths)
        assert all(resolve(claims, place) for place in found.paths)


@given(value=queries(), available=st.sets(st.sampled_from(["one", "two", "three"])), optional=st.booleans())
def test_what_a_wallet_returns_satisfies_the_verifier(
    value: dict[str, Any], available: set[str], *, optional: bool
) -> None:
    query = Query.parse(value)
    chosen = options_to_return(query, available, optional=optional)
    if chosen is None:
        assert not is_satisfied(query, available)
    elif chosen:
        assert set(chosen) <= available
        assert is_satisfied(query, chosen)


@given(JSON, PATHS)
def test_a_path_leads_to_values_that_are_there(claims: Any, path: list[Any]) -> None:
    for place, value in resolve(claims, tuple(path)):
        found = claims
        for step in place:
            found = found[step]
        assert found is value or found == value
