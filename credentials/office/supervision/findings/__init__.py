"""Findings: what rules speak of, explained by those concerned and closed by inspectors."""

from credentials.office.supervision.findings.finding import (
    STATE_NAMES,
    Finding,
    FindingState,
    Remark,
    finding_of,
)

__all__ = ["STATE_NAMES", "Finding", "FindingState", "Remark", "finding_of"]
