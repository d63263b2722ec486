"""Sign-in at the city's identity platform; and what others try on the way there and back."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from world.access import SEVEN, AccessWorld
from world.openid import CLIENT, ISSUER, SECRET, Platform

from signing.base64url import encode_base64url
from signing.jose import dump_json, sign_jws
from signing.signers.file import FileSigner
from yinxin.access.openid import Authentication, OpenIdProvider
from yinxin.access.openid.id_token import check_id_token
from yinxin.base.actor import staff
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Unauthenticated, UsageError, YinxinError

if TYPE_CHECKING:
    from world.asgi import Answer
    from world.passkeys import Browser

    from yinxin.base.database import Database

REN = staff("ren", agency=SEVEN, roles=("registrar",))


class City:
    """A counter whose clerk-17 is joined to the identity u-17 of the city's platform."""

    def __init__(self, database: Database, *, key: FileSigner | None = None) -> None:
        clock = FixedClock(2026, 11, 20, 8)
        self.platform = Platform(clock, client_key=key.public_key if key else None)
        proof = Authentication(signer=key) if key else Authentication(secret=SECRET)
        provider = OpenIdProvider(ISSUER, CLIENT, proof, outbound=self.platform, clock=clock)  # type: ignore[arg-type]
        self.counter = AccessWorld(database, clock=clock, openid=provider)
        self.counter.enrol(registrar=self.counter.registrar())
        self.link()

    def link(self, subject: str = "u-17") -> None:
        self.counter.access.staff.link("clerk-17", issuer=ISSUER, subject=subject, actor=REN)

    def leave(self, browser: Browser, onward: str = "/verify") -> str:
        """Where the sign-in page sends the browser."""
        answer = browser.get("/sign-in/openid?" + urlencode({"next": onward}))
        assert answer.status_code == 303
        return answer.headers["location"]

    def sign_in(self, browser: Browser, **more: Any) -> Answer:
        return browser.get(self.platform.browse(self.leave(browser), **more))


@pytest.fixture
def city(database: Database) -> City:
    return City(database)


@pytest.fixture
def light_city(light: Database) -> City:
    return City(light)


def test_a_clerk_signs_in_at_the_platform(city: City) -> None:
    browser = city.counter.browser()
    assert "/sign-in/openid" in browser.get("/sign-in").text
    answer = city.sign_in(browser)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/verify"
    page = browser.get("/account?lang=en").text
    assert "clerk-17" in page
    assert "city&#39;s identity platform" in page
    assert list(browser.cookies) == ["__Host-yinxin", "yinxin-language"]
    last = city.counter.entries()[-1]
    assert last["action"] == "access.signed_in"
    assert "u-17" not in str(last), "the log knows identities by their digests"


def test_the_client_proves_itself_by_a_key(database: Database) -> None:
    city = City(database, key=FileSigner.generate())
    assert city.sign_in(city.counter.browser()).status_code == 303


def test_an_identity_that_nobody_joined_is_told_what_to_do(city: City) -> None:
    browser = city.counter.browser()
    answer = city.sign_in(browser, subject="u-99")
    assert answer.status_code == 403
    assert "u-99" in answer.text
    assert ISSUER in answer.text
    assert "__Host-yinxin" not in browser.cookies
    city.counter.enrol("clerk-18", registrar=REN)
    city.counter.access.staff.link("clerk-18", issuer=ISSUER, subject="u-99", actor=REN)
    assert city.sign_in(browser, subject="u-99").status_code == 303


def test_a_closed_account_is_closed_for_the_platform_too(city: City) -> None:
    city.counter.access.staff.deactivate("clerk-17", actor=REN)
    assert city.sign_in(city.counter.browser()).status_code == 403


def test_who_comes_by_the_platform_registers_no_passkey(city: City) -> None:
    browser = city.counter.browser()
    city.sign_in(browser)
    assert browser.post("/account/passkeys/begin", json={}).status_code == 403


