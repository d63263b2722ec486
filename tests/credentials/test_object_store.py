"""Documents in an object store: what it gives back is believed only when it is the document.

The store here is a small server of our own that checks each signature by the published rules (AWS Signature
Version 4), written apart from the library that signs. `test_a_real_object_store` drives one of other makers,
OpenStack Swift with its S3 interface, where its programs are installed.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from world.swift import Swift

from credentials.documents import DocumentStore
from credentials.documents.s3 import S3Address, S3Keys, S3Store
from yinxin.base.errors import MalformedInput, NotFound, NotPermitted, TooLarge, Unreachable, UsageError
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEYS = S3Keys("access-1", "the-secret-half")


class Bucket:
    """What lies in the server's bucket, and how it misbehaves."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refused = 0
        self.answer: Callable[[bytes], tuple[int, bytes, int]] = lambda body: (200, body, len(body))


@contextmanager
def serving(bucket: Bucket) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not signed(self, body):
                bucket.refused += 1
                self.say(403, b"<Error/>")
            elif self.command == "PUT":
                bucket.objects[self.path] = body
                self.say(200, b"")
            elif self.command == "DELETE":
                bucket.objects.pop(self.path, None)
                self.say(204, b"")
            elif self.path not in bucket.objects:
                self.say(404, b"")
            else:
                status, data, length = bucket.answer(bucket.objects[self.path])
                self.say(status, data, length)

        do_GET = do_PUT = do_HEAD = do_DELETE = do  # noqa: N815 - the base's names

        def say(self, status: int, data: bytes, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data) if length is None else length))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
            self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed(request: BaseHTTPRequestHandler, body: bytes) -> bool:
    """AWS Signature Version 4, by its published rules."""
    kind, _, rest = (request.headers.get("Authorization") or "").partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    access, _, scope = parts.get("Credential", "").partition("/")
    names = parts.get("SignedHeaders", "").split(";")
    said = hashlib.sha256(body).hexdigest()
    if kind != "AWS4-HMAC-SHA256" or access != KEYS.access_key or not {"host", "x-amz-date"} <= set(names):
        return False
    if request.headers.get("X-Amz-Content-SHA256") != said:
        return False
    headers = "".join(f"{name}:{(request.headers.get(name) or '').strip()}\n" for name in names)
    canonical = "\n".join([request.command, request.path, "", headers, ";".join(names), said])
    to_sign = "\n".join(
        [kind, request.headers["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = b"AWS4" + KEYS.secret_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), parts.get("Signature", ""))


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def endpoint(bucket: Bucket) -> Iterator[str]:
    with serving(bucket) as address:
        yield address


def store_at(endpoint: str, keys: S3Keys = KEYS, *, most: int = 65 << 20) -> DocumentStore:
    outbound = Outbound(allowed_private=["127.0.0.1"], max_bytes=most)
    address = S3Address.parse(f"s3://licences/a/b?endpoint={endpoint}&region=cn-north-1")
    return DocumentStore(S3Store(address, keys, outbound), b"k" * 32)


def test_a_document_comes_back(endpoint: str, bucket: Bucket) -> None:
    store = store_at(endpoint)
    digest = store.put(b"licence of Wang")
    assert store.put(b"licence of Wang") == digest
    assert store.get(digest) == b"licence of Wang"
    assert digest in store
    ((name, kept),) = bucket.objects.items()
    assert name.startswith("/licences/a/b/")
    assert digest not in name
    assert b"Wang" not in kept
    store.remove(digest)
    store.remove(digest)
    assert digest not in store
    with pytest.raises(NotFound):
        store.get(digest)
    assert bucket.refused == 0


def test_another_object_under_the_name_is_refused(endpoint: str, bucket: Bucket) -> None:
    store = store_at(endpoint)
    first, second = store.put(b"first"), store.put(b"second")
    names = list(bucket.objects)
    bucket.objects[names[0]], bucket.objects[names[1]] = bucket.objects[names[1]], bucket.objects[names[0]]
    for digest in (first, second):
        with pytest.raises(MalformedInput):
            store.get(digest)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda body: (200, body[:-1], len(body) - 1), MalformedInput),  # truncated, and says so
        (lambda body: (200, body[:-1], len(body)), Unreachable),  # truncated, and denies it
        (lambda _: (200, b"", 0), MalformedInput),
        (lambda body: (200, body + b"\0" * 70_000_000, len(body) + 70_000_000), TooLarge),
        (lambda body: (200, bytes(byte ^ 1 for byte in body), len(body)), MalformedInput),
        (lambda _: (403, b"", 0), Unreachable),
        (lambda _: (500, b"", 0), Unreachable),
        (lambda _: (307, b"", 0), Unreachable),
        (lambda _: (404, b"", 0), NotFound),
    ],
    ids=["short", "cut off", "empty", "huge", "changed", "forbidden", "broken", "elsewhere", "gone"],
)
def test_whatever_the_store_gives_only_the_document_comes_out(
    endpoint: str, bucket: Bucket, answer: Callable[[bytes], tuple[int, bytes, int]], error: type[Exception]
) -> None:
    store = store_at(endpoint)
    digest = store.put(b"licence" * 100)
    bucket.answer = answer
    with pytest.raises(error):
        store.get(digest)


