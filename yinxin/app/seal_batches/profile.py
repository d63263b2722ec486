"""What kind of signature every file of a batch gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from signing.pdf import SealFace
    from signing.pdf.profiles.addition import Addition

SEAL, CERTIFY, SIGN = "seal", "certify", "sign"
KINDS = (SEAL, CERTIFY, SIGN)


@dataclass(frozen=True, slots=True)
class Profile:
    """A plain seal, an agency's (`certify`), or a person's signature (`sign`): `signing.pdf.profiles`.

    `straddles` and `is_final` are said of an agency's, `commitment` and `roles` of a person's.
    """

    kind: str = SEAL
    straddles: bool = False
    is_final: bool = False
    commitment: str | None = None
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """`UsageError` for what does not go together, or cannot be said."""
        if (self.straddles or self.is_final) and self.kind != CERTIFY:
            raise UsageError(
                "a straddle seal, and one that nothing follows, are an agency's (profile certify)"
            )
        if (self.commitment or self.roles) and self.kind != SIGN:
            raise UsageError("a commitment and roles are a person's (profile sign)")
        if self.kind == SIGN:
            self.addition(None).attributes(straddles=0)

    def addition(self, face: SealFace | None) -> Addition:
        """What is added to a seal with this face; `UsageError` for a straddle seal without one."""
        from signing.pdf.profiles.addition import NOTHING  # noqa: PLC0415 - it brings the writers
        from signing.pdf.profiles.kinds import of_agency, of_citizen  # noqa: PLC0415 - see above

        if self.kind == CERTIFY:
            return of_agency(face, straddles=self.straddles, is_final=self.is_final)
        return of_citizen(self.commitment or "approval", self.roles) if self.kind == SIGN else NOTHING
