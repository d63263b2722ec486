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

MAX_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` at once, and then `per_minute`."""

    name: str
    burst: int
    per_minute: float


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


def caller_of(host: str) -> str:
    """Whom an anonymous limit counts: an IPv4 address, or a /64 of IPv6, which one customer has whole."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