def test_other_keys_open_nothing_and_are_never_said(
    endpoint: str, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = S3Keys("access-1", "another-secret")
    with pytest.raises(Unreachable) as caught:
        store_at(endpoint, wrong).put(b"licence")
    assert bucket.refused == 1
    store_at(endpoint).put(b"licence")
    said = f"{caplog.text}{caught.value}{wrong!r}{store_at(endpoint)._place!r}"
    assert "another-secret" not in said
    assert KEYS.secret_key not in said
    assert KEYS.access_key not in said


def test_the_way_out_keeps_its_rules(endpoint: str) -> None:
    address = S3Address.parse(f"s3://licences?endpoint={endpoint}")
    with pytest.raises(NotPermitted):  # a private address that nobody allowed
        S3Store(address, KEYS, Outbound()).has("0" * 64)


@pytest.mark.parametrize(
    "url",
    [
        "s3://licences",
        "s3://Licences?endpoint=https://s.example",
        "http://licences?endpoint=https://s.example",
        "s3://licences?endpoint=ftp://s.example",
        "s3://licences?endpoint=https://key:secret@s.example",
        "s3://licences?endpoint=https://s.example/path",
        "s3://licences?endpoint=https://s.example&endpoint=https://t.example",
        "s3://licences?endpoint=https://s.example&secret=1",
        "s3://licences/../x?endpoint=https://s.example?x",
        "s3://licences/a b?endpoint=https://s.example",
        "s3://licences?endpoint=https://s.example&region=a/b",
        "s3://[?endpoint=https://s.example",
    ],
)
def test_an_address_that_cannot_be_meant(url: str) -> None:
    with pytest.raises(UsageError):
        S3Address.parse(url)


def test_keys_come_from_a_file_that_errors_do_not_quote(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('access_key = "a"\nsecret_key = "hush"\n')
    assert S3Keys.read(file) == S3Keys("a", "hush")
    for text in ('secret_key = "hush"', "access_key = hush", 'access_key="a"\nsecret_key="hush"\nregion="x"'):
        file.write_text(text)
        with pytest.raises(UsageError) as caught:
            S3Keys.read(file)
        assert "hush" not in str(caught.value)
        assert caught.value.__cause__ is None or "hush" not in str(caught.value.__cause__)


@pytest.mark.peer
def test_a_real_object_store(tmp_path: Path) -> None:
    """OpenStack Swift, its S3 interface, on this machine; skipped where it is not installed."""
    with Swift(tmp_path) as swift:
        outbound = Outbound(allowed_private=["127.0.0.1"], max_bytes=65 << 20, timeout_seconds=30)
        address = S3Address.parse(f"s3://licences/sealed?endpoint={swift.endpoint}")
        place = S3Store(address, S3Keys(swift.access_key, swift.secret_key), outbound)
        swift.make_bucket(place, "licences")
        store = DocumentStore(place, b"k" * 32)
        documents = [b"", b"licence", bytes(range(256)) * 4096]
        digests = [store.put(document) for document in documents]
        assert [store.get(digest) for digest in digests] == documents
        assert store.put(documents[1]) == digests[1]
        store.remove(digests[1])
        store.remove(digests[1])
        assert [digest in store for digest in digests] == [True, False, True]
        with pytest.raises(NotFound):
            store.get(digests[1])
        wrong = S3Store(address, S3Keys(swift.access_key, "wrong"), outbound)
        with pytest.raises(Unreachable):
            DocumentStore(wrong, b"k" * 32).get(digests[0])
