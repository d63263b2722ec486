"""Presentations that must not pass: a row's shape, and how forgers make one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.disclosures import digest_of
from signing.base64url import decode_base64url
from signing.reasons import Reason
from signing.report import Indication
from world.credentials import COUNTER, NONCE
from world.forgery import ABSENT, Forger, disclosure, resigned

if TYPE_CHECKING:
    from collections.abc import Callable


SALT = "c2FsdHNhbHRzYWx0c2FsdA"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class Case(NamedTuple):
    name: str
    clause: str
    reason: Reason
    make: Callable[[Forger], Any]


def other(payload: dict[str, Any]) -> Callable[[Forger], str]:
    """The agency signed these changes to the licence."""
    return lambda forger: forger.shown(forger.payload(payload))


def binding(claims: Any = None, **more: Any) -> Callable[[Forger], str]:
    """The licence is good, its key binding is not."""
    return lambda forger: forger.bound(f"{forger.token()}~{forger.name}~", claims, **more)


def header(changes: Any) -> Callable[[Forger], str]:
    return lambda forger: forger.shown(header=changes)


def hidden(*parts: Any) -> Callable[[Forger], str]:
    """The agency signed the digest of this one disclosure."""
    return lambda forger: forger.hiding(disclosure(*parts))


def with_signature(change: Callable[[bytes], bytes]) -> Callable[[Forger], str]:
    def make(forger: Forger) -> str:
        token = forger.token()
        signature = decode_base64url(token.rpartition(".")[2])
        return forger.bound(f"{resigned(token, change(signature))}~{forger.name}~")

    return make


def element(item: Any, *disclosures: str) -> Callable[[Forger], str]:
    """The agency signed this element of an array."""
    return lambda forger: (
        forger.shown(forger.payload({"scopes": [item], "_sd": []}), *(disclosures or ()))
        if disclosures
        else forger.bound(f"{forger.token(forger.payload({'scopes': [item], '_sd': []}))}~")
    )


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"in": value}
    return value


def chained(forger: Forger) -> str:
    """Forty disclosures, each inside the one before."""
    inner, texts = "x", []
    for number in range(40):
        text = disclosure(SALT, f"level{number}", inner)
        texts.append(text)
        inner = {"_sd": [digest_of(text)]}
    return forger.shown(forger.payload(hide=(texts[-1],)), *texts)


def moved(name: str) -> Callable[[Forger], str]:
    """This claim of the licence stands in a disclosure."""

    def make(forger: Forger) -> str:
        text = disclosure(SALT, name, forger.payload().get(name, "x"))
        return forger.shown(forger.payload({name: ABSENT}, hide=(text,)), text)

    return make


def hidden_key(forger: Forger) -> str:
    text = disclosure(SALT, "jwk", forger.world.baker.public_key.to_jwk())
    return forger.shown(forger.payload({"cnf": {"_sd": [digest_of(text)]}, "_sd": []}), text)


def garbled(place: int) -> Callable[[Forger], str]:
    """One of the dot-separated parts of the token replaced by junk."""

    def make(forger: Forger) -> str:
        parts = forger.token().split(".")
        parts[place] = "!!!!"
        return forger.bound(f"{'.'.join(parts)}~{forger.name}~")

    return make


FORMAT, DISCLOSURE = Reason.FORMAT_FAILURE, Reason.DISCLOSURE_INVALID
CLAIM, HIDDEN = Reason.CLAIM_INVALID, Reason.CLAIM_NOT_ALLOWED
BINDING = Reason.KEY_BINDING_INVALID


def refuses(case: Case, forger: Forger, counter: Any) -> None:
    """The counter gives this reason and no other, and its report can be written."""
    report = counter.verify(case.make(forger), audience=COUNTER, nonce=NONCE)
    assert set(report.reasons) == {case.reason}, report.to_json()
    assert report.indication is case.reason.indication is not Indication.PASSED
    json.loads(report.to_json())
