"""A name says one thing to whoever reads it, and gets into a certificate as it is."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from ca.names import SubjectName
from yinxin.base.errors import InvalidClaims, MalformedInput
from yinxin.base.identifiers import CreditCode

CODE = CreditCode.parse("91110000600037341L")


def test_the_encoding_is_that_of_others() -> None:
    subject = SubjectName(
        common_name="津城面包坊",
        province="天津市",
        locality="和平区",
        organisation="津城面包坊有限公司",
        unit="行政部",
        credit_code=CODE,
    )
    theirs = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "天津市"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "和平区"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "津城面包坊有限公司"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "行政部"),
            x509.NameAttribute(ObjectIdentifier("2.5.4.97"), f"NTRCN-{CODE}"),
            x509.NameAttribute(NameOID.COMMON_NAME, "津城面包坊"),
        ]
    )
    assert subject.encode(organisation_identifier=True) == theirs.public_bytes()
    assert SubjectName.from_dict(subject.to_dict()) == subject


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bank.example\0.evil.example", "invisible"),
        ("line\nbreak", "invisible"),
        ("\u202eecived", "invisible"),
        ("津城\u200b数据局", "invisible"),
        ("津城\u3000数据局", "invisible"),
        ("\ud800", "invisible"),
        ("اسم Name", "directions"),
        ("e\u0301tat", "normal form"),
        (" 津城", "spaces"),
        ("津  城", "spaces"),
        ("", "empty"),
        ("长" * 65, "64"),
        (17, "empty"),
    ],
)
def test_text_that_deceives_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidClaims) as caught:
        SubjectName(common_name=text)
    ((field, said),) = caught.value.faults
    assert field == "common_name"
    assert why in said.en


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(InvalidClaims) as caught:
        SubjectName(common_name="", country="china", organisation="a\tb", credit_code="91")  # type: ignore[arg-type]
    assert [field for field, _ in caught.value.faults] == [
        "country",
        "organisation",
        "common_name",
        "credit_code",
    ]


def test_scripts_from_the_right_are_names_too() -> None:
    assert SubjectName(common_name="ئۇيغۇر").encode()


def test_a_stored_name_with_unknown_fields_is_malformed() -> None:
    with pytest.raises(MalformedInput):
        SubjectName.from_dict({"common_name": "x", "serial": "1"})
