"""Staff and systems come in by key: who registers one, what a token opens, and what closes it again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI, Request
from world.access import EIGHT, SEVEN, AccessWorld
from world.asgi import Client

from signing.jose import sign_jws
from signing.signers.file import FileSigner
from yinxin.access.accounts import SYSTEM_PREFIX
from yinxin.access.clients import MAX_KEYS, StaffKeys, StaffTokens
from yinxin.access.http import bearer, token_router
from yinxin.access.tokens import ASSERTION_TYPE, OAuthError
from yinxin.app import problems
from yinxin.base.actor import Actor, staff
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, NotPermitted, Unauthenticated
from yinxin.base.randomness import UnsafeSeededRandomness, random_text

if TYPE_CHECKING:
    from yinxin.base.database import Database

URL = "https://office.example"
RANDOMNESS = UnsafeSeededRandomness("assertions")


class KeyWorld(AccessWorld):
    """The office of organisation seven, with a registrar, a clerk and the clerk's key."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.keys = StaffKeys(database, clock=self.clock)
        self.ren = self.registrar()
        self.enrol("clerk-17", registrar=self.ren)
        self.key = FileSigner.generate()
        self.keys.add("clerk-17", self.key.public_key, actor=self.ren)
        self.tokens = StaffTokens(
            self.keys,
            url=URL,
            organisation=SEVEN,
            signer=FileSigner.generate(),
            database=database,
            clock=self.clock,
        )

    def assertion(self, client: str = "clerk-17", *, signer: FileSigner | None = None, **changes: Any) -> str:
        now = int(self.clock.now().timestamp())
        claims = {"iss": client, "sub": client, "aud": URL, "iat": now, "exp": now + 60}
        claims |= {"jti": random_text(RANDOMNESS), **changes}
        return sign_jws(claims, signer or self.key, headers={"typ": "client-authentication+jwt"})

    def form(self, assertion: str) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }

    def token(self, **more: Any) -> str:
        return str(self.tokens.answer(self.form(self.assertion(**more)))["access_token"])


@pytest.fixture
def office(database: Database) -> KeyWorld:
    return KeyWorld(database)


@pytest.fixture
def light_office(light: Database) -> KeyWorld:
    return KeyWorld(light)


def test_a_key_opens_the_office_with_the_roles_of_the_moment(office: KeyWorld) -> None:
    token = office.token()
    actor = office.tokens.actor_of(token)
    assert (str(actor), actor.agency, actor.roles) == ("staff:clerk-17", SEVEN, {"clerk"})
    office.access.staff.set_roles("clerk-17", ["reviewer"], actor=office.ren)
    assert office.tokens.actor_of(token).roles == {"reviewer"}
    assert [entry for entry in office.actions() if entry == "token.issue"] == ["token.issue"]


def test_a_removed_key_and_a_closed_account_open_nothing(office: KeyWorld) -> None:
    token = office.token()
    office.keys.remove("clerk-17", office.key.public_key.thumbprint, actor=office.ren)
    with pytest.raises(Unauthenticated):
        office.tokens.actor_of(token)
    with pytest.raises(OAuthError):
        office.token()
    other = FileSigner.generate()
    office.keys.add("clerk-17", other.public_key, actor=office.ren)
    assert office.tokens.actor_of(office.token(signer=other))
    office.access.staff.deactivate("clerk-17", actor=office.ren)
    assert office.keys.keys_of("clerk-17") == ()
    with pytest.raises(OAuthError):
        office.token(signer=other)
    stored = office.keys.listed("clerk-17", actor=office.ren)
    assert [one.removed_at is not None for one in stored] == [True, True]  # kept for those who look later


class TestWhoRegistersAKey:
    def test_a_registrar_of_the_same_organisation_and_nobody_their_own(self, office: KeyWorld) -> None:
        key = FileSigner.generate().public_key
        eight = office.registrar("ba", EIGHT)
        with pytest.raises(NotPermitted, match="own entry"):
            office.keys.add(" REN ", key, actor=office.ren)
        with pytest.raises(NotFound):
            office.keys.add("clerk-17", key, actor=eight)
        with pytest.raises(NotFound):
            office.keys.remove("clerk-17", office.key.public_key.thumbprint, actor=eight)
        with pytest.raises(NotFound):
            office.keys.listed("clerk-17", actor=eight)
        pretends = staff("clerk-17", agency=SEVEN, roles=("registrar",))
        office.enrol("clerk-18", registrar=office.ren)
        with pytest.raises(NotPermitted):
            office.keys.add("clerk-18", key, actor=pretends)
        assert office.actions().count("staff.key_added") == 1

    def test_a_key_is_one_persons_for_good(self, office: KeyWorld) -> None:
        office.enrol("clerk-18", registrar=office.ren)
        office.keys.remove("clerk-17", office.key.public_key.thumbprint, actor=office.ren)
        for identifier in ("clerk-18", "clerk-17"):
            with pytest.raises(Conflict, match="somebody's"):
                office.keys.add(identifier, office.key.public_key, actor=office.ren)

    def test_kinds_and_numbers_are_limited(self, light_office: KeyWorld) -> None:
        office = light_office
        for _ in range(MAX_KEYS - 1):
            office.keys.add("clerk-17", FileSigner.generate("Ed25519").public_key, actor=office.ren)
        with pytest.raises(Conflict):
            office.keys.add("clerk-17", FileSigner.generate("Ed25519").public_key, actor=office.ren)

        class Strange:
            kind = "SM2"

        with pytest.raises(InvalidClaims):
            office.keys.add("clerk-17", Strange(), actor=office.ren)  # type: ignore[arg-type]

    def test_keys_of_one_organisation_are_not_another_s(self, light_office: KeyWorld) -> None:
        office = light_office
        assert office.keys.keys_of("clerk-17", organisation=SEVEN) == (office.key.public_key,)
        assert office.keys.keys_of("clerk-17", organisation=EIGHT) == ()
        assert office.keys.keys_of("nobody") == office.keys.keys_of("\x07") == ()


