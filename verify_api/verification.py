"""Join what a document says with what the register says: one report, and what may be told to whom.

Pure functions. The report has two verdicts: `indication` is for now, with all that is known; `then` is for
the moment (`as_of`) and the knowledge (`known_at`) that the caller asked about, or else for the time of
signing. `reduce` leaves of it what a grant allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from credentials.standing import Standing, State, standing_checks, unknown
from signing.reasons import Reason
from signing.report import Check, Evidence, EvidenceKey, Report
from verify_api.documents import Kind
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from credentials.licence import Licence
    from signing.report import Indication
    from verify_api.delegates import Acting
    from verify_api.departments import Grant
    from verify_api.documents import Examined
    from verify_api.register import RegisterEntry

_ENDED_OTHERWISE = frozenset({State.SUPERSEDED, State.DEREGISTERED, State.WITHDRAWN, State.EXPIRED})
NO_LICENCE_STATE = "no_licence"  # what anybody hears of a genuine file that is no licence
# Checks whose details are written here, of field names and codes; details of others may quote a document.
_OWN_CHECKS = frozenset(
    {
        "register content",
        "seal of the agency",
        "licence_standing",
        "licence_commitment",
        "licence_provenance",
        "delegation_chain",
        "delegation_standing",
    }
)


@dataclass(frozen=True, slots=True)
class VerifiedLicence(Evidence):
    """A licence that is genuine and holds now. `licence` is None for a sealed document that is none."""

    digest: str
    licence: Licence | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The report with what it was made of.

    `claims` is what is said, genuinely, of the licence: what the document discloses, or the register's
    own words for a number. `now` and `asked` are the standings; `asked` only where a moment was named.
    `acting` is the agent who showed it for its holder.
    """

    report: Report[VerifiedLicence]
    licence: Licence | None = None
    claims: Mapping[str, Any] | None = None
    now: Standing | None = None
    asked: Standing | None = None
    signatures: tuple[Mapping[str, Any], ...] = ()
    acting: Acting | None = None


@dataclass(frozen=True, slots=True)
class Moments:
    """The times of a question: when it is asked, and which moment and knowledge it names, if any."""

    now: datetime
    as_of: datetime | None = None
    known_at: datetime | None = None

    @property
    def names_one(self) -> bool:
        """Whether the caller named a moment or a state of knowledge."""
        return self.as_of is not None or self.known_at is not None

    @property
    def moment(self) -> datetime:
        """The moment asked about."""
        return self.as_of or self.knowledge

    @property
    def knowledge(self) -> datetime:
        """Up to when facts count for it: nobody knows yet what will be known."""
        return min(self.known_at or self.now, self.now)


def assess(
    examined: Examined,
    entry: RegisterEntry | None,
    *,
    moments: Moments,
    session: Check | None = None,
    acting: Acting | None = None,
) -> Assessment:
    """The report on a document and its entry in the register, if any; `session` is the nonce's check.

    `acting` is who showed it for its holder; its checks stand among those of the document.
    """
    found = _assess(examined, entry, moments, session)
    return replace(found, acting=acting) if acting else found


def _assess(
    examined: Examined, entry: RegisterEntry | None, moments: Moments, session: Check | None
) -> Assessment:
    checks = [*examined.checks, *([session] if session else [])]
    if examined.licence is None and examined.kind is not Kind.LICENCE:
        checks += _unnamed(examined)
        return Assessment(_report(examined, checks, moments, None), signatures=examined.signatures)
    if entry is None:
        missing = unknown(as_of=moments.moment, known_at=moments.knowledge)
        checks += standing_checks(missing)
        return Assessment(
            _report(examined, checks, moments, None), now=missing, signatures=examined.signatures
        )
    return _assess_entry(examined, entry, checks, moments)


