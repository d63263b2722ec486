"""Run Typst on our own designs: compilers are kept, so that a page takes milliseconds.

A design is a file in `designs/` with one function, `page-of(data)`. A page's data stand in the compiled text
as one escaped string of JSON and are never made part of the markup. What all pages of a compiler share
(designs, background) is an input of the compiler: Typst remembers what it made of it. No system fonts, no
packages, no files but the designs.
"""

from __future__ import annotations

import json
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typst

from credentials.face.fonts import font_directory
from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_DESIGNS = Path(__file__).parent / "designs"
TOO_LONG = "yinxin: too long for the page"  # what common.typ says


class ContentTooLong(UsageError):
    """The texts do not fit the page in the smallest size."""

    code = "content_too_long"
    title = Text("内容过长，版面放不下", "The content does not fit the page")


class Engine:
    """Compilers of our designs. May be used from any thread; each thread has its own compilers."""

    def __init__(self) -> None:
        self._local = threading.local()

    def pdf(self, design: str, data: Mapping[str, Any], *, ground: str, at: datetime) -> bytes:
        """A PDF/A-3b on the background `ground` (SVG); `at` becomes its creation time.

        `ContentTooLong` when it does not fit.
        """
        moment = at.replace(microsecond=0)
        return self._run(design, data, ground, format="pdf", pdf_standards=["a-3b"], timestamp=moment)

    def png(self, design: str, data: Mapping[str, Any], *, dots_per_inch: float, ground: str = "") -> bytes:
        """A picture; without a background `ground` (SVG) it is transparent."""
        return self._run(design, data, ground, format="png", ppi=dots_per_inch)

    def _run(self, design: str, data: Mapping[str, Any], ground: str, **options: Any) -> bytes:
        page = f'#import "/{design}.typ": page-of\n#page-of(json(bytes({_literal(json.dumps(data))})))'
        try:
            made = self._compiler(ground).compile(input=page.encode("ascii"), **options)
        except typst.TypstError as exc:
            if TOO_LONG in exc.message:
                raise ContentTooLong("the texts do not fit the page") from exc
            raise UsageError(f"the page design {design} fails: {exc.message[:200]}") from exc
        if not isinstance(made, bytes):
            raise UsageError(f"the page design {design} made more than one page")
        return made

    def _compiler(self, ground: str) -> typst.Compiler:
        compilers: dict[str, typst.Compiler] = self._local.__dict__.setdefault("compilers", {})
        if ground not in compilers:
            nowhere = str(_DESIGNS)  # packages are looked for here, and there are none
            compilers[ground] = typst.Compiler(
                input=b"",
                root=str(_DESIGNS),
                font_paths=_fonts(),
                ignore_system_fonts=True,
                sys_inputs={"ground": ground},
                package_path=nowhere,
                package_cache_path=nowhere,
            )
        return compilers[ground]


@cache
def _fonts() -> typst.Fonts:
    """The fonts, read once for all compilers of the process."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_directory())]
    )


def _literal(text: str) -> str:
    """ASCII as a string of Typst; only the two characters that mean something in one are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
