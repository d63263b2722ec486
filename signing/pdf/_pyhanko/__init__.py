"""The only package that imports pyHanko: `parser` bounds it, `reading` reads, `writing` writes.

pyHanko 0.38 reads files that are to be written behind, and writes incremental updates. It is never asked
whether a signature is good, nor what an update changed: reading for verification, CMS, trust and time are
ours, and nothing here can reach a network or a trust store of the operating system. Whatever it raises for a
file leaves here as `MalformedInput` or `TooLarge`; reading is metered, so that a file cannot keep it busy
for long.
"""

from signing.pdf._pyhanko.copying import write_copy
from signing.pdf._pyhanko.forms import LockingField, NewField, add_fields, locking_fields
from signing.pdf._pyhanko.keeping import prepare_archive
from signing.pdf._pyhanko.reading import RFC3161, FoundSignature, Reading
from signing.pdf._pyhanko.writing import Editing

__all__ = [
    "RFC3161",
    "Editing",
    "FoundSignature",
    "LockingField",
    "NewField",
    "Reading",
    "add_fields",
    "locking_fields",
    "prepare_archive",
    "write_copy",
]