class TestSystems:
    def test_a_system_is_a_clerk_with_keys_and_nothing_else(self, light_office: KeyWorld) -> None:
        office = light_office
        directory = office.access.staff
        account = directory.add_system("permits", title="审批系统", organisation=SEVEN, actor=office.ren)
        assert (account.identifier, account.roles) == (f"{SYSTEM_PREFIX}permits", {"clerk"})
        key = FileSigner.generate()
        office.keys.add(account.identifier, key.public_key, actor=office.ren)
        assert office.tokens.actor_of(office.token(client=account.identifier, signer=key)) == account.actor
        for role in ("reviewer", "approver", "registrar", "inspector"):
            with pytest.raises(NotPermitted, match="nothing else"):
                directory.set_roles(account.identifier, ["clerk", role], actor=office.ren)
        with pytest.raises(NotPermitted, match="keys alone"):
            directory.enrol(account.identifier, actor=office.ren)
        with pytest.raises(NotPermitted, match="keys alone"):
            directory.link(account.identifier, issuer="https://id.example", subject="x", actor=office.ren)

    def test_no_person_is_called_like_a_system(self, light_office: KeyWorld) -> None:
        for identifier in ("system/x", "SYSTEM/ x", "ｓystem/x"):
            with pytest.raises(InvalidClaims):
                light_office.enrol(identifier, registrar=light_office.ren, roles=("approver",))

    def test_systems_are_entered_by_their_own_registrar(self, light_office: KeyWorld) -> None:
        office, eight = light_office, light_office.registrar("ba", EIGHT)
        with pytest.raises(NotPermitted):
            office.access.staff.add_system("x", title="x", organisation=SEVEN, actor=eight)


class TestAttacks:
    def test_another_organisations_key_opens_nothing_here(self, light_office: KeyWorld) -> None:
        office = light_office
        eight, key = office.registrar("ba", EIGHT), FileSigner.generate()
        office.access.staff.add("bao", name="包", organisation=EIGHT, roles=["clerk"], actor=eight)
        office.keys.add("bao", key.public_key, actor=eight)
        with pytest.raises(OAuthError) as refused:
            office.token(client="bao", signer=key)
        assert (refused.value.error, refused.value.status) == ("invalid_client", 401)

    def test_an_assertion_is_good_once(self, office: KeyWorld) -> None:
        form = office.form(office.assertion())
        office.tokens.answer(form)
        with pytest.raises(OAuthError):
            office.tokens.answer(form)

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "https://other.example"},
            {"aud": [URL, "https://other.example"]},
            {"iss": "ren"},
            {"sub": "CLERK-17", "iss": "CLERK-17"},
            {"exp": 10**11},
            {"jti": "short"},
            {"sub": ["clerk-17"]},
        ],
    )
    def test_what_is_wrong_with_an_assertion_is_not_told(
        self, light_office: KeyWorld, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(OAuthError) as refused:
            light_office.token(**changes)
        assert refused.value.error == "invalid_client"

    def test_a_token_ends_and_belongs_to_one_service(self, light_office: KeyWorld) -> None:
        office = light_office
        token = office.token()
        elsewhere = StaffTokens(
            office.keys,
            url="https://office-8.example",
            organisation=SEVEN,
            signer=FileSigner.generate(),
            database=office.database,
            clock=office.clock,
        )
        with pytest.raises(Unauthenticated):
            elsewhere.actor_of(token)
        office.clock.advance(timedelta(minutes=6))
        with pytest.raises(Unauthenticated):
            office.tokens.actor_of(token)


def test_over_http(light_office: KeyWorld) -> None:
    office = light_office
    app = FastAPI()
    problems.install(app)
    app.include_router(token_router(office.tokens))

    @app.get("/who")
    async def who(request: Request) -> dict[str, str]:
        found: Actor | None = await bearer(request, office.tokens)
        return {"who": str(found)}

    client = Client(app)
    answer = client.post("/v1/token", data=office.form(office.assertion()))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    bad = client.post("/v1/token", data=office.form("x.y.z"))
    assert (bad.status_code, bad.json()["error"]) == (401, "invalid_client")
    huge = client.post("/v1/token", data={"a": "x" * 20_000})
    assert (huge.status_code, huge.json()["error"]) == (400, "invalid_request")
    assert client.post("/v1/token", json={"a": 1}).json()["error"] == "invalid_request"
    token = answer.json()["access_token"]
    assert client.get("/who", headers={"authorization": f"Bearer {token}"}).json() == {
        "who": "staff:clerk-17"
    }
    assert client.get("/who").json() == {"who": "None"}
    for wrong in ("Bearer", "Bearer x", f"Basic {token}", f"Bearer {token}x", f"Bearer {token} {token}"):
        assert client.get("/who", headers={"authorization": wrong}).status_code == 401
    assert json.loads(bad.text).keys() == {"error", "error_description"}
