"""Receipts: another program verifies them, and ours believes no changed one."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from world.departments import BUREAU, FIRE, MATTER, PURPOSE, URL
from world.pki import Pki

from signing.base64url import decode_base64url, encode_base64url
from signing.jose import sign_jws
from signing.reasons import Reason
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from verify_api.receipts import RECEIPT_TYP, VerifiedReceipt, sign_receipt, verify_receipt

if TYPE_CHECKING:
    from world.departments import City

    from signing.report import Report


@pytest.fixture
def made(city: City, serial: str) -> dict[str, Any]:
    """An answer with its receipt, and the PDF's digest."""
    _, pdf = city.issue(serial)
    answer = city.ask({"document": b64encode(pdf).decode()}).json
    return {**answer, "pdf": hashlib.sha256(pdf).hexdigest()}


def check(city: City, receipt: str, **changes: Any) -> Report[VerifiedReceipt]:
    options = {"now": city.clock.now(), "revocation": city.snapshots().revocation}
    return verify_receipt(receipt, city.trust, **{**options, **changes})


def payload(receipt: str) -> dict[str, Any]:
    return dict(json.loads(decode_base64url(receipt.split(".")[1])))


def test_a_receipt_says_what_was_found_for_whom_and_what_for(city: City, made: dict[str, Any]) -> None:
    report = check(city, made["receipt"], digest=made["pdf"], department=BUREAU)
    assert report.passed
    receipt = report.require()
    assert (receipt.id, receipt.issuer, receipt.department) == (made["id"], URL, BUREAU)
    assert (receipt.purpose, receipt.matter) == (PURPOSE, MATTER)
    assert (receipt.indication, receipt.reasons) == ("passed", ())
    assert receipt.audit_entry == made["audit"]
    assert receipt.content["snapshots"] == made["snapshots"]
    assert receipt.content["policy"] == made["policy"]
    assert receipt.content["licence"] == made["licence"]["identifier"]


def test_no_claim_of_the_licence_stands_in_a_receipt(made: dict[str, Any]) -> None:
    text = json.dumps(payload(made["receipt"]), ensure_ascii=False)
    for value in made["claims"].values():
        assert value not in text


def test_joserfc_verifies_it_with_the_published_key_and_with_its_certificate(
    city: City, made: dict[str, Any]
) -> None:

    published = city.call("GET", "/v1/jwks").json["keys"]
    keys = KeySet.import_key_set({"keys": [key for key in published if key.get("alg")]})
    registry = jws.JWSRegistry(algorithms=["ES256"])
    registry.max_header_length = 16_384  # certificates stand in the header
    found = jws.deserialize_compact(made["receipt"], keys.keys[0], registry=registry)
    assert found.headers()["typ"] == RECEIPT_TYP
    leaf = x509.load_der_x509_certificate(b64decode(found.headers()["x5c"][0]))
    key = ECKey.import_key(leaf.public_key())  # type: ignore[arg-type]
    again = jws.deserialize_compact(made["receipt"], key, registry=registry)
    assert json.loads(again.payload)["jti"] == made["id"]


def test_every_changed_character_is_noticed(city: City, made: dict[str, Any]) -> None:
    receipt = made["receipt"]
    for place in range(0, len(receipt), 13):
        changed = receipt[:place] + ("A" if receipt[place] != "A" else "B") + receipt[place + 1 :]
        assert not check(city, changed).passed, place


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"digest": "0" * 64}, Reason.HASH_FAILURE),
        ({"department": FIRE}, Reason.WRONG_AUDIENCE),
        ({"now": None}, Reason.NOT_YET_VALID),
    ],
)
def test_a_genuine_receipt_in_the_wrong_place(
    city: City, made: dict[str, Any], options: dict[str, Any], reason: Reason
) -> None:
    if "now" in options:
        options = {"now": city.clock.now() - timedelta(hours=1)}
    assert reason in check(city, made["receipt"], **options).reasons


def test_who_may_sign_receipts(city: City, made: dict[str, Any]) -> None:
    content = payload(made["receipt"])
    assert check(city, sign_receipt(content, city.service.receipt_signer)).passed
    wrong_use = check(city, sign_receipt(content, city.seal_signer))
    assert Reason.WRONG_KEY_USAGE in wrong_use.reasons
    stranger = check(city, sign_receipt(content, Pki().signer("receipt")))
    assert Reason.NO_CERTIFICATE_CHAIN_FOUND in stranger.reasons
    bare = check(city, sign_jws(content, FileSigner.generate(), headers={"typ": RECEIPT_TYP}))
    assert Reason.SIGNING_CERTIFICATE_MISSING in bare.reasons
    typed = sign_jws(content, city.service.receipt_signer, headers={"typ": "JWT"})
    assert Reason.WRONG_TYPE in check(city, typed).reasons
    nobody = check(city, made["receipt"], revocation=None)
    assert Reason.REVOCATION_UNKNOWN in nobody.reasons
    assert not verify_receipt(made["receipt"], TrustStore([]), now=city.clock.now()).passed


@pytest.mark.parametrize(
    "change",
    [
        {"jti": 7},
        {"aud": None},
        {"iat": "now"},
        {"iat": -1},
        {"iat": 1e300},
        {"digest": "x"},
        {"digest": {}},
        {"digest": {"algorithm": "md5", "value": "x"}},
        {"reasons": "none"},
        {"reasons": [7]},
        {"indication": 1},
    ],
    ids=str,
)
def test_content_of_another_shape(city: City, made: dict[str, Any], change: dict[str, Any]) -> None:
    receipt = sign_receipt({**payload(made["receipt"]), **change}, city.service.receipt_signer)
    assert Reason.CLAIM_INVALID in check(city, receipt).reasons


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "....", "x" * (2 << 20), "é.e30.AA", encode_base64url(b"{}") + "." * 2]
)
def test_what_is_no_receipt(city: City, text: str) -> None:
    assert not check(city, text).passed


def test_a_receipt_of_a_failed_verification_is_genuine_too(city: City) -> None:
    answer = city.ask({"licence": "no such number"}).json
    receipt = check(city, answer["receipt"]).require()
    assert receipt.indication == "indeterminate"
    assert receipt.reasons == ("licence_unknown",)


def test_the_record_gives_the_same_receipt_content_again(city: City, made: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {city.token()}"}
    again = city.call("GET", f"/v1/verifications/{made['id']}", headers=headers).json
    assert payload(again["receipt"]) == payload(made["receipt"])
    assert check(city, again["receipt"], digest=made["pdf"]).passed
