"""Genuine parts put together to something that nobody issued: none of it may pass as the agency's licence."""

from __future__ import annotations

import io
import json
import tempfile
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from world.departments import ISSUER, TYPE, City

from credentials.face.page import licence_json
from credentials.permission import EVERY_TYPE
from credentials.sd_jwt import issue_sd_jwt
from signing.base64url import decode_base64url
from signing.jose import dump_json, load_json_object
from signing.pdf import Seal
from signing.report import Indication
from signing.signers.file import FileSigner
from yinxin.app.examine import Examiner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.departments import Reply

    from credentials.licence import Licence


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    made = City()
    yield made
    made.close()


@pytest.fixture(scope="module")
def licence(city: City) -> Licence:
    return city.issue("000000901")[0]


def codes(reply: Reply) -> set[str]:
    return {reason["code"] for reason in reply.json["reasons"]}


def document(pdf: bytes) -> dict[str, str]:
    return {"document": b64encode(pdf).decode()}


def shown(city: City, signer: FileSigner, claims: dict[str, Any]) -> Reply:
    """A credential by this signer for the attacker's own key, well presented."""
    attacker, now = FileSigner.generate(), int(city.clock.now().timestamp())
    fixed = {"iss": ISSUER, "vct": f"urn:yinxin:licence:{TYPE}:1", "iat": now - 60, "exp": now + 86400}
    credential = issue_sd_jwt(
        {**fixed, **claims},
        disclosable=[name for name in claims if name != "licence_identifier"],
        signer=signer,
        randomness=city.randomness,
        holder_key=attacker.public_key,
    )
    nonce, city.baker = city.nonce(), attacker
    return city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})


@pytest.mark.parametrize("use", ["seal", "receipt", "status", "request", "signature", "timestamp"])
def test_a_credential_by_a_key_of_another_use(city: City, licence: Licence, use: str) -> None:
    signer = city.pki.signer(use, "津城市市场监督管理局")
    reply = shown(city, signer, {"licence_identifier": licence.identifier, **licence.claims})
    assert codes(reply) == {"wrong_key_usage"}
    assert reply.json["claims"] == {}


def test_another_agency_copies_a_licence_for_its_own_key(city: City, licence: Licence) -> None:
    """Its credential key is trusted, and says of the licence just what the register says."""
    before, stranger = city.service.snapshots, city.pki.signer("credential", "某有限公司")
    city.service.use(replace(before, issuers={EVERY_TYPE: (city.credential_signer.certificate.subject,)}))
    try:
        claims = {"licence_identifier": licence.identifier, **licence.claims}
        assert codes(shown(city, stranger, claims)) == {"issuer_not_permitted"}
        assert codes(shown(city, city.credential_signer, claims)) == set()
    finally:
        city.service.use(before)


def test_a_credential_that_names_no_licence(city: City) -> None:
    reply = shown(city, city.credential_signer, {"operator_name": "没有证照的店"})
    assert reply.json["indication"] == "indeterminate"
    assert codes(reply) == {"licence_unknown"}


@pytest.mark.parametrize("name", [None, "Licence.json", "licence.json ", "licence\u2024json"])
def test_a_company_seals_what_looks_like_a_licence(city: City, licence: Licence, name: str | None) -> None:
    """Its seal is genuine, so the verdict is; but it is said that this is no licence."""
    page, out = pikepdf.new(), io.BytesIO()
    page.add_blank_page()
    if name:
        content = dump_json(json.loads(licence_json(licence, city.kind)))
        page.attachments[name] = pikepdf.AttachedFileSpec(page, content)
    page.save(out)
    forged = Seal(city.pki.signer("seal", "某有限公司")).apply(out.getvalue(), now=city.clock.now())
    told, public = city.ask(document(forged)), city.ask(document(forged), as_=None)
    assert told.json["licence"] is None
    assert told.json["claims"] == {}
    assert "no licence" in told.json["text"]["en"]
    assert "no licence" in public.json["text"]["en"]
    assert public.json["status"]["state"] == "no_licence"


@pytest.mark.parametrize("use", ["seal", "signature"])
def test_somebody_else_seals_the_agencys_licence_file(city: City, licence: Licence, use: str) -> None:
    """Also under the agency's very name: what counts is its credit code, vetted and in the certificate."""
    other = city.pki.signer(use, "津城市市场监督管理局 ")
    assert codes(city.ask(document(city.pdf(licence, signer=other)))) == {"issuer_mismatch"}


def test_the_data_of_one_version_in_the_file_of_another(city: City) -> None:
    first, _ = city.issue("000000902")
    claims = {**first.claims, "operator_name": "津城大麦面包坊"}
    second, _ = city.issue("000000902", version=2, replaces=first.identifier, claims=claims)
    mixed = city.pdf(first, claims=claims)
    assert "licence_differs" in codes(city.ask(document(mixed)))
    renamed = city.pdf(first, certificate_identifier=second.identifier)
    assert "licence_differs" in codes(city.ask(document(renamed)))


@pytest.mark.parametrize(
    "change",
    [
        lambda number: number.replace("0", "０"),
        lambda number: f"{number}\u200b",
        lambda number: f"{number[:-1]}%",
        lambda number: number.replace("J", "Ј"),
        lambda _: "' OR 1=1 --",
    ],
    ids=["full width", "invisible", "pattern", "Cyrillic", "SQL"],
)
def test_a_number_is_found_as_it_is_or_not_at_all(city: City, licence: Licence, change: Any) -> None:
    reply = city.ask({"licence": change(licence.number)})
    assert codes(reply) == {"licence_unknown"}
    assert reply.json["licence"] is None


def test_a_receipt_says_what_it_is_about(city: City) -> None:
    """A receipt on a sealed letter names no licence, so it cannot be shown as one on a licence."""
    receipt = city.ask(document(city.pdf(None))).json["receipt"]
    assert "licence" not in load_json_object(decode_base64url(receipt.split(".")[1]))


def test_without_the_register_the_named_agency_must_have_sealed(city: City, licence: Licence) -> None:
    """`yinxin verify` with a trust folder only: the seal of a company made a "licence" pass."""
    now = city.clock.now()
    examiner = Examiner(city.service.snapshots, clock=city.clock)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "licence.pdf"
        file.write_bytes(city.pdf(licence, signer=city.pki.signer("seal", "某有限公司")))
        report = examiner.examine(file, at=now)
    assert report.indication is Indication.FAILED
    assert {reason.code for reason in report.reasons} == {"issuer_mismatch"}
    assert [one["signer"] for one in report.findings["signatures"]] == ["某有限公司"]
