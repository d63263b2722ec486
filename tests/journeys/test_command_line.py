"""The command line, as somebody uses it who has the demo's folder and some files of their own."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credentials import samples
from signing.report import Indication
from yinxin.app.cli import COMMANDS, run
from yinxin.app.console import ExitCode
from yinxin.app.home import Home
from yinxin.app.serve import ROLES, running
from yinxin.base.errors import Conflict

if TYPE_CHECKING:
    from journeys.conftest import Played


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command with `--json`; its exit status and what it answered."""

    def ask(*arguments: str | Path) -> tuple[int, Any]:
        capsys.readouterr()
        status = run([*map(str, arguments), "--json"])
        out = capsys.readouterr().out
        return status, json.loads(out) if out else None

    return ask


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_command_has_help_in_both_languages(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", language, "--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)


def test_options_for_everything_may_stand_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["licence", "--json", "types", "--lang", "zh"]) == 0
    assert len(json.loads(capsys.readouterr().out)) >= 8


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fly"]) == ExitCode.USAGE
    assert "Traceback" not in capsys.readouterr().err
    for wrong in (["fly"], ["verify"], ["verify", "--height", "3"]):
        assert run([*wrong, "--json"]) == ExitCode.USAGE
        assert json.loads(capsys.readouterr().err)["error"]["code"] == "usage_error"


def test_a_licence_is_verified_with_the_register_and_without(played: Played, ask: Any) -> None:
    for licence in played.licences():
        status, answer = ask("verify", licence, "--trust", played.directory / "trust")
        # Without lists nobody knows whether the seal's certificate is revoked.
        assert status == ExitCode.INDETERMINATE
        assert "revocation_unknown" in {reason["code"] for reason in answer["reports"][0]["reasons"]}
    lists = [("--crl", path) for path in (played.directory / "revocation").glob("*.crl")]
    flat = [part for pair in lists for part in pair]
    assert (
        ask("verify", played.licences()[0], "--trust", played.directory / "trust", *flat)[0] == ExitCode.DONE
    )
    asked = [ask("verify", licence, "--home", played.directory) for licence in played.licences()]
    verdicts = [status for status, _ in asked]
    assert verdicts.count(ExitCode.FAILED) == 4  # suspended, revoked, annulled, replaced
    assert verdicts.count(ExitCode.DONE) == len(verdicts) - 4
    said = {text["en"] for _, answer in asked for text in answer["reports"][0]["findings"]["standing"]}
    assert any(text.startswith("commitment due on ") and text.endswith("still open") for text in said)
    assert any(text.startswith("genuine, superseded by version 002") for text in said)


def test_a_receipt_is_verified(played: Played, ask: Any) -> None:
    status, answer = ask("verify", played.directory / "receipts" / "pdf.jwt", "--home", played.directory)
    assert status == ExitCode.DONE
    assert answer["reports"][0]["subject"] == "receipt"


