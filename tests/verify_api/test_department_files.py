"""Departments written down in a TOML file, and registered by two people on the command line."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.homes import make_home

from credentials import samples
from verify_api.department_files import read_department
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.base.clock import SystemClock
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

DEPARTMENT = """
id = "urn:jincheng:market-counter"
name = { zh = "津城区市场监管窗口", en = "Jincheng market counter" }
credit_code = "91120118MA5K3QWR12"
keys = ["counter.pem"]

[[grants]]
purpose = "market-entry"
matter = "food-licence-renewal"
fields = { business-licence = ["enterprise_name", "credit_code"] }
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "counter.pem").write_bytes(pem)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "secret.pem").write_bytes(secret)
    file = tmp_path / "department.toml"
    code = samples.company(1)["credit_code"]
    file.write_text(DEPARTMENT.replace("91120118MA5K3QWR12", code), encoding="utf-8")
    return file


def test_the_file_says_what_the_registry_keeps(written: Path) -> None:
    department = read_department(written)
    assert department.name.zh == "津城区市场监管窗口"
    assert [key.kind for key in department.keys] == ["P-256"]
    assert department.grants[0].fields == {"business-licence": {"enterprise_name", "credit_code"}}
    assert read_department(written) == department


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('keys = ["counter.pem"]', 'keys = ["secret.pem"]', "private key"),
        ('keys = ["counter.pem"]', 'keys = ["department.toml"]', "no public key"),
        ('keys = ["counter.pem"]', "keys = [3]", "PEM file, or a JWK"),
        ('keys = ["counter.pem"]', "keys = []", "keys is a list"),
        ('keys = ["counter.pem"]', 'keys = [{ kty = "oct", k = "AAAA" }]', "jwk|key"),
        ("credit_code =", "credit_kode =", "credit_code, credit_kode"),
        ("[[grants]]", "[[grants", "not TOML"),
        ('purpose = "market-entry"', "purpose = 3", "another kind"),
        ("fields = {", "fields = [] #", "another kind"),
    ],
)
def test_what_is_wrong_is_named(written: Path, old: str, new: str, why: str) -> None:
    text = written.read_text(encoding="utf-8")
    assert old in text
    written.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(MalformedInput, match=why):
        read_department(written)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=300), at=st.integers(0, 300))
def test_any_text_is_read_or_refused(written: Path, text: str, at: int) -> None:
    broken = DEPARTMENT[:at] + text + DEPARTMENT[at:]
    written.write_text(broken, encoding="utf-8", errors="replace")
    with suppress(YinxinError):
        assert read_department(written).id


def test_two_people_register_a_department(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agency = samples.AGENCY
    plan = Plan(agency.name.zh, agency.name.en, agency.credit_code)
    make_home(tmp_path / "home", plan, clock=SystemClock())

    def ask(*words: str | Path) -> tuple[int, Any]:
        status = run(["department", *map(str, words), "--home", str(tmp_path / "home"), "--json"])
        said = capsys.readouterr()
        return status, json.loads(said.out or said.err)

    _, proposed = ask("propose", written, "--actor", "clerk-li")
    _, waiting = ask("proposals")
    assert [row["id"] for row in waiting] == [proposed["proposal"]]
    status, refused = ask("approve", proposed["proposal"], "--actor", "Clerk-LI")
    assert (status, refused["error"]["code"]) == (ExitCode.ERROR, "not_permitted")
    assert ask("list") == (ExitCode.DONE, [])
    _, approved = ask("approve", proposed["proposal"], "--actor", "registrar-zhao")
    assert (approved["id"], approved["version"]) == ("urn:jincheng:market-counter", 1)
    assert ask("show", approved["id"])[1] == approved
    assert ask("suspend", approved["id"])[0] == ExitCode.DONE
    assert [row["state"] for row in ask("list")[1]] == ["suspended"]
    _, again = ask("propose", written, "--actor", "clerk-li")
    assert ask("reject", again["proposal"])[0] == ExitCode.DONE
    assert ask("show", "urn:jincheng:nobody")[1]["error"]["code"] == "not_found"
