"""Incremental updates of our own, for files whose structure is known.

Plain is: one revision, one cross-reference table (lines, or a stream) that says the same as the objects it
leads to, no encryption, no form or a simple one without signatures, and a catalogue and a page that are
simple dictionaries. What typesetters write is plain, and written behind in the shortest time (`editing`).
Orderly is any other file that our strict reader reads with nothing guessed: signed before, with forms of any
kind (`orderly`). `NotPlain` says that a file is neither; then pyHanko's writer does the same work.

    editing = PlainEditing(pdf)  # or OrderlyEditing(pdf)
    prepared = editing.prepare(frame, digest_algorithm="sha256", reserve=4096)
    sealed = prepared.fill(signature)
"""

from signing.pdf.update.editing import PlainEditing
from signing.pdf.update.orderly import OrderlyEditing
from signing.pdf.update.syntax import NotPlain

__all__ = ["NotPlain", "OrderlyEditing", "PlainEditing"]