@pytest.mark.parametrize("kind", ["P-256", "P-384", "Ed25519", "RSA-2048"])
def test_the_platform_may_sign_by_any_allowed_algorithm(light: Database, kind: str) -> None:
    city = City(light)
    city.platform.signer = FileSigner.generate(kind)  # type: ignore[arg-type]
    assert city.sign_in(city.counter.browser()).status_code == 303


# Tokens that are not for this sign-in


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": []},
        {"aud": {CLIENT: 1}},
        {"aud": None},
        {"azp": "another-client"},
        {"nonce": "another nonce"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 17},
        {"sub": "x" * 256},
        {"sub": "u-17\n"},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"iat": None},
        {"iat": 1},
        {"iat": 4102444800},
        {"nbf": 4102444800},
        {"nbf": "soon"},
    ],
    ids=str,
)
def test_a_token_for_something_else_lets_nobody_in(light_city: City, claims: dict[str, Any]) -> None:
    light_city.platform.claims = claims
    browser = light_city.counter.browser()
    assert light_city.sign_in(browser).status_code == 403
    assert "__Host-yinxin" not in browser.cookies


def test_a_token_made_over_ten_minutes_ago_is_too_old(light_city: City) -> None:
    made = int(light_city.counter.clock.now().timestamp())
    light_city.platform.claims = {"iat": made - 600}
    assert light_city.sign_in(light_city.counter.browser()).status_code == 303
    light_city.platform.claims = {"iat": made - 601}
    assert light_city.sign_in(light_city.counter.browser()).status_code == 403


def _unsigned(claims: dict[str, Any]) -> str:
    return (
        f"{encode_base64url(dump_json({'alg': 'none', 'typ': 'JWT'}))}.{encode_base64url(dump_json(claims))}."
    )


def _hmac_by_public_key(platform: Platform) -> Any:
    """The attack on verifiers that take the key they have for whatever the header says."""

    def mint(claims: dict[str, Any]) -> str:
        key = platform.signer.public_key
        pem = key.native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        head = {"alg": "HS256", "typ": "JWT", "kid": key.thumbprint}
        text = f"{encode_base64url(dump_json(head))}.{encode_base64url(dump_json(claims))}"
        return f"{text}.{encode_base64url(hmac.digest(pem, text.encode(), 'sha256'))}"

    return mint


def _by(signer: FileSigner, **head: Any) -> Any:
    return lambda claims: sign_jws(claims, signer, headers={"typ": "JWT", **head})


def test_a_token_that_the_platform_did_not_sign_lets_nobody_in(light_city: City) -> None:
    stranger = FileSigner.generate()
    known = light_city.platform.signer.public_key.thumbprint
    forgeries = {
        "none": _unsigned,
        "HS256 with the public key": _hmac_by_public_key(light_city.platform),
        "a stranger's key under a known name": _by(stranger, kid=known),
        "a stranger's key in the header": _by(stranger, jwk=stranger.public_key.to_jwk()),
        "a stranger's key without a name": _by(stranger),
        "another type of token": _by(light_city.platform.signer, typ="at+jwt"),
        "a critical header": _by(light_city.platform.signer, crit=["x"], x=1),
        "no token": lambda _claims: "",
        "not a token": lambda _claims: "a.b.c",
    }
    for name, mint in forgeries.items():
        light_city.platform.mint = mint
        assert light_city.sign_in(light_city.counter.browser()).status_code == 403, name
    light_city.platform.mint = None
    light_city.platform.published = [{**key, "use": "enc"} for key in light_city.platform.jwks()]
    assert light_city.sign_in(light_city.counter.browser()).status_code == 403


def test_a_new_key_of_the_platform_is_fetched(city: City) -> None:
    assert city.sign_in(city.counter.browser()).status_code == 303
    city.platform.signer = FileSigner.generate()
    assert city.sign_in(city.counter.browser()).status_code == 303


# The way there and back


