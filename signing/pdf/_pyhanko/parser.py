"""pyHanko's parser with limits: whatever a file holds, the work is bounded and the errors are ours."""

from __future__ import annotations

import binascii
import io
import logging
import os
import re
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic, xref
from pyhanko.pdf_utils.decode_limits import (
    DecodeLimits,
    DecodePurpose,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader

from signing.held import HeldFile
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Without a handler its warnings about a bad file would be printed on our users' terminals.
logging.getLogger("pyhanko").addHandler(logging.NullHandler())

MAX_WORK = 8_000_000  # steps of about a microsecond: reads, object look-ups, paths followed
MAX_REVISIONS = 256
MAX_TEXT_CHARACTERS, MAX_NUMBER_CHARACTERS = 1000, 1000
_ODD_ENTRY, _EVEN_ENTRY = b"0000000000 65536 f", b"0000000000 65535 f"
_START = re.compile(rb"startxref\s+(\d{1,10})\s")
_WHITESPACE = b"\0\t\n\x0c\r "
_MIB = 1 << 20
_LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=64 * _MIB),
    per_purpose={
        DecodePurpose.OBJECT_STREAM: StreamDecodeLimits(max_ratio=200, max_output_size=16 * _MIB),
        DecodePurpose.XREF_STREAM: StreamDecodeLimits(max_ratio=200, max_output_size=16 * _MIB),
        DecodePurpose.XMP_METADATA: StreamDecodeLimits(max_ratio=200, max_output_size=4 * _MIB),
    },
    document_budget=DocumentDecodeBudget(base_allowance=128 * _MIB, max_ratio=4),
)


def open_reader(pdf: bytes | HeldFile) -> Any:
    """A reader; a lenient one where a strict one refused the file, or it tells two stories.

    A hybrid-reference file has one table for old readers and one for new ones.
    """
    source = _metered(pdf, MAX_WORK)
    with translated():
        try:
            reader = Reader(source, strict=True, decode_limits=_LIMITS)
            lenient = bool(reader.xrefs.hybrid_xrefs_present)
        except YinxinError:
            raise
        except Exception:  # noqa: BLE001 - whatever the strict parser dislikes, the lenient one may take
            lenient = True
        if lenient:
            source = _metered(pdf, source.left)
            reader = Reader(source, strict=False, decode_limits=_LIMITS)
        if reader.xrefs.total_revisions > MAX_REVISIONS:
            raise TooLarge("pdf", f"more than {MAX_REVISIONS} revisions")
        return reader


@contextmanager
def translated() -> Iterator[None]:
    """Whatever pyHanko raises for a file, even an assertion or a recursion, is a malformed file."""
    try:
        yield
    except YinxinError:
        raise
    except Exception as exc:
        raise MalformedInput("pdf", f"{type(exc).__name__}: {exc}"[:300]) from exc


def get(node: Any, key: str, default: Any = None) -> Any:
    """A dictionary's value, its reference followed; the default for what is no dictionary."""
    return node[key] if isinstance(node, generic.DictionaryObject) and key in node else default


def items(array: Any) -> Iterator[Any]:
    """The items of an array, references followed; nothing for what is no array."""
    if isinstance(array, generic.ArrayObject):
        yield from (array[index] for index in range(len(array)))


def text_of(value: Any) -> str | None:
    if isinstance(value, generic.ByteStringObject):
        value = value.decode("latin-1")
    return str(value)[:MAX_TEXT_CHARACTERS] if isinstance(value, str) else None


class Meter:
    """Work that is counted.

    The same file takes the same number of steps everywhere; a limit in seconds would not be repeatable.
    """

    left = 0

    def spend(self, steps: int) -> None:
        """Count work that is done without reading."""
        self.left -= steps
        if self.left < 0:
            raise TooLarge("pdf", "reading it takes too much work")


class Metered(Meter, io.BytesIO):
    """A file in memory that counts its reads."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As a file reads."""
        self.spend(1)
        return super().read(size)


