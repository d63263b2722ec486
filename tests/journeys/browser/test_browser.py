"""The browser of the tests itself: what it must notice, and the devices that it brings."""

from __future__ import annotations

import base64
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Error
from world.browser import browser, violations, visit
from world.codes import read_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.browser import Browser, Visit

__all__ = ["browser", "visit"]
pytestmark = pytest.mark.peer

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"
PAGES = {
    "/": "<!DOCTYPE html><html lang=zh-CN><title>印信</title><main><h1>印信</h1><p>证照</p></main></html>",
    "/poor": "<!DOCTYPE html><html lang=zh-CN><title>印信</title><main><h1>印信</h1>"
    "<img src=/static.png></main></html>",
    "/inline": "<!DOCTYPE html><html><title>x</title><script>alert(1)</script></html>",
    "/outside": "<!DOCTYPE html><html><title>x</title><link rel=preload as=image href=https://example.org/x>",
    "/wide": "<!DOCTYPE html><html lang=zh-CN><title>x</title><main><h1>" + "x" * 400 + "</h1></main></html>",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        body = (page or "nothing").encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path != "/outside":
            self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_good_page_passes(visit: Visit, site: str) -> None:
    person = visit(width=320)
    person.open(f"{site}/")
    person.accessible()
    assert person.page.evaluate("navigator.language") == "zh-CN"


def test_a_page_that_answers_not_found_is_no_error_in_itself(visit: Visit, site: str) -> None:
    visit().open(f"{site}/nothing")


def test_a_page_without_scripts_is_checked_too(visit: Visit, site: str) -> None:
    person = visit(javascript=False)
    person.open(f"{site}/")
    person.accessible()


@pytest.mark.parametrize(
    ("path", "what"),
    [("/inline", "content security policy"), ("/outside", "another host"), ("/poor", "console")],
)
def test_what_goes_wrong_is_noticed(browser: Browser, site: str, path: str, what: str) -> None:
    person = browser.visitor()
    person.open(site + path)
    person.page.wait_for_timeout(100)
    assert any(what in problem for problem in person.leave())


def test_poor_pages_are_noticed(browser: Browser, site: str) -> None:
    person = browser.visitor(width=320)
    person.open(f"{site}/poor")
    assert any("image-alt" in found for found in violations(person.page))
    person.open(f"{site}/wide")
    with pytest.raises(AssertionError, match="too wide"):
        person.fits()
    person.leave()


def test_passkeys_are_made_and_used(visit: Visit, site: str) -> None:
    person = visit()
    person.open(f"{site}/")
    made = """async () => (await navigator.credentials.create({publicKey: {
        challenge: new Uint8Array(32), rp: {name: "x"},
        user: {id: new Uint8Array(8), name: "x", displayName: "x"},
        pubKeyCredParams: [{type: "public-key", alg: -7}],
        authenticatorSelection: {residentKey: "required", userVerification: "required"}}})).id"""
    used = """async () => (await navigator.credentials.get({publicKey: {
        challenge: new Uint8Array(32), userVerification: "required"}})).id"""
    key = person.page.evaluate(made)
    assert person.page.evaluate(used) == key
    other = person.new_page()
    other.goto(f"{site}/")
    assert other.evaluate(used) == key


def test_the_camera_sees_what_it_is_shown(browser: Browser, visit: Visit, site: str) -> None:
    seen = """async () => {
        const stream = await navigator.mediaDevices.getUserMedia({video: true})
        const video = document.createElement("video")
        video.srcObject = stream
        await video.play()
        const canvas = document.createElement("canvas")
        canvas.width = video.videoWidth
        canvas.height = video.videoHeight
        canvas.getContext("2d").drawImage(video, 0, 0)
        stream.getTracks().forEach(track => track.stop())
        return canvas.toDataURL("image/png").split(",")[1]
    }"""
    person = visit(camera=True)
    person.open(f"{site}/")
    for said in ("印信 1", "印信 2"):
        code = zxingcpp.create_barcode(said, zxingcpp.BarcodeFormat.QRCode)
        browser.show(Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=8)))
        frame = Image.open(io.BytesIO(base64.b64decode(person.page.evaluate(seen)))).convert("L")
        assert [one.text for one in read_codes(frame)] == [said]


def test_without_leave_there_is_no_camera(visit: Visit, site: str) -> None:
    person = visit()
    person.open(f"{site}/")
    with pytest.raises(Error, match="NotAllowedError"):
        person.page.evaluate("navigator.mediaDevices.getUserMedia({video: true})")
