"""What readers of other makers show of a PDF: pictures and texts of its pages, and what its fields say.

Each reader is a function of bytes; what it answers is equal for two files exactly when it shows the same of
both. A file that it cannot open shows an error. Readers that are not installed are left out: `readers()`
holds those that are there, and `missing()` says how the others are installed.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[bytes], "Seen"]

Seen = tuple[str, ...]
SCALE, DOTS = 0.5, 36  # of a page: enough for words of a licence
MAX_PAGES = 4
SECONDS = 30.0
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))
PYMUPDF = os.environ.get("YINXIN_PYMUPDF", "")  # a folder that it was installed into
INSTALL = {
    "poppler": "apt-get install poppler-utils",
    "pdfium": "pip install pypdfium2",
    "mupdf": "pip install --target DIRECTORY pymupdf, and name it in YINXIN_PYMUPDF",
    "pdf.js": f"npm install --prefix {MODULES} pdfjs-dist",
    "ghostscript": "apt-get install ghostscript",
}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def pdfium(pdf: bytes) -> Seen:
    """What Chromium shows, its drawing of forms too."""
    import pypdfium2  # noqa: PLC0415 - it costs a while, and not every test looks

    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as exc:
        return (f"error {exc}",)
    seen = []
    try:
        document.init_forms()
        for index in range(min(len(document), MAX_PAGES)):
            page = document[index]
            picture = page.render(scale=SCALE, may_draw_forms=True, grayscale=True)
            seen += [digest(bytes(picture.buffer)), page.get_textpage().get_text_bounded()]
        seen.append(str(len(document)))
    except pypdfium2.PdfiumError as exc:
        seen.append(f"error {exc}")
    finally:
        document.close()
    return tuple(seen)


@cache
def _fitz() -> Any:
    if PYMUPDF and PYMUPDF not in sys.path:
        sys.path.append(PYMUPDF)
    if importlib.util.find_spec("pymupdf") is None:
        return None
    module = importlib.import_module("pymupdf")
    module.TOOLS.mupdf_display_errors(False)
    module.TOOLS.mupdf_display_warnings(False)
    return module


def mupdf(pdf: bytes) -> Seen:
    fitz = _fitz()
    seen = []
    try:
        with fitz.open(stream=pdf, filetype="pdf") as document:
            for index in range(min(document.page_count, MAX_PAGES)):
                page = document[index]
                picture = page.get_pixmap(matrix=fitz.Matrix(SCALE, SCALE), colorspace=fitz.csGRAY)
                seen += [digest(picture.samples), f"{picture.width}x{picture.height}", page.get_text()]
            seen.append(str(document.page_count))
    except Exception as exc:  # noqa: BLE001 - whatever it raises is what it shows
        seen.append(f"error {type(exc).__name__}")
    return tuple(seen)


def poppler(pdf: bytes) -> Seen:
    """What Linux's desktops show."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        place = Path(folder, "a.pdf")
        place.write_bytes(pdf)
        last = str(MAX_PAGES)
        _run("pdftoppm", "-gray", "-r", str(DOTS), "-l", last, str(place), str(Path(folder, "p")))
        text = _run("pdftotext", "-layout", "-l", last, str(place), "-")
        pages = [digest(one.read_bytes()) for one in sorted(Path(folder).glob("p*.pgm"))]
    return (*pages, text)


def ghostscript(pdf: bytes) -> Seen:
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        place = Path(folder, "a.pdf")
        place.write_bytes(pdf)
        common = ("gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", f"-dLastPage={MAX_PAGES}")
        picture = f"-sOutputFile={Path(folder, 'p%03d.pgm')}"
        _run(*common, "-sDEVICE=pgmraw", f"-r{DOTS}", picture, str(place))
        pages = [digest(one.read_bytes()) for one in sorted(Path(folder).glob("p*.pgm"))]
    return tuple(pages)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    return done.stdout.decode("utf-8", "replace")


class _Node:
    """pdf.js in a process of node that stays, one file after another."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("pdf_js.mjs")
        self._folder = tempfile.mkdtemp(prefix="pictures-")
        self._process = subprocess.Popen(
            [shutil.which("node") or "node", str(script), str(MODULES), str(SCALE), str(MAX_PAGES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        atexit.register(self.close)

    def see(self, pdf: bytes) -> Seen:
        place = Path(self._folder, "a.pdf")
        place.write_bytes(pdf)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{place}\n")
        self._process.stdin.flush()
        return tuple(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


@cache
def _node() -> _Node:
    return _Node()


def pdf_js(pdf: bytes) -> Seen:
    """What Firefox shows, with what its fields say that lie over the page."""
    return _node().see(pdf)


def _there(name: str) -> bool:
    if name == "pdfium":
        return importlib.util.find_spec("pypdfium2") is not None
    if name == "mupdf":
        return _fitz() is not None
    if name == "pdf.js":
        return shutil.which("node") is not None and (MODULES / "node_modules" / "pdfjs-dist").is_dir()
    return shutil.which({"poppler": "pdftoppm", "ghostscript": "gs"}[name]) is not None


ALL: dict[str, Reader] = {
    "pdfium": pdfium,
    "poppler": poppler,
    "mupdf": mupdf,
    "pdf.js": pdf_js,
    "ghostscript": ghostscript,
}


@cache
def readers() -> dict[str, Reader]:
    """The readers that are installed here."""
    return {name: reader for name, reader in ALL.items() if _there(name)}


def missing() -> str:
    """How those are installed that are not here; empty when all are."""
    return "; ".join(f"no {name}: {INSTALL[name]}" for name in ALL if name not in readers())