def test_a_way_back_is_good_once(city: City) -> None:
    browser = city.counter.browser()
    back = city.platform.browse(city.leave(browser))
    carried = dict(browser.cookies)
    assert browser.get(back).status_code == 303
    browser.cookies = carried  # an attacker who kept it, or a browser that goes back
    assert browser.get(back).status_code == 403


def test_another_browsers_way_back_is_none(city: City) -> None:
    """Login CSRF: the attacker's answer, in the victim's browser."""
    attacker, victim = city.counter.browser(), city.counter.browser()
    back = city.platform.browse(city.leave(attacker))
    assert victim.get(back).status_code == 403
    city.leave(victim)
    assert victim.get(back).status_code == 403
    assert "__Host-yinxin" not in victim.cookies


def test_a_code_injected_into_another_sign_in_is_useless(city: City) -> None:
    """PKCE: the code belongs to another verifier."""
    attacker, victim = city.counter.browser(), city.counter.browser()
    stolen = parse_qs(urlsplit(city.platform.browse(city.leave(victim))).query)["code"][0]
    own = urlsplit(city.platform.browse(city.leave(attacker)))
    query = {name: values[0] for name, values in parse_qs(own.query).items()} | {"code": stolen}
    assert attacker.get(f"{own.path}?{urlencode(query)}").status_code == 403


@pytest.mark.parametrize("named", ["https://evil.example", ""])
def test_an_answer_that_names_another_issuer_or_none_is_refused(light_city: City, named: str) -> None:
    """Mix-up (RFC 9207): no code goes anywhere."""
    light_city.platform.answer = {"iss": named}
    before = len(light_city.platform.requests)
    assert light_city.sign_in(light_city.counter.browser()).status_code == 403
    assert f"{ISSUER}/token" not in light_city.platform.requests[before:]


def test_a_platform_that_never_names_itself_need_not(city: City) -> None:
    city.platform.discovery = {"authorization_response_iss_parameter_supported": False}
    city.platform.answer = {"iss": ""}
    assert city.sign_in(city.counter.browser()).status_code == 303


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=x&code=y",
        "error=access_denied",
        "code=1&code=2&state={state}&iss={iss}",
        "state={state}&iss={iss}",
        "state={state}&iss={iss}&code=",
        "state={state}&iss={iss}&code=" + "x" * 5000,
        "state={state}&iss={iss}&error=access_denied&code=1",
        "%ff=1",
    ],
)
def test_an_answer_that_is_none_lets_nobody_in(light_city: City, query: str) -> None:
    browser = light_city.counter.browser()
    there = parse_qs(urlsplit(light_city.leave(browser)).query)
    filled = query.replace("{state}", there["state"][0]).replace("{iss}", ISSUER)
    assert browser.get(f"/sign-in/openid/callback?{filled}").status_code == 403


def test_the_way_back_takes_ten_minutes_at_most(city: City) -> None:
    browser = city.counter.browser()
    back = city.platform.browse(city.leave(browser))
    city.counter.clock.advance(timedelta(minutes=10))
    assert browser.get(back).status_code == 403


def test_what_the_browser_carries_cannot_be_changed_or_doubled(light_city: City) -> None:
    browser = light_city.counter.browser()
    back = light_city.platform.browse(light_city.leave(browser))
    name, value = "__Host-yinxin-openid", browser.cookies["__Host-yinxin-openid"]
    changed = value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1]
    for header in (f"{name}={changed}", f"{name}=", f"{name}={value}; {name}={value}", f"{name}=%%%"):
        answer = light_city.counter.browser().get(back, headers=[("Cookie", header)])
        assert answer.status_code == 403, header


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/ok\r\nSet-Cookie: x=1",
        "javascript:alert(1)",
        "evil.example",
        "/é",
        "/" + "x" * 3000,
        "",
    ],
)
def test_nobody_is_sent_to_another_site(light_city: City, onward: str) -> None:
    browser = light_city.counter.browser()
    answer = browser.get(light_city.platform.browse(light_city.leave(browser, onward)))
    assert answer.headers["location"] == "/desk"


