"""Where a verification takes a short cut, it comes to where the long way leads."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from credentials.disclosures import Revealed, digest_of, is_flat, reveal
from credentials.issued_claims import IssuedClaims
from credentials.type_metadata import ClaimRule, TypeMetadata, _fault, _PlainRules
from signing.base64url import encode_base64url
from signing.jose import dump_json, load_json_object
from signing.reasons import Reason
from yinxin.base.errors import MalformedInput

DISCLOSURES = [
    encode_base64url(dump_json(parts))
    for parts in (
        ["s", "name", "x"],
        ["s", "place", {"_sd": []}],
        ["s", "rows", [{"...": "d"}]],
        ["s", "y"],
        "abc",
        {"s": 1, "name": 2, "x": 3},
        [7, "name", "x"],
        ["s", "_sd", "x"],
        ["s", 7, "x"],
        7,
    )
]
TOGETHER = st.lists(st.sampled_from(DISCLOSURES), max_size=3, unique=True)
NAMES = st.sampled_from(["name", "status", "_sd", "_sd_alg", "...", "a_sd", '"_sd"', "\\_sd", "x"])
LEAVES = st.sampled_from(["_sd", '"_sd"', "...", "sha-256", "plain", 1, None, *map(digest_of, DISCLOSURES)])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
DIGESTS = st.lists(st.sampled_from([*map(digest_of, DISCLOSURES), "decoy"]), max_size=4)
PAYLOADS = st.dictionaries(NAMES, TREES, max_size=4).flatmap(
    lambda tree: st.just(tree) | DIGESTS.map(lambda digests: {**tree, "_sd": digests})
)


def revealed(payload: dict[str, Any], disclosures: list[str], *, flat: bool) -> Revealed | str:
    try:
        return reveal(payload, disclosures, flat=flat)
    except MalformedInput as exc:
        return f"{exc.kind} {exc.detail}"


@given(others=st.dictionaries(st.sampled_from(["name", "x"]), st.integers()), shown=TOGETHER, extra=DIGESTS)
def test_a_usual_presentation_is_revealed_alike(
    others: dict[str, Any], shown: list[str], extra: list[str]
) -> None:
    """Disclosures of every form whose digests all stand where they belong, beside others."""
    payload = {**others, "_sd": [*map(digest_of, shown), *extra]}
    assert revealed(payload, shown, flat=True) == revealed(payload, shown, flat=False)


@given(
    tree=PAYLOADS,
    shown=st.lists(st.sampled_from(DISCLOSURES), max_size=3, unique=True),
    escaped=st.booleans(),
)
def test_a_flat_payload_is_revealed_alike(tree: dict[str, Any], shown: list[str], *, escaped: bool) -> None:
    """Escapes may hide a name from a search for it: then it is not called flat."""
    text = json.dumps(tree, ensure_ascii=escaped)
    encoded = (text.replace("_sd", "\\u005fsd") if escaped else text).encode()
    payload = load_json_object(encoded)
    assert payload == tree
    if is_flat(encoded, payload):
        assert revealed(payload, shown, flat=True) == revealed(payload, shown, flat=False)


def test_a_usual_payload_is_flat() -> None:
    payload = {
        "vct": "urn:a",
        "cnf": {"jwk": {"kty": "EC"}},
        "_sd": [digest_of(DISCLOSURES[0])],
        "_sd_alg": "sha-256",
    }
    assert is_flat(dump_json(payload), payload)


RULES = st.lists(
    st.builds(
        ClaimRule,
        st.sampled_from([("a",), ("b",), ("c",), ("d", "e"), ("f", None)]),
        st.booleans(),
        st.sampled_from(["always", "allowed", "never"]),
    ),
    max_size=4,
    unique_by=lambda rule: rule.path,
)


@given(
    rules=RULES,
    visible=st.sets(st.sampled_from("abcd")),
    hidden=st.sets(st.sampled_from("abcd")),
    withheld=st.booleans(),
)
def test_plain_rules_are_kept_where_each_rule_is(
    rules: list[ClaimRule], visible: set[str], hidden: set[str], *, withheld: bool
) -> None:
    disclosures = [encode_base64url(dump_json(["s", name, 1])) for name in sorted(hidden - visible)]
    payload = dict.fromkeys(sorted(visible), 1)
    digests = [*map(digest_of, disclosures), *(["decoy"] if withheld else [])]
    shown = reveal({**payload, "_sd": digests}, disclosures)
    places = [placed.path for placed in shown.placed]
    kept = not any(_fault(rule, IssuedClaims(shown), places) for rule in rules)
    plain = _PlainRules.of(tuple(rules))
    assert plain.are_kept(shown) == (kept and plain.is_all)
    (check,) = TypeMetadata("urn:a", (), tuple(rules)).check(shown)
    assert check.reason == (None if kept else Reason.CLAIM_INVALID)
