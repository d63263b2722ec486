"""Proof that somebody holds a licence: its sealed file, or a presentation made for one slip.

The file is the one that the agency sealed, byte for byte: only its digest is looked at, it is never parsed. A
presentation names the slip's number as its nonce, so that it proves nothing about any other dispute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from credentials.repository import LicenceRepository
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.base.database import Database

# Gives the identifier of the licence that a presentation with this nonce shows, or raises `NotPermitted`.
Shown = Callable[[str, str], str]


class Holding:
    """Judges both; `shown` verifies presentations, and without it none is accepted."""

    def __init__(self, database: Database, *, shown: Shown | None = None) -> None:
        self._database, self._shown = database, shown

    def licence_of(self, proof: Mapping[str, Any], *, slip: str) -> str:
        """The identifier of the licence that is held; `NotPermitted` when the proof shows none."""
        document, presentation = proof.get("document"), proof.get("presentation")
        if isinstance(document, bytes) and presentation is None:
            return self._of_file(document)
        if isinstance(presentation, str) and document is None and self._shown is not None:
            return self._shown(presentation, nonce_of(slip))
        raise NotPermitted("show the sealed file of the licence, or present it from a wallet")

    def _of_file(self, document: bytes) -> str:
        with self._database.reading() as session:
            licence = LicenceRepository(session).by_pdf(hashlib.sha256(document).hexdigest())
        if licence is None:
            raise NotPermitted("this is not the sealed file of a licence of this register")
        return licence.identifier


def nonce_of(slip: str) -> str:
    """What a presentation for a slip names as its nonce: the slip's number without dashes."""
    return slip.replace("-", "")
