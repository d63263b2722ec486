"""The desk over HTTP: an agency's system drafts, people agree by key, and nobody gets around them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.bundles import as_workbook, bomb, rows_of
from world.databases import with_tables
from world.desk_http import HttpDesk
from world.desks import FOOD

from credentials import samples
from credentials.documents import DocumentStore
from credentials.office import KeyProofs
from signing.signers.file import FileSigner
from yinxin.base.actor import staff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.asgi import Answer
    from world.desk_http import Caller
    from world.pki import Pki

    from yinxin.base.database import Database

EIGHT = replace(samples.AGENCY, credit_code="111201020000518889")


def body(number: str = "办-1", index: int = 1, **changes: Any) -> dict[str, Any]:
    return {"case": number, "type": FOOD, "claims": samples.application(FOOD, index), **changes}


class Bureau(HttpDesk):
    """With its system and its people at work."""

    def __init__(self, pki: Pki, database: Database, **more: Any) -> None:
        super().__init__(pki, database, **more)
        self.permits = self.system()
        self.reviewer, self.approver = (
            self.employ("reviewer-wu", "reviewer"),
            self.employ("zheng", "approver"),
        )

    def opened(self, number: str = "办-1", **changes: Any) -> dict[str, Any]:
        answer = self.permits.call("POST", "/v1/licences", body(number, **changes))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def to_review(self, number: str = "办-1") -> dict[str, Any]:
        return self.step(self.opened(number), "submit")

    def to_approval(self, number: str = "办-1") -> dict[str, Any]:
        return self.good(self.reviewer.agree(self.to_review(number), "review"))

    def approved(self, number: str = "办-1") -> dict[str, Any]:
        return self.good(self.approver.agree(self.to_approval(number), "approve"))

    def step(self, case: dict[str, Any], step: str, **sent: Any) -> dict[str, Any]:
        return self.good(self.permits.call("POST", f"/v1/cases/{case['id']}/{step}", sent))

    @staticmethod
    def good(answer: Answer) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def bureau(pki: Pki, database: Database, tmp_path: Path) -> Bureau:
    return Bureau(pki, database, documents=DocumentStore(tmp_path / "documents", b"d" * 32))


@pytest.fixture(scope="module")
def still(pki: Pki) -> Iterator[Bureau]:
    """A bureau for requests that change nothing."""
    database = with_tables()
    yield Bureau(pki, database)
    database.close()


@pytest.fixture
def light(pki: Pki) -> Iterator[Bureau]:
    """A bureau of one's own, for what no database judges."""
    database = with_tables()
    yield Bureau(pki, database)
    database.close()


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return dict(answer.json())


def test_a_system_drafts_and_two_people_agree(bureau: Bureau) -> None:
    case = bureau.approved()
    assert [one["by"] for one in case["consents"]] == ["reviewer-wu", "zheng"]
    assert case["editors"] == ["system/permits"]
    done = bureau.step(case, "seal")
    assert done["state"] == "sealed"
    assert bureau.standing(done["licence"]["identifier"]).state == "in_force"
    pdf = bureau.permits.call("GET", f"/v1/cases/{case['id']}/document")
    assert pdf.content.startswith(b"%PDF-")
    found = bureau.permits.call("GET", "/v1/cases?number=%E5%8A%9E-1").json()
    assert (found["state"], found["licence"]) == ("sealed", done["licence"]["identifier"])
    assert bureau.permits.call("GET", "/v1/cases").json() == {"cases": []}


def test_one_number_is_one_case(light: Bureau) -> None:
    first = light.permits.call("POST", "/v1/licences", body())
    again = light.permits.call("POST", "/v1/licences", body())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == again.headers["location"] == f"/v1/cases/{first.json()['id']}"
    assert first.headers["etag"] == f'"{first.json()["digest"]}"'
    refused(light.permits.call("POST", "/v1/licences", body(index=2)), 409, "conflict")


