"""What a version gives before it is approved: a specimen, its credential, its metadata, what it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pypdfium2  # type: ignore[import-untyped]  # ships none
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.types import FOOD, TODAY, next_version, with_email

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.disclosures import Placed, Revealed
from credentials.face.page import Typesetter
from credentials.fields import Disclosure
from credentials.office.types.differences import differences
from credentials.office.types.preview import Previewer, metadata_document
from credentials.office.types.rules import is_stricter
from credentials.office.types.specimens import specimen_claims
from credentials.type_metadata import TypeMetadata
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from world.types import TypesWorld

    from credentials.licence_type import LicenceType

KINDS = list(Catalogue.load())
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.code)
def test_every_kind_has_a_specimen_that_says_so(kind: LicenceType) -> None:
    previewer = Previewer(samples.AGENCY, "https://licences.example", Typesetter())
    preview = previewer.preview(kind, None, at=NOON)
    page = pypdfium2.PdfDocument(previewer.page(preview))[0]
    text = "".join(page.get_textpage().get_text_range().split())
    assert "样证，不具效力" in text
    assert set(preview.credential) >= {"vct", "licence_identifier", *preview.licence.claims}


def test_a_preview_says_what_is_new_and_what_that_means(drafting: TypesWorld) -> None:
    change = drafting.types.propose(with_email(), actor=drafting.li)
    said = drafting.types.preview(change.id, actor=drafting.zhao).to_dict()
    assert (said["version"], said["previous"], said["new_fields"]) == (2, 1, ["email"])
    new = {one["kind"]: one for one in said["changes"]}
    assert set(new) == {"added_required", "vct"}
    assert "电子邮箱" in new["added_required"]["what"]["zh"]
    assert "next replacement" in new["added_required"]["means"]["en"]
    assert said["metadata"]["vct"] == f"urn:yinxin:licence:{FOOD}:2"
    assert said["credential"]["email"] == "office@example.com"


def test_it_shows_what_it_showed_once_it_is_in_force(office: TypesWorld) -> None:
    change = office.types.propose(with_email(), actor=office.li)
    before = office.types.preview(change.id, actor=office.li).to_dict()["changes"]
    office.approve(change)
    assert office.types.preview(change.id, actor=office.li).to_dict()["changes"] == before


def test_an_abolition_has_none(drafting: TypesWorld) -> None:
    facts = {"ground": "x", "document_number": "y"}
    change = drafting.types.abolish(FOOD, last_day=TODAY, actor=drafting.li, **facts)
    with pytest.raises(UsageError):
        drafting.types.preview(change.id, actor=drafting.li)


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("years = 5", "years = 3", {"validity"}),
        ("#2e7d5b", "#2e7d5c", {"page"}),
        ("经营者名称", "经营主体名称", {"label"}),
        ('name = "business_items"\n', 'name = "business_items"\nrequired = false\n', {"now_optional"}),
        ("max_characters = 1000", "max_characters = 900", {"max_characters"}),
        ("食品经营许可系统", "食品许可系统", {"source"}),
    ],
)
def test_each_change_is_named(drafting: TypesWorld, old: str, new: str, kinds: set[str]) -> None:
    change = drafting.types.propose(next_version(changes={old: new}), actor=drafting.li)
    said = drafting.types.preview(change.id, actor=drafting.li).changes
    assert {one.kind for one in said} == kinds


def test_a_version_that_says_the_same_changes_nothing(drafting: TypesWorld) -> None:
    change = drafting.types.propose(next_version(), actor=drafting.li)
    assert drafting.types.preview(change.id, actor=drafting.li).changes == ()


_CHANGES = st.fixed_dictionaries(
    {"required": st.booleans(), "disclosure": st.sampled_from(["always", "selective"]), "kept": st.booleans()}
)


@settings(max_examples=30, deadline=None)
@given(kind=st.sampled_from(KINDS), draws=st.lists(_CHANGES, min_size=14, max_size=14))
def test_a_version_that_keeps_its_vct_never_fails_an_older_credential(
    kind: LicenceType, draws: list[dict[str, object]]
) -> None:
    """The rule that lets a vct stay: whatever was issued before still keeps the new metadata."""
    fields = tuple(
        replace(
            one,
            required=bool(draw["required"]),
            disclosure=Disclosure(str(draw["disclosure"])),
        )
        for one, draw in zip(kind.fields, draws, strict=False)
        if draw["kept"]
    )
    after = replace(kind, fields=fields, version=2)
    claims = dict(specimen_claims(kind, today=date(2026, 11, 20)))
    for one in kind.fields:
        if not one.required:
            claims.pop(one.name, None)
    metadata = TypeMetadata.load(kind.vct, {kind.vct: metadata_document(after)})
    revealed = _revealed(kind, {"vct": kind.vct, **claims})
    passed = all(check.reason is None for check in metadata.check(revealed))
    assert passed or is_stricter(after, kind)
    assert {one.field for one in differences(kind, after) if one.kind == "removed"} == {
        one.name for one in kind.fields
    } - {one.name for one in fields}


def _revealed(kind: LicenceType, claims: dict[str, object]) -> Revealed:
    """A credential of a kind with everything disclosed."""
    names = sorted(kind.disclosable & set(claims))
    return Revealed(claims, tuple(Placed(i, (name,), None) for i, name in enumerate(names)), 0)
