"""An inspector's question is answered with proofs; a dispute ends in a correction: by commands and HTTP."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
from world.asgi import Answer, Client
from world.homes import make_home

from credentials import samples
from credentials.delegations.cards import CARD
from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.home import Home
from yinxin.app.office import office_app
from yinxin.app.wiring import Stage, verifier_app
from yinxin.base.clock import SystemClock
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENCY, FOOD, PASSPHRASE = samples.AGENCY, "food-business-licence", "correct horse"
WHY = {"ground": "《中华人民共和国行政许可法》第四十九条", "document_number": "津审更〔2026〕5号"}
MATTER = ("--matter", "监察〔2026〕3号", "--reason", "群众来信核查")
PEOPLE = (("li", "clerk"), ("wang", "reviewer"), ("zhao", "approver"), ("ma", "inspector"))


class City:
    """A home, its people with their keys, its office and its verification service."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.folder, self.place = folder, folder / "office"
        make_home(self.place, Plan(AGENCY.name.zh, AGENCY.name.en, AGENCY.credit_code), clock=SystemClock())
        settings = self.place / "yinxin.toml"
        kept = [line for line in settings.read_text("utf-8").splitlines() if "timestamp_url" not in line]
        settings.write_text("\n".join(kept), "utf-8")  # no time-stamp authority runs here
        self.home = Home.open(self.place)
        self.say("staff", "first", "sun", "--name", "孙丽", "--witness", "wu", "--actor", "he")
        for name, role in PEOPLE:
            self._person(name, role)
        stage = Stage(closing)
        self.office, self.verifier = (
            Client(office_app(self.home, stage)),
            Client(verifier_app(self.home, stage)),
        )
        self.tokens: dict[str, str] = {}

    def say(self, *words: str | Path, expected: int = 0) -> Any:
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(io.StringIO()):
            status = run([*map(str, words), "--home", str(self.place), "--json", "--lang", "en"])
        assert status == expected, (words, printed.getvalue())
        return json.loads(printed.getvalue() or "null")

    def told(self, *words: str | Path) -> str:
        """The same as a person reads it."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            assert run([*map(str, words), "--home", str(self.place), "--lang", "en"]) == 0
        return printed.getvalue()

    def call(self, name: str, method: str, path: str, body: Any = None) -> Answer:
        """Somebody at the other end of the office's HTTP, by their key."""
        headers = {"authorization": f"Bearer {self._token(name)}", "Content-Type": "application/json"}
        return self.office.request(method, path, headers=headers, content=dump_json(body or {}))

    def handled(self, number: str, **work: Any) -> tuple[str, Path]:
        """A case that three people agree to with their keys: the licence, and its sealed file."""
        self.agreed(number, **work)
        out = self.folder / f"{number}.pdf"
        sealed = self.say("case", "seal", number, "-o", out, *self._as("li"))
        return str(sealed["licence"]), out

    def agreed(self, number: str, **work: Any) -> None:
        file = self.folder / "case.json"
        file.write_bytes(dump_json({"case": number, "type": FOOD, **work}))
        self.say("case", "draft", file, *self._as("li"))
        for step, name in (("submit", "li"), ("review", "wang"), ("approve", "zhao")):
            self.say("case", step, number, *self._as(name))

    @property
    def inspecting(self) -> tuple[str, ...]:
        """What an inspector names: the matter, the reason, and themselves with their key."""
        return (*MATTER, *self._as("ma"))

    def _person(self, name: str, role: str) -> None:
        self.say("staff", "add", name, "--name", "某某", "--role", role, "--actor", "sun")
        with redirect_stdout(io.StringIO()):
            assert run(["staff", "new-key", str(self._key(name))]) == 0
        self.say("staff", "key", name, str(self._key(name).with_suffix(".pub.pem")), "--actor", "sun")

    def _key(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def _as(self, name: str) -> tuple[str, ...]:
        return ("--actor", name, "--key", str(self._key(name)))

    def _token(self, name: str) -> str:
        if name not in self.tokens:
            signer = FileSigner.open(self._key(name), passphrase=PASSPHRASE)
            url, now = self.home.settings.office_url, int(self.home.clock.now().timestamp())
            claims = {"iss": name, "sub": name, "aud": url, "iat": now, "exp": now + 60}
            claims["jti"] = random_text(SystemRandomness())
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": sign_jws(claims, signer, headers={"typ": "JWT"}),
            }
            self.tokens[name] = self.office.post("/v1/token", data=form).json()["access_token"]
        return self.tokens[name]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as closing:
        patch.setenv("YINXIN_KEY_PASSPHRASE", PASSPHRASE)
        yield City(tmp_path_factory.mktemp("city"), closing)


