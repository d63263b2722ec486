"""The only package that imports pyHanko: `parser` bounds it, `reading` reads, `writing` writes.

pyHanko 0.38 parses objects and revisions, compares revisions, and writes incremental updates. It is never
asked whether a signature is good: CMS, trust and time are ours, it gets no validation context, and nothing
here can reach a network or a trust store of the operating system. Whatever it raises for a file leaves
here as `MalformedInput` or `TooLarge`; reading is metered, so that a file cannot keep it busy for long.
"""

from signing.pdf._pyhanko.copying import write_copy
from signing.pdf._pyhanko.forms import LockingField, NewField, add_fields, locking_fields
from signing.pdf._pyhanko.keeping import prepare_archive
from signing.pdf._pyhanko.reading import PADES, RFC3161, FoundSignature, Reading, Review
from signing.pdf._pyhanko.store import Store
from signing.pdf._pyhanko.writing import Editing

__all__ = [
    "PADES",
    "RFC3161",
    "Editing",
    "FoundSignature",
    "LockingField",
    "NewField",
    "Reading",
    "Review",
    "Store",
    "add_fields",
    "locking_fields",
    "prepare_archive",
    "write_copy",
]
