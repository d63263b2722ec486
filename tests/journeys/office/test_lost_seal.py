"""The bureau's seal key is lost: told by commands and over HTTP only, from the first licence to the last.

A time-stamp authority runs beside, so that some of what was sealed is proved to be from before.
"""

from __future__ import annotations

import csv
import io
import json
import socket
import time
from contextlib import ExitStack, redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from world.asgi import Client
from world.desk import plain_pdf
from world.homes import make_home

from credentials import samples
from credentials.office.proofs import KeyProofs
from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.app import wiring
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.home import Home
from yinxin.app.office import office_app
from yinxin.app.serve import running
from yinxin.base.actor import staff
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENCY, FOOD, PASSPHRASE = samples.AGENCY, "food-business-licence", "correct horse"
WHY = {"ground": "密钥介质遗失", "document_number": "津印失〔2026〕1号"}
WHY_OPTIONS = ("--ground", WHY["ground"], "--document", WHY["document_number"])


class Bureau:
    """The home, its people with their keys, and how one speaks to it."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.folder, self.place = folder, folder / "office"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        plan = Plan(AGENCY.name.zh, AGENCY.name.en, AGENCY.credit_code, ca_url=f"http://127.0.0.1:{port}")
        make_home(self.place, plan, clock=SystemClock())
        self.home = Home.open(self.place)
        closing.enter_context(running(self.home, ["ca"]))
        self.say("staff", "first", "sun", "--name", "孙丽", "--witness", "wu", "--actor", "he")
        for name, role in (("li", "clerk"), ("zhao", "approver"), ("he-keeper", "keeper")):
            self.say("staff", "add", name, "--name", "某某", "--role", role, "--actor", "sun")
            with redirect_stdout(io.StringIO()):
                assert run(["staff", "new-key", str(self.key(name))]) == 0
            self.say("staff", "key", name, str(self.key(name).with_suffix(".pub.pem")), "--actor", "sun")
        self.client = Client(office_app(self.home, wiring.Stage(closing)))
        self.tokens = {name: self.token(name) for name in ("zhao", "he-keeper", "li")}

    def say(self, *words: str | Path, expected: int = 0) -> Any:
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = run([*map(str, words), "--home", str(self.place), "--json", "--lang", "en"])
        assert status == expected, (words, printed.getvalue())
        return json.loads(printed.getvalue() or "null")

    def keeper(self, *words: str | Path, expected: int = 0) -> Any:
        own = ("--actor", "he-keeper", "--key", self.key("he-keeper"))
        return self.say("seal", *words, *own, expected=expected)

    def approve(self, request: str) -> Any:
        """Zhao looks at a request over HTTP and signs its digest."""
        seen = self.call("zhao", "GET", f"/v1/seal-requests/{request}").json()
        actor = staff("zhao", agency=AGENCY.credit_code, roles=("approver",))
        proof = KeyProofs.make(bytes.fromhex(seen["digest"]), actor, self.signer("zhao"))
        answer = self.call("zhao", "POST", f"/v1/seal-requests/{request}/approve", {"proof": proof})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def signer(self, name: str) -> FileSigner:
        return FileSigner.open(self.key(name), passphrase=PASSPHRASE)

    def token(self, name: str) -> str:
        signer, url = self.signer(name), self.home.settings.office_url.rstrip("/")
        now = int(time.time())
        claims = {"iss": name, "sub": name, "aud": url, "iat": now, "exp": now + 60, "jti": f"{name}-{now}"}
        form = {
            "grant_type": "client_credentials",
            "scope": "office",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": sign_jws(claims, signer, headers={"typ": "JWT"}),
        }
        answer = self.client.post("/v1/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def call(self, name: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.tokens[name]}", "Content-Type": "application/json"}
        return self.client.request(method, path, headers=headers, content=dump_json(body or {}))

    def issue(self, *indexes: int, expected: int = 0) -> list[str]:
        claims = [samples.application(FOOD, index) for index in indexes]
        file, out = self.folder / f"{indexes[0]}.csv", io.StringIO()
        writer = csv.DictWriter(out, list(dict.fromkeys(name for one in claims for name in one)))
        writer.writeheader()
        writer.writerows(
            {name: "；".join(cell) if isinstance(cell, list) else cell for name, cell in one.items()}
            for one in claims
        )
        file.write_text(out.getvalue(), "utf-8")
        words = ("licence", "issue", file, "--type", FOOD, "-o", self.folder / "out", "--actor", "li")
        answer = self.say(*words, expected=expected)
        return answer["issued"] if answer else []

    def verdict(self, licence: str) -> int:
        """The exit status of a verification that everybody can do, without the register."""
        words = [str(self.folder / "out" / f"{licence}.pdf"), "--trust", str(self.place / "trust")]
        lists = [
            word for one in ("root", "issuing") for word in ("--crl", f"{self.place}/revocation/{one}.crl")
        ]
        with redirect_stdout(io.StringIO()):
            return run(["verify", *words, *lists, "--json"])


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as closing:
        patch.setenv("YINXIN_KEY_PASSPHRASE", PASSPHRASE)
        yield Bureau(tmp_path_factory.mktemp("lost"), closing)


def test_the_seals_key_is_lost(bureau: Bureau) -> None:
    before = bureau.issue(1, 2)
    time.sleep(1.1)  # a list counts whole seconds
    lost = datetime.now(UTC).isoformat(timespec="seconds")
    late = bureau.issue(3, 4, 5)
    letter = bureau.folder / "letter.pdf"
    letter.write_bytes(plain_pdf())
    bureau.say("seal", letter, "--actor", "li")

    # The seal was in use before anybody kept the register, and its uses are in the log all the same.
    (seal,) = bureau.say("seal", "list", "--actor", "he-keeper")
    assert (seal["state"], seal["from_before"]) == ("in_use", True)
    wiring.sequencer(bureau.home).run_once()
    uses = bureau.say("seal", "uses", seal["id"], "--prove", bureau.folder / "proofs", "--actor", "he-keeper")
    assert [one["licence"] for one in uses] == [*before, *late, None]
    assert all(one["proof"] for one in uses)

    # He tells the loss: the seal stops at once, and what it sealed is looked at.
    told = bureau.keeper("compromise", seal["id"], "--since", lost, *WHY_OPTIONS, expected=1)
    assert (told["state"], told["verdicts"]) == ("planned", {"before": 2, "late": 3, "unreadable": 1})
    assert bureau.issue(6, expected=4) == []
    shown = bureau.call("he-keeper", "GET", f"/v1/seals/{seal['id']}").json()
    assert (shown["state"], shown["alarms"][0]["kind"]) == ("stopped", "not_in_use")

    # Zhao agrees; the authority says since when the key is not to be trusted.
    assert {bureau.verdict(one) for one in (*before, *late)} == {0}
    assert bureau.approve(told["request"])["agreed_by"] == "zhao"
    assert [bureau.verdict(one) for one in before] == [0, 0]
    assert 0 not in {bureau.verdict(one) for one in late}

    # A new seal, by two people, with a new key of three.
    waits = bureau.keeper("compromise", seal["id"], "--since", lost, *WHY_OPTIONS, expected=1)
    assert waits["states"] == {"kept": 2, "left": 1, "open": 3}
    remade = bureau.call(
        "he-keeper", "POST", f"/v1/seals/{seal['id']}/remake", {"reason": "leak", "key": "seal"}
    ).json()
    (request,) = bureau.say("seal", "requests", "--actor", "zhao")
    bureau.approve(request["id"])
    bureau.keeper("make", remade["id"], "--people", "chen", "wang", "sun")
    bureau.keeper("file", remade["id"], "--number", "津印备〔2026〕10号")
    new = bureau.keeper("begin", remade["id"])
    assert (new["state"], new["replaces"], new["remade_for"]) == ("in_use", seal["id"], "leak")

    # The same command again goes on, and ends.
    done = bureau.keeper("compromise", seal["id"], "--since", lost, *WHY_OPTIONS)
    assert (done["state"], done["states"]) == ("done", {"kept": 2, "left": 1, "resealed": 3})
    assert bureau.keeper("compromise", seal["id"], "--since", lost, *WHY_OPTIONS) == done
    for one in late:
        assert bureau.say("licence", "show", one)["state"] == "superseded"
    for one in before:
        assert bureau.say("licence", "show", one)["state"] == "in_force"
    items = bureau.call("he-keeper", "GET", f"/v1/seal-drills/{done['id']}/items").json()["items"]
    made = [one["result"] for one in items if one["state"] == "resealed"]
    assert [bureau.say("licence", "show", one)["version"] for one in made] == ["002"] * 3

    # Nobody has a grant on the new seal yet: two people give one, with hours and a limit.
    assert bureau.issue(7, expected=4) == []
    asked = bureau.keeper("grant", remade["id"], "--to", "role:clerk", "--type", FOOD, "--daily-limit", "2")
    bureau.approve(asked["id"])
    assert len(bureau.issue(8, 9)) == 2
    assert bureau.issue(10, expected=4) == []
    shown = bureau.say("seal", "show", remade["id"], "--actor", "he-keeper")
    assert ([one["kind"] for one in shown["alarms"]], shown["uses_today"]) == (["over_limit", "no_grant"], 5)
    listed = bureau.say("seal", "list", "--actor", "he-keeper")
    assert {one["id"]: one["state"] for one in listed}[seal["id"]] == "cancelled"


def test_who_may_not_is_told_so(bureau: Bureau) -> None:
    (seal, *_) = bureau.say("seal", "list", "--actor", "he-keeper")
    for name, path in (("li", "/v1/seals"), ("li", f"/v1/seals/{seal['id']}/uses")):
        assert bureau.call(name, "GET", path).status_code == 403
    assert bureau.call("li", "POST", f"/v1/seals/{seal['id']}/stop", WHY).status_code == 403
    assert bureau.call("he-keeper", "GET", "/v1/seals/seal-none").status_code == 404
    assert bureau.call("he-keeper", "POST", f"/v1/seals/{seal['id']}/melt", {}).status_code == 404
    for wrong in ({}, {"ground": 1, "document_number": "x"}):
        assert bureau.call("he-keeper", "POST", f"/v1/seals/{seal['id']}/stop", wrong).status_code == 400
    for wrong in ({"grantee": "*"}, {"grantee": "*", "types": ["*"], "hours": ["x", "y"]}):
        answer = bureau.call("he-keeper", "POST", f"/v1/seals/{seal['id']}/grants", wrong)
        assert answer.status_code in {400, 422}
    since = {"since": "yesterday", **WHY}
    assert bureau.call("he-keeper", "POST", f"/v1/seals/{seal['id']}/compromise", since).status_code == 400


def test_the_credential_key_is_lost_too(bureau: Bureau) -> None:
    """Refreshing brings fresh copies; the codes on paper were signed by the lost key and fail."""
    lost = ("--since", datetime.now(UTC).isoformat(timespec="seconds"), *WHY_OPTIONS)
    old = bureau.home.chain("credential")[0]
    told = bureau.keeper("credential-key", *lost, expected=1)
    assert (told["state"], told["certificate"]) == ("planned", old.fingerprint)
    assert bureau.home.chain("credential")[0] != old
    assert bureau.keeper("credential-key", *lost, expected=1)["id"] == told["id"]
    own = ("--actor", "zhao", "--key", bureau.key("zhao"))
    assert bureau.say("seal", "approve", told["request"], *own)["agreed_by"] == "zhao"
    assert bureau.keeper("credential-key", *lost)["state"] == "done"
    listed = bureau.home.revocation.status(old, bureau.home.chain("credential")[1], at=datetime.now(UTC))
    assert (listed.state, listed.reason) == ("revoked", "key_compromise")
