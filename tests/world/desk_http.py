"""The office over HTTP: an agency's desk with tokens, its people and its case-handling system, by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from credentials.office import Desk, KeyProofs
from credentials.office.bundles import Bundles
from credentials.office.http import router
from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from world.asgi import Answer, Client
from world.bundles import BundleWorld
from yinxin.access.clients import StaffKeys, StaffTokens
from yinxin.access.directory import StaffDirectory
from yinxin.access.http import bearer, token_router
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.app import problems
from yinxin.base.actor import Actor, staff
from yinxin.base.errors import Unauthenticated
from yinxin.base.randomness import SystemRandomness, random_text

if TYPE_CHECKING:
    from fastapi import Request

    from world.pki import Pki
    from yinxin.base.database import Database

URL = "https://office.example"
RANDOMNESS = SystemRandomness()


class HttpDesk(BundleWorld):
    """The desk of `world.desks`, whose people and system come in by registered keys."""

    def __init__(self, pki: Pki, database: Database, **more: Any) -> None:
        super().__init__(pki, database, **more)
        self.directory = StaffDirectory(database, clock=self.clock)
        self.staff_keys = StaffKeys(database, clock=self.clock)
        agency = self.agency.credit_code
        self.registrar = f"ren-{agency[-4:]}"
        self.directory.bootstrap(
            self.registrar, name="任", organisation=agency, actor=staff("anna"), witness=staff("bo")
        )
        self.ren = staff(self.registrar, agency=agency, roles=("registrar",))
        self.desk = Desk(
            self.issuer,
            agency=agency,
            catalogue=self.catalogue,
            database=database,
            proofs=KeyProofs(lambda name: self.staff_keys.keys_of(name, organisation=agency)),
            clock=self.clock,
        )
        self.bundles = Bundles(
            self.issuer,
            agency=agency,
            catalogue=self.catalogue,
            database=database,
            proofs=KeyProofs(lambda name: self.staff_keys.keys_of(name, organisation=agency)),
            clock=self.clock,
        )
        self.tokens = StaffTokens(
            self.staff_keys,
            url=URL,
            organisation=agency,
            signer=FileSigner.generate(),
            database=database,
            clock=self.clock,
        )
        self.app = FastAPI()
        problems.install(self.app)
        self.app.include_router(token_router(self.tokens))
        self.app.include_router(router(self.desk, self.bundles, enter=self.enter, clock=self.clock))

    async def enter(self, request: Request) -> Actor:
        found = await bearer(request, self.tokens)
        if found is None:
            raise Unauthenticated("an access token is needed")
        return found

    def employ(self, identifier: str, *roles: str) -> Caller:
        """Somebody with a registered key, who calls by access token."""
        self.directory.add(
            identifier, name="王", organisation=self.agency.credit_code, roles=roles, actor=self.ren
        )
        return self._keyed(self.person(identifier, *roles))

    def system(self, name: str = "permits") -> Caller:
        """The agency's case-handling system."""
        account = self.directory.add_system(
            name, title="审批系统", organisation=self.agency.credit_code, actor=self.ren
        )
        return self._keyed(self.person(account.identifier, "clerk"))

    def _keyed(self, actor: Actor) -> Caller:
        key = self.keys[actor.identifier]
        self.staff_keys.add(actor.identifier, key.public_key, actor=self.ren)
        return Caller(self, actor, key)


class Caller(Client):
    """Somebody at the other end of the office's HTTP, with a token of their own."""

    def __init__(self, world: HttpDesk, actor: Actor, key: FileSigner) -> None:
        super().__init__(world.app)
        self.world, self.actor, self.key = world, actor, key
        self.token = self.ask_token()

    def ask_token(self) -> str:
        now, name = int(self.world.clock.now().timestamp()), self.actor.identifier
        claims = {"iss": name, "sub": name, "aud": URL, "iat": now, "exp": now + 60}
        assertion = sign_jws({**claims, "jti": random_text(RANDOMNESS)}, self.key, headers={"typ": "JWT"})
        answer = self.post(
            "/v1/token",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            },
        )
        return str(answer.json().get("access_token", ""))

    @property
    def named(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = self.named | {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return self.request(method, path, headers=named)
        named["Content-Type"] = "application/json"
        return self.request(method, path, headers=named, content=as_json(body))

    def agree(self, case: dict[str, Any], step: str, *, digest: str = "") -> Answer:
        """Review or approve a case as it was shown."""
        return self.call(
            "POST", f"/v1/cases/{case['id']}/{step}", {"proof": self.proof(digest or case["digest"])}
        )

    def proof(self, digest: str) -> dict[str, Any]:
        return KeyProofs.make(bytes.fromhex(digest), self.actor, self.key)


def as_json(body: Any) -> bytes:
    return body if isinstance(body, bytes) else dump_json(body)
