"""Three people of a trust office keep a list; a verifier elsewhere looks at it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world.pki import TestAuthority

from signing.signers.file import FileSigner
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.base.files import write_new_file

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "three people in one room"
ROOT = """
name = "jincheng"
version = {version}
threshold = 2
expires_at = 2100-01-01T00:00:00Z
keys = {keys}
"""
LIST = """
name = "jincheng"
version = 1
root_version = 1
next_update = {next_update}
[[anchors]]
certificate = "city.pem"
usages = ["seal", "credential"]
label = {{ zh = "津城根", en = "Jincheng root" }}
[[issuers]]
name = {{ zh = "津城区市场监管局", en = "Jincheng market bureau" }}
credit_code = "11120101MB1A000000"
certificates = ["bureau.pem"]
hosts = ["licences.city.example"]
types = [{{ vct = "urn:city:food", status = "granted", since = 2026-01-01T00:00:00Z }}]
"""


class Office:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "passphrase").write_text(PASSPHRASE, encoding="utf-8")
        for name in ("li", "wang", "zhao"):
            key = FileSigner.generate()
            key.save(folder / f"{name}.key", passphrase=PASSPHRASE)
            pem = key.public_key.native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            write_new_file(folder / f"{name}.pem", pem)
        city = TestAuthority("津城根")
        write_new_file(folder / "city.pem", city.certificate.to_pem())
        write_new_file(folder / "bureau.pem", city.issue("bureau", "credential").certificate.to_pem())
        self.write("root.toml", ROOT.format(version=1, keys='["li.pem", "wang.pem", "zhao.pem"]'))
        ends = datetime.now(UTC) + timedelta(days=7)
        self.write("list.toml", LIST.format(next_update=ends.strftime("%Y-%m-%dT%H:%M:%SZ")))

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def ask(self, *words: str) -> tuple[int, Any]:
        self._capsys.readouterr()
        status = run(["trust", "list", *words, "--json"])
        said = self._capsys.readouterr()
        return status, json.loads(said.out or said.err)

    def sign(self, source: str, by: str, output: str) -> int:
        places = [str(self.folder / name) for name in (source, f"{by}.key", output, "passphrase")]
        source, key, output, secret = places
        return self.ask("sign", source, "--key", key, "-o", output, "--passphrase-file", secret)[0]

    def show(self) -> tuple[int, Any]:
        return self.ask("show", str(self.folder / "list.json"), "--root", str(self.folder / "root.json"))


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


def test_two_of_three_people_make_a_list_that_counts(office: Office) -> None:
    assert office.sign("root.toml", "li", "root.json") == ExitCode.DONE
    assert (
        office.ask("fingerprint", str(office.folder / "root.json"))[1]["error"]["code"] == "malformed_input"
    )
    assert office.sign("root.json", "wang", "root.json") == ExitCode.DONE
    status, root = office.ask("fingerprint", str(office.folder / "root.json"))
    assert (status, root["threshold"], len(root["fingerprint"])) == (ExitCode.DONE, 2, 64)
    assert office.sign("list.toml", "li", "list.json") == ExitCode.DONE
    assert "1 of the 2 keys" in office.show()[1]["error"]["detail"]
    assert office.sign("list.json", "li", "list.json") == ExitCode.ERROR  # once is enough
    assert office.sign("list.json", "zhao", "list.json") == ExitCode.DONE
    status, listed = office.show()
    assert status == ExitCode.DONE
    assert listed["issuers"][0]["subjects"] == ["CN=bureau,O=津城测试机构,C=CN"]
    assert (
        run(
            [
                "trust",
                "list",
                "show",
                str(office.folder / "list.json"),
                "--root",
                str(office.folder / "root.json"),
            ]
        )
        == 0
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("root.toml", "threshold = 2", "threshold = 4"),
        ("root.toml", "threshold = 2", ""),
        ("root.toml", '"li.pem"', '"li.key"'),
        ("root.toml", "2100-01-01T00:00:00Z", "2100-01-01"),
        ("list.toml", '"seal"', '"everything"'),
        ("list.toml", "granted", "perhaps"),
        ("list.toml", "hosts = [", "hosts = ['https://x', "),
        ("list.toml", "[[anchors]]", "[anchors]"),
        ("list.toml", "credit_code", "credit_kode"),
    ],
)
def test_what_is_written_wrongly_is_not_shown_as_right(office: Office, name: str, old: str, new: str) -> None:
    office.write(name, (office.folder / name).read_text(encoding="utf-8").replace(old, new))
    for source in ("root", "list"):
        for people in ("li", "wang"):
            office.sign(f"{source}.toml" if people == "li" else f"{source}.json", people, f"{source}.json")
    status, said = (
        office.show() if (office.folder / "list.json").exists() else (ExitCode.ERROR, {"error": {}})
    )
    assert status == ExitCode.ERROR
    assert "error" in said


def test_what_changes_is_told_before_anybody_signs(office: Office) -> None:
    for by, source in (("li", "list.toml"), ("wang", "list.json")):
        office.sign(source, by, "list.json")
    same = office.ask("diff", str(office.folder / "list.json"), str(office.folder / "list.toml"))
    assert same == (ExitCode.DONE, {"changes": []})
    text = (office.folder / "list.toml").read_text(encoding="utf-8")
    more = """types = [
      { vct = "urn:city:food", status = "granted", since = 2026-01-01T00:00:00Z },
      { vct = "urn:city:food", type_code = "1112", status = "suspended", since = 2026-05-01T00:00:00Z },
    ]"""
    changed = text.replace("version = 1\n", "version = 2\n", 1).replace('"seal", ', "")
    office.write("next.toml", re.sub(r"types = .*", more, changed))
    places = [str(office.folder / name) for name in ("list.json", "next.toml")]
    status, said = office.ask("diff", *places)
    assert status == ExitCode.FAILED
    told = [(one["sign"], one["en"].split(" ")[0]) for one in said["changes"]]
    assert told == [("~", "version"), ("-", "trust"), ("+", "trust"), ("+", "Jincheng")]
    assert (
        said["changes"][-1]["zh"]
        == "津城区市场监管局（11120101MB1A000000）自 2026-05-01 起暂停签发：urn:city:food"
    )
    back = office.ask("diff", *reversed(places))[1]["changes"]
    assert any("nobody will take it" in one["en"] for one in back)
    assert office.ask("diff", str(office.folder / "root.toml"), places[1])[0] == ExitCode.ERROR


@pytest.mark.parametrize(
    ("old", "new"), [("granted", "perhaps"), ('"seal"', '"everything"'), ("city.example", "City")]
)
def test_nobody_signs_what_no_verifier_would_read(office: Office, old: str, new: str) -> None:
    office.write("list.toml", (office.folder / "list.toml").read_text(encoding="utf-8").replace(old, new))
    assert office.sign("list.toml", "li", "list.json") == ExitCode.ERROR
    assert not (office.folder / "list.json").exists()
