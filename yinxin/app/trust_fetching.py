"""Fetch a trusted list of ETSI (TS 119 612), and the national lists that a list of lists points to, into a folder.

A job of its own, for a timer: `yinxin trust add` reads the folder afterwards without any network. A list takes the
place of the one in the folder only when the right people signed it, in time, and it is not older; else what is
there stays, and the reason is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.app.trust_sources import MAX_LIST_BYTES
from yinxin.base.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    NotPermitted,
    Unreachable,
    UsageError,
    YinxinError,
)
from yinxin.base.files import READABLE, read_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from signing.certificates import Certificate
    from signing.trust_list.etsi import EtsiList, Pointer
    from yinxin.base.outbound import Outbound

    Ask = Callable[[str, int], bytes]

LIST_FILE, NATIONAL_FOLDER = "list.xml", "national"
MAX_NATIONAL = 100  # lists of one list of lists; the Union's points to 31
_TERRITORY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class FetchedList:
    """One list that was asked for. `why` is empty where it was taken, `until` is the end of the one at hand."""

    territory: str
    address: str
    file: str
    until: datetime | None
    why: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether what the address gave is what lies in the folder now."""
        return not self.why


def fetch_lists(
    address: str, folder: Path, *, signers: Collection[Certificate], ask: Ask, now: datetime
) -> list[FetchedList]:
    """Bring the folder up to date: `list.xml`, and `national/XX.xml` for each that it points to.

    `ask` gives the body behind an address, at most so many bytes. Raises what it and `read_list` raise about
    the first list, which stays as it was then; of the others each is told.
    """
    place = folder / LIST_FILE
    found = _take(address, place, signers, ask, now)
    told = [FetchedList(found.territory, address, LIST_FILE, found.next_update)]
    if found.is_list_of_lists:
        (folder / NATIONAL_FOLDER).mkdir(exist_ok=True)
        told += _national(found.national, folder, ask, now)
    return told


def _national(pointers: Collection[Pointer], folder: Path, ask: Ask, now: datetime) -> Iterator[FetchedList]:
    if len(pointers) > MAX_NATIONAL:
        raise UsageError(f"the list points to {len(pointers)} others; {MAX_NATIONAL} are fetched at most")
    counted: dict[str, int] = {}
    for pointer in pointers:
        territory = pointer.territory
        if not _TERRITORY.fullmatch(territory):
            yield FetchedList(territory, pointer.location, "", None, "no territory of two letters")
            continue
        number = counted[territory] = counted.get(territory, 0) + 1
        name = f"{territory}.xml" if number == 1 else f"{territory}-{number}.xml"
        yield _one(pointer, folder / NATIONAL_FOLDER / name, ask, now)


def _one(pointer: Pointer, place: Path, ask: Ask, now: datetime) -> FetchedList:
    file = f"{NATIONAL_FOLDER}/{place.name}"
    try:
        found = _take(pointer.location, place, pointer.signers, ask, now, territory=pointer.territory)
    except YinxinError as error:
        kept = _kept(place, pointer.signers, now)
        why = f"{error.code}: {error.detail}" if error.detail else error.code
        return FetchedList(pointer.territory, pointer.location, file, kept.next_update if kept else None, why)
    return FetchedList(pointer.territory, pointer.location, file, found.next_update)


def _take(  # noqa: PLR0913 - what is asked, of whom, and what it is compared with
    address: str,
    place: Path,
    signers: Collection[Certificate],
    ask: Ask,
    now: datetime,
    *,
    territory: str = "",
) -> EtsiList:
    """The list behind an address, once it lies at its place; else what spoke against it is raised."""
    from signing.trust_list.etsi import read_list  # noqa: PLC0415 - an optional part

    data, kept = ask(address, MAX_LIST_BYTES), _kept(place, signers, now)
    found = read_list(data, signers=tuple(signers), now=now, after=kept)
    if territory and found.territory != territory:
        raise Conflict(f"it is of {found.territory}, its signer's pointer of {territory}")
    # Else an older edition came back after a list of another kind that the same people signed.
    if kept and (found.territory, found.kind) != (kept.territory, kept.kind):
        raise Conflict(f"it is another list than that of {kept.territory} at hand: take another folder")
    replace_file(place, data, mode=READABLE)
    return found


def _kept(place: Path, signers: Collection[Certificate], now: datetime) -> EtsiList | None:
    """The list at hand, also one past its end: a newer one is compared with it."""
    from signing.trust_list.etsi import read_list  # noqa: PLC0415 - an optional part

    try:
        data = read_file(place, limit=MAX_LIST_BYTES)
        return read_list(data, signers=tuple(signers), now=now, is_ended_too=True)
    except (NotFound, MalformedInput, NotPermitted, Conflict):
        return None  # signed by who may not sign any more, or spoilt: it holds nobody up


def asking(outbound: Outbound) -> Ask:
    """What asks addresses by the one door to the outside; any status but 200 is `Unreachable`."""

    def ask(address: str, limit: int) -> bytes:
        answer = outbound.get(address, max_bytes=limit)
        if answer.status != 200:
            raise Unreachable(f"{address} answers with status {answer.status}")
        return answer.body

    return ask
