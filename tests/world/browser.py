"""A real browser for tests: Debian's Chromium without a window, with a passkey device and a camera.

A test file, or its folder's conftest, says `from world.browser import browser, visit` (and lists both in
`__all__`). Then

    def test_…(visit: Visit) -> None:
        clerk = visit(language="zh")                # a person with a fresh profile, at a 1280 × 800 window
        clerk.open("http://localhost:8002/")         # playwright's page is `clerk.page`
        clerk.page.get_by_role("button", name="核验").click()
        clerk.accessible()                           # axe-core finds nothing; nothing scrolls sideways
        clerk.picture("verdict")                     # a PNG into $YINXIN_SCREENSHOTS, where that is set
        clerk.look("verdict")                        # both, and the same at 320 px and in the dark

`visit` takes `language` ("zh" or "en"), `javascript`, `width`, `height`, `passkeys` (a virtual authenticator
with resident keys and user verification, on every page of the person), `camera` (may pages use it?) and
`may_fail` (parts of console messages that the test expects). What the camera sees is `browser.show(picture)`:
a PNG or any Pillow image; call it before the page opens the camera.

When the test ends it fails if a page logged an error, threw, broke its Content-Security-Policy, or asked any
host but `localhost` and `127.0.0.1` for anything (other names resolve to nothing). A page that answered with
an HTTP error itself is no error, nor is a missing /favicon.ico; what a page fetched is.

Chromium comes from PATH (`chromium`, `google-chrome`) and is never downloaded; without it tests are skipped
with its install command. The pages' own policy stays as it is: axe-core runs in the page through the
debugger, which a policy does not bind. WebAuthn wants names, so pages are asked for as `http://localhost:…`.

The browser lives as long as one test module: playwright leaves a running loop in its thread, in which
`asyncio.run` (of `world.asgi`) cannot be called.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from playwright.sync_api import Browser as Engine
    from playwright.sync_api import BrowserContext, CDPSession, ConsoleMessage, Page, Request, Response

    Visit = Callable[..., "Visitor"]

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
AXE_PACKAGE = "axe-core@4.14.1"
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))
PICTURES = "YINXIN_SCREENSHOTS"
OURS = ("localhost", "127.0.0.1")
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
CAMERA_SIZE = (1280, 720)
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--use-fake-device-for-media-stream",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, running; skipped where there is none."""
    program = find_program()
    with tempfile.TemporaryDirectory(prefix="yinxin-camera-") as folder, sync_playwright() as driver:
        seen = Path(folder) / "seen.mjpeg"
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={seen}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")
        made = Browser(driver.chromium.launch(executable_path=program, args=flags), seen)
        made.show(Image.new("RGB", CAMERA_SIZE, "grey"))
        yield made
        made.engine.close()


