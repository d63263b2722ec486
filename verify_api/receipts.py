"""Receipts (验证回执): what was verified and found, signed, for other departments to accept and archive.

A receipt is a compact JWS of the type `yinxin-receipt+jwt` with its certificate chain. It holds digests,
codes and identifiers, and no claim of the licence. It is signed after its content was recorded, so it can
always be signed again from the record; the content never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from credentials.sd_jwt import chain_header
from credentials.signed_tokens import ChainSignatures, is_date, moment_check
from signing.jose import parse_jws, sign_jws
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Evidence, EvidenceKey, Report
from signing.revocation import RevocationSnapshot
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.jose import Token
    from signing.signer import Signer
    from signing.trust import TrustStore

RECEIPT_TYP = "yinxin-receipt+jwt"
_TEXTS = ("iss", "jti", "aud", "subject", "indication", "then", "purpose", "matter", "policy", "audit")


@dataclass(frozen=True, slots=True)
class VerifiedReceipt(Evidence):
    """A receipt that passed: what was found, of which digest, for whom and what for.

    `clerk` is the member of the department's staff who asked, where one did.
    """

    id: str
    issuer: str
    department: str
    purpose: str
    matter: str
    digest: str
    indication: str
    then: str
    reasons: tuple[str, ...]
    issued_at: datetime
    audit_entry: str
    content: Mapping[str, Any]
    clerk: str | None = None


def sign_receipt(content: Mapping[str, Any], signer: Signer) -> str:
    """The receipt of a recorded content."""
    return sign_jws(content, signer, headers={"typ": RECEIPT_TYP, **chain_header(signer.chain)})


def verify_receipt(  # noqa: PLR0913 - each is a demand of the caller's
    receipt: str,
    trust: TrustStore,
    *,
    now: datetime,
    revocation: RevocationSnapshot | None = None,
    policy: Policy | None = None,
    digest: str | None = None,
    department: str | None = None,
) -> Report[VerifiedReceipt]:
    """The report on a receipt; never raises for a bad one.

    `digest` is the SHA-256 (hex) of the document in hand and `department` the id of whoever should hold
    the receipt; each is checked where given. A passed report says that the receipt is genuine, not that
    what it is about was: that is `VerifiedReceipt.indication`.
    """
    evidence, rules = revocation or RevocationSnapshot(), policy or Policy.default()
    content: dict[str, Any] = {}
    try:
        token = parse_jws(receipt)
        content = token.claims()
        judge = ChainSignatures(trust, usage="receipt", revocation=evidence, policy=rules)
        own = _checks(token, content, digest, department)
        times = moment_check(content, at=now, skew=rules.clock_skew)
        checks = (*own, *times, *_signature_checks(judge, token, content, now))
    except MalformedInput as exc:
        reason = Reason.TOO_LARGE if isinstance(exc, TooLarge) else Reason.FORMAT_FAILURE
        checks = (Check("format", reason, detail=exc.detail),)

    def make(key: EvidenceKey) -> VerifiedReceipt:
        return _evidence(key, content)

    return Report(
        "receipt",
        _digest(content),
        now,
        now,
        checks,
        rules.hash,
        {"trust": trust.snapshot_id, "revocation": evidence.snapshot_id},
        {"receipt": content},
        make,
    )


def _checks(
    token: Token, content: Mapping[str, Any], digest: str | None, department: str | None
) -> tuple[Check, ...]:
    typed = token.header.get("typ") == RECEIPT_TYP
    checks = [Check("type", None if typed else Reason.WRONG_TYPE)]
    whole = (
        all(isinstance(content.get(name), str) for name in _TEXTS)
        and is_date(content.get("iat"))
        and bool(_digest(content))
        and isinstance(content.get("reasons"), list)
        and all(isinstance(code, str) for code in content["reasons"])
        and isinstance(content.get("clerk", ""), str)
    )
    checks.append(Check("content", None if whole else Reason.CLAIM_INVALID))
    if digest is not None:
        checks.append(Check("document", None if _digest(content) == digest.lower() else Reason.HASH_FAILURE))
    if department is not None:
        checks.append(Check("audience", None if content.get("aud") == department else Reason.WRONG_AUDIENCE))
    return tuple(checks)


def _signature_checks(
    judge: ChainSignatures, token: Token, content: Mapping[str, Any], now: datetime
) -> tuple[Check, ...]:
    issued = content.get("iat")
    made = datetime.fromtimestamp(issued, UTC) if is_date(issued) and issued is not None else None
    return judge.examine(token, at=now, issued_at=made).checks


def _digest(content: Mapping[str, Any]) -> str:
    digest = content.get("digest")
    value = digest.get("value") if isinstance(digest, dict) and digest.get("algorithm") == "sha-256" else None
    return value if isinstance(value, str) else ""


def _evidence(key: EvidenceKey, content: Mapping[str, Any]) -> VerifiedReceipt:
    return VerifiedReceipt(
        key,
        id=content["jti"],
        issuer=content["iss"],
        department=content["aud"],
        purpose=content["purpose"],
        matter=content["matter"],
        digest=_digest(content),
        indication=content["indication"],
        then=content["then"],
        reasons=tuple(content["reasons"]),
        issued_at=datetime.fromtimestamp(content["iat"], UTC),
        audit_entry=content["audit"],
        content=content,
        clerk=content.get("clerk"),
    )
