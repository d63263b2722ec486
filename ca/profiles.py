"""Certificate profiles: the rules that a certificate of one kind obeys.

The rows stand in `profiles.toml`, which an office may replace by its own. What a profile is for comes
from `signing.usages`, so that issuance and path validation cannot drift apart. Building a certificate is
`ca.template`, checking one against its profile is `ca.lint`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ca.names import FIELDS
from signing import der
from signing.usages import Usage, usage
from yinxin.base.errors import MalformedInput, UnknownProfile
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY_KINDS = frozenset({"P-256", "P-384", "RSA", "Ed25519", "SM2"})
MAX_DAYS = 36500
_FLAGS = {"authority", "organisation_identifier", "approved", "proofed", "dns_names", "no_check"}
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a certificate of one kind must and may hold; `profiles.toml` explains each field."""

    code: str
    name: Text
    usage: Usage | None
    issued_by: frozenset[str]
    valid_for: timedelta
    keys: frozenset[str]
    required: frozenset[str]
    allowed: frozenset[str]
    authority: bool = False
    path_length: int | None = None
    identity: str | None = None  # object identifier of the identity extension
    organisation_identifier: bool = False
    approved: bool = False
    proofed: bool = False
    dns_names: bool = False
    no_check: bool = False

    def subject_faults(self, present: frozenset[str]) -> list[str]:
        """Which fields of a subject's name are missing, or may not be there."""
        missing = [f"subject lacks {name}" for name in sorted(self.required - present)]
        extra = [f"subject may not have {name}" for name in sorted(present - self.required - self.allowed)]
        return missing + extra


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles of an authority, by code."""

    rows: Mapping[str, Profile] = field(repr=False)

    def __getitem__(self, code: str) -> Profile:
        try:
            return self.rows[code]
        except KeyError as exc:
            raise UnknownProfile(f"{code!r}; known: {', '.join(sorted(self.rows))}") from exc

    @classmethod
    def load(cls, path: Path | None = None) -> Profiles:
        """The built-in profiles, or those of a TOML file; `MalformedInput` names the first fault."""
        if path is None:
            return _built_in()
        try:
            return cls.from_toml(path.read_bytes())
        except OSError as exc:
            raise MalformedInput("profiles", f"cannot read {path}: {exc.strerror}") from exc

    @classmethod
    def from_toml(cls, data: bytes) -> Profiles:
        """The profiles of a TOML text."""
        try:
            document = tomllib.loads(data.decode())
            identity = document["identity"]["credit_code"]
            der.oid(identity)
            rows = {code: _profile(code, dict(row), identity) for code, row in document["profiles"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise MalformedInput("profiles", f"{type(exc).__name__}: {exc}"[:200]) from exc
        return cls(rows)


@lru_cache(maxsize=1)
def _built_in() -> Profiles:
    return Profiles.from_toml(resources.files("ca").joinpath("profiles.toml").read_bytes())


def _profile(code: str, row: dict[str, Any], identity: str) -> Profile:
    days, use = row.pop("valid_days"), row.pop("usage", None)
    if type(days) is not int or not 0 < days <= MAX_DAYS:
        raise ValueError(f"{code}: valid_days is not a number of days")
    sets: dict[str, Any] = {
        name: _words(code, name, row.pop(name)) for name in ("issued_by", "keys", "required", "allowed")
    }
    flags: dict[str, Any] = {name: _flag(row.pop(name)) for name in _FLAGS & row.keys()}
    profile = Profile(
        code=code,
        name=Text(**row.pop("name")),
        usage=usage(use) if use is not None else None,
        valid_for=timedelta(days=days),
        identity=identity if _flag(row.pop("identity", False)) else None,
        path_length=row.pop("path_length", None),
        **sets,
        **flags,
        **row,
    )
    _check(profile)
    return profile


def _words(code: str, name: str, value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"{code}: {name} is not a list of words")
    return frozenset(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 - from_toml translates it
    return value


def _check(profile: Profile) -> None:
    length = profile.path_length
    faults = {
        "an authority has no usage, every other profile has one": profile.authority == bool(profile.usage),
        "keys": not profile.keys or not KEY_KINDS.issuperset(profile.keys),
        "fields of the subject": not FIELDS.issuperset(profile.required | profile.allowed),
        "a field is both required and allowed": bool(profile.required & profile.allowed),
        "only authorities have a path length": length is not None and not profile.authority,
        "path length is no small number": length is not None
        and (type(length) is not int or length not in range(8)),
        "code": not _CODE.fullmatch(profile.code),
        "no proofing without approval": profile.proofed and not profile.approved,
    }
    for fault, found in faults.items():
        if found:
            raise ValueError(f"{profile.code}: {fault}")
