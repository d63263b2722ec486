"""A wallet's card (委托名片): who could be appointed, by name and key, signed by that key.

Whoever wants to appoint somebody is given their card: a holder in their own wallet, or the clerk who
registers a guardian.
"""

from __future__ import annotations

from credentials.delegations.delegation import Agent
from credentials.oid4vci.jwts import read_self_signed
from yinxin.base.errors import MalformedInput

CARD = "yinxin-agent-card+jwt"


def read_card(text: str) -> Agent:
    """Who a card names; `MalformedInput` unless its own key signed it."""
    try:
        _, claims, key = read_self_signed(text.strip(), typ=CARD)
        return Agent.from_dict({**claims, "jwk": key.to_jwk()})
    except MalformedInput as exc:
        raise MalformedInput("card", exc.detail) from exc
