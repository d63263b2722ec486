"""A company with twelve licences and three seals is renamed; and a physician's death is reported too early.

By commands and over HTTP only, in one home of its own.
"""

from __future__ import annotations

import csv
import io
import json
import re
import time
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute
from world.asgi import Answer, Client
from world.authority import csr as request_for
from world.homes import make_home

from credentials import samples
from credentials.office.proofs import KeyProofs
from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.home import Home
from yinxin.app.office import office_app
from yinxin.app.wiring import Stage
from yinxin.base.actor import staff
from yinxin.base.clock import SystemClock
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENCY, COMPANY, PERSON = samples.AGENCY, samples.company(3), samples.person(2)
PHYSICIAN = "physician-certificate"
PASSPHRASE, NEW = "correct horse", "津城新海河餐饮有限公司"
WHY = {"ground": "《中华人民共和国市场主体登记管理条例》", "document_number": "津审变〔2026〕12号"}
WHY_OPTIONS = ("--ground", WHY["ground"], "--document", WHY["document_number"])
TWELVE = [
    "business-licence", *["food-business-licence"] * 4, *["construction-permit"] * 3,
    *["hygiene-licence-on-commitment"] * 3, "administrative-decision",
]  # fmt: skip


class Bureau:
    """The home, its people with their keys, and how one speaks to it."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.folder, self.place = folder, folder / "office"
        plan = Plan(AGENCY.name.zh, AGENCY.name.en, AGENCY.credit_code)
        make_home(self.place, plan, clock=SystemClock())
        settings = self.place / "yinxin.toml"
        kept = [line for line in settings.read_text("utf-8").splitlines() if "timestamp_url" not in line]
        settings.write_text("\n".join(kept), "utf-8")  # no time-stamp authority runs here
        self.home = Home.open(self.place)
        self._staff()
        self.stage = Stage(closing)
        self.app = office_app(self.home, self.stage)

    def say(self, *words: str | Path, expected: int = 0) -> Any:
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = run([*map(str, words), "--home", str(self.place), "--json", "--lang", "en"])
        assert status == expected, (words, printed.getvalue())
        return json.loads(printed.getvalue() or "null")

    def _staff(self) -> None:
        self.say("staff", "first", "sun", "--name", "孙丽", "--witness", "wu", "--actor", "he")
        for name, role in (("li", "clerk"), ("zhao", "approver"), ("keeper", "keeper")):
            self.say("staff", "add", name, "--name", "某某", "--role", role, "--actor", "sun")
            with redirect_stdout(io.StringIO()):
                assert run(["staff", "new-key", str(self.key(name))]) == 0
            self.say("staff", "key", name, str(self.key(name).with_suffix(".pub.pem")), "--actor", "sun")

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def signer(self, name: str) -> FileSigner:
        return FileSigner.open(self.key(name), passphrase=PASSPHRASE)

    def caller(self, name: str) -> Caller:
        return Caller(self, name)

    def issue(self, rows: list[tuple[str, int]]) -> list[str]:
        """Licences of these types for these sample applicants, in this order."""
        claims = [{"证照类型": code, **samples.application(code, index)} for code, index in rows]
        for number, one in enumerate(claims):
            one["办件编号"] = f"办-{rows[0][0]}-{number}"
        file, out = self.folder / f"{rows[0][0]}.csv", io.StringIO()
        writer = csv.DictWriter(out, list(dict.fromkeys(name for one in claims for name in one)), restval="")
        writer.writeheader()
        writer.writerows(claims)
        file.write_text(out.getvalue(), "utf-8")
        issued: list[str] = self.say("licence", "issue", file, "-o", self.folder / "out")["issued"]
        return issued

    def certificate(self, name: str) -> tuple[str, Path]:
        request, evidence = self.folder / f"{name}.csr", self.folder / "evidence.txt"
        request.write_bytes(request_for(FileSigner.generate(), COMPANY["name"]))
        evidence.write_text("business register, extract")
        named = ("--organisation", COMPANY["name"], "--common-name", COMPANY["name"])
        applied = self.say(
            "ca", "apply", request, *named, "--code", COMPANY["credit_code"], "--actor", "chen"
        )
        application = applied["application"]
        proofing = ("--method", "business_register", "--source", "register", "--evidence", evidence)
        self.say("ca", "proof", application, *proofing, "--actor", "wang")
        chain = self.folder / f"{name}.chain.pem"
        answer = self.say("ca", "approve", application, "-o", chain, "--actor", "registrar")
        return answer["serial"], chain

    def state(self, licence: str) -> str:
        return str(self.say("licence", "show", licence)["state"])


class Caller(Client):
    """Somebody at the other end of the office's HTTP, by their key."""

    def __init__(self, bureau: Bureau, name: str) -> None:
        super().__init__(bureau.app)
        self.bureau, self.name, self.signer = bureau, name, bureau.signer(name)
        now, url = int(bureau.home.clock.now().timestamp()), bureau.home.settings.office_url
        claims = {"iss": name, "sub": name, "aud": url, "iat": now, "exp": now + 60}
        claims["jti"] = random_text(SystemRandomness())
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": sign_jws(claims, self.signer, headers={"typ": "JWT"}),
        }
        self.token = self.post("/v1/token", data=form).json()["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        headers = {"authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.request(method, path, headers=headers, content=dump_json(body or {}))

    def proof(self, digest: str) -> dict[str, Any]:
        actor = staff(self.name, agency=AGENCY.credit_code, roles=("approver",))
        return KeyProofs.make(bytes.fromhex(digest), actor, self.signer)

    def wait_for(self, event: str) -> dict[str, Any]:
        for _ in range(600):
            found: dict[str, Any] = self.call("GET", f"/v1/subject-events/{event}").json()
            if found["state"] == "done":
                return found
            time.sleep(0.05)
        raise AssertionError(found)


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as closing:
        patch.setenv("YINXIN_KEY_PASSPHRASE", PASSPHRASE)
        yield Bureau(tmp_path_factory.mktemp("bureau"), closing)


def test_a_company_is_renamed_with_twelve_licences_and_three_seals(bureau: Bureau) -> None:
    *licences, stranger = bureau.issue([*((code, 3) for code in TWELVE), ("food-business-licence", 4)])
    seals, serials = three_seals(bureau)
    assert len(licences) == 12

    planned = bureau.say(
        "subject", "plan", "renamed", "--subject", COMPANY["credit_code"], "--name", NEW,
        "--on", "2026-11-20", *WHY_OPTIONS, "--actor", "li",
    )  # fmt: skip
    does = {one["thing"]: one["action"] for one in planned["effects"]}
    assert {does[one] for one in licences[:11]} == {"reissue"}
    assert (does[licences[11]], stranger in does) == ("left", False)
    assert [does[one] for one in seals] == ["stop"] * 3
    assert [does[f"issuing/{one}"] for one in serials] == ["revoke"] * 3

    li, zhao = bureau.caller("li"), bureau.caller("zhao")
    address = f"/v1/subject-events/{planned['id']}"
    assert li.call("POST", f"{address}/run").status_code == 403
    seen = zhao.call("GET", address).json()
    assert seen["effects"] == planned["effects"]
    own = {"proof": li.proof(seen["digest"])}
    assert li.call("POST", f"{address}/approve", own).status_code == 403
    approved = zhao.call("POST", f"{address}/approve", {"proof": zhao.proof(seen["digest"])})
    assert approved.json()["state"] == "approved"

    # Meanwhile one of the licences is suspended: the plan is not run, and the answer says what changed.
    bureau.say("licence", "suspend", licences[5], *WHY_OPTIONS, "--actor", "li")
    refused = li.call("POST", f"{address}/run")
    assert refused.status_code == 409
    assert [one["effect"]["thing"] for one in refused.json()["differences"]] == [licences[5]]
    bureau.say("licence", "resume", licences[5], *WHY_OPTIONS, "--actor", "li")
    again = li.call("POST", f"{address}/plan-again").json()
    digest = ("--digest", again["digest"][:16], "--key", bureau.key("zhao"), "--actor", "zhao")
    assert bureau.say("subject", "approve", planned["id"], *digest)["state"] == "approved"
    assert li.call("POST", f"{address}/run").status_code == 202

    report = li.wait_for(planned["id"])
    assert report["progress"] == {"pending": 0, "done": 17, "failed": 0, "left": 1, "by_hand": 0}
    made = {one["thing"]: one["facts"].get("made") for one in report["effects"]}
    assert len({made[one] for one in licences[:11]}) == 11
    assert bureau.say("licence", "show", made[licences[3]])["holder"]["name"] == NEW
    assert bureau.state(licences[3]) == "superseded"
    assert bureau.state(stranger) == "in_force"
    log = json.dumps(bureau.say("audit", "log", "--limit", "1000"), ensure_ascii=False)
    assert NEW not in log
    listed = bureau.say("subject", "list", "--subject", COMPANY["credit_code"])
    assert [one["state"] for one in listed] == ["done"]


def test_a_physicians_death_is_reported_contested_and_confirmed(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    (licence,) = bureau.issue([(PHYSICIAN, 2)])

    li, zhao = bureau.caller("li"), bureau.caller("zhao")

    def happens(kind: str, **more: str) -> str:
        body = {"kind": kind, "subject": PERSON["citizen_number"], **more, **WHY}
        answer = li.call("POST", "/v1/subject-events", body)
        planned, address = answer.json(), answer.headers["location"]
        assert PERSON["citizen_number"] not in answer.text
        proof = {"proof": zhao.proof(planned["digest"])}
        assert zhao.call("POST", f"{address}/approve", proof).status_code == 200
        assert li.call("POST", f"{address}/run").status_code == 202
        assert li.wait_for(planned["id"])["progress"]["done"] == 1
        return str(planned["id"])

    reported = happens("death_reported")
    assert bureau.state(licence) == "suspended"
    happens("death_contested", undoes=reported)
    assert bureau.state(licence) == "in_force"
    happens("death_reported")
    # The rest by commands: the number is read from standard input, and stays out of the shell's history.
    monkeypatch.setattr("sys.stdin", io.StringIO(PERSON["citizen_number"] + "\n"))
    named = ("--subject", "-", *WHY_OPTIONS, "--actor", "li")
    planned = bureau.say("subject", "plan", "death_confirmed", *named)
    bureau.say("subject", "approve", planned["id"], "--key", bureau.key("zhao"), "--actor", "zhao")
    assert bureau.say("subject", "run", planned["id"], "--actor", "li")["state"] == "done"
    assert bureau.state(licence) == "deregistered"
    found = li.call("POST", "/v1/subject-events/search", {"subject": PERSON["citizen_number"]}).json()
    assert (found["state"], len(found["events"])) == ("dead", 4)
    # A new licence for somebody who is recorded as dead is refused, with a slip that they can ask about.
    body = {"case": "办-1", "type": PHYSICIAN, "claims": samples.application(PHYSICIAN, 2)}
    new = li.call("POST", "/v1/licences", body)
    assert (new.status_code, new.json()["code"]) == (422, "holder_not_active")
    slip = li.call("GET", f"/v1/slips/{new.json()['slip']['number']}").json()
    assert slip["code"] == "holder_not_active"
    living = {**body, "claims": samples.application(PHYSICIAN, 5)}
    assert li.call("POST", "/v1/licences", living).status_code == 201
    refused = {"kind": "renamed", "subject": PERSON["citizen_number"], "name": "王小梅", **WHY}
    assert li.call("POST", "/v1/subject-events", refused).status_code == 409


def test_every_route_of_the_office_stands_in_the_reference(bureau: Bureau) -> None:
    page = (Path(__file__).parents[3] / "docs/reference/http.md").read_text("utf-8")
    included = [getattr(one, "original_router", None) for one in bureau.app.routes]
    routes = [
        one
        for router in filter(None, included)
        for one in router.routes
        if isinstance(one, APIRoute) and one.path.startswith("/v1/")
    ]
    assert len(routes) > 70
    for route in routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        for method in route.methods:
            assert f"- `{method} {path}" in page


def three_seals(bureau: Bureau) -> tuple[list[str], list[str]]:
    """The company's three seals in the register, each with its certificate."""
    keeper = ("--key", bureau.key("keeper"), "--actor", "keeper")
    zhao = ("--key", bureau.key("zhao"), "--actor", "zhao")
    owner = ("--owner", COMPANY["credit_code"], "--owner-name", COMPANY["name"])
    names, serials = [], []
    for kind in ("name", "purpose", "department"):
        key = ("--kind", kind, "--with-key", f"token:{kind}")
        seal = bureau.say("seal", "register", f"{COMPANY['name']} {kind}", *owner, *key, *keeper)["id"]
        (request,) = bureau.say("seal", "requests", "--actor", "zhao")
        bureau.say("seal", "approve", request["id"], *zhao)
        serial, certificate = bureau.certificate(kind)
        bureau.say("seal", "make", seal, "--certificate", certificate, *keeper)
        names.append(seal)
        serials.append(serial)
    return names, serials
