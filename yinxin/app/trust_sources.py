"""Where anchors come from: certificates, a folder of them, our own trust list, a trusted list of ETSI.

What a source is shows in its content. Lists count only when they are rightly signed by who was named beside them:
a root for ours, certificates for those of ETSI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.certificates import load_certificates
from signing.trust import INDEX_FILE, TrustAnchor, TrustStore
from yinxin.app.trust_lists import serving_list
from yinxin.base.errors import NotPermitted, UsageError, YinxinError
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from signing.certificates import Certificate
    from signing.trust_list import ServingList

SUFFIXES = frozenset({".pem", ".cer", ".crt", ".der"})
MAX_FILES = 2000
MAX_LIST_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Vouching:
    """Who vouches for lists: `root` and those after it for ours, `signers` (files of certificates) for ETSI's.

    `national` is a folder with the lists that a list of lists points to, in files of any name.
    """

    root: Path | None = None
    next_roots: tuple[Path, ...] = ()
    signers: tuple[Path, ...] = ()
    national: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The anchors of a source, what was left aside and why, and the list where it was one of ours.

    `is_list`: they come from a list, whose newer edition takes their place.
    """

    anchors: tuple[TrustAnchor, ...]
    notes: tuple[str, ...] = ()
    serving: ServingList | None = None
    is_list: bool = False


def read_source(
    place: Path, vouching: Vouching, *, now: datetime, uses: frozenset[str] = frozenset()
) -> Found:
    """The anchors in a file or folder; `uses` limits certificates, and goes with no list."""
    if place.is_dir():
        if (place / INDEX_FILE).is_file():
            return Found(TrustStore.load(place).anchors)
        return _folder(place, uses)
    data = read_file(place, limit=MAX_LIST_BYTES)
    head = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if head in {b"{", b"<"} and uses:
        raise UsageError("a list says itself what its anchors are for: leave --use out")
    if head == b"{":
        if vouching.root is None:
            raise UsageError("a trust list needs --root: the root that was compared by its fingerprint")
        serving = serving_list(place, vouching.root, next_roots=vouching.next_roots, now=now)
        return Found(serving.trust(now).anchors, serving=serving, is_list=True)
    if head == b"<":
        return _etsi(data, vouching, now)
    return Found(tuple(TrustAnchor(one, uses) for one in load_certificates(data)))


def _folder(place: Path, uses: frozenset[str]) -> Found:
    """Every certificate of a folder; a file that holds none is told and left aside."""
    files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files or len(files) > MAX_FILES:
        raise UsageError(f"{place} holds no certificates, or over {MAX_FILES} files")
    found: dict[Certificate, TrustAnchor] = {}
    notes = []
    for path in files:
        try:
            found |= {one: TrustAnchor(one, uses) for one in load_certificates(read_file(path))}
        except YinxinError as error:
            notes.append(f"{path.name}: {error.detail}")
    return Found(tuple(found.values()), tuple(notes))


def _etsi(data: bytes, vouching: Vouching, now: datetime) -> Found:
    from signing.trust_list.etsi import anchors_of, read_list  # noqa: PLC0415 - an optional part

    if not vouching.signers:
        raise UsageError("a trusted list needs --signer: the certificates that may sign it")
    signers = [one for path in vouching.signers for one in load_certificates(read_file(path))]
    listed = read_list(data, signers=signers, now=now)
    if not listed.is_list_of_lists:
        anchors, notes = anchors_of(listed)
        return Found(anchors, notes, is_list=True)
    if vouching.national is None:
        raise UsageError("a list of lists needs --national: a folder with the lists that it points to")
    pointers = [(one.territory, one.signers) for one in listed.national]
    merged = TrustStore(())
    told: list[str] = []
    for path in sorted(vouching.national.glob("*.xml")):
        anchors, notes = _national(path, pointers, now)
        merged = merged.merged_with(TrustStore(anchors))
        told += notes
    return Found(merged.anchors, tuple(told), is_list=True)


def _national(
    path: Path, pointers: Sequence[tuple[str, Iterable[Certificate]]], now: datetime
) -> tuple[tuple[TrustAnchor, ...], tuple[str, ...]]:
    """One member state's list, by the signers that its own pointer names; a bad one is told and left aside."""
    from signing.trust_list.etsi import anchors_of, read_list  # noqa: PLC0415 - an optional part

    why = "no pointer names who signed it"
    for territory, signers in pointers:
        try:
            found = read_list(read_file(path, limit=MAX_LIST_BYTES), signers=tuple(signers), now=now)
        except NotPermitted:
            continue
        except YinxinError as error:
            why = error.detail
            break
        if found.territory == territory:
            anchors, notes = anchors_of(found)
            return anchors, tuple(f"{path.name}: {note}" for note in notes)
        why = f"it is of {found.territory}, its signer's pointer of {territory}"
    return (), (f"{path.name}: {why}",)


def added_to(store: TrustStore, found: Found) -> TrustStore:
    """The store with these anchors: what is there stays, but for what an earlier edition of a list brought."""
    kept = {anchor.certificate: anchor for anchor in store.anchors}
    for anchor in found.anchors:
        known = kept.get(anchor.certificate)
        if known is None or (found.is_list and known.periods):
            kept[anchor.certificate] = anchor
        elif found.is_list:
            kept[anchor.certificate] = known.merged_with(anchor)
    return TrustStore(kept.values(), store.known)
