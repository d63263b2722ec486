"""Claim paths: how a caller names a claim anywhere in a credential.

A path is a tuple of member names and array positions, `None` standing for every element of an array, as
in SD-JWT VC type metadata and DCQL. A plain text is the top-level claim of that name, whatever
characters it has.
"""

from __future__ import annotations

from typing import TypeAlias

from yinxin.base.errors import UsageError

Step: TypeAlias = str | int | None
Path: TypeAlias = tuple[Step, ...]
ClaimPath: TypeAlias = str | Path


def as_path(claim: ClaimPath) -> Path:
    """The tuple form; `UsageError` for anything that is no path."""
    path = (claim,) if isinstance(claim, str) else tuple(claim)
    for step in path:
        if step is None or isinstance(step, str) or (type(step) is int and step >= 0):
            continue
        raise UsageError(f"{claim!r} is not a claim path")
    if not path:
        raise UsageError("a claim path names at least one claim")
    return path


def covers(wanted: Path, place: Path) -> bool:
    """Whether `place` is the claim that `wanted` names, or lies below it."""
    return len(wanted) <= len(place) and all(map(_fits, wanted, place))


def leads_to(wanted: Path, place: Path) -> bool:
    """Whether `place` lies on the way to the claim that `wanted` names, or is it."""
    return len(place) <= len(wanted) and all(map(_fits, wanted, place))


def select(claims: object, wanted: Path) -> list[object]:
    """The values that a path names; empty when there are none."""
    found = [claims]
    for step in wanted:
        found = [inner for value in found for inner in _children(value, step)]
    return found


def to_text(path: Path) -> str:
    """For people and messages: `address.street`, `scopes[0]`, `scopes[]`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, str):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append("[]" if step is None else f"[{step}]")
    return "".join(parts)


def _fits(wanted: Step, step: Step) -> bool:
    return isinstance(step, int) if wanted is None else wanted == step


def _children(value: object, step: Step) -> list[object]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    if step is None:
        return list(value)
    return [value[step]] if step < len(value) else []
