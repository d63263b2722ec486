"""Run Typst on our own designs: one compiler for each design, kept, so that a page takes milliseconds.

A design is a file in `designs/`; its data go in as one JSON text through `sys.inputs` and are never made part
of the markup. No system fonts, no packages, no files but the designs.
"""

from __future__ import annotations

import json
import threading
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

    def pdf(self, design: str, data: Mapping[str, Any], *, at: datetime) -> bytes:
        """A PDF/A-3b; `at` becomes its creation time. `ContentTooLong` when it does not fit."""
        return self._run(
            design, data, format="pdf", pdf_standards=["a-3b"], timestamp=at.replace(microsecond=0)
        )

    def png(self, design: str, data: Mapping[str, Any], *, dots_per_inch: float) -> bytes:
        """A picture with a transparent ground."""
        return self._run(design, data, format="png", ppi=dots_per_inch)

    def _run(self, design: str, data: Mapping[str, Any], **options: Any) -> bytes:
        inputs = {"data": json.dumps(data, ensure_ascii=False)}
        try:
            made = self._compiler(design).compile(sys_inputs=inputs, **options)
        except typst.TypstError as exc:
            if TOO_LONG in exc.message:
                raise ContentTooLong("the texts do not fit the page") from exc
            raise UsageError(f"the page design {design} fails: {exc.message[:200]}") from exc
        if not isinstance(made, bytes):
            raise UsageError(f"the page design {design} made more than one page")
        return made

    def _compiler(self, design: str) -> typst.Compiler:
        compilers: dict[str, typst.Compiler] = self._local.__dict__.setdefault("compilers", {})
        if design not in compilers:
            fonts = typst.Fonts(
                include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_directory())]
            )
            nowhere = str(_DESIGNS)  # packages are looked for here, and there are none
            compilers[design] = typst.Compiler(
                input=str(_DESIGNS / f"{design}.typ"),
                root=str(_DESIGNS),
                font_paths=fonts,
                ignore_system_fonts=True,
                package_path=nowhere,
                package_cache_path=nowhere,
            )
        return compilers[design]
