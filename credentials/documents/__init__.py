"""The store of documents: found by their digest, kept encrypted, in a local folder or an object store.

    store = DocumentStore(LocalFolder("documents"), key)
    digest = store.put(pdf)
    store.get(digest)          # these very bytes, or an error: whatever the place gave back

`store` encrypts and checks; a place (`local`, `s3`) keeps bytes under names that say nothing.
"""

from credentials.documents.local import LocalFolder
from credentials.documents.store import MAX_DOCUMENT_BYTES, DocumentStore, Place

__all__ = ["MAX_DOCUMENT_BYTES", "DocumentStore", "LocalFolder", "Place"]
