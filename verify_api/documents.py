"""What can be handed in, and what each says by itself: a PDF, a presentation, a number on paper.

Pure functions of bytes, snapshots, policy and time. `examine_pdf` runs in a worker process, because its
libraries parse hostile files; its answer is JSON and becomes checks again here. What the register says is
joined in `verify_api.verification`.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.x509.oid import NameOID

from credentials.mdoc import MdocVerifier
from credentials.verifier import Verifier
from credentials.vocabulary import DELEGATION, LICENCE_IDENTIFIER
from signing.certificates import Certificate
from signing.jose import load_json_object
from signing.policy import Policy
from signing.policy.demands import licence_checks
from signing.reasons import Reason
from signing.report import Check, Scope
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot
from signing.trust import TrustAnchor, TrustStore
from signing.trust_list import Issued
from verify_api.workers import Outcome, OutcomeState, Shared
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from credentials.known_types import KnownTypes
    from credentials.published_keys import PublishedKeys
    from credentials.status_snapshot import StatusSnapshot
    from credentials.verifier import VerifiedCredential
    from signing.pdf import VerifiedDocument
    from signing.report import Report
    from signing.trust_list import ServingList

LICENCE_FILE, LICENCE_ITEM = "licence.json", "certificate_identifier"
MAX_LICENCE_FILE_BYTES = 256 * 1024
# What an answer says of a signature; everything else stays with us.
SIGNATURE_MEMBERS = (
    "field",
    "signer",
    "usage",
    "claimed_time",
    "proved_time",
    "coverage",
    "level",
    "indication",
)
_CREDIT_CODE = "NTRCN-"
MAX_DOCUMENT_BYTES = 20 << 20
MAX_NAME = 64
MAX_PRESENTATION_CHARACTERS = 256 * 1024
# A credential with nothing against it but these is genuine, and names its licence rightly.
STILL_GENUINE = frozenset(
    {
        Reason.CREDENTIAL_REVOKED,
        Reason.CREDENTIAL_SUSPENDED,
        Reason.STATUS_UNKNOWN,
        Reason.STATUS_STALE,
        Reason.EXPIRED,
    }
)


class Kind(StrEnum):
    """What was handed in."""

    PDF = "pdf"
    PRESENTATION = "sd-jwt-vc"
    MDOC = "mdoc"
    LICENCE = "licence"
    SIGNED = "cades"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What verification stands on, swapped whole: trust, revocation, policy, status lists by address.

    `issuers` says which certificates' subjects (RFC 4514 text) may issue a credential type; without it any
    trusted credential signer may issue any type, also a copy of another agency's licence for its own key. A
    `trust_list` says it for many agencies; its anchors stand in `trust` already. `published` are the keys of
    issuers that publish them, `types` the types of credentials that are known.
    """

    trust: TrustStore
    revocation: RevocationSnapshot = field(default_factory=RevocationSnapshot)
    policy: Policy = field(default_factory=Policy.default)
    statuses: Mapping[str, StatusSnapshot] = field(default_factory=dict)
    issuers: Mapping[str, Collection[str]] | None = None
    trust_list: ServingList | None = None
    published: Mapping[str, PublishedKeys] = field(default_factory=dict)
    types: KnownTypes | None = None


