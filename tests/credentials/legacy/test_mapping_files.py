"""A mapping file is read strictly, and everything that is wrong with it is said at once."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.legacy import MAPPING, PROVINCE, csv_bytes, old_row

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.legacy.mapping_files import InvalidMapping, read_mapping
from credentials.legacy.sheets import Sheet
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from credentials.legacy.mapping import LegacyMapping

CATALOGUE = Catalogue.load()


def read(text: str) -> LegacyMapping:
    return read_mapping(text.encode(), "m.toml", CATALOGUE, agency=samples.AGENCY.credit_code)


def test_the_samples_are_read() -> None:
    mapping = read(MAPPING)
    assert mapping.fields["business_items"].separator == "、"
    assert mapping.foreign is None
    assert "备注" not in mapping.headings
    assert read(PROVINCE).foreign is not None


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('source = "津', 'sauce = "津', "sauce"),
        ("type = ", 'kind = "x"\ntype = ', "kind"),
        ('"food-business-licence"', '"bread"', "type"),
        ('"food-2012"', '"Food 2012"', "register"),
        ('on_change = "version"', 'on_change = "guess"', "on_change"),
        ('number = "许可证编号"', "", "licence.number"),
        ('number = "许可证编号"', "number = 7", "licence.number"),
        ('operator_name = "经营者名称"', "", "fields.operator_name"),
        ('operator_name = "经营者名称"', 'operator_nam = "经营者名称"', "fields.operator_nam"),
        ('"餐饮" = "catering"', '"餐饮" = "diner"', "fields.main_format.values"),
        ('separator = "、"', "separator = 3", "fields.business_items.separator"),
        ('{ constant = "12315" }', '{ constant = "12315", column = "电话" }', "fields.complaint_line"),
        ('"注销" = "deregistered"', '"注销" = "superseded"', "licence.state.values"),
        ('since = "状态日期"', "", "licence.state.since"),
        ("[fields]", '[fixes]\nguess = true\nspaces = "yes"\n[fields]', "fixes.guess"),
        ('"发证日期"', '{ column = "发证日期", dates = "tmd" }', "licence.issued_on.dates"),
    ],
)
def test_a_fault_names_its_key(old: str, new: str, place: str) -> None:
    assert old in MAPPING
    with pytest.raises(InvalidMapping) as caught:
        read(MAPPING.replace(old, new, 1))
    assert f"m.toml: {place}" in {where for where, _ in caught.value.faults}


def test_all_faults_come_out_at_once() -> None:
    with pytest.raises(InvalidMapping) as caught:
        read('register = 1\ncolour = "red"\ntype = "bread"\n[licence]\nnumber = ""\n[fixes]\nx = 1\n')
    assert len(caught.value.faults) >= 6


@given(st.binary(max_size=400))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    for prefix in (b"", MAPPING.encode()):
        try:
            read_mapping(prefix + data, "m.toml", CATALOGUE, agency=samples.AGENCY.credit_code)
        except YinxinError:
            continue


_VALUES = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["column", "constant", "values", "separator", "dates", "since", "zh", "en", "x"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)


@given(st.sampled_from(["number", "issued_on", "valid_until", "changed_at", "state"]), _VALUES)
def test_values_of_any_shape_raise_only_our_errors(key: str, value: object) -> None:
    from credentials.legacy.mapping_files import _Reader  # noqa: PLC0415 - the reader behind TOML

    licence = {"number": "a", "issued_on": "b", key: value}
    table = {"register": "r", "source": "s", "type": "food-business-licence", "licence": licence}
    for one in (table, {**table, "foreign": value}, {**table, "fields": {"operator_name": value}}):
        with pytest.raises(InvalidMapping):
            _Reader("m.toml", CATALOGUE, samples.AGENCY.credit_code).read({**one, "broken": 1}, "0" * 64)


def test_a_file_must_have_every_column_once() -> None:
    data = csv_bytes([old_row(1)])
    with pytest.raises(MalformedInput, match=r"no column 有效期至; no column 住所"):
        Sheet(
            io.BytesIO(data.replace("有效期至".encode(), b"x").replace("住所".encode(), b"y", 1)),
            read(MAPPING),
        )
    with pytest.raises(MalformedInput, match="two columns 状态"):
        Sheet(io.BytesIO(data.replace("备注".encode(), "状态".encode())), read(MAPPING))


def test_gb18030_and_other_separators() -> None:
    mapping = read(MAPPING.replace('on_change = "version"', 'encoding = "gb18030"\nseparator = "\\t"'))
    text = csv_bytes([old_row(1), {**old_row(2), "经营者名称": "㐂茶馆"}]).decode().replace(",", "\t")
    rows = list(Sheet(io.BytesIO(text.encode("gb18030")), mapping).rows())
    assert [row.row for row in rows] == [2, 3]
    assert rows[1].cells is not None
    assert rows[1].cells["经营者名称"] == "㐂茶馆"


@given(st.binary(max_size=600))
def test_arbitrary_files_raise_only_our_errors(data: bytes) -> None:
    for encoding in ("utf-8", "gb18030"):
        mapping = read(MAPPING.replace('on_change = "version"', f'encoding = "{encoding}"'))
        head = ",".join(mapping.headings).encode(encoding) + b"\n"
        for whole in (data, head + data):
            try:
                list(Sheet(io.BytesIO(whole), mapping).rows())
            except YinxinError:
                continue


def test_a_line_without_an_end_is_too_large() -> None:
    head = ",".join(read(MAPPING).headings).encode() + b"\n"
    with pytest.raises(MalformedInput):
        list(Sheet(io.BytesIO(head + b"a" * 100_000), read(MAPPING)).rows())
