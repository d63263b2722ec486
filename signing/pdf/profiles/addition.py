"""What a profile adds to a plain seal: signed attributes, what may follow, and slices of a straddle seal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from signing.pdf.profiles.commitment import commitment_attribute, roles_attribute
from signing.pdf.profiles.statement import Statement, statement_attribute
from signing.pdf.profiles.straddle import MAX_PAGES
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from signing.pdf.face import SealFace


@dataclass(frozen=True, slots=True)
class Addition:
    """What one signature has besides a key, a face and a time.

    `is_certifying` demands that it certifies, which only the first signature of a document does; `is_final`
    that nothing may follow (DocMDP level 1). `across` is the face of a straddle seal.
    """

    commitment: str | None = None
    roles: tuple[str, ...] = ()
    statement: Statement = field(default_factory=Statement)
    is_final: bool = False
    across: SealFace | None = None
    is_certifying: bool = False

    @property
    def room(self) -> int:
        """How many octets of CMS its attributes take at most."""
        return sum(map(len, self.attributes(straddles=MAX_PAGES if self.across else 0)))

    @property
    def permission(self) -> int:
        """The level of DocMDP (ISO 32000-2, table 257)."""
        return 1 if self.is_final else 2

    def attributes(self, *, straddles: int) -> tuple[bytes, ...]:
        """Signed attributes in DER; `straddles` is the number of slices that were put on."""
        made = []
        if self.commitment is not None:
            made.append(commitment_attribute(self.commitment))
        if self.roles:
            made.append(roles_attribute(self.roles))
        statement = replace(self.statement, straddles=straddles) if straddles else self.statement
        if not statement.is_empty:
            made.append(statement_attribute(statement))
        return tuple(made)

    def reason_for(self, reason: str | None) -> tuple[Addition, str | None]:
        """The same with the reason where it belongs, and what of it the signature dictionary says.

        EN 319 142-1, 6.3: beside a commitment there is no entry Reason, so the statement says it.
        """
        if reason is None or self.commitment is None:
            return self, reason
        if self.statement.reason is not None:
            raise UsageError("the reason is given twice")
        return replace(self, statement=replace(self.statement, reason=reason)), None


NOTHING = Addition()
