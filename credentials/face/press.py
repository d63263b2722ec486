"""Set pages in several processes, for batches.

A page is a pure function of a licence, its type and the text of its code: no key and no database goes
there. The processes end with the one that started them, also when that is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import connection
from typing import TYPE_CHECKING, Self

from credentials.face.page import Page, Typesetter
from yinxin.base.errors import InvalidClaims, Unreachable

if TYPE_CHECKING:
    from credentials.licence import Licence
    from credentials.licence_type import LicenceType
    from yinxin.base.text import Text


class Press:
    """So many processes that set pages, in a `with` block. May be used from any thread."""

    def __init__(self, processes: int) -> None:
        # Not forked: threads of ours may hold locks.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)

    def typeset(self, licence: Licence, kind: LicenceType, *, code: str) -> Page:
        """The page of a licence, as `Typesetter.typeset` makes it; `Unreachable` when a process died."""
        try:
            made = self._pool.submit(_set, licence, kind, code).result()
        except BrokenProcessPool as exc:
            raise Unreachable("a process that sets pages has died") from exc
        if isinstance(made, Page):
            return made
        raise InvalidClaims(faults=made)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """The beginning of a process: one thread for pages, and an end when the parent's comes."""
    os.environ["RAYON_NUM_THREADS"] = (
        "1"  # Typst would start as many threads as there are processors, in each
    )
    threading.Thread(target=_end_with_parent, name="yinxin-press-end", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


@cache
def _typesetter() -> Typesetter:
    return Typesetter()


def _set(licence: Licence, kind: LicenceType, code: str) -> Page | list[tuple[str, Text]]:
    try:
        return _typesetter().typeset(licence, kind, code=code)
    except InvalidClaims as exc:
        return list(exc.faults)  # the error itself does not travel
