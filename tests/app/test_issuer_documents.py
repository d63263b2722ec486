"""Keys and types of issuers, as each refresh asks for them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta

from world.pki import NOON

from credentials.known_types import MAX_INDEX_BYTES, KnownTypes
from credentials.published_keys import describe_keys
from credentials.type_metadata import integrity_of
from signing.signers.file import FileSigner
from yinxin.app.issuer_documents import IssuerDocuments
from yinxin.app.network import Fetched
from yinxin.base.errors import TooLarge, Unreachable

ISSUER = "https://licences.example/office"
KEYS = "https://licences.example/.well-known/jwt-vc-issuer/office"
TYPES = f"{ISSUER}/types"
ONE, TWO = b'{"vct":"urn:one"}', b'{"vct":"urn:two"}'


@dataclass
class City:
    """What stands at addresses, and what was asked."""

    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    now = NOON

    def ask(self, url: str, limit: int) -> Fetched:
        self.asked.append(url)
        if url not in self.pages:
            raise Unreachable(url)
        if len(self.pages[url]) > limit:
            raise TooLarge(url, "over its limit")
        return Fetched(self.pages[url], self.now)

    def publish(self, *keys: FileSigner) -> None:
        described = describe_keys(ISSUER, [one.public_key for one in keys])
        self.pages[KEYS] = json.dumps(described).encode()

    def index(self, **documents: bytes) -> None:
        rows = [
            {"vct": f"urn:{name}", "type": name, "version": 1, "integrity": integrity_of(document)}
            for name, document in documents.items()
        ]
        self.pages[TYPES] = json.dumps({"types": rows}).encode()
        self.pages |= {f"{TYPES}/{name}/1": document for name, document in documents.items()}


def kids(documents: IssuerDocuments) -> set[str]:
    found = documents.keys(frozenset({ISSUER}))
    return {kid for keys in found.values() for kid, _ in keys.keys}


def test_the_last_good_keys_stay_while_their_issuer_cannot_be_asked() -> None:
    city, old, new = City(), FileSigner.generate(), FileSigner.generate()
    documents = IssuerDocuments(city.ask)
    assert kids(documents) == set()
    city.publish(old)
    assert kids(documents) == {old.public_key.thumbprint}
    fetched = documents.keys(frozenset({ISSUER}))[ISSUER].fetched_at
    city.pages[KEYS], city.now = b"<html>", NOON + timedelta(hours=1)
    assert documents.keys(frozenset({ISSUER}))[ISSUER].fetched_at == fetched, "no younger for being asked"
    city.publish(old, new)
    assert kids(documents) == {old.public_key.thumbprint, new.public_key.thumbprint}
    city.publish(new)
    assert kids(documents) == {new.public_key.thumbprint}, "what is published no more counts no more"


def test_nobody_else_is_asked_and_a_dropped_issuer_is_forgotten() -> None:
    city = City()
    documents = IssuerDocuments(city.ask)
    city.publish(FileSigner.generate())
    assert documents.keys(frozenset({ISSUER}))
    assert documents.keys(frozenset()) == {}
    assert city.asked == [KEYS]


def test_keys_that_stand_apart_are_as_old_as_the_older_of_both() -> None:
    city, key = City(), FileSigner.generate()
    sets = "https://keys.example/set"
    city.pages[KEYS] = json.dumps({"issuer": ISSUER, "jwks_uri": sets}).encode()
    city.pages[sets] = json.dumps(describe_keys(ISSUER, [key.public_key])["jwks"]).encode()
    assert kids(IssuerDocuments(city.ask)) == {key.public_key.thumbprint}


def test_a_type_is_asked_for_once() -> None:
    city = City()
    documents = IssuerDocuments(city.ask)
    assert documents.types(()) is None
    city.index(one=ONE)
    first = documents.types((TYPES,))
    assert documents.types((TYPES,)) is first
    assert city.asked.count(f"{TYPES}/one/1") == 1
    city.index(one=ONE, two=TWO)
    second = documents.types((TYPES,))
    assert second is not None
    assert second.digest == KnownTypes({"urn:one": [ONE], "urn:two": [TWO]}).digest
    assert city.asked.count(f"{TYPES}/one/1") == 1


def test_a_document_that_its_index_does_not_mean_changes_nothing() -> None:
    city = City()
    documents = IssuerDocuments(city.ask)
    city.index(one=ONE)
    before = documents.types((TYPES,))
    city.index(one=b'{"vct":"urn:one","claims":[]}')
    city.pages[f"{TYPES}/one/1"] = ONE
    assert documents.types((TYPES,)) is before


def test_an_index_of_more_than_can_be_kept_changes_nothing() -> None:
    city = City()
    documents = IssuerDocuments(city.ask)
    city.index(one=ONE)
    before = documents.types((TYPES,))
    many = {f"t{number}": b'{"n":%d}' % number + b" " * (MAX_INDEX_BYTES - 16) for number in range(17)}
    city.index(one=ONE, **many)
    assert documents.types((TYPES,)) is before


def test_of_two_that_describe_one_type_the_first_in_the_settings_is_believed() -> None:
    city = City()
    city.index(one=ONE)
    other = "https://other.example/types"
    forged = b'{"vct":"urn:one","claims":[]}'
    rows = [{"vct": "urn:one", "type": "one", "version": 1, "integrity": integrity_of(forged)}]
    city.pages |= {other: json.dumps({"types": rows}).encode(), f"{other}/one/1": forged}
    found = IssuerDocuments(city.ask).types((TYPES, other))
    assert found is not None
    assert found.digest == KnownTypes({"urn:one": [ONE]}).digest
