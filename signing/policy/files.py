"""A validation policy as a TOML file: strict keys, because a misspelt demand is a demand that is not made.

    format = 1
    name = "market-bureau"
    version = "2026-11"
    strength = "etsi-ts-119-312-1.5.1"
    required_level = "B-T"

    [anchors]                      # SHA-256 of the certificate → the uses it may serve, [] for all
    "5f2c…" = ["seal", "timestamp"]

    [licence_types.food-business-licence]
    required_level = "B-LT"
    usages = ["seal"]

    [issuer_keys]                  # how the keys of an issuer of credentials are found: x5c or metadata
    "https://licences.city.example" = "metadata"

The other keys are the fields of `signing.policy.Policy`; durations are `clock_skew_seconds` and
`max_revocation_age_seconds`, ends of algorithms a table `[algorithm_ends]` of name and date.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from signing.policy.levels import SIGNER_USAGES, Demand, Level
from signing.policy.strength import end_of
from yinxin.base.errors import MalformedInput, TooLarge
from yinxin.base.toml import toml_text, toml_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT = 1
MAX_POLICY_BYTES = 64 * 1024
MAX_TEXT = 200
_IDENTIFIER = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38})){1,63}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_ISSUER = re.compile(r"https://[!-~]{1,2000}")
_TYPE_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DURATIONS = {"clock_skew_seconds": "clock_skew", "max_revocation_age_seconds": "max_revocation_age"}
_LONGEST_SECONDS = 100 * 365 * 86400
_DEMAND = {"required_level", "usages"}


def read_fields(data: bytes) -> dict[str, Any]:
    """The fields that a policy file sets; `MalformedInput` for an unknown key or a value of another kind."""
    if len(data) > MAX_POLICY_BYTES:
        raise TooLarge("policy", f"over {MAX_POLICY_BYTES} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8"))
        _known_format(table.pop("format", FORMAT))
        demand = {key: table.pop(key) for key in sorted(_DEMAND & table.keys())}
        found = {_field(key): _value(key, value) for key, value in table.items()}
        return {**found, **({"demand": _demand(demand)} if demand else {})}
    except (ValueError, RecursionError) as exc:
        raise MalformedInput("policy", str(exc)[:200]) from exc


def write_fields(fields: Mapping[str, Any]) -> str:
    """A file that says every field."""
    rest = dict(fields)
    demand: Demand = rest.pop("demand")
    ends, anchors, types = (rest.pop(name) for name in ("algorithm_ends", "anchors", "licence_types"))
    keys = rest.pop("issuer_keys")
    lines = [f"format = {FORMAT}"]
    lines += [line for name, value in rest.items() if (line := _line(name, value))]
    lines += _demand_lines(demand)
    if ends:
        lines += ["", "[algorithm_ends]", *(f"{toml_text(name)} = {end:%Y-%m-%d}" for name, end in ends)]
    if anchors:
        lines += ["", "[anchors]", *(f'"{one}" = {toml_texts(sorted(uses))}' for one, uses in anchors)]
    if keys:
        lines += ["", "[issuer_keys]", *(f"{toml_text(name)} = {toml_text(way)}" for name, way in keys)]
    for code, own in types:
        lines += ["", f"[licence_types.{code}]", *_demand_lines(own)]
    return "\n".join(lines) + "\n"


def _known_format(value: Any) -> None:
    if value != FORMAT or type(value) is not int:
        raise ValueError(f"only format = {FORMAT} is known here")


def _line(name: str, value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{name}_seconds = {int(value.total_seconds())}"
    if isinstance(value, bool):
        return f"{name} = {str(value).lower()}"
    if isinstance(value, frozenset):
        return f"{name} = {toml_texts(sorted(value))}"
    if isinstance(value, str):
        return f"{name} = {toml_text(value)}"
    return "" if value is None else f"{name} = {value}"


def _demand_lines(demand: Demand) -> list[str]:
    return [f'required_level = "{demand.level}"', f"usages = {toml_texts(sorted(demand.usages))}"]


def _field(key: str) -> str:
    if key not in _READERS:
        raise ValueError(f"unknown key {key!r}")
    return _DURATIONS.get(key, key)


def _value(key: str, value: Any) -> Any:
    kind, reader = _READERS[key]
    if type(value) is not kind:
        raise ValueError(f"{key} is not of the kind {kind.__name__}")
    return reader(value) if reader else value


def _text(value: str) -> str:
    if len(value) > MAX_TEXT or not value.isprintable():
        raise ValueError(f"a text has {MAX_TEXT} printable characters at most")
    return value


def _duration(seconds: int) -> timedelta:
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise ValueError("a duration is out of range")
    return timedelta(seconds=seconds)


def _names(value: list[Any]) -> frozenset[str]:
    if not all(isinstance(name, str) for name in value):
        raise ValueError("a list of names has texts only")
    return frozenset(value)


def _identifiers(value: list[Any]) -> frozenset[str]:
    if not all(isinstance(name, str) and _IDENTIFIER.fullmatch(name) for name in value):
        raise ValueError("certificate policies are object identifiers, as 1.2.156.1")
    return frozenset(value)


def _fingerprints(value: list[Any]) -> frozenset[str]:
    return frozenset(_fingerprint(one) for one in value)


def _fingerprint(value: Any) -> str:
    if not isinstance(value, str) or not _FINGERPRINT.fullmatch(value):
        raise ValueError("a fingerprint is the SHA-256 in 64 small hexadecimal digits")
    return value


def _ends(value: dict[str, Any]) -> tuple[tuple[str, datetime], ...]:
    return tuple((name, _end(day)) for name, day in value.items())


def _end(day: Any) -> datetime:
    if type(day) is not date:
        raise ValueError("an algorithm ends on a date")
    return end_of(day).astimezone(UTC)


def _anchors(value: dict[str, Any]) -> tuple[tuple[str, frozenset[str]], ...]:
    if not all(isinstance(usages, list) for usages in value.values()):
        raise ValueError("an anchor has a list of uses")
    return tuple((_fingerprint(name), _names(usages)) for name, usages in value.items())


def _issuer_keys(value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    for name, way in value.items():
        if not _ISSUER.fullmatch(name) or "?" in name or "#" in name or not isinstance(way, str):
            raise ValueError("an issuer is its https address, without query and fragment, and a way")
    return tuple(value.items())


def _licence_types(value: dict[str, Any]) -> tuple[tuple[str, Demand], ...]:
    for code, table in value.items():
        if not _TYPE_CODE.fullmatch(code) or not isinstance(table, dict):
            raise ValueError("licence types are tables, named by the type's code")
        if unknown := table.keys() - _DEMAND:
            raise ValueError(f"unknown keys for {code}: {', '.join(sorted(unknown))}")
    return tuple((code, _demand(table)) for code, table in value.items())


def _demand(table: Mapping[str, Any]) -> Demand:
    level, usages = table.get("required_level", str(Level.B_B)), table.get("usages", sorted(SIGNER_USAGES))
    if level not in set(Level) or not isinstance(usages, list):
        raise ValueError(f"required_level is {', '.join(Level)}; usages is a list")
    return Demand(Level(level), _names(usages))


_READERS: dict[str, tuple[type, Callable[[Any], Any] | None]] = {
    "name": (str, _text),
    "version": (str, _text),
    "algorithms": (list, _names),
    "algorithm_ends": (dict, _ends),
    "strength": (str, None),
    "min_rsa_bits": (int, None),
    "anchors": (dict, _anchors),
    "trust_snapshots": (list, _fingerprints),
    "require_timestamp": (bool, None),
    "licence_types": (dict, _licence_types),
    "issuer_keys": (dict, _issuer_keys),
    "type_metadata": (str, None),
    "allowed_changes": (str, None),
    "revocation": (str, None),
    "evidence_after_proof": (bool, None),
    "after_end": (str, None),
    "later_revocation": (str, None),
    "strict_usage": (bool, None),
    "certificate_policies": (list, _identifiers),
    "require_certificate_policy": (bool, None),
    "inhibit_policy_mapping": (bool, None),
    "inhibit_any_policy": (bool, None),
    **dict.fromkeys(_DURATIONS, (int, _duration)),
}
