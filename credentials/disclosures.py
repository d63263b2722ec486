"""Hiding claims behind digests, and putting disclosed ones back (RFC 9901, 4.2 and 7.1).

Works on claim trees alone: the text form, signatures and types are the work of `credentials.sd_jwt` and
`credentials.verifier`. Both directions are one pass over the tree.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.claim_paths import Path, Step, as_path, to_text
from credentials.vocabulary import (
    ARRAY_DIGEST,
    CONTROL_NAMES,
    DEFAULT_DIGEST_ALGORITHM,
    DIGEST_ALGORITHM,
    DIGEST_ALGORITHMS,
    DIGESTS,
)
from signing.base64url import decode_base64url_bytes, encode_base64url, encode_base64url_bytes
from signing.jose import MAX_JSON_DEPTH, json_text, load_json
from yinxin.base.errors import InvalidClaims, MalformedInput, TooLarge
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from credentials.claim_paths import ClaimPath
    from yinxin.base.randomness import Randomness

_CONTAINERS, _TEXT = frozenset({dict, list}), {str}
_SCALARS = frozenset({str, int, float, bool, type(None)})
# RFC 9901, 9.3: at least 128 bits, fresh for every claim; these fill their characters of base64url.
SALT_BYTES, _SALT_CHARACTERS = 18, 24
_HASHES = {name: getattr(hashlib, function) for name, function in DIGEST_ALGORITHMS.items()}
_DEFAULT_HASH = _HASHES[DEFAULT_DIGEST_ALGORITHM]


_placed = tuple.__new__  # as `Placed(*parts)`, in half the time


class Placed(NamedTuple):
    """Where one disclosure belongs.

    `disclosure` counts in the order of those handed in, `parent` is the number of the disclosure
    inside which this one's digest stands (None: in the signed payload). Array positions count as issued.
    """

    disclosure: int
    path: Path
    parent: int | None


class Revealed(NamedTuple):
    """The claims with every disclosed one in its place, and where each disclosure went.

    `undisclosed` counts the digests, decoys among them, that no disclosure belongs to. `withheld` says of
    arrays, by their path, which positions as issued are withheld. `is_empty` is whether an `_sd` stands
    somewhere and no digest at all.
    """

    claims: dict[str, Any]
    placed: tuple[Placed, ...]
    undisclosed: int
    withheld: Mapping[Path, frozenset[int]] = MappingProxyType({})
    is_empty: bool = False


def digest_of(text: str, algorithm: str = DEFAULT_DIGEST_ALGORITHM) -> str:
    """The digest of a disclosure or of an SD-JWT, as it is embedded (RFC 9901, 4.2.3)."""
    return encode_base64url(_hash_of(algorithm)(text.encode("utf-8")).digest())


def _digests(sent: Sequence[bytes]) -> list[str]:
    """The same of several disclosures by the default algorithm, in one text.

    A digest and a zero fill 44 characters, of which the last is the zero's alone.
    """
    text = encode_base64url(b"\0".join([_DEFAULT_HASH(one).digest() for one in sent]))
    return [text[at : at + 43] for at in range(0, len(text), 44)]


def conceal(
    claims: Mapping[str, Any],
    disclosable: Collection[ClaimPath],
    *,
    randomness: Randomness,
    decoys: int = 0,
) -> tuple[dict[str, Any], list[str]]:
    """The payload to sign, and the disclosures of the claims that it hides.

    Digests of one object are sorted, which hides the order of its claims; `decoys` are added wherever
    something is hidden, after the real elements of an array. A claim below a hidden one may be hidden
    too. A path that leads to no claim is `InvalidClaims`: a misspelt one would lay a claim open.
    """
    plan = _plan_of(tuple(disclosable))
    work = _Concealment(randomness, decoys)
    try:
        payload = work.object(claims, plan)
    except (TypeError, ValueError) as exc:
        raise InvalidClaims("a claim has no JSON form") from exc
    if missing := list(plan.unused(work.used)) if len(work.used) < plan.count else ():
        raise InvalidClaims(
            faults=[
                (to_text(path), Text("没有该声明，无法设为可选择披露", "no such claim")) for path in missing
            ]
        )
    return payload, work.disclosures


def is_flat(encoded: bytes, payload: Mapping[str, Any]) -> bool:
    """Whether the control names of a payload stand at its top alone, as its JSON text shows; for `reveal`.

    True is a proof: without an escape in it a text holds each name as it is written. False is none.
    """
    return (
        b"\\" not in encoded
        and b'"..."' not in encoded
        and encoded.count(b'"_sd') == (DIGESTS in payload) + (DIGEST_ALGORITHM in payload)
    )


def reveal(payload: Mapping[str, Any], disclosures: Sequence[str], *, flat: bool = False) -> Revealed:
    """Put disclosures back into a signed payload (RFC 9901, 7.1, steps 3 to 5).

    With `flat` no control name stands below the top of the payload, so that it need not be walked through.
    Raises `MalformedInput` of the kind `disclosure` or `digest algorithm`, with the clause in
    its detail, and `TooLarge` when the claims would nest too deeply.
    """
    algorithm = payload.get(DIGEST_ALGORITHM, DEFAULT_DIGEST_ALGORITHM)
    hashed = _hash_of(algorithm)  # 7.1 (2.e): asked also where nothing is disclosed
    sent = [text.encode() for text in disclosures]
    digests = (
        _digests(sent)
        if hashed is _DEFAULT_HASH
        else [encode_base64url(hashed(text).digest()) for text in sent]
    )
    by_digest = dict(zip(digests, range(len(sent)), strict=True))
    if len(by_digest) != len(sent):
        raise MalformedInput("disclosure", "RFC 9901, 7.1 (4): a disclosure is repeated")
    if flat and (plain := _reveal_plain(payload, sent, by_digest)):
        return plain
    work = _Revelation(sent, by_digest)
    claims = work.object(payload, (), None, 1)
    placed, seen = tuple(work.placed), work.seen
    if len(placed) != len(sent):
        raise MalformedInput("disclosure", "RFC 9901, 7.1 (5): a disclosure belongs nowhere")
    withheld = (
        {path: frozenset(positions) for path, positions in work.withheld.items()} if work.withheld else {}
    )
    answer = claims, placed, len(seen) - len(placed), withheld, not seen and work.has_empty
    return tuple.__new__(Revealed, answer)  # as Revealed(*answer), in half the time


def _reveal_plain(
    payload: Mapping[str, Any], sent: Sequence[bytes], by_digest: Mapping[str, int]
) -> Revealed | None:
    """The same where each disclosure is a top-level claim that is no container, and no rule is broken.

    None where it is otherwise: the walk through the tree says what is there, or what is wrong.
    """
    claims = dict(payload)
    claims.pop(DIGEST_ALGORITHM, None)
    digests = claims.pop(DIGESTS, None)
    if type(digests) is not list or not digests or not _TEXT.issuperset(map(type, digests)):
        return None
    seen = set(digests)
    if len(seen) != len(digests) or not by_digest.keys() <= seen:
        return None
    placed = []
    try:
        for digest in filter(by_digest.__contains__, digests):
            index = by_digest[digest]
            parts = load_json(decode_base64url_bytes(sent[index]))
            salt, name, value = parts
            if type(parts) is not list or type(salt) is not str or type(value) in _CONTAINERS:
                return None
            if type(name) is not str or name in claims or name in CONTROL_NAMES:
                return None
            claims[name] = value
            placed.append(_placed(Placed, (index, (name,), None)))
    except (MalformedInput, TypeError, ValueError):  # also where it is not three of something
        return None
    return tuple.__new__(Revealed, (claims, tuple(placed), len(seen) - len(placed), _NONE_WITHHELD, False))


_NONE_WITHHELD: Mapping[Path, frozenset[int]] = MappingProxyType({})


def _hash_of(algorithm: str) -> Any:
    try:
        return _HASHES[algorithm]
    except (KeyError, TypeError) as exc:
        raise MalformedInput("digest algorithm", "RFC 9901, 4.1.1: unknown digest algorithm") from exc


@dataclass(slots=True)
class _Plan:
    """Which claims to hide, as a tree of path steps; the root counts them. Not changed once made.

    `name` is the JSON of a claim's name, where it is one.
    """

    name: str = ""
    hidden: bool = False
    count: int = 0
    below: dict[Step, _Plan] = field(default_factory=dict)

    def unused(self, used: Collection[int], path: Path = ()) -> Iterable[Path]:
        """The paths that led to no claim; `used` are the ids of those that did."""
        if self.hidden and id(self) not in used:
            yield path
        for step, node in self.below.items():
            yield from node.unused(used, (*path, step))


@lru_cache(256)
def _plan_of(disclosable: tuple[ClaimPath, ...]) -> _Plan:
    """An agency hides the same claims of each licence of a type."""
    root = _Plan()
    for claim in disclosable:
        node = root
        for step in as_path(claim):
            node = node.below.setdefault(step, _Plan(json_text(step) if isinstance(step, str) else ""))
        root.count += not node.hidden
        node.hidden = True
    return root


_NOTHING = _Plan()


def _check_names(claims: Mapping[str, Any]) -> None:
    for name in claims:
        if name in CONTROL_NAMES or not isinstance(name, str):
            raise InvalidClaims(faults=[(str(name), Text("不能使用该声明名称", "this name is reserved"))])


class _Concealment:
    def __init__(self, randomness: Randomness, decoys: int) -> None:
        self._randomness = randomness
        self._decoys = decoys
        self.disclosures: list[str] = []
        self.used: set[int] = set()

    def object(self, claims: Mapping[str, Any], plan: _Plan) -> dict[str, Any]:
        if not CONTROL_NAMES.isdisjoint(claims) or not _TEXT.issuperset(map(type, claims)):
            _check_names(claims)
        if not plan.below and _SCALARS.issuperset(map(type, claims.values())):
            return dict(claims)
        answer: dict[str, Any] = {}
        hidden: list[str] = []
        node_of, used = plan.below.get, self.used.add
        for name, value in claims.items():
            node, kind = node_of(name), type(value)
            inner = value if kind in _SCALARS else self._value(value, node or _NOTHING)
            if node is not None and node.hidden:
                used(id(node))
                said = encode_basestring(inner) if kind is str else json_text(inner)
                hidden.append(f"{node.name},{said}")
            else:
                answer[name] = inner
        if hidden:
            answer[DIGESTS] = sorted(self._disclose(hidden) + self._decoy_digests())
        return answer

    def _array(self, values: Sequence[Any], plan: _Plan) -> list[Any]:
        every = plan.below.get(None, _NOTHING)
        if every.hidden:
            self.used.add(id(every))
        answer: list[Any] = []
        hiding = False
        for position, value in enumerate(values):
            node = plan.below.get(position, every)
            inner = self._value(value, node)
            if node.hidden or every.hidden:
                hiding = True
                self.used.add(id(node))
                inner = {ARRAY_DIGEST: self._disclose([json_text(inner)])[0]}
            answer.append(inner)
        if hiding:
            answer += [{ARRAY_DIGEST: digest} for digest in self._decoy_digests()]
        return answer

    def _value(self, value: Any, plan: _Plan) -> Any:
        if isinstance(value, dict):
            return self.object(value, plan)
        if isinstance(value, (list, tuple)):
            return self._array(value, plan)
        return value

    def _disclose(self, said: Sequence[str]) -> list[str]:
        """The digests of new disclosures; each is the JSON of a value, with its name before it or alone."""
        salts = encode_base64url(self._randomness.bytes(SALT_BYTES * len(said)))
        places = range(0, len(salts), _SALT_CHARACTERS)
        sent = [
            encode_base64url_bytes(f'["{salts[at : at + _SALT_CHARACTERS]}",{one}]'.encode())
            for at, one in zip(places, said, strict=True)
        ]
        self.disclosures += [one.decode() for one in sent]
        return _digests(sent)

    def _decoy_digests(self) -> list[str]:
        # RFC 9901, 4.2.5: the digest of random bytes looks like any other.
        if not self._decoys:
            return []
        return [digest_of(encode_base64url(self._randomness.bytes(32))) for _ in range(self._decoys)]


class _Revelation:
    """One walk through a payload; `seen` are all digests, `has_empty` whether an `_sd` without any stands."""

    __slots__ = ("_by_digest", "_sent", "has_empty", "placed", "seen", "withheld")

    def __init__(self, sent: Sequence[bytes], by_digest: Mapping[str, int]) -> None:
        self._sent = sent
        self._by_digest = by_digest
        self.seen: set[str] = set()
        self.has_empty = False
        self.placed: list[Placed] = []
        self.withheld: dict[Path, list[int]] = {}

    def object(self, node: Mapping[str, Any], path: Path, parent: int | None, depth: int) -> dict[str, Any]:
        if CONTROL_NAMES.isdisjoint(node) and _CONTAINERS.isdisjoint(map(type, node.values())):
            return dict(node)
        answer: dict[str, Any] = {}
        for name, value in node.items():
            if name in CONTROL_NAMES:
                self._check_control(name, path)
            elif type(value) in _CONTAINERS:
                answer[name] = self._value(value, (*path, name), parent, depth)
            else:
                answer[name] = value
        if DIGESTS in node:
            self._members(node[DIGESTS], answer, path, parent, depth)
        return answer

    def _members(
        self, digests: Any, answer: dict[str, Any], path: Path, parent: int | None, depth: int
    ) -> None:
        if not isinstance(digests, list):
            raise MalformedInput("disclosure", "RFC 9901, 4.2.4.1: _sd is not an array")
        if not digests:
            self.has_empty = True
        for digest in self._find_all(digests):
            index = self._by_digest[digest]
            _, name, value = self._open(index, 3)
            if type(name) is not str or name in CONTROL_NAMES:
                raise MalformedInput("disclosure", "RFC 9901, 7.1 (3.c.ii): the claim name is not allowed")
            if name in answer:
                raise MalformedInput("disclosure", "RFC 9901, 7.1 (3.c.ii): the claim exists already")
            place = (*path, name)
            self.placed.append(_placed(Placed, (index, place, parent)))
            nested = type(value) in _CONTAINERS
            answer[name] = self._value(value, place, index, depth) if nested else value

    def _array(self, items: list[Any], path: Path, parent: int | None, depth: int) -> list[Any]:
        answer: list[Any] = []
        for position, item in enumerate(items):
            place = (*path, position)
            if not isinstance(item, dict) or ARRAY_DIGEST not in item:
                answer.append(self._value(item, place, parent, depth))
                continue
            if len(item) != 1:
                raise MalformedInput("disclosure", "RFC 9901, 4.2.4.2: a name stands beside '...'")
            index = self._find(item[ARRAY_DIGEST])
            if index is None:
                self.withheld.setdefault(path, []).append(position)
                continue
            _, value = self._open(index, 2)
            self.placed.append(_placed(Placed, (index, place, parent)))
            answer.append(self._value(value, place, index, depth))
        return answer

    def _value(self, value: Any, path: Path, parent: int | None, depth: int) -> Any:
        if type(value) not in _CONTAINERS:
            return value
        if depth >= MAX_JSON_DEPTH:
            raise TooLarge("disclosure", f"claims nest deeper than {MAX_JSON_DEPTH}")
        if isinstance(value, dict):
            return self.object(value, path, parent, depth + 1)
        return self._array(value, path, parent, depth + 1)

    def _find_all(self, digests: list[Any]) -> list[str]:
        """Those of an object's digests that a disclosure has; most have none."""
        if not _TEXT.issuperset(map(type, digests)):
            raise MalformedInput("disclosure", "RFC 9901, 4.2.4: a digest is not a text")
        seen = self.seen
        expected = len(seen) + len(digests)
        seen.update(digests)
        if len(seen) != expected:
            raise MalformedInput("disclosure", "RFC 9901, 7.1 (4): a digest is repeated")
        return list(filter(self._by_digest.__contains__, digests))

    def _find(self, digest: Any) -> int | None:
        if not isinstance(digest, str):
            raise MalformedInput("disclosure", "RFC 9901, 4.2.4: a digest is not a text")
        if digest in self.seen:
            raise MalformedInput("disclosure", "RFC 9901, 7.1 (4): a digest is repeated")
        self.seen.add(digest)
        return self._by_digest.get(digest)

    def _open(self, index: int, size: int) -> list[Any]:
        try:
            parts = load_json(decode_base64url_bytes(self._sent[index]))
        except MalformedInput as exc:
            raise MalformedInput("disclosure", f"RFC 9901, 4.2: {exc.detail}") from exc
        if type(parts) is not list or len(parts) != size or type(parts[0]) is not str:
            raise MalformedInput("disclosure", f"RFC 9901, 7.1 (3.c): not an array of {size} with a salt")
        return parts

    @staticmethod
    def _check_control(name: str, path: Path) -> None:
        if name == ARRAY_DIGEST:
            raise MalformedInput("disclosure", "RFC 9901, 4.1: '...' stands outside an array")
        if name == DIGEST_ALGORITHM and path:
            raise MalformedInput("disclosure", "RFC 9901, 4.1.1: _sd_alg stands below the top level")
