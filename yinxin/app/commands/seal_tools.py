"""What it takes to sign at the command line: a key, a face, time-stamp authorities, leave of the register."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from credentials.face.seal_face import OFFICE_MM
from signing.pdf import Seal, SealFace
from signing.signer import open_signer
from signing.timestamp import HttpTimestamper
from signing.timestamp_pool import any_of
from yinxin.app import wiring
from yinxin.app.commands.options import (
    actor_option,
    clerk_of,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.commands.seal_options import (
    face_option,
    invisible_option,
    private_option,
    signer_option,
    tsa_option,
)
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.seal_batches.leave import Leave
from yinxin.base.clock import SystemClock
from yinxin.base.errors import UsageError
from yinxin.base.files import read_file, write_new_file
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signing.signer import Signer
    from signing.timestamp import Timestamper


class ToolWords(TypedDict):
    """The words of the options below."""

    key: str | None
    face: Path | None
    invisible: bool
    tsas: tuple[str, ...]
    allow_private: tuple[str, ...]
    actor: str
    home: str | None
    passphrase_file: str | None


_OPTIONS = (
    signer_option,
    face_option,
    invisible_option,
    tsa_option,
    private_option,
    actor_option("clerk"),
    home_option(required=False),
    passphrase_option,
)


def tool_options(function: Any) -> Any:
    """The options that every command takes which signs."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True)
class Tools:
    """A seal, whose it is, and the leave that it takes to use it."""

    seal: Seal
    signer: Signer
    place: Home | None
    leave: Leave | None

    @classmethod
    def open(cls, words: ToolWords) -> Tools:
        """As the options say; `UsageError` where they name no key."""
        key, home = words["key"], words["home"]
        if not key and not home:
            raise UsageError(phrase("请用 --home 或 --key 指明印章", "name a seal by --home or --key"))
        passphrase = read_passphrase(words["passphrase_file"], required=not home)
        place = Home.open(home, passphrase=passphrase) if home else None
        signer = place.signer("seal") if place and not key else open_signer(key or "", secret=passphrase)
        leave = Leave.of(place, signer, clerk_of(place, words["actor"])) if place else None
        # The home's own face belongs to the home's own seal.
        face = _face(None if key else place, words["face"]) if not words["invisible"] else None
        return cls(Seal(signer, face=face, timestamper=_timestamper(place, words)), signer, place, leave)

    def write(self, target: Path, make: Callable[[], bytes]) -> int:
        """Ask leave, sign, write the use down, write the new file; its size in bytes."""
        permit = self.leave.ask(1) if self.leave else None
        made = make()
        if self.leave:
            self.leave.write_down(permit, [hashlib.sha256(made).hexdigest()])
        write_new_file(target, made)
        return len(made)


def _face(place: Home | None, file: Path | None) -> SealFace | None:
    if file:
        return SealFace(read_file(file), OFFICE_MM, OFFICE_MM)
    return wiring.seal(place).face if place else None


def _timestamper(place: Home | None, words: ToolWords) -> Timestamper | None:
    allowed = words["allow_private"]
    outbound = place.outbound if place and not allowed else Outbound(allowed_private=allowed)
    asked_in_order = {tsa: HttpTimestamper(tsa, outbound) for tsa in words["tsas"]}
    return any_of(asked_in_order, clock=SystemClock()) if asked_in_order else None
