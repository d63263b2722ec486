"""A wallet of other makers answers our requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.departments import TYPE, URL
from world.foreign import foreign, private_jwk
from world.presentations import AskingCity

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def asking() -> Iterator[AskingCity]:
    made = AskingCity()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("encrypted", "enc", "mode"),
    [
        (True, "A128GCM", "direct_post.jwt"),
        (True, "A256GCM", "direct_post.jwt"),
        (False, "", "direct_post"),
    ],
)
def test_their_wallet_shows_our_licence(
    asking: AskingCity, serial: str, *, encrypted: bool, enc: str, mode: str
) -> None:
    credential = asking.credential(asking.licence(serial))
    started = asking.started(encrypted=encrypted)
    host, port = asking.address
    sent = foreign(
        "wallet",
        now=int(asking.clock.now().timestamp()),
        url=URL,
        base=f"http://{host}:{port}",
        link=started["link"],
        credential=credential,
        key=private_jwk(asking.baker),
        disclose=["operator_name", "credit_code", "business_premises"],
        enc=enc,
    )
    assert (sent["status"], sent["mode"], sent["client"]) == (200, mode, "x509_hash")
    outcome = asking.outcome(started["id"]).json
    assert (outcome["state"], outcome["indication"]) == ("answered", "passed")
    assert outcome["results"][TYPE][0]["claims"]["operator_name"] == "津城小麦面包坊"
