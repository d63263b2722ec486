"""A city: an agency with a register, a baker, a market bureau that verifies, and the service between them."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pikepdf
import uvicorn

from credentials import key_binding
from credentials.catalogue import Catalogue
from credentials.face.page import licence_json
from credentials.licence import Agency, EndingKind, Event, EventKind, Licence
from credentials.office.notices import NoticeQueue, Notices
from credentials.records import LicenceRecord
from credentials.repository import LicenceRepository
from credentials.sd_jwt import issue_sd_jwt
from credentials.status_service import StatusService
from credentials.status_snapshot import StatusSnapshot
from signing.jose import dump_json, sign_jws
from signing.pdf import Seal
from signing.revocation import Crl, RevocationSnapshot
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from verify_api.delegates import Delegates
from verify_api.departments import Department, DepartmentRegistry, Grant
from verify_api.documents import Snapshots
from verify_api.http import Limits, create_app
from verify_api.http.limits import Limit
from verify_api.notices import DepartmentNotices, RecordedAcceptances
from verify_api.register import RepositoryRegister
from verify_api.service import VerificationService
from verify_api.workers import WorkerPool
from world.databases import with_tables
from world.office import INDEX
from world.pki import Pki
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.app import problems
from yinxin.app.connections import PatientProtocol
from yinxin.base.actor import staff
from yinxin.base.clock import FixedClock
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.journal import Journal
from yinxin.base.randomness import UnsafeSeededRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

URL = "https://verify.jincheng.example"
ISSUER = "https://licences.jincheng.example"
BUREAU, FIRE = "https://market.jincheng.example", "urn:jincheng:fire-brigade"
TYPE, PURPOSE, MATTER = "food-business-licence", "market-entry", "440103001000"
AGENCY_CODE, BAKERY_CODE = "111201010000518600", "91120101MA5K3WXY0T"
GRANTED = frozenset({"operator_name", "credit_code", "business_premises"})
GENEROUS = Limits(token=Limit("token", 100_000, 1e6), department=Limit("department", 100_000, 1e6))
CLERK, REVIEWER = staff("clerk-17"), staff("reviewer-4", roles=("reviewer",))


def claims_of_the_bakery() -> dict[str, Any]:
    return {
        "operator_name": "津城小麦面包坊",
        "credit_code": BAKERY_CODE,
        "responsible_person": "王小麦",
        "domicile": "津城市和平路 18 号",
        "business_premises": "津城市和平路 18 号一层",
        "main_format": "catering",
        "business_items": ["糕点类食品制售", "自制饮品制售"],
    }


@dataclass
class Reply:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class City:
    """The whole of it, on 20 November 2026 at noon, with the service on loopback HTTP."""

    limits: Limits = field(default_factory=lambda: GENEROUS)
    processes: int = 1
    serve: bool = True
    time_limit: timedelta = timedelta(seconds=20)
    database_url: str = "sqlite://"
    url: str = URL
    port: int = 0

    def __post_init__(self) -> None:
        self.clock = FixedClock(2026, 11, 20, 12)
        self.kind = Catalogue.load()[TYPE]
        self.randomness = UnsafeSeededRandomness("city")
        self.pki = Pki()
        self.trust = TrustStore([self.pki.root.certificate])
        self.database = with_tables(self.database_url)
        self.journal = Journal(self.database)
        self.seal_signer = self.pki.signer("seal", "津城市市场监督管理局")
        self.credential_signer = self.pki.signer("credential", "津城市市场监督管理局")
        self.baker = FileSigner.generate()
        self.statuses = StatusService(
            self.database,
            self.pki.signer("status"),
            ISSUER,
            clock=self.clock,
            randomness=self.randomness,
            size=1 << 10,
        )
        self.registry = DepartmentRegistry(self.database, clock=self.clock)
        self.keys = {name: FileSigner.generate() for name in (BUREAU, FIRE)}
        self.register(BUREAU, self.keys[BUREAU])
        self.register(FIRE, self.keys[FIRE], purpose="fire-safety", matter="fire-1")
        self.service = VerificationService(
            url=self.url,
            database=self.database,
            journal=self.journal,
            register=RepositoryRegister(self.database),
            snapshots=self.snapshots(),
            receipt_signer=self.pki.signer("receipt", "津城市核验服务"),
            token_signer=FileSigner.generate(),
            clock=self.clock,
            workers=WorkerPool(processes=self.processes, time_limit=self.time_limit),
            delegates=Delegates(self.database, INDEX),
        )
        self.app = self.make_app()
        self.address = self._start() if self.serve else ("", 0)

    def make_app(self) -> FastAPI:
        notices = DepartmentNotices(NoticeQueue(clock=self.clock), self.journal, Catalogue.load())
        return create_app(
            self.service, install_problems=problems.install, limits=self.limits, notices=notices
        )

    # The agency

    def licence(self, serial: str = "000000001", **changes: Any) -> Licence:
        """A version of a licence in the register."""
        version = changes.pop("version", 1)
        identifier = LicenceIdentifier.make("11100000900001017N002", AGENCY_CODE, serial, f"{version:03d}")
        values: dict[str, Any] = {
            "identifier": str(identifier),
            "number": f"JY2120199{serial}",
            "type_code": TYPE,
            "type_name": Text("食品经营许可证", "Food Business Licence"),
            "version": version,
            "agency": Agency(Text("津城市市场监督管理局", "Jincheng Market Bureau"), AGENCY_CODE),
            "holder_name": "津城小麦面包坊",
            "holder_code": BAKERY_CODE,
            "claims": claims_of_the_bakery(),
            "issued_at": self.clock.now() - timedelta(days=100),
            "recorded_at": self.clock.now() - timedelta(days=100),
            "valid_from": date(2026, 8, 1),
            "valid_until": date(2031, 7, 31),
        }
        licence = Licence(**{**values, **changes})
        with self.database.transaction() as session:
            LicenceRepository(session).add(licence)
        return licence

    def pdf(self, licence: Licence | None, *, signer: FileSigner | None = None, **said: Any) -> bytes:
        """A sealed PDF that carries `licence.json`; `said` changes what it says."""
        page, out = pikepdf.new(), io.BytesIO()
        page.add_blank_page()
        if licence:
            content = {**json.loads(licence_json(licence, self.kind)), **said}
            page.attachments["licence.json"] = pikepdf.AttachedFileSpec(page, dump_json(content))
        page.save(out)
        seal = Seal(signer or self.seal_signer)
        return seal.apply(out.getvalue(), now=self.clock.now())

    def issue(self, serial: str = "000000001", **changes: Any) -> tuple[Licence, bytes]:
        """A licence in the register with the sealed PDF that the register knows."""

        licence = self.licence(serial, **changes)
        pdf = self.pdf(licence)
        with self.database.transaction() as session:
            row = session.get(LicenceRecord, licence.identifier)
            assert row
            row.pdf_sha256 = hashlib.sha256(pdf).hexdigest()
            session.add(row)
        return licence, pdf

    def happen(self, licence: Licence, kind: EndingKind | EventKind, **when: Any) -> None:
        """Record an event of a licence."""
        now = self.clock.now()
        values = {
            "effective_from": now,
            "recorded_at": now,
            "ground": "依法",
            "document_number": "〔2026〕1号",
        }
        event = Event(kind=kind, actor="staff:clerk-17", **{**values, **when})
        with self.database.transaction() as session:
            recorded = LicenceRepository(session).add_event(licence.identifier, event)
            Notices(RecordedAcceptances()).tell(session, licence, recorded, fields=(), actor=CLERK)

    def credential(self, licence: Licence, **changes: Any) -> str:
        """The baker's SD-JWT VC of a licence."""
        with self.database.transaction() as session:
            uri, index = self.statuses.allocate(session)
        self.last_status = (uri, index)
        now = int(self.clock.now().timestamp())
        holder_key = changes.pop("holder_key", self.baker.public_key)
        claims = {
            "iss": ISSUER,
            "vct": "urn:yinxin:licence:food-business-licence:1",
            "iat": now - 60,
            "exp": now + 86400,
            "licence_identifier": licence.identifier,
            "status": {"status_list": {"idx": index, "uri": uri}},
            **licence.claims,
        }
        credential = issue_sd_jwt(
            {**claims, **changes},
            disclosable=list(licence.claims),
            signer=self.credential_signer,
            randomness=self.randomness,
            holder_key=holder_key,
        )
        self.service.use(self.snapshots())
        return credential

    def present(self, credential: str, nonce: str, *disclose: str, audience: str = BUREAU) -> str:
        """What the baker's wallet hands over."""
        return key_binding.present(
            credential,
            disclose=disclose or ("operator_name",),
            holder=self.baker,
            audience=audience,
            nonce=nonce,
            at=self.clock.now(),
        )

    def snapshots(self) -> Snapshots:
        """Trust, revocation and status as fetched just now."""
        now = self.clock.now()
        revocation = RevocationSnapshot(Crl.from_der(ca.crl(now)) for ca in (self.pki.root, self.pki.issuing))
        statuses = {
            uri: StatusSnapshot.from_token(
                self.statuses.token(uri), self.trust, uri=uri, at=now, revocation=revocation
            )
            for uri in self.statuses.uris()
        }
        return Snapshots(self.trust, revocation, statuses=statuses)

    # Departments

    def register(
        self, name: str, signer: FileSigner, *, purpose: str = PURPOSE, matter: str = MATTER, **changes: Any
    ) -> Department:
        """A department that two people registered."""
        values: dict[str, Any] = {
            "id": name,
            "name": Text("用证部门", "A department"),
            "credit_code": AGENCY_CODE,
            "keys": (signer.public_key,),
            "grants": (Grant(purpose, matter, {TYPE: GRANTED}),),
        }
        proposal = self.registry.propose(Department(**{**values, **changes}), actor=CLERK)
        return self.registry.approve(proposal, actor=REVIEWER)

    def assertion(self, name: str = BUREAU, *, signer: FileSigner | None = None, **changes: Any) -> str:
        """A client assertion; a change to None leaves the claim out."""
        now = int(self.clock.now().timestamp())
        headers = changes.pop("headers", {"typ": "JWT"})
        claims = {"iss": name, "sub": name, "aud": f"{URL}/v1/token", "iat": now, "exp": now + 60}
        claims |= {"jti": random_text(self.randomness), **changes}
        kept = {key: value for key, value in claims.items() if value is not None}
        return sign_jws(kept, signer or self.keys[name], headers=headers)

    def ask_token(self, assertion: str, **changes: str) -> Reply:
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        form |= {"client_assertion": assertion, **changes}
        return self.call("POST", "/v1/token", urlencode(form).encode(), FORM)

    def token(self, name: str = BUREAU) -> str:
        """An access token."""
        reply = self.ask_token(self.assertion(name))
        assert reply.status == 200, reply.body
        return str(reply.json["access_token"])

    def nonce(self, name: str = BUREAU) -> str:
        reply = self.call("POST", "/v1/nonces", b"", {"Authorization": f"Bearer {self.token(name)}"})
        assert reply.status == 200, reply.body
        return str(reply.json["nonce"])

    def ask(self, values: Any = None, *, as_: str | None = BUREAU, **more: Any) -> Reply:
        """`POST /v1/verifications` with JSON, as a department or (None) as anybody."""
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        body = values if isinstance(values, bytes) else None
        if as_:
            headers["Authorization"] = f"Bearer {more.pop('token', None) or self.token(as_)}"
        if body is None:
            stated = {"purpose": PURPOSE, "matter": MATTER} if as_ else {}
            body = dump_json({**stated, **(values or {}), **more})
        return self.call("POST", "/v1/verifications", body, headers)

    # HTTP

    def call(self, method: str, path: str, body: bytes | None = None, headers: Any = None) -> Reply:
        """One request over loopback."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Bytes over a bare socket, and all that comes back."""
        with socket.create_connection(self.address, timeout=10) as connection:
            connection.sendall(data)
            answer = b""
            with suppress(OSError):  # the service may have closed it already
                connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    answer += chunk
            return answer

    def close(self) -> None:
        if self.serve:
            self._server.should_exit = True
            self._thread.join(30)
        self.service.close()
        self.journal.close()
        self.database.close()

    def _start(self) -> tuple[str, int]:
        listening = socket.create_server(("127.0.0.1", self.port))
        config = uvicorn.Config(
            self.app,
            http=PatientProtocol,
            log_level="critical",
            lifespan="on",
            access_log=False,
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        host, port = listening.getsockname()
        return host, port


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def moment(*parts: int) -> datetime:
    return FixedClock(*parts).now()
