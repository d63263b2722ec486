"""URLs from strangers that would turn a request against us: each one through the whole way out.

Names are resolved in memory. Nothing may be dialled, neither when such a URL comes first nor when a server
redirects to it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinxin.base.addresses import is_web_port
from yinxin.base.errors import NotPermitted, Unreachable, YinxinError
from yinxin.base.outbound import Outbound

PUBLIC, OWN = "93.184.215.14", "127.0.0.1"
# What names answer. Names that are not here are addresses, or unknown.
NAMES: dict[str, list[str]] = {
    "public.example": [PUBLIC],
    "six.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "localhost": ["127.0.0.1", "::1"],
    "loopback.example": ["127.0.0.1"],
    "one-of-two.example": [PUBLIC, "10.0.0.5"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:192.168.0.1"],
    "compatible.example": ["::7f00:1"],
    "nat64.example": ["64:ff9b::a9fe:a9fe"],
    "nat64-local.example": ["64:ff9b:1::a00:1"],
    "six-to-four.example": ["2002:7f00:1::1"],
    "teredo.example": ["2001:0:4136:e378:8000:63bf:f5ff:fffe"],
    "link-local.example": ["fe80::1%eth0"],
    "zone.example": ["2606:4700::1111%eth0"],
    "unique-local.example": ["fd00::1"],
    "site-local.example": ["fec0::1"],
    "carrier.example": ["100.64.0.1"],
    "benchmark.example": ["198.18.0.1"],
    "multicast.example": ["239.255.255.250"],
    "broadcast.example": ["255.255.255.255"],
    "this-host.example": ["0.0.0.0"],  # noqa: S104 - refused
    "nothing.example": ["::"],
    "reserved.example": ["240.0.0.1"],
    "nonsense.example": ["not an address"],
}
REFUSED = [
    # addresses of our own, as they are
    *("http://127.0.0.1/", "http://127.8.8.8/", "http://[::1]/", "http://0.0.0.0/", "http://[::]/"),
    *("http://10.0.0.1/", "http://172.16.5.4/", "http://192.168.1.1/", "http://169.254.169.254/latest/"),
    *("http://100.64.0.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/"),
    # IPv6 that carries IPv4, tunnels, and what is local
    *("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[0:0:0:0:0:ffff:a00:1]/"),
    *("http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::a00:1]/"),
    *("http://[2002:7f00:1::]/", "http://[2001::1]/", "http://[fe80::1]/", "http://[fd12::1]/"),
    *("http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/"),
    # names that lead there
    *(f"http://{name}/" for name in NAMES if name not in {"public.example", "six.example"}),
    # IPv4 in other spellings
    *("http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.1/", "http://0/"),
    *("http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://127.0.0.01/", "http://1.2.3/", "http://127.0.0.0x1/"),
    # trailing dots, odd names
    *("http://127.0.0.1./", "http://localhost./", "http://public.example./", "http://a..example/"),
    # two readings of who is meant
    *("http://public.example@127.0.0.1/", "http://127.0.0.1@public.example/", "http://user@public.example/"),
    *("http://public.example\\@127.0.0.1/", "http://public.example:80@127.0.0.1/", "http://@public.example/"),
    *("http:\\\\127.0.0.1\\", "http:///127.0.0.1/", "http:127.0.0.1"),
    # letters that look like others, percent signs in hosts
    *("http://１２７.0.0.1/", "http://127。0。0。1/", "http://①②⑦.0.0.1/", "http://ⓛocalhost/"),
    *("http://%31%32%37.0.0.1/", "http://public.example%00.loopback.example/", "http://loc%61lhost/"),
    # zones, and what is no address in brackets
    *("http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1]public.example/", "http://[v1.x]/"),
    # ports
    *("http://public.example:0/", "http://public.example:22/", "http://public.example:25/"),
    *("http://public.example:6379/", "http://public.example:5432/", "http://public.example:11211/"),
    *("http://public.example:65536/", "http://public.example:-80/", "http://public.example:８０/"),
    "http://public.example:/",
    # schemes
    *("file:///etc/passwd", "ftp://public.example/", "gopher://public.example:70/_x", "ldap://public.example/"),
    *("dict://public.example/", "data:,x", "jar:http://public.example/!/", "unix:/var/run/docker.sock"),
    # lines that would be requests of their own
    *("http://public.example/\r\nHost: loopback.example", "http://public.example\r\n/", "http://public.example/\n"),
    *("http://public.example/ HTTP/1.1", "http://public.example/\x00", "http://pub\tlic.example/"),
]  # fmt: skip


def resolve(host: str, _port: int) -> list[str]:
    """The names above; an address is itself; all else is unknown."""
    found = NAMES.get(host)
    if found is not None:
        return found
    if host.replace(".", "").isdigit() or ":" in host:
        return [host]
    raise socket.gaierror(host)


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address that anybody dials; no line is free."""
    found: list[object] = []

    def connect(_self: socket.socket, address: object) -> None:
        found.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found