class Material:
    """Snapshots with what is made of them once: the verifier, and the form that worker processes get."""

    def __init__(self, snapshots: Snapshots) -> None:
        self.snapshots = snapshots

    @cached_property
    def verifier(self) -> Verifier:
        """Verifies presentations."""
        return Verifier(
            self.snapshots.trust,
            **self._grounds,
            published=self.snapshots.published,
            types=self.snapshots.types,
        )

    @cached_property
    def mdoc_verifier(self) -> MdocVerifier:
        """Verifies mdocs."""
        return MdocVerifier(self.snapshots.trust, **self._grounds)

    @property
    def _grounds(self) -> dict[str, Any]:
        """What a credential of either form is judged on, beside the anchors."""
        kept = self.snapshots
        return {
            "policy": kept.policy,
            "statuses": kept.statuses,
            "revocation": kept.revocation,
            "issuers": kept.issuers,
            "trust_list": kept.trust_list,
        }

    @cached_property
    def policy_hash(self) -> str:
        """The policy's hash."""
        return self.snapshots.policy.hash

    @cached_property
    def shared(self) -> Shared:
        """For worker processes: DER and policy, no live objects."""
        kept = self.snapshots
        anchors = tuple(
            (anchor.certificate.der, anchor.usages, anchor.periods) for anchor in kept.trust.anchors
        )
        known = tuple(certificate.der for certificate in kept.trust.known)
        crls = tuple(crl.der for crl in kept.revocation.crls)
        ocsp = tuple(answer.der for answer in kept.revocation.ocsp)
        key = f"{kept.trust.snapshot_id} {kept.revocation.snapshot_id} {self.policy_hash}"
        return Shared(key, (anchors, known, crls, ocsp, kept.policy))


@dataclass(frozen=True, slots=True)
class Examined:
    """What a document says by itself.

    `licence` names the licence that it is a copy of and `claims` what it says of it; both are there only
    when the document is genuine. `items` is the whole content of a `licence.json` (GB/T 36903 names): then
    the claims are all of the licence's, not a selection.
    `signed_by` holds the credit codes of the organisations that signed, when all passed, and `revisions` the
    SHA-256 (hex) of the file as each of them left it. `delegation` is the one that an agent's copy was given
    under: who shows it acts for somebody.
    """

    kind: Kind
    digest: str
    checks: tuple[Check, ...]
    policy: str = ""
    snapshots: Mapping[str, str] = field(default_factory=dict)
    signatures: tuple[Mapping[str, Any], ...] = ()
    licence: str | None = None
    claims: Mapping[str, Any] | None = None
    items: Mapping[str, Any] | None = None
    signed_by: tuple[str, ...] = ()
    revisions: tuple[str, ...] = ()
    delegation: str | None = None


def kind_of(document: bytes) -> Kind:
    """What a file is, by its content; its name and its declared type say nothing."""
    # ISO 32000-1, annex H.3.4.1: the header stands within the first 1024 bytes.
    if b"%PDF-" in document[:1024]:
        return Kind.PDF
    text = document[:MAX_PRESENTATION_CHARACTERS].strip()
    if text.startswith(b"eyJ") and b"~" in text and text.isascii():
        return Kind.PRESENTATION
    if text.startswith(b"{") and text.isascii() and b'"payload"' in text and b'"protected"' in text:
        return Kind.PRESENTATION  # RFC 9901, 8: the JSON form
    return Kind.UNKNOWN


def examine_presentation(  # noqa: PLR0913 - what a presentation has to answer to
    presentation: str,
    material: Material,
    *,
    audience: str,
    nonce: str,
    now: datetime,
    beside: Collection[str] = (),
) -> Examined:
    """What a presentation says, when it was made for this audience and nonce.

    `beside` are the delegations that were shown with it.
    """
    verify = material.verifier.verify
    delegations = [verify(text, audience=audience, nonce=nonce, now=now) for text in beside]
    passed = [one.require() for one in delegations if one.passed]
    report = verify(presentation, audience=audience, nonce=nonce, now=now, delegations=passed)
    genuine = report.reasons <= STILL_GENUINE and bool(report.checks)
    claims = report.findings.get("claims") if genuine else None
    delegation = _delegation(report)
    return Examined(
        Kind.PRESENTATION,
        report.digest,
        (*report.checks, *(_objections(delegations, delegation) if delegation else ())),
        report.policy,
        dict(report.snapshots),
        licence=named_licence(claims) if isinstance(claims, dict) else None,
        claims=claims if isinstance(claims, dict) else None,
        delegation=delegation,
    )


