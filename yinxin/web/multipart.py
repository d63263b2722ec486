"""The parts of a multipart body as the parser finds them, under limits (RFC 7578)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from python_multipart.multipart import parse_options_header

from yinxin.base.errors import MalformedInput, TooLarge

MAX_PARTS = 32
MAX_PART_HEADER_BYTES = 4096
MAX_TEXT_PART_BYTES = 512 * 1024


@dataclass
class Parts:
    """Collects the parts: `files` as bytes, the others as texts; `lists` may come several times."""

    files: frozenset[str]
    lists: frozenset[str]
    values: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = False
    _count: int = 0
    _header_name: bytearray = field(default_factory=bytearray)
    _header_value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _data: bytearray = field(default_factory=bytearray)
    _name: str = ""

    def callbacks(self) -> dict[str, Any]:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_begin": self._begin_header,
            "on_header_field": lambda data, start, end: self._grow(self._header_name, data, start, end),
            "on_header_value": lambda data, start, end: self._grow(self._header_value, data, start, end),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise TooLarge("multipart", f"over {MAX_PARTS} parts")
        self._disposition, self._data, self._name = b"", bytearray(), ""

    def _begin_header(self) -> None:
        self._header_name, self._header_value = bytearray(), bytearray()

    @staticmethod
    def _grow(target: bytearray, data: bytes, start: int, end: int) -> None:
        if len(target) + end - start > MAX_PART_HEADER_BYTES:
            raise TooLarge("multipart", "a part's header is too long")
        target += data[start:end]

    def _end_header(self) -> None:
        name = bytes(self._header_name).lower()
        if name == b"content-disposition":
            self._disposition = bytes(self._header_value)
        if name == b"content-transfer-encoding" and bytes(self._header_value).lower() not in {
            b"binary",
            b"8bit",
            b"7bit",
        }:
            raise MalformedInput("multipart", "RFC 7578, 4.7: no transfer encoding")

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or not options.get(b"name"):
            raise MalformedInput("multipart", "a part without a name")
        self._name = _utf8(options[b"name"])

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._name not in self.files and len(self._data) + end - start > MAX_TEXT_PART_BYTES:
            raise TooLarge("multipart", f"a text is over {MAX_TEXT_PART_BYTES} bytes")
        self._data += data[start:end]

    def _end(self) -> None:
        content = bytes(self._data)
        if self._name in self.lists:
            self.values.setdefault(self._name, []).append(_utf8(content))
            return
        if self._name in self.values:
            raise MalformedInput("multipart", "a name is repeated")
        self.values[self._name] = content if self._name in self.files else _utf8(content)

    def _finish(self) -> None:
        self.is_whole = True


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedInput("multipart", "a text is not UTF-8") from exc
