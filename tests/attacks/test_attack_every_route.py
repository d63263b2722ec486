"""Every route that a home's services have, whoever added it.

Other sites' pages change nothing, odd requests break nothing, and nothing that was sent comes back as markup
or as a header.

The applications are the real ones, wired as `yinxin serve` does.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from world.asgi import Answer, Client
from world.homes import make_home

from credentials import samples
from yinxin.app import wiring
from yinxin.app.ceremony import Plan
from yinxin.app.home import Home
from yinxin.app.office import office_app
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

ROLES = {
    "ca": wiring.certificate_app,
    "issuer": wiring.issuer_app,
    "verifier": wiring.verifier_app,
    "wallet": wiring.wallet_app,
    "office": office_app,
}
READING = {"GET", "HEAD", "OPTIONS"}
KINDS_OF_FORMS = ["application/x-www-form-urlencoded", "application/json", "text/plain"]
CAMPAIGN = os.environ.get("YINXIN_CAMPAIGN") == "full"
T = TypeVar("T")
WORD = "a passphrase of a test"
MARK = "<img src=x onerror=alert(1)>\"'"
# Whoever calls these is no browser with a session: they are answered by what is in them (a signature,
# a code), or change nothing. None of them reads a cookie.
FOR_PROGRAMS = {
    ("ca", "/tsa"),
    ("ca", "/ocsp/{name}"),
    ("issuer", "/oid4vci/nonce"),
    ("issuer", "/v1/delegations/nonce"),
    ("verifier", "/oid4vp/requests/{request_id}"),
    ("verifier", "/oid4vp/responses/{request_id}"),
    ("verifier", "/v1/nonces"),
    ("verifier", "/v1/token"),
    ("verifier", "/v1/verifications"),
    ("verifier", "/v1/disputes"),
    ("office", "/v1/token"),
}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Client]]:
    agency = samples.AGENCY
    place: Path = tmp_path_factory.mktemp("every-route") / "home"
    plan = Plan(agency.name.zh, agency.name.en, agency.credit_code)
    make_home(place, plan, clock=SystemClock(), passphrase=WORD).database.close()
    with (place / "yinxin.toml").open("a", encoding="utf-8") as settings:
        settings.write("anonymous_requests_per_minute = 1000000\n")
    home = Home.open(place, passphrase=WORD)
    with ExitStack() as closing:
        yield {role: Client(make(home, wiring.Stage(closing))) for role, make in ROLES.items()}
        home.database.close()


def routes(client: Client) -> list[tuple[str, str]]:
    """Method and path of each."""
    return sorted(set(walked(client.app.routes)))


def walked(found: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from walked(inner.routes)
        yield from ((method, route.path) for method in getattr(route, "methods", None) or ())


def filled(path: str, word: str = "x") -> str:
    return re.sub(r"{[^}]*}", word, path)


def sent(client: Client, method: str, path: str, content: bytes = b"{}", **headers: str) -> Answer:
    named = {"Content-Type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, path, headers=named, content=b"" if method in READING else content)


def test_each_role_has_routes_of_both_kinds(clients: dict[str, Client]) -> None:
    for client in clients.values():
        assert {method for method, _ in routes(client)} >= {"GET", "POST"}
    assert sum(len(routes(client)) for client in clients.values()) > 200


# What browsers say of a page that is not ours; nothing at all is what no browser says.
TOLD: list[dict[str, str]] = [
    {"Origin": "null"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {},
]


@pytest.mark.parametrize("role", ROLES)
def test_other_sites_pages_change_nothing(clients: dict[str, Client], role: str) -> None:
    """Forms are refused before anybody asks who sends them; what programs call wants more than a cookie."""
    client, taken = clients[role], []
    changing = [
        pair for pair in routes(client) if pair[0] not in READING and (role, pair[1]) not in FOR_PROGRAMS
    ]
    for number, (method, path) in enumerate(changing):
        tries = [({"Origin": "https://evil.example"}, kind) for kind in some(KINDS_OF_FORMS, number, 2)]
        tries += [(told, KINDS_OF_FORMS[0]) for told in some(TOLD, number, 1)]
        for told, kind in tries:
            answer = sent(client, method, filled(path), b"x=1", **(told | {"Content_Type": kind}))
            refused = {403, 429}
            if path.startswith(("/v1/", "/oid4vci/", "/status", "/types")):
                refused |= {400, 401, 404, 405, 413, 415, 422}
            if answer.status_code not in refused:
                taken.append((method, path, told, kind, answer.status_code))
    assert taken == []


def some(items: Sequence[T], number: int, count: int) -> list[T]:
    """All of them in the campaign; else a few, other ones for each route."""
    if CAMPAIGN:
        return list(items)
    return [items[(number * count + place) % len(items)] for place in range(count)]


ODD_PATHS = [
    "%00",
    "%ff",
    "..%2f..%2fetc",
    "%0d%0aX-Evil:%201",
    "a" * 3000,
    "-1",
    "%F0%9F%98%80",
    "%3Cb%3E",
    "{x}",
]
ODD_QUERIES = [
    "?limit=-1", "?limit=99999999999999999999", "?after=%00", "?after=99999999999999999999", "?state=%ff",
    "?number=%00",
    "?month=0000-01", "?month=%ff", "?lang=%0d%0aX-Evil:1", "?as_of=9999-12-31T23:59:59Z", "?x=1&x=2",
]  # fmt: skip
ODD_BODIES: list[bytes] = [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 3000 + b"]" * 3000,
    b'{"\\ud800":"\\ud800"}', b"\xef\xbb\xbf{}", b'{"a":1e999}', b"0", b"--x\r\n\r\n--x--",
    b"a=%00&b=%ff&c=%",
]  # fmt: skip
KINDS = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/csv",
]


def faults(answer: Answer) -> list[str]:
    """What no answer is."""
    found = []
    if answer.status_code >= 500 and answer.status_code != 503:
        found.append(f"status {answer.status_code}")
    if any("evil" in name.lower() for name, _ in answer.pairs):
        found.append("a header of the caller's")
    if b"<img src=x" in answer.content or b"<b>x" in answer.content:
        found.append("markup of the caller's")
    if b"Traceback" in answer.content or b"sqlite3" in answer.content or b"/site-packages/" in answer.content:
        found.append("our inside")
    return found


@pytest.mark.parametrize("role", ROLES)
def test_odd_requests_get_an_answer(clients: dict[str, Client], role: str) -> None:
    client, wrong = clients[role], []
    for number, (method, path) in enumerate(routes(client)):
        tries: list[tuple[str, bytes, str]] = [(filled(path), ODD_BODIES[number % len(ODD_BODIES)], KINDS[0])]
        tries += [(filled(path, word), b"{}", KINDS[0]) for word in some(ODD_PATHS, number, 2) if "{" in path]
        tries += [(filled(path) + query, b"{}", KINDS[0]) for query in some(ODD_QUERIES, number, 2)]
        if method not in READING:
            tries += [
                (filled(path), body, KINDS[place % 4])
                for place, body in enumerate(some(ODD_BODIES, number, 3), number)
            ]
        for url, body, kind in tries:
            answer = sent(client, method, url, body, Content_Type=kind, Origin="http://localhost:8004")
            wrong += [(method, url[:60], body[:30], what) for what in faults(answer)]
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_what_was_sent_is_never_markup(clients: dict[str, Client], role: str) -> None:
    client, wrong = clients[role], []
    names = (
        "q",
        "number",
        "slip",
        "words",
        "name",
        "error",
        "error_description",
        "state",
        "code",
        "next",
        "lang",
    )
    said: dict[str, Any] = dict.fromkeys(names, MARK)
    query = "?" + "&".join(f"{name}=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22'" for name in names)
    for method, path in routes(client):
        url = filled(path, "%3Cimg%20src=x%20onerror=alert(1)%3E") + query
        answer = sent(client, method, url, json.dumps(said).encode(), User_Agent=MARK, Referer=MARK)
        is_page = "html" in dict(answer.headers).get("content-type", "")
        wrong += [
            (method, path, what) for what in faults(answer) if is_page or what != "markup of the caller's"
        ]
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_pages_are_framed_sniffed_and_scripted_by_nobody(clients: dict[str, Client], role: str) -> None:
    client, bare = clients[role], []
    for method, path in routes(client):
        answer = sent(client, method, filled(path))
        headers = {name.lower(): value for name, value in answer.pairs}
        if headers.get("x-content-type-options") != "nosniff":
            bare.append((method, path, "nosniff"))
        policy = headers.get("content-security-policy", "")
        if "html" in headers.get("content-type", "") and (
            "frame-ancestors 'none'" not in policy or "default-src 'none'" not in policy or "unsafe" in policy
        ):
            bare.append((method, path, policy))
        cookies = [value.lower() for name, value in answer.pairs if name.lower() == "set-cookie"]
        bare += [(method, path, one) for one in cookies if "httponly" not in one or "samesite" not in one]
    assert bare == []
