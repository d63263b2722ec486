"""Where a request may go: URLs with one reading, public addresses, and what was allowed by name."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinxin.base.addresses import Permission, Target, is_public, parse_target
from yinxin.base.errors import NotPermitted, UsageError

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254"),  # noqa: S104 - refused
    *("127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255"),
    *("198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "100::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1"),
    *("ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "4000::1"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *("172.15.255.255", "172.32.0.0", "192.167.255.255", "223.5.5.5", "2400:3200::1", "2606:4700::1111"),
]
# Each could be read as something else by some client, or is no place to go to.
REFUSED_URLS = [
    *("", "/path", "//example.com/", "example.com", "http:", "http://", "http:///path", "https://:443/"),
    *("ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "ldap://example.com/"),
    *("data:text/plain,x", "javascript:alert(1)", "unix:///var/run/docker.sock", "HTTP+unix://x/"),
    *("http://user@example.com/", "http://user:pass@example.com/", "http://@example.com/"),
    *("http://public.example@127.0.0.1/", "http://127.0.0.1:80@public.example/"),
    *("http://127.1/", "http://0/", "http://2130706433/", "http://017700000001/", "http://0x7f000001/"),
    *("http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://127.0.0.1.", "http://127.0.0.01/", "http://1.2.3/"),
    *("http://example.com:0/", "http://example.com:65536/", "http://example.com:/", "http://example.com:8o/"),
    *("http://exa mple.com/", "http://example.com/a b", "http://example.com/\n", "http://exam\tple.com/"),
    *(
        "http://example.com\\@127.0.0.1/",
        "http:\\\\127.0.0.1/",
        "http://exa%6dple.com/",
        "http://%31%32%37.0.0.1/",
    ),
    *("http://１２７.０.０.１/", "http://例子.cn/", "http://ⓛocalhost/", "http://127。0。0。1/"),
    *(
        "http://[::1/",
        "http://::1/",
        "http://[fe80::1%25eth0]/",
        "http://[::1]x/",
        "http://[v1.a]/",
        "http://[]/",
    ),
    *("http://-a.example/", "http://a..example/", "http://.example/", "http://example.com./"),
    *("http://" + "a" * 64 + ".example/", "http://" + "a." * 130 + "example/", "http://a/" + "x" * 2048),
]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_what_is_not_public_is_refused(text: str) -> None:
    with pytest.raises(NotPermitted):
        Permission().check(text, 443)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_pass(text: str) -> None:
    assert Permission().check(text, 443) == text


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_with_two_readings_is_refused(url: str) -> None:
    with pytest.raises(NotPermitted):
        parse_target(url)


def test_enough_cases_are_looked_at() -> None:
    assert len(REFUSED_URLS) + len(NOT_PUBLIC) >= 90


def test_plain_urls_are_read() -> None:
    assert parse_target("http://crl.Example.com/a/b?c=d#e") == Target(
        "http", "crl.example.com", 80, "/a/b?c=d"
    )
    assert parse_target("https://example.com") == Target("https", "example.com", 443, "/")
    assert parse_target("https://[2400:3200::1]:8443/x").host_header == "[2400:3200::1]:8443"
    assert parse_target("http://1.2.3.4:8080/").host_header == "1.2.3.4:8080"
    assert parse_target("https://xn--fsqu00a.xn--0zwm56d/").host_header == "xn--fsqu00a.xn--0zwm56d"
    with pytest.raises(NotPermitted, match="https"):
        parse_target("http://example.com/", https_only=True)


def test_what_is_allowed_by_name() -> None:
    permission = Permission(["127.0.0.1:8443", "10.1.0.0/16", "192.168.7.7", "[::1]:9000", "fd00::/8"])
    for address, port in (
        ("127.0.0.1", 8443),
        ("::ffff:127.0.0.1", 8443),
        ("10.1.255.1", 1),
        ("192.168.7.7", 80),
        ("::1", 9000),
        ("fd00::1", 443),
    ):
        assert permission.check(address, port)
    for address, port in (
        ("127.0.0.1", 80),
        ("10.2.0.1", 80),
        ("192.168.7.8", 80),
        ("::1", 80),
        ("::", 9000),
    ):
        with pytest.raises(NotPermitted):
            permission.check(address, port)


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.1/8", "127.0.0.1:port", "10.0.0.0/33", "1.2.3:80"])
def test_an_allowance_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Permission([text])


@given(st.ip_addresses().filter(is_public))
def test_nothing_public_is_private_to_python(address: object) -> None:
    """Python's own table, as far as it goes, agrees: what passes here is no special address there."""
    found = ip_address(str(address))
    assert not (found.is_loopback)
    assert not (found.is_link_local)
    assert not (found.is_multicast)
    assert not (found.is_unspecified)
    assert not found.is_private


@given(st.text(max_size=60) | st.from_regex(r"https?://[!-~]{1,40}", fullmatch=True))
def test_any_url_is_read_or_refused(url: str) -> None:
    with suppress(NotPermitted):
        target = parse_target(url)
        assert urlsplit(url).hostname == target.host
