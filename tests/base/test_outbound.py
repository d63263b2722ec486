"""Requests over a real loopback server; names are resolved by the test."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from yinxin.base.clock import FixedClock
from yinxin.base.errors import NotPermitted, TooLarge, Unreachable, UsageError
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from pathlib import Path


class Peer(ThreadingHTTPServer):
    """A server on loopback that remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.redirect_to = ""
        self.released = threading.Event()

    def url(self, path: str = "/", host: str = "peer.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the story."""


class _Handler(BaseHTTPRequestHandler):
    server: Peer

    def do_GET(self) -> None:
        self._remember(b"")
        path = self.path.partition("?")[0]
        getattr(self, f"_{path.strip('/') or 'hello'}")()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._remember(body)
        if self.path == "/redirect":
            self._redirect()
        else:
            self._answer(body[::-1])

    def _remember(self, body: bytes) -> None:
        self.server.asked.append((self.command, self.path, dict(self.headers), body))

    def _answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def _hello(self) -> None:
        self._answer(b"hello")

    def _missing(self) -> None:
        self._answer(b"no", 404)

    def _large(self) -> None:
        self._answer(b"x" * 100_000)

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while not self.server.released.is_set():
                self.wfile.write(b"x" * 10_000)

    def _redirect(self) -> None:
        self._answer(b"", 302, Location=self.server.redirect_to)

    def _compressed(self) -> None:
        self._answer(b"\x1f\x8b", Content_Encoding="gzip")

    def _short(self) -> None:
        self._answer(b"half", Content_Length="100")

    def _silent(self) -> None:
        self.server.released.wait(20)

    def _drip(self) -> None:
        self.send_response(200)
        with suppress(OSError):
            while not self.server.released.wait(0.05):
                self.wfile.write(b"X-Drip: 1\r\n")

    def _nonsense(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


Ask = Callable[..., Outbound]


@pytest.fixture
def outbound(peer: Peer) -> Ask:
    """An `Outbound` that may go to the peer; every name is the peer's, unless told otherwise."""

    def make(**options: Any) -> Outbound:
        standard = {"allowed_private": [f"127.0.0.1:{peer.server_port}"], "resolve": lambda *_: ["127.0.0.1"]}
        return Outbound(**{**standard, **options})

    return make


def test_a_name_is_kept_while_the_connection_goes_to_the_checked_address(peer: Peer, outbound: Ask) -> None:
    response = outbound().get(peer.url("/hello?a=b"), headers={"X-Ours": "1"})
    assert (response.status, response.body) == (200, b"hello")
    assert response.headers["content-length"] == response.headers["Content-Length"] == "5"
    method, path, headers, _ = peer.asked[0]
    assert (method, path) == ("GET", "/hello?a=b")
    assert headers["Host"] == f"peer.example:{peer.server_port}"
    assert headers["X-Ours"] == "1"
    assert headers["Accept-Encoding"] == "identity"


def test_a_body_is_sent(peer: Peer, outbound: Ask) -> None:
    response = outbound().post(peer.url("/ocsp"), b"abc", content_type="application/ocsp-request")
    assert response.body == b"cba"
    assert peer.asked[0][2]["Content-Type"] == "application/ocsp-request"


def test_any_status_is_an_answer(peer: Peer, outbound: Ask) -> None:
    assert outbound().get(peer.url("/missing")).status == 404


def test_loopback_is_refused_unless_allowed(peer: Peer) -> None:
    for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"):
        with pytest.raises(NotPermitted):
            Outbound().get(peer.url(host=host))
    assert peer.asked == []


def test_one_bad_address_refuses_the_name(peer: Peer, outbound: Ask) -> None:
    with pytest.raises(NotPermitted):
        outbound(resolve=lambda *_: ["127.0.0.1", "10.0.0.1"]).get(peer.url())
    assert peer.asked == []


def test_a_name_is_resolved_once_so_it_cannot_change_its_mind(peer: Peer, outbound: Ask) -> None:
    """DNS rebinding: the second answer would be another address."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    rebinding = outbound(resolve=lambda *_: next(answers))
    assert rebinding.get(peer.url()).body == b"hello"
    with pytest.raises(NotPermitted):
        rebinding.get(peer.url())
    assert len(peer.asked) == 1


def test_a_redirect_is_checked_like_a_first_request(peer: Peer, outbound: Ask) -> None:
    for place in (
        "http://169.254.169.254/latest/meta-data/",
        f"http://[::1]:{peer.server_port}/hello",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "//user@peer.example/",
        "http://0x7f000001/",
    ):
        peer.redirect_to = place
        answers = {"peer.example": ["127.0.0.1"]}
        with pytest.raises(NotPermitted):
            outbound(resolve=lambda host, _, known=answers: known.get(host, [host])).get(
                peer.url("/redirect")
            )
    assert {path for _, path, _, _ in peer.asked} == {"/redirect"}


def test_a_redirect_resolves_its_name_again(peer: Peer, outbound: Ask) -> None:
    peer.redirect_to = "/hello"
    answers = iter([["127.0.0.1"], ["192.168.0.1"]])
    with pytest.raises(NotPermitted):
        outbound(resolve=lambda *_: next(answers)).get(peer.url("/redirect"))


def test_redirects_are_followed_up_to_three(peer: Peer, outbound: Ask) -> None:
    peer.redirect_to = peer.url("/hello", host="elsewhere.example")
    response = outbound().get(peer.url("/redirect"), headers={"Authorization": "secret"})
    assert response.body == b"hello"
    assert peer.asked[0][2]["Authorization"] == "secret"
    assert "Authorization" not in peer.asked[1][2], "it was meant for the first server"
    peer.redirect_to = "/redirect"
    with pytest.raises(Unreachable, match="redirects"):
        outbound().get(peer.url("/redirect"))
    assert len(peer.asked) == 2 + 4


def test_a_redirect_is_an_answer_for_who_does_not_follow(peer: Peer, outbound: Ask) -> None:
    peer.redirect_to = "/hello"
    assert outbound().get(peer.url("/redirect"), follow=False).status == 302
    assert len(peer.asked) == 1


def test_a_body_is_never_sent_on(peer: Peer, outbound: Ask) -> None:
    peer.redirect_to = "/hello"
    assert outbound().post(peer.url("/redirect"), b"x", content_type="text/plain").status == 302
    assert len(peer.asked) == 1


@pytest.mark.parametrize("path", ["/large", "/endless"])
def test_too_much_is_too_large(peer: Peer, outbound: Ask, path: str) -> None:
    with pytest.raises(TooLarge):
        outbound().get(peer.url(path), max_bytes=99_999)
    with pytest.raises(TooLarge):
        outbound(max_bytes=50_000).get(peer.url(path))


@pytest.mark.parametrize("path", ["/compressed", "/short", "/nonsense"])
def test_a_strange_answer_is_no_answer(peer: Peer, outbound: Ask, path: str) -> None:
    with pytest.raises(Unreachable):
        outbound().get(peer.url(path))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("path", ["/silent", "/drip"])
def test_the_time_of_a_whole_request_is_bounded(peer: Peer, outbound: Ask, path: str) -> None:
    with pytest.raises(Unreachable) as caught:
        outbound(timeout_seconds=0.3).get(peer.url(path))
    assert caught.value.retry_after


def test_a_resolver_that_hangs_is_given_up(peer: Peer, outbound: Ask) -> None:
    def hang(*_: object) -> list[str]:
        peer.released.wait(20)
        return []

    with pytest.raises(Unreachable):
        outbound(timeout_seconds=0.2, resolve=hang).get(peer.url())


def test_no_server_and_no_name_are_unreachable(peer: Peer, outbound: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable):
        outbound(allowed_private=["127.0.0.1"]).get(f"http://peer.example:{port}/")

    def unknown(*_: object) -> list[str]:
        raise socket.gaierror

    with pytest.raises(Unreachable):
        outbound(resolve=unknown).get(peer.url())
    with pytest.raises(Unreachable):
        outbound(resolve=lambda *_: []).get(peer.url())


def test_a_dead_address_is_passed_over(peer: Peer, outbound: Ask) -> None:
    allowed = ["127.0.0.0/8"]
    assert (
        outbound(allowed_private=allowed, resolve=lambda *_: ["127.9.9.9", "127.0.0.1"]).get(peer.url()).body
    )


def test_a_header_cannot_smuggle_lines(peer: Peer, outbound: Ask) -> None:
    with pytest.raises(Unreachable):
        outbound().get(peer.url(), headers={"X-Ours": "1\r\nHost: other"})
    assert peer.asked == []


def test_an_answer_is_kept_as_long_as_the_caller_accepts(peer: Peer, outbound: Ask) -> None:
    clock = FixedClock(2026, 11, 20)
    caching = outbound(clock=clock)
    hour = timedelta(hours=1)
    caching.get(peer.url(), max_age=hour)
    caching.get(peer.url(), max_age=hour)
    assert len(peer.asked) == 1
    clock.advance(timedelta(minutes=59))
    caching.get(peer.url(), max_age=hour)
    assert len(peer.asked) == 1
    caching.get(peer.url(), max_age=timedelta(minutes=1))
    caching.get(peer.url())
    caching.get(peer.url(), headers={"X": "1"}, max_age=hour)
    assert len(peer.asked) == 4
    caching.get(peer.url("/missing"), max_age=hour)
    caching.get(peer.url("/missing"), max_age=hour)
    assert len(peer.asked) == 6


def test_the_cache_stays_small(peer: Peer, outbound: Ask) -> None:
    caching = outbound()
    for i in range(70):
        caching.get(peer.url(f"/hello?{i}"))
    assert len(caching._cache) == 64


def test_tls_is_verified_against_the_name(peer: Peer, outbound: Ask, tmp_path: Path) -> None:
    certificate = _serve_tls(peer, "peer.example", tmp_path)
    trusting = ssl.create_default_context(cadata=certificate)
    assert outbound(tls=trusting).get(peer.url(scheme="https")).body == b"hello"
    with pytest.raises(Unreachable):
        outbound(tls=trusting).get(peer.url(scheme="https", host="other.example"))
    with pytest.raises(Unreachable):
        outbound().get(peer.url(scheme="https"))
    assert len(peer.asked) == 1


def test_a_redirect_never_leads_from_https_to_http(peer: Peer, outbound: Ask, tmp_path: Path) -> None:
    certificate = _serve_tls(peer, "peer.example", tmp_path)
    peer.redirect_to = peer.url("/hello", scheme="http")
    with pytest.raises(NotPermitted, match="https to http"):
        outbound(tls=ssl.create_default_context(cadata=certificate)).get(
            peer.url("/redirect", scheme="https")
        )


def test_https_only(peer: Peer, outbound: Ask) -> None:
    with pytest.raises(NotPermitted):
        outbound(https_only=True).get(peer.url())


def test_a_wrong_allowance_is_said_at_once() -> None:
    with pytest.raises(UsageError):
        Outbound(allowed_private=["localhost:80"])


def _known(host: str, _port: int) -> list[str]:
    return ["127.0.0.1"] if host == "peer.example" else [host]


def _serve_tls(peer: Peer, host: str, folder: Path) -> str:
    """Have the peer speak TLS with a certificate of its own; returns it as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    file = folder / "server.pem"
    file.write_bytes(certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    peer.socket = context.wrap_socket(peer.socket, server_side=True)
    return certificate.decode()
