"""The limits of the service: how often and how much. Counting is `yinxin.base.buckets`."""

# ruff: noqa: RUF009 - a `Limit` is a frozen value
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.base.buckets import Buckets, Limit, caller_of

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Buckets", "Limit", "Limits", "address_of"]


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


def address_of(request: Request) -> str:
    """Whom an anonymous limit counts."""
    return caller_of(request.client.host if request.client else "")
