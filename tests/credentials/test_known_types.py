"""Types that are at hand decide about credentials; whoever serves them cannot lead elsewhere."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.credentials import COUNTER, NONCE, VCT, CredentialWorld, food_licence

from credentials.known_types import MAX_TYPES, KnownTypes, read_index
from credentials.type_metadata import integrity_of
from signing.policy import Policy
from signing.reasons import Reason
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

if TYPE_CHECKING:
    from signing.report import Report

INDEX = "https://licences.jincheng.example/office/types"
JSON = st.recursive(st.none() | st.integers() | st.text(), st.lists)
DEMANDED = Policy(type_metadata="require")


@pytest.fixture(scope="module")
def world() -> CredentialWorld:
    return CredentialWorld()


def document(*claims: dict[str, Any], vct: str = VCT, **more: Any) -> bytes:
    return json.dumps({"vct": vct, "claims": list(claims), **more}).encode()


def shown(
    world: CredentialWorld, types: KnownTypes | None, *, policy: Policy | None = None, **claims: Any
) -> Report[Any]:
    presentation = world.present(world.issue({**food_licence(), **claims}))
    counter = world.counter(types=types, policy=policy or Policy.default())
    return counter.verify(presentation, audience=COUNTER, nonce=NONCE)


NEVER = {"path": ["licence_number"], "sd": "never", "mandatory": True}
LENIENT = document({"path": ["licence_number"]})
STRICT = document(NEVER | {"path": ["no_such_claim"]})


class TestATypeAtHand:
    def test_is_kept_to(self, world: CredentialWorld) -> None:
        assert shown(world, KnownTypes({VCT: [LENIENT]})).passed
        refused = shown(world, KnownTypes({VCT: [STRICT]}))
        assert refused.reasons == {Reason.CLAIM_INVALID}

    def test_of_several_versions_one_is_enough(self, world: CredentialWorld) -> None:
        assert shown(world, KnownTypes({VCT: [STRICT, LENIENT]})).passed
        assert shown(world, KnownTypes({VCT: [LENIENT, STRICT]})).passed

    def test_the_version_that_a_credential_names_is_the_one(self, world: CredentialWorld) -> None:
        both = KnownTypes({VCT: [LENIENT, STRICT]})
        for named, reasons in ((LENIENT, set()), (STRICT, {Reason.CLAIM_INVALID})):
            assert shown(world, both, **{"vct#integrity": integrity_of(named)}).reasons == reasons
        other = shown(world, both, **{"vct#integrity": integrity_of(b"another")})
        assert other.reasons == {Reason.TYPE_METADATA_INVALID}

    def test_another_is_asked_for_only_where_the_policy_says_so(self, world: CredentialWorld) -> None:
        for types in (None, KnownTypes({}), KnownTypes({"urn:other": [document(vct="urn:other")]})):
            assert shown(world, types).passed
            report = shown(world, types, policy=DEMANDED)
            assert report.reasons == {Reason.TYPE_METADATA_UNAVAILABLE}
        assert shown(world, KnownTypes({VCT: [LENIENT]}), policy=DEMANDED).passed

    @pytest.mark.parametrize(
        "broken",
        [
            b"not json",
            document(vct="urn:other"),
            document(extends=VCT),
            document({"path": []}),
            document({"path": ["a"]}, {"path": ["a"]}),
            document({"path": ["a"], "sd": "sometimes"}),
        ],
    )
    def test_a_broken_one_is_no_permission(self, world: CredentialWorld, broken: bytes) -> None:
        assert shown(world, KnownTypes({VCT: [broken]})).reasons == {Reason.TYPE_METADATA_INVALID}

    def test_what_it_extends_must_be_at_hand_too(self, world: CredentialWorld) -> None:
        child, parent = document(extends="urn:parent"), document(NEVER | {"path": ["x"]}, vct="urn:parent")
        assert shown(world, KnownTypes({VCT: [child]}), policy=DEMANDED).reasons == {
            Reason.TYPE_METADATA_UNAVAILABLE
        }
        together = KnownTypes({VCT: [child], "urn:parent": [parent]})
        assert shown(world, together).reasons == {Reason.CLAIM_INVALID}

    def test_the_report_names_what_was_known(self, world: CredentialWorld) -> None:
        types = KnownTypes({VCT: [LENIENT]})
        assert shown(world, types).snapshots["types"] == types.digest
        assert types.digest != KnownTypes({VCT: [STRICT]}).digest


class TestAnIndex:
    def test_leads_to_documents_below_it_only(self) -> None:
        row = {
            "vct": VCT,
            "type": "food",
            "version": 3,
            "integrity": "sha256-x",
            "metadata": "https://evil.example/",
        }
        (entry,) = read_index(json.dumps({"types": [row]}).encode(), url=INDEX)
        assert entry.url == f"{INDEX}/food/3"

    @pytest.mark.parametrize(
        "changes",
        [
            {"type": "../keys"},
            {"type": "a/b"},
            {"type": ""},
            {"version": "1"},
            {"version": -1},
            {"version": True},
            {"vct": None},
            {"integrity": 1},
        ],
    )
    def test_with_another_form_is_refused(self, changes: dict[str, Any]) -> None:
        row = {"vct": VCT, "type": "food", "version": 3, "integrity": "sha256-x", **changes}
        with pytest.raises(MalformedInput):
            read_index(json.dumps({"types": [row]}).encode(), url=INDEX)

    def test_of_too_many_is_refused(self) -> None:
        with pytest.raises(TooLarge):
            read_index(json.dumps({"types": [{}] * (MAX_TYPES + 1)}).encode(), url=INDEX)

    def test_a_document_is_taken_for_what_the_index_means_only(self) -> None:
        row = {"vct": VCT, "type": "food", "version": 3, "integrity": integrity_of(LENIENT)}
        (entry,) = read_index(json.dumps({"types": [row]}).encode(), url=INDEX)
        assert entry.accept(LENIENT) == LENIENT
        with pytest.raises(MalformedInput, match="index"):
            entry.accept(STRICT)

    @given(st.binary(max_size=64) | JSON.map(lambda found: json.dumps({"types": found}).encode()))
    def test_of_any_bytes_raises_our_errors_only(self, data: bytes) -> None:
        with suppress(YinxinError):
            read_index(data, url=INDEX)
