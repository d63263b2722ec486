"""Policies: strict files, a hash for what is demanded, algorithms that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import FileSigner, Policy
from signing.algorithms import algorithm
from yinxin.base.errors import MalformedInput, UsageError, YinxinError

FULL = b"""
name = "market-bureau"
version = "2026-11"
algorithms = ["ES256", "SM2"]
require_timestamp = true
revocation = "if_available"
max_revocation_age_seconds = 86400
clock_skew_seconds = 60
min_rsa_bits = 3072
strict_usage = false
[algorithm_ends]
RS256 = 2030-12-31
"""


def test_a_policy_file_says_everything() -> None:
    policy = Policy.from_toml(FULL)
    assert policy == Policy(
        name="market-bureau",
        version="2026-11",
        algorithms=frozenset({"ES256", "SM2"}),
        algorithm_ends=(("RS256", datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC)),),
        min_rsa_bits=3072,
        require_timestamp=True,
        revocation="if_available",
        max_revocation_age=timedelta(days=1),
        clock_skew=timedelta(minutes=1),
        strict_usage=False,
    )
    assert Policy.from_toml(b"") == Policy.default()


@pytest.mark.parametrize(
    "text",
    [
        "nam = 'x'",
        "_ends = {}",
        "clock_skew = 5",
        "algorithms = 'ES256'",
        "algorithms = ['ES224']",
        "algorithms = [1]",
        "revocation = 'ignore'",
        "require_timestamp = 1",
        "min_rsa_bits = true",
        "clock_skew_seconds = -1",
        "clock_skew_seconds = 99999999999999",
        "[algorithm_ends]\nES256 = '2030'",
        "[algorithm_ends]\nES256 = 2030-01-01T00:00:00Z",
        "[algorithm_ends]\nROT13 = 2030-01-01",
        "name = ",
        "\udcff",
    ],
)
def test_a_misspelt_demand_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        Policy.from_toml(text.encode("utf-8", "surrogateescape"))


def test_the_hash_follows_every_demand() -> None:
    changes = [
        {},
        {"name": "x"},
        {"algorithms": frozenset({"ES256"})},
        {"algorithm_ends": (("ES256", datetime(2030, 1, 1, tzinfo=UTC)),)},
        {"min_rsa_bits": 4096},
        {"require_timestamp": True},
        {"revocation": "if_available"},
        {"max_revocation_age": timedelta(days=1)},
        {"clock_skew": timedelta()},
        {"strict_usage": False},
    ]
    hashes = {Policy.default().with_changes(**change).hash for change in changes}
    assert len(hashes) == len(changes)
    assert Policy.default().hash == Policy().hash
    ends = (("ES256", datetime(2031, 1, 1, tzinfo=UTC)), ("SM2", datetime(2030, 1, 1, tzinfo=UTC)))
    assert Policy(algorithm_ends=ends).hash == Policy(algorithm_ends=ends[::-1]).hash


def test_algorithms_end() -> None:
    policy = Policy(algorithm_ends=(("ES256", datetime(2030, 1, 1, tzinfo=UTC)),))
    key = FileSigner.generate().public_key
    assert policy.objection_to(algorithm("ES256"), key, at=datetime(2030, 1, 1, tzinfo=UTC)) is None
    assert policy.objection_to(algorithm("ES256"), key, at=datetime(2030, 1, 2, tzinfo=UTC))


def test_what_is_not_named_is_not_accepted() -> None:
    key, at = FileSigner.generate().public_key, datetime(2026, 1, 1, tzinfo=UTC)
    assert Policy(algorithms=frozenset({"SM2"})).objection_to(algorithm("ES256"), key, at=at)
    assert Policy(algorithms=frozenset()).objection_to(algorithm("ES256"), key, at=at)


def test_short_rsa_keys_are_not_accepted() -> None:
    key, at = FileSigner.generate("RSA-2048").public_key, datetime(2026, 1, 1, tzinfo=UTC)
    assert Policy().objection_to(algorithm("RS256"), key, at=at) is None
    assert "2048" in (Policy(min_rsa_bits=3072).objection_to(algorithm("RS256"), key, at=at) or "")


def test_a_policy_made_wrongly_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        Policy(algorithms=frozenset({"none"}))
    with pytest.raises(UsageError):
        Policy(revocation="never")  # type: ignore[arg-type]


@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_arbitrary_files_let_only_our_errors_out(data: bytes) -> None:
    try:
        Policy.from_toml(data)
    except YinxinError:
        return
