"""Functions for worker processes: well-behaved and otherwise."""

from __future__ import annotations

import os
from typing import Any


def double(value: int) -> int:
    return 2 * value


def echo(shared: dict[str, int], name: str) -> list[int]:
    return [shared[name], os.getpid()]


def spin() -> None:
    while True:
        pass


def die() -> None:
    os._exit(3)


def fail() -> None:
    raise RuntimeError("no")


def eat(size_bytes: int) -> int:
    return len(bytearray(size_bytes))


def recurse(depth: int = 0) -> Any:
    return recurse(depth + 1) + 1


def unspeakable() -> object:
    return object()