def named_licence(claims: Mapping[str, Any]) -> str | None:
    """The licence that a credential names by its identifier (GB/T 36904), None where that is not in order.

    The register would find one by its number too; but whether the issuer may speak of it was asked for the
    agency in the identifier, and a number has none.
    """
    try:
        return str(LicenceIdentifier.parse(claims.get(LICENCE_IDENTIFIER, "")))
    except MalformedInput:
        return None


def _delegation(report: Report[VerifiedCredential]) -> str | None:
    """The delegation that a genuine copy names; also without it beside, so that the register can be asked."""
    if not report.checks or not report.reasons <= {*STILL_GENUINE, Reason.DELEGATION_MISSING}:
        return None
    named = report.findings.get("claims", {}).get(DELEGATION)
    return None if named is None else str(named)[:MAX_NAME]


def _objections(reports: Iterable[Report[VerifiedCredential]], delegation: str) -> Iterator[Check]:
    """What speaks against the delegation that was shown."""
    for report in reports:
        if (report.findings.get("claims") or {}).get(DELEGATION) == delegation:
            for check in report.checks:
                if check.reason:
                    yield Check(f"{DELEGATION}/{check.name}", check.reason, check.scope)


def examine_unknown(document: bytes) -> Examined:
    """A file that is nothing we know."""
    digest = hashlib.sha256(document).hexdigest()
    return Examined(Kind.UNKNOWN, digest, (Check("format", Reason.FORMAT_FAILURE),))


def examine_pdf(shared: tuple[Any, ...], document: bytes, now: datetime) -> dict[str, Any]:
    """Verify a PDF; the work of a worker process. The answer is JSON for `read_pdf_outcome`.

    The seal is judged for now; the moment that a caller asks about is a question to the register.
    """
    from signing import pdf  # noqa: PLC0415 - pyHanko takes a second; the service's own process never pays

    trust, revocation, policy = revive(shared)
    report = pdf.verify(
        document, trust, revocation=revocation, policy=policy, now=now, max_bytes=MAX_DOCUMENT_BYTES
    )
    checks = [
        [one.name, one.reason.name if one.reason else None, str(one.scope), one.detail, list(one.evidence)]
        for one in report.checks
    ]
    answer: dict[str, Any] = {
        "at": now.isoformat(),
        "checks": checks,
        "policy": report.policy,
        "snapshots": dict(report.snapshots),
        "signatures": plain_signatures(report),
    }
    if report.passed:
        found = report.require()
        answer["revisions"] = [
            hashlib.sha256(memoryview(document)[: one.covered_bytes]).hexdigest() for one in found.signatures
        ]
        answer["signed_by"] = [code for one in found.signatures for code in organisations(one.certificate)]
        answer["seals"] = [
            [
                one.certificate.subject,
                organisations(one.certificate),
                _moment_text(one.proved_at),
                _moment_text(one.claimed_at),
            ]
            for one in found.signatures
        ]
        licence = found.attachments.get(LICENCE_FILE, b"")
        if 0 < len(licence) <= MAX_LICENCE_FILE_BYTES:
            answer["licence_file"] = b64encode(licence).decode("ascii")
    return answer


def read_pdf_outcome(document: bytes, outcome: Outcome, material: Material) -> Examined:
    """What a PDF says, from what its worker process answered."""
    digest = hashlib.sha256(document).hexdigest()
    if outcome.state is not OutcomeState.DONE:
        slow = outcome.state is OutcomeState.TOO_SLOW
        check = Check("document", Reason.TOO_SLOW if slow else Reason.CHECK_ABORTED)
        return Examined(Kind.PDF, digest, (check,), material.policy_hash)
    answer: dict[str, Any] = outcome.value
    checks = tuple(
        Check(name, Reason[reason] if reason else None, Scope(scope), detail, tuple(evidence))
        for name, reason, scope, detail, evidence in answer["checks"]
    )
    content, file_checks = _read_licence_file(answer.get("licence_file"))
    if content and isinstance(content.get("type"), str):
        demanded = licence_checks(material.snapshots.policy, content["type"], answer["signatures"])
        file_checks = (*file_checks, *demanded)
    listed = material.snapshots.trust_list
    return Examined(
        Kind.PDF,
        digest,
        (*checks, *file_checks, *_list_checks(material.snapshots, content, answer)),
        answer["policy"],
        {**answer["snapshots"], **(listed.snapshots if listed else {})},
        signatures=tuple(answer["signatures"]),
        licence=content[LICENCE_ITEM] if content else None,
        claims=content["claims"] if content else None,
        items=content,
        signed_by=tuple(answer.get("signed_by", ())),
        revisions=tuple(answer.get("revisions", ())),
    )


