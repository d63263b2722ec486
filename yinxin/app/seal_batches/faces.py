"""The face of an installation's seal, drawn in a process of its own: fonts are large, and a seal is small."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signing.pdf import SealFace


def draw(name: str, code: str) -> SealFace:
    """The face of an agency with this name and organisation code."""
    from credentials.face.seal_face import draw_seal_face  # noqa: PLC0415 - for the other process

    return draw_seal_face(name, code=code)


def draw_apart(name: str, code: str) -> SealFace:
    """The same, by a process that ends with it: who seals a large file has little memory."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(draw, name, code).result()