def test_many_who_open_the_same_case_at_once_have_one(bureau: Bureau) -> None:
    answers: list[Answer] = []

    def ask() -> None:
        answers.append(bureau.permits.call("POST", "/v1/licences", body()))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    codes = sorted(one.status_code for one in answers)
    assert codes.count(201) == 1
    assert set(codes) <= {200, 201, 409}
    assert len({one.json()["id"] for one in answers if one.status_code < 300}) == 1


def test_an_edit_is_of_the_case_as_it_was_seen(light: Bureau) -> None:
    case = light.opened()
    path, changed = f"/v1/cases/{case['id']}", {"type": FOOD, "claims": samples.application(FOOD, 2)}
    seen = f'"{case["digest"]}"'
    edited = light.permits.call("PUT", path, changed, If_Match=seen)
    assert (edited.status_code, edited.json()["revision"]) == (200, 2)
    refused(light.permits.call("PUT", path, changed, If_Match=seen), 409, "conflict")
    refused(light.permits.call("PUT", path, changed, If_Match='W/"x"'), 400, "malformed_input")


def test_a_case_is_returned_mended_and_withdrawn(light: Bureau) -> None:
    case = light.to_review()
    path = f"/v1/cases/{case['id']}"
    returned = light.good(light.reviewer.call("POST", f"{path}/return", {"note": "地址不全"}))
    assert (returned["state"], returned["note"]) == ("draft", "地址不全")
    assert light.step(case, "withdraw", note="申请人撤回")["state"] == "withdrawn"
    refused(light.permits.call("POST", f"{path}/submit", {}), 409, "conflict")
    states = light.permits.call("GET", "/v1/cases?state=withdrawn").json()["cases"]
    assert [one["case"] for one in states] == ["办-1"]
    assert "work" not in states[0]


def test_a_list_goes_on_where_a_page_ended(bureau: Bureau) -> None:
    for place in range(5):
        bureau.clock.advance(timedelta(seconds=1))
        bureau.opened(f"办-{place}", index=place + 1)
    seen, after = [], ""
    while True:
        page = bureau.permits.call("GET", f"/v1/cases?limit=2{after}").json()
        seen += [one["case"] for one in page["cases"]]
        if "after" not in page:
            break
        after = f"&after={page['after']}"
    assert seen == [f"办-{place}" for place in range(5)]


def test_a_bundle_over_http(bureau: Bureau) -> None:
    rows = rows_of(4)
    rows[2]["credit_code"] = "1"
    path, file = f"/v1/bundles?number=%E6%89%B9-1&type={FOOD}", as_workbook(rows)
    made = bureau.permits.request("POST", path, headers=bureau.permits.named, content=file)
    assert made.status_code == 201, made.text
    assert [(one["row"], one["column"]) for one in made.json()["faults"]] == [(4, "credit_code")]
    again = bureau.permits.request("POST", path, headers=bureau.permits.named, content=file)
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    where = made.headers["location"]
    bundle = bureau.good(bureau.permits.call("POST", f"{where}/submit", {}))
    for caller, step in ((bureau.reviewer, "review"), (bureau.approver, "approve")):
        proof = caller.proof(bundle["digest"])
        bundle = bureau.good(caller.call("POST", f"{where}/{step}", {"proof": proof}))
    page = bureau.permits.call("GET", f"{where}/cases?limit=2").json()
    assert ([one["row"] for one in page["cases"]], page["after"]) == ([2, 3], 3)
    first = bureau.good(bureau.permits.call("POST", f"{where}/seal?at_most=2", {}))
    last = bureau.good(bureau.permits.call("POST", f"{where}/seal", {}))
    assert (first["left"], last["left"], last["state"]) == (1, 0, "sealed")
    listed = bureau.permits.call("GET", "/v1/bundles").json()["bundles"]
    assert [(one["bundle"], one["cases"]) for one in listed] == [("批-1", {"sealed": 3})]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"PK\x03\x04 broken", 400),
        (b"x" * (9 << 20), 413),
        (bomb(), 413),
        (b"\xff\xff\xff\xff", 400),
    ],
)
def test_files_that_are_none(still: Bureau, content: bytes, status: int) -> None:
    path = f"/v1/bundles?number=b-1&type={FOOD}"
    answer = still.permits.request("POST", path, headers=still.permits.named, content=content)
    assert answer.status_code == status, answer.text