def test_the_session_is_never_one_that_the_browser_brought(city: City) -> None:
    """Session fixation: a planted cookie is replaced, and stays worthless."""
    browser = city.counter.browser()
    planted = "A" * 43
    browser.cookies["__Host-yinxin"] = planted
    city.sign_in(browser)
    assert browser.cookies["__Host-yinxin"] != planted
    thief = city.counter.browser()
    thief.cookies["__Host-yinxin"] = planted
    assert thief.get("/account").status_code == 303


def test_signing_in_again_ends_the_session_before(city: City) -> None:
    browser = city.counter.browser()
    city.sign_in(browser)
    before = dict(browser.cookies)
    city.sign_in(browser)
    old = city.counter.browser()
    old.cookies = before
    assert old.get("/account").status_code == 303


# A platform that is not right


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example"},
        {"issuer": ISSUER + "/"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "http://id.city.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://id.city.example/a#b"},
        {"authorization_endpoint": "https://id.city.example/a\r\nX: y"},
        {"authorization_endpoint": ["https://id.city.example/a"]},
    ],
    ids=str,
)
def test_a_platform_whose_metadata_are_wrong_is_not_used(light_city: City, discovery: dict[str, Any]) -> None:
    light_city.platform.discovery = discovery
    assert light_city.counter.browser().get("/sign-in/openid").status_code == 503


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["http://id.city.example/x", "ftp://id.city.example/x", None, 7])
def test_a_platform_whose_endpoints_are_wrong_lets_nobody_in(
    light_city: City, name: str, address: Any
) -> None:
    browser = light_city.counter.browser()
    back = light_city.platform.browse(light_city.leave(browser))
    light_city.platform.discovery = {name: address}
    assert browser.get(back).status_code == 503
    assert "__Host-yinxin" not in browser.cookies


@pytest.mark.parametrize(
    "issuer", ["http://id.city.example", "id.city.example", "https://x/?a=1", "ftp://x", ""]
)
def test_an_issuer_is_an_https_address(issuer: str) -> None:
    platform = Platform(FixedClock(2026, 11, 20))
    with pytest.raises(UsageError):
        OpenIdProvider(
            issuer,
            CLIENT,
            Authentication(secret="s"),
            outbound=platform,
            clock=platform.clock,  # type: ignore[arg-type]
        )


def test_a_client_has_either_a_secret_or_a_key() -> None:
    with pytest.raises(UsageError):
        Authentication()
    with pytest.raises(UsageError):
        Authentication(secret="s", signer=FileSigner.generate())
    assert "hidden" not in repr(Authentication(secret="hidden"))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_SIGNER = FileSigner.generate()


@given(
    st.dictionaries(st.sampled_from(["iss", "sub", "aud", "azp", "nonce", "exp", "iat", "nbf"]), json_values)
)
def test_any_claims_are_judged_and_only_right_ones_pass(claims: dict[str, Any]) -> None:
    now = FixedClock(2026, 11, 20).now()
    token = sign_jws(claims, _SIGNER, headers={"typ": "JWT"})
    keys = [_SIGNER.public_key.to_jwk()]
    with pytest.raises(Unauthenticated):
        check_id_token(token, keys, issuer=ISSUER, client_id=CLIENT, nonce="n", now=now)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"]), json_values
        ),
        max_size=3,
    )
)
def test_any_keys_that_a_platform_publishes_are_read_or_passed_over(keys: list[dict[str, Any]]) -> None:
    now = FixedClock(2026, 11, 20).now()
    token = sign_jws({}, _SIGNER, headers={"typ": "JWT"})
    with pytest.raises(YinxinError):
        check_id_token(token, keys, issuer=ISSUER, client_id=CLIENT, nonce="n", now=now)
