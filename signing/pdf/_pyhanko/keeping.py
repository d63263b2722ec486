"""Write what a document keeps: evidence into its security store, and a document time-stamp over all of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp

from signing.pdf._pyhanko.finishing import Prepared
from signing.pdf._pyhanko.parser import get, translated
from signing.pdf._pyhanko.store import read_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.store import Store

DIGEST = "sha256"


def prepare_archive(
    writer: Any, names: frozenset[str], store: Store, *, reserve: int, in_place: bool
) -> Prepared:
    """One update with this evidence in the store and room for `reserve` octets of a document time-stamp.

    `names` are those of the fields there, `in_place` says that the file is a held one. What the store holds
    already stays, and nothing is in it twice.
    """
    with translated():
        _keep(writer, store)
        field = next(name for number in range(1, len(names) + 2) if (name := f"Archive{number}") not in names)
        steps = PdfCMSEmbedder(new_field_spec=SigFieldSpec(field)).write_cms(field, writer)
        next(steps)
        steps.send(SigObjSetup(DocumentTimestamp(bytes_reserved=2 * reserve)))
        prepared, output = steps.send(SigIOSetup(md_algorithm=DIGEST, in_place=in_place))
        return Prepared(prepared.document_digest, reserve, prepared, output)


def keep(writer: Any, store: Store, *, size: int) -> bytes:
    """The update that puts this evidence into the store of a file of `size` octets; empty for nothing new."""
    with translated():
        if store.without(read_store(writer.root)).is_empty:
            return b""
        if writer.output_version < (2, 0):
            writer.register_extension(ESIC_EXTENSION_1)  # EN 319 142-1, 5.6
        _keep(writer, store)
        out = io.BytesIO()
        writer.write(out)
        return bytes(out.getbuffer()[size:])


def _keep(writer: Any, store: Store) -> None:
    if not (store.certificates or store.crls or store.ocsp):
        return
    there = read_store(writer.root)
    kept = get(writer.root, "/DSS")
    if not isinstance(kept, generic.DictionaryObject):
        kept = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/DSS")})
        writer.root[pdf_name("/DSS")] = writer.add_object(kept)
        writer.update_root()
    else:
        writer.update_container(kept)
    lists = (
        ("/Certs", store.certificates, there.certificates),
        ("/CRLs", store.crls, there.crls),
        ("/OCSPs", store.ocsp, there.ocsp),
    )
    for key, wanted, known in lists:
        new = [one for one in dict.fromkeys(wanted) if one not in known]
        if not new:
            continue
        found = get(kept, key)
        # A list of its own, in the dictionary itself: then nothing but that dictionary changes.
        references = found if isinstance(found, generic.ArrayObject) else ()
        streams = [writer.add_object(generic.StreamObject(stream_data=one)) for one in new]
        kept[pdf_name(key)] = generic.ArrayObject([*_raw(references), *streams])


def _raw(array: Any) -> Iterator[Any]:
    """The items of an array as they stand there, references not followed."""
    yield from (array.raw_get(index) for index in range(len(array)))
