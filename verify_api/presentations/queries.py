"""The query that a wish becomes (OpenID4VP 1.0, 6): each licence as SD-JWT VC, as mdoc, or in either form.

Of an SD-JWT VC the licence's identifier is always visible; of an mdoc it is asked for, because without it
nothing can be looked up. An mdoc query names one document type, so each version of a type has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from credentials.dcql import (
    MDOC,
    SD_JWT_VC,
    ClaimQuery,
    CredentialQuery,
    CredentialSet,
    Query,
    TrustedAuthority,
)
from credentials.oid4vp.transactions import TransactionData
from credentials.vocabulary import DELEGATION, DELEGATION_VCT, LICENCE_IDENTIFIER
from signing.base64url import encode_base64url
from verify_api.presentations.templates import AS_MDOC, AS_SD_JWT_VC, MAX_TYPES
from yinxin.base.errors import NotPermitted, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.catalogue import Catalogue, LicenceType
    from signing.trust import TrustStore
    from verify_api.departments import Grant
    from verify_api.presentations.templates import Wish

MAX_AUTHORITIES = 16
_COMBINED = 4  # so many optional fields are asked for in every combination
_USAGES = {SD_JWT_VC: "credential", MDOC: "mdoc"}
_IF_AGENT = CredentialSet(((DELEGATION,),), required=False)
_BEHIND = "_"  # stands behind a type's code, which has none, in the names of its further queries

_Authorities = tuple[TrustedAuthority, ...] | None


def make_query(wish: Wish, grant: Grant, catalogue: Catalogue, trust: TrustStore) -> Query:
    """The query for a wish within its grant; `NotPermitted` beyond it, `UsageError` for an empty one."""
    _check(wish, grant)
    by_type = [
        tuple(_forms(wish, grant, catalogue[code], catalogue.vcts(code), trust)) for code in wish.types
    ]
    asked = tuple(one for each in by_type for one in each)
    sets: tuple[CredentialSet, ...] = ()
    if wish.any_type and len(asked) > 1:
        sets = (CredentialSet(tuple((one.id,) for one in asked)),)
    elif len(asked) > len(by_type):
        sets = tuple(CredentialSet(tuple((one.id,) for one in each)) for each in by_type)
    elif wish.agents:
        sets = (CredentialSet((tuple(one.id for one in asked),)),)
    if wish.agents:
        delegation = _delegation(_authorities(trust, SD_JWT_VC))
        return Query((*asked, delegation), (*sets, _IF_AGENT))
    return Query(asked, sets or None)


def make_transactions(wish: Wish) -> tuple[TransactionData, ...]:
    """The transaction of a wish, bound to any one of its credentials."""
    one = wish.transaction
    if one is None:
        return ()
    made = TransactionData.make(one.type, one.statement, credential_ids=wish.types, details=one.details)
    return (made,)


def type_of(query_id: str) -> str:
    """The code of the licence type that a credential query asks for."""
    return query_id.partition(_BEHIND)[0]


def _check(wish: Wish, grant: Grant) -> None:
    if not 1 <= len(wish.types) <= MAX_TYPES or len(set(wish.types)) != len(wish.types):
        raise UsageError(f"ask for 1 to {MAX_TYPES} different types")
    if not wish.forms or not {AS_SD_JWT_VC, AS_MDOC}.issuperset(wish.forms):
        raise UsageError(f"the forms of a licence are {AS_SD_JWT_VC} and {AS_MDOC}")
    # Appendix B.2 has no place for either in an mdoc: its device signs the session and nothing else.
    if AS_MDOC in wish.forms and wish.transaction is not None:
        raise UsageError(f"what a holder agrees to is asked for as {AS_SD_JWT_VC} only")
    if wish.agents and AS_SD_JWT_VC not in wish.forms:
        raise UsageError(f"agents show licences as {AS_SD_JWT_VC} only: take that form too")
    beyond = set(wish.types) - set(grant.fields)
    if wish.claims is not None:
        beyond |= set(wish.claims) - grant.every_field
    if beyond:
        raise NotPermitted(f"the grant does not cover: {', '.join(sorted(beyond))[:200]}")


def _delegation(authorities: _Authorities) -> CredentialQuery:
    """The delegation of whoever shows a licence for its holder; the holder needs none."""
    claims = tuple(ClaimQuery((name,)) for name in ("agent_name", "principal_name"))
    return CredentialQuery(
        DELEGATION, SD_JWT_VC, (DELEGATION_VCT,), trusted_authorities=authorities, claims=claims
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The fields of one type that are wanted: those that each licence has, and those that it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    def claims(self, namespace: tuple[str, ...] = ()) -> tuple[ClaimQuery, ...]:
        names = (*self.required, *self.optional)
        return tuple(ClaimQuery((*namespace, name), name if self.optional else None) for name in names)

    @property
    def alternatives(self) -> tuple[tuple[str, ...], ...] | None:
        """All fields, and then without those that a licence need not have, the most first."""
        if not self.optional:
            return None
        most = len(self.optional)
        sizes = range(most, -1, -1) if most <= _COMBINED else (most, 1, 0)
        sets = [(*self.required, *chosen) for size in sizes for chosen in combinations(self.optional, size)]
        return tuple(names for names in sets if names)


def _forms(
    wish: Wish, grant: Grant, kind: LicenceType, vcts: tuple[str, ...], trust: TrustStore
) -> Iterator[CredentialQuery]:
    """The queries of which one is to be answered, the preferred form first."""
    wanted = grant.fields[kind.code] if wish.claims is None else grant.fields[kind.code] & set(wish.claims)
    fields = [one for one in kind.fields if one.name in wanted]
    if not fields:
        raise UsageError(f"nothing of the type {kind.code} is asked for")
    required = tuple(one.name for one in fields if one.required)
    optional = tuple(one.name for one in fields if not one.required)
    for form in wish.forms:
        if form == AS_SD_JWT_VC:
            yield _query(kind.code, SD_JWT_VC, vcts, _Wanted(required, optional), trust)
            continue
        looked_up = _Wanted((LICENCE_IDENTIFIER, *required), optional)
        for number, vct in enumerate(vcts, start=1):
            yield _query(f"{kind.code}{_BEHIND}mdoc{number}", MDOC, (vct,), looked_up, trust)


def _query(
    name: str, form: str, types: tuple[str, ...], wanted: _Wanted, trust: TrustStore
) -> CredentialQuery:
    return CredentialQuery(
        name,
        form,
        types,
        trusted_authorities=_authorities(trust, form),
        claims=wanted.claims(types if form == MDOC else ()),
        claim_sets=wanted.alternatives,
    )


def _authorities(trust: TrustStore, form: str) -> _Authorities:
    """Our anchors for credentials by key identifier (`aki`), so that a wallet offers what we can trust."""
    usable = [one.certificate for one in trust.anchors if not one.usages or _USAGES[form] in one.usages]
    names = [one.subject_key_id for one in usable if one.subject_key_id]
    if not names or len(names) != len(usable) or len(names) > MAX_AUTHORITIES:
        return None
    return (TrustedAuthority("aki", tuple(encode_base64url(name) for name in names)),)
