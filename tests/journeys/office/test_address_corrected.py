"""A wrong address is corrected after two departments accepted it: by commands and over HTTP only.

The two departments read what became of it in their queues, each with the values that its grants cover; the
old document verifies as genuine and superseded; the shop's wallet swaps its copies.
"""

from __future__ import annotations

import io
import json
from contextlib import ExitStack, redirect_stdout
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from world.asgi import Answer, Client
from world.homes import make_home
from world.receiving import FAST, SECRET, Internet

from credentials import samples
from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from wallet.holder import Holder
from wallet.receiving import Receiving
from wallet.trusted import TrustedParties
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.home import Home
from yinxin.app.wiring import Stage, issuer_app, sequencer, verifier_app
from yinxin.base.audit import AuditLog
from yinxin.base.clock import SystemClock
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENCY, FOOD, PASSPHRASE = samples.AGENCY, "food-business-licence", "correct horse"
MATTER = {"purpose": "market-entry", "matter": "food-licence-renewal"}
WHY = {"ground": "《中华人民共和国行政许可法》第四十九条", "document_number": "津审更〔2026〕5号"}
WHY_OPTIONS = ("--ground", WHY["ground"], "--document", WHY["document_number"])
WRONG, RIGHT = "津城区新华路 9 号", "津城区新华路 19 号"
# Whoever may see the address hears both; the other hears only that it is another.
MARKET, FIRE = "urn:jincheng:market-counter", "urn:jincheng:fire-brigade"
GRANTED = {MARKET: ["operator_name", "business_premises"], FIRE: ["operator_name"]}


