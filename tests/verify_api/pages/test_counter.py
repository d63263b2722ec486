"""Clerks at the counter: what they may do follows from their account, their department and its grants."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from world.counters import OTHER_CODE, choose, hand_in, words
from world.departments import AGENCY_CODE, BUREAU, MATTER, REVIEWER, TYPE
from world.desk import png

from credentials.licence import EndingKind
from credentials.oid4vp.responses import decline
from credentials.oid4vp.vocabulary import ErrorCode
from signing import detached
from signing.signers.file import FileSigner
from verify_api.departments import Grant
from verify_api.presentations.browsers import COOKIE
from verify_api.receipts import verify_receipt
from wallet.exchange import Reply as Sent
from yinxin.base.audit.records import INBOX
from yinxin.base.text import Text

if TYPE_CHECKING:
    from world.asgi import Answer
    from world.counters import CounterCity
    from world.passkeys import Browser

DESK = f"{BUREAU} {MATTER}"


def record_of(answer: Answer) -> str:
    found = re.search(r'/counter/records/([A-Za-z0-9_-]{22})/receipt"', answer.text)
    assert found, answer.text
    return found[1]


def verify(clerk: Browser, desk: str = DESK, **values: Any) -> Answer:
    return hand_in(clerk, "/counter", **{"desk": desk, **values})


def test_a_clerk_sees_what_the_grant_covers(pages: CounterCity, serial: str) -> None:
    licence, pdf = pages.issue(serial)
    clerk = pages.clerk("clerk-lin")
    for handed_in in ({"document": pdf}, {"licence": licence.number}):
        answer = verify(clerk, **handed_in)
        said = words(answer)
        assert answer.status_code == 200
        assert said.startswith("核验通过 证照状态 有效")
        for shown in ("津城小麦面包坊", "津城市和平路 18 号一层", licence.identifier, "津城市市场监督管理局"):
            assert shown in said
        assert "王小麦" not in answer.text  # in the licence, not in the grant
        assert "经办人 clerk-lin" in said
        assert f"事项编码 {MATTER}" in said


def test_receipt_and_log_name_department_and_clerk(pages: CounterCity, serial: str) -> None:
    licence = pages.licence(serial)
    clerk = pages.clerk("clerk-mei")
    name = record_of(verify(clerk, licence=licence.identifier))
    answer = clerk.get(f"/counter/records/{name}/receipt")
    assert answer.headers["content-disposition"] == f'attachment; filename="receipt-{name}.jwt"'
    kept = pages.snapshots()
    receipt = verify_receipt(
        answer.text, pages.trust, now=pages.clock.now(), revocation=kept.revocation, department=BUREAU
    ).require()
    assert (receipt.id, receipt.clerk, receipt.department) == (name, "clerk-mei", BUREAU)
    with pages.database.reading() as session:
        row = session.execute(INBOX.select().where(INBOX.c.subject == name)).first()
    assert row
    entry = json.loads(row.body)
    assert entry["actor"]["id"] == "clerk-mei"
    assert entry["actor"]["agency"] == AGENCY_CODE
    assert entry["details"]["aud"] == BUREAU


def test_the_record_can_be_seen_again_without_what_the_licence_said(pages: CounterCity, serial: str) -> None:
    licence, pdf = pages.issue(serial)
    pages.happen(licence, EndingKind.REVOKED)
    clerk = pages.clerk()
    pages.clock.advance(timedelta(seconds=1))  # the desk shows the newest few, and the city has seen many
    name = record_of(verify(clerk, document=pdf))
    answer = clerk.get(f"/counter/records/{name}")
    said = words(answer)
    assert said.startswith("核验未通过 证照状态 已吊销 原因与下一步 证照已被吊销")
    assert "面包坊" not in answer.text
    assert name in words(clerk.get("/counter"))
    assert name in words(clerk.get("/counter/records"))
    colleague = pages.clerk()
    assert name in words(colleague.get("/counter/records"))


def test_the_same_form_twice_is_one_verification(pages: CounterCity, serial: str) -> None:
    """Who reloads the page that followed a form sends it again."""
    licence, other = pages.licence(serial), pages.licence("7" + serial[1:])
    clerk = pages.clerk()
    found = re.search(r'name="key" value="([^"]+)"', clerk.get("/counter").text)
    assert found
    first, again = (record_of(verify(clerk, licence=licence.identifier, key=found[1])) for _ in range(2))
    changed = record_of(verify(clerk, licence=other.identifier, key=found[1]))
    unnamed = [record_of(verify(clerk, licence=licence.identifier)) for _ in range(2)]
    assert first == again
    assert len({first, changed, *unnamed}) == 4


def test_staff_of_another_organisation_has_other_desks(pages: CounterCity, serial: str) -> None:
    licence = pages.licence(serial)
    name = record_of(verify(pages.clerk(), licence=licence.identifier))
    stranger = pages.clerk(organisation=OTHER_CODE)
    assert "尚未登记为用证部门" in words(stranger.get("/counter"))
    assert verify(stranger, licence=licence.identifier).status_code == 403
    for path in (f"/counter/records/{name}", f"/counter/records/{name}/receipt"):
        assert stranger.get(path).status_code == 404
    assert stranger.get("/counter/ask?" + urlencode({"desk": DESK})).status_code == 403


def test_only_clerks_come_in(pages: CounterCity) -> None:
    nobody = pages.browser()
    for path in ("/counter", "/counter/records", "/counter/ask", "/counter/records/" + "A" * 22):
        answer = nobody.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    inspector = pages.clerk(roles=("inspector",))
    for path in ("/counter", "/counter/records", "/counter/ask"):
        assert inspector.get(path).status_code == 403
    assert verify(inspector, licence="JY21201990000001").status_code == 403
    assert hand_in(nobody, "/counter", desk=DESK, licence="JY1").status_code == 303


def test_a_suspended_department_has_no_desks(pages: CounterCity) -> None:
    name = "urn:jincheng:suspended"
    pages.register(name, FileSigner.generate(), credit_code="11120101MB0000001N")
    clerk = pages.clerk(organisation="11120101MB0000001N")
    pages.clock.advance(pages.service.directory._max_age)
    assert f'value="{name} {MATTER}"' in clerk.get("/counter").text
    pages.registry.suspend(name, actor=REVIEWER)
    pages.clock.advance(pages.service.directory._max_age)
    assert "尚未登记为用证部门" in words(clerk.get("/counter"))


def test_a_form_that_cannot_be_meant_is_shown_again(pages: CounterCity, serial: str) -> None:
    clerk = pages.clerk()
    licence = pages.licence(serial)
    shown = pages.present(pages.credential(licence), "n" * 43).encode()
    for values, status, said in (
        ({}, 400, "二者取一"),
        ({"licence": "a\tb"}, 400, "不允许的字符"),
        ({"document": shown}, 400, "发起出示请求"),
        ({"document": b"%PDF-" + bytes(20 << 20)}, 413, "文件过大"),
    ):
        answer = verify(clerk, **values)
        assert (answer.status_code, said in words(answer)) == (status, True), values
        assert f'value="{DESK}" selected' in answer.text
    assert verify(clerk, desk="urn:other 1", licence="JY1").status_code == 403


class TestPresentations:
    """The clerk asks, the holder's wallet answers."""

    @staticmethod
    def ask(clerk: Browser, *more: tuple[str, str], device: str = "cross") -> str:
        wanted = [("claims", "operator_name"), ("claims", "credit_code")]
        values = [("desk", DESK), ("types", TYPE), *wanted, ("device", device), *more]
        answer = choose(clerk, "/counter/ask", values)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def test_a_licence_is_shown_across_devices(self, pages: CounterCity) -> None:
        clerk, holder = pages.clerk("clerk-qi"), pages.wallet()
        licence = pages.provide(holder)
        place = self.ask(clerk, ("reason", "办理变更登记"))
        page = clerk.get(place)
        session = place.rsplit("/", 1)[1]
        assert re.search(r'<p class="match">\d\d</p>', page.text)
        assert "<svg" in page.text
        assert "等待钱包打开请求" in words(page)
        assert clerk.get(place + "/state").json() == {
            "state": "open",
            "words": "等待钱包打开请求",
            "over": False,
        }
        link = pages.link_on_page(session)
        verified = pages.fetch(link)
        assert verified.request.about
        assert verified.request.about.purpose == Text("办理变更登记", "办理变更登记")
        assert clerk.get(place + "/state").json()["state"] == "fetched"
        assert pages.show(holder, link).status == 200
        assert clerk.get(place + "/state").json()["over"] is True
        answer = clerk.get(place)
        said = words(answer)
        assert said.startswith("核验通过 证照状态 有效")
        assert "津城小麦面包坊" in said
        assert licence.identifier in said
        assert "业务地址" not in said
        assert "和平路" not in answer.text  # granted, but not asked for
        name = record_of(answer)
        assert "clerk-qi" in words(clerk.get(f"/counter/records/{name}"))
        with pages.database.reading() as connection:
            rows = connection.execute(INBOX.select().where(INBOX.c.subject == session)).all()
        actors = [json.loads(row.body)["actor"]["id"] for row in rows]
        assert actors[0] == "clerk-qi"

    def test_nobody_but_the_clerk_who_asked_sees_it(self, pages: CounterCity) -> None:
        clerk = pages.clerk()
        place = self.ask(clerk)
        for other in (pages.clerk(), pages.clerk(organisation=OTHER_CODE)):
            assert (other.get(place).status_code, other.get(place + "/state").status_code) == (404, 404)
        assert pages.outcome(place.rsplit("/", 1)[1]).status == 404  # nor the department's own program
        assert pages.browser().get(place).status_code == 303

    def test_on_one_device_the_browser_comes_back_first(self, pages: CounterCity) -> None:
        clerk, holder = pages.clerk(), pages.wallet()
        pages.provide(holder)
        place = self.ask(clerk, device="same")
        secret = clerk.cookies[COOKIE]
        page = clerk.get(place)
        link = re.search(r'href="(openid4vp://[^"]+)"', page.text)
        assert link
        assert 'class="match"' not in page.text
        reply = pages.show(holder, pages.link_on_page(place.rsplit("/", 1)[1]))
        assert clerk.get(place + "/state").json()["over"] is False
        assert "津城小麦面包坊" not in clerk.get(place).text
        back = reply.json["redirect_uri"]
        stranger = pages.browser()
        stranger.cookies[COOKIE] = "x" * 43
        assert clerk.cookies[COOKIE] == secret
        assert clerk.get(back).status_code == 200
        assert clerk.get(place + "/state").json()["over"] is True
        assert "津城小麦面包坊" in clerk.get(place).text

    def test_a_holder_says_no_or_nothing(self, pages: CounterCity) -> None:
        clerk = pages.clerk()
        place = self.ask(clerk)
        request = pages.fetch(pages.link_on_page(place.rsplit("/", 1)[1])).request
        pages.post(Sent(request.response_uri, decline(request, ErrorCode.ACCESS_DENIED)))
        assert "持有人未同意出示" in words(clerk.get(place))

    def test_a_session_that_was_fed_nonsense_is_closed(self, pages: CounterCity) -> None:
        clerk, holder = pages.clerk(), pages.wallet()
        pages.provide(holder)
        place = self.ask(clerk)
        verified = pages.fetch(pages.link_on_page(place.rsplit("/", 1)[1]))
        sent = holder.answer_presentation(holder.consider_presentation(verified))
        other = self.ask(clerk)
        request = pages.fetch(pages.link_on_page(other.rsplit("/", 1)[1])).request
        pages.post(replace(sent, url=request.response_uri))
        said = words(clerk.get(other))
        assert "等待持有人同意" in said  # sealed for another request: unreadable, one of ten tries
        for _ in range(10):
            pages.post(replace(sent, url=request.response_uri))
        assert "请求已作废，请重新发起" in words(clerk.get(other))

    @pytest.mark.parametrize(
        "values",
        [
            [],
            [("types", TYPE)],
            [("types", "construction-permit"), ("claims", "operator_name")],
            [("types", TYPE), ("claims", "responsible_person")],
            [("types", TYPE), ("claims", "operator_name"), ("reason", "a\nb")],
            [("types", TYPE), ("claims", "operator_name"), ("reason", "长" * 101)],
            [("types", TYPE), ("claims", "operator_name"), ("reason", "a\u202eb")],
        ],
        ids=range(7),
    )
    def test_nothing_beyond_the_grant_is_asked_for(
        self, pages: CounterCity, values: list[tuple[str, str]]
    ) -> None:
        answer = choose(pages.clerk(), "/counter/ask", [("desk", DESK), *values])
        assert answer.status_code == 400
        assert "请至少选择" in words(answer) or "说明须为一行" in words(answer)

    def test_two_licences_in_one_request_have_one_verdict_above(self, pages: CounterCity) -> None:
        fields = {TYPE: frozenset({"operator_name"}), "business-licence": frozenset({"enterprise_name"})}
        name = "urn:jincheng:two"
        pages.register(name, FileSigner.generate(), grants=(Grant("plan", "p-1", fields),))
        pages.clock.advance(pages.service.directory._max_age)
        clerk, holder = pages.clerk(), pages.wallet()
        licence = pages.provide(holder)
        pages.happen(licence, EndingKind.REVOKED)
        values = [("desk", f"{name} p-1"), ("types", TYPE), ("claims", "operator_name"), ("device", "cross")]
        place = choose(clerk, "/counter/ask", values).headers["location"]
        pages.show(holder, pages.link_on_page(place.rsplit("/", 1)[1], name))
        said = words(clerk.get(place))
        assert said.startswith("核验未通过 证照状态 已吊销")


