"""What a department may ask a holder for: its grants, as presentation templates, and a wish among them.

A template names the licence types and fields of one grant, for its purpose and matter. A wish takes of it
what the case at hand needs; nothing outside the grant can be wished for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from credentials.dcql import SD_JWT_VC, ClaimQuery, CredentialQuery, CredentialSet, Query, TrustedAuthority
from credentials.oid4vp.transactions import TransactionData
from credentials.vocabulary import DELEGATION, DELEGATION_VCT
from signing.base64url import encode_base64url
from yinxin.base.errors import NotPermitted, UnknownLicenceType, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.catalogue import Catalogue, LicenceType
    from signing.trust import TrustStore
    from verify_api.departments import Department, Grant
    from yinxin.base.text import Text

MAX_TYPES, MAX_AUTHORITIES, MAX_STATEMENT = 8, 16, 200
_COMBINED = 4  # so many optional fields are asked for in every combination
_USAGE = "credential"
_IF_AGENT = CredentialSet(((DELEGATION,),), required=False)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the holder shall agree to beside showing: a type of `credentials.oid4vp.transactions`."""

    type: str
    statement: Text
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a department asks one holder for.

    `types` are codes of licence types: all of them, or with `any_type` one of them, the first best. `claims`
    narrows the fields (None: all of the grant). `reason` is what the holder is told it is for. With
    `same_device` the wallet is on the machine that shows the page, and the holder's browser goes back to
    `return_url`, or to ours without one; else the link is shown as a QR code. With `agents` an agent may show
    the licences for their holder, together with the delegation.
    """

    purpose: str
    matter: str
    types: tuple[str, ...]
    any_type: bool = False
    claims: tuple[str, ...] | None = None
    reason: Text | None = None
    same_device: bool = False
    return_url: str | None = None
    encrypted: bool = True
    transaction: Transaction | None = None
    agents: bool = False


def templates_of(department: Department, catalogue: Catalogue) -> list[dict[str, Any]]:
    """What the department may ask for, as JSON: purpose and matter with types and fields."""
    return [
        {
            "purpose": grant.purpose,
            "matter": grant.matter,
            "types": [
                _describe(kind, names)
                for code, names in grant.fields.items()
                if (kind := _find(catalogue, code)) is not None
            ],
        }
        for grant in department.grants
    ]


def make_query(wish: Wish, grant: Grant, catalogue: Catalogue, trust: TrustStore) -> Query:
    """The query for a wish within its grant; `NotPermitted` beyond it, `UsageError` for an empty one."""
    if not 1 <= len(wish.types) <= MAX_TYPES or len(set(wish.types)) != len(wish.types):
        raise UsageError(f"ask for 1 to {MAX_TYPES} different types")
    beyond = set(wish.types) - set(grant.fields)
    if wish.claims is not None:
        beyond |= set(wish.claims) - grant.every_field
    if beyond:
        raise NotPermitted(f"the grant does not cover: {', '.join(sorted(beyond))[:200]}")
    authorities = _authorities(trust)
    asked = tuple(
        _credential(catalogue[code], catalogue.vcts(code), grant, wish, authorities) for code in wish.types
    )
    one_will_do = wish.any_type and len(asked) > 1
    options = tuple((one.id,) for one in asked) if one_will_do else (tuple(one.id for one in asked),)
    if wish.agents:
        return Query((*asked, _delegation(authorities)), (CredentialSet(options), _IF_AGENT))
    return Query(asked, (CredentialSet(options),) if one_will_do else None)


def make_transactions(wish: Wish) -> tuple[TransactionData, ...]:
    """The transaction of a wish, bound to any one of its credentials."""
    one = wish.transaction
    if one is None:
        return ()
    made = TransactionData.make(one.type, one.statement, credential_ids=wish.types, details=one.details)
    return (made,)


def _delegation(authorities: tuple[TrustedAuthority, ...] | None) -> CredentialQuery:
    """The delegation of whoever shows a licence for its holder; the holder needs none."""
    claims = tuple(ClaimQuery((name,)) for name in ("agent_name", "principal_name"))
    return CredentialQuery(
        DELEGATION, SD_JWT_VC, (DELEGATION_VCT,), trusted_authorities=authorities, claims=claims
    )


def _credential(
    kind: LicenceType,
    vcts: tuple[str, ...],
    grant: Grant,
    wish: Wish,
    authorities: tuple[TrustedAuthority, ...] | None,
) -> CredentialQuery:
    wanted = grant.fields[kind.code] if wish.claims is None else grant.fields[kind.code] & set(wish.claims)
    fields = [one for one in kind.fields if one.name in wanted]
    if not fields:
        raise UsageError(f"nothing of the type {kind.code} is asked for")
    optional = [one.name for one in fields if not one.required]
    required = [one.name for one in fields if one.required]
    named = bool(optional)
    claims = tuple(ClaimQuery((one.name,), one.name if named else None) for one in fields)
    return CredentialQuery(
        kind.code,
        SD_JWT_VC,
        vcts,
        trusted_authorities=authorities,
        claims=claims,
        claim_sets=_alternatives(required, optional) if named else None,
    )


def _alternatives(required: list[str], optional: list[str]) -> tuple[tuple[str, ...], ...]:
    """All fields, and then without those that a licence need not have, the most first."""
    sizes = range(len(optional), -1, -1) if len(optional) <= _COMBINED else (len(optional), 1, 0)
    sets = [(*required, *chosen) for size in sizes for chosen in combinations(optional, size)]
    return tuple(names for names in sets if names)


def _authorities(trust: TrustStore) -> tuple[TrustedAuthority, ...] | None:
    """Our anchors for credentials by key identifier (`aki`), so that a wallet offers what we can trust."""
    usable = [one.certificate for one in trust.anchors if not one.usages or _USAGE in one.usages]
    names = [one.subject_key_id for one in usable if one.subject_key_id]
    if not names or len(names) != len(usable) or len(names) > MAX_AUTHORITIES:
        return None
    return (TrustedAuthority("aki", tuple(encode_base64url(name) for name in names)),)


def _describe(kind: LicenceType, names: Collection[str]) -> dict[str, Any]:
    fields = [
        {"name": one.name, "label": one.label.to_dict(), "required": one.required}
        for one in kind.fields
        if one.name in names
    ]
    return {"type": kind.code, "name": kind.name.to_dict(), "vct": kind.vct, "fields": fields}


def _find(catalogue: Catalogue, code: str) -> LicenceType | None:
    try:
        return catalogue[code]
    except UnknownLicenceType:
        return None