def test_an_inspectors_question_is_answered_with_proofs(city: City) -> None:
    licence, _ = city.handled("办-2026-1", claims=samples.application(FOOD, 1))
    proofs = city.folder / "proofs.json"
    borrowed = ("--actor", "ma", *city._as("li")[2:])
    for stranger in (city._as("li"), borrowed):  # a clerk; and a clerk who says they are the inspector
        words = ("inspect", "search", "case", "办-2026-1", *MATTER)
        city.say(*words, *stranger, expected=ExitCode.ERROR)
    found = city.say("inspect", "search", "case", "办-2026-1", "--proofs", proofs, *city.inspecting)
    actions = [line["action"] for line in found["lines"]]
    assert actions[:4] == ["case.draft", "case.submit", "case.review", "case.approve"]
    assert {"licence.issue", "case.seal", "seal.use"} <= set(actions)

    # Anybody who knows the log's key checks the file, without this home.
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert run(["audit", "check", str(proofs), "--key", found["key"], "--json"]) == ExitCode.DONE
    checked = json.loads(printed.getvalue())
    assert [one["content"]["action"] for one in checked["entries"]] == actions
    forged = city.folder / "forged.json"
    forged.write_text(proofs.read_text("utf-8").replace('"digest": "', '"digest": "00', 1), "utf-8")
    with redirect_stdout(io.StringIO()):
        assert run(["audit", "check", str(forged), "--key", found["key"], "--json"]) == ExitCode.FAILED

    # Three people agreed within a minute: supervision asks, the approver explains, the inspector closes.
    (finding,) = city.say("inspect", "findings", "--rule", "approved_too_fast", *city.inspecting)["findings"]
    assert finding["officers"] == ["wang", "zhao"]
    assert city.call("li", "GET", f"/v1/findings/{finding['id']}").status_code == 404
    explained = city.call(
        "zhao", "POST", f"/v1/findings/{finding['id']}/explanation", {"words": "材料已于前一日会审。"}
    )
    assert explained.json()["state"] == "explained"
    assert (
        city.say("inspect", "close", finding["id"], "--words", "属实，办结。", *city.inspecting)["state"]
        == "closed"
    )

    # The same question over HTTP: no reason, no look; and what was looked at stands in the log.
    begun = city.call("ma", "POST", "/v1/inspections", {"matter": "监察〔2026〕4号", "words": "复查"})
    assert begun.status_code == 201
    place = f"/v1/inspections/{begun.json()['id']}"
    sought = {"by": "licence", "sought": licence}
    assert city.call("ma", "POST", "/v1/inspections/none/searches", sought).status_code == 403
    assert city.call("li", "POST", f"{place}/searches", sought).status_code == 403
    lines = city.call("ma", "POST", f"{place}/searches", sought).json()["lines"]
    assert "licence.issue" in {line["action"] for line in lines}
    seen = city.say("inspect", "search", "officer", "ma", *city.inspecting)["lines"]
    assert [line["details"]["by"] for line in seen if line["action"] == "inspection.search"][:2] == [
        "case",
        "licence",
    ]
    counted = city.say("inspect", "counts", f"{city.home.clock.now():%Y-%m}", *city._as("ma"))["counts"]
    assert all(one["count"] is None or one["count"] >= 5 for one in counted)


