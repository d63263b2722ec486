"""A folder of PDFs for a key that is elsewhere: prepared here, signed there, completed here.

    PENDING/a/letter.pdf.pending     a document that waits for its signature
    PENDING/to-sign.json             for each file what the other side has to sign

What comes back is a file of JSON with a signature for each name (base64). Both steps can be run again: what is
there stays, what is missing is made.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from signing.pdf import complete, dump_pending, is_completed, load_pending
from yinxin.app.seal_batches.folders import pdfs_in
from yinxin.base.errors import Conflict, MalformedInput, NotFound, Unreachable, YinxinError
from yinxin.base.files import MAX_FILE_BYTES, read_file, replace_file, write_new_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from signing.certificates import Certificate
    from signing.pdf import Pending
    from signing.timestamp import Timestamper
    from yinxin.app.seal_batches.leave import Leave

    OfKey = Callable[[tuple[Certificate, ...]], Leave | None]

PENDING, LIST = ".pending", "to-sign.json"
MAX_LIST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one file, named as seen from its folder: what there is to say of it, or its fault."""

    file: str
    says: dict[str, str]
    fault: str = ""

    def to_dict(self) -> dict[str, str]:
        """As JSON has it."""
        return {"file": self.file, **self.says} | ({"fault": self.fault} if self.fault else {})


def to_sign(pending: Pending) -> dict[str, str]:
    """What the other side needs, by name: hashes in hex, longer things in base64."""
    about = {"digest_algorithm": pending.digest_algorithm, "document_hash": pending.digest.hex()}
    if pending.algorithm is None:
        return about
    about |= {"algorithm": pending.algorithm.name, "to_sign": b64encode(pending.to_sign).decode()}
    return about | ({"hash": pending.hash_to_sign.hex()} if pending.algorithm.digest else {})


def prepare_all(folder: Path, target: Path, make: Callable[[bytes], Pending]) -> list[Step]:
    """Prepare every PDF of a folder and below, and write down what is to be signed."""
    found = list(_prepared(folder, target, make))
    rows = {one.file: one.says for one in found if not one.fault}
    target.mkdir(parents=True, exist_ok=True)
    replace_file(target / LIST, json.dumps(rows, ensure_ascii=False, indent=1).encode(), mode=0o644)
    return found


def complete_all(
    pending: Path,
    target: Path,
    signatures: Mapping[str, bytes],
    timestamper: Timestamper | None,
    leave: OfKey,
) -> list[Step]:
    """Complete every prepared file whose signature came; `leave` is that of a key, asked for by its chain.

    `Unreachable` when no authority answers: what was completed before stays.
    """
    names = sorted(one.relative_to(pending).as_posix() for one in pending.rglob(f"*{PENDING}"))
    found = []
    for name in (one.removesuffix(PENDING) for one in names):
        place = target / name
        try:
            kept = load_pending(read_file(pending / f"{name}{PENDING}", limit=MAX_FILE_BYTES))
            if not _is_completed(kept, place):
                if name not in signatures:
                    raise NotFound("no signature came for it")
                _complete(kept, place, signatures[name], timestamper, leave(kept.chain))
        except Unreachable:
            raise
        except YinxinError as error:
            found.append(Step(name, {}, str(error)[:300]))
        else:
            found.append(Step(name, {"sealed": str(place)}))
    return found


def read_signatures(file: Path) -> dict[str, bytes]:
    """Signatures by the names of their files; `MalformedInput` for anything else."""
    try:
        found: Any = json.loads(read_file(file, limit=MAX_LIST_BYTES))
        return {name: b64decode(value, validate=True) for name, value in found.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as exc:
        raise MalformedInput("signatures", "not an object of names and signatures in base64") from exc


def _prepared(folder: Path, target: Path, make: Callable[[bytes], Pending]) -> Iterator[Step]:
    for name in pdfs_in(folder):
        place = target / f"{name}{PENDING}"
        try:
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                write_new_file(place, dump_pending(make(read_file(folder / name))))
            yield Step(name, to_sign(load_pending(read_file(place, limit=MAX_FILE_BYTES))))
        except YinxinError as error:
            yield Step(name, {}, str(error)[:300])


def _is_completed(kept: Pending, place: Path) -> bool:
    """Whether this document has its signature there already; `Conflict` for something else of its name."""
    if not place.exists():
        return False
    if not is_completed(kept, read_file(place)):
        raise Conflict(f"{place} is another file")
    return True


def _complete(
    kept: Pending, place: Path, signature: bytes, timestamper: Timestamper | None, leave: Leave | None
) -> None:
    permit = leave.ask(1) if leave else None
    sealed = complete(kept, signature, timestamper=timestamper)
    if leave:
        leave.write_down(permit, [hashlib.sha256(sealed).hexdigest()])
    place.parent.mkdir(parents=True, exist_ok=True)
    write_new_file(place, sealed)
