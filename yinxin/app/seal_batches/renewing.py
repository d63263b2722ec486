"""Sealed PDFs of a folder that lose their proof soon, and their renewal: evidence and a new time-stamp over all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from signing import pdf
from yinxin.app.seal_batches.folders import pdfs_in
from yinxin.base.errors import Unreachable, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from signing.pdf import Lasting
    from signing.timestamp import Timestamper
    from verify_api.documents import Snapshots


@dataclass(frozen=True, slots=True)
class Finding:
    """One file, named as seen from its folder: until when it is provable, or why that cannot be said.

    `renewed` is the file that takes its place.
    """

    file: str
    lasting: Lasting | None
    fault: str = ""
    renewed: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        told: dict[str, Any] = {"file": self.file}
        if one := self.lasting:
            told |= {"until": one.until.isoformat(), "level": str(one.level), "field": one.field}
            told["ends"] = one.ends
        told |= {"fault": self.fault} if self.fault else {}
        return told | ({"renewed": str(self.renewed)} if self.renewed else {})


def look(
    folder: Path, known: Snapshots, *, now: datetime, progress: Callable[[int, int], None]
) -> list[Finding]:
    """Every PDF of a folder and below, what ends first at the beginning; what does not pass comes before all."""
    files = pdfs_in(folder)
    found = []
    for number, file in enumerate(files):
        progress(number, len(files))
        found.append(_look(folder, file, known, now))
    return sorted(found, key=lambda one: one.lasting.until.isoformat() if one.lasting else "")


@dataclass(frozen=True)
class Renewal:
    """Puts the evidence into documents and a time-stamp over it, into files of the same names in `target`."""

    folder: Path
    target: Path
    known: Snapshots
    timestamper: Timestamper
    now: datetime

    def run(self, found: Sequence[Finding], *, progress: Callable[[int, int], None]) -> list[Finding]:
        """Renew each that passes; what is in the target already was renewed by an earlier run.

        `Unreachable` when no authority answers: what was renewed before stays.
        """
        done = []
        for number, one in enumerate(found):
            progress(number, len(found))
            done.append(self._renewed(one) if one.lasting else one)
        return done

    def _renewed(self, one: Finding) -> Finding:
        place, known = self.target / one.file, self.known
        if place.exists():
            return replace(one, renewed=place)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            pdf.archive_file(
                self.folder / one.file, place, known.trust, revocation=known.revocation,
                timestamper=self.timestamper, policy=known.policy, now=self.now,
            )  # fmt: skip
        except Unreachable:
            raise
        except YinxinError as error:
            return replace(one, fault=str(error)[:300])
        return replace(one, renewed=place)


def _look(folder: Path, file: str, known: Snapshots, now: datetime) -> Finding:
    try:
        lasting = pdf.lasting_file(
            folder / file, known.trust, revocation=known.revocation, policy=known.policy, now=now
        )
    except YinxinError as error:
        return Finding(file, None, str(error)[:300])
    return Finding(file, lasting)
