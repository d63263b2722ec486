"""Seal, stamp, archive and verify PDFs that lie on the disk: 200 MB need little more memory than 2 KB do.

seal_file(seal, Path("plan.pdf"), Path("plan.sealed.pdf"), now=now)
report = verify_file(Path("plan.sealed.pdf"), trust, revocation=revocation, now=now)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from signing.held import HeldFile, copied, held
from signing.pdf.archive import archive_in, extend_in
from signing.pdf.lasting import lasting
from signing.pdf.stamping import stamp_in
from signing.pdf.verify import verify
from yinxin.base.errors import NotFound
from yinxin.base.files import MAX_FILE_BYTES, drafted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from io import BufferedRandom
    from pathlib import Path

    from signing.pdf.evidence import VerifiedDocument
    from signing.pdf.lasting import Lasting
    from signing.pdf.seal import Seal
    from signing.report import Report
    from signing.timestamp import Timestamper
    from signing.trust import TrustStore


def seal_file(  # noqa: PLR0913 - what is asked of a new file, all by name
    seal: Seal,
    source: Path,
    target: Path,
    *,
    now: datetime,
    replace: bool = False,
    flush: bool = True,
    **asked: Any,
) -> None:
    """Seal a file into a new one; what is asked is as of `Seal.apply`.

    Raises as that does, and `Conflict` for a target that is there and not to be replaced. `flush` is as of
    `yinxin.base.files.drafted`.
    """
    with sealing_file(seal, source, target, now=now, replace=replace, flush=flush, **asked):
        pass


@contextmanager
def sealing_file(  # noqa: PLR0913 - see above
    seal: Seal,
    source: Path,
    target: Path,
    *,
    now: datetime,
    replace: bool = False,
    flush: bool = True,
    **asked: Any,
) -> Iterator[BufferedRandom]:
    """As `seal_file`, with the sealed file in hand before it gets its name at the end of the block."""
    with drafted(target, replace=replace, flush=flush) as draft:
        _copy(source, draft)
        seal.apply_in(draft, now=now, **asked)
        draft.seek(0)
        yield draft


def stamp_file(path: Path, timestamper: Timestamper) -> None:
    """Put a time-stamp into a sealed file, which is replaced as a whole; raises as `stamp_last`."""
    with drafted(path, replace=True) as draft:
        _copy(path, draft)
        stamp_in(draft, timestamper)


def extend_file(source: Path, target: Path, trust: TrustStore, **asked: Any) -> None:
    """Write a file with its evidence: see `extend`. Raises as that, and `Conflict` for one there."""
    with drafted(target) as draft:
        _copy(source, draft)
        extend_in(draft, trust, **asked)


def archive_file(source: Path, target: Path, trust: TrustStore, **asked: Any) -> None:
    """Write a file that stays provable: see `archive`. Raises as that, and `Conflict` for one there."""
    with drafted(target) as draft:
        _copy(source, draft)
        archive_in(draft, trust, **asked)


def lasting_file(path: Path, trust: TrustStore, **asked: Any) -> Lasting:
    """Until when a file stays provable: see `lasting`. Raises as that, and as `verify_file`."""
    with _held(path) as pdf:
        return lasting(pdf, trust, **asked)


def verify_file(path: Path, trust: TrustStore, **asked: Any) -> Report[VerifiedDocument]:
    """What a file proves: see `verify`. `NotFound` for one that cannot be read, `TooLarge` beyond 256 MB."""
    with _held(path) as pdf:
        return verify(cast("bytes", pdf), trust, max_bytes=MAX_FILE_BYTES, **asked)


@contextmanager
def _held(path: Path) -> Iterator[bytes | HeldFile]:
    """A private copy of a file; of an empty one nothing can be held."""
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as exc:
        raise NotFound(f"{path} cannot be read") from exc
    if not size:
        yield b""
        return
    with held(path, max_bytes=MAX_FILE_BYTES) as pdf:
        yield pdf


def _copy(source: Path, target: IO[bytes]) -> None:
    try:
        with source.open("rb") as file:
            copied(file, target, max_bytes=MAX_FILE_BYTES)
    except (OSError, ValueError) as exc:
        raise NotFound(f"{source} cannot be read") from exc
