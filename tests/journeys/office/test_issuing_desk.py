"""An agency's case-handling system and three people make licences: by HTTP and the command line only.

One home, served whole on this machine. The system opens a case over HTTP with a key of its own; the people
review, approve and seal at the command line, each with theirs. Then a file of applications goes the same way
as one bundle, and a clerk who tries to approve what is his own is told no.
"""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from world.bundles import as_workbook, rows_of
from world.desks import FOOD
from world.homes import make_home
from world.ports import free_ports

from credentials import samples
from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.serve import running
from yinxin.base.clock import SystemClock
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSPHRASE = "my own passphrase"
ORIGINAL, MENDED = "津城市和平路 18 号", "津城市和平路 18 号一层东侧"


class Agency:
    """A home that is served, and how its people and its system reach it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.home, self.address = folder, folder / "home", address
        self.system_key = FileSigner.generate()

    def say(self, *words: str, status: int = 0) -> Any:
        """A command, with what it answers."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            found = run([*words, "--home", str(self.home), "--json", "--lang", "en"])
        assert found == status, (words, out.getvalue(), err.getvalue())
        return json.loads(out.getvalue() or err.getvalue() or "null")

    def employ(self, name: str, *roles: str) -> None:
        """Somebody enters the directory, makes a key, and the registrar registers its public half."""
        given = [word for role in roles for word in ("--role", role)]
        self.say("staff", "add", name, "--name", name, *given, "--actor", "ren")
        made = io.StringIO()
        with redirect_stdout(made):
            assert run(["staff", "new-key", str(self.key(name)), "--json"]) == 0
        self.say("staff", "key", name, json.loads(made.getvalue())["public"], "--actor", "ren")

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def by(self, name: str) -> tuple[str, ...]:
        """Who acts, by their own key."""
        return ("--actor", name, "--key", str(self.key(name)))

    def file(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    # The case-handling system

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) or body is None else dump_json(body)
        headers = {"Authorization": f"Bearer {token or self.token()}", "Content-Type": "application/json"}
        return send(method, self.address + path, content, headers)

    def token(self) -> str:
        now, name = int(SystemClock().now().timestamp()), "system/permits"
        claims = {"iss": name, "sub": name, "aud": self.address, "iat": now, "exp": now + 60}
        assertion = sign_jws(
            {**claims, "jti": random_text(SystemRandomness())}, self.system_key, headers={"typ": "JWT"}
        )
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, said = send("POST", f"{self.address}/v1/token", urlencode(form).encode(), headers)
        assert status == 200, said
        return str(said["access_token"])


