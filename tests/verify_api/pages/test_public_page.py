"""Somebody unknown looks a licence up: by file, by number, in both languages, without scripts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from world.counters import hand_in, words

from credentials.licence import EndingKind, EventKind, VersionKind
from yinxin.base.audit.records import INBOX

if TYPE_CHECKING:
    from world.counters import CounterCity


def test_the_page_says_how_in_both_languages(pages: CounterCity) -> None:
    browser = pages.browser()
    chinese, english = browser.get("/"), browser.get("/?lang=en")
    assert "核验电子证照" in words(chinese)
    assert "Check an electronic licence" in words(english)
    assert browser.get("/", headers={"Accept-Language": "en-GB"}).text.count('lang="en"') > 0
    assert browser.cookies == {}


def test_a_licence_in_force_passes_by_file_and_by_number(pages: CounterCity, serial: str) -> None:
    licence, pdf = pages.issue(serial)
    for handed_in in ({"document": pdf}, {"licence": licence.identifier}, {"licence": f" {licence.number} "}):
        answer = hand_in(pages.browser(), "/", **handed_in)
        said = words(answer)
        assert answer.status_code == 200
        assert said.startswith("核验通过 证照状态 有效（自2026年8月1日起）")
        assert re.search(r"证照库：2026-11-20 \d\d:\d\d:\d\d UTC\+8（刚刚）", said)
        assert "<title>核验通过" in answer.text


def test_nothing_of_what_the_licence_says_is_told(pages: CounterCity, serial: str) -> None:
    licence, pdf = pages.issue(serial)
    for handed_in in ({"document": pdf}, {"licence": licence.identifier}):
        answer = hand_in(pages.browser(), "/", **handed_in)
        for secret in ("面包坊", "和平路", "王小麦", licence.holder_code, "食品经营许可证"):
            assert secret not in answer.text


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        (EndingKind.REVOKED, "已吊销（自2026年11月20日起）", "证照已被吊销"),
        (EndingKind.ANNULLED, "已撤销，自始无效", "证照已撤销，自始无效"),
        (EndingKind.DEREGISTERED, "已注销（自2026年11月20日起）", "证照已注销"),
        (EndingKind.WITHDRAWN, "已撤回（自2026年11月20日起）", "证照已撤回"),
        (EventKind.SUSPENDED, "已暂停（自2026年11月20日起）", "证照已被暂停使用"),
    ],
)
def test_the_state_in_law_its_day_and_the_next_step(
    pages: CounterCity, serial: str, kind: EndingKind | EventKind, state: str, reason: str
) -> None:
    licence, pdf = pages.issue(serial)
    pages.happen(licence, kind)
    said = words(hand_in(pages.browser(), "/", document=pdf))
    assert said.startswith(f"核验未通过 证照状态 {state}")
    assert f"{reason} 下一步：" in said


def test_a_corrected_licence_is_called_genuine_and_superseded(pages: CounterCity, serial: str) -> None:
    licence, pdf = pages.issue(serial)
    now, since = pages.clock.now(), licence.starts_at
    new = pages.licence(
        serial,
        version=2,
        replaces=licence.identifier,
        recorded_at=now,
        issued_at=now,
        effective_from=since,
        kind=VersionKind.CORRECTED,
    )
    pages.happen(
        licence,
        EndingKind.SUPERSEDED,
        replaced_by=new.identifier,
        version_kind=VersionKind.CORRECTED,
        effective_from=since,
    )
    for handed_in in ({"document": pdf}, {"licence": licence.identifier}):
        said = words(hand_in(pages.browser(), "/", **handed_in))
        assert said.startswith("真实，已于2026年11月20日更正，由第 002 版取代")
        english = words(hand_in(pages.browser(), "/?lang=en", **handed_in))
        assert english.startswith("genuine, superseded by version 002 on 2026-11-20")


def test_unknown_numbers_and_strange_files(pages: CounterCity) -> None:
    said = words(hand_in(pages.browser(), "/?lang=en", licence="JY00000000000000"))
    assert said.startswith("Verification is indeterminate Status of the licence not known to the register")
    said = words(hand_in(pages.browser(), "/?lang=en", document=b"a picture of a licence"))
    assert said.startswith("Verification failed")
    assert "Ask for the original file" in said


def test_a_genuine_seal_on_something_else_is_no_green_light(pages: CounterCity) -> None:
    answer = hand_in(pages.browser(), "/", document=pages.pdf(None))
    assert "签名或印章真实有效，但该文件不是本库登记的电子证照" in words(answer)
    assert 'class="verdict indeterminate"' in answer.text
    assert 'class="verdict passed"' not in answer.text


@pytest.mark.parametrize(
    ("values", "status", "said"),
    [
        ({}, 400, "二者取一"),
        ({"document": b"", "licence": ""}, 400, "二者取一"),
        ({"document": b"x", "licence": "JY21201990000001"}, 400, "二者取一"),
        ({"licence": "JY\u20282"}, 400, "编号含有不允许的字符"),
        ({"licence": "9" * 161}, 400, "编号含有不允许的字符"),
        ({"document": b"%PDF-" + bytes(3 << 20)}, 413, "文件过大"),
        ({"document": b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln~"}, 400, "电子钱包中的凭证"),
    ],
    ids=range(7),
)
def test_a_form_that_cannot_be_meant_is_shown_again(
    pages: CounterCity, values: dict[str, str | bytes], status: int, said: str
) -> None:
    answer = hand_in(pages.browser(), "/", **values)
    assert answer.status_code == status
    assert said in words(answer)
    assert '<form method="post"' in answer.text


def test_a_number_of_two_licences_asks_for_the_identifier(pages: CounterCity, serial: str) -> None:
    licence = pages.licence(serial)
    pages.licence("8" + serial[1:], number=licence.number, type_code="business-licence")
    answer = hand_in(pages.browser(), "/", licence=licence.number)
    assert (answer.status_code, "有多个证照使用该编号" in words(answer)) == (409, True)


def test_every_look_is_in_the_log_under_the_number_on_the_page(pages: CounterCity, serial: str) -> None:
    licence = pages.licence(serial)
    answer = hand_in(pages.browser(), "/", licence=licence.identifier)
    found = re.search(r"核验记录号</dt><dd class=\"code\"><bdi>([A-Za-z0-9_-]{22})", answer.text)
    assert found
    with pages.database.reading() as session:
        row = session.execute(INBOX.select().where(INBOX.c.entry_id == found[1])).first()
    assert row
    assert licence.identifier not in str(row.body)


def test_the_printout_leads_back_to_this_service_only(pages: CounterCity, serial: str) -> None:
    licence = pages.licence(serial)
    answer = hand_in(pages.browser(), "/", licence=licence.identifier)
    assert "核验网址：https://verify.jincheng.example" in words(answer)
    assert licence.identifier not in answer.text
