"""A verifier of other makers asks our wallet."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from world.foreign import foreign, private_jwk
from world.requests import RESPONSE_URI, AskingCounter, dcql

from credentials.oid4vp.client_ids import ClientId
from signing.base64url import encode_base64url
from wallet.holder import Holder
from wallet.invitation import Invitation

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

pytestmark = pytest.mark.peer
REQUEST_URI = "https://verify.jincheng.example/oid4vp/requests/r1"


@pytest.fixture(scope="module")
def counter(pki: Pki) -> AskingCounter:
    return AskingCounter(pki)


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_their_verifier_reads_our_answer(counter: AskingCounter, tmp_path: Path, enc: str) -> None:
    holder = Holder.create(tmp_path, "面包 bread", clock=counter.clock, scrypt_cost=1 << 4)
    holder.receive(counter.issue(holder_key=holder.new_key()))
    name = str(ClientId.of(counter.asker.certificate))
    request = {
        "client_id": name,
        "response_type": "vp_token",
        "response_mode": "direct_post.jwt",
        "response_uri": RESPONSE_URI,
        "nonce": "n" * 22,
        "state": "s" * 22,
        "dcql_query": dcql("name"),
        "client_metadata": {
            "jwks": {"keys": [counter.key.to_jwk()]},
            "encrypted_response_enc_values_supported": [enc],
            "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}},
        },
    }
    now = int(counter.clock.now().timestamp())
    chain = [b64encode(one.der).decode() for one in counter.asker.chain if not one.is_self_issued]
    made = foreign(
        "ask", now=now, key=private_jwk(counter.asker), x5c=chain, requestUri=REQUEST_URI, request=request
    )
    invitation = Invitation.parse(made["link"])
    assert (invitation.client_id, invitation.request_uri) == (name, REQUEST_URI)
    verified = counter.read(made["requestObject"], client_id=invitation.client_id)
    reply = holder.answer_presentation(holder.consider_presentation(verified))
    number = counter.key._private_key.private_numbers().private_value
    secret = {**counter.key.to_jwk(), "d": encode_base64url(number.to_bytes(32, "big"))}
    found = foreign("read", now=now, request=request, form=dict(reply.form), decryptionKey=secret)
    (presentation,) = found["presentations"]["licence"]
    report = counter.examine(presentation, audience=name, nonce="n" * 22)
    assert report.require().claims["name"] == "津城小麦面包坊"