def reduce(assessment: Assessment, grant: Grant, *, wanted: Collection[str] | None = None) -> dict[str, Any]:
    """What a department hears: verdicts, reasons, standings, and the claims within its grant.

    No claim leaves that the document does not disclose, that the grant does not name for this licence
    type, or that was not `wanted` (None: all of the grant). A licence type outside the grant: no claim.
    """
    report, licence = assessment.report, assessment.licence
    ordered = sorted(report.reasons, key=lambda reason: reason.code)
    answer: dict[str, Any] = {
        "subject": report.subject,
        "digest": {"algorithm": "sha-256", "value": report.digest},
        "indication": str(report.indication),
        "then": str(report.then),
        "en_319_102_1": report.in_standard_words(),
        "text": _words(assessment).to_dict(),
        "at": report.at.isoformat(),
        "known_at": report.known_at.isoformat(),
        "status": _status(assessment),
        "reasons": [reason.to_dict() for reason in ordered],
        "checks": [_check(check) for check in report.checks],
        "signatures": [dict(item) for item in assessment.signatures],
        "policy": report.policy,
        "snapshots": dict(report.snapshots),
        "licence": None,
        "claims": {},
    }
    if assessment.acting and (said := assessment.acting.to_dict()):
        answer["acting"] = said
    fields = grant.fields.get(licence.type_code) if licence else None
    if licence is None or fields is None or assessment.claims is None:
        return answer
    allowed = fields if wanted is None else fields & frozenset(wanted)
    answer["licence"] = {
        "identifier": licence.identifier,
        "type": licence.type_code,
        "type_version": licence.type_version,
        "type_name": licence.type_name.to_dict(),
        "version": f"{licence.version:03}",
        "agency": {"name": licence.agency.name.to_dict(), "credit_code": licence.agency.credit_code},
        "valid_from": licence.valid_from.isoformat(),
        "valid_until": licence.valid_until.isoformat() if licence.valid_until else None,
        "commitment_due": licence.commitment_due.isoformat() if licence.commitment_due else None,
        "provenance": licence.provenance.words.to_dict() if licence.provenance else None,
    }
    answer["claims"] = {name: value for name, value in assessment.claims.items() if name in allowed}
    return answer


def reduce_for_anybody(assessment: Assessment) -> dict[str, Any]:
    """What somebody unknown hears: the verdict and the status, nothing else."""
    report = assessment.report
    status = _status(assessment)["now"]
    if _is_no_licence(assessment):  # who sealed it is not told here, so "passed" alone would say too much
        status = {"state": NO_LICENCE_STATE, "text": _NO_LICENCE.to_dict()}
    return {
        "indication": str(report.indication),
        "text": _words(assessment).to_dict(),
        "status": {name: status[name] for name in ("state", "text")} if status else None,
    }


def conclusion(indication: Indication) -> Text:
    """The verdict in words."""
    return _CONCLUSIONS[str(indication)]


def _is_no_licence(assessment: Assessment) -> bool:
    return assessment.report.passed and assessment.licence is None


def _words(assessment: Assessment) -> Text:
    """The verdict in words; anybody with a seal can seal what looks like a licence."""
    if _is_no_licence(assessment):
        return _NO_LICENCE
    words = conclusion(assessment.report.indication)
    acting = assessment.acting.words if assessment.acting else None
    return Text(f"{words.zh}：{acting.zh}", f"{words.en}: {acting.en}") if acting else words


def _unnamed(examined: Examined) -> tuple[Check, ...]:
    """A genuine credential that names no licence is a copy of none."""
    if examined.kind not in {Kind.PRESENTATION, Kind.MDOC} or examined.claims is None:
        return ()
    return (Check("register content", Reason.LICENCE_UNKNOWN),)


def _assess_entry(
    examined: Examined, entry: RegisterEntry, checks: list[Check], moments: Moments
) -> Assessment:
    version = entry.version_at(as_of=moments.now, known_at=moments.now)
    then = entry.version_at(as_of=moments.moment, known_at=moments.knowledge)
    licence = (then if moments.names_one else version).licence
    now = entry.standing(version, as_of=moments.now, known_at=moments.now)
    asked = (
        entry.standing(then, as_of=moments.moment, known_at=moments.knowledge) if moments.names_one else None
    )
    differs = False
    if examined.kind is not Kind.LICENCE:
        content = _content_check(examined, licence)
        differs = content.reason is not None
        checks += [content, *_seal_checks(examined, licence)]
    checks = _told_exactly(checks, now)
    checks += [*standing_checks(now, then=asked), *_provenance_checks(licence)]
    claims = licence.claims if examined.kind is Kind.LICENCE else examined.claims
    is_said = not differs and not any(check.name == "session" and check.reason for check in checks)
    report = _report(examined, checks, moments, licence, register=entry.snapshot_id)
    return Assessment(report, licence, claims if is_said else None, now, asked, examined.signatures)


