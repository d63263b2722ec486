"""A district takes its old register over: four thousand rows, killed twice, then every night what changed.

By commands and over HTTP only, in one home of its own.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
from world.homes import make_home
from world.legacy import MAPPING, PROVINCE, csv_bytes, old_row

from credentials import samples
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

AGENCY, ROWS = samples.AGENCY, 4000  # 200,000 in the campaign
PASSPHRASE = "correct horse"


class Bureau:
    """The home, its people with their keys, and how one speaks to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, folder / "office"
        make_home(self.place, Plan(AGENCY.name.zh, AGENCY.name.en, AGENCY.credit_code), clock=SystemClock())
        settings = self.place / "yinxin.toml"
        kept = [line for line in settings.read_text("utf-8").splitlines() if "timestamp_url" not in line]
        settings.write_text("\n".join(kept), "utf-8")  # no time-stamp authority runs here
        self.say("staff", "first", "sun", "--name", "孙丽", "--witness", "wu", "--actor", "he")
        for name, role in (("li", "clerk"), ("zhao", "approver")):
            self.say("staff", "add", name, "--name", "某某", "--role", role, "--actor", "sun")
            with redirect_stdout(io.StringIO()):
                assert run(["staff", "new-key", str(self.key(name))]) == 0
            self.say("staff", "key", name, str(self.key(name).with_suffix(".pub.pem")), "--actor", "sun")

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def words(self, *words: str | Path) -> list[str]:
        return [*map(str, words), "--home", str(self.place), "--json", "--lang", "en"]

    def say(self, *words: str | Path, expected: int = 0) -> Any:
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = run(self.words(*words))
        assert status == expected, (words, printed.getvalue())
        return json.loads(printed.getvalue() or "null")

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def killed(self, *words: str | Path, after: int) -> None:
        """Run an import in a process of its own and kill it when its report tells of so many rows."""
        report = self.folder / f"killed-{after}.jsonl"
        command = [sys.executable, "-c", "from yinxin.app.cli import main; main()"]
        command += self.words(*words, "--report", report)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and _lines(report) < after:
            time.sleep(0.02)
        assert process.poll() is None, "it ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def count(self) -> int:
        listed = self.say("legacy", "list", "--actor", "li")
        return sum(one["licences"] for one in listed)


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Any:
    before = {name: os.environ.get(name) for name in ("YINXIN_KEY_PASSPHRASE",)}
    os.environ |= dict.fromkeys(before, PASSPHRASE)
    yield Bureau(tmp_path_factory.mktemp("bureau"))
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def _lines(report: Path) -> int:
    return report.read_bytes().count(b"\n") if report.exists() else 0


