"""A mobile driving licence names the country, and perhaps the jurisdiction, of whoever signed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from world import pki as pki_world
from world.mdocs import TRANSCRIPT, VALID, MdocWorld

from credentials.mdoc import issue_mdoc
from credentials.mdoc.issuing_place import MDL_NAMESPACE
from signing.cbor import Tag
from signing.reasons import Reason

if TYPE_CHECKING:
    from world.pki import Pki

    from signing.report import Report

MDL = "org.iso.18013.5.1.mDL"


@pytest.fixture(scope="module")
def world(pki: Pki) -> MdocWorld:
    return MdocWorld(pki)


def shown(world: MdocWorld, namespace: str = MDL_NAMESPACE, **elements: Any) -> Report[Any]:
    issued = issue_mdoc(
        MDL,
        {namespace: elements},
        signer=world.signer,
        holder_key=world.baker.public_key,
        valid=VALID,
        randomness=world.randomness,
    )
    response = world.show(issued, disclose={namespace: tuple(elements)})
    return world.mdoc_counter().verify(response, transcript=TRANSCRIPT)


def test_the_country_is_the_certificates(world: MdocWorld) -> None:
    report = shown(world, issuing_country="CN", family_name="王")
    assert report.passed
    assert "issuer_name" in {check.name for check in report.checks}


@pytest.mark.parametrize("country", ["AT", "cn", "", "CHN", None, 156, ["CN"], Tag(32, "CN"), b"CN"])
def test_another_country_is_refused(world: MdocWorld, country: Any) -> None:
    assert shown(world, issuing_country=country).reasons == {Reason.ISSUER_MISMATCH}


def test_a_jurisdiction_counts_where_the_certificate_names_one(
    world: MdocWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(world, issuing_jurisdiction="CN-TJ").passed
    named = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "CN-TJ"),
            x509.NameAttribute(NameOID.COMMON_NAME, "津城"),
        ]
    )
    monkeypatch.setattr(pki_world, "name", lambda _: named)
    signer = world.pki.issuing.issue("津城", "mdoc")
    monkeypatch.undo()
    monkeypatch.setattr(world, "signer", signer)
    assert shown(world, issuing_country="CN", issuing_jurisdiction="CN-TJ").passed
    assert shown(world, issuing_jurisdiction="CN-BJ").reasons == {Reason.ISSUER_MISMATCH}


def test_the_rule_is_of_that_namespace_and_of_what_is_shown(world: MdocWorld) -> None:
    assert shown(world, "org.example.1", issuing_country="AT").passed
    report = shown(world, family_name="王")
    assert report.passed
    assert "issuer_name" not in {check.name for check in report.checks}
