"""Files with their signature beside them, over HTTP: the content, only its digest, or carried inside."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.departments import BUREAU, MATTER, PURPOSE, City
from world.pki import Pki
from world.signers import joined

from signing import cms, detached
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from world.departments import Reply

CONTENT = "关于核准设立的决定\n".encode() * 40


def signature_of(city: City, **options: Any) -> bytes:
    signer = options.pop("signer", city.seal_signer)
    return detached.sign(CONTENT, signer, now=city.clock.now() - timedelta(minutes=1), **options)


def encoded(**files: bytes) -> dict[str, str]:
    return {name: b64encode(value).decode() for name, value in files.items()}


def codes(reply: Reply) -> set[str]:
    assert reply.status == 200, reply.body
    return {reason["code"] for reason in reply.json["reasons"]}


def test_a_department_hears_who_signed_and_gets_a_receipt(city: City) -> None:
    reply = city.ask(encoded(document=CONTENT, signature=signature_of(city)))
    assert reply.status == 200, reply.body
    said = reply.json
    assert (said["subject"], said["indication"], said["licence"]) == ("cades", "passed", None)
    assert said["digest"] == {"algorithm": "sha-256", "value": hashlib.sha256(CONTENT).hexdigest()}
    (signature,) = said["signatures"]
    assert (signature["signer"], signature["usage"]) == ("津城市市场监督管理局", "seal")
    assert "no licence of this register" in said["text"]["en"]
    assert said["receipt"].count(".") == 2
    recorded = city.call(
        "GET", f"/v1/verifications/{said['id']}", None, {"Authorization": f"Bearer {city.token()}"}
    )
    assert recorded.json["digest"] == said["digest"]


def test_two_agencies_in_one_file_are_two_signatures(city: City) -> None:
    twice = joined(signature_of(city), signature_of(city, signer=city.pki.signer("signature", "张三")))
    said = city.ask(encoded(document=CONTENT, signature=twice)).json
    assert said["indication"] == "passed"
    assert [one["indication"] for one in said["signatures"]] == ["passed", "passed"]
    assert {one["usage"] for one in said["signatures"]} == {"seal", "signature"}
    stranger = joined(signature_of(city), signature_of(city, signer=Pki().signer("signature", "张三")))
    said = city.ask(encoded(document=CONTENT, signature=stranger)).json
    assert said["indication"] != "passed"
    assert sorted(one["indication"] for one in said["signatures"]) == ["indeterminate", "passed"]


def test_the_content_need_not_leave_its_owner(city: City) -> None:
    signature = signature_of(city)
    digest = hashlib.sha256(CONTENT).hexdigest()
    reply = city.ask({**encoded(signature=signature), "content_digest": digest})
    assert (reply.json["indication"], reply.json["digest"]["value"]) == ("passed", digest)
    another = hashlib.sha256(b"another").hexdigest()
    assert codes(city.ask({**encoded(signature=signature), "content_digest": another})) == {"hash_failure"}
    by_other_hash = city.ask(
        {**encoded(signature=signature), "content_digest": hashlib.sha512(CONTENT).hexdigest()}
    )
    assert "signed_data_not_found" in codes(by_other_hash)


@pytest.mark.parametrize("kind", ["P-384", "Ed25519"])
def test_a_digest_is_by_the_hash_of_the_signature(city: City, kind: Any) -> None:
    signer = city.pki.issuing.issue("钱进", "seal", signer=FileSigner.generate(kind))
    name = cms.cms_digest(signer.algorithm)
    digest = hashlib.new(name, CONTENT).hexdigest()
    reply = city.ask({**encoded(signature=signature_of(city, signer=signer)), "content_digest": digest})
    assert reply.json["indication"] == "passed"


def test_content_that_is_carried_inside(city: City) -> None:
    signature = signature_of(city, inside=True)
    assert city.ask(encoded(signature=signature)).json["indication"] == "passed"
    assert codes(city.ask(encoded(signature=signature, document=b"another"))) == {"hash_failure"}


def test_what_is_wrong_is_told(city: City) -> None:
    signature = signature_of(city)
    assert codes(city.ask(encoded(document=CONTENT + b".", signature=signature))) == {"hash_failure"}
    assert "signed_data_not_found" in codes(city.ask(encoded(signature=signature)))
    assert codes(city.ask(encoded(document=CONTENT, signature=b"0\x82"))) == {"format_failure"}
    assert codes(city.ask(encoded(document=CONTENT, signature=b""))) == {"format_failure"}
    stranger = signature_of(city, signer=Pki().signer("seal", "津城市市场监督管理局"))
    assert codes(city.ask(encoded(document=CONTENT, signature=stranger))) == {"no_certificate_chain_found"}


def test_anybody_hears_the_verdict_only(city: City) -> None:
    reply = city.ask(encoded(document=CONTENT, signature=signature_of(city)), as_=None)
    assert reply.json["indication"] == "passed"
    assert set(reply.json) <= {"indication", "text", "status", "slip"}
    assert "市场监督管理局" not in reply.body.decode()


def test_what_cannot_be_meant_is_refused(city: City) -> None:
    signature, digest = signature_of(city), hashlib.sha256(CONTENT).hexdigest()
    for wrong in (
        {**encoded(signature=signature, document=CONTENT), "content_digest": digest},
        {**encoded(signature=signature), "licence": "JY21201990000001"},
        {**encoded(signature=signature), "presentation": "eyJ~", "nonce": "n"},
        {"content_digest": digest},
        {**encoded(signature=signature), "content_digest": digest[:-1]},
        {**encoded(signature=signature), "content_digest": digest.upper()},
        {"signature": "no base64!", "document": ""},
        {"signature": 7},
    ):
        reply = city.ask(wrong)
        assert reply.status in {400, 422}, (wrong.keys(), reply.status, reply.body)
    assert city.ask(encoded(document=CONTENT, signature=bytes((1 << 20) + 1))).status == 413


def test_two_files_as_a_form_sends_them(city: City) -> None:
    parts = {"purpose": PURPOSE.encode(), "matter": MATTER.encode()}
    parts |= {"document": CONTENT, "signature": signature_of(city)}
    body = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b'; filename="f"' if name in {"document", "signature"} else b"")
        + b"\r\n\r\n"
        + value
        + b"\r\n"
        for name, value in parts.items()
    )
    headers = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Authorization": f"Bearer {city.token(BUREAU)}",
    }
    reply = city.call("POST", "/v1/verifications", body + b"--b--\r\n", headers)
    assert (reply.status, reply.json["indication"]) == (200, "passed")


def test_the_same_question_is_answered_once(city: City) -> None:
    asked = encoded(document=CONTENT, signature=signature_of(city))
    first, second = (city.ask(asked, headers={"Idempotency-Key": "signed-1"}) for _ in range(2))
    assert first.json["id"] == second.json["id"]
    other = encoded(document=CONTENT, signature=signature_of(city))
    assert city.ask(other, headers={"Idempotency-Key": "signed-1"}).status == 409
