"""Many changed presentations and tokens of each format: none raises, none passes.

Changes are of two kinds: of bytes, and of what stands inside: a member of a header, a payload, a disclosure
or a CBOR map gets another value and is encoded again, as an attacker would. Parts of one good presentation
are also put into another. Whatever is not the very bytes that passed must not pass, but for three freedoms
that the formats give: headers of COSE that nobody signs (RFC 9052, 3), from which only certificates are
taken; elements of an mdoc left out or put back, which its device does not sign (ISO/IEC 18013-5, 9.1.3);
and spaces, the order of members, and members that nobody reads in JSON forms (RFC 7515, 7.2).
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import COUNTER, NONCE
from world.mdocs import ELEMENTS, NAMESPACE, TRANSCRIPT, MdocWorld
from world.mutants import edited, random_edits
from world.pki import NOON

from credentials.mdoc import mdoc_elements
from credentials.mdoc.limits import MAX_DEPTH, TAGS
from credentials.sd_jwt import SdJwt
from credentials.status_snapshot import verify_status_token
from signing.base64url import decode_base64url, encode_base64url
from signing.cbor import Tag, decode, encode
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

JSON_VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 2**53, 1.5, "", "x", "ES256", "none", "HS256", "dc+sd-jwt", [], [None], {},
    {"jwk": {}}, ["…"], {"...": "x"}, {"_sd": []}, "sha-256", "md5", 253402300800, -62135596801,
)  # fmt: skip
CBOR_VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 2**63, b"", b"x", bytes(32), bytes(64), "", "x", "1.0", "SHA-256", "SHA-1",
    [], [None], {}, {1: 2}, Tag(24, b"\xa0"), Tag(0, "2027-01-01T00:00:00Z"), Tag(1004, "2027-01-01"),
)  # fmt: skip


@dataclass
class Subject:
    """What is changed: good ones, who judges them, and how their inside is opened."""

    good: Sequence[bytes]
    passes: Callable[[bytes], bool]
    is_harmless: Callable[[bytes], bool]
    inside: Callable[[bytes, bytes, random.Random], bytes]


def subjects() -> dict[str, Subject]:
    world = MdocWorld()
    uri = world.licence()["status"]["status_list"]["uri"]
    verifier, counter = world.counter(), world.mdoc_counter()
    lists = partial(verify_status_token, trust=world.trust, uri=uri, at=NOON, revocation=world.revocation)
    credentials = [world.issue(world.licence()) for _ in range(2)]

    def sd_jwt(data: bytes) -> bool:
        text = data.decode("latin-1")
        return verifier.verify(text, audience=COUNTER, nonce=NONCE, now=NOON).passed

    shown = [
        world.present(credentials[0], ("name",)),
        world.present(credentials[0], ("name", "address", ("scopes", None))),
        world.present(credentials[1], ("credit_code", ("address", "street"))),
    ]
    licences = [ELEMENTS, {**ELEMENTS, "name": "津城大米面馆", "storeys": 3}]
    issued = [world.issue_mdoc(elements=elements) for elements in licences]
    mdocs = [world.show(issued[0], "name"), world.show(issued[0], *ELEMENTS), world.show(issued[1], "name")]
    jwts, cwts = [world.statuses.token(uri).encode()], [world.statuses.cwt(uri)]
    signed = {_signed(one) for one in cwts}

    def mdoc(data: bytes) -> Any:
        return counter.verify(data, transcript=TRANSCRIPT, now=NOON)

    def says_nothing_new(data: bytes) -> bool:
        said = mdoc(data).require().elements.get(NAMESPACE, {}).items()
        whole = [mdoc_elements(one)[NAMESPACE].items() for one in issued]
        return any(all(one in items for one in said) for items in whole)

    compact = {one: SdJwt.parse(one) for one in shown}
    return {
        "sd-jwt-json": Subject(
            [as_json(one).encode() for one in shown],
            sd_jwt,
            lambda data: SdJwt.from_json(data.decode("latin-1")) in compact.values(),
            json_inside,
        ),
        "sd-jwt-vc": Subject([one.encode() for one in shown], sd_jwt, _never, sd_jwt_inside),
        "mdoc": Subject(mdocs, lambda data: mdoc(data).passed, says_nothing_new, cbor_inside),
        "status-jwt": Subject(jwts, lambda data: lists(data.decode("latin-1")).passed, _never, sd_jwt_inside),
        "status-cwt": Subject(
            cwts, lambda data: lists(data).passed, lambda data: _signed(data) in signed, cbor_inside
        ),
    }


def as_json(presentation: str) -> str:
    """The flattened form of a presentation (RFC 9901, 8.2)."""
    token, *disclosures, binding = presentation.split("~")
    protected, payload, signature = token.split(".")
    header = {"disclosures": disclosures, "kb_jwt": binding}
    return json.dumps({"payload": payload, "protected": protected, "signature": signature, "header": header})


def json_inside(data: bytes, other: bytes, source: random.Random) -> bytes:
    """One member changed, or taken from the other; or something inside a part of the token."""
    value, theirs = json.loads(data), json.loads(other)
    kind = source.randrange(4)
    if kind == 0:
        name = source.choice(["payload", "protected", "signature", "header"])
        value[name] = theirs[name]
    elif kind == 1:
        name = source.choice(["payload", "protected"])
        value[name] = _json_again(value[name].encode(), source).decode("latin-1")
    elif kind == 2:
        one = {name: value.pop(name) for name in ("protected", "signature", "header")}
        value = _changed({**value, "signatures": [one, one]}, JSON_VALUES, source)
    else:
        value = _changed(value, [*JSON_VALUES, *_leaves(theirs)], source)
    return json.dumps(value).encode()


def _never(_: bytes) -> bool:
    return False


def sd_jwt_inside(data: bytes, other: bytes, source: random.Random) -> bytes:
    """One part decoded, changed and encoded again; or taken from the other; or moved, doubled, left out."""
    parts, theirs = (text.replace(b".", b"~.").split(b"~") for text in (data, other))
    place = source.randrange(len(parts))
    kind = source.randrange(6)
    if kind == 0:
        parts[place] = source.choice(theirs)
    elif kind == 1:
        del parts[place]
    elif kind == 2:
        parts.insert(source.randrange(len(parts)), parts[place])
    elif kind == 3:
        source.shuffle(parts)
    else:
        parts[place] = _json_again(parts[place], source)
    return b"~".join(parts).replace(b"~.", b".")


def _json_again(part: bytes, source: random.Random) -> bytes:
    dot = b"." if part.startswith(b".") else b""
    try:
        value = json.loads(decode_base64url(part.removeprefix(b".").decode("latin-1")))
    except (ValueError, YinxinError):
        return part + b"A"
    return dot + encode_base64url(json.dumps(_changed(value, JSON_VALUES, source)).encode()).encode()


def cbor_inside(data: bytes, other: bytes, source: random.Random) -> bytes:
    """One member somewhere in the structure changed, also in what is embedded as bytes."""
    value, theirs = _opened(data), _opened(other)
    pool = [*CBOR_VALUES, *_leaves(theirs)]
    try:
        return encode(_changed(value, pool, source))
    except YinxinError:  # nested too deeply to be written: bytes that end early
        return data[: source.randrange(len(data))]


def _opened(data: bytes) -> Any:
    return decode(data, tags=TAGS, max_depth=MAX_DEPTH)


def _signed(data: bytes) -> bytes:
    """What is left without unprotected headers: the second of four parts."""
    return encode(_without_headers(_opened(data)))


def _without_headers(value: Any) -> Any:
    if isinstance(value, Tag):
        return Tag(value.number, _without_headers(value.value))
    if isinstance(value, dict):
        return {name: _without_headers(one) for name, one in value.items()}
    if isinstance(value, list) and len(value) == 4 and isinstance(value[1], dict):
        return [value[0], None, *value[2:]]
    return [_without_headers(one) for one in value] if isinstance(value, list) else value


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def _changed(value: Any, pool: Sequence[Any], source: random.Random, depth: int = 0) -> Any:
    """A copy of a value in which one thing is another."""
    if isinstance(value, Tag) and isinstance(value.value, bytes) and source.random() < 0.7:
        return Tag(value.number, _embedded(value.value, pool, source))
    if isinstance(value, Tag):
        return Tag(value.number, _changed(value.value, pool, source, depth + 1))
    if isinstance(value, bytes) and len(value) > 24 and source.random() < 0.3:
        return _embedded(value, pool, source)
    if isinstance(value, dict) and value and (depth < 2 or source.random() < 0.8):
        name = source.choice(list(value))
        return _changed_map(value, name, pool, source, depth)
    if isinstance(value, list) and value and (depth < 2 or source.random() < 0.8):
        place, copy = source.randrange(len(value)), list(value)
        if source.random() < 0.15:
            copy.insert(place, copy[source.randrange(len(copy))])
        elif source.random() < 0.1:
            del copy[place]
        else:
            copy[place] = _changed(value[place], pool, source, depth + 1)
        return copy
    return source.choice(pool)


def _changed_map(
    value: dict[Any, Any], name: Any, pool: Sequence[Any], source: random.Random, depth: int
) -> dict[Any, Any]:
    copy = dict(value)
    chance = source.random()
    if chance < 0.15:
        del copy[name]
    elif chance < 0.25:
        copy[source.choice(("x", "alg", "crit", "exp", "cnf", "_sd_alg"))] = source.choice(pool)
    else:
        copy[name] = _changed(value[name], pool, source, depth + 1)
    return copy


def _embedded(data: bytes, pool: Sequence[Any], source: random.Random) -> bytes:
    try:
        return encode(_changed(_opened(data), pool, source))
    except YinxinError:
        place = source.randrange(len(data))
        return data[:place] + bytes([data[place] ^ 1 << source.randrange(8)]) + data[place + 1 :]


def attack(seed: int, count: int) -> dict[str, Counter[bool]]:
    """So many mutants in this process; an exception or a pass ends it."""
    source, found = random.Random(seed), {}  # noqa: S311 - the same mutants every time
    for name, subject in subjects().items():
        assert all(map(subject.passes, subject.good)), name
        found[name] = Counter[bool]()
        for _ in range(count):
            good, other = source.choice(subject.good), source.choice(subject.good)
            if source.random() < 0.5:
                changed = edited(good, random_edits(source, range(0, len(good), 7)))
            else:
                changed = subject.inside(good, other, source)
            if changed in subject.good:
                continue
            passed = subject.passes(changed)
            if passed and subject.is_harmless(changed):
                continue
            found[name][passed] += 1
            assert not passed, (name, seed, changed.hex())
    return found


@pytest.mark.campaign
@pytest.mark.timeout(7200)
def test_no_changed_presentation_passes(rounds: Callable[[int, int], int]) -> None:
    each = rounds(200, 250_000)  # of five forms
    processes = 1 if each < 1000 else os.cpu_count() or 1
    if processes == 1:
        answers = [attack(20261123, each)]
    else:
        seeds = range(20261123, 20261123 + 4 * processes)
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            answers = list(pool.map(attack, seeds, [each // len(seeds) + 1] * len(seeds)))
    for name in answers[0]:
        total = sum((answer[name] for answer in answers), Counter[bool]())
        assert total[True] == 0
        assert total[False] > each * 0.8, name
