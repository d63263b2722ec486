"""Read PDF files: values, cross-references, objects and streams, within bounds.

A reader of our own, because a verdict must not depend on how tolerant a library happens to be. It works on
bytes or a mapped file, copies no content, and never repairs in silence: what it had to guess is said
(`Document.is_rebuilt`, `Parsed.oddity`), and who compares revisions refuses it.

    document = Document(pdf)
    catalogue = document.resolve(document.trailer["Root"])

Only `MalformedInput` and its kind come out, however the file is made; the work on one file is counted.
"""

from signing.pdf.parsing.document import Document
from signing.pdf.parsing.lexer import Budget
from signing.pdf.parsing.objects import Parsed
from signing.pdf.parsing.values import Name, Ref, Source, Stream, Value
from signing.pdf.parsing.xref import FREE, IN_USE, PACKED, Entry, Section

__all__ = [
    "FREE",
    "IN_USE",
    "PACKED",
    "Budget",
    "Document",
    "Entry",
    "Name",
    "Parsed",
    "Ref",
    "Section",
    "Source",
    "Stream",
    "Value",
]
