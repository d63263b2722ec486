"""The report as a page: both languages, nothing of a document's own, nothing that loads or runs."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.desk import Desk, plain_pdf
from world.pdf_forms import fill_name, signed
from world.pki import NOON

from signing import Check, Reason, Report, Scope, detached
from verify_api.documents import plain_signatures
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.report_page import report_page

if TYPE_CHECKING:
    from pathlib import Path

    from yinxin.base.text import Language


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


class Seen(HTMLParser):
    """What a browser would take from a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_says_the_verdicts_the_signer_and_every_check(desk: Desk, language: Language) -> None:
    report = desk.verify(desk.seal(plain_pdf()))
    seen = Seen(report_page("letter.pdf", report, language=language))
    assert {"zh": "核验通过", "en": "Verification passed"}[language] in seen.text
    assert "津城市场监管局" in seen.text
    assert "B-T" in seen.text
    assert "TOTAL-PASSED" in seen.text
    assert report.policy in seen.text
    assert all(identifier in seen.text for identifier in report.snapshots.values())
    assert all(check.clause in seen.text for check in report.checks)
    assert seen.tags[0] == ("html", {"lang": {"zh": "zh-CN", "en": "en"}[language]})


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("zh", "签署后填入，无人为此签名：Name = Li <b>Hua"),
        ("en", "filled in after signing, nobody signed for it: Name = Li <b>Hua"),
    ],
)
def test_a_page_says_what_nobody_signed_for(desk: Desk, language: Language, line: str) -> None:
    report = desk.verify(fill_name(signed(desk), b"Li <b>Hua").pdf)
    assert report.passed
    shown = replace(report, findings={"signatures": plain_signatures(report)})
    assert line in Seen(report_page("letter.pdf", shown, language=language)).text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_says_why_not_and_what_to_do(language: Language) -> None:
    checks = [Check("x/certificate_revocation", reason, Scope.NOW) for reason in Reason]
    report: Report[Any] = Report("pdf", "", NOON, NOON, (Check("format"), *checks))
    text = Seen(report_page("x", report, language=language)).text
    for reason in Reason:
        assert reason.text.in_language(language) in text
        assert reason.next_step.in_language(language) in text
    assert {"zh": "两个结论不同", "en": "The two verdicts differ"}[language] in text


def test_a_page_stands_alone_and_runs_nothing(desk: Desk) -> None:
    page = report_page("x", desk.verify(plain_pdf()), language="zh")
    seen = Seen(page)
    assert not {tag for tag, _ in seen.tags} & {"script", "img", "link", "iframe", "form", "object"}
    assert not [attrs for _, attrs in seen.tags if {"src", "href", "onclick", "action"} & attrs.keys()]
    assert "url(" not in page
    policy = next(attrs for tag, attrs in seen.tags if tag == "meta" and "http-equiv" in attrs)
    assert (policy["content"] or "").startswith("default-src 'none'")


hostile = st.text(max_size=40) | st.sampled_from(
    ["<script>alert(1)</script>", "\u202egnp.exe", '" onload="x', "{{ 7*7 }}", "&lt;", "\x00", "</style>"]
)


@settings(max_examples=40, deadline=None)
@given(hostile, hostile, hostile)
def test_what_a_document_says_stays_text(name: str, field: str, detail: str) -> None:
    findings = {
        "signatures": [{"field": field, "signer": {"name": name}, "claimed_time": detail, "usage": detail}]
    }
    found = Check(f"{field}/coverage", Reason.COVERAGE_INCOMPLETE, detail=detail)
    report: Report[Any] = Report("pdf", "", NOON, NOON, (found,), findings=findings)
    plain: Report[Any] = Report("pdf", "", NOON, NOON, (Check("x/coverage", Reason.COVERAGE_INCOMPLETE),))
    page = report_page(name, report, language="en")
    kinds = {tag for tag, _ in Seen(report_page("x", plain, language="en")).tags}
    assert {tag for tag, _ in Seen(page).tags} <= kinds | {"span", "bdi", "br", "h2", "table"}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", page)


def test_the_command_writes_it(desk: Desk, tmp_path: Path) -> None:
    made = tmp_path / "minutes.p7s"
    made.write_bytes(detached.sign(b"minutes", desk.agency, now=NOON, inside=True))
    page = tmp_path / "report.html"
    assert run(["--lang", "zh", "verify", str(made), "--page", str(page)]) == ExitCode.INDETERMINATE
    assert "无法得出核验结论" in page.read_text(encoding="utf-8")
    # A page that is there is not written over.
    assert run(["verify", str(made), "--page", str(page)]) == ExitCode.ERROR
