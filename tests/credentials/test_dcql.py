"""What a verifier may ask in DCQL, and which credentials answer it (OpenID4VP 1.0, clauses 6 and 7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import VCT, CredentialWorld

from credentials.dcql import Candidate, Match, Query, is_satisfied, match, options_to_return, resolve
from credentials.key_binding import withhold
from credentials.sd_jwt import SdJwt
from signing.base64url import encode_base64url
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

EXAMPLES = [
    "simple",
    "simple_mdoc",
    "multi_credentials",
    "credentials_alternatives",
    "complex_mdoc",
    "claims_alternatives",
    "value_matching_simple",
]


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


def asked(**changes: Any) -> dict[str, Any]:
    """A query for one food licence."""
    credential = {"id": "licence", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, **changes}
    return {"credentials": [{name: value for name, value in credential.items() if value is not None}]}


def find(query: dict[str, Any], credential: str) -> Match | None:
    (one,) = Query.parse(query).credentials
    return match(one, Candidate.of(SdJwt.parse(credential)))


def paths(*wanted: list[Any]) -> list[dict[str, Any]]:
    return [{"path": path} for path in wanted]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_published_queries_are_read_and_written(vectors: Path, name: str) -> None:
    text = (vectors / "openid4vp" / "examples" / "query_lang" / f"{name}.json").read_text()
    query = Query.parse(json.loads(text))
    assert Query.parse(query.to_dict()) == query
    assert query.to_dict() == json.loads(text)


def test_the_published_alternatives_are_taken_in_their_order(vectors: Path) -> None:
    folder = vectors / "openid4vp" / "examples" / "query_lang"
    query = Query.parse(json.loads((folder / "credentials_alternatives.json").read_text()))
    assert options_to_return(query, {"pid", "other_pid"}) == ("pid",)
    reduced = {"pid_reduced_cred_1", "pid_reduced_cred_2", "nice_to_have"}
    assert options_to_return(query, reduced) == ("pid_reduced_cred_1", "pid_reduced_cred_2")
    assert options_to_return(query, reduced, optional=True) == (
        *sorted(reduced - {"nice_to_have"}),
        "nice_to_have",
    )
    assert options_to_return(query, {"pid_reduced_cred_1", "nice_to_have"}) is None
    assert is_satisfied(query, {"other_pid"})
    assert not is_satisfied(query, {"nice_to_have"})
    (pid,) = Query.parse(json.loads((folder / "claims_alternatives.json").read_text())).credentials
    held = {"family_name": "Doe", "postal_code": "90210", "date_of_birth": "1990-01-01"}
    found = match(pid, Candidate("dc+sd-jwt", pid.types[0], held))
    assert found
    assert found.alternative == 1
    assert found.paths == (("family_name",), ("postal_code",), ("date_of_birth",))


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        {"credentials": []},
        {"credentials": {}},
        {"credentials": [7]},
        asked(id=None),
        asked(id=""),
        asked(id="a b"),
        asked(id="a\n"),
        asked(format=None),
        asked(format=7),
        asked(meta=None),
        asked(meta={}),
        asked(meta={"vct_values": []}),
        asked(meta={"vct_values": "urn:a"}),
        asked(meta={"vct_values": [7]}),
        asked(format="mso_mdoc", meta={}),
        asked(format="mso_mdoc", meta={"doctype_value": "d"}, claims=paths(["only one"])),
        asked(format="mso_mdoc", meta={"doctype_value": "d"}, claims=paths(["n", None])),
        asked(multiple="yes"),
        asked(require_cryptographic_holder_binding=1),
        asked(claims=[]),
        asked(claims={}),
        asked(claims=[{}]),
        asked(claims=paths([])),
        asked(claims=paths([-1])),
        asked(claims=paths([True])),
        asked(claims=paths([1.0])),
        asked(claims=paths([["a"]])),
        asked(claims=[{"path": ["a"], "values": []}]),
        asked(claims=[{"path": ["a"], "values": [None]}]),
        asked(claims=[{"path": ["a"], "values": [1.5]}]),
        asked(claims=[{"path": ["a"], "values": "a"}]),
        asked(claims=[{"path": ["a"], "id": "x"}, {"path": ["b"], "id": "x"}]),
        asked(claim_sets=[["a"]]),
        asked(claims=[{"path": ["a"], "id": "x"}], claim_sets=[]),
        asked(claims=[{"path": ["a"], "id": "x"}], claim_sets=[[]]),
        asked(claims=[{"path": ["a"], "id": "x"}], claim_sets=[["y"]]),
        asked(claims=[{"path": ["a"], "id": "x"}, {"path": ["b"]}], claim_sets=[["x"]]),
        asked(trusted_authorities=[]),
        asked(trusted_authorities=[{"type": "aki"}]),
        asked(trusted_authorities=[{"type": "aki", "values": []}]),
        asked(trusted_authorities=[{"values": ["a"]}]),
        {"credentials": [*asked()["credentials"], *asked()["credentials"]]},
        {**asked(), "credential_sets": []},
        {**asked(), "credential_sets": [{}]},
        {**asked(), "credential_sets": [{"options": []}]},
        {**asked(), "credential_sets": [{"options": [[]]}]},
        {**asked(), "credential_sets": [{"options": [["other"]]}]},
        {**asked(), "credential_sets": [{"options": [["licence"]], "required": 1}]},
    ],
)
def test_a_query_that_breaks_a_rule_is_refused(broken: Any) -> None:
    with pytest.raises(MalformedInput):
        Query.parse(broken)


@pytest.mark.parametrize(
    "large",
    [
        {"credentials": [{**asked()["credentials"][0], "id": f"c{n}"} for n in range(33)]},
        asked(claims=paths(["a"]) * 201),
        asked(claims=paths(["a"] * 17)),
        asked(claims=[{"path": ["a"], "values": ["a"] * 201}]),
        asked(claims=[{"path": ["a"], "id": "x"}], claim_sets=[["x"]] * 65),
        {**asked(), "credential_sets": [{"options": [["licence"]]}] * 33},
    ],
)
def test_a_query_is_bounded(large: Any) -> None:
    with pytest.raises(TooLarge):
        Query.parse(large)


def test_what_nobody_named_is_ignored() -> None:
    query = asked(
        claims=[{"path": ["name"], "intent_to_retain": True, "purpose": "x"}], note="later versions"
    )
    assert Query.parse({**query, "extra": {}}) == Query.parse(asked(claims=paths(["name"])))


def test_no_claims_means_nothing_that_can_be_withheld(world: CredentialWorld) -> None:
    assert find(asked(), world.issue()) == Match(0, (), ())


def test_the_type_and_the_format_decide(world: CredentialWorld) -> None:
    credential = world.issue()
    assert find(asked(meta={"vct_values": ["urn:other", VCT]}), credential)
    assert not find(asked(meta={"vct_values": [VCT.upper()]}), credential)
    assert not find(asked(format="jwt_vc_json", meta={"vct_values": [VCT]}), credential)
    # What an issuer calls its type besides is its word only.
    assert not find(asked(meta={"vct_values": ["urn:b"]}), world.issue(world.licence(aka_vcts=["urn:b"])))


def test_values_match_by_type_and_value(world: CredentialWorld) -> None:
    claims = world.licence(count=1, open=True, ratio=1.0, name="1")
    credential = world.issue(claims, disclosable=("name", "count", "open", "ratio"))

    def hit(name: str, *values: Any) -> bool:
        return find(asked(claims=[{"path": [name], "values": list(values)}]), credential) is not None

    assert hit("count", 1)
    assert hit("count", 7, 1)
    assert hit("open", True)
    assert hit("name", "1")
    for name, value in (
        ("count", True),
        ("count", "1"),
        ("open", 1),
        ("name", 1),
        ("ratio", 1),
        ("open", False),
    ):
        assert not hit(name, value), (name, value)


def test_of_an_array_only_the_elements_that_match_are_shown(world: CredentialWorld) -> None:
    credential = world.issue()
    found = find(asked(claims=[{"path": ["scopes", None], "values": ["自制饮品制售"]}]), credential)
    assert found
    assert found.paths == (("scopes", 1),)
    every = find(asked(claims=paths(["scopes", None])), credential)
    assert every
    assert every.paths == (("scopes", None),)
    assert not find(asked(claims=[{"path": ["scopes", None], "values": ["住宿"]}]), credential)


def test_positions_count_as_issued(world: CredentialWorld) -> None:
    """A verifier that asked for the second element finds it although the first stays hidden."""
    shown = withhold(SdJwt.parse(world.issue()), disclose=[("scopes", 1)])
    assert SdJwt.parse(shown).claims["scopes"] == ["自制饮品制售"]
    assert find(asked(claims=paths(["scopes", 1])), shown)
    assert not find(asked(claims=paths(["scopes", 0])), shown)
    assert find(asked(claims=[{"path": ["scopes", None], "values": ["自制饮品制售"]}]), shown)
    assert not find(asked(claims=[{"path": ["scopes", 0], "values": ["自制饮品制售"]}]), shown)


def test_decoys_are_no_elements(world: CredentialWorld) -> None:
    credential = world.issue(decoys=3)
    assert find(asked(claims=paths(["scopes", 2])), credential)
    assert not find(asked(claims=paths(["scopes", 3])), credential)


def test_the_first_set_that_can_be_satisfied_is_shown(world: CredentialWorld) -> None:
    claims = [
        {"id": "a", "path": ["name"]},
        {"id": "b", "path": ["shoe_size"]},
        {"id": "c", "path": ["credit_code"]},
    ]
    found = find(asked(claims=claims, claim_sets=[["a", "b"], ["c"], ["a"]]), world.issue())
    assert found
    assert (found.alternative, found.paths) == (1, (("credit_code",),))
    assert not find(asked(claims=claims, claim_sets=[["a", "b"], ["b"]]), world.issue())
    assert not find(asked(claims=claims), world.issue())


def test_who_stands_behind_the_issuer(world: CredentialWorld) -> None:
    credential = world.issue()
    chain = world.agency.chain
    leaf, issuing = (encode_base64url(one.authority_key_id or b"") for one in chain[:2])

    def trusted(*entries: dict[str, Any]) -> bool:
        return find(asked(trusted_authorities=list(entries)), credential) is not None

    assert trusted({"type": "aki", "values": [leaf]})
    assert trusted({"type": "aki", "values": ["other", issuing]})
    assert trusted({"type": "etsi_tl", "values": ["https://list"]}, {"type": "aki", "values": [leaf]})
    assert not trusted({"type": "aki", "values": ["other"]})
    assert not trusted({"type": "etsi_tl", "values": [leaf]})


def test_a_credential_without_a_key_answers_only_who_asks_for_none(world: CredentialWorld) -> None:
    loose = world.issue(holder_key=None)
    assert not find(asked(), loose)
    assert find(asked(require_cryptographic_holder_binding=False), loose)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (["name"], ["Arthur"]),
        (["address", "street"], ["Market"]),
        (["degrees", None, "type"], ["BSc", "MSc"]),
        (["degrees", 1, "type"], ["MSc"]),
        (["degrees", 2], []),
        (["degrees", 1], [{"type": "MSc"}]),
        (["name", "first"], []),  # a step into a text
        (["degrees", "type"], []),  # a name into an array
        (["address", 0], []),  # a position in an object
        (["address", None], []),
        (["missing"], []),
        (["mixed", None, "k"], []),  # one of the elements is no object: an error, not an omission
        (["partly", None, "k"], [1]),  # one of the objects lacks it: it drops out
        (["empty", None], []),
    ],
)
def test_paths_lead_where_clause_7_says(path: list[Any], values: list[Any]) -> None:
    claims = {
        "name": "Arthur",
        "address": {"street": "Market", "city": "Milliways"},
        "degrees": [{"type": "BSc"}, {"type": "MSc"}],
        "mixed": [{"k": 1}, "text"],
        "partly": [{"k": 1}, {"j": 2}],
        "empty": [],
    }
    assert [value for _, value in resolve(claims, tuple(path))] == values


def test_without_required_sets_something_must_still_be_returned() -> None:
    query = Query.parse({**asked(), "credential_sets": [{"options": [["licence"]], "required": False}]})
    assert options_to_return(query, {"licence"}) == ()
    assert options_to_return(query, {"licence"}, optional=True) == ("licence",)
    assert not is_satisfied(query, set())
    assert is_satisfied(query, {"licence"})


def test_a_query_says_which_ids_it_has() -> None:
    query = Query.parse(asked())
    assert "licence" in query
    assert query["licence"].types == (VCT,)
    with pytest.raises(KeyError):
        query["other"]