def test_the_table_is_long_enough() -> None:
    assert len(REFUSED) == len(set(REFUSED)) >= 90


@pytest.mark.parametrize("url", REFUSED)
def test_nothing_is_dialled(dialled: list[object], url: str) -> None:
    way = Outbound(resolve=resolve)
    for ask in (way.get, lambda url: way.post(url, b"", content_type="text/plain")):
        with pytest.raises(NotPermitted):
            ask(url)
    assert dialled == []


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://public.example/", (PUBLIC, 80)),
        ("https://public.example/", (PUBLIC, 443)),
        ("http://public.example:8080/a?b#c", (PUBLIC, 8080)),
        (f"http://{PUBLIC}/", (PUBLIC, 80)),
        (f"http://[::ffff:{PUBLIC}]/", (PUBLIC, 80)),
        ("http://[2606:4700::1111]:8443/", ("2606:4700::1111", 8443)),
    ],
)
def test_what_is_public_is_dialled_by_its_address(
    dialled: list[tuple[object, ...]], url: str, address: tuple[str, int]
) -> None:
    with pytest.raises(Unreachable):
        Outbound(resolve=resolve).get(url)
    assert [place[:2] for place in dialled] == [address]


def test_a_name_that_changes_its_mind_is_dialled_where_it_was_checked(dialled: list[object]) -> None:
    """Rebinding: each question to the resolver gets another answer, and each answer is checked."""
    answers = iter([[PUBLIC], ["127.0.0.1"], [PUBLIC, "127.0.0.1"]])
    way = Outbound(resolve=lambda *_: next(answers))
    with pytest.raises(Unreachable):
        way.get("http://rebinding.example/")
    for _ in range(2):
        with pytest.raises(NotPermitted):
            way.get("http://rebinding.example/")
    assert dialled == [(PUBLIC, 80)]


class _Redirecting(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(302)
        self.send_header("Location", unquote(self.path.partition("?to=")[2]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


Redirect = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def redirect() -> Iterator[Redirect]:
    """Follow a redirect to a place; returns what our own server was asked."""
    with ThreadingHTTPServer((OWN, 0), _Redirecting) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        names = {**NAMES, "server.example": [OWN]}

        def follow(place: str) -> list[str]:
            server.asked.clear()  # type: ignore[attr-defined]
            way = Outbound(
                allowed_private=[f"{OWN}:{server.server_port}"],
                resolve=lambda host, port: names.get(host) or resolve(host, port),
            )
            with pytest.raises(YinxinError):
                way.get(f"http://server.example:{server.server_port}/start?to={quote(place, safe='')}")
            return list(server.asked)  # type: ignore[attr-defined]

        yield follow
        server.shutdown()
        thread.join()


# A lone scheme is relative to the server that says it: its own path. A line's end would end the header.
_RELATIVE = {"http:127.0.0.1", "http:///127.0.0.1/"}


@pytest.mark.parametrize(
    "url", [url for url in REFUSED if url.isascii() and url.isprintable() and url not in _RELATIVE]
)
def test_a_redirect_leads_nowhere_else_either(redirect: Redirect, url: str) -> None:
    assert len(redirect(url)) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(-1, 70_000))
def test_a_port_is_of_the_web_or_not(port: int) -> None:
    assert is_web_port(port) in {True, False}
    if port < 1024:
        assert is_web_port(port) == (port in {80, 443})
