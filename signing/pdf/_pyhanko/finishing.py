"""An update of pyHanko's that waits for its signature."""

from __future__ import annotations

from dataclasses import dataclass
from os import SEEK_END
from typing import IO, Any

from signing.pdf._pyhanko.parser import translated
from yinxin.base.errors import Conflict


@dataclass(frozen=True, slots=True)
class Prepared:
    """An update that waits for its signature."""

    digest: bytes
    reserve: int
    _gap: Any
    _output: Any

    def fill(self, signature: bytes) -> bytes:
        """The finished file."""
        self._fill(signature)
        made: bytes = self._output.getvalue()
        return made

    def fill_into(self, file: IO[bytes], signature: bytes) -> None:
        """The finished file, where it was opened as a held one: the update is in it already."""
        self._fill(signature)
        self._output.flush()
        file.seek(0, SEEK_END)

    def _fill(self, signature: bytes) -> None:
        if len(signature) > self.reserve:
            raise Conflict("the signature is larger than the room kept for it")
        with translated():
            self._gap.fill_with_cms(self._output, signature)
