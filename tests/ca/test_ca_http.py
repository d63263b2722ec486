"""The authority on HTTP, asked by others' programs: openssl, gnutls."""

from __future__ import annotations

import base64
import http.client
import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from fastapi import FastAPI
from world.authority import REGISTRAR, Office
from world.databases import with_tables
from world.openssl import openssl

from ca.http import router
from ca.ocsp import ResponseStatus, failure
from signing.timestamp import TimestampRequest, token_of_reply
from yinxin.app import problems
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUEST, RESPONSE = "application/ocsp-request", "application/ocsp-response"


@dataclass
class Counter:
    """An office on loopback, at the real time: peers look at their own clocks."""

    office: Office
    port: int
    folder: Path

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str | None = None
    ) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": kind} if kind else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = answer.status, answer.headers.get_content_type(), answer.read()
        connection.close()
        return found

    def write(self, called: str, data: bytes) -> Path:
        place = self.folder / called
        place.write_bytes(data)
        return place


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder = tmp_path_factory.mktemp("counter")
    database = with_tables(f"sqlite:///{folder / 'ca.db'}")
    office = Office(database, clock=SystemClock())  # type: ignore[arg-type]
    app = FastAPI()
    problems.install(app)
    authorities = {"root": office.root, "enterprise": office.authority}
    app.include_router(router(authorities, {"enterprise": office.ocsp()}, office.tsa()))
    listening = socket.create_server(("127.0.0.1", 0))  # it queues who comes before the server runs
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    found = Counter(office, listening.getsockname()[1], folder)
    found.write("root.pem", office.root.certificate.to_pem())
    found.write("ca.pem", office.authority.certificate.to_pem())
    found.write("chain.pem", b"".join(each.to_pem() for each in office.authority.chain))
    yield found
    server.should_exit = True
    thread.join(5)
    database.close()


def test_certificates_and_lists_are_published(counter: Counter) -> None:
    status, kind, body = counter.ask("GET", "/ca/enterprise.cer")
    assert (status, kind, body) == (200, "application/pkix-cert", counter.office.authority.certificate.der)
    status, kind, body = counter.ask("GET", "/crl/root.crl")
    assert (status, kind) == (200, "application/pkix-crl")
    assert x509.load_der_x509_crl(body).issuer == counter.office.root.certificate.x509.subject
    for path in ("/ca/nobody.cer", "/crl/nobody.crl", "/ca/..%2froot.cer"):
        assert counter.ask("GET", path)[0] == 404
    assert counter.ask("POST", "/ocsp/nobody", b"", REQUEST)[0] == 404


@pytest.mark.peer
def test_openssl_verifies_the_path_with_both_lists(counter: Counter) -> None:
    good, bad = counter.office.issue(common="good"), counter.office.issue(common="bad")
    counter.office.authority.revoke(bad.serial, reason="key_compromise", actor=REGISTRAR)
    lists = b""
    for name in ("root", "enterprise"):
        crl = x509.load_der_x509_crl(counter.ask("GET", f"/crl/{name}.crl")[2])
        lists += crl.public_bytes(Encoding.PEM)
    crls = counter.write("crls.pem", lists)
    common: list[str | Path] = [
        "verify", "-x509_strict", "-CAfile", counter.folder / "root.pem",
        "-untrusted", counter.folder / "ca.pem", "-CRLfile", crls, "-crl_check_all",
    ]  # fmt: skip
    for certificate, said in ((good, "OK"), (bad, "certificate revoked")):
        leaf = counter.write("leaf.pem", certificate.to_pem())
        assert said in openssl(*common, leaf, check=said == "OK")


@pytest.mark.peer
@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_openssl_asks_ocsp(counter: Counter, digest: str) -> None:
    certificate = counter.office.issue(common=f"ocsp {digest}")
    leaf = counter.write("asked.pem", certificate.to_pem())

    def ask(*more: str | Path) -> str:
        return openssl(
            "ocsp", "-issuer", counter.folder / "ca.pem", digest, *more,
            "-CAfile", counter.folder / "chain.pem", "-timeout", "10",
            "-url", f"http://127.0.0.1:{counter.port}/ocsp/enterprise",
        )  # fmt: skip

    good = ask("-cert", leaf)
    assert "Response verify OK" in good
    assert f"{leaf}: good" in good
    assert "WARNING" not in good  # the nonce came back
    counter.office.authority.revoke(certificate.serial, reason="superseded", actor=REGISTRAR)
    revoked = ask("-cert", leaf, "-no_nonce")
    assert f"{leaf}: revoked" in revoked
    assert "Reason: superseded" in revoked
    assert "4711: unknown" in ask("-serial", "4711")