def test_a_dispute_ends_in_a_correction(city: City) -> None:
    claims = samples.application(FOOD, 2)
    licence, file = city.handled("办-2026-2", claims=claims)
    document = b64encode(file.read_bytes()).decode()

    # A typing mistake at some counter: refused, with a slip that says what to do.
    asked = city.verifier.post("/v1/verifications", json={"licence": "津食许〔2026〕999999号"})
    slip = asked.json()["slip"]
    assert asked.json()["indication"] == "indeterminate"
    assert slip["code"] == "verification_indeterminate"  # no more than the verdict says
    assert slip["ask"]["name"]["zh"] == AGENCY.name.zh
    assert city.verifier.get(f"/v1/slips/{slip['number']}").json() == slip
    assert city.say("dispute", "slip", slip["number"].lower())["number"] == slip["number"]

    # The holder has the sealed file, and sees that it says something wrong.
    body = {
        "kind": "wrong",
        "licence": licence,
        "fields": ["business_premises"],
        "words": "门牌号应为 19 号。",
        "slip": slip["number"],
    }
    assert city.verifier.post("/v1/disputes", json=body).status_code == 403
    opened = city.verifier.post("/v1/disputes", json={**body, "proof": {"document": document}})
    assert opened.status_code == 201, opened.text
    number, secret = opened.json()["dispute"]["number"], opened.json()["secret"]
    assert (
        city.verifier.post("/v1/disputes", json={**body, "proof": {"document": document}}).status_code == 409
    )

    # The clerk takes it up, corrects the licence over the desk, and ends the dispute with the new version.
    assert [one["number"] for one in city.say("dispute", "list", *city._as("li"))] == [number]
    shown = city.told("dispute", "show", number, *city._as("li"))
    assert f"{number}: received, to be answered by 20" in shown
    assert "business_premises" in shown
    assert "门牌号应为 19 号。" in shown
    accept = ("dispute", "answer", number, "accept", "--words", "已受理。")
    city.say(*accept, "--actor", "li", *city._as("ma")[2:], expected=ExitCode.ERROR)  # not li's key
    city.say(*accept, *city._as("li"))
    right = {**claims, "business_premises": "津城区新华路 19 号"}
    work = {"kind": "correct", "licence": licence, "claims": right, **WHY}
    city.agreed("更-2026-2", **work)
    linked = city.call("li", "POST", f"/v1/disputes/{number}/link", {"case": "更-2026-2"})
    assert linked.status_code == 200, linked.text
    early = city.call("li", "POST", f"/v1/disputes/{number}/correct", {"words": "已更正。"})
    assert early.status_code == 409
    out = city.folder / "new.pdf"
    new = city.say("case", "seal", "更-2026-2", "-o", out, *city._as("li"))["licence"]
    done = city.call("li", "POST", f"/v1/disputes/{number}/correct", {"words": "已更正，新版已制发。"})
    assert (done.json()["state"], done.json()["result"]) == ("corrected", new)

    followed = city.verifier.get(f"/v1/disputes/{number}", headers={"Dispute-Secret": secret}).json()
    assert (followed["state"], followed["result"]) == ("corrected", new)
    assert city.verifier.get(f"/v1/disputes/{number}", headers={"Dispute-Secret": "x"}).status_code == 404
    assert city.say("dispute", "follow", number, secret)["answers"][-1]["words"] == "已更正，新版已制发。"

    # Supervision finds the whole story by the licence.
    found = city.say("inspect", "search", "licence", licence, *city.inspecting)["lines"]
    assert {"dispute.open", "dispute.accept", "dispute.link", "dispute.correct"} <= {
        line["action"] for line in found
    }


def test_a_guardian_is_registered_by_two_and_ended(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, ward = FileSigner.generate(), samples.person(5)
    headers = {"typ": CARD, "jwk": signer.public_key.to_jwk()}
    card = sign_jws({"name": "许静宜", "code": ""}, signer, headers=headers)
    monkeypatch.setattr("sys.stdin", io.StringIO(ward["citizen_number"] + "\n"))
    paper = ("--ward", ward["name"], "--document", "出生医学证明 R120000001", "--until", "2035-06-30")
    made = city.say("guardian", "register", card, *paper, *city._as("li"))
    assert (made["state"], made["terms"]["ends_at"]) == ("waiting", "2035-06-30T16:00:00+00:00")
    digest = ("--digest", made["digest"][:16])
    city.say("guardian", "approve", made["id"], *digest, *city._as("li"), expected=ExitCode.ERROR)
    changed = ("--digest", "0" * 16)
    city.say("guardian", "approve", made["id"], *changed, *city._as("zhao"), expected=ExitCode.ERROR)
    assert city.say("guardian", "approve", made["id"], *digest, *city._as("zhao"))["state"] == "proposed"
    assert [one["id"] for one in city.say("guardian", "list", *city._as("li"))["guardians"]] == [made["id"]]
    why = ("--ground", "登记有误", "--document", "更正〔2026〕1号")
    assert city.say("guardian", "recall", made["id"], *why, *city._as("li"))["state"] == "recalled"


def test_a_refusal_at_the_command_line_has_a_slip(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    file = city.folder / "empty.json"
    file.write_bytes(dump_json({"case": "办-8", "type": FOOD, "claims": {}}))
    capsys.readouterr()
    assert run(["case", "draft", str(file), *city._as("li"), "--home", str(city.place), "--json"]) != 0
    slip = json.loads(capsys.readouterr().err)["slip"]
    assert (slip["kind"], slip["code"]) == ("issue", "invalid_claims")
    assert city.say("dispute", "slip", slip["number"]) == slip


def test_a_refusal_at_the_office_has_a_slip(city: City) -> None:
    answer = city.call("wang", "POST", "/v1/licences", {"case": "办-9", "type": FOOD, "claims": {}})
    slip = answer.json()["slip"]
    assert (answer.status_code, slip["kind"], slip["code"]) == (403, "issue", "not_permitted")
    assert city.call("wang", "GET", f"/v1/slips/{slip['number']}").json() == slip
    wrong = city.call("li", "POST", "/v1/licences", {"case": "办-9", "type": FOOD, "claims": {}})
    assert (wrong.status_code, wrong.json()["slip"]["code"]) == (422, "invalid_claims")
    assert "slip" not in city.call("li", "GET", "/v1/cases/none").json()
