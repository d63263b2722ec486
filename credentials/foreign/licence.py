"""A licence that somebody else issued, as far as we know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date, datetime

    from yinxin.base.text import Text


@dataclass(frozen=True, slots=True)
class ForeignLicence:
    """Number, kind and days of another's licence, who issued it and where it is verified.

    `source` is the register that we know it from, `kept_by` the credit code of the agency that indexed it.
    """

    type_code: str
    number: str
    type_name: Text
    issuer_code: str
    issuer_name: Text
    verify_at: str
    valid_from: date
    valid_until: date | None
    source: str
    kept_by: str
    recorded_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without personal data."""
        return {
            "number": self.number,
            "type": self.type_code,
            "name": self.type_name.to_dict(),
            "issued_by": {"name": self.issuer_name.to_dict(), "credit_code": self.issuer_code},
            "verify_at": self.verify_at,
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "source": self.source,
            "issued_here": False,
        }
