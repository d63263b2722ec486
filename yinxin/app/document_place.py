"""Where this home keeps sealed pages: its own folder, or the object store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.documents import MAX_DOCUMENT_BYTES, DocumentStore, LocalFolder
from credentials.documents.s3 import S3Address, S3Keys, S3Store
from yinxin.base.errors import UsageError
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from credentials.documents import Place
    from yinxin.app.home import Home

FOLDER = "documents"
TRANSFER_SECONDS = 60.0  # for a whole document: the settings' limit is for lists and time-stamps


def documents(home: Home) -> DocumentStore:
    """The store of documents, under this home's document key."""
    return DocumentStore(_place(home), home.document_key())


def _place(home: Home) -> Place:
    settings = home.settings
    if not settings.documents_url:
        return LocalFolder(home.directory / FOLDER)
    address = S3Address.parse(settings.documents_url)
    if settings.documents_keys_file is None:
        raise UsageError("documents_url needs documents_keys_file: the access key of the object store")
    outbound = Outbound(
        allowed_private=settings.outbound_allowed_private,
        timeout_seconds=max(settings.outbound_timeout_seconds, TRANSFER_SECONDS),
        max_bytes=MAX_DOCUMENT_BYTES,
        https_only=settings.outbound_https_only,
    )
    return S3Store(address, S3Keys.read(settings.documents_keys_file), outbound)
