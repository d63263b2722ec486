"""The licences that a wallet could show, and the one picked for each thing that a verifier asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.dcql import SD_JWT_VC
from yinxin.base.text import Text

if TYPE_CHECKING:
    from credentials.claim_paths import Path
    from credentials.copies import CopyForm
    from credentials.oid4vp.transactions import TransactionData
    from wallet.copies import ReadCopy
    from wallet.present import Shares


@dataclass(frozen=True, slots=True)
class Holding:
    """A licence in the wallet with the copy that would be shown of it; `is_used`: somebody saw it before."""

    licence: str
    copy: ReadCopy
    name: Text | None = None
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """One credential that would be shown: which licence answers which query, and what of it.

    `others` are further licences that would do; `agreed` the transactions that showing it agrees to; with
    `reused` it is a copy that was shown before, by which the holder can be recognised.
    """

    query_id: str
    licence: str
    vct: str
    paths: tuple[Path, ...]
    shares: Shares
    others: tuple[str, ...] = ()
    agreed: tuple[TransactionData, ...] = ()
    name: Text | None = None
    reused: bool = False
    form: CopyForm = SD_JWT_VC

    @property
    def title(self) -> Text:
        """What people call the licence."""
        return self.name or Text(self.licence, self.licence)
