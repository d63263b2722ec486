"""Whatever an issuer says, a wallet reads it or refuses it: nothing else comes out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credentials.catalogue import Catalogue
from credentials.oid4vci.forms import CopyForms
from credentials.oid4vci.metadata import issuer_metadata, server_metadata
from credentials.samples import AGENCY
from wallet.keys import HolderKey
from wallet.receiving import delivery, tokens
from wallet.receiving.authorization import Pending, code_of, state_of
from wallet.receiving.metadata import MAX_COPIES, read_issuer_metadata, read_server_metadata
from wallet.receiving.wire import JSON, _accepted, _wants_nonce, read_json
from wallet.sources import Grant, Source, Way
from wallet.words import displayed, plain
from yinxin.base.errors import MalformedInput, YinxinError
from yinxin.base.outbound import Response
from yinxin.base.text import Text

URL, TYPE = "https://issuer.example/agency", "food-business-licence"
WHOLE = issuer_metadata(URL, forms=CopyForms(Catalogue.load(), with_mdoc=False), agency=AGENCY)
KINDS = "credential_configurations_supported"
ISSUER = {**WHOLE, KINDS: {TYPE: WHOLE[KINDS][TYPE]}}
SERVER = server_metadata(URL, scopes=[TYPE], with_code=True)
TOKENS = {
    "access_token": "a-token-of-the-server",
    "token_type": "DPoP",
    "refresh_token": "r",
    "authorization_details": [
        {
            "type": "openid_credential",
            "credential_configuration_id": TYPE,
            "credential_identifiers": ["x"],
        }
    ],
}
KEYS = tuple(HolderKey.generate() for _ in range(2))
WAYS = (Way(TYPE), Way(TYPE, "x.mdoc", "mso_mdoc"))
SOURCE = Source(URL, Text("机关", "Office"), WAYS, Text("证", "Licence"), {"name": Text("名", "Name")})
PENDING = Pending(
    "state", URL, URL, (TYPE,), "https://wallet.example/cb", "wallet", "verifier", None, datetime.now(UTC)
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


# A loaded machine is no fault of the wallet's.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for step, inner in rows for place in places(inner, (*path, step)))]


def put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """The document with another value at one place."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], other)
    return copy


def mutants(document: dict[str, Any]) -> st.SearchStrategy[Any]:
    every = [place for place in places(document) if place and len(place) < 6][:400]
    return st.builds(
        lambda changes: _all(document, changes),
        st.lists(st.tuples(st.sampled_from(every), ANYTHING), min_size=1, max_size=3),
    )


def _all(document: Any, changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    for path, other in changes:
        with suppress(KeyError, IndexError, TypeError, AttributeError):
            document = put(document, path, other)
    return document


@CALM
@given(mutants(ISSUER))
def test_issuer_metadata(document: Any) -> None:
    with suppress(YinxinError):
        found = read_issuer_metadata(document, issuer=URL, wanted=[TYPE])
        assert found.issuer == URL
        assert 1 <= found.batch_size <= MAX_COPIES
        assert found.credential_endpoint.startswith("https://")
        kind = found.types[TYPE]
        for text in (found.name, kind.name, *kind.labels.values()):
            assert text.zh.isprintable()
            assert text.en.isprintable()


@CALM
@given(mutants(SERVER))
def test_server_metadata(document: Any) -> None:
    with suppress(YinxinError):
        found = read_server_metadata(document, server=URL)
        assert found.issuer == URL
        assert found.token_endpoint.startswith("https://")


@CALM
@given(mutants(TOKENS), st.booleans())
def test_tokens(answer: Any, bound: bool) -> None:  # noqa: FBT001 - a case
    with suppress(YinxinError):
        found = tokens._read(answer, KEYS[0] if bound else None)
        assert found.access.text.isascii()
        assert found.access.text.isprintable()
        assert len(found.access.text) < 8 or found.access.text not in repr(found)


@CALM
@given(mutants({"credentials": [{"credential": "a"}, {"credential": "b"}], "notification_id": "n"}))
def test_deliveries(answer: Any) -> None:
    with suppress(YinxinError):
        found = delivery._read(answer, delivery.Wanted(SOURCE, "urn:x"), KEYS)
        assert 1 <= len(found.credentials) <= len(KEYS)


@CALM
@given(st.integers(100, 599), st.text(), st.binary() | ANYTHING.map(lambda value: str(value).encode()))
def test_answers(status: int, kind: str, body: bytes) -> None:
    for named in (kind, JSON):
        answer = Response(status, {"content-type": named, "dpop-nonce": "n"}, body)
        _wants_nonce(answer)
        for read in (_accepted, read_json):
            with suppress(YinxinError):
                read(answer)


@CALM
@given(st.text() | st.dictionaries(st.sampled_from(["state", "code", "iss", "error", "x"]), st.text()))
def test_callbacks(said: Any) -> None:
    text = said if isinstance(said, str) else f"{PENDING.redirect_uri}?{urlencode(said, errors='replace')}"
    with suppress(YinxinError):
        state_of(text)
    with suppress(YinxinError):
        code = code_of(text, PENDING, names_itself=True)
        assert said["iss"] == URL
        assert code == said["code"]


@CALM
@given(ANYTHING)
def test_names(value: Any) -> None:
    assert plain(value).isprintable()
    found = displayed(value, "x")
    assert found.zh.isprintable()
    assert found.en
    assert "\n" not in found.zh + found.en


@CALM
@given(
    mutants(SOURCE.to_dict())
    | mutants(Grant("g", URL, URL, "r", None).to_dict())
    | mutants(PENDING.to_dict())
)
def test_what_lies_in_the_store(row: Any) -> None:
    """A store is ours; one that was damaged is a clear error all the same."""
    for read in (Source.from_dict, lambda data: Grant.from_dict("g", data), Pending.from_dict):
        with suppress(MalformedInput):
            read(row)


def test_what_is_kept_reads_as_it_was() -> None:
    assert Source.from_dict(SOURCE.to_dict()) == SOURCE
    assert Pending.from_dict(PENDING.to_dict()) == PENDING
    grant = Grant("g", URL, URL, "r", KEYS[0], "wallet")
    read = Grant.from_dict("g", grant.to_dict())
    assert read.key is not None
    assert read.key.public_key == KEYS[0].public_key
    assert "'r'" not in repr(grant)
    with pytest.raises(MalformedInput):
        Grant.from_dict("g", {})
