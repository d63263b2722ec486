"""A city that is really served: a home of its own, its servers in threads, names on loopback.

    @pytest.fixture(scope="module")
    def city(tmp_path_factory):
        with ServedCity(tmp_path_factory.mktemp("city")) as made:
            yield made

Every role that this version knows runs at `city.urls[role]` (`http://localhost:…`: passkeys want a name), by
what `yinxin serve` runs; that the command does so in processes of its own is told in `tests/running`, and
there is no need to load everything once more for each city. The tests act on the home beside it, as an
administrator at the command line does: `city.issue`, `city.offer`, `city.end`,
`city.yinxin("department", "list")`. What the services fetch, they fetch each second.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

from credentials import samples
from credentials.licence import EndingKind
from credentials.oid4vci.offers import AuthenticationMethod, Flow, Holder, Offer
from signing.signers.file import FileSigner
from verify_api.client import Client
from verify_api.departments import Department, Grant
from world.homes import make_home
from world.ports import free_ports
from yinxin.access.directory import StaffDirectory
from yinxin.app import wiring
from yinxin.app.ceremony import Plan
from yinxin.app.home import SETTINGS, Home
from yinxin.app.serve import ROLES, running
from yinxin.base.actor import staff
from yinxin.base.clock import SystemClock
from yinxin.base.settings import Settings
from yinxin.base.text import Text
from yinxin.base.toml import toml_text, toml_texts

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from credentials.licence import Licence
    from credentials.oid4vci.offers import OpenOffer
    from credentials.production import IssuedLicence

TYPE, PURPOSE, MATTER = "food-business-licence", "market-entry", "food-licence-renewal"
COUNTER = "urn:jincheng:market-counter"
GRANTED = frozenset({"operator_name", "credit_code", "business_items"})
CLERK, REGISTRAR, REVIEWER = (
    staff("clerk-chen", roles=("clerk",), agency=samples.AGENCY.credit_code),
    staff("registrar-zhao", roles=("registrar",)),
    staff("reviewer-sun", roles=("reviewer",)),
)
PASSPHRASE = "correct horse"
WALLET, CALLBACK = "https://wallet.example", "https://wallet.example/callback"
# A city may live through many tests of a process; what it answers has no place in what their commands print.
_QUIET: set[int | None] = set()
logging.getLogger("yinxin.request").addFilter(lambda record: record.thread not in _QUIET)
_RUN = "import sys; from yinxin.app.cli import run; sys.exit(run(sys.argv[1:]))"


@dataclass
class ServedCity:
    """The home and what serves it; a context manager."""

    place: Path
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ports = dict(zip(ROLES, free_ports(len(ROLES)), strict=True))
        self.urls = {role: f"http://localhost:{port}" for role, port in ports.items()}
        agency = samples.AGENCY
        plan = Plan(
            agency.name.zh, agency.name.en, agency.credit_code,
            base_url=self.urls["issuer"], ca_url=self.urls["ca"], verify_url=self.urls["verifier"],
        )  # fmt: skip
        make_home(self.directory, plan, clock=SystemClock(), passphrase=PASSPHRASE)
        self._set(**self._settings())
        self.home = Home.open(self.directory, passphrase=PASSPHRASE)
        self.key = FileSigner.generate()
        self._register()
        with (
            self.home.database.transaction() as session
        ):  # so that verifiers know the first list from the start
            wiring.status_service(self.home).allocate(session, actor=CLERK)
        self._servers = ExitStack()

    @property
    def directory(self) -> Path:
        return self.place / "office"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.home.database.close()

    # The servers

    def start(self) -> None:
        """Serve until `stop`; every role answers when this returns."""
        served = Home.open(self.directory, passphrase=PASSPHRASE)
        self._servers.callback(served.database.close)
        own = set[int | None]()
        # Numbers of threads are given again: the next one that has such a number is heard.
        self._servers.callback(_QUIET.difference_update, own)
        before = {thread.ident for thread in threading.enumerate()}
        self._servers.enter_context(running(served, list(ROLES)))
        own.update({thread.ident for thread in threading.enumerate()} - before)
        _QUIET.update(own)

    def stop(self) -> None:
        self._servers.close()

    def restart(self) -> None:
        """Everything that was only in memory is gone: caches of status lists, for one."""
        self.stop()
        self.start()

    def yinxin(self, *arguments: str) -> Any:
        """A command beside the running services; its JSON."""
        command = [sys.executable, "-c", _RUN, "--json", *arguments]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    # The agency

    def issue(self, serial: int = 1, *, kind: str = TYPE, **claims: Any) -> IssuedLicence:
        """A licence with its sealed PDF; who holds it has no copy in a wallet yet."""
        said = {**samples.application(kind, serial), **claims}
        return wiring.issuer(self.home).issue(kind, said, holder=None, actor=CLERK)

    def offer(self, *licences: Licence, flow: Flow = Flow.PRE_AUTHORIZED) -> OpenOffer:
        """Let the holder's wallet fetch them: `by_reference`, `by_value`, `tx_code`, `page`."""
        return self._server.offers.make(
            Offer(tuple(one.identifier for one in licences), holder_of(licences[0]), flow=flow), actor=CLERK
        )

    def login_code(self, licence: Licence) -> str:
        """What its holder signs in with at the issuer (code flow)."""
        return self._server.login_codes.hand_out(holder_of(licence), actor=CLERK)

    def end(self, licence: Licence, kind: EndingKind = EndingKind.REVOKED) -> None:
        why = {"ground": "《中华人民共和国行政许可法》", "document_number": "津审罚〔2026〕8号"}
        wiring.issuer(self.home).end(licence.identifier, kind, actor=CLERK, **why)

    def settled(self) -> None:
        """Wait until the verifier has fetched what there is by now: it does so every second."""
        time.sleep(2.5)

    # The department

    @property
    def department(self) -> Client:
        """The market bureau's counter as a client of the verification service."""
        return Client(
            self.urls["verifier"], COUNTER, self.key, self.home.outbound,
            trust=self.home.trust, revocation=self.home.revocation,
        )  # fmt: skip

    def ask(self, **wish: Any) -> dict[str, Any]:
        """Begin a presentation: `id`, `link`, `match_code`."""
        said = {"purpose": PURPOSE, "matter": MATTER, "types": [TYPE], **wish}
        return dict(self.department._post("/v1/presentations", said))

    def outcome(self, session: str) -> dict[str, Any]:
        url = f"{self.urls['verifier']}/v1/presentations/{session}"
        request = urllib.request.Request(url, headers=self.department._authorization())  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the same
            return dict(json.load(answer))

    def enrolment(
        self, identifier: str, *, name: str = "", roles: Collection[str] = ("clerk",), subject: str = ""
    ) -> str:
        """A code with which a member of the department's staff registers a passkey.

        `subject` is what the city's identity platform calls them, where they sign in by it.
        """
        directory, organisation = StaffDirectory(self.home.database), samples.credit_code(901)
        registrar = staff("registrar-qian", agency=organisation, roles=("registrar",))
        if directory.find(registrar.identifier) is None:
            directory.bootstrap(
                registrar.identifier, name="钱", organisation=organisation, actor=REGISTRAR, witness=REVIEWER
            )
        added = directory.add(
            identifier, name=name or identifier, organisation=organisation, roles=roles, actor=registrar
        )
        if subject:
            issuer = self.more["openid_issuer"]
            directory.link(identifier, issuer=issuer, subject=subject, actor=registrar)
        return added.code

    @property
    def _server(self) -> Any:
        return wiring.issuance_server(self.home)

    def _register(self) -> None:
        registry = wiring.departments(self.home)
        grant = Grant(PURPOSE, MATTER, {TYPE: GRANTED})
        name = Text("津城区市场监督管理局窗口", "Jincheng market regulation counter")
        wanted = Department(COUNTER, name, samples.credit_code(901), (self.key.public_key,), (grant,))
        registry.approve(registry.propose(wanted, actor=REGISTRAR), actor=REVIEWER)

    def _settings(self) -> dict[str, Any]:
        plenty, own = 100_000, self.urls["wallet"]
        wanted = {
            "wallet_clients": (f"{WALLET} {CALLBACK}", f"{own} {own}/receive/callback"),
            "refresh_seconds": 1.0,
            "audit_interval_seconds": 0.2,
            "anonymous_requests_per_minute": plenty,
            "outbound_allowed_private": ("127.0.0.1", "::1"),
            **{role_setting(role): self.urls[role] for role in self.urls},
        }
        return {**wanted, **self.more}

    def _set(self, **values: Any) -> None:
        """Write settings over those that the ceremony wrote."""
        file = self.directory / SETTINGS
        kept = Settings.load(file)
        known = {one.name: getattr(kept, one.name) for one in fields(kept)}
        blank = Settings()
        changed = replace(kept, **values)
        lines = [
            f"{name} = {_toml(getattr(changed, name))}"
            for name in known
            if getattr(changed, name) != getattr(blank, name)
        ]
        file.write_text("\n".join([*lines, ""]), "utf-8")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "YINXIN_PASSPHRASE": PASSPHRASE, "PYTHONUNBUFFERED": "1"}


def holder_of(licence: Licence) -> Holder:
    """Its holder, whom the office looked in the face."""
    return Holder(licence.holder_code, AuthenticationMethod.COUNTER, "窗口核验〔2026〕118号")


def role_setting(role: str) -> str:
    return ROLES[role].setting


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return toml_texts(value)
    return str(value) if isinstance(value, (int, float)) else toml_text(str(value))
