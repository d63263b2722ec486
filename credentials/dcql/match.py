"""Whether credentials satisfy a query, and which claims that takes (OpenID4VP 1.0, 6.4 and 7).

The wallet asks with all it has, the verifier with what was shown to it; the rules are the same. Array
positions count as issued, so that an element that stays hidden moves no other. Trust, signatures and
holder binding are none of this module's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.dcql.query import AKI, MDOC, SD_JWT_VC
from credentials.disclosures import digest_of
from credentials.mdoc.structures import to_plain
from credentials.signed_tokens import chain_of
from credentials.vocabulary import ARRAY_DIGEST, CONTROL_NAMES, DIGESTS
from signing.base64url import decode_base64url, encode_base64url
from signing.jose import load_json
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from credentials.claim_paths import Path, Step
    from credentials.dcql.query import ClaimQuery, CredentialQuery, CredentialSet, Query, Value
    from credentials.mdoc.structures import IssuerSigned
    from credentials.sd_jwt import SdJwt
    from signing.certificates import Certificate


class _Hidden:
    """An array element that was not disclosed: it keeps its place and has no value."""

    def __repr__(self) -> str:
        return "HIDDEN"


HIDDEN = _Hidden()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a query looks at in a credential.

    `claims` may hold `HIDDEN` where an array element is withheld; those of an mdoc stand under their
    namespace (7.2). `authorities` are the authority key identifiers of its certificates, as base64url.
    """

    format: str
    type: str
    claims: Mapping[str, Any]
    is_bound: bool = True
    authorities: frozenset[str] = frozenset()

    @classmethod
    def of(cls, credential: SdJwt) -> Candidate:
        """An SD-JWT VC with the disclosures that it carries; `MalformedInput` when they break a rule."""
        credential.reveal()  # every rule of RFC 9901, 7.1 first
        claims = _as_issued(credential)
        vct = claims.get("vct")
        return cls(
            SD_JWT_VC,
            vct if isinstance(vct, str) else "",
            claims,
            "cnf" in claims,
            _authorities(_chain_of(credential)),
        )

    @classmethod
    def of_mdoc(cls, issued: IssuerSigned) -> Candidate:
        """An mdoc with the elements that are at hand: all of them for its holder, those shown for a verifier.

        Values are compared as JSON has them (B.2.4); `MalformedInput` for one that it has no form for, and
        for a security object that cannot be read.
        """
        elements = {
            namespace: {item.identifier: to_plain(item.value) for item in items}
            for namespace, items in issued.namespaces.items()
        }
        kind = issued.security_object().doc_type  # an mdoc is bound to a key always
        return cls(MDOC, kind, elements, authorities=_authorities(issued.authentication.chain))


@dataclass(frozen=True, slots=True)
class Match:
    """A credential satisfies a credential query: with which alternative, and the claims to disclose.

    `paths` is the least that satisfies it: of an array whose elements are chosen by value, only those.
    """

    alternative: int
    claims: tuple[ClaimQuery, ...]
    paths: tuple[Path, ...]


def match(asked: CredentialQuery, candidate: Candidate) -> Match | None:
    """How the credential satisfies the query, by the first alternative that it can; None when it does not."""
    if candidate.format != asked.format or candidate.type not in asked.types:
        return None
    if asked.require_holder_binding and not candidate.is_bound:
        return None
    if asked.trusted_authorities is not None and not _is_from(asked, candidate):
        return None
    for number, claims in enumerate(asked.alternatives):
        found = [_places(claim, candidate.claims) for claim in claims]
        if all(found):
            paths = dict.fromkeys(path for places in found for path in places)
            return Match(number, claims, tuple(paths))
    return None


def options_to_return(
    query: Query, available: Collection[str], *, optional: bool = False
) -> tuple[str, ...] | None:
    """Which credentials a wallet returns, by id, of those `available`; None: nothing at all (6.4.2).

    Of each required set the first option that is available; sets that are not required only with `optional`.
    """
    if query.credential_sets is None:
        names = tuple(one.id for one in query.credentials)
        return names if set(names) <= set(available) else None
    chosen: dict[str, None] = {}
    for one in query.credential_sets:
        option = _option(one, available)
        if option is None and one.required:
            return None
        if option and (one.required or optional):
            chosen.update(dict.fromkeys(option))
    return tuple(chosen)


