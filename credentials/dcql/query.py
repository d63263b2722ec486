"""A DCQL query as a value, read strictly (OpenID4VP 1.0, clause 6).

What the specification does not name is ignored; what it names must have the form that it says, and sizes
are bounded. Whether a credential satisfies a query is decided in `credentials.dcql.match`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from credentials.claim_paths import to_text
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credentials.claim_paths import Path

T = TypeVar("T")
Value: TypeAlias = str | int | bool
SD_JWT_VC: Final = "dc+sd-jwt"
MDOC: Final = "mso_mdoc"
AKI = "aki"
MAX_CREDENTIALS, MAX_SETS, MAX_OPTIONS, MAX_CLAIMS = 32, 32, 64, 200
MAX_STEPS, MAX_VALUES, MAX_CHARACTERS = 16, 200, 2000
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One claim wanted: where it stands (7.1), its name for `claim_sets`, and which values will do."""

    path: Path
    id: str | None = None
    values: tuple[Value, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        answer: dict[str, Any] = {"path": list(self.path)}
        if self.id is not None:
            answer["id"] = self.id
        if self.values is not None:
            answer["values"] = list(self.values)
        return answer


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """Who must stand behind the issuer (6.1.1); `type` is aki, etsi_tl or openid_federation."""

    type: str
    values: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"type": self.type, "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """One credential wanted (6.1).

    `types` are the `vct_values`, or the one `doctype_value`. `claims` None: nothing that can be withheld is
    wanted. `claim_sets` are alternatives by claim id, the verifier's preferred one first.
    """

    id: str
    format: str
    types: tuple[str, ...] = ()
    multiple: bool = False
    trusted_authorities: tuple[TrustedAuthority, ...] | None = None
    require_holder_binding: bool = True
    claims: tuple[ClaimQuery, ...] | None = None
    claim_sets: tuple[tuple[str, ...], ...] | None = None

    @property
    def alternatives(self) -> tuple[tuple[ClaimQuery, ...], ...]:
        """The sets of claims of which one is needed (6.4.1), the preferred one first."""
        if self.claims is None:
            return ((),)
        if self.claim_sets is None:
            return (self.claims,)
        by_id = {claim.id: claim for claim in self.claims}
        return tuple(tuple(by_id[name] for name in names) for names in self.claim_sets)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; defaults are left out."""
        answer: dict[str, Any] = {"id": self.id, "format": self.format, "meta": self._meta()}
        if self.multiple:
            answer["multiple"] = True
        if self.trusted_authorities is not None:
            answer["trusted_authorities"] = [one.to_dict() for one in self.trusted_authorities]
        if not self.require_holder_binding:
            answer["require_cryptographic_holder_binding"] = False
        if self.claims is not None:
            answer["claims"] = [claim.to_dict() for claim in self.claims]
        if self.claim_sets is not None:
            answer["claim_sets"] = [list(names) for names in self.claim_sets]
        return answer

    def _meta(self) -> dict[str, Any]:
        if self.format == SD_JWT_VC:
            return {"vct_values": list(self.types)}
        return {"doctype_value": self.types[0]} if self.format == MDOC else {}


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """Alternatives among credentials by their id (6.2), the preferred one first."""

    options: tuple[tuple[str, ...], ...]
    required: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        answer: dict[str, Any] = {"options": [list(names) for names in self.options]}
        return answer if self.required else {**answer, "required": False}


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. Without `credential_sets` every credential is wanted (6.4.2)."""

    credentials: tuple[CredentialQuery, ...]
    credential_sets: tuple[CredentialSet, ...] | None = None

    @classmethod
    def parse(cls, value: object) -> Query:
        """Read the JSON value; `MalformedInput` says where it breaks which rule."""
        body = _object(value, "dcql_query")
        credentials = _array(body, "credentials", _credential, MAX_CREDENTIALS, "dcql_query")
        names = [one.id for one in credentials]
        _unique(names, "6.1: the id of a credential is repeated")
        sets = None
        if "credential_sets" in body:
            sets = _array(body, "credential_sets", _credential_set, MAX_SETS, "dcql_query")
            for one in sets:
                _known([name for names in one.options for name in names], names, "6.2: no such credential")
        return cls(credentials, sets)

    def __getitem__(self, credential_id: str) -> CredentialQuery:
        """The credential query of this id, or `KeyError`."""
        for one in self.credentials:
            if one.id == credential_id:
                return one
        raise KeyError(credential_id)

    def __contains__(self, credential_id: object) -> bool:
        return any(one.id == credential_id for one in self.credentials)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        answer: dict[str, Any] = {"credentials": [one.to_dict() for one in self.credentials]}
        if self.credential_sets is not None:
            answer["credential_sets"] = [one.to_dict() for one in self.credential_sets]
        return answer


def _credential(value: object) -> CredentialQuery:
    body = _object(value, "6.1: a credential query")
    name, kind = _id(body.get("id")), _text(body.get("format"), "6.1: format")
    where = f"credential {name}"
    meta = _object(body.get("meta"), f"{where}: meta")
    claims = claim_sets = authorities = None
    if "claims" in body:
        claims = _array(body, "claims", lambda item: _claim(item, kind), MAX_CLAIMS, where)
        _unique([one.id for one in claims if one.id], f"{where}: 6.3: the id of a claim is repeated")
    if "claim_sets" in body:
        claim_sets = _array(body, "claim_sets", _names, MAX_OPTIONS, where)
        _check_claim_sets(claims, claim_sets, where)
    if "trusted_authorities" in body:
        authorities = _array(body, "trusted_authorities", _authority, MAX_OPTIONS, where)
    return CredentialQuery(
        name,
        kind,
        _types(kind, meta, where),
        _flag(body, "multiple", where, default=False),
        authorities,
        _flag(body, "require_cryptographic_holder_binding", where, default=True),
        claims,
        claim_sets,
    )


def _types(kind: str, meta: Mapping[str, Any], where: str) -> tuple[str, ...]:
    if kind == SD_JWT_VC:  # appendix B.3.5
        return _array(meta, "vct_values", lambda item: _text(item, "vct_values"), MAX_VALUES, where)
    if kind == MDOC:  # appendix B.2.3
        return (_text(meta.get("doctype_value"), f"{where}: doctype_value"),)
    return ()


def _check_claim_sets(
    claims: tuple[ClaimQuery, ...] | None, sets: tuple[tuple[str, ...], ...], where: str
) -> None:
    if claims is None:
        raise _fault(f"{where}: 6.1: claim_sets without claims")
    if any(one.id is None for one in claims):
        raise _fault(f"{where}: 6.3: with claim_sets every claim has an id")
    ids = [one.id for one in claims if one.id]
    for names in sets:
        _known(names, ids, f"{where}: 6.1: claim_sets names no such claim")


def _claim(value: object, kind: str) -> ClaimQuery:
    body = _object(value, "6.3: a claims query")
    path = _array(body, "path", _step, MAX_STEPS, "6.3")
    if kind == MDOC and (len(path) != 2 or not all(isinstance(step, str) for step in path)):
        raise _fault("7.2: a path into an mdoc is a namespace and an element")
    name = _id(body["id"]) if "id" in body else None
    values = None
    if "values" in body:
        values = _array(body, "values", _value, MAX_VALUES, to_text(path))
    return ClaimQuery(path, name, values)


def _step(value: object) -> str | int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    return _text(value, "7: a step of a path", empty=True)


def _value(value: object) -> Value:
    if type(value) in {int, bool}:
        return value  # type: ignore[return-value]  # just looked at
    return _text(value, "6.3: one of the values", empty=True)


def _authority(value: object) -> TrustedAuthority:
    body = _object(value, "6.1.1: a trusted authority")
    kind = _text(body.get("type"), "6.1.1: type")
    values = _array(body, "values", lambda item: _text(item, "6.1.1: values"), MAX_VALUES, "6.1.1")
    return TrustedAuthority(kind, values)


def _credential_set(value: object) -> CredentialSet:
    body = _object(value, "6.2: a credential set")
    options = _array(body, "options", _names, MAX_OPTIONS, "6.2")
    return CredentialSet(options, _flag(body, "required", "6.2", default=True))


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len(value) > MAX_CLAIMS:
        raise _fault("6: a set is an array of ids, and not empty")
    return tuple(_id(item) for item in value)


def _array(
    body: Mapping[str, Any], name: str, read: Callable[[object], T], limit: int, where: str
) -> tuple[T, ...]:
    value = body.get(name)
    if not isinstance(value, list) or not value:
        raise _fault(f"{where}: {name} is an array that is not empty")
    if len(value) > limit:
        raise TooLarge("dcql", f"{where}: over {limit} {name}")
    return tuple(read(item) for item in value)


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fault(f"{where} is an object")
    return value


def _text(value: object, where: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or (not value and not empty) or len(value) > MAX_CHARACTERS:
        raise _fault(f"{where} is a text of at most {MAX_CHARACTERS} characters")
    return value


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _fault("6: an id has letters, digits, _ and - only")
    return value


def _flag(body: Mapping[str, Any], name: str, where: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise _fault(f"{where}: {name} is true or false")
    return value


def _unique(names: list[str], fault: str) -> None:
    if len(set(names)) != len(names):
        raise _fault(fault)


def _known(names: object, ids: list[str], fault: str) -> None:
    if not set(names) <= set(ids):  # type: ignore[call-overload]  # tuples and lists of ids
        raise _fault(fault)


def _fault(detail: str) -> MalformedInput:
    return MalformedInput("dcql", f"OpenID4VP, {detail}" if detail[:1].isdigit() else detail)