class City:
    """A home, its people, two departments, and what is served of it."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.folder, self.place = folder, folder / "office"
        plan = Plan(AGENCY.name.zh, AGENCY.name.en, AGENCY.credit_code)
        make_home(self.place, plan, clock=SystemClock())
        settings = self.place / "yinxin.toml"
        kept = [line for line in settings.read_text("utf-8").splitlines() if "timestamp_url" not in line]
        settings.write_text("\n".join(kept), "utf-8")  # no time-stamp authority runs here
        self.home = Home.open(self.place)
        self.say("staff", "first", "sun", "--name", "孙丽", "--witness", "wu", "--actor", "he")
        for name, role in (("li", "clerk"), ("wang", "reviewer"), ("zhao", "approver")):
            self._person(name, role)
        self.keys = {name: self._department(name) for name in GRANTED}
        stage = Stage(closing)
        self.issuer = Client(issuer_app(self.home, stage))
        self.verifier = Client(verifier_app(self.home, stage))

    def say(self, *words: str | Path, expected: int = 0) -> Any:
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = run([*map(str, words), "--home", str(self.place), "--json", "--lang", "en"])
        assert status == expected, (words, printed.getvalue())
        return json.loads(printed.getvalue() or "null")

    def _person(self, name: str, role: str) -> None:
        key = self.folder / f"{name}.pem"
        self.say("staff", "add", name, "--name", "某某", "--role", role, "--actor", "sun")
        with redirect_stdout(io.StringIO()):
            assert run(["staff", "new-key", str(key)]) == 0
        self.say("staff", "key", name, str(key.with_suffix(".pub.pem")), "--actor", "sun")

    def _department(self, name: str) -> FileSigner:
        signer, file = FileSigner.generate(), self.folder / "department.toml"
        jwk = signer.public_key.to_jwk()
        fields = json.dumps(GRANTED[name])
        key = ", ".join(f'{member} = "{value}"' for member, value in jwk.items())
        file.write_text(
            f'id = "{name}"\nname = {{ zh = "用证部门", en = "A department" }}\n'
            f'credit_code = "{samples.credit_code(901)}"\nkeys = [{{ {key} }}]\n\n'
            f'[[grants]]\npurpose = "{MATTER["purpose"]}"\nmatter = "{MATTER["matter"]}"\n'
            f"fields = {{ {FOOD} = {fields} }}\n",
            "utf-8",
        )
        proposal = self.say("department", "propose", file, "--actor", "sun")["proposal"]
        self.say("department", "approve", proposal, "--actor", "wu")
        return signer

    def issued(self, serial: int, **other: str) -> str:
        """A licence from an application."""
        file, claims = self.folder / "applications.csv", {**samples.application(FOOD, serial), **other}
        values = ("；".join(one) if isinstance(one, list) else str(one) for one in claims.values())
        # No file is issued twice: a case number makes each another.
        case = "B" + random_text(SystemRandomness())
        columns = {**dict(zip(claims, values, strict=True)), "办件编号": case}
        quoted = (f'"{value}"' for value in columns.values())
        file.write_text(",".join(columns) + "\n" + ",".join(quoted) + "\n", "utf-8")
        said = self.say("licence", "issue", file, "--type", FOOD, "-o", self.folder / "out", "--actor", "li")
        (name,) = said["issued"]
        return str(name)

    def made(self, verb: str, *words: str, claims: list[dict[str, Any]], expected: int = 0) -> dict[str, Any]:
        """`yinxin licence merge` and the like; the history of the first licence after it."""
        files = [self.folder / f"part{number}.json" for number in range(len(claims))]
        for file, content in zip(files, claims, strict=True):
            file.write_bytes(dump_json(content))
        named = [part for file in files for part in ("--claims", str(file))]
        out = self.folder / random_text(SystemRandomness())
        self.say("licence", verb, *words, *named, "-o", out, *WHY_OPTIONS, "--actor", "li", expected=expected)
        return dict(self.say("licence", "history", words[0]))

    def handled(self, number: str, kind: str, licence: str, **work: Any) -> str:
        """A case that three people agree to with their keys; the licence that came of it."""
        file = self.folder / "case.json"
        body = {"case": number, "kind": kind, "type": FOOD, "licence": licence, **WHY, **work}
        file.write_bytes(dump_json(body))
        self.say("case", "draft", file, *self._as("li"))
        for step, name in (("submit", "li"), ("review", "wang"), ("approve", "zhao")):
            self.say("case", step, number, *self._as(name))
        out = self.folder / f"{number}.pdf"
        sealed = self.say("case", "seal", number, "-o", out, *self._as("li"))
        return str(sealed["licence"])

    def _as(self, name: str) -> tuple[str, ...]:
        return ("--actor", name, "--key", str(self.folder / f"{name}.pem"))

    def call(self, department: str, method: str, path: str, body: Any = None) -> Answer:
        url, now = self.home.settings.verify_url, int(self.home.clock.now().timestamp())
        claims = {"iss": department, "sub": department, "aud": f"{url}/v1/token", "iat": now, "exp": now + 60}
        claims["jti"] = random_text(SystemRandomness())
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": sign_jws(claims, self.keys[department], headers={"typ": "JWT"}),
        }
        token = self.verifier.post("/v1/token", data=form).json()["access_token"]
        headers = {"authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self.verifier.request(method, path, headers=headers, content=dump_json(body or {}))

    def verify(self, department: str, licence: str, **more: Any) -> dict[str, Any]:
        answer = self.call(department, "POST", "/v1/verifications", {"licence": licence, **MATTER, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def log(self) -> dict[str, str]:
        """What stands in the audit log: actions, and all that their entries say."""
        while sequencer(self.home).run_once():
            pass
        said: dict[str, str] = {}
        for entry in AuditLog(self.home.database).entries(limit=1000):
            content = entry.content() or {}
            text = json.dumps(content, ensure_ascii=False)
            said[content["action"]] = said.get(content["action"], "") + text
        return said

    def wallet(self) -> Receiving:
        internet = Internet({urlsplit(self.home.settings.base_url).netloc: self.issuer})
        trusted = TrustedParties(
            self.home.trust, internet, revocation=self.home.revocation, clock=self.home.clock
        )  # type: ignore[arg-type]  # it has the two methods that are used
        holder = Holder.create(self.folder / "wallet", SECRET, **FAST)
        return Receiving(holder, internet, trusted=trusted, allow_http=True)  # type: ignore[arg-type]  # as above


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as closing:
        patch.setenv("YINXIN_KEY_PASSPHRASE", PASSPHRASE)
        yield City(tmp_path_factory.mktemp("city"), closing)


def test_a_wrong_address_is_corrected_after_two_departments_accepted_it(city: City) -> None:
    old = city.issued(1, business_premises=WRONG)
    offer = city.say("licence", "offer", old, "--evidence", "窗口〔2026〕1号", "--actor", "li")
    wallet = city.wallet()
    considered = wallet.consider(offer["link"])
    (held,) = wallet.accept(considered, tx_code=offer["code"], copies=2)
    assert held.claims["business_premises"] == WRONG
    for department in (MARKET, FIRE):
        accepted = city.verify(department, old)
        assert (accepted["indication"], bool(accepted["receipt"])) == ("passed", True)
    assert city.call(MARKET, "GET", "/v1/notices").json() == {"notices": []}

    claims = {**samples.application(FOOD, 1), "business_premises": RIGHT}
    new = city.handled("办-2026-1", "correct", old, claims=claims)

    # Both read what became of it; values stand where the grant covers the field, and nowhere else.
    (market,) = city.call(MARKET, "GET", "/v1/notices").json()["notices"]
    (fire,) = city.call(FIRE, "GET", "/v1/notices?limit=5").json()["notices"]
    for notice in (market, fire):
        assert (notice["licence"], notice["versions"]) == (old, [new])
        assert notice["event"]["version_kind"]["kind"] == "corrected"
        assert [one["name"] for one in notice["fields"]] == ["business_premises"]
    (told,) = market["fields"]
    assert (told["before"], told["now"]) == (WRONG, [{"licence": new, "value": RIGHT}])
    assert not {"before", "now"} & set(fire["fields"][0])
    assert RIGHT not in json.dumps(fire, ensure_ascii=False)
    acknowledge = f"/v1/notices/{market['id']}/acknowledgement"
    assert city.call(FIRE, "POST", acknowledge).status_code == 404, "another department's notice is not there"
    assert city.call(MARKET, "POST", acknowledge).status_code == 200
    assert city.call(MARKET, "POST", acknowledge).status_code == 200, "once more changes nothing"
    assert city.call(MARKET, "GET", "/v1/notices").json() == {"notices": []}
    assert len(city.call(FIRE, "GET", "/v1/notices").json()["notices"]) == 1

    # The old one: genuine, superseded. What was known before the correction does not change.
    found = city.verify(MARKET, old)
    assert [one["code"] for one in found["reasons"]] == ["licence_superseded"]
    assert "genuine, superseded by version 002 on" in found["status"]["now"]["text"]["en"]
    before = city.verify(MARKET, old, known_at=accepted["known_at"], as_of=accepted["known_at"])
    assert before["status"]["as_of"]["state"] == "in_force"
    page = city.say("verify", city.folder / "out" / f"{old}.pdf", expected=ExitCode.FAILED)
    assert "superseded by version 002" in json.dumps(page)
    assert city.verify(MARKET, new)["claims"]["business_premises"] == RIGHT
    history = city.say("licence", "history", new)
    assert [one["kind"]["kind"] for one in history["versions"]] == ["issued", "corrected"]

    (fresh,) = wallet.swap()
    assert (fresh.id, fresh.claims["business_premises"]) == (new, RIGHT)
    log = city.log()
    assert {"notice.tell", "notice.read", "notice.acknowledge", "licence.correct"} <= set(log)
    assert not [one for one in log.values() if RIGHT in one or WRONG in one]


def test_a_departments_clerk_reads_and_confirms_by_command(city: City) -> None:
    organisation, key = samples.credit_code(901), city.folder / "gu.pem"
    first = ("--name", "某某", "--witness", "wu", "--actor", "he", "--organisation", organisation)
    city.say("staff", "first", "xu", *first)
    city.say("staff", "add", "gu", "--name", "某某", "--role", "clerk", "--actor", "xu")
    with redirect_stdout(io.StringIO()):
        assert run(["staff", "new-key", str(key)]) == 0
    city.say("staff", "key", "gu", key.with_suffix(".pub.pem"), "--actor", "xu")
    name = city.issued(5)
    city.verify(FIRE, name)
    city.say("licence", "end", name, "--kind", "deregistered", *WHY_OPTIONS)
    own = ("--department", FIRE, "--actor", "gu", "--key", key)
    (notice,) = [one for one in city.say("notice", "list", *own)["notices"] if one["licence"] == name]
    assert notice["event"]["kind"] == "deregistered"
    stranger = ("--department", FIRE, *city._as("li"))  # of the agency, not of the department
    city.say("notice", "acknowledge", notice["id"], *stranger, expected=ExitCode.ERROR)
    done = city.say("notice", "acknowledge", notice["id"], *own)
    assert done["acknowledged_by"] == "staff:gu"
    assert name not in [one["licence"] for one in city.say("notice", "list", *own)["notices"]]


def test_who_is_sent_to_another_authority_takes_a_slip_along(city: City) -> None:
    name = city.issued(6)
    words = ("--words", "门牌号应为 19 号", "--actor", "li")
    referred = city.say("correction", "ask", name, "business_premises", *words)
    assert referred["state"] == "referred"
    slip = city.say("dispute", "slip", referred["slip"]["number"])
    assert (slip["kind"], slip["code"]) == ("correction", "correction_referred")
    ours = city.say("correction", "ask", name, "main_format", *words)
    assert (ours["state"], ours["slip"]) == ("open", None)
    refused = city.say("correction", "refuse", ours["id"], "--note", "与核查记录一致", "--actor", "li")
    assert city.verifier.get(f"/v1/slips/{refused['slip']['number']}").json()["code"] == "correction_refused"


def test_a_mistaken_ending_is_undone_over_the_desk(city: City) -> None:
    name = city.issued(2)
    assert city.verify(FIRE, name)["indication"] == "passed"
    city.say("licence", "end", name, "--kind", "revoked", *WHY_OPTIONS)
    then = city.verify(FIRE, name)
    assert [one["code"] for one in then["reasons"]] == ["licence_revoked"]
    city.handled("办-2026-2", "undo", name, details={"event": 1})
    assert city.verify(FIRE, name)["indication"] == "passed"
    known_then = city.verify(FIRE, name, known_at=then["known_at"], as_of=then["known_at"])
    assert known_then["status"]["as_of"]["state"] == "revoked"
    events = [one["event"]["kind"] for one in city.call(FIRE, "GET", "/v1/notices").json()["notices"]]
    assert events[-2:] == ["revoked", "undone"]


def test_at_the_command_line_licences_are_merged_split_and_changed(city: City) -> None:
    first, second = city.issued(3), city.issued(3)
    held = {**samples.application(FOOD, 3), "business_premises": "新华路 1 号、3 号"}
    merged = city.made("merge", first, second, "--into", first, claims=[held])
    (fresh,) = [one for one in merged["versions"] if one["version"] == "002"]
    assert (fresh["replaces"], fresh["origins"]) == (first, [second])
    parts = [{**held, "business_premises": "新华路 1 号"}, {**held, "business_premises": "新华路 3 号"}]
    split = city.made("split", fresh["identifier"], "--goes-on", claims=parts)
    assert [one["kind"]["kind"] for one in split["versions"]] == ["issued", "merged", "split"]
    assert len(split["versions"][1]["successors"]) == 1
    last = split["versions"][-1]["identifier"]
    changed = city.made("change", last, "--from", "2099-01-01", claims=[held], expected=ExitCode.USAGE)
    assert changed["versions"] == split["versions"], "a change is recorded when it is true, not before"
    changed = city.made("change", last, claims=[held])
    assert changed["versions"][-1]["kind"]["kind"] == "changed"
    city.say("licence", "undo", last, "--event", "1", *WHY_OPTIONS, expected=ExitCode.ERROR)
    assert city.say("licence", "history", second)["versions"][-1]["successors"] == [fresh["identifier"]]