def _list_checks(
    kept: Snapshots, content: Mapping[str, Any] | None, answer: Mapping[str, Any]
) -> tuple[Check, ...]:
    """What the trust list says of who sealed a licence; of other documents it only tells its own age."""
    listed, now = kept.trust_list, datetime.fromisoformat(answer["at"])
    if listed is None:
        return ()
    if content is None:
        return (listed.check_age(now),)
    agency = str(content.get("certificate_issuing_authority_code"))
    asked = Issued(str(content.get("certificate_type_code")), agency=agency)
    own = []
    for subject, codes, *moments in answer.get("seals", ()):
        who = replace(asked, subject=subject, credit_codes=codes)
        found = listed.issuer(who)
        if found and found.credit_code == agency:
            own.append((who, *moments))
    if not own:
        return listed.check(asked, now=now)
    # The agency's own seals: later ones by others do not make a licence. The last of them counts.
    made = [datetime.fromisoformat(proved or claimed) for _, proved, claimed in own if proved or claimed]
    proved = all(row[1] for row in own)
    return listed.check(replace(own[0][0], made=max(made, default=None), is_proved=proved), now=now)


def _read_licence_file(encoded: str | None) -> tuple[Mapping[str, Any] | None, tuple[Check, ...]]:
    """A sealed `licence.json`; a genuine PDF without one is just a sealed PDF."""
    if encoded is None:
        return None, ()
    try:
        content = load_json_object(b64decode(encoded))
    except MalformedInput as exc:
        return None, (Check("licence file", Reason.FORMAT_FAILURE, detail=exc.detail),)
    identifier, claims = content.get(LICENCE_ITEM), content.get("claims")
    if not isinstance(identifier, str) or not isinstance(claims, dict):
        return None, (Check("licence file", Reason.FORMAT_FAILURE, detail="no identifier or claims"),)
    return content, (Check("licence file"),)


@lru_cache(2)
def revive(shared: tuple[Any, ...]) -> tuple[TrustStore, RevocationSnapshot, Policy]:
    """What a worker process was given, as live objects; kept for as long as it is the same."""
    anchors, known, crls, ocsp, policy = shared
    trust = TrustStore(
        (TrustAnchor(Certificate(encoded), usages, periods=periods) for encoded, usages, periods in anchors),
        map(Certificate, known),
    )
    revocation = RevocationSnapshot(map(Crl.from_der, crls), map(OcspAnswer.from_der, ocsp))
    return trust, revocation, policy


def _moment_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def plain_signatures(report: Report[VerifiedDocument]) -> list[dict[str, Any]]:
    """The signatures of a PDF as reports show them."""
    return [_plain_signature(item) for item in report.findings["signatures"]]


def _plain_signature(item: Mapping[str, Any]) -> dict[str, Any]:
    from signing.pdf.profiles.words import in_words  # noqa: PLC0415 - it brings pyHanko

    signer = item.get("signer") or {}
    plain = {**{name: item.get(name) for name in SIGNATURE_MEMBERS}, "signer": signer.get("name")}
    says = [line.to_dict() for line in in_words(item)]
    return {**plain, "says": says} if says else plain


def organisations(certificate: Certificate) -> list[str]:
    """The credit codes in a certificate's subject (EN 319 412-1, 5.1.4: NTRCN-…)."""
    found = certificate.x509.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    values = [str(attribute.value) for attribute in found]
    return [value.removeprefix(_CREDIT_CODE) for value in values if value.startswith(_CREDIT_CODE)]
