"""Token servers that lie, stall and swell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from world.hostile_issuers import (
    CREDENTIAL,
    DETAIL,
    ISSUER,
    NONCE,
    SERVER,
    TOKEN,
    change,
    instead,
    refused,
)
from world.receiving import Citizen, answered

from wallet.receiving import DeliveryRefused, IssuerRefused
from yinxin.base.errors import TooLarge, Unreachable, YinxinError

if TYPE_CHECKING:
    from world.receiving import Asked

    from yinxin.base.outbound import Response


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"token_type": "Bearer"}, DeliveryRefused),
        ({"token_type": None}, DeliveryRefused),
        ({"access_token": None}, DeliveryRefused),
        ({"access_token": "a\r\nX: y"}, DeliveryRefused),
        ({"access_token": "a" * 20_000}, DeliveryRefused),
        ({"authorization_details": {}}, DeliveryRefused),
        ({"authorization_details": [{**DETAIL, "credential_identifiers": "x"}]}, DeliveryRefused),
        ({"authorization_details": [{**DETAIL, "credential_identifiers": ["x"] * 51}]}, DeliveryRefused),
        ({"error": "server_error"}, IssuerRefused),
    ],
    ids=range(9),
)
def test_tokens_that_are_not_in_order(
    stranger: Citizen, members: dict[str, Any], kind: type[YinxinError]
) -> None:
    stranger.internet.twist = change(TOKEN, **members)
    refused(stranger, kind)
    assert not stranger.internet.to(CREDENTIAL)


def test_a_server_that_always_wants_another_nonce_is_asked_twice(stranger: Citizen) -> None:
    counted: list[int] = []

    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != TOKEN:
            return answer
        counted.append(1)
        body = {"error": "use_dpop_nonce"}
        return answered(body, status=400, dpop_nonce=f"n{len(counted)}")

    stranger.internet.twist = twist
    assert refused(stranger, IssuerRefused).detail == "use_dpop_nonce"
    assert len(counted) == 2


def test_a_dpop_nonce_that_is_no_header_is_left_alone(stranger: Citizen) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path == TOKEN and answer.status == 400:
            return answered({"error": "use_dpop_nonce"}, status=400, dpop_nonce="n" * 5000)
        return answer

    stranger.internet.twist = twist
    refused(stranger, IssuerRefused)


@pytest.mark.parametrize(
    "answer",
    [
        answered({"error": "\x1b[31m" + "x" * 5000, "error_description": "\u202e\n" * 3000}, status=400),
        answered({"error": {"a": 1}}, status=400),
        answered({"error": []}, status=400),
    ],
    ids=range(3),
)
def test_errors_cannot_steer_a_terminal(stranger: Citizen, answer: Response) -> None:
    stranger.internet.twist = lambda asked, good: answer if asked.path == TOKEN else good
    caught = refused(stranger, IssuerRefused)
    assert caught.detail.isprintable()
    assert len(caught.detail) < 400
    assert isinstance(caught, IssuerRefused)
    assert caught.advice.zh


@pytest.mark.parametrize(
    "answer",
    [
        answered({}, status=302, location="https://evil.example/"),
        answered({}, status=500),
        answered(b"<html>", kind="text/html"),
        answered({}),
    ],
    ids=range(4),
)
@pytest.mark.parametrize("path", [TOKEN, NONCE, CREDENTIAL])
def test_answers_that_are_none(stranger: Citizen, path: str, answer: Response) -> None:
    stranger.internet.twist = lambda asked, good: answer if asked.path == path else good
    refused(stranger, YinxinError)
    assert all(urlsplit(one.url).netloc != "evil.example" for one in stranger.internet.asked)


def test_swollen_answers(stranger: Citizen) -> None:
    for path, size in ((TOKEN, 65 << 10), (NONCE, 65 << 10), (CREDENTIAL, (16 << 20) + 1)):
        stranger.internet.twist = instead(path, answered(b" " * size))
        refused(stranger, TooLarge)


def test_an_issuer_that_falls_silent(stranger: Citizen) -> None:
    for path in (ISSUER, SERVER, TOKEN, NONCE, CREDENTIAL):

        def twist(asked: Asked, answer: Response, path: str = path) -> Response:
            if asked.path == path:
                raise Unreachable("no answer in time")
            return answer

        stranger.internet.twist = twist
        refused(stranger, Unreachable)