@pytest.mark.peer
def test_gnutls_reads_certificates_lists_and_ocsp(counter: Counter) -> None:
    certificate = counter.office.issue(common="gnutls")
    leaf = counter.write("gnutls.pem", certificate.to_pem())
    chain = counter.write(
        "gnutls-chain.pem", certificate.to_pem() + counter.office.authority.certificate.to_pem()
    )
    verified = gnutls(
        "certtool", "--verify", "--load-ca-certificate", counter.folder / "root.pem", "--infile", chain
    )
    assert "The certificate is trusted" in verified
    crl = counter.write("gnutls.crl", counter.ask("GET", "/crl/enterprise.crl")[2])
    read = gnutls("certtool", "--crl-info", "--inder", "--infile", crl)
    assert "CRL Number" in read
    answered = gnutls(
        "ocsptool", f"--ask=http://127.0.0.1:{counter.port}/ocsp/enterprise", "--load-cert", leaf,
        "--load-issuer", counter.folder / "ca.pem", "--load-trust", counter.folder / "chain.pem",
    )  # fmt: skip
    assert "Verifying OCSP Response: Success" in answered
    assert "Certificate Status: good" in answered


@pytest.mark.peer
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_asks_for_a_timestamp(counter: Counter, digest: str) -> None:
    data = counter.write("licence.txt", "食品经营许可证".encode())
    query, reply = counter.folder / f"{digest}.tsq", counter.folder / f"{digest}.tsr"
    openssl("ts", "-query", "-data", data, f"-{digest}", "-cert", "-out", query)
    status, kind, body = counter.ask("POST", "/tsa", query.read_bytes(), "application/timestamp-query")
    assert (status, kind) == (200, "application/timestamp-reply")
    reply.write_bytes(body)
    verify = (
        "ts",
        "-verify",
        "-in",
        reply,
        "-CAfile",
        counter.folder / "root.pem",
        "-untrusted",
        counter.folder / "ca.pem",
    )
    assert "Verification: OK" in openssl(*verify, "-queryfile", query)
    other = counter.write("other.txt", b"another licence")
    assert "Verification: FAILED" in openssl(*verify, "-data", other, check=False)
    text = openssl("ts", "-reply", "-in", reply, "-text")
    assert "Accuracy: 0x01 seconds" in text


def test_ocsp_answers_in_the_path_too(counter: Counter) -> None:
    certificate = counter.office.issue(common="get")
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate.x509, counter.office.authority.certificate.x509, hashes.SHA256()
    )
    encoded = quote(base64.b64encode(builder.build().public_bytes(Encoding.DER)).decode(), safe="")
    status, kind, body = counter.ask("GET", f"/ocsp/enterprise/{encoded}")
    assert (status, kind) == (200, RESPONSE)
    assert ocsp.load_der_ocsp_response(body).certificate_status is ocsp.OCSPCertStatus.GOOD


@pytest.mark.parametrize("path", ["", "/AAAA", "/%00", "/=", "/" + "A" * 9000, "/%E8%AF%81"])
def test_a_broken_ocsp_path_is_malformed(counter: Counter, path: str) -> None:
    status, kind, body = counter.ask("GET", "/ocsp/enterprise" + path)
    if path:
        assert (status, kind, body) == (200, RESPONSE, failure(ResponseStatus.MALFORMED_REQUEST))
    else:
        assert status == 405


def test_a_broken_body_is_answered_in_its_own_words(counter: Counter) -> None:
    malformed = failure(ResponseStatus.MALFORMED_REQUEST)
    for body in (b"", b"x", b"\x30" * 100_000):
        assert counter.ask("POST", "/ocsp/enterprise", body, REQUEST) == (200, RESPONSE, malformed)
        status, kind, answer = counter.ask("POST", "/tsa", body, "application/timestamp-query")
        assert (status, kind, answer[4]) == (200, "application/timestamp-reply", 2)


def test_another_kind_of_body_is_not_taken(counter: Counter) -> None:
    for path in ("/ocsp/enterprise", "/tsa"):
        for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
            assert counter.ask("POST", path, b"x", kind)[0] == 415


def test_a_stamp_over_http_is_what_our_own_client_takes(counter: Counter) -> None:
    request = TimestampRequest("sha256", b"d" * 32, nonce=7)
    kind = "application/timestamp-query; charset=binary"
    assert token_of_reply(counter.ask("POST", "/tsa", request.to_der(), kind)[2], request)


def gnutls(*command: str | Path) -> str:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"no {command[0]} command: apt-get install gnutls-bin")
    run = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr
