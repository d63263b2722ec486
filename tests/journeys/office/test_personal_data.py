"""A citizen asks what the bureau holds, has it erased, and the keys of everybody else's data change.

By the command line only, on a copy of the demo's home.
"""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

from yinxin.app.cli import run

if TYPE_CHECKING:
    from pathlib import Path

    from journeys.conftest import Played

WHY = ("--ground", "个人信息保护法第四十七条", "--document", "信申〔2026〕1号")
PASSPHRASE = "a passphrase of my own"


class Bureau:
    """A home, and how its people speak to it."""

    def __init__(self, folder: Path) -> None:
        self.home, self.keys = folder / "office", folder / "keys"
        self.keys.mkdir()

    def say(self, *words: str, expected: int = 0) -> Any:
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = run([*words, "--home", str(self.home), "--json", "--lang", "en"])
        assert status == expected, (words, printed.getvalue())
        return json.loads(printed.getvalue() or "null")

    def key_of(self, name: str) -> str:
        path = self.keys / f"{name}.pem"
        with redirect_stdout(io.StringIO()):
            assert run(["staff", "new-key", str(path)]) == 0
        return str(path)

    def registrars(self) -> dict[str, str]:
        """Sun and Qian, each with a key that the other registered."""
        self.say(
            "staff",
            "first",
            "registrar-sun",
            "--name",
            "孙丽",
            "--witness",
            "witness-wu",
            "--actor",
            "head-he",
        )
        self.say(
            "staff",
            "add",
            "registrar-qian",
            "--name",
            "钱进",
            "--role",
            "registrar",
            "--actor",
            "registrar-sun",
        )
        people = {"registrar-sun": "registrar-qian", "registrar-qian": "registrar-sun"}
        keys = {}
        for name, other in people.items():
            keys[name] = self.key_of(name)
            self.say("staff", "key", name, keys[name].replace(".pem", ".pub.pem"), "--actor", other)
        return keys

    def set(self, line: str) -> None:
        place = self.home / "yinxin.toml"
        place.write_text(line + "\n" + place.read_text("utf-8"), "utf-8")

    def raw(self, query: str) -> list[Any]:
        connection = sqlite3.connect(self.home / "yinxin.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@pytest.fixture
def bureau(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bureau:
    monkeypatch.setenv("YINXIN_KEY_PASSPHRASE", PASSPHRASE)
    shutil.copytree(played.directory, tmp_path / "office")
    return Bureau(tmp_path)


def a_physician(bureau: Bureau) -> dict[str, Any]:
    untouched = "identifier NOT IN (SELECT licence FROM licence_event)"
    query = f"SELECT identifier FROM licence WHERE type_code = 'physician-certificate' AND {untouched}"  # noqa: S608 - words of ours
    shown: dict[str, Any] = bureau.say("licence", "show", bureau.raw(query)[0][0])
    return shown


def test_a_citizen_is_told_everything_and_then_forgotten(bureau: Bureau, tmp_path: Path) -> None:
    keys = bureau.registrars()
    licence = a_physician(bureau)
    person = licence["holder"]["code"]

    told = bureau.say(
        "person", "export", person, "--to", str(tmp_path / "given"), *WHY, "--actor", "registrar-sun"
    )
    assert told["documents"] == 1
    held = json.loads((tmp_path / "given" / "held.json").read_text("utf-8"))
    assert licence["identifier"] in {one["key"] for one in held["held"]}

    planned = bureau.say("person", "erasure", person, *WHY, "--actor", "registrar-sun")
    assert planned["going"] == []  # the licence is in force
    end = ("--kind", "deregistered", "--ground", "执业医师法", "--document", "津卫〔2026〕1号")
    bureau.say("licence", "end", licence["identifier"], *end, "--actor", "clerk-li")
    (tmp_path / "office" / "keep.toml").write_text("[licence]\nyears_after_end = 0\n", "utf-8")
    bureau.set('retention_file = "keep.toml"')

    planned = bureau.say("person", "erasure", person, *WHY, "--actor", "registrar-sun")
    assert [one["key"] for one in planned["going"] if one["kind"] == "licence"] == [licence["identifier"]]
    agree = ("person", "agree", planned["id"])
    bureau.say(*agree, "--key", keys["registrar-sun"], "--actor", "registrar-sun", expected=4)
    bureau.say(*agree, "--key", keys["registrar-sun"], "--actor", "registrar-qian", expected=4)
    bureau.say("person", "erase", planned["id"], "--actor", "registrar-sun", expected=4)
    bureau.say(*agree, "--key", keys["registrar-qian"], "--actor", "registrar-qian")
    assert bureau.say("person", "erase", planned["id"], "--actor", "registrar-sun")["licence"] == 1

    after = bureau.say("licence", "show", licence["identifier"])
    assert (after["holder"], after["claims"]) == ({"name": "", "code": ""}, {})
    assert after["erased_at"]
    bureau.say("audit", "check")  # what was proven before is proven still


def test_keys_change_and_nobody_reads_without_them(bureau: Bureau) -> None:
    before = a_physician(bureau)
    first = bureau.raw("SELECT claims FROM licence ORDER BY identifier")
    (bureau.home / "data.key").write_text("ab" * 32, "ascii")
    bureau.set('personal_data_keys = ["file:data.key", "home:"]')
    assert bureau.say("person", "seal")["rows"] >= len(first)
    assert bureau.say("person", "seal")["rows"] == 0
    place = bureau.home / "yinxin.toml"
    place.write_text(place.read_text("utf-8").replace(', "home:"]', "]"), "utf-8")
    assert a_physician(bureau)["claims"] == before["claims"]
    (bureau.home / "data.key").write_text("cd" * 32, "ascii")
    bureau.say("licence", "show", before["identifier"], expected=4)
