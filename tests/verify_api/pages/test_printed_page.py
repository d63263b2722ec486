"""The page of printed codes and the list of keys that it verifies with, over HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world.counters import words
from world.departments import AGENCY_CODE
from world.printed import CATALOGUE
from world.printed_city import PrintedCity

from credentials.printed_code import IssuerCertificate, IssuerCertificates
from credentials.printed_code.issuers import addresses_from_json
from signing.reasons import Reason
from signing.revocation import Crl, RevocationSnapshot
from verify_api.documents import Snapshots
from verify_api.pages.printed import LIST_PATH, REBUILT_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterator


STATIC = Path(__file__).parents[3] / "verify_api" / "pages" / "static"


@pytest.fixture
def city() -> Iterator[PrintedCity]:
    made = PrintedCity()
    yield made
    made.close()


def test_the_page_speaks_both_languages_and_runs_nothing_of_others(city: PrintedCity) -> None:
    chinese, english = city.browser().get("/q"), city.browser().get("/q?lang=en")
    assert "以上核验在本机完成" in words(chinese)
    assert "was verified on this device" in words(english)
    policy = chinese.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert chinese.headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert chinese.headers["cache-control"] == "no-store"
    assert "set-cookie" not in english.headers
    (script,) = re.findall(r'<script type="module" src="([^"]+)"></script>', chinese.text)
    assert city.browser().get(script).headers["content-type"].startswith("text/javascript")
    assert not re.search(r"<[^>]+ (on\w+|style)=", chinese.text), "no inline script, no inline style"


def test_the_list_can_be_kept_for_a_while_and_asked_for_again(city: PrintedCity) -> None:
    answer = city.list()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    again = city.list(**{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")
    made = json.loads(answer.text)
    assert addresses_from_json(answer.text) == {
        "https://verify.jincheng.example/q",
        "https://licences.jincheng.example/q",
    }
    (issuer,) = made["issuers"]
    assert issuer["agency"] == AGENCY_CODE
    assert issuer["reasons"] == []
    assert IssuerCertificates.from_json(answer.text).snapshot_id == city.issuers.snapshot_id
    assert set(made["types"]) == {kind.number for kind in CATALOGUE}


def test_the_list_follows_the_snapshots_and_the_certificates(city: PrintedCity) -> None:
    before = json.loads(city.list().text)
    leaf = city.issuers.entries[0].chain[0]
    city.pki.issuing.revoke(leaf, city.clock.now())
    kept, now = city.service.snapshots, city.clock.now()
    lists = RevocationSnapshot(Crl.from_der(one.crl(now)) for one in (city.pki.root, city.pki.issuing))
    city.service.use(Snapshots(kept.trust, lists, kept.policy))
    (issuer,) = json.loads(city.list().text)["issuers"]
    assert "certificate_revoked" in issuer["reasons"]
    assert before["issuers"][0]["reasons"] == []
    city.issuers = city.issuers.merged_with(
        IssuerCertificates([IssuerCertificate(AGENCY_CODE, city.pki.signer("credential").chain)])
    )
    assert len(json.loads(city.list().text)["issuers"]) == 1, "looked for once a minute"
    city.clock.advance(REBUILT_AFTER * 2)
    assert len(json.loads(city.list().text)["issuers"]) == 2


def test_the_list_has_words_for_whatever_the_page_may_say(city: PrintedCity) -> None:
    said = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', (STATIC / "printed.js").read_text("utf-8")))
    codes = {reason.code for reason in Reason}
    listed = json.loads(city.list().text)["reasons"]
    assert said & codes == {one for one in said if one in listed}
    assert {"printed_code_malformed", "status_not_asked", "certificate_expired"} <= said & codes
    for reason in listed.values():
        assert reason["text"]["zh"]
        assert reason["next_step"]["en"]


def test_the_list_is_in_the_description_of_the_service(city: PrintedCity) -> None:
    described = json.loads(city.browser().get("/openapi.json").text)["paths"]
    assert LIST_PATH in described
    assert "/q" not in described


def test_a_status_question_names_the_licence_and_nothing_else(city: PrintedCity, serial: str) -> None:
    """What the button sends and hears: the identifier, no cookie, and not a word of the licence."""
    licence, _ = city.issue(serial)
    page = (STATIC / "printed_page.js").read_text("utf-8")
    assert "body: JSON.stringify({ licence })" in page
    assert page.count("fetch(") == 2
    assert page.count('credentials: "omit"') == 2
    answer = city.browser().post("/v1/verifications", json={"licence": licence.identifier})
    said = json.loads(answer.text)
    assert said["indication"] == "passed"
    assert said["status"]["text"]["zh"]
    for secret in ("面包坊", licence.holder_code):
        assert secret not in answer.text
