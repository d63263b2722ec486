"""Roots and trust lists as a trust office writes them down: TOML, turned into what its people sign.

    # root.toml                                 # list.toml
    name = "jincheng"                           name = "jincheng"
    version = 1                                 version = 7
    threshold = 2                               root_version = 1
    expires_at = 2027-11-20T00:00:00Z           next_update = 2026-12-01T00:00:00Z
    keys = ["li.pem", "wang.pem", "zhao.pem"]
                                                [[anchors]]
                                                certificate = "root.pem"
                                                usages = ["seal"]
                                                label = { zh = "城市根", en = "city root" }

                                                [[issuers]]
                                                name = { zh = "…", en = "…" }
                                                credit_code = "…"
                                                certificates = ["bureau.pem"]
                                                hosts = ["licences.city.example"]
                                                types = [{ vct = "…", type_code = "…", status = "granted", since = … }]

Files are seen from the TOML file's folder; keys are public keys or certificates in PEM. `type_code` may be
left out; a status is granted, suspended or withdrawn.
"""

from __future__ import annotations

import tomllib
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from signing.certificates import load_pem_chain, load_public_key
from signing.trust_list.contents import LIST_TYPE, TrustList
from signing.trust_list.reading import moment_text
from signing.trust_list.roots import ROOT_TYPE
from yinxin.base.errors import MalformedInput
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_FILE_BYTES = 1 << 20
_ROOT = frozenset({"name", "version", "threshold", "expires_at", "keys"})
_LIST = frozenset({"name", "version", "root_version", "next_update", "anchors", "issuers"})
_ISSUER = frozenset({"name", "credit_code", "certificates", "hosts", "types"})


def read_document(path: Path, *, now: datetime) -> tuple[dict[str, Any], str]:
    """The content to be signed, and its type; `MalformedInput` for a file that is neither kind."""
    try:
        table = tomllib.loads(read_file(path, limit=MAX_FILE_BYTES).decode("utf-8"))
        if table.keys() == _ROOT:
            return _root(table, path.parent), ROOT_TYPE
        if table.keys() == _LIST:
            content = _list(table, path.parent, now)
            TrustList.from_content(content)  # nobody is asked to sign what no verifier would read
            return content, LIST_TYPE
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise MalformedInput("trust list", f"{path.name}: {type(exc).__name__}: {exc}"[:200]) from exc
    wrong = ", ".join(sorted(table.keys() ^ (_ROOT if "keys" in table else _LIST)))
    raise MalformedInput("trust list", f"{path.name}: missing or unknown: {wrong}")


def _root(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    keys = [load_public_key(read_file(folder / name, limit=MAX_FILE_BYTES), name) for name in table["keys"]]
    ends = moment_text(_moment(table["expires_at"]))
    return {**table, "keys": [key.to_jwk() for key in keys], "expires_at": ends}


def _list(table: Mapping[str, Any], folder: Path, now: datetime) -> dict[str, Any]:
    return {
        **{name: table[name] for name in ("name", "version", "root_version")},
        "issued_at": moment_text(now),
        "next_update": moment_text(_moment(table["next_update"])),
        "anchors": [_anchor(row, folder) for row in table["anchors"]],
        "issuers": [_issuer(row, folder) for row in table["issuers"]],
    }


def _anchor(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    (certificate,) = load_pem_chain(read_file(folder / row["certificate"], limit=MAX_FILE_BYTES))
    return {**row, "certificate": b64encode(certificate.der).decode("ascii")}


def _issuer(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    if row.keys() != _ISSUER:
        raise ValueError(f"an issuer has {', '.join(sorted(_ISSUER))}")
    chains = [load_pem_chain(read_file(folder / name, limit=MAX_FILE_BYTES)) for name in row["certificates"]]
    return {
        "name": row["name"],
        "credit_code": row["credit_code"],
        "subjects": sorted({chain[0].subject for chain in chains}),
        "hosts": row["hosts"],
        "types": [
            {"type_code": None, **item, "since": moment_text(_moment(item["since"]))} for item in row["types"]
        ],
    }


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("a time is written with its offset, 2026-11-20T00:00:00Z")
    return value.astimezone(UTC)