def test_a_photograph_within_the_grant_is_shown_and_not_printed(pages: CounterCity, serial: str) -> None:
    name = "urn:jincheng:photographs"
    fields = {TYPE: frozenset({"operator_name", "portrait", "other"})}
    pages.register(name, FileSigner.generate(), grants=(Grant("look", "l-1", fields),))
    pages.clock.advance(pages.service.directory._max_age)
    picture = "data:image/png;base64," + b64encode(png(64, 80)).decode()
    script = "data:image/svg+xml;base64," + b64encode(b"<svg onload='alert(1)'/>").decode()
    claims = {"operator_name": "王小麦", "portrait": picture, "other": script}
    licence = pages.licence(serial, claims=claims)
    answer = verify(pages.clerk(), desk=f"{name} l-1", licence=licence.identifier)
    assert answer.text.count('<img class="portrait"') == 1
    assert f'src="{picture}" alt="证照所载持有人照片"' in answer.text
    assert script in words(answer)  # as text, for what it is
    assert re.search(r'<div class="no-print">\s*<img class="portrait"', answer.text)


def test_a_file_and_its_signature_are_handed_in_together(pages: CounterCity) -> None:
    content, clerk = b"year,licences\n2026,12\n", pages.clerk()
    signature = detached.sign(content, pages.seal_signer, now=pages.clock.now())
    said = words(verify(clerk, document=content, signature=signature))
    assert "签名或印章真实有效" in said
    assert "津城市市场监督管理局" in said
    assert "签名或印章真实有效" not in words(verify(clerk, document=content + b".", signature=signature))
    carried = detached.sign(content, pages.seal_signer, now=pages.clock.now(), inside=True)
    assert "签名或印章真实有效" in words(verify(clerk, signature=carried))
    assert verify(clerk, signature=signature, licence="JY21201990000001").status_code == 400