def find_program() -> str:
    """Where Chromium is, or a skip: to be asked before anything dear is set up for it."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no browser: apt-get install chromium")
    return program


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """People who visit; at the end the test fails for what went wrong in their pages."""
    people: list[Visitor] = []

    def come(**options: Any) -> Visitor:
        people.append(browser.visitor(**options))
        return people[-1]

    yield come
    found = [problem for person in people for problem in person.leave()]
    assert not found, "\n".join(found)


@dataclass
class Browser:
    """One running Chromium; `show` sets what its camera sees."""

    engine: Engine
    seen: Path

    def show(self, picture: Path | bytes | Image.Image) -> None:
        """Hold a picture before the camera: fitted into its frame, on grey."""
        if isinstance(picture, bytes):
            picture = Image.open(io.BytesIO(picture))
        opened = picture if isinstance(picture, Image.Image) else Image.open(picture)
        fitted = opened.convert("RGB")
        fitted.thumbnail(CAMERA_SIZE)
        frame = Image.new("RGB", CAMERA_SIZE, "grey")
        frame.paste(
            fitted, tuple((all_ - one) // 2 for all_, one in zip(CAMERA_SIZE, fitted.size, strict=True))
        )
        data = io.BytesIO()
        frame.save(data, "JPEG", quality=92)
        self.seen.write_bytes(data.getvalue() * 2)

    def visitor(
        self,
        *,
        language: str = "zh",
        javascript: bool = True,
        width: int = 1280,
        height: int = 800,
        passkeys: bool = True,
        camera: bool = False,
        may_fail: Sequence[str] = (),
        **options: Any,
    ) -> Visitor:
        context = self.engine.new_context(
            locale=LOCALES[language],
            java_script_enabled=javascript,
            viewport={"width": width, "height": height},
            permissions=["camera"] if camera else [],
            reduced_motion="reduce",  # a page is looked at as it ends up
            **options,
        )
        context.set_default_timeout(30_000)
        return Visitor(context, language, javascript=javascript, passkeys=passkeys, may_fail=tuple(may_fail))


@dataclass
class Visitor:
    """A person at the browser: a profile of their own, and a page to start with."""

    context: BrowserContext
    language: str
    javascript: bool = True
    passkeys: bool = True
    may_fail: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    page: Page = field(init=False)
    _devices: dict[Page, tuple[CDPSession, str]] = field(default_factory=dict)
    _answered: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.context.on("request", self._asked)
        self.context.on("response", self._answer)
        self.context.on("console", self._logged)
        self.context.on("weberror", lambda error: self._trouble(f"threw {error.error}"))
        self.page = self.new_page()

    def new_page(self) -> Page:
        """Another tab of the same person; passkeys made in one tab are there in the other."""
        page = self.context.new_page()
        session = self.context.new_cdp_session(page)
        session.on("Audits.issueAdded", self._issue)
        session.send("Audits.enable")
        if self.passkeys:
            session.send("WebAuthn.enable")
            device = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
            self._devices[page] = (session, device["authenticatorId"])
            self._copy_passkeys(page)
        return page

    def open(self, url: str) -> Page:
        """Go there in the first tab."""
        self.page.goto(url)
        return self.page

    def picture(self, name: str, *, page: Page | None = None, full: bool = True) -> Path | None:
        """A picture of the whole page, named by language too; only where the variable names a folder."""
        folder = os.environ.get(PICTURES)
        if not folder:
            return None
        target = Path(folder) / f"{name}-{self.language}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        (page or self.page).screenshot(path=target, full_page=full, animations="disabled")
        return target

    def accessible(self, page: Page | None = None) -> None:
        """Axe-core finds nothing wrong, the page says its language, and nothing scrolls sideways."""
        page = page or self.page
        assert (page.get_attribute("html", "lang") or "").startswith(self.language), "the page's language"
        self.fits(page)
        if self.javascript:
            found = violations(page)
        else:
            with self._copied(page) as copy:
                found = violations(copy)
        assert not found, f"{page.url}\n" + "\n".join(found)

    def look(self, name: str) -> None:
        """What every page must stand: `accessible`, at 320 px too and readable in the dark; pictures."""
        page, size = self.page, self.page.viewport_size
        assert size is not None
        self.accessible()
        self.picture(name)
        page.set_viewport_size({"width": 320, "height": 640})
        self.fits()
        self.picture(f"{name}-narrow")
        page.set_viewport_size(size)
        if self.javascript and self.language == "zh":  # colours know no language
            page.emulate_media(color_scheme="dark")
            found = violations(page, "color-contrast")
            assert not found, f"{page.url} in the dark\n" + "\n".join(found)
            self.picture(f"{name}-dark")
            page.emulate_media(color_scheme="light")

    def fits(self, page: Page | None = None) -> None:
        """Nothing scrolls sideways at this width."""
        page = page or self.page
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} is {wide} px too wide"

    def focus(self) -> str:
        """What has the keyboard's focus: the element's name as people see it, else its tag."""
        return str(
            self.page.evaluate(
                "(e => (e.labels && e.labels[0] ? e.labels[0].innerText : "
                "e.getAttribute('aria-label') || e.innerText || e.name || e.tagName).trim())"
                "(document.activeElement)"
            )
        )

    def tab_to(self, name: str | re.Pattern[str], *, at_most: int = 60) -> None:
        """Press Tab until what is called so has the focus."""
        seen = []
        for _ in range(at_most):
            self.page.keyboard.press("Tab")
            seen.append(self.focus())
            if re.search(name, seen[-1]):
                return
        raise AssertionError(f"Tab never reaches {name!r}: {seen}")

    def leave(self) -> list[str]:
        """Close everything; what went wrong in the pages."""
        self.context.close()
        return self.problems

    @contextmanager
    def _copied(self, page: Page) -> Iterator[Page]:
        """The page as it stands without scripts, where axe-core may run and the page's own scripts not."""
        engine = self.context.browser
        assert engine is not None
        with engine.new_context(
            storage_state=self.context.storage_state(), viewport=page.viewport_size
        ) as context:
            # What stands in `noscript` is part of this page; with scripts it would not even be parsed.
            html = re.sub(r"<(/?)noscript>", r"<\1div>", page.content())
            policy = {"Content-Security-Policy": "script-src 'none'"}
            context.route(
                page.url, lambda route: route.fulfill(body=html, content_type="text/html", headers=policy)
            )
            copy = context.new_page()
            copy.goto(page.url)
            yield copy

    def _copy_passkeys(self, page: Page) -> None:
        session, device = self._devices[page]
        for other, (from_session, from_device) in self._devices.items():
            if other is not page and not other.is_closed():
                held = from_session.send("WebAuthn.getCredentials", {"authenticatorId": from_device})
                for credential in held["credentials"]:
                    session.send(
                        "WebAuthn.addCredential", {"authenticatorId": device, "credential": credential}
                    )
                return

    def _trouble(self, what: str) -> None:
        if not any(part in what for part in self.may_fail):
            self.problems.append(what)

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and parts.hostname not in OURS:
            self._trouble(f"asked another host: {request.url}")

    def _answer(self, response: Response) -> None:
        if response.status >= 400 and response.request.is_navigation_request():
            self._answered.add(response.url)

    def _logged(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        loading = "Failed to load" in message.text
        if message.type != "error" or (
            loading and (where in self._answered or where.endswith("/favicon.ico"))
        ):
            return
        self._trouble(f"console: {message.text} ({where})")

    def _issue(self, event: dict[str, Any]) -> None:
        issue = event["issue"]
        if issue["code"] == "ContentSecurityPolicyIssue":
            self._trouble(f"content security policy: {json.dumps(issue['details'])}")


def violations(page: Page, *only: str) -> list[str]:
    """What axe-core finds on the page, each with the elements it found it on; `only` names rules."""
    source = MODULES / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        pytest.skip(f"no axe-core: npm install --prefix {MODULES} {AXE_PACKAGE}")
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(source.read_text("utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": list(only)} if only else {})}
    results = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']} ({one['impact']}): {one['help']}\n    "
        + "\n    ".join(f"{node['target']} {node['html'][:200]}" for node in one["nodes"])
        for one in results["violations"]
    ]
