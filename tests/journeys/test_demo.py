"""The demo, and what programs of other makers say about what it made."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier
from world.codes import read_codes

from credentials.printed_code import read
from credentials.sd_jwt import SdJwt
from signing.pdf import attachments
from signing.signers.file import FileSigner
from wallet.holder import Holder
from yinxin.app.cli import run
from yinxin.base.audit import AuditLog
from yinxin.base.errors import SignerUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from journeys.conftest import Played

FORMS = ("sd-jwt-vc", "mdoc")


def peer(program: str, package: str, *arguments: str | Path) -> str:
    """Run a program of other makers, or skip with its install command."""
    if not shutil.which(program):
        pytest.skip(f"{program} is not here: apt-get install {package}")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_every_answer_is_the_right_one(played: Played) -> None:
    expected = {
        "the sealed PDF": "passed",
        "the wallet's presentation (two claims)": "passed",
        "the number on paper": "passed",
        "anybody asks for the number": "passed",
        "shown as SD-JWT VC": "passed",
        "shown as mdoc (ISO/IEC 18013-5)": "passed",
        "an altered PDF": "failed",
        "a stranger's seal": "indeterminate",
        "a presentation made for another department": "failed",
        "a business licence past its last day": "failed",
        "suspended 暂停": "failed",
        "revoked 吊销": "failed",
        "annulled 撤销": "failed",
        "replaced 换发": "failed",
        "the suspended one, presented by its wallet": "failed",
        "version 002": "passed",
        "a letter with the company's seal": "passed",
        "the letter without it": "failed",
        "the receipt itself": "passed",
    }
    assert {what: played.told(what)[0] for what in expected} == expected


def test_every_refusal_has_its_own_reason(played: Played) -> None:
    reasons = {
        "an altered PDF": "hash_failure",
        "a stranger's seal": "no_certificate_chain_found",
        "a presentation made for another department": "wrong_audience",
        "a business licence past its last day": "licence_expired",
        "suspended 暂停": "licence_suspended",
        "revoked 吊销": "licence_revoked",
        "annulled 撤销": "licence_annulled",
        "replaced 换发": "licence_superseded",
        "the letter without it": "no_signature",
    }
    assert {what: played.told(what)[1] for what in reasons} == reasons


def test_a_licence_is_held_and_shown_in_both_forms(played: Played) -> None:
    assert played.told("the wallet fetches both forms of a licence")[1] == "dc+sd-jwt, mso_mdoc"
    assert played.told("shown as mdoc (ISO/IEC 18013-5)")[1] == played.told("shown as SD-JWT VC")[1] != "", (
        "the same of it"
    )
    asked = [(played.directory / "wallets" / f"consent-{form}.txt").read_text("utf-8") for form in FORMS]
    assert all("经营者名称" in text and "不会出示" in text for text in asked)


def test_time_is_asked_about_rightly(played: Played) -> None:
    # Revoked: held before. Annulled: as if it never had. But nobody knew so at the time.
    assert played.told("the revoked one, before its revocation")[0] == "passed"
    assert played.told("the annulled one, asked for the same moment: never valid")[0] == "failed"
    assert played.told("the annulled one, by what was known then")[0] == "passed"


def test_faulty_rows_are_told_and_the_rest_is_issued(played: Played) -> None:
    rows = list(csv.reader((played.directory / "faults.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) >= 8
    assert all(row and int(row[0]) > 1 and row[2] and row[3] for row in rows)
    faulty = {int(row[0]) for row in rows}
    answer, _ = played.told("the file of applications")
    issued, total = (int(number) for number in answer.replace(" of ", " ").split()[:2])
    assert total >= 30
    assert issued == total - len(faulty)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run(["demo", "--directory", str(tmp_path)]) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.peer
def test_pdfsig_and_qpdf_accept_every_licence(played: Played) -> None:
    for licence in played.licences()[:6]:
        said = peer("pdfsig", "poppler-utils", licence)
        assert "Signature is Valid" in said
        assert "Total document signed" in said
        assert "ETSI.CAdES.detached" in said
        assert "No syntax or stream encoding errors" in peer("qpdf", "qpdf", "--check", licence)


@pytest.mark.peer
def test_openssl_verifies_every_certificate_with_its_lists(played: Played, tmp_path: Path) -> None:
    home = played.directory
    lists = tmp_path / "lists.pem"
    text = b""
    for name in ("root", "issuing"):
        target = tmp_path / f"{name}.pem"
        peer(
            "openssl",
            "openssl",
            "crl",
            "-inform",
            "DER",
            "-in",
            home / "revocation" / f"{name}.crl",
            "-out",
            target,
        )
        text += target.read_bytes()
    lists.write_bytes(text)
    for name in ("seal", "credential", "status", "receipt", "timestamp", "ocsp"):
        leaf = home / "keys" / f"{name}.chain.pem"
        said = peer(
            "openssl", "openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile", lists,
            "-CAfile", home / "keys" / "root.chain.pem", "-untrusted", leaf, leaf,
        )  # fmt: skip
        assert said.strip().endswith("OK"), said


def test_the_code_on_the_page_names_the_licence(played: Played) -> None:
    for licence in played.licences()[:8]:
        document = pypdfium2.PdfDocument(licence.read_bytes())
        picture = document[0].render(scale=150 / 72).to_pil()
        document.close()
        (code,) = read_codes(picture)
        said = json.loads(attachments(licence.read_bytes())["licence.json"])
        assert str(read(code.text).identifier) == said["certificate_identifier"]


def test_the_reference_library_reads_our_credential(played: Played) -> None:
    wallet = Holder.open(played.directory / "wallets" / "company", "demo-company")
    contents = wallet._store.read()
    credential = next(iter(contents["copies"].values()))["credential"]
    issuer = json.dumps(played.home.chain("credential")[0].public_key.to_jwk())
    said = SDJWTVerifier(credential, lambda _issuer, _header: JWK.from_json(issuer)).get_verified_payload()
    ours = SdJwt.parse(credential).reveal().claims
    assert said["vct"] == ours["vct"]
    assert said["credit_code"] == ours["credit_code"]
    assert said["cnf"]["jwk"]["kty"] == "EC"


def test_keys_are_encrypted_and_each_has_one_use(played: Played) -> None:
    keys = sorted((played.directory / "keys").glob("*.pem"))
    private = [path for path in keys if not path.name.endswith(".chain.pem")]
    assert len(private) >= 10
    assert all(b"ENCRYPTED PRIVATE KEY" in path.read_bytes() for path in private)
    assert all(path.stat().st_mode & 0o077 == 0 for path in private)
    used = {played.home.chain(name)[0].public_key.fingerprint for name in played.home.key_names()}
    assert len(used) == len(played.home.key_names())


def test_no_secret_and_no_person_stands_in_the_log(played: Played) -> None:
    log = b"".join(
        row.encode()
        for row in (json.dumps(entry.content(), ensure_ascii=False) for entry in _entries(played))
    )
    wallet = Holder.open(played.directory / "wallets" / "counter", "demo-counter")
    names = [str(claims.get("citizen_number") or "") for claims in (one.claims for one in wallet.licences())]
    assert any(names)
    assert not any(name.encode() in log for name in names if name)


def _entries(played: Played) -> list:  # type: ignore[type-arg]
    return AuditLog(played.home.database).entries(limit=1000)


def test_a_key_file_never_opens_without_its_passphrase(played: Played) -> None:
    with pytest.raises(SignerUnavailable):
        FileSigner.open(played.directory / "keys" / "seal.pem", passphrase="wrong")
