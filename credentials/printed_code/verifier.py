"""Verify the code printed on a licence, from snapshots alone: no network, no database.

The verdict `then` says whether the agency made this code; `now` whether the licence holds, for which its
register has to be asked. Without the register's answer the check `licence_standing` is indeterminate
(STATUS_NOT_ASKED): offline, nothing passes silently.

The time in a code is the agency's word and no proof, so a certificate that has run out since leaves the
verdict now indeterminate, and one that is revoked fails it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from credentials.printed_code.code import Excerpt, PrintedCode, read, split
from credentials.signed_tokens import ChainSignatures, is_failed, moment_check
from credentials.standing import Standing, standing_checks
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Evidence, Report, Scope
from signing.revocation import RevocationSnapshot
from signing.trust_list import Issued
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.licence import Licence
    from credentials.printed_code.code import Printed
    from credentials.printed_code.issuers import IssuerCertificate, IssuerCertificates
    from signing.certificates import Certificate
    from signing.report import EvidenceKey
    from signing.trust import TrustStore
    from signing.trust_list import ServingList


@dataclass(frozen=True, slots=True)
class RegisterAnswer:
    """What the register says of the licence that a code names; no `licence` where it has none."""

    standing: Standing
    licence: Licence | None


@dataclass(frozen=True, slots=True)
class PrintedLicence(Evidence):
    """A code that passed, its register asked: `Report.require` makes it, nothing else can."""

    identifier: str
    agency: str
    fields: Mapping[str, Printed]
    issuer: Certificate


class PrintedCodeVerifier:
    """Verifies codes against one set of snapshots.

    `addresses` are the pages that codes of ours may lead to, compared letter by letter
    (`https://verify.city.example/q`): a code that leads anywhere else is refused, whoever signed it. A
    `trust_list` says who may issue which type of licence, since when.
    """

    def __init__(  # noqa: PLR0913 - snapshots and policy, by the door
        self,
        trust: TrustStore,
        *,
        issuers: IssuerCertificates,
        addresses: Collection[str],
        revocation: RevocationSnapshot | None = None,
        policy: Policy | None = None,
        trust_list: ServingList | None = None,
    ) -> None:
        self.trust = trust
        self.issuers = issuers
        self.addresses = frozenset(addresses)
        self.revocation = revocation or RevocationSnapshot()
        self.policy = policy or Policy.default()
        self.trust_list = trust_list
        self._signatures = ChainSignatures(
            trust, usage="credential", revocation=self.revocation, policy=self.policy
        )

    def verify(
        self, text: str, *, now: datetime, registered: RegisterAnswer | None = None
    ) -> Report[PrintedLicence]:
        """The report on a code's text; never raises for a bad one.

        `registered` is what the register said of `read(text).identifier`, None where it was not asked.
        """
        case = _Case(self, now, registered)
        case.examine(text)
        digest = hashlib.sha256(str(text).encode("utf-8", "replace")).hexdigest()
        snapshots = {
            "trust": self.trust.snapshot_id,
            "revocation": self.revocation.snapshot_id,
            "issuers": self.issuers.snapshot_id,
            **(self.trust_list.snapshots if self.trust_list else {}),
        }
        return Report(
            "printed-code",
            digest,
            now,
            now,
            tuple(case.checks),
            self._policy_hash,
            snapshots,
            case.findings,
            case.evidence,
        )

    @cached_property
    def _policy_hash(self) -> str:
        return self.policy.hash


def verify(  # noqa: PLR0913 - snapshots and policy, by the door
    text: str,
    trust: TrustStore,
    *,
    issuers: IssuerCertificates,
    revocation: RevocationSnapshot | None = None,
    addresses: Collection[str],
    now: datetime,
    policy: Policy | None = None,
    registered: RegisterAnswer | None = None,
) -> Report[PrintedLicence]:
    """Verify one code; a `PrintedCodeVerifier` is faster for many."""
    verifier = PrintedCodeVerifier(
        trust, issuers=issuers, addresses=addresses, revocation=revocation, policy=policy
    )
    return verifier.verify(text, now=now, registered=registered)


class _Case:
    """One verification: collects checks, stops where the next rule would have nothing to stand on."""

    def __init__(
        self, verifier: PrintedCodeVerifier, at: datetime, registered: RegisterAnswer | None
    ) -> None:
        self._verifier, self._at, self._registered = verifier, at, registered
        self._code: PrintedCode | None = None
        self._issuer: IssuerCertificate | None = None
        self.checks: list[Check] = []
        self.findings: dict[str, Any] = {}

    def examine(self, text: str) -> None:
        """Go through the rules in their order."""
        try:
            if not self._check_address(text):
                return
            code = self._code = read(text)
        except MalformedInput as exc:
            self._add(Check("format", Reason.PRINTED_CODE_MALFORMED, detail=exc.detail))
            return
        self._add(Check("format"))
        if not self._check_signature(code):
            return
        self._check_path(code)
        self._check_times(code)
        if not is_failed(tuple(check for check in self.checks if check.scope is not Scope.NOW)):
            self.findings = _findings(code, self._issuer)
        self._check_standing(code)

    def evidence(self, key: EvidenceKey) -> PrintedLicence:
        """What a passed report stands for."""
        code, issuer = self._code, self._issuer
        if code is None or issuer is None:
            raise TypeError("no code was verified")
        return PrintedLicence(key, str(code.identifier), code.agency, code.fields, issuer.chain[0])

    def _add(self, *checks: Check) -> None:
        self.checks.extend(checks)

    def _check_address(self, text: str) -> bool:
        address, _ = split(text)
        good = address in self._verifier.addresses
        self._add(Check("address", None if good else Reason.ADDRESS_NOT_TRUSTED, detail=_plain(address)))
        return good

    def _check_signature(self, code: PrintedCode) -> bool:
        candidates = self._verifier.issuers.named(code.kid)
        if not candidates:
            detail = f"no certificate {code.kid.hex()} among the issuers at hand"
            self._add(Check("certificate", Reason.SIGNING_CERTIFICATE_MISSING, detail=detail))
            return False
        row = code.message.algorithm
        fitting = [one for one in candidates if row and _kind_of(one.chain[0]) == row.key_kind]
        if row is None or not fitting:
            self._add(Check("algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail="none that fits the key"))
            return False
        policy = self._verifier.policy
        objection = policy.objection_to(row, fitting[0].chain[0].public_key, at=self._at)
        if objection:
            self._add(Check("algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail=objection))
            return False
        signer = next((one for one in fitting if code.message.is_signed_by(one.chain[0])), None)
        self._add(Check("algorithm"))
        self._add(Check("signature", None if signer else Reason.SIG_CRYPTO_FAILURE))
        self._issuer = signer
        return signer is not None

    def _check_path(self, code: PrintedCode) -> None:
        if self._issuer is None:
            return
        made = datetime.fromtimestamp(code.issued_at, UTC)
        self._add(*self._verifier._signatures.path_checks(self._issuer.chain, self._at, made))  # noqa: SLF001 - its own case
        good = self._issuer.agency == code.agency
        detail = "" if good else f"the certificate is of {self._issuer.agency}, the code of {code.agency}"
        self._add(Check("issuer_name", None if good else Reason.ISSUER_MISMATCH, detail=detail))
        if listed := self._verifier.trust_list:
            issued = Issued(
                code.identifier.type_code,
                subject=self._issuer.chain[0].subject,
                agency=code.identifier.credit_code,
                made=made,
            )
            self._add(*listed.check(issued, now=self._at))

    def _check_times(self, code: PrintedCode) -> None:
        times = {"iat": code.issued_at, "nbf": code.not_before, "exp": code.expires_at}
        claims = {name: value for name, value in times.items() if value is not None}
        skew = self._verifier.policy.clock_skew
        self._add(*moment_check(claims, at=self._at, skew=skew, scope=Scope.NOW))

    def _check_standing(self, code: PrintedCode) -> None:
        answer = self._registered
        if answer is None:
            self._add(
                Check("licence_standing", Reason.STATUS_NOT_ASKED, Scope.NOW, "the register was not asked")
            )
            return
        if answer.licence is not None:
            wrong = _differences(code, answer.licence)
            self._add(
                Check("register content", Reason.LICENCE_DIFFERS if wrong else None, detail=", ".join(wrong))
            )
        self._add(*standing_checks(answer.standing))


def _kind_of(certificate: Certificate) -> str | None:
    try:
        return certificate.public_key.kind
    except MalformedInput:
        return None


def _differences(code: PrintedCode, licence: Licence) -> list[str]:
    """The fields in which code and register differ; the names alone."""
    wrong = [] if licence.identifier == str(code.identifier) else ["identifier"]
    for name, value in code.fields.items():
        known = licence.claims.get(name)
        same = known is not None and value.fits(known) if isinstance(value, Excerpt) else known == value
        if not same:
            wrong.append(name)
    return wrong


def _findings(code: PrintedCode, issuer: IssuerCertificate | None) -> dict[str, Any]:
    """What a genuine code says, for display."""
    return {
        "licence": str(code.identifier),
        "type": code.identifier.type_code,
        "version": code.identifier.version,
        "agency": code.agency,
        "issuer": issuer.chain[0].common_name if issuer else None,
        "issued_at": code.issued_at,
        "not_before": code.not_before,
        "expires_at": code.expires_at,
        "fields": {name: _shown(value) for name, value in code.fields.items()},
    }


def _shown(value: Printed) -> Any:
    if isinstance(value, Excerpt):
        return {"start": value.start, "sha256_96": value.digest.hex()}
    return value


def _plain(address: str) -> str:
    return "".join(
        letter if letter.isprintable() and letter.isascii() else "\ufffd" for letter in address[:200]
    )