def test_several_files_make_the_worst_status(played: Played, ask: Any) -> None:
    good, bad = played.directory / "others" / "letter.sealed.pdf", played.directory / "others" / "letter.pdf"
    status, answer = ask("verify", good, bad, "--home", played.directory)
    assert status == ExitCode.FAILED
    assert [one["indication"] for one in answer["reports"]] == [Indication.PASSED, Indication.FAILED]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7",
        b"%PDF-" + b"\0" * 4000,
        b"eyJ~",
        b"eyJhbGciOiJub25lIn0..~",
        b"\x89PNG",
        b"a.b.c",
        "证照".encode(),
    ],
)
def test_a_strange_file_is_a_failed_verdict(content: bytes, tmp_path: Path, ask: Any) -> None:
    file = tmp_path / "strange"
    file.write_bytes(content)
    status, answer = ask("verify", file)
    assert status == ExitCode.FAILED
    assert answer["reports"][0]["reasons"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300).map(lambda tail: tail)
    | st.binary(max_size=200).map(lambda tail: b"%PDF-1.4\n" + tail)
)
def test_no_file_brings_a_traceback(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / hashlib.sha256(content).hexdigest()
    file.write_bytes(content)
    assert run(["verify", str(file), "--json"]) in {ExitCode.FAILED, ExitCode.INDETERMINATE}


@pytest.mark.parametrize("path", ["no-such-file", ".", "a\0b"])
def test_a_path_that_is_no_file_is_a_clear_error(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["verify", path])
    said = capsys.readouterr().err
    assert status in {ExitCode.ERROR, ExitCode.USAGE}
    assert said
    assert "Traceback" not in said


def test_any_pdf_is_sealed_into_a_new_file(played: Played, tmp_path: Path, ask: Any) -> None:
    source = tmp_path / "letter.pdf"
    source.write_bytes((played.directory / "others" / "letter.pdf").read_bytes())
    before = source.read_bytes()
    status, answer = ask("seal", source, "--home", played.directory, "--reason", "核准")
    assert status == ExitCode.DONE
    sealed = Path(answer["sealed"])
    assert source.read_bytes() == before
    assert sealed.read_bytes().startswith(before)
    status, answer = ask("verify", sealed, "--home", played.directory)
    assert status == ExitCode.DONE, answer
    # A second time would overwrite it: refused, and the file stays.
    kept = sealed.read_bytes()
    assert ask("seal", source, "--home", played.directory)[0] == ExitCode.ERROR
    assert sealed.read_bytes() == kept


def test_any_file_is_signed_beside_it(played: Played, tmp_path: Path, ask: Any) -> None:
    table = tmp_path / "figures.csv"
    table.write_bytes(b"year,licences\n2026,12\n")
    status, answer = ask("seal", "--beside", table, "--home", played.directory)
    assert (status, answer["sealed"]) == (ExitCode.DONE, f"{table}.p7s")
    status, answer = ask("verify", f"{table}.p7s", "--home", played.directory)
    assert (status, answer["reports"][0]["subject"]) == (ExitCode.DONE, "cades")
    table.write_bytes(b"year,licences\n2026,13\n")
    assert ask("verify", f"{table}.p7s", "--home", played.directory)[0] == ExitCode.FAILED
    for wrong in (("--reason", "核准"), ("--page", "0"), ("--at", "1", "1")):
        assert ask("seal", "--beside", table, "--home", played.directory, *wrong)[0] == ExitCode.USAGE
    assert ask("seal", "--beside", tmp_path / "none", "--home", played.directory)[0] == ExitCode.ERROR


def test_the_input_is_never_the_output(played: Played, tmp_path: Path, ask: Any) -> None:
    source = tmp_path / "letter.pdf"
    source.write_bytes((played.directory / "others" / "letter.pdf").read_bytes())
    before = source.read_bytes()
    assert ask("seal", source, "-o", source, "--home", played.directory)[0] == ExitCode.ERROR
    assert source.read_bytes() == before


def test_sealing_without_a_seal_says_where_to_get_one(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["seal", str(played.directory / "others" / "letter.pdf"), "--lang", "en"]) == ExitCode.USAGE
    assert "ca init" in capsys.readouterr().err


def test_trust_is_added_shown_compared_and_explained(
    played: Played, tmp_path: Path, ask: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "trust"
    root = tmp_path / "root.pem"
    root.write_bytes(played.home.chain("root")[0].to_pem())
    assert ask("trust", "add", folder, root, "--use", "seal")[0] == ExitCode.DONE
    status, answer = ask("trust", "show", folder)
    assert status == ExitCode.DONE
    assert answer["anchors"][0]["usages"] == ["seal"]
    assert ask("trust", "diff", folder, folder)[0] == ExitCode.DONE
    assert ask("trust", "diff", folder, played.directory / "trust")[0] == ExitCode.FAILED
    assert run(["trust", "explain", str(folder), str(played.licences()[0]), "--lang", "zh"]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert "信任锚" in said
    assert "电子印章" in said


def test_the_log_is_read_proved_and_checked(played: Played, tmp_path: Path, ask: Any) -> None:
    status, entries = ask("audit", "log", "--home", played.directory, "--limit", "5")
    assert status == ExitCode.DONE
    proof = tmp_path / "entry.tlog-proof"
    assert (
        ask("audit", "prove", entries[2]["entry"], "--home", played.directory, "-o", proof)[0]
        == ExitCode.DONE
    )
    status, answer = ask("audit", "check", "--home", played.directory)
    assert (status, answer["problems"]) == (ExitCode.DONE, [])
    assert ask("audit", "check", proof, "--key", answer["key"])[0] == ExitCode.DONE
    proof.write_text(proof.read_text().replace("index 2", "index 3"))
    assert ask("audit", "check", proof, "--key", answer["key"])[0] == ExitCode.FAILED


def test_doctor_finds_nothing_wrong_with_the_demo(played: Played, ask: Any) -> None:
    status, answer = ask("doctor", "--home", played.directory)
    assert status == ExitCode.DONE, answer
    assert {found["subject"] for found in answer["findings"]} >= {"database", "key seal", "SM2", "import ca"}


def test_doctor_tells_a_key_that_does_not_open(
    played: Played, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YINXIN_PASSPHRASE", "wrong")
    status, answer = ask("doctor", "--home", played.directory)
    assert status == ExitCode.FAILED
    states = {found["subject"]: found["state"] for found in answer["findings"]}
    assert states["key seal"] == "fault"


def test_an_office_from_nothing(  # noqa: PLR0915 - one story, told to its end
    tmp_path: Path, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set up, apply, proof, approve, issue, change: with commands alone."""
    monkeypatch.setenv("YINXIN_PASSPHRASE", "correct horse")
    home, agency = tmp_path / "office", samples.AGENCY
    people = ("li", "wang", "zhao")
    made = ask(
        "ca", "init", home, "--agency", agency.name.zh, "--agency-en", agency.name.en,
        "--code", agency.credit_code, "--people", *people,
    )  # fmt: skip
    assert made[0] == ExitCode.DONE
    assert not (home / "passphrase").exists()
    # Seals are put on without a time-stamp authority here: none is running.
    settings_file = home / "yinxin.toml"
    lines = settings_file.read_text("utf-8").splitlines()
    settings_file.write_text(
        "\n".join(line for line in lines if not line.startswith("timestamp_url")), "utf-8"
    )

    csr, evidence = tmp_path / "request.csr", tmp_path / "evidence.txt"
    company = samples.company(3)
    csr.write_bytes(_request(company["name"]))
    evidence.write_text("business register, extract")
    shared = ("--home", home)
    status, answer = ask(
        "ca", "apply", csr, "--organisation", company["name"], "--common-name", company["name"],
        "--code", company["credit_code"], "--actor", "chen", *shared,
    )  # fmt: skip
    assert status == ExitCode.DONE
    application, chain = answer["application"], tmp_path / "chain.pem"
    # Nobody approves alone, and nobody approves what was not proofed.
    assert ask("ca", "approve", application, "-o", chain, "--actor", "zhao", *shared)[0] == ExitCode.ERROR
    proofing = ("--method", "business_register", "--source", "register", "--evidence", evidence)
    assert ask("ca", "proof", application, *proofing, "--actor", "wang", *shared)[0] == ExitCode.DONE
    assert ask("ca", "approve", application, "-o", chain, "--actor", "wang", *shared)[0] == ExitCode.ERROR
    status, answer = ask("ca", "approve", application, "-o", chain, "--actor", "zhao", *shared)
    assert status == ExitCode.DONE
    assert ask("ca", "revoke", answer["serial"], "--reason", "superseded", *shared)[0] == ExitCode.DONE
    # What is not right is rejected, and after a crash there is a way to put things right.
    status, second = ask(
        "ca", "apply", csr, "--organisation", company["name"], "--common-name", company["name"],
        "--code", company["credit_code"], "--actor", "chen", *shared,
    )  # fmt: skip
    no = ("ca", "reject", second["application"], "--reason", "公章与登记不符", "--actor", "zhao", *shared)
    assert [ask(*no)[0] for _ in range(2)] == [ExitCode.DONE, ExitCode.ERROR]
    assert ask("ca", "reconcile", *shared)[1] == {"applications": [], "serials": []}
    status, certificates = ask("ca", "certificates", *shared)
    assert {row["serial"] for row in certificates} >= {answer["serial"]}

    applications = tmp_path / "applications.csv"
    applications.write_bytes(samples.applications_csv())
    status, answer = ask("licence", "issue", applications, "-o", tmp_path / "out", *shared)
    assert status == ExitCode.FAILED  # some rows are faulty
    assert len(answer["issued"]) >= 30
    # The same file again leads to no second licence; resumed, it hands out what was issued.
    again = ("licence", "issue", applications, "-o", tmp_path / "again", *shared)
    assert ask(*again)[0] == ExitCode.ERROR
    status, resumed = ask(*again, "--resume", "--processes", "1")
    assert (status, resumed["issued"], resumed["batch"]) == (ExitCode.FAILED, [], answer["batch"])
    assert sorted(resumed["before"]) == sorted(answer["issued"])
    assert {path.stem for path in (tmp_path / "again").iterdir()} == set(answer["issued"])
    licence = answer["issued"][0]
    why = ("--ground", "行政许可法", "--document", "津审〔2026〕1号")
    reported = (*why, "--cause", "death_reported")
    assert ask("licence", "suspend", licence, *reported, *shared)[0] == ExitCode.DONE
    assert ask("licence", "suspend", licence, *why, *shared)[0] == ExitCode.ERROR
    assert ask("licence", "show", licence, *shared)[1]["state"] == "suspended"
    contested = (*why, "--cause", "death_contested")
    assert ask("licence", "resume", licence, *contested, *shared)[0] == ExitCode.DONE
    assert ask("licence", "end", licence, "--kind", "revoked", *why, *shared)[0] == ExitCode.DONE
    assert ask("licence", "show", licence, *shared)[1]["state"] == "revoked"
    # What is read opens with the passphrase too: none is kept in this home.
    history = ask("licence", "history", licence, *shared)[1]["versions"][0]
    assert [one["kind"] for one in history["events"]] == ["suspended", "resumed", "revoked"]
    assert ask("correction", "list", "--state", "open", *shared) == (ExitCode.DONE, [])
    _, shown = ask("licence", "show", answer["issued"][8], *shared)
    claims = tmp_path / "claims.json"
    claims.write_text(json.dumps(shown["claims"], ensure_ascii=False), "utf-8")
    status, new = ask(
        "licence",
        "replace",
        answer["issued"][8],
        "--claims",
        claims,
        "-o",
        tmp_path / "new.pdf",
        *why,
        *shared,
    )
    assert (status, new["version"]) == (ExitCode.DONE, "002")
    assert ask("verify", tmp_path / "new.pdf", *shared)[0] == ExitCode.DONE


def test_one_process_serves_a_sqlite_home(played: Played) -> None:
    home = played.home
    with running(home, ["ca"]):
        url = ROLES["ca"].url(home)
        with urllib.request.urlopen(f"{url}/crl/root.crl", timeout=5) as answer:  # noqa: S310 - our own
            assert answer.headers["Content-Type"] == "application/pkix-crl"
        with pytest.raises(Conflict), running(Home.open(played.directory), ["issuer"]):
            pass
    assert not [thread for thread in threading.enumerate() if thread.name == "yinxin-serve"]


def test_a_folder_that_is_no_home_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "log", "--home", str(tmp_path), "--lang", "zh"]) == ExitCode.ERROR
    said = capsys.readouterr().err
    assert "未找到" in said
    assert "ca init" in said


def _request(name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(ec.SECP256R1())
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def test_serving_without_its_extra_says_what_to_install(
    played: Played, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yinxin.app.serve.SERVICE_PARTS", ("fastapi", "no_such_part"))
    assert run(["serve", "--role", "ca", "--home", str(played.directory)]) == ExitCode.USAGE
    assert "yinxin[service]" in capsys.readouterr().err
