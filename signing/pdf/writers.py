"""Who writes behind a file that is not plain: ours where it is orderly, pyHanko's everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from signing.pdf import _pyhanko
from signing.pdf.update import NotPlain, OrderlyEditing
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.held import HeldFile

    Editing = OrderlyEditing | _pyhanko.Editing

T = TypeVar("T")


def by_first(pdf: bytes | HeldFile, work: Callable[[Editing], T]) -> T:
    """What is made of a file that was opened by the first writer that can; raises as `Seal.apply`.

    What is wrong with a file is for the last one to say, which takes every file.
    """
    try:
        return work(OrderlyEditing(pdf))
    except (NotPlain, MalformedInput):
        return work(_pyhanko.Editing(pdf))