class TestAttacks:
    def test_what_is_another_agencys_is_not_there(self, pki: Pki, bureau: Bureau, database: Database) -> None:
        other = HttpDesk(pki, database, agency=EIGHT)
        stranger, case = other.system("foreign"), bureau.to_review()
        path = f"/v1/cases/{case['id']}"
        refused(stranger.call("GET", path), 404, "not_found")
        refused(stranger.call("GET", "/v1/cases?number=%E5%8A%9E-1"), 404, "not_found")
        refused(stranger.call("POST", f"{path}/withdraw", {"note": "x"}), 404, "not_found")
        assert stranger.call("GET", "/v1/cases").json() == {"cases": []}
        # Its token opens nothing at the other's office, and its people agree to nothing there.
        there = CallerOf(bureau, stranger)
        refused(there.call("GET", path), 401, "unauthenticated")
        judge = other.employ("judge-8", "reviewer")
        refused(CallerOf(bureau, judge).agree(case, "review"), 401, "unauthenticated")
        licence = bureau.issue().licence.identifier
        why = {"ground": "x", "document_number": "y", "kind": "replace", "licence": licence}
        refused(stranger.call("POST", "/v1/licences", body("办-9", **why)), 404, "not_found")

    def test_without_a_token_or_with_another_nobody_comes_in(self, light: Bureau) -> None:
        case = light.opened()
        for token in ("", "x.y.z", light.permits.token[:-4] + "AAAA"):
            caller = CallerOf(light, light.permits)
            caller.token = token
            refused(caller.call("GET", f"/v1/cases/{case['id']}"), 401, "unauthenticated")
        light.clock.advance(timedelta(minutes=6))
        refused(light.permits.call("GET", f"/v1/cases/{case['id']}"), 401, "unauthenticated")

    def test_a_closed_account_is_out_at_once(self, light: Bureau) -> None:
        case = light.to_review()
        light.directory.deactivate("reviewer-wu", actor=light.ren)
        refused(light.reviewer.agree(case, "review"), 401, "unauthenticated")

    def test_a_system_agrees_to_nothing(self, light: Bureau) -> None:
        case = light.to_review()
        refused(light.permits.agree(case, "review"), 403, "not_permitted")

    def test_nobody_approves_their_own_however_they_are_spelt(self, light: Bureau) -> None:
        both = light.employ("Chen Mei", "clerk", "reviewer", "approver")
        case = both.call("POST", "/v1/licences", body("办-2")).json()
        both.call("POST", f"/v1/cases/{case['id']}/submit", {})
        refused(both.agree(case, "review"), 403, "not_permitted")
        spelt = KeyProofs.make(
            bytes.fromhex(case["digest"]),
            staff(" ＣＨＥＮ  mei ", agency=light.agency.credit_code, roles=("reviewer",)),
            both.key,
        )
        answer = both.call("POST", f"/v1/cases/{case['id']}/review", {"proof": spelt})
        refused(answer, 403, "not_permitted")

    @pytest.mark.parametrize("what", ["another digest", "another person", "another key", "none", "lists"])
    def test_a_proof_of_something_else_is_none(self, light: Bureau, what: str) -> None:
        case, other = light.to_review(), light.opened("办-2", index=2)
        digest = bytes.fromhex(case["digest"])
        proofs: dict[str, Any] = {
            "another digest": light.reviewer.proof(other["digest"]),
            "another person": light.approver.proof(case["digest"]),
            "another key": KeyProofs.make(digest, light.reviewer.actor, FileSigner.generate()),
            "none": {"kind": "key", "signature": ["x"]},
            "lists": {"kind": ["key"], "signature": {"a": 1}},
        }
        path = f"/v1/cases/{case['id']}/review"
        refused(light.reviewer.call("POST", path, {"proof": proofs[what]}), 403, "not_permitted")

    def test_a_proof_serves_one_step_and_one_revision(self, light: Bureau) -> None:
        case = light.to_approval()
        old = light.approver.proof(case["digest"])
        changed = {"type": FOOD, "claims": samples.application(FOOD, 2)}
        light.good(light.permits.call("PUT", f"/v1/cases/{case['id']}", changed))
        light.step(case, "submit")
        fresh = light.permits.call("GET", f"/v1/cases/{case['id']}").json()
        light.good(light.reviewer.agree(fresh, "review"))
        path = f"/v1/cases/{case['id']}/approve"
        refused(light.approver.call("POST", path, {"proof": old}), 403, "not_permitted")
        refused(light.permits.call("POST", f"/v1/cases/{case['id']}/seal", {}), 409, "conflict")

    @pytest.mark.parametrize(
        ("content", "status"),
        [
            (b"", 400),
            (b"[]", 400),
            (b'{"case": "x", "case": "y", "type": "z"}', 400),
            (b"{" + b'"a":' * 3000 + b"1" + b"}" * 3000, 400),
            (b'{"case": NaN, "type": "x"}', 400),
            (b'{"case": "\\ud800", "type": "food-business-licence"}', 400),
            (b"x" * (300 * 1024), 413),
        ],
    )
    def test_bodies_are_strict_and_bounded(self, still: Bureau, content: bytes, status: int) -> None:
        assert still.permits.call("POST", "/v1/licences", content).status_code == status

    @pytest.mark.parametrize(
        "changes",
        [
            {"surprise": 1},
            {"kind": "destroy"},
            {"kind": ["issue"]},
            {"claims": []},
            {"claims": {"operator_name": {"deep": ["x"]}}},
            {"claims": {"nothing": "x"}},
            {"type": 7},
            {"more_licences": "x"},
            {"case": None},
        ],
    )
    def test_what_is_wrong_is_named(self, still: Bureau, changes: dict[str, Any]) -> None:
        said = refused(
            still.permits.call("POST", "/v1/licences", {**body(), **changes}), 422, "invalid_claims"
        )
        assert said["errors"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"case": ""},
            {"case": "x" * 65},
            {"case": "a\u202eb"},
            {"holder_key": {"kty": "EC"}},
            {"kind": "replace"},
            {"licence": "1.2.3"},
            {"details": {"x": 1}},
            {"more_licences": [7]},
        ],
    )
    def test_what_no_case_can_say_is_a_bad_request(self, still: Bureau, changes: dict[str, Any]) -> None:
        answer = still.permits.call("POST", "/v1/licences", {**body(), **changes})
        assert answer.status_code == 400, answer.text

    def test_strange_paths_and_steps(self, light: Bureau) -> None:
        case = light.opened()
        for method, path, status in (
            ("GET", "/v1/cases/" + "x" * 300, 404),
            ("POST", f"/v1/cases/{case['id']}/destroy", 404),
            ("GET", f"/v1/cases/{case['id']}/document", 404),
            ("GET", "/v1/cases?state=lost", 422),
            ("GET", "/v1/cases?limit=100000", 422),
            ("GET", "/v1/cases?after=nobody", 404),
            ("DELETE", f"/v1/cases/{case['id']}", 405),
        ):
            sent = {} if method == "POST" else None
            assert light.permits.call(method, path, sent).status_code == status, path


class CallerOf:
    """Somebody of one office who calls at another's."""

    def __init__(self, world: HttpDesk, caller: Caller) -> None:
        self._world, self._caller, self.token = world, caller, caller.token

    def call(self, method: str, path: str, sent: Any = None) -> Answer:
        mine, theirs = self._caller.token, self._caller.app
        self._caller.token, self._caller.app = self.token, self._world.app
        try:
            return self._caller.call(method, path, sent)
        finally:
            self._caller.token, self._caller.app = mine, theirs

    def agree(self, case: dict[str, Any], step: str) -> Answer:
        proof = self._caller.proof(case["digest"])
        return self.call("POST", f"/v1/cases/{case['id']}/{step}", {"proof": proof})