def _told_exactly(checks: list[Check], now: Standing) -> list[Check]:
    """A status list only says that a copy holds no longer; how the licence ended says its standing.

    What was superseded, deregistered, withdrawn or has expired is not called revoked (吊销).
    """
    if now.state not in _ENDED_OTHERWISE:
        return checks
    return [
        replace(check, reason=None) if check.reason is Reason.CREDENTIAL_REVOKED else check
        for check in checks
    ]


def _report(
    examined: Examined,
    checks: Iterable[Check],
    moments: Moments,
    licence: Licence | None,
    *,
    register: str | None = None,
) -> Report[VerifiedLicence]:
    def evidence(key: EvidenceKey) -> VerifiedLicence:
        return VerifiedLicence(key, examined.digest, licence)

    return Report(
        str(examined.kind),
        examined.digest,
        moments.moment,
        moments.knowledge,
        tuple(checks),
        examined.policy,
        {**examined.snapshots, **({"register": register} if register else {})},
        make_evidence=evidence,
    )


def _content_check(examined: Examined, licence: Licence) -> Check:
    """Whether the document says of the licence what the register says. The detail has names only."""
    said, known = examined.claims or {}, licence.claims
    names = set(said) & set(known) if examined.items is None else set(said) | set(known)
    wrong = sorted(name for name in names if said.get(name) != known.get(name))
    if examined.items is not None:
        wrong += [name for name, value in _items(licence).items() if examined.items.get(name) != value]
    detail = ", ".join(name for name in wrong if name in known or name.startswith("certificate_"))
    return Check("register content", Reason.LICENCE_DIFFERS if wrong else None, detail=detail)


def _items(licence: Licence) -> dict[str, str]:
    """What a `licence.json` says of a licence beside its claims, by the item names of GB/T 36903."""
    return {
        "certificate_number": licence.number,
        "certificate_version": f"{licence.version:03}",
        "certificate_issuing_authority_code": licence.agency.credit_code,
        "certificate_holder_name": licence.holder_name,
        "certificate_holder_code": licence.holder_code,
        "certificate_validate_start": licence.valid_from.isoformat(),
        "certificate_validate_end": licence.valid_until.isoformat() if licence.valid_until else "长期",
    }


def _provenance_checks(licence: Licence) -> tuple[Check, ...]:
    """That the data come from an older register: no fault, and whoever relies on them must know it."""
    if licence.provenance is None:
        return ()
    words = licence.provenance.words
    return (Check("licence_provenance", detail=f"{words.zh} / {words.en}"),)


def _seal_checks(examined: Examined, licence: Licence) -> tuple[Check, ...]:
    """Whether this is the very file that the agency sealed as this licence, perhaps with later signatures.

    Another body's seal proves nothing here. Nor does the agency's own on another file: whoever gets a letter
    sealed could have put the data of a genuine licence into it. One of an older register has no file until
    it is sealed, so nothing is that file.
    """
    if examined.kind is not Kind.PDF:
        return ()
    if licence.pdf_sha256 in {examined.digest, *examined.revisions}:
        return (Check("seal of the agency"),)
    own = licence.agency.credit_code in examined.signed_by
    reason = Reason.LICENCE_DIFFERS if own else Reason.ISSUER_MISMATCH
    return (Check("seal of the agency", reason),)


def _status(assessment: Assessment) -> dict[str, Any]:
    now, asked = assessment.now, assessment.asked
    return {"now": now.to_dict() if now else None, "as_of": asked.to_dict() if asked else None}


def _check(check: Check) -> dict[str, Any]:
    answer = check.to_dict()
    if check.name not in _OWN_CHECKS:
        answer.pop("detail", None)
    return answer


_NO_LICENCE = Text(
    "签名或印章真实有效，但该文件不是本库登记的电子证照",
    "The signature or seal is genuine, but the document is no licence of this register",
)
_CONCLUSIONS = {
    "passed": Text("核验通过", "Verification passed"),
    "failed": Text("核验未通过", "Verification failed"),
    "indeterminate": Text("无法得出核验结论", "Verification is indeterminate"),
}
