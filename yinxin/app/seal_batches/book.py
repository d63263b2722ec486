"""What became of each file of a batch: a report (JSON) beside each sealed file, and what is under way.

    TARGET/a/letter.pdf              the sealed file
    TARGET/a/letter.pdf.report.json  its report
    TARGET/.batch/order              what all files of the batch have in common
    TARGET/.batch/ready/RUN/…        sealed files whose use is not written down yet

A name in TARGET appears when the file is whole, on the disk, and its use is in the seal's log.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import Conflict, MalformedInput, NotFound, UsageError
from yinxin.base.files import flush_folder, publish_file, read_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPORT = ".report.json"
_OWN, _READY, _ORDER = ".batch", "ready", "order"
_MAX_REPORT_BYTES = 1 << 16
_TIMES = {"at", "due", "stamped_at"}
_TEXTS = ("file", "source", "sealed", "document", "signer", "error", "detail")
_KINDS: dict[str, type] = {**dict.fromkeys(_TEXTS, str), "size_bytes": int}


class State(StrEnum):
    """How far a file is."""

    REFUSED = "refused"  # it cannot be sealed
    SEALED = "sealed"  # without a time-stamp, and none was asked for
    WAITING = "waiting"  # sealed; its time-stamp follows
    STAMPED = "stamped"


@dataclass(frozen=True, slots=True)
class Entry:
    """The report of one file. `file` is its name seen from the folder, digests are SHA-256 in hex.

    `sealed` is the digest when it was sealed, `document` that of the file as it is now. `due` is when a
    time-stamp that follows has to be there.
    """

    file: str
    state: State
    at: datetime
    source: str = ""
    sealed: str = ""
    document: str = ""
    size_bytes: int = 0
    signer: str = ""
    due: datetime | None = None
    stamped_at: datetime | None = None
    error: str = ""
    detail: str = ""

    def is_overdue(self, now: datetime) -> bool:
        """Whether its time-stamp should be there by now."""
        return self.state is State.WAITING and self.due is not None and self.due < now

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; what is empty is left out."""
        return {name: _plain(value) for name, value in asdict(self).items() if value not in {"", None, 0}}

    @classmethod
    def from_json(cls, data: bytes) -> Entry:
        """Read a report; `MalformedInput` for anything else."""
        try:
            content = json.loads(data)
            known: dict[str, Any] = {
                one.name: content[one.name] for one in fields(cls) if one.name in content
            }
            if not all(isinstance(known[name], kind) for name, kind in _KINDS.items() if name in known):
                raise MalformedInput("report", "a value of another kind")
            for name in _TIMES & set(known):
                known[name] = datetime.fromisoformat(known[name])
            return cls(**{**known, "state": State(known["state"])})
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            raise MalformedInput("report") from exc


class Book:
    """The state of one batch, in the folder where its sealed files go."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.ready = target / _OWN / _READY
        self.lock = target / _OWN / "lock"

    @property
    def is_begun(self) -> bool:
        """Whether a batch was begun in this folder."""
        return (self.target / _OWN).is_dir()

    def begin(self, identity: str) -> None:
        """Begin, or go on. `Conflict` where files were sealed otherwise before."""
        try:
            self.ready.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise UsageError(f"{self.target}: {exc.strerror}") from exc
        place = self.target / _OWN / _ORDER
        if not place.exists():
            replace_file(place, identity.encode())
        if read_file(place, limit=200) != identity.encode():
            raise Conflict(f"{self.target} holds files of another batch: another seal, face, place or reason")

    def entries(self) -> Iterator[Entry]:
        """All reports, by name; what is no report of ours is left out."""
        for path in sorted(self.target.rglob(f"*{REPORT}")):
            entry = _read(path)
            if entry is not None and entry.file + REPORT == path.relative_to(self.target).as_posix():
                yield entry

    def entry(self, file: str) -> Entry | None:
        """The report of a file, None when there is none yet."""
        return _read(self.target / f"{file}{REPORT}")

    def write(self, entry: Entry) -> None:
        """Write a report down."""
        place = self.target / f"{entry.file}{REPORT}"
        place.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(entry.to_dict(), ensure_ascii=False, indent=1)
        replace_file(place, text.encode(), mode=0o644, flush=False)  # it can be made again

    def draft(self, run: str, file: str) -> Path:
        """Where a file that one run sealed lies until its use is written down."""
        return self.ready / run / f"{hashlib.sha256(file.encode()).hexdigest()}.pdf"

    def left(self) -> dict[str, Path]:
        """Drafts that earlier runs left, by the name that `draft` gives them."""
        return {path.name: path for path in self.ready.glob("*/*.pdf") if not path.name.startswith(".")}

    def keep(self, run: str) -> None:
        """Make the drafts of a run last through a power cut: before their uses are written down."""
        if (self.ready / run).is_dir():
            flush_folder(self.ready / run)

    def publish(self, draft: Path, file: str) -> None:
        """Give a draft its name; `Conflict` when somebody took it."""
        place = self.target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        publish_file(draft, place)

    def clear(self) -> None:
        """Remove what runs left behind; nobody else works here now."""
        rmtree(self.ready, ignore_errors=True)


def _read(path: Path) -> Entry | None:
    try:
        return Entry.from_json(read_file(path, limit=_MAX_REPORT_BYTES))
    except (NotFound, MalformedInput):
        return None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
