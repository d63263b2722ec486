"""The files of forms: read strictly, judged beside the catalogue; and forms filled by any licences at all."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.licence_type import InvalidCatalogue
from credentials.office.types.specimens import specimen
from credentials.sources.filling import FieldState, fill
from credentials.sources.form_files import BUILT_IN, load_forms, read_form_file
from yinxin.base.errors import NotFound, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = Catalogue.load()
FILE = (BUILT_IN / "food_business_renewal.toml").read_text("utf-8")
FORM = load_forms(None, CATALOGUE)["food-business-renewal"]
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


def test_the_built_in_forms_fit_the_catalogue() -> None:
    forms = load_forms(None, CATALOGUE)
    assert [one.matter for one in forms] == ["food-business-renewal"]
    with pytest.raises(NotFound):
        forms["other"]


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("business-licence.enterprise_name", "business-licence.shop", "operator_name", "no field"),
        ("business-licence.enterprise_name", "shop-licence.name", "operator_name", "no type"),
        ("licence.enterprise_name", "licence.registered_capital", "operator_name", "another kind"),
        ('"business-licence.enterprise_name", ', "", "operator_name", "authoritative source first"),
        ('kind = "code"', 'kind = "phone"', "contact_phone", "must be one of"),
        ('name = "contact_phone"', 'name = "domicile"', "fields", "twice"),
        ('name = "contact_phone"', 'name = "Contact Phone"', "fields", "plain word"),
        ('matter = "food', 'matter = "食品', "matter", "letters"),
        ('kind = "code"', 'kind = "code"\nfrom = "x"', "contact_phone", "type.field"),
        ('kind = "code"', 'kind = "code"\nsecret = true', "contact_phone", "no such key"),
        ("[[fields]]", "[fields]", "", "TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_by_file_and_key(tmp_path: Path, old: str, new: str, place: str, says: str) -> None:
    assert old in FILE
    (tmp_path / "form.toml").write_text(FILE.replace(old, new, 1), "utf-8")
    with pytest.raises(InvalidCatalogue) as wrong:
        load_forms(tmp_path, CATALOGUE)
    said = [(where, what.en) for where, what in wrong.value.faults]
    assert any(where.startswith("form.toml") and place in where and says in what for where, what in said), (
        said
    )


def test_a_matter_has_one_form(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(FILE, "utf-8")
    with pytest.raises(InvalidCatalogue, match="has a form already"):
        load_forms(tmp_path, CATALOGUE)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_bring_anything_but_our_errors(data: bytes) -> None:
    with contextlib.suppress(YinxinError):
        read_form_file(data, "x.toml")


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, len(FILE)), put=st.text(max_size=30), take=st.integers(0, 40))
def test_no_change_of_a_file_brings_anything_but_our_errors(cut: int, put: str, take: int) -> None:
    with contextlib.suppress(YinxinError):
        read_form_file((FILE[:cut] + put + FILE[cut + take :]).encode("utf-8", "replace"), "x.toml")


@settings(max_examples=60, deadline=None)
@given(
    codes=st.lists(st.sampled_from([one.code for one in CATALOGUE]), max_size=5),
    consented=st.sets(st.sampled_from([one.name for one in FORM.fields])),
    dropped=st.sets(st.sampled_from(["enterprise_name", "operator_name", "domicile", "business_items"])),
)
def test_whatever_a_holder_has_a_form_says_no_more_than_was_agreed(
    codes: list[str], consented: set[str], dropped: set[str]
) -> None:
    held = []
    for index, code in enumerate(codes):
        kind = CATALOGUE[code]
        licence = specimen(kind, agency=samples.AGENCY, at=NOON)
        claims = {name: value for name, value in licence.claims.items() if name not in dropped}
        held.append(
            (replace(licence, identifier=f"{licence.identifier}.{index}", claims=claims), CATALOGUE[code])
        )
    filled = fill(FORM, held, consented=consented, as_of=NOON)
    for one in filled.fields:
        places = set(one.field.places)
        values = [value for value in (one.value, *one.others) if value]
        assert not values or one.field.name in consented
        assert all(value.origin.place in places for value in values)
        assert (one.value is not None) == (one.state is FieldState.FILLED)
    assert [one.field.name for one in filled.fields] == [one.name for one in FORM.fields]
