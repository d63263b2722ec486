"""The policy as a file: anchors, levels by licence type, strength; what is written is what is read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import FileSigner, Policy, TrustStore
from signing.algorithms import ALGORITHMS, algorithm
from signing.policy.levels import CHANGES, SIGNER_USAGES, Demand, Level
from signing.policy.strength import end_of, read_tables, strength_table, strength_tables
from signing.trust import TrustAnchor
from signing.usages import USAGES
from yinxin.base.errors import MalformedInput, UsageError, YinxinError

if TYPE_CHECKING:
    from world.pki import Pki

ONE = "5f" * 32
TABLE = "format = 1\n[[table]]\nname='x'\ntitle={zh='x',en='x'}\nsource='x'\nread=2026-01-01\n"
FULL = f"""
format = 1
name = "市场监管局"
version = "2026-11"
strength = "etsi-ts-119-312-1.5.1"
required_level = "B-T"
usages = ["seal"]
allowed_changes = "archive"
trust_snapshots = ["{ONE}"]
[anchors]
"{ONE}" = ["seal", "timestamp"]
[licence_types.food-business-licence]
required_level = "B-LT"
""".encode()


def test_a_file_says_anchors_levels_and_strength() -> None:
    policy = Policy.from_toml(FULL)
    assert policy.anchors == ((ONE, frozenset({"seal", "timestamp"})),)
    assert policy.trust_snapshots == {ONE}
    assert policy.allowed_changes == "archive"
    assert policy.demand_for() == Demand(Level.B_T, frozenset({"seal"}))
    assert policy.demand_for("food-business-licence") == Demand(Level.B_LT)
    assert policy.demand_for("another") == policy.demand_for()


@pytest.mark.parametrize(
    "text",
    [
        "format = 2",
        "format = true",
        "format = 1.0",
        "required_level = 'B-X'",
        "required_level = 1",
        "usages = ['credential']",
        "usages = []",
        "usages = 'seal'",
        "allowed_changes = 'any'",
        "strength = 'homebrew'",
        "trust_snapshots = ['x']",
        "anchors = ['x']",
        "[anchors]\nabc = []",
        f"[anchors]\n{ONE} = 'seal'",
        f"[anchors]\n{ONE} = ['cooking']",
        f"[anchors]\n{ONE.upper()} = []",
        "[licence_types]\nx = 1",
        "[licence_types.x]\nlevel = 'B-T'",
        "[licence_types.X]\nrequired_level = 'B-T'",
        "[licence_types.x]\nrequired_level = 'BT'",
        "demand = {}",
        "after_end = 'never'",
        "later_revocation = true",
        "evidence_after_proof = 'yes'",
        'name = "a\\u0000"',
    ],
)
def test_a_misspelt_demand_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        Policy.from_toml(text.encode())


def test_every_new_demand_changes_the_hash() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"strength": "etsi-ts-119-312-1.5.1"},
        {"strength": "nist-ir-8547-ipd"},
        {"anchors": ((ONE, frozenset()),)},
        {"anchors": ((ONE, frozenset({"seal"})),)},
        {"trust_snapshots": frozenset({ONE})},
        {"demand": Demand(Level.B_T)},
        {"demand": Demand(usages=frozenset({"seal"}))},
        {"licence_types": (("x", Demand(Level.B_LT)),)},
        {"allowed_changes": "none"},
    ]
    assert len({Policy().with_changes(**change).hash for change in changes}) == len(changes)


def test_a_policy_names_what_counts_of_a_store(pki: Pki) -> None:
    root = pki.root.certificate
    store = TrustStore([TrustAnchor(root, frozenset({"seal", "status"}))])
    named = root.fingerprint
    assert Policy().trusted(store) is store
    assert len(Policy(anchors=((ONE, frozenset()),)).trusted(store)) == 0
    (kept,) = Policy(anchors=((named, frozenset({"seal", "timestamp"})),)).trusted(store).anchors
    assert kept.usages == {"seal"}
    (kept,) = Policy(anchors=((named, frozenset()),)).trusted(store).anchors
    assert kept.usages == {"seal", "status"}
    # Nothing in common is nothing trusted: an anchor without uses would serve every one.
    assert len(Policy(anchors=((named, frozenset({"ocsp"})),)).trusted(store)) == 0
    assert Policy(trust_snapshots=frozenset({store.snapshot_id})).trusted(store) == store
    assert len(Policy(trust_snapshots=frozenset({ONE})).trusted(store)) == 0


def test_a_table_of_strength_ends_what_it_speaks_of() -> None:
    table = strength_table("etsi-ts-119-312-1.5.1")
    key = FileSigner.generate("RSA-2048").public_key
    assert table.ends(algorithm("RS256"), key) == end_of(date(2028, 12, 31))
    assert table.ends(algorithm("ES256"), FileSigner.generate().public_key) is None
    policy = Policy(strength=table.name)
    assert policy.objection_to(algorithm("RS256"), key, at=datetime(2028, 12, 31, 12, tzinfo=UTC)) is None
    assert policy.objection_to(algorithm("RS256"), key, at=datetime(2029, 1, 1, tzinfo=UTC))
    sooner = policy.with_changes(algorithm_ends=(("RS256", datetime(2027, 1, 1, tzinfo=UTC)),))
    assert sooner.objection_to(algorithm("RS256"), key, at=datetime(2027, 1, 2, tzinfo=UTC))


def test_every_table_has_a_source_and_speaks_of_algorithms_that_we_know() -> None:
    tables = strength_tables()
    assert {"etsi-ts-119-312-1.5.1", "nist-ir-8547-ipd"} <= tables.keys()
    for table in tables.values():
        assert table.source
        assert table.rows
    with pytest.raises(UsageError):
        strength_table("homebrew")


def test_what_quantum_computers_break_ends_whatever_curve_or_hash_it_is_by() -> None:
    ending = frozenset[str]().union(*(row.algorithms for row in strength_table("nist-ir-8547-ipd").rows))
    lasting = {row.name for row in ALGORITHMS} - ending
    assert lasting == {"SM2", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "format = 1",
        "format = 2\n[[table]]",
        "format = 1\ntable = 1",
        "format = 1\n[[table]]\nname = 'x'",
        "format = 1\n[[table]]\nname='x'\ntitle={zh='x',en='x'}\nsource=' '\nread=2026-01-01\nrow=[]",
        "format = 1\n[[table]]\nname='x'\ntitle='x'\nsource='x'\nread=2026-01-01\nrow=[]",
        f"{TABLE}[[table.row]]\nalgorithms=['MD5']\nuntil=2026-01-01",
        f"{TABLE}[[table.row]]\nalgorithms=['ES256']\nuntil='never'",
        f"{TABLE}[[table.row]]\nalgorithms=['ES256']\nuntil=2026-01-01\nfrom_bits='x'",
        f"{TABLE}[[table.row]]\nalgorithms=['ES256']\nuntil=2026-01-01\nbits=1",
    ],
)
def test_a_table_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        read_tables(text.encode())


names = st.sampled_from([row.name for row in ALGORITHMS])
demands = st.builds(
    Demand, st.sampled_from(Level), st.sets(st.sampled_from(sorted(SIGNER_USAGES)), min_size=1).map(frozenset)
)
hexes = st.binary(min_size=32, max_size=32).map(bytes.hex)
codes = st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True)
policies = st.builds(
    Policy,
    name=st.text(st.characters(exclude_categories=("C", "Z")), max_size=20),
    algorithms=st.frozensets(names),
    algorithm_ends=st.dictionaries(names, st.dates(date(1900, 1, 1)).map(end_of), max_size=3).map(
        lambda found: tuple(found.items())
    ),
    strength=st.sampled_from(["", *strength_tables()]),
    min_rsa_bits=st.integers(0, 9999),
    anchors=st.dictionaries(
        hexes, st.frozensets(st.sampled_from([row.name for row in USAGES])), max_size=3
    ).map(lambda found: tuple(found.items())),
    trust_snapshots=st.frozensets(hexes, max_size=2),
    require_timestamp=st.booleans(),
    demand=demands,
    licence_types=st.dictionaries(
        st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True), demands, max_size=2
    ).map(lambda found: tuple(found.items())),
    allowed_changes=st.sampled_from(CHANGES),
    revocation=st.sampled_from(["require", "if_available"]),
    max_revocation_age=st.none() | st.integers(0, 10**6).map(lambda n: timedelta(seconds=n)),
    strict_usage=st.booleans(),
    evidence_after_proof=st.booleans(),
    after_end=st.sampled_from(["needs_proof", "believed"]),
    later_revocation=st.sampled_from(["counts", "counts_if_compromised", "ignored"]),
    certificate_policies=st.frozensets(st.sampled_from(["1.2.156.1", "2.5.29.32.0"])),
)


@given(policies)
def test_what_is_written_is_what_is_read(policy: Policy) -> None:
    again = Policy.from_toml(policy.to_toml().encode())
    assert again == policy
    assert again.hash == policy.hash


@given(st.binary(max_size=300))
def test_arbitrary_tables_let_only_our_errors_out(data: bytes) -> None:
    try:
        read_tables(data)
    except YinxinError:
        return