def is_satisfied(query: Query, returned: Collection[str]) -> bool:
    """Whether credentials that all passed, by id, are what the verifier asked for."""
    if query.credential_sets is None:
        return {one.id for one in query.credentials} <= set(returned)
    needed = [one for one in query.credential_sets if one.required]
    return bool(returned) and all(_option(one, returned) is not None for one in needed)


def resolve(claims: object, path: Path) -> list[tuple[Path, Any]]:
    """Where a path leads, as places and values (7.1); empty where the specification says error.

    A step into something of another kind ends the search; an element that lacks the member drops out.
    """
    selected: list[tuple[Path, Any]] = [((), claims)]
    for step in path:
        if not all(_takes(step, value) for _, value in selected):
            return []
        selected = [inner for place, value in selected for inner in _inner(place, value, step)]
    return selected


def _option(one: CredentialSet, available: Collection[str]) -> tuple[str, ...] | None:
    return next((names for names in one.options if set(names) <= set(available)), None)


def _is_from(asked: CredentialQuery, candidate: Candidate) -> bool:
    """6.1.1: one value of one entry is enough; kinds that we cannot judge match nothing."""
    known = [one for one in asked.trusted_authorities or () if one.type == AKI]
    return any(candidate.authorities.intersection(one.values) for one in known)


def _places(claim: ClaimQuery, claims: Mapping[str, Any]) -> list[Path]:
    found = resolve(claims, claim.path)
    if claim.values is None:
        return [claim.path] if found else []
    good = [place for place, value in found if _is_one_of(value, claim.values)]
    # Without a choice among elements the path itself says it; else only the elements that match.
    return good if None in claim.path else [claim.path] * bool(good)


def _is_one_of(value: Any, wanted: tuple[Value, ...]) -> bool:
    # 6.3: type and value match exactly; Python's True is 1, JSON's is not.
    return any(type(value) is type(one) and value == one for one in wanted)


def _takes(step: Step, value: object) -> bool:
    return isinstance(value, dict) if isinstance(step, str) else isinstance(value, list)


def _inner(place: Path, value: Any, step: Step) -> Iterator[tuple[Path, Any]]:
    if isinstance(step, str):
        if step in value:
            yield (*place, step), value[step]
        return
    positions = range(len(value)) if step is None else [step] if step < len(value) else []
    for position in positions:
        if value[position] is not HIDDEN:
            yield (*place, position), value[position]


def _as_issued(credential: SdJwt) -> dict[str, Any]:
    """The claims with `HIDDEN` where an element is withheld. The disclosures were checked before."""
    algorithm = credential.digest_algorithm
    opened = {
        digest_of(text, algorithm): load_json(decode_base64url(text)) for text in credential.disclosures
    }
    answer: dict[str, Any] = _restore(credential.payload, opened)
    return answer


def _restore(node: Any, opened: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_element(item, opened) for item in node]
    if not isinstance(node, dict):
        return node
    answer = {name: _restore(value, opened) for name, value in node.items() if name not in CONTROL_NAMES}
    for digest in node.get(DIGESTS, ()):
        if digest in opened:
            _, name, value = opened[digest]
            answer[name] = _restore(value, opened)
    return answer


def _element(item: Any, opened: Mapping[str, Any]) -> Any:
    if not isinstance(item, dict) or ARRAY_DIGEST not in item:
        return _restore(item, opened)
    digest = item[ARRAY_DIGEST]
    return _restore(opened[digest][1], opened) if digest in opened else HIDDEN


def _authorities(chain: Iterable[Certificate]) -> frozenset[str]:
    """6.1.1.1: the authority key identifiers of the chain that a credential carries."""
    found = (certificate.authority_key_id for certificate in chain)
    return frozenset(encode_base64url(one) for one in found if one)


def _chain_of(credential: SdJwt) -> tuple[Certificate, ...]:
    try:
        return chain_of(credential.issuer_jwt)
    except MalformedInput:
        return ()
