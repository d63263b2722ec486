"""Rate limits: a token bucket for each caller, bounded in number, told in the answer's headers.

Buckets live in this process. Several workers let through as many times the limit; a shared store comes with
the distributed deployment.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from yinxin.base.errors import TooManyRequests

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

MAX_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` at once, and then `per_minute`."""

    name: str
    burst: int
    per_minute: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the service: how often, and how large a body."""

    anonymous: Limit = Limit("anonymous", 10, 20)
    anonymous_all: Limit = Limit("anonymous-all", 200, 1200)  # all of them together
    token: Limit = Limit("token", 30, 120)
    wallet: Limit = Limit("wallet", 60, 240)
    department: Limit = Limit("department", 600, 12_000)
    body_bytes: int = 28 << 20  # 20 MiB as base64 in JSON
    anonymous_body_bytes: int = 3 << 20
    form_bytes: int = 16 * 1024
    response_bytes: int = 2 << 20  # what a wallet posts

    @classmethod
    def of(cls, anonymous_per_minute: int, department_per_minute: int) -> Limits:
        """These rates; a tenth of a minute's requests, but at least ten, may come at once."""
        return cls(
            anonymous=Limit("anonymous", max(10, anonymous_per_minute // 10), anonymous_per_minute),
            department=Limit("department", max(10, department_per_minute // 10), department_per_minute),
        )


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


@dataclass
class Buckets:
    """The buckets of one limit, the longest unused forgotten first."""

    limit: Limit
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def take(self, caller: str, *, now: datetime) -> dict[str, str]:
        """Take one token; the headers that say how it stands, or `TooManyRequests`."""
        bucket = self._buckets.pop(caller, None) or _Bucket(self.limit.burst, now)
        per_second = self.limit.per_minute / 60
        passed = max(0.0, (now - bucket.at).total_seconds())
        bucket.tokens = min(float(self.limit.burst), bucket.tokens + passed * per_second)
        bucket.at = now
        self._buckets[caller] = bucket
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            wait = timedelta(seconds=(1 - bucket.tokens) / per_second)
            raise TooManyRequests("the rate limit is reached", retry_after=wait)
        bucket.tokens -= 1
        return self.headers(bucket.tokens)

    def headers(self, left: float = 0.0) -> dict[str, str]:
        """RateLimit headers (draft-ietf-httpapi-ratelimit-headers)."""
        whole = max(1, int(self.limit.burst * 60 / self.limit.per_minute))
        return {
            "RateLimit-Policy": f'"{self.limit.name}";q={self.limit.burst};w={whole}',
            "RateLimit": f'"{self.limit.name}";r={int(left)};t={max(1, int(60 / self.limit.per_minute))}',
        }


def address_of(request: Request) -> str:
    """Whom an anonymous limit counts: an IPv4 address, or a /64 of IPv6, which one customer has whole."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
