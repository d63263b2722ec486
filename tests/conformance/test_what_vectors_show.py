"""What each published vector shows: a row for every one, so that none is read without being understood.

`test_sd_jwt_vectors`, `test_status_list_vectors` and the tests of mdoc hold that we read and verify them;
here stands what is particular about each, in numbers that would be others if we read it wrongly.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.sd_jwt import SdJwt
from credentials.status_list import StatusList
from signing.cbor import decode
from signing.cose import Sign1

if TYPE_CHECKING:
    from pathlib import Path


class Shows(NamedTuple):
    """How many disclosures are presented, how many digests stay closed, how deep the deepest claim is."""

    disclosed: int
    closed: int
    depth: int
    what: str


RFC9901, PYTHON, VC = "ietf-rfc9901/", "sd-jwt-python-testcases/", "ietf-sd-jwt-vc/"
SD_JWTS = {
    RFC9901 + "simple": Shows(4, 6, 2, "5.2: claims, a part of an array, and a key binding over them"),
    RFC9901 + "simple_structured": Shows(
        2, 14, 2, "A.1: parts of objects, and decoys that no disclosure fits"
    ),
    RFC9901 + "complex_ekyc": Shows(6, 10, 5, "A.2: disclosures five steps deep, through objects and arrays"),
    RFC9901 + "arf-pid": Shows(3, 18, 2, "A.3: a PID bound to a key; a nested age disclosed alone"),
    RFC9901 + "w3c-vc": Shows(2, 7, 1, "A.4: typ and claims of others' data model, bound to a key"),
    RFC9901 + "w3c-vc_for_slide_deck": Shows(0, 8, 0, "nothing disclosed of eight claims"),
    RFC9901 + "jsonld": Shows(
        4, 10, 3, "names with @ and colons beside control names; parents with children"
    ),
    RFC9901 + "complex_eidas": Shows(3, 3, 4, "a hidden object in a hidden object, both disclosed"),
    RFC9901 + "complex_eidas_proposal": Shows(1, 8, 3, "the inner claim alone: its parents are open"),
    RFC9901 + "address_only_flat": Shows(1, 0, 1, "6.1: the whole object behind one digest"),
    RFC9901 + "address_only_structured": Shows(0, 4, 0, "6.2: an open object of which nothing is seen"),
    RFC9901 + "address_only_structured_one_open": Shows(0, 3, 0, "6.2: one member always visible"),
    RFC9901 + "address_only_recursive": Shows(0, 1, 0, "6.3: the object itself withheld with all in it"),
    RFC9901 + "json_serialization_flattened": Shows(2, 2, 1, "8.2: disclosures and key binding in a header"),
    RFC9901 + "json_serialization_general": Shows(
        2, 2, 1, "8.3: two signatures, disclosures beside the first"
    ),
    VC + "01": Shows(2, 7, 1, "a credential with its type, a key's name and a key binding"),
    VC + "02": Shows(2, 7, 1, "the same without key binding"),
    VC + "03-pid": Shows(3, 19, 2, "a PID with every claim behind a digest"),
    PYTHON + "array_data_types": Shows(7, 0, 2, "elements of every JSON type, null among them"),
    PYTHON + "array_full_sd": Shows(1, 2, 2, "an object of which each member is hidden"),
    PYTHON + "array_in_sd": Shows(1, 0, 1, "an array as one claim, its elements open in it"),
    PYTHON + "array_nested_in_plain": Shows(2, 2, 3, "elements of arrays in an open array"),
    PYTHON + "array_none_disclosed": Shows(0, 3, 0, "an object left empty: {} and no hint of it"),
    PYTHON + "array_of_nulls": Shows(0, 2, 0, "null in the open beside withheld elements, none confused"),
    PYTHON + "array_of_objects": Shows(2, 0, 3, "members of objects that are elements"),
    PYTHON + "array_of_scalars": Shows(1, 1, 2, "one element of two"),
    PYTHON + "array_recursive_sd": Shows(0, 5, 0, "arrays in arrays, all withheld"),
    PYTHON + "array_recursive_sd_some_disclosed": Shows(4, 1, 3, "arrays in arrays, one element withheld"),
    PYTHON + "header_mod": Shows(3, 4, 1, "a kid that is a number: read, though no credential may have it"),
    PYTHON + "json_serialization_flattened": Shows(3, 4, 1, "their flattened form"),
    PYTHON + "json_serialization_general": Shows(3, 4, 1, "their general form with two signatures"),
    PYTHON + "key_binding": Shows(3, 4, 1, "the key binding by itself"),
    PYTHON + "no_sd": Shows(0, 0, 0, "an SD-JWT without any digest"),
    PYTHON + "object_data_types": Shows(14, 0, 2, "members of every JSON type, names of every kind"),
    PYTHON + "recursions": Shows(13, 6, 3, "disclosures within disclosures, some withheld on the way"),
}


def read(text: str) -> SdJwt:
    return SdJwt.from_json(text) if text.startswith("{") else SdJwt.parse(text)


def test_every_sd_jwt_shows_what_its_row_says(vectors: Path) -> None:
    cases = json.loads((vectors / "sd-jwt" / "vectors.json").read_text("utf-8"))
    assert cases.keys() == SD_JWTS.keys()
    for name, case in cases.items():
        revealed = read(case["sd_jwt_presentation"]).reveal()
        depth = max((len(one.path) for one in revealed.placed), default=0)
        assert (len(revealed.placed), revealed.undisclosed, depth) == SD_JWTS[name][:3], name


def test_whatever_is_withheld_is_accounted_for(vectors: Path) -> None:
    """Positions count as issued: withheld and shown elements together are those of the issued arrays."""
    cases = json.loads((vectors / "sd-jwt" / "vectors.json").read_text("utf-8"))
    for name, case in cases.items():
        issued, shown = (read(case[which]).reveal() for which in ("sd_jwt_issuance", "sd_jwt_presentation"))
        paths = {one.path for one in issued.placed}
        assert {one.path for one in shown.placed} <= paths, name
        for path, positions in shown.withheld.items():
            assert {(*path, one) for one in positions} <= paths | _decoys(issued), name


def _decoys(issued: Any) -> set[Any]:
    return {(*path, one) for path, positions in issued.withheld.items() for one in positions}


LISTS: dict[str, tuple[int, int, str]] = {
    "1-bit long": (1, 1 << 20, "the least significant bit first, over a million entries"),
    "2-bit long": (2, 1 << 20, "suspension needs two bits"),
    "4-bit long": (4, 1 << 20, "application-specific values"),
    "8-bit long": (8, 1 << 20, "one byte for each"),
    "16x1 example": (1, 16, "4.1: sixteen entries in b9a3"),
    "12x2 example": (2, 12, "4.1: twelve entries in c944f9"),
}


def test_every_status_list_shows_what_its_row_says(vectors: Path) -> None:
    found = json.loads((vectors / "status-list" / "vectors.json").read_text("utf-8"))
    assert {case["name"] for case in found["lists"]} == LISTS.keys()
    for case in found["lists"]:
        bits, size, _ = LISTS[case["name"]]
        length = case["size"] if "json" in case else len(case["statuses"])
        assert (case["bits"], length) == (bits, size), case["name"]
        if "json" in case:
            statuses = StatusList.from_claim(case["json"])
            assert sum(map(bool, statuses.get_many(range(size)))) == sum(
                map(bool, case["non_zero"].values())
            ), case["name"]


def test_the_referenced_token_in_cbor_points_into_a_list(vectors: Path) -> None:
    """6.3: claim 65535 of a CWT has the same members as the JSON form."""
    tokens = json.loads((vectors / "status-list" / "vectors.json").read_text("utf-8"))["tokens"]
    message = Sign1.parse(bytes.fromhex(tokens["referenced_token_cwt_hex"]))
    assert message.payload is not None
    status = decode(message.payload)[65535]
    assert status == {"status_list": {"idx": 0, "uri": "https://example.com/statuslists/1"}}
