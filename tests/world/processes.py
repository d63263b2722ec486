"""`yinxin serve` as real processes, and a department that asks them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from verify_api.departments import Department, DepartmentRegistry, Grant
from world.node import PASSPHRASE, TYPE, Node
from world.ports import free_ports
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.base.actor import staff
from yinxin.base.randomness import SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUREAU, PURPOSE, MATTER = "urn:jincheng:market-bureau", "market-entry", "440103001000"
PROGRAM = (sys.executable, "-c", "from yinxin.app.cli import main; main()")
START_SECONDS = 240.0


class Service:
    """A `yinxin serve` of some roles, with its output in a file."""

    def __init__(
        self,
        node: Node,
        roles: Sequence[str],
        folder: Path,
        *,
        workers: int = 2,
        stdin: Any = None,
        **settings: str,
    ) -> None:
        self.node = node
        self.log = folder / "serve.log"
        (self.metrics_port,) = free_ports(1)
        words = [word for role in roles for word in ("--role", role)]
        if stdin is None:
            file = folder / "passphrase"
            file.write_text(PASSPHRASE)
            words += ["--passphrase-file", str(file)]
        environment = {**os.environ, "YINXIN_METRICS_LISTEN": f"127.0.0.1:{self.metrics_port}"}
        environment |= {
            "YINXIN_LOG_FORMAT": "json",
            **{f"YINXIN_{k.upper()}": v for k, v in settings.items()},
        }
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [
                    *PROGRAM,
                    "--debug",
                    "serve",
                    *words,
                    "--home",
                    str(node.home.directory),
                    "--workers",
                    str(workers),
                ],
                stdin=stdin or subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )

    def wait(self) -> Service:
        """Until everything serves."""
        patience = time.monotonic() + START_SECONDS
        while "serves" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > patience:
                self.stop()
                raise AssertionError(self.log.read_text())
            time.sleep(0.1)
        return self

    def children(self) -> dict[int, str]:
        """The processes below it by their command lines, as the system tells them."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if int((place / "stat").read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def worker(self, slot: str) -> int:
        """The process that answers in this slot, from what it logs."""
        for line in reversed(self.lines()):
            if line.get("process") == slot and "pid" in line:
                return int(line["pid"])
        raise AssertionError(f"{slot} never said that it is there")

    def lines(self) -> list[dict[str, Any]]:
        found = []
        for line in self.log.read_text().splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def metric(self, name: str) -> float:
        """One figure of /metrics, by its name and labels as they are written there."""
        for line in self.metrics().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def metrics(self) -> str:
        return call(f"http://127.0.0.1:{self.metrics_port}", "GET", "/metrics")[2].decode()

    def until(self, condition: Any, *, seconds: float = 240.0) -> None:
        """Wait for something that takes the time it takes on this machine."""
        patience = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < patience, self.log.read_text()[-3000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """End it without any order, if it still runs; its workers see that."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def stop(self) -> int:
        """End it in order; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class Bureau:
    """A department with a token."""

    def __init__(self, node: Node) -> None:
        self.url = node.home.settings.verify_url
        self._signer = FileSigner.generate()
        self._clock = node.clock
        registry = DepartmentRegistry(node.home.database, clock=node.clock)
        fields = frozenset({"operator_name", "credit_code", "business_premises"})
        department = Department(
            id=BUREAU,
            name=Text("用证部门", "A department"),
            credit_code="111201010000518600",
            keys=(self._signer.public_key,),
            grants=(Grant(PURPOSE, MATTER, {TYPE: fields}),),
        )
        proposal = registry.propose(department, actor=staff("clerk-17"))
        registry.approve(proposal, actor=staff("reviewer-4", roles=("reviewer",)))

    def token(self) -> str:
        now = int(self._clock.now().timestamp())
        claims = {"iss": BUREAU, "sub": BUREAU, "aud": f"{self.url}/v1/token", "iat": now, "exp": now + 60}
        assertion = sign_jws(
            {**claims, "jti": random_text(SystemRandomness())}, self._signer, headers={"typ": "JWT"}
        )
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        body = urlencode({**form, "client_assertion": assertion}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, _, answer = call(self.url, "POST", "/v1/token", body, headers)
        assert status == 200, answer
        return str(json.loads(answer)["access_token"])

    @staticmethod
    def question(number: str, **more: Any) -> bytes:
        return dump_json({"purpose": PURPOSE, "matter": MATTER, "licence": number, **more})

    @staticmethod
    def headers(token: str, **more: str) -> dict[str, str]:
        return {"Content-Type": "application/json", "Authorization": f"Bearer {token}", **more}


def call(
    url: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def need_proc() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("looks at processes in /proc: Linux only")