def send(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
    asked = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - our own, on this machine
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - the same
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    folder = tmp_path_factory.mktemp("agency")
    office, ca = free_ports(2)
    plan = Plan(
        samples.AGENCY.name.zh,
        samples.AGENCY.name.en,
        samples.AGENCY.credit_code,
        ca_url=f"http://127.0.0.1:{ca}",
        office_url=f"http://localhost:{office}",
    )
    home = make_home(folder / "home", plan, clock=SystemClock())
    made = Agency(folder, f"http://localhost:{office}")
    with pytest.MonkeyPatch.context() as patch, running(home, ["ca", "office"]):
        patch.setenv("YINXIN_KEY_PASSPHRASE", PASSPHRASE)
        made.say("staff", "first", "ren", "--name", "任", "--actor", "anna", "--witness", "bo")
        made.employ("li", "clerk", "approver")
        made.employ("wang", "reviewer")
        made.employ("zhao", "approver")
        made.say("staff", "system", "permits", "--name", "审批系统", "--actor", "ren")
        public = made.file("permits.pub.pem", made.system_key.public_key.to_pem())
        made.say("staff", "key", "system/permits", public, "--actor", "ren")
        yield made
    home.database.close()


def test_a_case_from_the_agencys_system_to_the_sealed_licence(agency: Agency) -> None:
    claims = samples.application(FOOD, 1)
    body = {"case": "办-2026-0001", "type": FOOD, "claims": {**claims, "business_premises": ORIGINAL}}
    status, case = agency.call("POST", "/v1/licences", body)
    assert (status, case["state"], case["editors"]) == (201, "draft", ["system/permits"])
    assert agency.call("POST", "/v1/licences", body)[0] == 200
    other = {**body, "claims": claims}
    assert agency.call("POST", "/v1/licences", other)[0] == 409
    assert agency.call("POST", f"/v1/cases/{case['id']}/submit", {})[1]["state"] == "in_review"

    # The reviewer finds the address incomplete; the system mends it, which makes another content.
    agency.say("case", "return", "办-2026-0001", "--note", "经营场所不完整", *agency.by("wang"))
    mended = {"type": FOOD, "claims": {**claims, "business_premises": MENDED}}
    status, edited = agency.call("PUT", f"/v1/cases/{case['id']}", mended)
    assert (status, edited["revision"], edited["digest"] != case["digest"]) == (200, 2, True)
    agency.call("POST", f"/v1/cases/{case['id']}/submit", {})

    agency.say("case", "approve", "办-2026-0001", *agency.by("zhao"), status=ExitCode.ERROR)
    agency.say("case", "review", "办-2026-0001", *agency.by("wang"))
    agency.say("case", "seal", "办-2026-0001", *agency.by("li"), status=ExitCode.ERROR)
    agreed = agency.say("case", "approve", "办-2026-0001", *agency.by("zhao"))
    assert [one["by"] for one in agreed["consents"]] == ["wang", "zhao"]
    done = agency.say("case", "seal", "办-2026-0001", *agency.by("li"))

    status, found = agency.call("GET", f"/v1/cases?number={quote('办-2026-0001')}")
    assert (status, found["state"], found["licence"]) == (200, "sealed", done["licence"])
    assert agency.say("licence", "show", done["licence"])["state"] == "in_force"


def test_who_wrote_it_does_not_approve_it_with_any_key(agency: Agency) -> None:
    body = {"case": "办-2026-0002", "type": FOOD, "claims": samples.application(FOOD, 2)}
    draft = agency.file("draft.json", dump_json(body))
    agency.say("case", "draft", draft, *agency.by("li"))
    agency.say("case", "submit", "办-2026-0002", *agency.by("li"))
    agency.say("case", "review", "办-2026-0002", *agency.by("wang"))
    agency.say("case", "approve", "办-2026-0002", *agency.by("li"), status=ExitCode.ERROR)
    agency.say("case", "approve", "办-2026-0002", *agency.by("wang"), status=ExitCode.ERROR)
    # Nor in somebody else's name: the key is not theirs.
    as_zhao = ("--actor", "zhao", "--key", str(agency.key("li")))
    agency.say("case", "approve", "办-2026-0002", *as_zhao, status=ExitCode.ERROR)
    assert agency.call("GET", "/v1/cases?state=in_approval")[1]["cases"][0]["case"] == "办-2026-0002"
    agency.say("staff", "unkey", "wang", the_key(agency, "wang"), "--actor", "ren")
    agency.say("case", "approve", "办-2026-0002", *agency.by("zhao"))
    # The reviewer's key was taken away meanwhile: what it agreed to does not hold any more.
    refused = agency.say("case", "seal", "办-2026-0002", *agency.by("li"), status=ExitCode.ERROR)
    assert "reviewer" in json.dumps(refused)
    agency.say("case", "withdraw", "办-2026-0002", "--note", "重新办理", *agency.by("li"))


@pytest.mark.parametrize("start", ["-", "--", "-O"])
def test_a_thumbprint_that_begins_with_a_dash_is_no_option(agency: Agency, start: str) -> None:
    thumbprint = start + "nyODkt3aMrZ3oGQzhb4ceshOV6lKxFA2mHgTF-iM"
    refused = agency.say("staff", "unkey", "wang", thumbprint, "--actor", "ren", status=ExitCode.ERROR)
    assert refused["error"]["code"] == "not_found"


def test_a_file_of_applications_goes_as_one_bundle(agency: Agency) -> None:
    agency.employ("wu", "reviewer")
    rows = rows_of(4, start=10)
    rows[2]["credit_code"] = "911201"
    file = agency.file("applications.xlsx", as_workbook(rows))
    named = ("--number", "批-2026-01", "--type", FOOD)
    report = agency.say("bundle", "draft", file, *named, *agency.by("li"), status=ExitCode.ERROR)
    assert [(one["row"], one["column"]) for one in report["faults"]] == [(4, "credit_code")]
    assert report["cases"] == {"draft": 3}
    agency.say("bundle", "submit", "批-2026-01", *agency.by("li"))
    agency.say("bundle", "review", "批-2026-01", *agency.by("wu"))
    agency.say("bundle", "approve", "批-2026-01", *agency.by("zhao"))

    # The system seals two now, and the clerk the rest.
    status, first = agency.call("POST", f"/v1/bundles/{report['id']}/seal?at_most=2", {})
    assert (status, len(first["licences"]), first["left"]) == (200, 2, 1)
    last = agency.say("bundle", "seal", "批-2026-01", *agency.by("li"))
    assert (len(last["licences"]), last["left"], last["state"]) == (1, 0, "sealed")
    status, cases = agency.call("GET", f"/v1/bundles/{report['id']}/cases")
    assert {one["state"] for one in cases["cases"]} == {"sealed"}


def test_without_a_key_nobody_comes_in(agency: Agency) -> None:
    assert agency.call("GET", "/v1/cases", token="x.y.z")[0] == 401
    stranger = FileSigner.generate()
    mine, agency.system_key = agency.system_key, stranger
    try:
        with pytest.raises(AssertionError, match="invalid_client"):
            agency.token()
    finally:
        agency.system_key = mine


def the_key(agency: Agency, name: str) -> str:
    (found,) = agency.say("staff", "keys", name, "--actor", "ren")
    return str(found["key"])
