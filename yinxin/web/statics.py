"""The files that pages load: styles, scripts, pictures; each named by what it holds.

An address with the right `v` may be kept for ever, since other content has another one. Only files that lay
in the folder when the process started are served.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
PREFIX = "/static"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file in memory."""

    content: bytes
    media_type: str
    digest: str


def read_files(folder: Path) -> dict[str, StaticFile]:
    """The files of a folder, by name; those of a type that we do not serve are a `UsageError`."""
    if not folder.is_dir():
        return {}
    return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.is_file()}


def _read(path: Path) -> StaticFile:
    if path.suffix not in TYPES:
        raise UsageError(f"{path.name}: no type for {path.suffix} is known here")
    content = path.read_bytes()
    return StaticFile(content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16])