class MeteredFile(Meter, io.RawIOBase):
    """A file on the disk that counts its reads, with a place of its own in what somebody else keeps."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file, self._place = file, 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As a file reads."""
        self.spend(1)
        self._file.seek(self._place)
        data = self._file.read(-1 if size is None else size)
        self._place += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        """As a file reads."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: Any, /) -> int:
        """As a file writes."""
        self._file.seek(self._place)
        self._place += self._file.write(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Where the next read begins."""
        self._file.seek(self._place)
        self._place = self._file.seek(offset, whence)
        return self._place

    def tell(self) -> int:
        """Where the next read begins."""
        return self._place

    def flush(self) -> None:
        """As a file does, as long as somebody keeps it."""
        if not self._file.closed:
            self._file.flush()

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True


def _metered(pdf: bytes | HeldFile, left: int) -> Any:
    source: Any = MeteredFile(pdf.file) if isinstance(pdf, HeldFile) else Metered(_mended(pdf))
    source.left = left
    return source


class _History(HistoricalResolver):
    """One revision of a file.

    Comparing revisions follows every path there is, and a few objects that name each other twice have
    more paths than anybody can follow.
    """

    def __call__(self, ref: Any) -> Any:
        self.reader.stream.spend(60)
        return super().__call__(ref)


class Reader(PdfFileReader):
    """pyHanko's reader, with object look-ups counted too."""

    def get_historical_resolver(self, revision: int) -> HistoricalResolver:
        """One revision, metered."""
        cache = self._historical_resolver_cache
        if revision not in cache:
            cache[revision] = _History(self, revision)
        return cache[revision]

    def get_object(self, ref: Any, *args: Any, **options: Any) -> Any:
        """An object."""
        self.stream.spend(20)
        return super().get_object(ref, *args, **options)


def _mended(pdf: bytes) -> bytes:
    """What is parsed, same length: a popular maker of scans writes one impossible number in its tables.

    The entry is that of object 0, which no reader uses. Signatures are over the file as it is.
    """
    if _ODD_ENTRY not in pdf:
        return pdf
    mended = bytearray(pdf)
    for match in _START.finditer(pdf):
        place = pdf.find(_ODD_ENTRY, int(match[1]), int(match[1]) + 40)
        if place >= 0:
            mended[place : place + len(_ODD_ENTRY)] = _EVEN_ENTRY
    return bytes(mended)


SLOW_HEX = generic.read_hex_string_from_stream


def read_hex(stream: Any) -> Any:
    """PyHanko's reader of hex strings with the same results, in blocks instead of single characters.

    A signature is one hex string of many thousand digits, and reading it took 80 % of a verification.
    """
    start = stream.tell()
    stream.seek(1, os.SEEK_CUR)
    text, end = bytearray(), -1
    while end < 0 and (block := stream.read(4096)):
        end = block.find(b">")
        end += len(text) if end >= 0 else 0
        text += block
    digits = text[: max(end, 0)].translate(None, _WHITESPACE)
    try:
        value = binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    except binascii.Error:
        end = -1
    if end < 0:  # unfinished, a comment inside, not hex: let pyHanko say what it makes of it
        stream.seek(start)
        return SLOW_HEX(stream)
    stream.seek(start + 1 + end + 1)
    return generic.pdf_string(value)


def _counted(parse: Any) -> Any:
    """A parser of cross-reference entries that counts them: a few bytes can claim a thousand million."""

    def entries(source: Any, **options: Any) -> Iterator[Any]:
        owner: Any = source.container_ref if isinstance(source, generic.StreamObject) else None
        meter = owner.pdf.stream if owner else source
        for entry in parse(source, **options):
            if isinstance(meter, Meter):
                meter.spend(20)
            yield entry

    return entries


def _read_number(stream: Any, regex: Any, ignore_eof: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's
    """The text of a number, which is copied again with every 16 characters and so must stay short."""
    text = b""
    while block := stream.read(16):
        if match := regex.search(block):
            stream.seek(match.start() - len(block), os.SEEK_CUR)
            return text + bytes(block[: match.start()])
        text += block
        if len(text) > MAX_NUMBER_CHARACTERS:
            raise TooLarge("pdf", f"a number of more than {MAX_NUMBER_CHARACTERS} characters")
    if not ignore_eof:
        raise MalformedInput("pdf", "it ends within a number")
    return text


# Four functions of pyHanko's are replaced, with the same results for every file that is within our limits.
generic.read_hex_string_from_stream = read_hex
generic.read_until_regex = _read_number  # type: ignore[attr-defined]
xref.parse_xref_stream = _counted(xref.parse_xref_stream)
xref.parse_xref_table = _counted(xref.parse_xref_table)
