"""Hundreds of chains, each with its own faults: what we say of them, and what OpenSSL and GnuTLS say.

The chains are made around the present moment, because `certtool` asks no other clock. Where a peer and we
differ, the difference has its reason here, or the test fails.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from world.openssl import openssl
from world.pki import Extra, TestAuthority, name

from signing import Certificate, Crl, FileSigner, Policy, RevocationSnapshot, TrustStore, validate_path
from signing.usages import _BY_NAME, Usage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer
DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - 400 * DAY
CLIENT, SERVER = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
POLICY = Policy(strict_usage=False)
KEYS = {part: FileSigner.generate() for part in ("root", "issuing", "leaf", "stranger")}
REASONS = ("key_compromise", "ca_compromise", "affiliation_changed", "superseded", "cessation_of_operation",
           "certificate_hold", "privilege_withdrawn", "unspecified")  # fmt: skip


def name_below(organisation: str) -> x509.DirectoryName:
    attributes = list(name("x"))[:1]
    return x509.DirectoryName(
        x509.Name([*attributes, x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation)])
    )


OURS, OTHERS = name_below("津城测试机构"), name_below("另一机构")
NAMES: dict[str, Extra] = {
    "free": (),
    "permitted": ((x509.NameConstraints([OURS], None), True),),
    "not permitted": ((x509.NameConstraints([OTHERS], None), True),),
    "excluded": ((x509.NameConstraints(None, [OURS]), True),),
}


@dataclass(frozen=True)
class Recipe:
    """How one chain is made; the first value of each is the one without a fault."""

    leaf_dates: str = "in time"
    issuing_dates: str = "in time"
    root_length: str = "unbounded"
    issuing_kind: str = "authority"
    leaf_use: str = CLIENT
    names: str = "free"
    signature: str = "right"
    leaf_status: str = "good"
    issuing_status: str = "good"
    asked: str = "now"


CHOICES = {
    "leaf_dates": ("in time", "expired", "to come"),
    "issuing_dates": ("in time", "expired"),
    "root_length": ("unbounded", "none below", "one below"),
    "issuing_kind": ("authority", "no authority", "may not sign certificates"),
    "leaf_use": (CLIENT, SERVER),
    "names": ("free", "permitted", "not permitted", "excluded"),
}
STRUCTURE = [Recipe(**dict(zip(CHOICES, row, strict=True))) for row in itertools.product(*CHOICES.values())]
STRUCTURE += [Recipe(signature="of another key", names=names) for names in CHOICES["names"]]
STATUS = [
    Recipe(leaf_status=leaf, issuing_status=issuing, leaf_dates=dates)
    for leaf in ("good", *REASONS, "no list", "old list", "another's list")
    for issuing in ("good", "key_compromise", "no list")
    for dates in ("in time", "expired")
]
# Signed before somebody was revoked, by lists of afterwards.
BEFORE = [
    Recipe(**{revoked: reason, "asked": "before"})
    for revoked in ("leaf_status", "issuing_status")
    for reason in REASONS
]


@cache
def root_of(length: str) -> TestAuthority:
    bound = {"unbounded": None, "none below": 0, "one below": 1}[length]
    return TestAuthority("Root", path_length=bound, start=START, signer=KEYS["root"])


@cache
def issuing_of(recipe: Recipe) -> TestAuthority:
    bits = (
        ("crl_sign",) if recipe.issuing_kind == "may not sign certificates" else ("key_cert_sign", "crl_sign")
    )
    return TestAuthority(
        "Issuing",
        issuer=root_of(recipe.root_length),
        start=START,
        valid=300 * DAY if recipe.issuing_dates == "expired" else 3650 * DAY,
        is_authority=recipe.issuing_kind != "no authority",
        bits=bits,
        extra=NAMES[recipe.names],
        signer=KEYS["issuing"],
    )


@dataclass(frozen=True)
class Chain:
    """What a recipe gave, as both sides read it."""

    root: Certificate
    issuing: Certificate
    leaf: Certificate
    lists: tuple[bytes, ...]


def made(recipe: Recipe) -> Chain:
    structure = replace(recipe, leaf_status="good", issuing_status="good", leaf_dates="in time")
    root, issuing = (
        root_of(recipe.root_length),
        issuing_of(replace(structure, leaf_use=CLIENT, signature="right")),
    )
    begin, end = {
        "in time": (START, NOW + 300 * DAY),
        "expired": (START, NOW - 10 * DAY),
        "to come": (NOW + 10 * DAY, NOW + 300 * DAY),
    }[recipe.leaf_dates]
    above = issuing
    if recipe.signature != "right":
        above = TestAuthority("Issuing", issuer=root, start=START, signer=KEYS["stranger"])
    leaf = above.issue(
        "client", "client", not_before=begin, not_after=end, extended=(recipe.leaf_use,),
        bits=("digital_signature",), signer=KEYS["leaf"],
    ).certificate  # fmt: skip
    return Chain(root.certificate, issuing.certificate, leaf, lists_of(recipe, root, issuing, leaf))


def lists_of(
    recipe: Recipe, root: TestAuthority, issuing: TestAuthority, leaf: Certificate
) -> tuple[bytes, ...]:
    found = []
    for status, authority, about in (
        (recipe.leaf_status, issuing, leaf),
        (recipe.issuing_status, root, issuing.certificate),
    ):
        revoked = {about.serial: (NOW - DAY, x509.ReasonFlags[status])} if status in REASONS else {}
        if status == "no list":
            continue
        signer = KEYS["stranger"] if status == "another's list" else authority.signer
        lister = replace_signer(authority, signer, revoked)
        at = NOW - 40 * DAY if status == "old list" else NOW - timedelta(hours=1)
        found.append(lister.crl(at))
    return tuple(found)


def replace_signer(
    authority: TestAuthority, signer: FileSigner, revoked: dict[int, tuple[datetime, x509.ReasonFlags]]
) -> TestAuthority:
    """The same authority as it writes one list: without what other chains had revoked."""
    lister = object.__new__(TestAuthority)
    lister.__dict__.update({**authority.__dict__, "signer": signer, "revoked": revoked})
    return lister


def ours(chain: Chain, *, with_status: bool, at: datetime = NOW) -> bool:
    policy = POLICY if with_status else POLICY.with_changes(revocation="if_available")
    result = validate_path(
        chain.leaf,
        [chain.issuing],
        TrustStore([chain.root]),
        at=at,
        usage="matrix",
        revocation=RevocationSnapshot(map(Crl, chain.lists) if with_status else ()),
        policy=policy,
    )
    return result.passed


@pytest.fixture(autouse=True)
def usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_BY_NAME, "matrix", Usage("matrix", "digital_signature", CLIENT, "x"))


def write(folder: Path, chain: Chain) -> None:
    for part in ("root", "issuing", "leaf"):
        (folder / f"{part}.pem").write_bytes(getattr(chain, part).to_pem())
    pems = (x509.load_der_x509_crl(one).public_bytes(x509_pem()) for one in chain.lists)
    (folder / "lists.pem").write_bytes(b"".join(pems))


def x509_pem() -> object:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - here only

    return Encoding.PEM


def openssl_says(folder: Path, *, with_status: bool, at: datetime = NOW) -> bool:
    status = ["-crl_check_all", "-CRLfile", "lists.pem"] if with_status else []
    said = openssl(
        "verify", "-CAfile", "root.pem", "-untrusted", "issuing.pem", "-purpose", "sslclient",
        "-attime", str(int(at.timestamp())), *status, "leaf.pem", cwd=folder, check=False,
    )  # fmt: skip
    return said.strip() == "leaf.pem: OK"


def gnutls_says(folder: Path, *, with_status: bool) -> bool:
    program = shutil.which("certtool")
    if program is None:
        pytest.skip("no certtool: apt-get install gnutls-bin")
    (folder / "chain.pem").write_bytes(
        (folder / "leaf.pem").read_bytes() + (folder / "issuing.pem").read_bytes()
    )
    asked = ["--verify", "--load-ca-certificate", "root.pem", "--verify-purpose", CLIENT]
    asked += ["--load-crl", "lists.pem"] if with_status else []
    run = subprocess.run(
        [program, *asked, "--infile", "chain.pem"], cwd=folder, capture_output=True, timeout=60, check=False
    )
    return run.returncode == 0


def differences(recipes: list[Recipe], folder: Path, *, peer: str) -> tuple[list[Recipe], list[Recipe]]:
    """Chains that only we accept, and chains that only the peer accepts."""
    only_ours, only_theirs = [], []
    for recipe in recipes:
        chain, with_status = made(recipe), peer.endswith("with lists")
        write(folder, chain)
        at = NOW if recipe.asked == "now" else NOW - 2 * DAY
        if peer.startswith("gnutls"):
            theirs = gnutls_says(folder, with_status=with_status)
        else:
            theirs = openssl_says(folder, with_status=with_status, at=at)
        verdict = ours(chain, with_status=with_status, at=at)
        if verdict != theirs:
            (only_ours if verdict else only_theirs).append(recipe)
    return only_ours, only_theirs


def test_the_matrix_is_large_and_has_both_verdicts() -> None:
    assert len(STRUCTURE) + len(STATUS) > 500
    passed = [recipe for recipe in STRUCTURE if ours(made(recipe), with_status=False)]
    # Nothing but what is without a fault: bounds that allow it, names that allow it.
    assert {(recipe.root_length, recipe.names) for recipe in passed} == set(
        itertools.product(("unbounded", "one below"), ("free", "permitted"))
    )
    assert len(passed) == 4


def test_openssl_agrees_on_structure(tmp_path: Path) -> None:
    assert differences(STRUCTURE, tmp_path, peer="openssl") == ([], [])


def test_openssl_agrees_on_status(tmp_path: Path) -> None:
    assert differences(STATUS, tmp_path, peer="openssl with lists") == ([], [])


def test_openssl_asks_no_day_of_a_revocation(tmp_path: Path) -> None:
    """Who was revoked later was good before: lists of afterwards say so. OpenSSL wants older lists."""
    assert all(ours(made(recipe), with_status=True, at=NOW - 2 * DAY) for recipe in BEFORE)
    assert not any(ours(made(recipe), with_status=True) for recipe in BEFORE)
    assert differences(BEFORE, tmp_path, peer="openssl with lists") == (BEFORE, [])


def test_gnutls_agrees_on_status(tmp_path: Path) -> None:
    only_ours, only_theirs = differences(STATUS, tmp_path, peer="gnutls with lists")
    assert only_ours == []
    # GnuTLS asks for no list: without one, with an old one, or with a stranger's, nobody is revoked. (Without
    # any list at all, certtool refuses the command.)
    silent = ("good", "no list", "old list", "another's list")
    assert {(recipe.leaf_status, recipe.issuing_status) for recipe in only_theirs} == {
        (leaf, issuing) for leaf in silent for issuing in ("good", "no list")
    } - {("good", "good")} - {("no list", "no list")}
    assert {recipe.leaf_dates for recipe in only_theirs} == {"in time"}


def test_gnutls_agrees_on_structure(tmp_path: Path) -> None:
    only_ours, only_theirs = differences(STRUCTURE, tmp_path, peer="gnutls")
    assert only_ours == []
    # GnuTLS compares no directory names with permitted subtrees (RFC 5280, 4.2.1.10 lets nobody ignore them).
    assert {(recipe.names, recipe.root_length) for recipe in only_theirs} <= {
        ("not permitted", "unbounded"),
        ("not permitted", "one below"),
    }
