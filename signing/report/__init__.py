"""What a verification found: checks with reasons and evidence, then and now, in the words of EN 319 102-1.

The JSON form follows `report.schema.json` in this folder, an archived verdict `decision.schema.json`.
"""

from signing.report.report import (
    FORMAT,
    Check,
    Evidence,
    EvidenceKey,
    Indication,
    Report,
    Scope,
    good,
    worst,
)

__all__ = ["FORMAT", "Check", "Evidence", "EvidenceKey", "Indication", "Report", "Scope", "good", "worst"]
