"""What it takes to sign at the command line: a key, a face, time-stamp authorities, leave of the register.

Rooms come in when something of them is asked for: sealing one file with a key needs no register and no fonts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from signing.signer import open_signer
from signing.timestamp import HttpTimestamper
from signing.timestamp_pool import any_of
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
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock, pause
from yinxin.base.errors import UsageError
from yinxin.base.files import read_file, write_new_file
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from credentials.custody import Permit
    from signing.certificates import Certificate
    from signing.pdf import Seal, SealFace
    from signing.signer import Signer
    from signing.timestamp import Timestamper
    from yinxin.app.home import Home
    from yinxin.app.seal_batches.leave import Leave

FACE_MM = 42.0  # of a face that is a file
LARGE_BYTES = 32 << 20  # of a file for which memory is left free: its face is drawn elsewhere


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
    """A key, the home whose it is, the authorities asked for time, and the leave that it takes to use the key."""

    signer: Signer
    place: Home | None
    timestamper: Timestamper | None
    leave: Leave | None
    words: ToolWords

    @classmethod
    def open(cls, words: ToolWords) -> Tools:
        """As the options say; `UsageError` where they name no key."""
        key, home = words["key"], words["home"]
        if not key and not home:
            raise UsageError(
                phrase(
                    "请用 --home 或 --key 指明印章；可先运行 yinxin ca init",
                    "name a seal by --home or --key; `yinxin ca init` makes one",
                )
            )
        passphrase = read_passphrase(words["passphrase_file"], required=not home)
        place = home_at(home, passphrase) if home else None
        signer = place.signer("seal") if place and not key else open_signer(key or "", secret=passphrase)
        tsas = words["tsas"]
        timestamper = authorities(place, tsas, words["allow_private"]) if tsas else None
        return cls(signer, place, timestamper, leave_of(place, signer.chain, words["actor"]), words)

    @property
    def seal(self) -> Seal:
        """The seal with the face that was asked for."""
        return self.seal_for(None)

    def seal_for(self, file: Path | None) -> Seal:
        """The same, for this file."""
        from signing.pdf import Seal  # noqa: PLC0415 - signatures beside files need no PDF

        return Seal(self.signer, face=self._face(file), timestamper=self.timestamper)

    def ask(self) -> Permit | None:
        """Leave for one use, before anything is signed; raises as `Custody.allow` does."""
        return self.leave.ask(1) if self.leave else None

    def write_down(self, permit: Permit | None, digest: str) -> None:
        """Write the use down, before what was signed has its name."""
        if self.leave:
            self.leave.write_down(permit, [digest])

    def write(self, target: Path, make: Callable[[], bytes]) -> int:
        """Ask leave, sign, write the use down, write the new file; its size in bytes."""
        permit, made = self.ask(), make()
        self.write_down(permit, hashlib.sha256(made).hexdigest())
        write_new_file(target, made)
        return len(made)

    def _face(self, file: Path | None) -> SealFace | None:
        shown = face_in(self.words["face"])
        # The home's own face belongs to the home's own seal.
        if shown or self.words["invisible"] or self.words["key"] or self.place is None:
            return None if self.words["invisible"] else shown
        return own_face(self.place, is_apart=file is not None and _is_large(file))


def home_at(folder: str, passphrase: str | None = None) -> Home:
    """The installation in a folder."""
    from yinxin.app.home import Home  # noqa: PLC0415 - it brings the database

    return Home.open(folder, passphrase=passphrase)


def leave_of(
    place: Home | None, chain: Sequence[Certificate], actor: str, *, elsewhere: bool = False
) -> Leave | None:
    """What the register of the home says about this key; there is none for a key without a home."""
    if place is None:
        return None
    from yinxin.app.seal_batches.leave import Leave  # noqa: PLC0415 - it brings the register

    return Leave.of(place, chain, clerk_of(place, actor), elsewhere=elsewhere)


def authorities(place: Home | None, urls: tuple[str, ...], allowed: tuple[str, ...]) -> Timestamper:
    """Time-stamp authorities as one, asked in order when one fails."""
    outbound = place.outbound if place and not allowed else Outbound(allowed_private=allowed)
    asked_in_order = {url: HttpTimestamper(url, outbound) for url in urls}
    return any_of(asked_in_order, clock=SystemClock(), wait=pause)


def face_in(file: Path | None) -> SealFace | None:
    """The face that is in a file."""
    if file is None:
        return None
    from signing.pdf import SealFace  # noqa: PLC0415 - signatures beside files need no PDF

    return SealFace(read_file(file), FACE_MM, FACE_MM)


def own_face(place: Home, *, is_apart: bool = False) -> SealFace | None:
    """The face of the home's own seal; `is_apart`: drawn by another process, which takes its memory with it."""
    if is_apart:
        from yinxin.app.seal_batches.faces import draw_apart  # noqa: PLC0415 - it brings processes

        return draw_apart(place.settings.agency_name, place.settings.agency_code[8:17])
    from yinxin.app import wiring  # noqa: PLC0415 - it brings every room

    return wiring.seal(place).face


def _is_large(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > LARGE_BYTES
