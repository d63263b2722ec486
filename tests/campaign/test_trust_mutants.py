"""A million changed certificates, lists, OCSP answers, tokens, signatures: none raises, none passes falsely.

A mutant may pass only where what is signed, and by whom, is the same as in the original: then the change
stands in what no signature covers (certificates that came along, unsigned attributes, the list of hashes). Of
certificates and lists nothing is left out, so there only the original itself passes.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from world.asn1_mutants import Mutator
from world.desk import Desk
from world.pki import NOON

from signing import cms, detached
from signing.certificates import Certificate
from signing.path import validate_path
from signing.policy import Policy
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot
from signing.timestamp import parse_token, verify_timestamp
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"a decision"
DIGEST = cms.hash_with("sha256", CONTENT)
PARTS = 4  # a process each, where there are several
REFUSED, FAILED, PASSED = "refused by the reader", "failed", "passed"


class Subjects:
    """The originals, and what a verifier knows; one of the keys is revoked."""

    def __init__(self) -> None:
        self.desk = desk = Desk()
        self.revoked = desk.pki.signer("seal", "revoked").certificate
        desk.pki.issuing.revoke(self.revoked, NOON, x509.ReasonFlags.key_compromise)
        self.policy, self.revocation = Policy.default(), desk.revocation()
        self.root_list, self.list = desk.pki.root.crl(NOON), desk.pki.issuing.crl(NOON)
        self.leaf, self.issuing = desk.agency.certificate, desk.pki.issuing.certificate
        self.answer = desk.pki.issuing.ocsp(self.leaf, NOON, responder=desk.pki.signer("ocsp"))
        self.bad_answer = desk.pki.issuing.ocsp(self.revoked, NOON)
        self.token = desk.tsa.stamp(DIGEST)
        signed = detached.sign(CONTENT, desk.agency, now=NOON, timestamper=desk.tsa, inside=True)
        self.signatures = [
            detached.sign(CONTENT, desk.agency, now=NOON),
            signed,
            detached.extend(signed, CONTENT, desk.trust, revocation=self.revocation, now=NOON),
        ]

    def path_passes(self, leaf: Certificate, revocation: RevocationSnapshot) -> bool:
        result = validate_path(
            leaf, [self.issuing], self.desk.trust, at=NOON, usage="seal",
            revocation=revocation, policy=self.policy, known_at=NOON,
        )  # fmt: skip
        return result.passed


@cache
def subjects() -> Subjects:
    return Subjects()


def certificate(mutant: bytes, original: bytes) -> str:
    found = Certificate(mutant)
    if not subjects().path_passes(found, subjects().revocation):
        return FAILED
    assert mutant == original, mutant.hex()
    return PASSED


def revocation_list(mutant: bytes, original: bytes) -> str:
    kept = subjects()
    evidence = RevocationSnapshot([Crl.from_der(kept.root_list), Crl.from_der(mutant)])
    assert not kept.path_passes(kept.revoked, evidence), mutant.hex()
    if not kept.path_passes(kept.leaf, evidence):
        return FAILED
    assert mutant == original, mutant.hex()
    return PASSED


def answer(mutant: bytes, original: bytes) -> str:
    kept = subjects()
    evidence = RevocationSnapshot([Crl.from_der(kept.root_list)], [OcspAnswer.from_der(mutant)])
    assert not kept.path_passes(kept.revoked, evidence), mutant.hex()
    if not kept.path_passes(kept.leaf, evidence):
        return FAILED
    assert _answered(mutant) == _answered(original), mutant.hex()
    return PASSED


def _answered(encoded: bytes) -> tuple[bytes, bytes]:
    found = ocsp.load_der_ocsp_response(encoded)
    return found.tbs_response_bytes, found.signature


def token(mutant: bytes, original: bytes) -> str:
    kept = subjects()
    found = verify_timestamp(
        mutant, digest=DIGEST, trust=kept.desk.trust, revocation=kept.revocation, policy=kept.policy, at=NOON
    )
    if found.gen_time is None:
        return FAILED
    before, after = parse_token(original).signed, parse_token(mutant).signed
    assert (found.gen_time, after.content, after.signed_part, after.signature, after.signer) == (
        NOON, before.content, before.signed_part, before.signature, before.signer,
    ), mutant.hex()  # fmt: skip
    return PASSED


def signature(mutant: bytes, original: bytes) -> str:
    kept = subjects()
    report = detached.verify(
        mutant, CONTENT, kept.desk.trust, revocation=kept.revocation, policy=kept.policy, now=NOON
    )
    report.to_json()
    if not report.passed:
        return FAILED
    found, before, after = report.require(), cms.parse(original), cms.parse(mutant)
    assert found.certificate == kept.leaf
    assert found.proved_at in {None, NOON}
    assert (after.signed_part, after.signature, after.signer) == (
        before.signed_part, before.signature, before.signer,
    ), mutant.hex()  # fmt: skip
    return PASSED


KINDS: dict[str, tuple[Callable[[bytes, bytes], str], Callable[[Subjects], list[bytes]]]] = {
    "certificates": (certificate, lambda kept: [kept.leaf.der]),
    "lists": (revocation_list, lambda kept: [kept.list]),
    "answers": (answer, lambda kept: [kept.answer, kept.bad_answer]),
    "tokens": (token, lambda kept: [kept.token]),
    "signatures": (signature, lambda kept: kept.signatures),
}


@pytest.mark.campaign
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", KINDS)
def test_no_mutant_passes(kind: str, part: int, rounds: Callable[[int, int], int]) -> None:
    judge, originals = KINDS[kind]
    mutators = [Mutator(one) for one in originals(subjects())]
    for mutator in mutators:
        if mutator.original != subjects().bad_answer:
            assert judge(mutator.original, mutator.original) == PASSED
    source = random.Random(20261123 + part)  # noqa: S311 - the same changes every time
    outcomes = Counter[str]()
    for number in range(rounds(150, 50_000)):
        mutator = mutators[number % len(mutators)]
        mutant = mutator.mutant(source)
        try:
            outcomes[judge(mutant, mutator.original)] += 1
        except YinxinError:
            outcomes[REFUSED] += 1
    print(kind, part, dict(outcomes))  # noqa: T201 - shown with -s, and where a round fails
    assert outcomes[REFUSED] + outcomes[FAILED] > outcomes.total() * 0.5
