"""An mdoc as a file at the command line: told by its content, verified, and reported like any other."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.mdocs import MdocForger, MdocWorld

from signing.base64url import encode_base64url
from signing.cbor import encode
from signing.reasons import Reason
from verify_api.documents import Snapshots
from verify_api.mdocs import MdocFile, certificates_in
from yinxin.app.examine import Examiner, Exhibit
from yinxin.app.report_page import report_page

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

    from signing.report import Report
    from yinxin.base.text import Language


@pytest.fixture(scope="module")
def world(pki: Pki) -> MdocWorld:
    return MdocWorld(pki)


def look_at(world: MdocWorld, data: bytes) -> Report[Any]:
    return examiner(world).look_at(Exhibit("licence.cbor", data))


def examiner(world: MdocWorld) -> Examiner:
    return Examiner(Snapshots(world.trust, world.revocation), clock=world.clock)


@pytest.mark.parametrize("encoded", [False, True], ids=["bytes", "base64url"])
@pytest.mark.parametrize("shown", [False, True], ids=["issued", "shown"])
def test_an_mdoc_is_told_by_its_content(world: MdocWorld, *, shown: bool, encoded: bool) -> None:
    data = world.show() if shown else world.issue_mdoc()
    report = look_at(world, encode_base64url(data).encode() + b"\n" if encoded else data)
    assert (report.subject, report.passed) == ("mdoc", True)
    assert report.require().holder_key is None  # whoever brings a file proves nothing
    made = json.loads(report.to_json())
    schema = json.loads((files("signing.report") / "report.schema.json").read_text(encoding="utf-8"))
    assert not list(jsonschema_rs.validator_for(schema).iter_errors(made))
    assert all(check["clause"] for check in made["checks"])


@pytest.mark.parametrize("encoded", [False, True], ids=["bytes", "base64url"])
@pytest.mark.parametrize("shown", [False, True], ids=["issued", "shown"])
def test_its_certificates_are_gathered_for(world: MdocWorld, *, shown: bool, encoded: bool) -> None:
    data = world.show() if shown else world.issue_mdoc()
    found = certificates_in(encode_base64url(data).encode() if encoded else data)
    assert found == tuple(one for one in world.signer.chain if not one.is_self_issued)
    assert certificates_in(data[:-1]) == ()


@given(
    st.sampled_from([b"\xa2jissuerAuth", b"\xa3gversion", b"omdkb2N1bWVudHM", b"eyJ"]), st.binary(max_size=60)
)
def test_any_file_brings_certificates_or_none(start: bytes, rest: bytes) -> None:
    assert certificates_in(start + rest) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_its_report_is_a_page(world: MdocWorld, language: Language) -> None:
    page = report_page("licence.cbor", look_at(world, world.show()), language=language)
    assert {"zh": "披露的数据项", "en": "Disclosed elements"}[language] in page
    assert "ISO/IEC 18013-5, 9.1.2" in page


def test_a_forged_element_fails(world: MdocWorld) -> None:
    forger = MdocForger(world)
    forger.items[0]["elementValue"] = "银行"
    forger.rewrite_items()
    assert look_at(world, forger.bytes()).reasons == {Reason.DISCLOSURE_INVALID}


def test_a_bad_mdoc_is_a_report(world: MdocWorld) -> None:
    """Begun like one, and then cut off, of an indefinite length, or of nothing."""
    good = world.issue_mdoc()
    for bad in (good[:200], b"\xbf" + good[1:], encode({"version": 7}), encode({"issuerAuth": []})):
        report = look_at(world, bad)
        assert report.subject == "mdoc"
        assert report.reasons == {Reason.FORMAT_FAILURE}, bad[:9]


def test_its_certificates_are_had(world: MdocWorld, tmp_path: Path) -> None:
    for name, data in (("shown", world.show()), ("issued", world.issue_mdoc()), ("cut", world.show()[:99])):
        (tmp_path / name).write_bytes(data)
    chains = {one: examiner(world).chains(tmp_path / one) for one in ("shown", "issued", "cut")}
    assert chains["shown"] == chains["issued"]
    assert chains["shown"][0][0] == world.signer.certificate
    assert chains["cut"] == []


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: b"\xa2\x67version" + data))
def test_whatever_a_file_begins_with_nothing_is_raised(data: bytes) -> None:
    found = MdocFile.of(data)
    assert found is None or found.data
