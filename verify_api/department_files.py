"""Departments as an administrator writes them down: one TOML file for each, to be proposed and approved.

    id = "urn:jincheng:market-counter"
    name = { zh = "津城区市场监督管理局窗口", en = "Jincheng market regulation counter" }
    credit_code = "11120101MB1A000000"
    keys = ["market-counter.pem"]           # public keys or certificates (PEM), seen from this file; or a JWK

    [[grants]]
    purpose = "market-entry"
    matter = "food-licence-renewal"
    fields = { business-licence = ["enterprise_name", "credit_code"] }

What it says is checked when it is proposed (`verify_api.departments`); here only its form is.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from signing.certificates import load_public_key
from verify_api.departments import Department
from yinxin.base.errors import MalformedInput
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_FILE_BYTES, MAX_KEY_BYTES = 256 * 1024, 64 * 1024
_MEMBERS = frozenset({"id", "name", "credit_code", "keys", "grants"})


def read_department(path: Path) -> Department:
    """The department that a file describes; `MalformedInput` names what is missing, unknown or unreadable."""
    try:
        content = tomllib.loads(read_file(path, limit=MAX_FILE_BYTES).decode("utf-8"))
    except ValueError as exc:
        raise MalformedInput("department", f"{path.name} is not TOML: {exc}") from exc
    if content.keys() != _MEMBERS:
        wrong = ", ".join(sorted(content.keys() ^ _MEMBERS))
        raise MalformedInput("department", f"missing or unknown: {wrong}")
    keys = content["keys"]
    if not isinstance(keys, list) or not keys:
        raise MalformedInput("department", "keys is a list of PEM files or JWKs")
    return Department.from_dict({**content, "keys": [_jwk(entry, beside=path.parent) for entry in keys]})


def _jwk(entry: object, *, beside: Path) -> Mapping[str, Any]:
    if isinstance(entry, dict):
        return entry
    if not isinstance(entry, str):
        raise MalformedInput("department", "a key is the name of a PEM file, or a JWK")
    return load_public_key(read_file(beside / entry, limit=MAX_KEY_BYTES), entry).to_jwk()
