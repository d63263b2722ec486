"""An object store that speaks S3 as a place for documents: signed here, sent by our one way out.

Requests are signed by botocore, which AWS keeps, and leave through `yinxin.base.outbound`, bound by its
rules. Nothing of botocore opens a connection, reads a configuration or looks for credentials. Only four plain
requests are made, with addresses by path: what every S3-compatible store has.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from yinxin.base.errors import Unreachable, UsageError
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from yinxin.base.outbound import Outbound, Response

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_PREFIX = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*\Z")
_REGION = re.compile(r"[a-z0-9-]{1,40}\Z")
_SMALL = 64 * 1024  # an answer that holds no document


@dataclass(frozen=True, slots=True)
class S3Keys:
    """The two halves of an access key; neither is ever shown."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> S3Keys:
        """From a TOML file with `access_key` and `secret_key`, which only the service reads."""
        try:
            table = tomllib.loads(read_file(path, limit=_SMALL).decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            # Without the cause: it may quote a line of the file.
            raise UsageError(f"{path} is not TOML with access_key and secret_key") from exc
        found = [table.get(name) for name in ("access_key", "secret_key")]
        if set(table) != {"access_key", "secret_key"} or not all(
            isinstance(one, str) and one for one in found
        ):
            raise UsageError(f"{path} must hold access_key and secret_key, and nothing else")
        return cls(str(found[0]), str(found[1]))


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where documents lie: `s3://bucket/prefix?endpoint=https://store.example&region=cn-north-1`."""

    endpoint: str
    bucket: str
    prefix: str = ""
    region: str = "us-east-1"

    @classmethod
    def parse(cls, url: str) -> S3Address:
        """The address in this text; `UsageError` says what is wrong with it."""
        try:
            parts = urlsplit(url)
            query = parse_qs(parts.query, strict_parsing=True, max_num_fields=4) if parts.query else {}
            endpoint = urlsplit(_one(query, "endpoint", ""))
        except ValueError as exc:
            raise UsageError("the address of the object store is not a URL") from exc
        prefix, region = parts.path.strip("/"), _one(query, "region", "us-east-1")
        if parts.scheme != "s3" or not _BUCKET.match(parts.netloc):
            raise UsageError("the address of the object store begins with s3:// and a bucket's name")
        if set(query) - {"endpoint", "region"}:
            raise UsageError("the address of the object store has endpoint and region, and nothing else")
        if endpoint.scheme not in {"https", "http"} or not endpoint.hostname or endpoint.path.strip("/"):
            raise UsageError("the object store needs an endpoint such as https://store.example")
        if endpoint.username or endpoint.query or endpoint.fragment:
            raise UsageError("keys of the object store stand in their file, never in its address")
        if (prefix and not _PREFIX.match(prefix)) or not _REGION.match(region):
            raise UsageError("prefix and region of the object store are plain letters, digits and hyphens")
        return cls(f"{endpoint.scheme}://{endpoint.netloc}", parts.netloc, prefix, region)

    def url(self, name: str) -> str:
        """The address of one object."""
        path = "/".join(part for part in (self.bucket, self.prefix, name) if part)
        return f"{self.endpoint}/{path}"


class S3Store:
    """Objects of one bucket, below one prefix."""

    def __init__(self, address: S3Address, keys: S3Keys, outbound: Outbound) -> None:
        self._address, self._keys, self._outbound = address, keys, outbound

    def write(self, name: str, data: bytes) -> None:
        """Keep these bytes; the signature covers them, so that the store refuses others."""
        answer = self._ask("PUT", name, data)
        if answer.status not in {200, 201, 204}:
            raise _refused("keep", answer)

    def read(self, name: str, *, limit: int) -> bytes | None:
        """The bytes of a name, None when there are none."""
        answer = self._ask("GET", name, limit=limit)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise _refused("give", answer)
        return answer.body

    def has(self, name: str) -> bool:
        """Whether something is kept under a name."""
        answer = self._ask("HEAD", name)
        if answer.status not in {200, 404}:
            raise _refused("find", answer)
        return answer.status == 200

    def remove(self, name: str) -> None:
        """Forget a name, if it is there."""
        answer = self._ask("DELETE", name)
        if answer.status not in {200, 202, 204, 404}:
            raise _refused("remove", answer)

    def _ask(self, method: str, name: str, data: bytes | None = None, *, limit: int = _SMALL) -> Response:
        url = self._address.url(name)
        headers = _signed(method, url, data, self._keys, self._address.region)
        return self._outbound.send(method, url, body=data, headers=headers, max_bytes=limit)


def _one(query: Mapping[str, list[str]], name: str, otherwise: str) -> str:
    values = query.get(name, [otherwise])
    if len(values) != 1:
        raise ValueError(name)
    return values[0]


def _signed(method: str, url: str, data: bytes | None, keys: S3Keys, region: str) -> dict[str, str]:
    """The headers of a request with its signature (AWS Signature Version 4)."""
    try:
        from botocore.auth import S3SigV4Auth  # noqa: PLC0415 - an optional part
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - the same
        from botocore.credentials import Credentials  # noqa: PLC0415 - the same
    except ImportError as exc:
        raise UsageError("an object store needs the extra: yinxin[s3]") from exc
    request = AWSRequest(method, url, data=data or b"")
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(keys.access_key, keys.secret_key), "s3", region).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


def _refused(verb: str, answer: Response) -> Unreachable:
    return Unreachable(f"the object store does not {verb} the document: it answers {answer.status}")
