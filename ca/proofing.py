"""Proofing: how it was found out that an applicant is who the application says.

A proofing record names a method, the source that was asked and a digest of the evidence; the evidence
itself stays where it was shown. It belongs to one revision of an application and runs out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from yinxin.base.errors import InvalidClaims
from yinxin.base.text import Text

MAX_AGE = timedelta(days=180)
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ProofingMethod(StrEnum):
    """How somebody was proofed."""

    BUSINESS_REGISTER = "business_register"  # 工商登记信息核验
    COUNTER = "counter"  # 窗口现场核验
    REPRESENTATIVE = "representative"  # 法定代表人实名核验
    AGENT = "agent"  # 经办人实名核验及授权
    TRANSFER = "transfer"  # 对公账户小额打款核验


@dataclass(frozen=True, slots=True)
class Proofing:
    """What was looked at: `source` is a register or a counter, `evidence_digest` a SHA-256 in hex."""

    method: ProofingMethod
    source: str
    evidence_digest: str
    valid_for: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        faults = []
        if not self.source or len(self.source) > 200 or not self.source.isprintable():
            faults.append(("source", Text("核验来源为空或过长", "is empty, too long or not plain text")))
        if not _DIGEST.fullmatch(self.evidence_digest):
            faults.append(("evidence_digest", Text("证据摘要格式不正确", "is not a SHA-256 in hex")))
        if not timedelta(0) < self.valid_for <= MAX_AGE:
            faults.append(("valid_for", Text("核验有效期超出范围", "is not within 180 days")))
        if faults:
            raise InvalidClaims(faults=faults)
