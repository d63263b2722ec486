"""What a department, and anybody else, hears about licences: through HTTP, with nothing mocked."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from world.departments import BUREAU, FIRE, GRANTED, PURPOSE, City, claims_of_the_bakery
from world.pki import Pki

from credentials.licence import EndingKind, EventKind
from signing.jose import dump_json
from verify_api.register import RepositoryRegister
from yinxin.app.decisions.register_facts import ArchivedRegister
from yinxin.base.audit import AuditLog, Sequencer

if TYPE_CHECKING:
    from world.departments import Reply


def document(pdf: bytes) -> dict[str, str]:
    return {"document": b64encode(pdf).decode()}


def codes(reply: Reply) -> set[str]:
    assert reply.status == 200, reply.body
    return {reason["code"] for reason in reply.json["reasons"]}


def test_a_sealed_licence_passes_and_says_what_the_grant_covers(city: City, serial: str) -> None:
    licence, pdf = city.issue(serial)
    reply = city.ask(document(pdf))
    assert reply.json["indication"] == reply.json["then"] == "passed"
    assert reply.json["claims"] == {name: claims_of_the_bakery()[name] for name in GRANTED}
    assert reply.json["licence"]["identifier"] == licence.identifier
    assert reply.json["digest"]["value"] == hashlib.sha256(pdf).hexdigest()
    assert reply.json["status"]["now"]["state"] == "in_force"
    assert reply.json["text"] == {"zh": "核验通过", "en": "Verification passed"}
    assert set(reply.json["snapshots"]) == {"trust", "revocation", "register", "grants"}


def test_the_number_on_the_paper_and_the_identifier_say_the_same(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    by_number, by_identifier = (
        city.ask({"licence": licence.number}),
        city.ask({"licence": licence.identifier}),
    )
    assert by_number.json["indication"] == by_identifier.json["indication"] == "passed"
    assert by_number.json["claims"] == by_identifier.json["claims"]
    assert codes(city.ask({"licence": "JY00000000000000"})) == {"licence_unknown"}


def test_a_presentation_shows_what_is_disclosed_and_granted_and_wanted(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    credential, nonce = city.credential(licence), city.nonce()
    shown = city.present(credential, nonce, "operator_name", "credit_code", "responsible_person")
    reply = city.ask({"presentation": shown, "nonce": nonce})
    assert reply.json["indication"] == "passed"
    assert set(reply.json["claims"]) == {
        "operator_name",
        "credit_code",
    }  # the person was disclosed, not granted
    narrower = city.ask(
        {"presentation": shown, "nonce": nonce, "claims": ["credit_code", "business_premises"]}
    )
    assert set(narrower.json["claims"]) == {"credit_code"}


def test_anybody_hears_verdict_and_status_and_nothing_else() -> None:

    city = City(processes=1)
    try:
        licence, pdf = city.issue()
        for asked in (document(pdf), {"licence": licence.number}):
            reply = city.ask(asked, as_=None)
            assert set(reply.json) == {"indication", "text", "status"}
            assert set(reply.json["status"]) == {"state", "text"}
            assert reply.json["indication"] == "passed"
            assert "小麦" not in reply.body.decode()
        assert city.ask({"licence": "nothing"}, as_=None).json["status"]["state"] == "unknown"
        refused = city.ask({"presentation": "eyJ~", "nonce": "x"}, as_=None)
        assert refused.status == 401
        assert city.ask({"document": b64encode(b"eyJhbGciOiJ9.e30.AA~").decode()}, as_=None).status == 401
    finally:
        city.close()


def test_an_altered_pdf_is_refused_for_its_own_reason(city: City, serial: str) -> None:
    _, pdf = city.issue(serial)
    place = pdf.index(b"/MediaBox") + 12
    altered = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
    reply = city.ask(document(altered))
    assert "hash_failure" in codes(reply)
    assert reply.json["indication"] == "failed"
    assert reply.json["claims"] == {}
    assert reply.json["licence"] is None


def test_an_unknown_issuer_is_indeterminate(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    stranger = Pki().signer("seal", "别处的机关")
    reply = city.ask(document(city.pdf(licence, signer=stranger)))
    assert codes(reply) == {"no_certificate_chain_found"}
    assert reply.json["indication"] == "indeterminate"
    assert reply.json["claims"] == {}


def test_the_seal_of_another_body_does_not_make_a_licence(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    company = city.pki.signer("seal", "某有限公司")
    reply = city.ask(document(city.pdf(licence, signer=company)))
    assert codes(reply) == {"issuer_mismatch"}
    assert reply.json["indication"] == "failed"


def test_a_pdf_that_says_other_things_than_the_register(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    said = {**claims_of_the_bakery(), "operator_name": "另一家面包坊"}
    reply = city.ask(document(city.pdf(licence, claims=said)))
    assert "licence_differs" in codes(reply)
    assert reply.json["claims"] == {}
    check = next(one for one in reply.json["checks"] if one["name"] == "register content")
    assert check["detail"] == "operator_name"


@pytest.mark.parametrize(
    "said",
    [{"claims": 7}, {"certificate_identifier": None}, {"claims": {}}, {"certificate_identifier": "no such"}],
)
def test_a_strange_licence_file_is_no_licence(city: City, serial: str, said: dict[str, Any]) -> None:
    licence, _ = city.issue(serial)
    reply = city.ask(document(city.pdf(licence, **said)))
    assert reply.json["indication"] != "passed"
    assert reply.json["claims"] == {}


def test_a_sealed_document_that_is_no_licence_is_just_genuine(city: City) -> None:
    reply = city.ask(document(city.pdf(None)))
    assert reply.json["indication"] == "passed"
    assert reply.json["licence"] is None
    assert reply.json["status"] == {"now": None, "as_of": None}


def test_an_expired_licence(city: City, serial: str) -> None:
    licence, pdf = city.issue(serial, valid_until=date(2026, 11, 1))
    assert codes(city.ask(document(pdf))) == {"licence_expired"}
    before = city.ask(document(pdf), as_of="2026-10-31T12:00:00+08:00")
    assert (before.json["indication"], before.json["then"]) == ("failed", "passed")
    assert before.json["status"]["as_of"]["state"] == "in_force"
    assert codes(city.ask({"licence": licence.number})) == {"licence_expired"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (EventKind.SUSPENDED, "licence_suspended"),
        (EndingKind.REVOKED, "licence_revoked"),
        (EndingKind.WITHDRAWN, "licence_withdrawn"),
        (EndingKind.DEREGISTERED, "licence_deregistered"),
    ],
)
def test_what_happened_since_is_said_rightly_for_every_moment(
    city: City, serial: str, kind: Any, reason: str
) -> None:
    licence, pdf = city.issue(serial)
    now = city.clock.now()
    effective, recorded = now - timedelta(days=10), now - timedelta(days=5)
    city.happen(licence, kind, effective_from=effective, recorded_at=recorded)
    for asked in (document(pdf), {"licence": licence.identifier}):
        today = city.ask(asked)
        assert codes(today) == {reason}
        assert today.json["indication"] == "failed"
        earlier = city.ask(asked, as_of=(effective - timedelta(days=1)).isoformat())
        assert earlier.json["then"] == "passed"
        assert earlier.json["indication"] == "failed"
        # It had happened, and nobody had recorded it yet.
        known = {
            "as_of": (effective + timedelta(days=1)).isoformat(),
            "known_at": (recorded - timedelta(days=1)).isoformat(),
        }
        assert city.ask(asked, **known).json["then"] == "passed"
        assert city.ask(asked, as_of=known["as_of"]).json["then"] == "failed"
        assert set(today.json["claims"]) == GRANTED  # it is genuine; what it says is told


def test_an_annulled_licence_was_never_valid(city: City, serial: str) -> None:
    licence, pdf = city.issue(serial)
    city.happen(licence, EndingKind.ANNULLED)
    reply = city.ask(document(pdf), as_of=(city.clock.now() - timedelta(days=50)).isoformat())
    assert (reply.json["indication"], reply.json["then"]) == ("failed", "failed")
    assert codes(reply) == {"licence_annulled"}


def test_whoever_holds_what_was_corrected_hears_that_the_correction_is_void(city: City, serial: str) -> None:
    old, pdf = city.issue(serial)
    now = city.clock.now()
    new = city.licence(serial, version=2, replaces=old.identifier, recorded_at=now, issued_at=now)
    city.happen(old, EndingKind.SUPERSEDED, replaced_by=new.identifier)
    city.clock.advance(timedelta(hours=1))
    city.happen(new, EndingKind.ANNULLED)
    reply = city.ask(document(pdf))
    assert codes(reply) == {"licence_superseded"}
    text = reply.json["status"]["now"]["text"]
    assert "version 002 is annulled, as if it had never been valid: ask the agency" in text["en"]
    assert "第 002 版已撤销，自始无效，以哪一版为准请询问发证机关" in text["zh"]
    before = city.ask(document(pdf), known_at=(now + timedelta(minutes=1)).isoformat())
    assert "annulled" not in before.json["status"]["as_of"]["text"]["en"]
    entry = RepositoryRegister(city.database).find(old.identifier)
    assert entry
    assert [one.licence.identifier for one in entry.later] == [new.identifier]
    archived = ArchivedRegister(old.identifier, entry)
    assert ArchivedRegister.from_json(archived.to_json()) == archived


def test_a_replaced_licence_is_genuine_and_superseded_never_revoked(city: City, serial: str) -> None:
    old, pdf = city.issue(serial)
    now = city.clock.now()
    new = city.licence(serial, version=2, replaces=old.identifier, recorded_at=now, issued_at=now)
    city.happen(old, EndingKind.SUPERSEDED, replaced_by=new.identifier)
    reply = city.ask(document(pdf))
    assert codes(reply) == {"licence_superseded"}
    assert reply.json["status"]["now"]["superseded_by"] == new.identifier
    assert "002" in reply.json["status"]["now"]["text"]["en"]
    by_number = city.ask({"licence": old.number})
    assert by_number.json["indication"] == "passed"
    assert by_number.json["licence"]["version"] == "002"
    before = city.ask(
        {"licence": old.number},
        as_of=(now - timedelta(days=1)).isoformat(),
        known_at=(now - timedelta(days=1)).isoformat(),
    )
    assert before.json["licence"]["version"] == "001"
    assert before.json["then"] == "passed"


def test_a_commitment_that_is_overdue_shows(city: City, serial: str) -> None:
    _, pdf = city.issue(serial, commitment_due=date(2026, 10, 1))
    reply = city.ask(document(pdf))
    assert codes(reply) == {"commitment_overdue"}
    assert reply.json["licence"]["commitment_due"] == "2026-10-01"
    assert reply.json["status"]["now"]["commitment"]["overdue"] is True


def test_a_credential_whose_status_is_revoked(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    credential = city.credential(licence)
    with city.database.transaction() as session:
        city.statuses.set(session, *city.last_status, 1)
    city.service.use(city.snapshots())
    nonce = city.nonce()
    reply = city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})
    assert codes(reply) == {"credential_revoked"}
    assert reply.json["status"]["now"]["state"] == "in_force"  # this copy is void, the licence is not


@pytest.mark.parametrize("kind", [EndingKind.SUPERSEDED, EndingKind.DEREGISTERED, EndingKind.REVOKED])
def test_a_copy_of_an_ended_licence_is_called_what_it_is(city: City, serial: str, kind: EndingKind) -> None:
    """The list says "invalid" of all of them; only the revoked one is revoked."""
    licence, _ = city.issue(serial)
    credential, now = city.credential(licence), city.clock.now()
    more = {}
    if kind is EndingKind.SUPERSEDED:
        new = city.licence(serial, version=2, replaces=licence.identifier, recorded_at=now, issued_at=now)
        more = {"replaced_by": new.identifier}
    city.happen(licence, kind, **more)
    with city.database.transaction() as session:
        city.statuses.set(session, *city.last_status, 1)
    city.service.use(city.snapshots())
    nonce = city.nonce()
    reply = city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})
    also = {"credential_revoked"} if kind is EndingKind.REVOKED else set()
    assert codes(reply) == {f"licence_{kind}", *also}
    assert reply.json["indication"] == "failed"


def test_a_credential_that_says_other_things_than_the_register(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    credential, nonce = city.credential(licence, operator_name="另一家面包坊"), city.nonce()
    reply = city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})
    assert codes(reply) == {"licence_differs"}
    assert reply.json["claims"] == {}


def test_beyond_the_grant_is_refused_and_the_refusal_is_in_the_audit_log(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    beyond: tuple[dict[str, Any], ...] = (
        {"claims": ["responsible_person"]},
        {"purpose": "curiosity"},
        {"matter": "another"},
    )
    for asked in beyond:
        reply = city.ask({"licence": licence.number, **asked})
        assert reply.status == 403, reply.body
        assert reply.json["code"] == "not_permitted"
    nothing_stated = city.ask(dump_json({"licence": licence.number}))
    assert nothing_stated.status == 403
    assert "verification.refuse" in {entry["action"] for entry in _audit(city)}


def test_a_licence_type_outside_the_grant_gives_a_verdict_and_no_content(city: City, serial: str) -> None:
    licence, _ = city.issue(serial, type_code="physician-certificate")
    reply = city.ask({"licence": licence.identifier})
    assert reply.json["indication"] == "passed"
    assert reply.json["claims"] == {}
    assert reply.json["licence"] is None


def test_a_department_sees_its_own_verifications_only(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    made = city.ask({"licence": licence.number}).json
    path = f"/v1/verifications/{made['id']}"
    own = city.call("GET", path, headers={"Authorization": f"Bearer {city.token(BUREAU)}"})
    assert own.status == 200
    assert own.json["indication"] == "passed"
    assert own.json["audit"] == made["audit"]
    assert "claims" not in own.json
    other = city.call("GET", path, headers={"Authorization": f"Bearer {city.token(FIRE)}"})
    absent = city.call(
        "GET", f"/v1/verifications/{'A' * 22}", headers={"Authorization": f"Bearer {city.token(FIRE)}"}
    )
    assert other.status == absent.status == 404
    same = {"type", "status", "code", "title", "detail", "next"}
    assert {name: other.json[name] for name in same} == {name: absent.json[name] for name in same}
    assert city.call("GET", path).status == 401


def test_the_same_question_under_the_same_key_is_recorded_once(city: City, serial: str) -> None:
    licence, pdf = city.issue(serial)
    key = {"Idempotency-Key": f"key-{serial}"}
    first = city.ask(document(pdf), headers=key)
    city.clock.advance(timedelta(seconds=30))
    again = city.ask(document(pdf), headers=key)
    assert again.status == 200
    assert again.json["id"] == first.json["id"]
    assert again.json["claims"] == first.json["claims"]
    assert again.json["at"] == first.json["at"]
    assert city.ask({"licence": licence.number}, headers=key).status == 409
    # The licence ended meanwhile: the recorded verdict stays, and nothing new is said under the old receipt.
    city.happen(licence, EndingKind.ANNULLED, recorded_at=city.clock.now() - timedelta(days=2))
    later = city.ask(document(pdf), headers=key)
    assert later.json["indication"] == "passed"
    assert later.json["claims"] == {}
    assert (
        city.ask(document(pdf), headers={"Idempotency-Key": f"new-{serial}"}).json["indication"] == "failed"
    )


def test_many_at_the_same_time_under_one_key_get_one_answer(city: City, serial: str) -> None:
    licence, _ = city.issue(serial)
    token, key = city.token(), {"Idempotency-Key": f"race-{serial}"}
    with ThreadPoolExecutor(12) as pool:
        ask = partial(city.ask, {"licence": licence.number}, token=token, headers=key)
        replies = list(pool.map(lambda _: ask(), range(24)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["id"] for reply in replies}) == 1


def test_the_audit_log_names_digests_and_codes_and_no_person(city: City, serial: str) -> None:
    _, pdf = city.issue(serial)
    made = city.ask(document(pdf)).json
    entry = next(one for one in _audit(city) if one["id"] == made["audit"])
    assert entry["subject"] == made["id"]
    assert entry["actor"] == {"kind": "department", "id": BUREAU, "agency": entry["actor"]["agency"]}
    assert entry["details"]["digest"]["value"] == hashlib.sha256(pdf).hexdigest()
    assert entry["details"]["purpose"] == PURPOSE
    text = str(_audit(city))
    for value in ("小麦", "和平路", "91120101MA5K3WXY0T"):
        assert value not in text


def _audit(city: City) -> list[dict[str, Any]]:

    if not hasattr(city, "log_key"):
        city.log_key = Ed25519PrivateKey.generate()  # type: ignore[attr-defined]
    key = city.log_key  # type: ignore[attr-defined]
    public = key.public_key().public_bytes_raw()
    sequencer = Sequencer(
        city.database, origin="log.example/1", sign=key.sign, public_key=public, clock=city.clock
    )
    while sequencer.run_once():
        pass
    log, found, after = AuditLog(city.database), [], -1
    while batch := log.entries(after=after, limit=1000):
        found += [entry.content() for entry in batch]
        after = batch[-1].log_index
    return [content for content in found if content]
