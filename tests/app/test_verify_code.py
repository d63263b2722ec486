"""`yinxin verify --qr`: the code on paper, from its text or from a picture, with a home and without one."""

from __future__ import annotations

import io
import json
import shutil
import sys
from contextlib import redirect_stdout
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from world.codes import read_codes
from world.homes import make_home

from ca.tsa import TimestampAuthority
from credentials import samples
from credentials.licence import EndingKind
from credentials.printed_code import IssuerCertificates, PrintedCodeVerifier, code_addresses, read
from credentials.printed_code.published import published_list
from signing.jose import dump_json
from signing.trust import TrustStore
from yinxin.app import wiring
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.renewal import renew
from yinxin.base.actor import staff
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from credentials.issuer import IssuedLicence
    from yinxin.app.home import Home

WHY = {"ground": "《中华人民共和国食品安全法》第一百二十四条", "document_number": "津城监罚〔2026〕7号"}
CLERK = staff("clerk-17", agency=samples.AGENCY.credit_code)


class Paper:
    """An office with one licence on paper, and its picture."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.folder = home, folder
        stamps = TimestampAuthority(home.signer("timestamp"), home.clock, home.database)
        self.issuer = wiring.issuer(home, timestamper=stamps)
        self.issued = self.issue(1)
        page = pypdfium2.PdfDocument(self.issued.pdf)[0]
        self.picture = folder / "scan.png"
        page.render(scale=150 / 72).to_pil().save(self.picture)
        (code,) = read_codes(page.render(scale=150 / 72).to_pil())
        self.text = code.text

    def issue(self, number: int) -> IssuedLicence:
        kind = "food-business-licence"
        return self.issuer.issue(kind, samples.application(kind, number), holder=None, actor=CLERK)

    def published(self) -> Path:
        """What the verification service publishes, saved yesterday."""
        home = self.home
        verifier = PrintedCodeVerifier(
            home.trust,
            issuers=home.issuer_certificates,
            addresses=code_addresses(home.settings.verify_url),
            revocation=home.revocation,
        )
        file = self.folder / "issuers.json"
        file.write_bytes(dump_json(published_list(verifier, wiring.catalogue(home), now=home.clock.now())))
        return file


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    agency, folder = samples.AGENCY, tmp_path_factory.mktemp("paper")
    plan = Plan(agency.name.zh, agency.name.en, agency.credit_code)
    return Paper(make_home(folder / "home", plan, clock=SystemClock()), folder)


def ask(*words: object) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out):
        status = run([str(word) for word in words])
    return status, out.getvalue()


def report_of(*words: object) -> tuple[int, dict[str, Any]]:
    status, said = ask("--json", "verify", *words)
    (report,) = json.loads(said)["reports"]
    return status, report


def codes(report: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in report["reasons"]}


def test_with_a_home_its_register_answers(paper: Paper) -> None:
    status, report = report_of("--qr", paper.text, "--home", paper.home.directory)
    assert status == ExitCode.DONE
    assert report["indication"] == report["then"] == "passed"
    assert report["findings"]["licence"] == paper.issued.licence.identifier
    assert report["findings"]["fields"]["operator_name"] == paper.issued.licence.holder_name


def test_a_picture_says_the_same_as_the_text(paper: Paper) -> None:
    assert (
        report_of("--qr", paper.picture, "--home", paper.home.directory)[1]["findings"]
        == (report_of("--qr", paper.text, "--home", paper.home.directory)[1]["findings"])
    )


def test_without_a_home_todays_status_is_not_known_and_said_so(paper: Paper) -> None:
    home, lists = paper.home.directory, []
    for file in (home / "revocation").glob("*.crl"):
        lists += ["--crl", file]
    words = ("--qr", paper.text, "--trust", home / "trust", "--issuers", paper.published(), *lists)
    status, report = report_of(*words)
    assert status == ExitCode.INDETERMINATE
    assert (report["then"], report["indication"]) == ("passed", "indeterminate")
    assert codes(report) == {"status_not_asked"}
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["licence_standing"]["reason"] == "status_not_asked"
    assert checks["certificate_revocation"]["indication"] == "passed"
    # Without revocation lists that is not known either.
    assert "revocation_unknown" in codes(report_of(*words[:6])[1])
    # The list is no anchor: without one nobody is trusted.
    assert "no_certificate_chain_found" in codes(
        report_of("--qr", paper.text, "--issuers", paper.published())[1]
    )


@pytest.mark.parametrize(("language", "wanted"), [("zh", "请与纸面核对"), ("en", "compare with the paper")])
def test_people_read_what_to_compare(paper: Paper, language: str, wanted: str) -> None:
    status, said = ask("--lang", language, "verify", "--qr", paper.text, "--home", paper.home.directory)
    assert status == ExitCode.DONE
    assert wanted in said
    plain = "".join(said.replace("│", " ").split())
    assert paper.issued.licence.holder_name in plain
    assert paper.issued.licence.identifier in plain
    field = wiring.catalogue(paper.home)["food-business-licence"].field("main_format")
    shown = field.shown(paper.issued.licence.claims["main_format"])
    assert (shown.zh if language == "zh" else shown.en).replace(" ", "") in plain


def test_a_code_that_leads_elsewhere_is_refused(paper: Paper) -> None:
    elsewhere = "https://jincheng-verify.example/q#" + paper.text.partition("#")[2]
    status, report = report_of("--qr", elsewhere, "--home", paper.home.directory)
    assert status == ExitCode.FAILED
    assert codes(report) == {"address_not_trusted"}
    assert report["findings"] == {}
    trusted = ("--address", "https://jincheng-verify.example/q")
    assert report_of("--qr", elsewhere, "--home", paper.home.directory, *trusted)[0] == ExitCode.DONE


def test_what_is_no_code_is_a_report_and_never_an_error(paper: Paper, tmp_path: Path) -> None:
    for text in ("", "hello", "https://a.example/q", "https://a.example/q#%", "x" * 5000):
        status, report = report_of("--qr", text, "--home", paper.home.directory)
        assert status == ExitCode.FAILED
        assert report["indication"] == "failed"
    empty = tmp_path / "empty.png"
    pypdfium2.PdfDocument.new().new_page(200, 200).render(scale=1).to_pil().save(empty)
    status, report = report_of("--qr", empty, "--home", paper.home.directory)
    assert status == ExitCode.FAILED
    assert codes(report) == {"printed_code_malformed"}


def test_what_cannot_be_asked_is_said(paper: Paper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("verify")[0] == ExitCode.USAGE
    assert ask("verify", "--qr", paper.text)[0] == ExitCode.USAGE, "whose codes count is not said"
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    assert ask("verify", "--qr", broken, "--home", paper.home.directory)[0] == ExitCode.ERROR
    assert ask("verify", "--qr", tmp_path / "gone.png", "--home", paper.home.directory)[0] == ExitCode.ERROR
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert ask("verify", "--qr", paper.picture, "--home", paper.home.directory)[0] == ExitCode.USAGE


def test_codes_and_files_are_verified_together(paper: Paper, tmp_path: Path) -> None:
    sealed = tmp_path / "licence.pdf"
    sealed.write_bytes(paper.issued.pdf)
    status, said = ask("--json", "verify", sealed, "--qr", paper.text, "--home", paper.home.directory)
    assert status == ExitCode.DONE
    assert [one["subject"] for one in json.loads(said)["reports"]] == ["pdf", "printed-code"]


def test_the_certificate_names_the_agency_and_lists_are_read_again(paper: Paper) -> None:
    (entry,) = paper.home.issuer_certificates.entries
    assert entry.agency == samples.AGENCY.credit_code
    again = IssuerCertificates.from_json(paper.published().read_bytes())
    assert again.snapshot_id == paper.home.issuer_certificates.snapshot_id


def test_another_citys_home_verifies_our_codes_offline(paper: Paper, tmp_path: Path) -> None:
    plan = Plan("邻区行政审批局", "Neighbour Bureau", "11120000MB1A000013")
    other = make_home(tmp_path / "other", plan, clock=SystemClock())
    ours, place = paper.home, other.directory
    words = ("--qr", paper.text, "--home", place)
    assert codes(report_of(*words)[1]) == {"signing_certificate_missing"}, (
        "both cities lead to one address here"
    )
    folder = place / "issuers"
    folder.mkdir()
    shutil.copy(paper.published(), folder / "jincheng.json")
    assert "no_certificate_chain_found" in codes(report_of(*words)[1]), "a list is no anchor"
    TrustStore([*other.trust.anchors, *ours.trust.anchors]).save(other.settings.trust_directory)
    for crl in (ours.directory / "revocation").glob("*.crl"):
        shutil.copy(crl, place / "revocation" / f"jincheng-{crl.name}")
    status, report = report_of(*words)
    assert (status, codes(report)) == (ExitCode.INDETERMINATE, {"status_not_asked"})
    assert report["then"] == "passed"
    # The same from a chain in PEM, whose certificate names its agency.
    (folder / "jincheng.json").unlink()
    shutil.copy(ours.key_file("credential").with_suffix(".chain.pem"), folder / "jincheng.pem")
    assert codes(report_of(*words)[1]) == {"status_not_asked"}
    shutil.copy(ours.key_file("issuing").with_suffix(".chain.pem"), folder / "nobody.pem")
    assert ask("verify", *words)[0] == ExitCode.ERROR, "a certificate of no agency is no issuer's"


def test_a_renewed_key_leaves_old_codes_good_and_endings_reach_them(paper: Paper) -> None:
    renew(paper.home, "credential", people=("applicant", "prover", "registrar"))
    home = paper.home.directory
    assert report_of("--qr", paper.text, "--home", home)[0] == ExitCode.DONE
    assert len(paper.home.issuer_certificates) == 2
    old = paper.issued.licence.identifier
    paper.issuer.replace(
        old, samples.application("food-business-licence", 1), holder=None, actor=CLERK, **WHY
    )
    status, report = report_of("--qr", paper.text, "--home", home)
    assert status == ExitCode.FAILED
    assert codes(report) == {"licence_superseded"}
    assert report["then"] == "passed"
    other = paper.issue(2)
    paper.issuer.end(other.licence.identifier, EndingKind.REVOKED, actor=CLERK, **WHY)
    page = pypdfium2.PdfDocument(other.pdf)[0].render(scale=150 / 72).to_pil()
    (code,) = read_codes(page)
    assert codes(report_of("--qr", code.text, "--home", home)[1]) == {"licence_revoked"}
    assert (
        read(code.text).issued_at <= paper.home.clock.now().timestamp() + timedelta(minutes=1).total_seconds()
    )
