"""An incremental update of our own, for files whose structure is plain.

Plain is: one revision, one cross-reference table (lines, or a stream) that says the same as the objects it
leads to, no encryption, no form or a simple one without signatures, and a catalogue and a page that are
simple dictionaries. What typesetters write is plain. `NotPlain` says that a file is not, and then pyHanko's
writer does the same work in its own time.

    editing = PlainEditing(pdf)
    prepared = editing.prepare(frame, digest_algorithm="sha256", reserve=4096)
    sealed = prepared.fill(signature)
"""

from signing.pdf.update.editing import PlainEditing
from signing.pdf.update.syntax import NotPlain

__all__ = ["NotPlain", "PlainEditing"]
