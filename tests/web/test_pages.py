"""Pages: their language, their headers, their files; forms that other sites send; what goes wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response  # noqa: TC002 - FastAPI reads the annotations
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from starlette.exceptions import HTTPException
from world.asgi import Client

from yinxin.app import problems
from yinxin.base.errors import NotPermitted, TooLarge, Unauthenticated, UsageError
from yinxin.base.text import Text
from yinxin.web import Pages, require_same_origin, see_other
from yinxin.web.guards import local_path
from yinxin.web.language import accepted

ORIGIN = "https://counter.example"
PAGES = Pages("yinxin.web")
HTML = ("Accept", "text/html")


@pytest.fixture(scope="module")
def client() -> Client:
    routes: APIRouter = PAGES.router()

    @routes.get("/")
    async def start(request: Request) -> Response:
        return PAGES.answer(request, "base.html", camera="camera" in request.query_params)

    @routes.post("/form")
    async def form(request: Request) -> Response:
        require_same_origin(request, ORIGIN)
        return see_other("/")

    @routes.get("/problem/{kind}")
    async def problem(kind: str) -> Response:
        raise {
            "large": TooLarge("file", "<b>secret detail</b>"),
            "out": Unauthenticated("x"),
            "type": HTTPException(415, headers={"Accept-Post": "text/plain"}),
            "bug": ZeroDivisionError("secret detail"),
        }[kind]

    app = FastAPI()
    problems.install(app)
    app.include_router(routes)
    app.include_router(PAGES.static_routes())
    return Client(app)


def test_pages_speak_chinese_unless_somebody_wishes_otherwise(client: Client) -> None:
    assert '<html lang="zh-CN">' in client.get("/").text
    assert '<html lang="en">' in client.get("/", headers=[("Accept-Language", "fr, en;q=0.8")]).text
    chosen = client.get("/?lang=en", headers=[("Accept-Language", "zh")])
    assert '<html lang="en">' in chosen.text
    assert chosen.headers["content-language"] == "en"
    cookie = chosen.headers["set-cookie"].partition(";")[0]
    assert '<html lang="en">' in client.get("/", headers=[("Cookie", cookie)]).text
    assert '<html lang="zh-CN">' in client.get("/?lang=zh", headers=[("Cookie", cookie)]).text
    assert "set-cookie" not in client.get("/?lang=klingon").headers


def test_the_other_language_keeps_what_was_asked(client: Client) -> None:
    page = client.get("/?next=%2Fa%3Fb%3D1&lang=zh&x=%3Cb%3E").text
    assert 'href="/?next=%2Fa%3Fb%3D1&amp;x=%3Cb%3E&amp;lang=en"' in page


@given(st.text(max_size=80))
def test_any_wish_for_a_language_is_one_of_ours(header: str) -> None:
    assert accepted(header) in {"zh", "en"}


def test_a_page_lets_nothing_in_from_elsewhere(client: Client) -> None:
    headers = client.get("/").headers
    policy = headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "camera=(self)" in client.get("/?camera=1").headers["permissions-policy"]


def test_what_people_typed_is_escaped_and_texts_too() -> None:
    said = PAGES._speaker("en")
    PAGES.texts["x"] = Text("<甲>{name}", "<b>{name}")
    try:
        assert said("x", name="<script>") == "&lt;b&gt;&lt;script&gt;"
    finally:
        del PAGES.texts["x"]


def test_a_name_that_nobody_gave_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        PAGES.render("problem.html", "zh")
    with pytest.raises(UsageError):
        PAGES.text("no.such.text")
    with pytest.raises(UsageError):
        PAGES.static("no-such-file.js")
    with pytest.raises(UsageError):
        Pages("yinxin.web.pages")  # a module is no room


def test_files_are_named_by_their_content(client: Client) -> None:
    address = PAGES.static("yinxin.css")
    named = client.get(address)
    assert named.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in named.headers["cache-control"]
    bare = client.get(address.partition("?")[0])
    assert bare.headers["cache-control"] == "no-cache"
    again = client.get(address, headers=[("If-None-Match", named.headers["etag"])])
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address + "x").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["nothing.css", "..%2Ftexts.toml", "%2e%2e/texts.toml", "../pages.py", "", "%00"],
)
def test_only_files_of_the_folder_are_served(client: Client, path: str) -> None:
    assert client.get(f"/static/yinxin.web/{path}").status_code == 404


# Forms from elsewhere


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ([("Origin", ORIGIN)], True),
        ([("Origin", ORIGIN), ("Sec-Fetch-Site", "same-origin")], True),
        ([("Sec-Fetch-Site", "same-origin")], True),
        ([], False),
        ([("Origin", "null"), ("Sec-Fetch-Site", "same-origin")], False),
        ([("Origin", "null")], False),
        ([("Origin", "https://evil.example")], False),
        ([("Origin", ORIGIN), ("Sec-Fetch-Site", "cross-site")], False),
        ([("Origin", ORIGIN), ("Sec-Fetch-Site", "same-site")], False),
        ([("Origin", "http://counter.example")], False),
        ([("Origin", ORIGIN + ":8443")], False),
        ([("Origin", ORIGIN + ".evil.example")], False),
        ([("Origin", ORIGIN), ("Origin", "https://evil.example")], False),
        ([("Origin", ORIGIN.upper())], False),
        ([("Origin", ORIGIN), ("Sec-Fetch-Site", "none")], False),
        ([("Referer", ORIGIN + "/")], False),
    ],
)
def test_a_form_of_another_site_is_refused(client: Client, headers: Any, *, passes: bool) -> None:
    assert client.post("/form", headers=headers).status_code == (303 if passes else 403)


@given(st.text(max_size=60) | st.from_regex(r"\A[/\\]{0,3}[a-z.:@\\/\t\n%]{0,20}\Z"))
def test_any_way_onward_stays_here(text: str) -> None:
    found = local_path(text, otherwise="/start")
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert found.isascii()
    assert found.isprintable()


# What goes wrong


def test_a_problem_is_told_on_a_page_when_a_page_was_asked_for(client: Client) -> None:
    page = client.get("/problem/large", headers=[HTML, ("Accept-Language", "zh")])
    assert page.status_code == 413
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "输入超出大小限制" in page.text
    assert "secret" not in page.text
    program = client.get("/problem/large")
    assert program.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("kind", "status"), [("type", 415), ("bug", 500)])
def test_what_the_framework_refuses_and_what_breaks_is_a_page_too(
    client: Client, kind: str, status: int
) -> None:
    for accept, media in (("text/html", "text/html"), ("*/*", "application/problem+json")):
        answer = Client(_calm(client.app)).get(f"/problem/{kind}", headers=[("Accept", accept)])
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith(media)
        assert "secret" not in answer.text


def _calm(app: Any) -> Any:
    """The application without the error that it raises for the server's log once the answer has left."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        with suppress(ZeroDivisionError):
            await app(scope, receive, send)

    return run


def test_who_is_not_signed_in_is_led_there_and_back(client: Client) -> None:
    answer = client.get("/problem/out?a=1&b=//x", headers=[HTML])
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fproblem%2Fout%3Fa%3D1%26b%3D%2F%2Fx"
    assert client.get("/problem/out").status_code == 401


def test_the_guard_is_told_apart_from_other_refusals() -> None:
    with pytest.raises(NotPermitted):
        require_same_origin(Request({"type": "http", "headers": []}), ORIGIN)