def agree(bureau: Bureau, mapping: Path, register: str) -> None:
    bureau.say("legacy", "propose", "--mapping", mapping, "--actor", "li")
    bureau.say("legacy", "agree", register, "--actor", "zhao", "--key", bureau.key("zhao"))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_four_thousand_rows_killed_twice(bureau: Bureau) -> None:
    rows = [old_row(index) for index in range(1, ROWS + 1)]
    rows[7] = old_row(8, 发证日期="2015.3.1", 统一社会信用代码=f" {rows[7]['统一社会信用代码']}")
    rows[9] = old_row(10, 统一社会信用代码="91120199MA00000000")
    rows[11] = old_row(12, 经营者名称="王小二饭馆", 发证日期="昨天")
    file, mapping = bureau.write("old.csv", csv_bytes(rows)), bureau.write("food.toml", MAPPING)
    act = ("--mapping", mapping, "--actor", "li")

    # A dry run says what would become of it, in a private file; the terminal has no word of a row.
    report = bureau.folder / "check.jsonl"
    checked = bureau.say("legacy", "check", file, *act, "--report", report, expected=1)
    assert checked["outcomes"]["new"] == ROWS - 2
    assert checked["verdicts"] == {"usable": ROWS - 3, "fixable": 1, "refused": 2}
    assert "王小二" not in json.dumps(checked, ensure_ascii=False)
    assert report.stat().st_mode & 0o777 == 0o600
    told = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert [one["row"] for one in told if one["verdict"] == "refused"] == [11, 13]
    assert told[7]["values"][0] == {"column": "发证日期", "before": "2015.3.1", "after": "2015-03-01"}

    # Nobody takes it over on their own word.
    bureau.say("legacy", "propose", *act)
    refused = report.with_name("refused.csv")
    bureau.say("legacy", "import", file, *act, "--report", refused, expected=ExitCode.ERROR)
    assert not refused.exists()  # the same command works once the mapping is agreed to
    own = ("--actor", "li", "--key", bureau.key("li"))
    bureau.say("legacy", "agree", "food-2012", *own, expected=ExitCode.ERROR)
    agree(bureau, mapping, "food-2012")

    # Killed twice on the way, it ends where one walk would have.
    for rows_told in (500, 1500):
        bureau.killed("legacy", "import", file, *act, after=rows_told)
        assert rows_told - 2 <= bureau.count() < ROWS - 2
    done = bureau.say("legacy", "import", file, *act, expected=1)
    assert done["outcomes"]["new"] + done["outcomes"]["same"] == bureau.count() == ROWS - 2
    assert done["outcomes"]["same"] >= 1498
    again = bureau.say("legacy", "import", file, *act, expected=1)
    assert (again["outcomes"]["same"], again["outcomes"]["refused"]) == (ROWS - 2, 2)

    # The next night: one moved, one is new, one ended there.
    night = [
        old_row(1, 住所="津城市津城区新址路1号", 更新时间="2026-10-02 01:00:00"),
        old_row(ROWS + 1, 更新时间="2026-10-02 01:01:00"),
        old_row(2, 状态="注销", 状态日期="2026-10-01", 更新时间="2026-10-02 01:02:00"),
        old_row(3, 住所="早已不是", 更新时间="2019-01-01 00:00:00"),
    ]
    late = bureau.write("night.csv", csv_bytes(night))
    followed = bureau.say("legacy", "import", late, *act, "--catch-up")
    assert {name: count for name, count in followed["outcomes"].items() if count} == {
        "changed": 2,
        "new": 1,
        "before": 1,
    }
    (register,) = bureau.say("legacy", "list", "--actor", "li")
    assert register["cursor"] == "2026-10-01T17:02:00+00:00"
    assert register["sealed"] == 0

    # The old system may not add after the day that an approver named.
    own = ("--actor", "zhao", "--key", bureau.key("zhao"))
    bureau.say("legacy", "close", "food-2012", "--on", "2026-10-31", *own)
    after = bureau.write("after.csv", csv_bytes([old_row(ROWS + 9, 更新时间="2026-11-01 10:00:00")]))
    closed = bureau.say("legacy", "import", after, *act, expected=1)
    assert closed["outcomes"]["refused"] == 1

    # One holder comes: the licence says where it is from, and is sealed then.
    number = old_row(8)["许可证编号"]
    shown = bureau.say("licence", "show", number)
    assert shown["provenance"]["issued_on"] == "2015-03-01"
    assert shown["provenance"]["text"]["zh"].startswith("依据纸质档案录入，未经复核")
    bureau.say("licence", "offer", shown["identifier"], "--evidence", "柜台", "--actor", "li")
    (register,) = bureau.say("legacy", "list", "--actor", "li")
    assert register["sealed"] == 1


def test_what_the_province_issued_is_known_and_left_alone(bureau: Bureau) -> None:
    mapping = bureau.write("drug.toml", PROVINCE)
    row = {
        "编号": "海药许20200001",
        "发证日期": "2020-05-01",
        "有效期至": "2030-04-30",
        "统一社会信用代码": samples.credit_code(7),
    }
    file = bureau.write("drug.csv", csv_bytes([row]))
    agree(bureau, mapping, "drug-province")
    bureau.say("legacy", "import", file, "--mapping", mapping, "--actor", "li", "--seal")
    (known,) = bureau.say("legacy", "foreign", "海药许20200001")
    assert known["issued_here"] is False
    assert known["verify_at"] == "https://mpa.haihe.example/verify"
    bureau.say("licence", "show", "海药许20200001", expected=ExitCode.ERROR)
    why = ("--ground", "g", "--document", "1", "--kind", "revoked", "--actor", "li")
    bureau.say("licence", "end", "海药许20200001", *why, expected=ExitCode.ERROR)
