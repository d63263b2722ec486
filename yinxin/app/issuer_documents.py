"""What issuers of credentials publish beside them: their keys, and the documents of their types.

Part of each refresh (`yinxin.app.refresh`). Keys are asked of the issuers for which the policy says that they
count, types of the addresses in the settings. What cannot be had, or is not right, stays as it was; keys count
for a day after they were fetched, whatever happens here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from credentials.known_types import MAX_DOCUMENTS_BYTES, MAX_INDEX_BYTES, KnownTypes, read_index
from credentials.published_keys import MAX_BYTES, PublishedKeys, key_set_url, metadata_url
from credentials.type_metadata import integrity_of
from yinxin.base.errors import TooLarge, Unreachable, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from yinxin.app.network import Fetched

_log = logging.getLogger("yinxin.refresh")


class Order(Protocol):
    """What is asked first: names in an order, where `at` gives the address that is asked for one."""

    def __call__(self, urls: Iterable[str], at: Callable[[str], str] = str) -> list[str]:
        """All of them."""
        ...


def _as_given(urls: Iterable[str], at: Callable[[str], str] = str) -> list[str]:  # noqa: ARG001 - an Order
    return list(urls)


class IssuerDocuments:
    """The last good answers of issuers.

    `ask` fetches an address, at most so many bytes; `order` says what is asked first.
    """

    def __init__(self, ask: Callable[[str, int], Fetched], *, order: Order = _as_given) -> None:
        """Nothing is fetched yet."""
        self._ask, self._order = ask, order
        self._keys: dict[str, PublishedKeys] = {}
        self._documents: dict[str, Mapping[str, list[bytes]]] = {}
        self._begun: dict[str, Mapping[str, bytes]] = {}  # of an index that was not fetched to its end
        self._types: KnownTypes | None = None

    def keys(self, issuers: frozenset[str]) -> dict[str, PublishedKeys]:
        """The keys of these issuers, by their `iss`; an issuer that the policy names no more is dropped."""
        for issuer in self._order(sorted(issuers), metadata_url):
            try:
                self._keys[issuer] = self._fetch_keys(issuer)
            except YinxinError as error:
                _log.warning("not refreshed: keys of %s (%s)", issuer, error.code)
        self._keys = {issuer: kept for issuer, kept in self._keys.items() if issuer in issuers}
        return dict(self._keys)

    def types(self, indexes: tuple[str, ...]) -> KnownTypes | None:
        """The types that these indexes name, None where the settings name none."""
        if not indexes:
            return None
        for url in self._order(indexes):
            try:
                self._documents[url] = self._fetch_types(url)
            except YinxinError as error:
                _log.warning("not refreshed: %s (%s)", url, error.code)
        together: dict[str, list[bytes]] = {}
        for url in indexes:
            for vct, documents in self._documents.get(url, {}).items():
                # Of two issuers that describe one type the first in the settings is believed.
                together.setdefault(vct, documents)
        fresh = KnownTypes(together)
        if self._types is None or self._types.digest != fresh.digest:
            self._types = fresh
        return self._types

    def _fetch_keys(self, issuer: str) -> PublishedKeys:
        found = self._ask(metadata_url(issuer), MAX_BYTES)
        place = key_set_url(found.body, issuer=issuer)
        apart = None if place is None else self._ask(place, MAX_BYTES)
        at = found.at if apart is None else min(found.at, apart.at)
        return PublishedKeys.read(found.body, issuer=issuer, at=at, key_set=apart.body if apart else None)

    def _fetch_types(self, url: str) -> Mapping[str, list[bytes]]:
        """The documents by `vct`; one that is at hand by its integrity value is not asked for again.

        Nor is one of a round that broke off: a slow server is asked for the rest in the next one.
        """
        before = self._documents.get(url, {})
        kept = {integrity_of(document): document for each in before.values() for document in each}
        kept |= self._begun.get(url, {})
        documents: dict[str, list[bytes]] = {}
        used: dict[str, bytes] = {}
        size = 0
        for entry in read_index(self._ask(url, MAX_INDEX_BYTES).body, url=url):
            document = kept.get(entry.integrity)
            if document is None:
                try:
                    document = entry.accept(self._ask(entry.url, MAX_INDEX_BYTES).body)
                except Unreachable:
                    self._begun[url] = used
                    raise
                kept[entry.integrity] = document
            used[entry.integrity] = document
            size += len(document)
            if size > MAX_DOCUMENTS_BYTES:
                raise TooLarge("index of types", f"its documents are over {MAX_DOCUMENTS_BYTES} bytes")
            documents.setdefault(entry.vct, []).append(document)
        self._begun.pop(url, None)
        return documents
