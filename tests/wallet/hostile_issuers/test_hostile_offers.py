"""Offers that are none, or lead elsewhere."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.hostile_issuers import (
    TYPE,
    link,
    offered,
    refused,
)
from world.office import URL
from world.receiving import Citizen, answered

from credentials.oid4vci.vocabulary import PRE_AUTHORIZED_CODE
from wallet.receiving import OfferRefused
from wallet.receiving.offers import CredentialOffer, OfferLink
from yinxin.base.errors import TooLarge, YinxinError
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from world.receiving import Asked


@pytest.mark.parametrize(
    "document",
    [
        [],
        offered(credential_issuer=None),
        offered(credential_issuer="http://licences.jincheng.example"),
        offered(credential_issuer="https://a@b.example"),
        offered(credential_issuer=URL + "?x=1"),
        offered(credential_issuer=URL + "#x"),
        offered(credential_issuer="file:///etc/passwd"),
        offered(credential_issuer=["https://a.example"]),
        offered(credential_configuration_ids=None),
        offered(credential_configuration_ids=[]),
        offered(credential_configuration_ids=[TYPE, TYPE]),
        offered(credential_configuration_ids=[str(number) for number in range(21)]),
        offered(credential_configuration_ids=[7]),
        offered(credential_configuration_ids=["\x1b[2J"]),
        offered(grants=[]),
        offered(grants={PRE_AUTHORIZED_CODE: "code"}),
        offered(grants={PRE_AUTHORIZED_CODE: {}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "a\r\nb"}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c" * 5000}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": 6}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": {"length": 10**9}}}),
        offered(grants={PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "authorization_server": "x"}}),
        offered(grants={"authorization_code": {"issuer_state": 7}}),
    ],
    ids=range(23),
)
def test_an_offer_that_is_not_in_order(stranger: Citizen, document: Any) -> None:
    with pytest.raises(OfferRefused):
        stranger.receiving.consider(link(document))
    assert stranger.internet.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "openid-credential-offer://",
        "openid-credential-offer://?credential_offer_uri=http://office.example/o",
        "openid-credential-offer://?credential_offer_uri=https://a.example/o&credential_offer={}",
        "openid-credential-offer://?credential_offer={}&credential_offer={}",
        "openid-credential-offer://?credential_offer=%ff",
        "openid-credential-offer://?credential_offer=" + "[" * 1000,
        "https://[",
        "openid-credential-offer://?" + "a" * (64 * 1024),
        "openid4vp://?client_id=x",
    ],
    ids=range(10),
)
def test_a_link_that_holds_no_offer(text: str) -> None:
    with pytest.raises(OfferRefused):
        OfferLink.parse(text)


_NAMES = ["credential_issuer", "credential_configuration_ids", "grants", "pre-authorized_code", "tx_code"]
_WORDS = st.sampled_from([*_NAMES, PRE_AUTHORIZED_CODE]) | st.text()
_LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(_WORDS, inner)))
def test_any_offer_is_read_or_refused(document: Any) -> None:
    with suppress(OfferRefused):
        found = OfferLink.parse(link(document))
        CredentialOffer.from_document(found.document or {})


def test_an_offer_by_reference_is_not_followed_elsewhere(stranger: Citizen) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        moved = answered({}, status=302, location="https://elsewhere.example/offer")
        return moved if "/offers/" in asked.path else answer

    stranger.internet.twist = twist
    assert "302" in refused(stranger, OfferRefused).detail
    assert len(stranger.internet.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(200, {"content-type": "text/html"}, b"{}"), OfferRefused),
        (answered(b"{", status=200), OfferRefused),
        (answered(b'{"a":1,"a":2}'), OfferRefused),
        (answered(b"\xff"), OfferRefused),
        (answered([]), OfferRefused),
        (answered({}, status=404), OfferRefused),
        (answered(b" " * (65 * 1024)), TooLarge),
    ],
    ids=range(7),
)
def test_what_lies_at_the_reference_is_no_offer(
    stranger: Citizen, answer: Response, kind: type[YinxinError]
) -> None:
    stranger.internet.twist = lambda asked, good: answer if "/offers/" in asked.path else good
    refused(stranger, kind)
