"""Verify an SD-JWT VC, alone or presented with key binding (RFC 9901, 7.3; SD-JWT VC, 2; TSL, 8.3).

A pure function of text, snapshots, policy and time: no network, no database, no side effect. Status lists
come in as verified snapshots; that a nonce was ours and is used once is the business of sessions.

Times: the certificate path is judged now, and for the verdict `then` at the credential's own `iat`.
That `iat` is the issuer's word and no proof, so a certificate that has run out leaves the verdict now
indeterminate: an issuer makes credentials that end before its certificate does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from credentials.claim_checks import (
    audience_check,
    disclosures_check,
    issuer_name_check,
    never_hidden_check,
    types_check,
)
from credentials.key_binding import MAX_AGE, check_key_binding, holder_key, read_binding
from credentials.permission import Permission
from credentials.published_keys import judge_by_published
from credentials.sd_jwt import SdJwt
from credentials.signed_tokens import (
    ChainSignatures,
    is_date,
    is_failed,
    moment_check,
)
from credentials.status_checks import look_up
from credentials.vocabulary import (
    CREDENTIAL_TYP,
    DELEGATION,
    DELEGATION_VCT,
    LICENCE_IDENTIFIER,
)
from signing.jose import parse_jws
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Evidence, Report, Scope, good
from signing.revocation import RevocationSnapshot
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import MalformedInput, TooLarge, UsageError
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.disclosures import Revealed
    from credentials.key_binding import Binding
    from credentials.known_types import KnownTypes
    from credentials.published_keys import PublishedKeys
    from credentials.status_snapshot import StatusSnapshot
    from signing.certificates import Certificate
    from signing.jose import Token
    from signing.keys import PublicKey
    from signing.report import EvidenceKey
    from signing.trust import TrustStore
    from signing.trust_list import ServingList

_FORMAT, _TYPE = good("format"), good("type")
_WRONG_TYPE = Check("type", Reason.WRONG_TYPE, detail=f"typ is not {CREDENTIAL_TYP}")
# By the kind of a `MalformedInput`: which check it is, and what that means.
_MALFORMED = {
    "cnf": ("holder_key", Reason.CLAIM_INVALID),
    "disclosure": ("disclosures", Reason.DISCLOSURE_INVALID),
    "digest algorithm": ("disclosures", Reason.ALGORITHM_NOT_ALLOWED),
}


@dataclass(frozen=True, slots=True)
class VerifiedCredential(Evidence):
    """A credential that passed: `Report.require` makes it, nothing else can.

    `claims` are the disclosed ones with the always visible ones.
    `issuer` is the certificate that stands behind it, None where the issuer publishes its keys and is known
    by its `iss`; `holder_key` the key that the presenter proved to have, None when no proof was demanded;
    `licence` the identifier of the licence it is a copy of.
    """

    vct: str
    claims: Mapping[str, Any]
    issuer: Certificate | None
    licence: str | None
    holder_key: PublicKey | None


class Verifier:
    """Verifies credentials against one set of snapshots.

    `statuses` are the verified status lists by their address, `published` the keys of issuers for which the
    policy says that they count, by their `iss`, `types` the types that are known. `issuers` and `trust_list`,
    if given, say who may issue a `vct` (`credentials.permission`). `status_grace` stretches a list's ttl
    while its server is away, never its `exp`; `max_age` bounds how long ago a presentation was made.
    """

    def __init__(  # noqa: PLR0913 - snapshots and policy, by the door
        self,
        trust: TrustStore,
        *,
        policy: Policy | None = None,
        statuses: Mapping[str, StatusSnapshot] | None = None,
        revocation: RevocationSnapshot | None = None,
        clock: Clock | None = None,
        issuers: Mapping[str, Collection[str]] | None = None,
        trust_list: ServingList | None = None,
        published: Mapping[str, PublishedKeys] | None = None,
        types: KnownTypes | None = None,
        status_grace: timedelta = timedelta(0),
        max_age: timedelta = MAX_AGE,
    ) -> None:
        self.trust = trust
        self.policy = policy or Policy.default()
        self.statuses = {} if statuses is None else statuses
        self.revocation = revocation or RevocationSnapshot()
        self.permission = Permission(issuers, trust_list)
        self.published = {} if published is None else published
        self.types = types
        self.status_grace = status_grace
        self.max_age = max_age
        self._clock = clock or SystemClock()
        self._signatures = ChainSignatures(
            trust, usage="credential", revocation=self.revocation, policy=self.policy
        )

    def verify(  # noqa: PLR0913 - what a presentation has to answer to
        self,
        presentation: str,
        *,
        audience: str | None = None,
        nonce: str | None = None,
        now: datetime | None = None,
        require_key_binding: bool = True,
        delegations: Collection[VerifiedCredential] = (),
    ) -> Report[VerifiedCredential]:
        """The report on a presentation; never raises for a bad one.

        With `require_key_binding` the presenter must prove to hold the key, for this `audience` and
        `nonce`: leaving one out is a `UsageError`. Without, a key binding is not looked at, and
        nothing is said of who presents. A copy that an agent was given passes only beside the delegation that
        it names: `delegations` are those that were verified of the same answer.
        """
        if require_key_binding and not (audience and nonce):
            raise UsageError("key binding is demanded, so an audience and a nonce are too")
        at = now or self._clock.now()
        case = _Case(self, at, audience, nonce, require_key_binding, delegations)
        case.examine(presentation)
        return Report.about(
            str(presentation),
            subject="sd-jwt-vc",
            at=at,
            known_at=at,
            checks=tuple(case.checks),
            policy=self._policy_hash,
            snapshots=case.snapshots,
            findings=case.findings,
            make_evidence=case.evidence,
        )

    @cached_property
    def _policy_hash(self) -> str:
        return self.policy.hash

    @cached_property
    def _snapshots(self) -> Mapping[str, str]:
        return {"trust": self.trust.snapshot_id, "revocation": self.revocation.snapshot_id}


class _Case:
    """One verification: collects checks, stops where the next rule would have nothing to stand on."""

    _key: PublicKey | None = None
    _issuer: Certificate | str | None = None  # who was proved to have signed it
    _chain: tuple[Certificate, ...] = ()
    _made: datetime | None = None
    _read: tuple[Binding, Check] | None = None  # the key binding, and how its signature came out

    def __init__(  # noqa: PLR0913, PLR0917 - private, one call
        self,
        verifier: Verifier,
        at: datetime,
        audience: str | None,
        nonce: str | None,
        bound: bool,  # noqa: FBT001 - private, one call
        delegations: Collection[VerifiedCredential],
    ) -> None:
        self._verifier = verifier
        self._delegations = delegations
        self._at = at
        self._audience, self._nonce, self._bound = audience, nonce, bound
        self.checks: list[Check] = []
        self.snapshots = dict(verifier._snapshots)  # noqa: SLF001 - its own case
        self.findings: dict[str, Any] = {}

    def examine(self, presentation: str) -> None:
        """Go through the rules in their order."""
        try:
            credential = _read(presentation)
            binding = read_binding(credential) if self._bound else None
            if not self._bound and credential.key_binding is not None:
                parse_jws(credential.key_binding)  # RFC 9901, 4: what stands last is a KB-JWT or nothing
            self.checks.append(_FORMAT)
            if not self._check_issuer(credential):
                return
            if binding is not None:
                self._read = binding, binding.signature(self._at, self._verifier.policy)
            revealed = credential.reveal()
            self._check_claims(revealed)
            self._check_binding(credential, revealed)
        except MalformedInput as exc:
            self._add(_malformed(exc))
            return
        if not is_failed(self.checks):  # TSL, 8.3: an invalid credential's status is not looked at
            self._check_status(revealed.claims)

    def evidence(self, key: EvidenceKey) -> VerifiedCredential:
        """What a passed report stands for."""
        if self._issuer is None:
            raise TypeError("no issuer was verified")
        claims = self.findings["claims"]
        named = claims.get(LICENCE_IDENTIFIER)
        licence = named if isinstance(named, str) else None
        issuer = None if isinstance(self._issuer, str) else self._issuer
        return VerifiedCredential(key, claims["vct"], claims, issuer, licence, self._key)

    def _add(self, *checks: Check) -> None:
        self.checks.extend(checks)

    def _check_issuer(self, credential: SdJwt) -> bool:
        token = credential.issuer_jwt
        self.checks.append(_TYPE if token.header.get("typ") == CREDENTIAL_TYP else _WRONG_TYPE)
        issued, named = credential.payload.get("iat"), credential.payload.get("iss")
        made = self._made = datetime.fromtimestamp(issued, UTC) if is_date(issued) else None
        publishing = self._verifier.policy.publishing_issuers
        if publishing and isinstance(named, str) and named in publishing:
            return self._check_published(token, named)
        signed = self._verifier._signatures.examine(token, at=self._at, issued_at=made)  # noqa: SLF001 - its own case
        self.checks += signed.checks
        self._issuer, self._chain = signed.certificate, signed.chain
        return signed.is_genuine

    def _check_published(self, token: Token, issuer: str) -> bool:
        """By the keys that this issuer publishes, whatever else the token brings along (SD-JWT VC, 7.3)."""
        verifier = self._verifier
        published = verifier.published.get(issuer)
        if published is not None:
            self.snapshots["issuer_keys"] = published.digest
        signed = judge_by_published(token, published, at=self._at, policy=verifier.policy)
        self._add(*signed.checks)
        self._issuer = issuer
        return signed.is_genuine

    def _check_claims(self, revealed: Revealed) -> None:
        claims = revealed.claims
        read = self._read
        self.checks += (
            disclosures_check(revealed),
            never_hidden_check(revealed),
            types_check(claims, known=read[0].confirmation) if read else types_check(claims),
            issuer_name_check(claims, self._issuer),
            *self._permission(claims),
            *self._type(revealed),
            *self._delegation(claims),
            *moment_check(claims, at=self._at, skew=self._verifier.policy.clock_skew, scope=Scope.NOW),
        )
        if "aud" in claims:
            self._add(audience_check(claims["aud"], self._audience))
        self.findings = {
            "vct": claims.get("vct"),
            "claims": claims,
            "issuer": _name_of(self._issuer),
            "key_binding": self._bound,
        }

    def _permission(self, claims: Mapping[str, Any]) -> tuple[Check, ...]:
        if self._issuer is None:
            return ()
        permission = self._verifier.permission
        if permission.issuers is None and permission.trust_list is None:
            return ()
        self.snapshots.update(permission.snapshots)
        kind, agency = str(claims.get("vct")), _agency_of(claims) if permission.trust_list else None
        return permission.checks(kind, self._issuer, agency=agency, made=self._made, at=self._at)

    def _type(self, revealed: Revealed) -> tuple[Check, ...]:
        types, required = self._verifier.types, self._verifier.policy.type_metadata == "require"
        if types is None:
            missing = Check("type_metadata", Reason.TYPE_METADATA_UNAVAILABLE)
            return (missing,) if required else ()
        self.snapshots["types"] = types.digest
        return types.checks(revealed, required=required)

    def _delegation(self, claims: Mapping[str, Any]) -> tuple[Check, ...]:
        """An agent's copy says by itself that it is one, and stands beside its delegation."""
        if not self._bound or DELEGATION not in claims or claims.get("vct") == DELEGATION_VCT:
            return ()
        wanted = (DELEGATION_VCT, claims[DELEGATION], claims.get("iss"))
        shown = [
            (one.vct, one.claims.get(DELEGATION), one.claims.get("iss"))
            for one in self._delegations
            if one.holder_key is not None
        ]
        return (Check(DELEGATION, None if wanted in shown else Reason.DELEGATION_MISSING),)

    def _check_binding(self, credential: SdJwt, revealed: Revealed) -> None:
        if not self._bound or self._audience is None or self._nonce is None:
            return
        claims, read = revealed.claims, self._read
        if read is not None and claims.get("cnf") is not read[0].confirmation:
            read = None
        key = read[0].key if read else holder_key(claims)
        if key is None:
            detail = "the credential is bound to no key"
            self._add(Check("key_binding", Reason.KEY_BINDING_MISSING, detail=detail))
            return
        checks = check_key_binding(
            credential,
            key,
            audience=self._audience,
            nonce=self._nonce,
            now=self._at,
            policy=self._verifier.policy,
            max_age=self._verifier.max_age,
            read=read,
        )
        self.checks += checks
        self._key = key

    def _check_status(self, claims: Mapping[str, Any]) -> None:
        if "status" not in claims:
            return
        verifier = self._verifier
        found = look_up(
            claims["status"],
            verifier.statuses,
            at=self._at,
            grace=verifier.status_grace,
            chain=self._chain,
            trust_list=verifier.permission.trust_list,
            form="jwt",  # SD-JWT VC, 2.2.2.3
        )
        self.findings.update(found.findings)
        if found.snapshot:
            self.snapshots["status"] = found.snapshot.digest
        self.checks.append(found.check)


def _read(presentation: Any) -> SdJwt:
    """The compact form, or the JSON form (RFC 9901, 8) where the text is an object."""
    if isinstance(presentation, str) and presentation.lstrip(" \t\r\n").startswith("{"):
        return SdJwt.from_json(presentation)
    return SdJwt.parse(presentation)


def _name_of(issuer: Certificate | str | None) -> str | None:
    return issuer if issuer is None or isinstance(issuer, str) else issuer.common_name


def _agency_of(claims: Mapping[str, Any]) -> str | None:
    """The credit code of the agency in a licence's identifier (GB/T 36904); None where there is none."""
    try:
        return LicenceIdentifier.parse(claims[LICENCE_IDENTIFIER]).credit_code
    except (KeyError, MalformedInput):
        return None


def _malformed(exc: MalformedInput) -> Check:
    name, reason = _MALFORMED.get(exc.kind, ("format", Reason.FORMAT_FAILURE))
    return Check(name, Reason.TOO_LARGE if isinstance(exc, TooLarge) else reason, detail=exc.detail)
