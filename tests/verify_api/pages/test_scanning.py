"""What a camera sees: codes are read in another process, and lead nowhere but to pages of our own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from verify_api.pages import frames
from verify_api.pages.frames import MAX_FRAME_BYTES, Frame, Scanner, decode, size_of
from verify_api.pages.scanned import Scanned, ScannedKind, classify, first, origin_of
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from world.asgi import Answer
    from world.counters import CounterCity

OURS = "https://verify.jincheng.example"
TRUSTED = frozenset({OURS, "https://licences.jincheng.example", "http://localhost:8002"})
PRINTED, LICENCE, WALLET = ScannedKind.PRINTED, ScannedKind.LICENCE, ScannedKind.WALLET
FOREIGN, UNKNOWN = ScannedKind.FOREIGN, ScannedKind.UNKNOWN
BINARY = {"Content-Type": "application/octet-stream"}


def picture(text: str, *, scale: int = 6) -> Frame:
    data = io.BytesIO()
    segno.make(text, error="m", micro=False).save(data, kind="png", scale=scale, border=4)
    found = Image.open(data).convert("L")
    return Frame(found.width, found.height, found.tobytes())


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        (f"{OURS}/q#abc-_.~9", "abc-_.~9"),
        ("HTTPS://Verify.Jincheng.EXAMPLE/q#Abc", "Abc"),
        (f"{OURS}:443/q#abc", "abc"),
        (f"  {OURS}/q#abc\r\n", "abc"),
        ("https://licences.jincheng.example/q#1.2.156.3005.2", "1.2.156.3005.2"),
        ("http://localhost:8002/q#abc", "abc"),
    ],
)
def test_a_printed_code_of_a_trusted_host(text: str, fragment: str) -> None:
    assert classify(text, trusted=TRUSTED) == Scanned(PRINTED, fragment=fragment)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://evil.example/q#abc", "evil.example"),
        (f"{OURS}.evil.example/q#abc", "verify.jincheng.example.evil.example"),
        (f"{OURS}@evil.example/q#abc", "evil.example"),
        (f"{OURS}:443@evil.example/q#abc", "evil.example"),
        ("https://verify.jincheng.example%40evil.example/q#a", "verify.jincheng.example%40evil.example"),
        ("https://user:secret@evil.example:8443/q#a", "evil.example:8443"),
        ("https://verify.jincheng.example./q#abc", "verify.jincheng.example."),
        (f"{OURS}:8443/q#abc", "verify.jincheng.example:8443"),
        (f"{OURS}:0443/q#abc", "verify.jincheng.example:0443"),
        ("http://verify.jincheng.example/q#abc", "http://verify.jincheng.example"),
        ("https://v\u0435rify.jincheng.example/q#a", "xn--vrify-zwe.jincheng.example"),  # Cyrillic е
        ("https://verify.jincheng.example\u2024evil.example/q#a", "verify.jincheng.example.evil.example"),
        ("https://ⓔvil.example/", "evil.example"),
        ("https:evil.example/q#a", "evil.example"),
        ("https:////evil.example/q#a", "evil.example"),
        ("https:\\\\evil.example\\q#a", "evil.example"),
        ("https://evil.example\\@verify.jincheng.example/q#a", "evil.example"),
        ("https://evil.example#@verify.jincheng.example/q#abc", "evil.example"),
        ("https://evil.example?@verify.jincheng.example/q#abc", "evil.example"),
        ("ht\ntps://ev\til.example/", "evil.example"),
        ("//evil.example/q#a", "evil.example"),
        ("https://[2001:db8::1]/q#a", "[2001:db8::1]"),
        ("https://0x7f.1/q#a", "0x7f.1"),
        ("https://%65vil.example/", "evil.example"),
        ("https://evil.example\u202e/q#a", "evil.example⟨U+202E⟩"),
        ("https:///", ""),
        ("javascript:alert(1)//verify.jincheng.example/q#a", "javascript:"),
        ("data:text/html,<script>", "data:"),
        ("WIFI:S:free;T:nopass;;", "wifi:"),
        ("weixin://dl/business/?t=1", "weixin:"),
        ("https://evil.example/?credential_offer_uri=x", "evil.example"),
    ],
)
def test_every_other_address_is_refused_and_named(text: str, host: str) -> None:
    """IDN look-alikes, userinfo, ports, trailing dots, backslashes: named is where it really leads."""
    assert classify(text, trusted=TRUSTED) == Scanned(FOREIGN, host=host)


@pytest.mark.parametrize(
    "text",
    [
        f"{OURS}/Q#abc",
        f"{OURS}/q",
        f"{OURS}/q#",
        f"{OURS}/q?x=1#abc",
        f"{OURS}/q/../evil#abc",
        f"{OURS}/q#a/b",
        f"{OURS}/q#a\u202e",
        f"{OURS}/q#<script>",
        f"{OURS}/sign-out",
        f"{OURS}\\@evil.example/q#abc",
        f"{OURS}/q#{'A' * 7001}",
        "你好",
        "",
        "   ",
        "A" * 9000,
        "1" * 65,
        "a\x00b1",
    ],
    ids=range(17),
)
def test_what_holds_nothing_of_a_licence_leads_nowhere(text: str) -> None:
    assert classify(text, trusted=TRUSTED) == Scanned(UNKNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fx",
        "OPENID4VP://?client_id=x",
        "haip://?x",
        "eudi-openid4vp://x",
        f"{OURS}/offer?credential_offer=%7B%7D",
    ],
)
def test_what_is_for_a_wallet_is_said_to_be(text: str) -> None:
    assert classify(text, trusted=TRUSTED) == Scanned(WALLET)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("JY21201990000001", "JY21201990000001"),
        ("津食许〔2026〕000001号", "津食许〔2026〕000001号"),
        ("evil.example1", "evil.example1"),  # looked up as a number, and not found
    ],
)
def test_a_number_is_looked_up(text: str, licence: str) -> None:
    assert classify(text, trusted=TRUSTED) == Scanned(LICENCE, licence=licence)


@given(st.text(st.characters(), max_size=80) | st.from_regex(r"\Ahttps?:[/\\]{0,3}.{0,40}/q#[a-zA-Z]{0,9}\Z"))
def test_any_text_is_something(text: str) -> None:
    found = classify(text, trusted=TRUSTED)
    assert found.host.isprintable()
    if found.kind is PRINTED:
        start = text.strip(" \t\r\n").lower()
        assert any(start.startswith(f"{host}/q#") for host in TRUSTED) or start.startswith(f"{OURS}:443/q#")


@given(st.sampled_from(sorted(TRUSTED)), st.text(st.characters(), min_size=1, max_size=12))
def test_nothing_put_between_host_and_path_is_trusted(host: str, between: str) -> None:
    found = classify(f"{host}{between}/q#abc", trusted=TRUSTED)
    assert found.kind is not PRINTED or between == ":443"


def test_origins_are_compared_as_browsers_do() -> None:
    assert origin_of("HTTPS://Verify.Example:443/path") == "https://verify.example"
    assert origin_of("http://localhost:8002") == "http://localhost:8002"


def test_of_several_codes_the_one_that_leads_furthest_counts() -> None:
    found = [Scanned(FOREIGN, host="evil.example"), Scanned(LICENCE, licence="x1"), Scanned(UNKNOWN)]
    assert first(found) == Scanned(LICENCE, licence="x1")
    assert first([]) is None


# Frames


def test_codes_are_read_whatever_their_size() -> None:
    for text in ("1.2.156.3005.2.11100000900001017N002", f"{OURS}/q#{'A' * 900}"):
        frame = picture(text, scale=4)
        assert decode(frame.luminance, frame.width, frame.height) == [text]
    assert decode(bytes(64 * 64), 64, 64) == []


@pytest.mark.parametrize("sides", [(0, 64), (63, 64), (64, 1601), (-64, -64), (1200, 1200)])
def test_no_frame_has_such_sides(sides: tuple[int, int]) -> None:
    with pytest.raises(MalformedInput):
        size_of(*sides)


@given(st.binary(min_size=64 * 64, max_size=64 * 64))
def test_any_picture_can_be_looked_at(luminance: bytes) -> None:
    assert isinstance(decode(luminance, 64, 64), list)


def ask(pages: CounterCity, frame: Frame | None = None, **changes: object) -> Answer:
    """`POST /scan`."""
    found = frame or Frame(64, 64, bytes(64 * 64))
    query = changes.get("query", f"width={found.width}&height={found.height}")
    headers = {**BINARY, **changes.get("headers", {})}  # type: ignore[dict-item]
    body = changes.get("body", found.luminance)
    address = str(changes.get("address", "203.0.113.7"))
    browser = pages.browser(address=address)
    return browser.request("POST", f"/scan?{query}", headers=list(headers.items()), content=body)


@pytest.fixture(scope="module")
def _warm(pages: CounterCity) -> None:
    ask(pages)


@pytest.mark.usefixtures("_warm")
class TestOverHttp:
    def test_nothing_found_is_said(self, pages: CounterCity) -> None:
        assert ask(pages).json() == {"found": False}

    def test_a_printed_code_goes_on_at_our_own_page(self, pages: CounterCity) -> None:
        answer = ask(pages, picture(f"{OURS}/q#abc"))
        assert answer.json() == {"found": True, "kind": "printed", "next": "/q#abc"}
        assert answer.headers["cache-control"] == "no-store"
        other = ask(pages, picture("https://licences.jincheng.example/q#abc"))
        assert other.json()["next"] == "/q#abc"

    def test_a_number_comes_back(self, pages: CounterCity) -> None:
        answer = ask(pages, picture("JY21201990000001"))
        assert answer.json() == {"found": True, "kind": "licence", "licence": "JY21201990000001"}

    def test_a_foreign_code_is_warned_of_in_the_page_s_language(self, pages: CounterCity) -> None:
        frame = picture(f"{OURS}@evil.example/q#abc")
        chinese = ask(pages, frame, headers={"Accept-Language": "zh"}).json()
        english = ask(pages, frame, headers={"Accept-Language": "en"}).json()
        assert set(chinese) == {"found", "kind", "message"}
        assert "该二维码指向 evil.example，不在受信任的网址之列" in chinese["message"]
        assert "leads to evil.example, which is not among the trusted hosts" in english["message"]

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"query": ""}, 400),
            ({"query": "width=64"}, 400),
            ({"query": "width=64&height=64&height=64"}, 400),
            ({"query": "width=64&height=64&x=1"}, 400),
            ({"query": "width=64&height=-64"}, 400),
            ({"query": "width=６４&height=64"}, 400),
            ({"query": "width=64&height=1e2"}, 400),
            ({"query": "width=99999&height=64"}, 400),
            ({"query": "width=1500&height=1500"}, 400),
            ({"body": bytes(64 * 64 - 1)}, 400),
            ({"body": bytes(64 * 64 + 1)}, 413),
            ({"body": b""}, 400),
            ({"headers": {"Content-Type": "image/png"}}, 400),
            ({"headers": {"Content-Encoding": "gzip"}}, 415),
            ({"headers": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}}, 403),
            ({"headers": {"Origin": OURS, "Sec-Fetch-Site": "same-site"}}, 403),
            ({"headers": {"Origin": "null", "Sec-Fetch-Site": "same-origin"}}, 403),
        ],
        ids=range(17),
    )
    def test_a_frame_that_is_none_is_refused(
        self, pages: CounterCity, changes: dict[str, object], status: int
    ) -> None:
        answer = ask(pages, **changes)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("application/problem+json")

    def test_a_scanner_that_fails_has_found_nothing(
        self, pages: CounterCity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(frames, "decode", min)  # not for these arguments
        assert ask(pages, picture("JY21201990000001")).json() == {"found": False}

    def test_the_largest_frame_fits(self, pages: CounterCity) -> None:
        side = 1024
        assert side * side == MAX_FRAME_BYTES
        assert ask(pages, Frame(side, side, bytes(side * side))).json() == {"found": False}


def test_a_scanner_is_closed_with_its_processes() -> None:
    scanner = Scanner()
    scanner.close()
