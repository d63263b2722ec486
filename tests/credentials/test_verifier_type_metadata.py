"""What a credential type may hold, and what documents about it are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.credentials import VCT, CredentialWorld

from credentials.catalogue import Catalogue
from credentials.sd_jwt import SdJwt
from credentials.type_metadata import TypeMetadata, describe, integrity_of
from signing.reasons import Reason
from yinxin.base.errors import MalformedInput, NotFound, TooLarge, YinxinError

if TYPE_CHECKING:
    from world.pki import Pki


def load(claims: Any = None, **more: Any) -> TypeMetadata:
    document = {"vct": VCT, "claims": claims or [], **more}
    return TypeMetadata.load(VCT, {VCT: json.dumps(document).encode()})


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


def reasons(metadata: TypeMetadata, credential: str) -> list[Reason]:
    return [check.reason for check in metadata.check(SdJwt.parse(credential).reveal()) if check.reason]


def test_every_type_of_the_catalogue_describes_itself() -> None:
    for kind in Catalogue.load():
        document = json.dumps(describe(kind), ensure_ascii=False).encode()
        metadata = TypeMetadata.load(kind.vct, {kind.vct: document}, integrity=integrity_of(document))
        labels = metadata.labels()
        assert {field.name: field.label for field in kind.fields} == labels


def test_a_credential_keeps_the_rules_of_its_type(world: CredentialWorld) -> None:
    licence = world.issue()
    shown = world.present(licence, ["credit_code"])
    good = load([{"path": ["name"], "mandatory": True, "sd": "always"}, {"path": ["vct"], "sd": "never"}])
    assert reasons(good, licence) == []
    assert reasons(good, shown) == [], "an undisclosed claim is not missing"
    below = load([{"path": ["address", "city"], "mandatory": True, "sd": "never"}])
    assert reasons(below, licence) == reasons(below, shown) == [], "the whole address is withheld"
    assert reasons(load([{"path": ["iss"], "sd": "always"}]), licence) == [Reason.CLAIM_INVALID]
    assert reasons(load([{"path": ["scopes", None], "sd": "never"}]), licence) == [Reason.CLAIM_INVALID]
    assert reasons(load([{"path": ["colour"], "mandatory": True}]), licence) == [Reason.CLAIM_INVALID]


def test_a_child_inherits_and_may_only_tighten() -> None:
    parent = {
        "vct": "urn:parent",
        "display": [{"locale": "zh-CN", "name": "许可证"}],
        "claims": [{"path": ["name"], "sd": "always"}, {"path": ["city"], "mandatory": True}],
    }

    def child(claims: list[dict[str, Any]], **more: Any) -> TypeMetadata:
        documents = {"urn:parent": json.dumps(parent).encode()}
        documents[VCT] = json.dumps({"vct": VCT, "extends": "urn:parent", "claims": claims, **more}).encode()
        return TypeMetadata.load(VCT, documents)

    tightened = child([{"path": ["name"], "sd": "always", "mandatory": True}])
    assert {rule.path: rule.mandatory for rule in tightened.rules} == {("name",): True, ("city",): True}
    assert tightened.names == (("zh-CN", "许可证"),)
    renamed = child([{"path": ["city"], "display": [{"locale": "en", "label": "Town"}]}, {"path": ["name"]}])
    assert {rule.path: (rule.mandatory, rule.sd) for rule in renamed.rules} == {
        ("name",): (False, "always"),
        ("city",): (True, "allowed"),
    }, "what a child leaves out is its parent's"
    for looser in ({"path": ["name"], "sd": "never"}, {"path": ["city"], "mandatory": False}):
        with pytest.raises(MalformedInput):
            child([looser])
    with pytest.raises(MalformedInput):
        child([], **{"extends#integrity": "sha256-AAAA"})


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"vct": "urn:other"}, MalformedInput),
        ({"vct": VCT, "extends": VCT}, MalformedInput),
        ({"vct": VCT, "extends": "urn:absent"}, NotFound),
        ({"vct": VCT, "claims": {}}, MalformedInput),
        ({"vct": VCT, "claims": [{}]}, MalformedInput),
        ({"vct": VCT, "claims": [{"path": []}]}, MalformedInput),
        ({"vct": VCT, "claims": [{"path": [-1]}]}, MalformedInput),
        ({"vct": VCT, "claims": [{"path": [{}]}]}, MalformedInput),
        ({"vct": VCT, "claims": [{"path": ["a"], "sd": "maybe"}]}, MalformedInput),
        ({"vct": VCT, "claims": [{"path": ["a"], "sd": []}]}, MalformedInput),
        ({"vct": VCT, "claims": [{"path": ["a"], "mandatory": 1}]}, MalformedInput),
        ({"vct": VCT, "claims": [{"path": ["a"]}, {"path": ["a"]}]}, MalformedInput),
        ({"vct": VCT, "display": "x"}, MalformedInput),
        ({"vct": VCT, "display": [{"locale": "zh"}]}, MalformedInput),
        ({"vct": VCT, "claims": "x" * (1 << 20)}, TooLarge),
    ],
)
def test_a_document_is_read_completely_or_refused(document: Any, error: type[YinxinError]) -> None:
    with pytest.raises(error):
        TypeMetadata.load(VCT, {VCT: json.dumps(document).encode()})


@given(st.binary(max_size=200), st.text(max_size=50))
def test_arbitrary_bytes_raise_our_errors_only(document: bytes, integrity: str) -> None:
    for demanded in (None, integrity):
        with pytest.raises(YinxinError):
            TypeMetadata.load(VCT, {VCT: document}, integrity=demanded)
