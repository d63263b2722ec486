"""Where a decision is kept: a folder, or one zip file, with `decision.json` and `inputs/SHA-256`.

What is read is bounded and named by the record alone; other files in an archive are not looked at. A zip file
is written without compression and without dates, so that the same decision makes the same bytes.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from yinxin.app.decisions.decision import MAX_RECORD_BYTES, Decision, digests_of, read_record
from yinxin.base.errors import MalformedInput, NotFound, TooLarge, UsageError
from yinxin.base.files import MAX_FILE_BYTES, read_file, write_new_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    Reader = Callable[[str, int], bytes]

RECORD, INPUTS = "decision.json", "inputs"
MAX_INPUTS = 20_000
MAX_ENTRIES = 4 * MAX_INPUTS  # files in a zip file, those that nobody asks for too
# The others of zipfile inflate what they read at once, however little of it is wanted.
_BOUNDED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_DIRECTORY_ENTRY = b"PK\x01\x02"
# What zipfile raises for files that are none, are damaged, encrypted, or made in a way that it does not know.
_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError, struct.error)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first day that a zip file can name


def write(place: Path, decision: Decision) -> None:
    """Keep a decision; `Conflict` where there is something already, `UsageError` where nothing can be written."""
    if place.suffix.lower() == ".zip":
        write_new_file(place, zipped(decision))
        return
    try:
        (place / INPUTS).mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{place} cannot be written") from exc
    for name, data in sorted(decision.inputs.items()):
        if not (place / INPUTS / name).is_file():
            write_new_file(place / INPUTS / name, data)
    write_new_file(place / RECORD, decision.to_json())


def zipped(decision: Decision) -> bytes:
    """A decision as one zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as file:
        for name, data in [(RECORD, decision.to_json()), *_named(decision.inputs)]:
            file.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return made.getvalue()


def read(place: Path, *, inputs: Path | None = None) -> Decision:
    """The decision in a folder, in a zip file, or in a record whose inputs lie beside it or in `inputs`.

    `NotFound` for what is not there, `MalformedInput`, `TooLarge`.
    """
    if place.is_dir():
        record = read_record(read_file(place / RECORD, limit=MAX_RECORD_BYTES))
        return Decision(record, _inputs(record, _reader(inputs or place)))
    data = read_file(place)
    if data[:2] == b"PK":
        reader = _zip_reader(data)
        record = read_record(reader(RECORD, MAX_RECORD_BYTES))
        return Decision(record, _inputs(record, _reader(inputs) if inputs else reader))
    if len(data) > MAX_RECORD_BYTES:
        raise TooLarge("decision", f"over {MAX_RECORD_BYTES} bytes")
    record = read_record(data)
    return Decision(record, _inputs(record, _reader(inputs or place.parent)))


def _inputs(record: Mapping[str, Any], reader: Reader) -> dict[str, bytes]:
    digests, room = digests_of(record), MAX_FILE_BYTES
    if len(digests) > MAX_INPUTS:
        raise TooLarge("decision", f"over {MAX_INPUTS} inputs")
    found: dict[str, bytes] = {}
    for digest in digests:
        if len(digest) != 64 or not all(letter in "0123456789abcdef" for letter in digest):
            raise MalformedInput("decision", "an input is named by its SHA-256")
        if digest not in found:
            found[digest] = reader(f"{INPUTS}/{digest}", room)
            room -= len(found[digest])
    return found


def _reader(place: Path) -> Reader:
    """Reads from a folder or from a zip file."""
    if place.is_dir():
        return lambda name, limit: read_file(place / name, limit=limit)
    return _zip_reader(read_file(place))


def _zip_reader(data: bytes) -> Reader:
    if data.count(_DIRECTORY_ENTRY) > MAX_ENTRIES:
        raise TooLarge("decision", f"a zip file of over {MAX_ENTRIES} files")
    try:
        file = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN as exc:
        raise MalformedInput("decision", "not a zip file") from exc

    def read_one(name: str, limit: int) -> bytes:
        row = file.NameToInfo.get(name)
        if row is None:
            raise NotFound(f"{name} is not in the archive")
        if row.compress_type not in _BOUNDED:
            raise MalformedInput("decision", f"{name} is packed in a way that is not read here")
        try:
            with file.open(row) as entry:
                found = entry.read(limit + 1)
        except _BROKEN as exc:
            raise MalformedInput("decision", f"{name} cannot be read") from exc
        if len(found) > limit:
            raise TooLarge("decision", f"{name} has more than {limit} bytes")
        return found

    return read_one


def _named(inputs: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    return [(f"{INPUTS}/{name}", data) for name, data in sorted(inputs.items())]
