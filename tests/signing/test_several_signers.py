"""Several signers of one `.p7s`, and countersignatures: each is judged as if it stood alone."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from world.desk import Desk
from world.openssl import openssl
from world.pki import NOON, Pki
from world.signers import joined, parts

from signing import cms, der, detached
from signing.carried import carried_in
from signing.cms.apart import COUNTERSIGNATURE, MAX_COUNTERSIGNATURES, MAX_SIGNERS
from signing.policy import Policy
from signing.policy.levels import Demand, Level
from signing.reasons import Reason
from signing.report import Indication
from yinxin.base.errors import MalformedInput, TooLarge, VerificationFailed, YinxinError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from signing.report import Report
    from signing.signer import Signer

CONTENT = "两个部门共同作出的决定\n".encode() * 40
NOW = NOON + timedelta(minutes=1)


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def signed(
    signer: Signer, desk: Desk, *, content: bytes = CONTENT, stamped: bool = True, inside: bool = False
) -> bytes:
    return detached.sign(content, signer, now=NOON, timestamper=desk.tsa if stamped else None, inside=inside)


def both(desk: Desk, **how: Any) -> bytes:
    return joined(signed(desk.agency, desk, **how), signed(desk.citizen, desk, **how))


def ask(
    desk: Desk, signature: bytes, content: Any = CONTENT, **options: Any
) -> Report[detached.VerifiedFile]:
    given = {"revocation": desk.revocation(), "now": NOW, **options}
    return detached.verify(signature, content, desk.trust, **given)


class TestTwoSigners:
    def test_who_signed_is_everybody(self, desk: Desk) -> None:
        report = ask(desk, both(desk))
        found = report.require()
        assert {one.certificate for one in found.everybody} == {
            desk.agency.certificate,
            desk.citizen.certificate,
        }
        assert {one.usage for one in found.everybody} == {"seal", "signature"}
        assert {one.proved_at for one in found.everybody} == {NOON}
        assert found.content_digest == cms.hash_with("sha256", CONTENT).hex() == report.findings["content"]
        told = report.findings["signatures"]
        assert {one["signer"]["name"] for one in told} == {
            desk.agency.certificate.common_name, desk.citizen.certificate.common_name
        }  # fmt: skip
        assert [one["indication"] for one in told] == ["passed", "passed"]

    def test_each_alone_says_what_it_says_together(self, desk: Desk) -> None:
        whole, alone = both(desk), [signed(desk.agency, desk), signed(desk.citizen, desk)]
        together = {check.name.partition("/")[2] for check in ask(desk, whole).checks}
        assert together == {check.name for one in alone for check in ask(desk, one).checks}
        for one in cms.apart(whole):
            assert ask(desk, one).passed

    def test_as_it_is_carried_inside_or_by_its_digest(self, desk: Desk) -> None:
        carrying = both(desk, inside=True)
        assert ask(desk, carrying, None).passed
        assert Reason.HASH_FAILURE in ask(desk, carrying, b"another").reasons
        digest = detached.ContentDigest("sha256", cms.hash_with("sha256", CONTENT))
        assert ask(desk, both(desk), digest).passed

    def test_a_file_is_hashed_once(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "decision.txt").write_bytes(CONTENT)
        with (tmp_path / "decision.txt").open("rb") as opened:
            assert ask(desk, both(desk), opened).passed

    def test_the_certificates_are_told_for_gathering_and_for_explaining(self, desk: Desk) -> None:
        whole = both(desk)
        assert {desk.agency.certificate, desk.citizen.certificate} <= set(carried_in(whole))
        assert {chain[0] for chain in cms.chains(whole)} == {
            desk.agency.certificate,
            desk.citizen.certificate,
        }

    def test_one_report_the_same_bytes(self, desk: Desk) -> None:
        whole = both(desk)
        stands = desk.revocation()
        first, second = (ask(desk, whole, revocation=stands).to_json() for _ in range(2))
        assert first == second


def of_a_stranger(desk: Desk) -> bytes:
    return signed(Pki().signer("signature", "张三 Zhang San"), desk)


def over_another_content(desk: Desk) -> bytes:
    return signed(desk.citizen, desk, content=b"another")


def broken(desk: Desk) -> bytes:
    made = signed(desk.citizen, desk, stamped=False)
    value = cms.parse(made).signature
    return made.replace(value, bytes([*value[:-1], value[-1] ^ 1]))


def for_time_stamps(desk: Desk) -> bytes:
    return signed(desk.tsa.signer, desk)


FAULTS = [of_a_stranger, over_another_content, broken, for_time_stamps]


class TestOneIsNotGood:
    """A file that one of two signed wrongly is no signed file: nobody asks which of them counts."""

    @pytest.mark.parametrize("fault", FAULTS)
    def test_neither_is_the_file(self, desk: Desk, fault: Any) -> None:
        good, bad = signed(desk.agency, desk), fault(desk)
        report = ask(desk, joined(good, bad))
        assert not report.passed
        assert report.reasons >= ask(desk, bad).reasons
        assert sorted(one["indication"] == "passed" for one in report.findings["signatures"]) == [False, True]
        with pytest.raises(VerificationFailed):
            report.require()

    def test_whom_a_revocation_hits(self) -> None:
        desk = Desk()
        whole = both(desk, stamped=False)
        desk.pki.issuing.revoke(desk.citizen.certificate, NOON, x509.ReasonFlags.key_compromise)
        assert not ask(desk, whole, revocation=desk.revocation(NOW)).passed

    def test_what_a_policy_demands_is_demanded_of_each(self, desk: Desk) -> None:
        stamped, plain = signed(desk.agency, desk), signed(desk.citizen, desk, stamped=False)
        demanding = Policy(demand=Demand(Level.B_T))
        assert ask(desk, both(desk), policy=demanding).passed
        assert not ask(desk, joined(stamped, plain), policy=demanding).passed
        seals = Policy(demand=Demand(usages=frozenset({"seal"})))
        assert not ask(desk, both(desk), policy=seals).passed

    def test_a_signer_twice_or_too_many(self, desk: Desk) -> None:
        one = signed(desk.agency, desk, stamped=False)
        with pytest.raises(MalformedInput, match="repeated"):
            cms.apart(joined(one, one))
        assert not ask(desk, joined(one, one)).passed
        many = [
            detached.sign(CONTENT, desk.agency, now=NOON + timedelta(seconds=second))
            for second in range(MAX_SIGNERS + 1)
        ]
        assert ask(desk, joined(*many[:-1])).passed
        with pytest.raises(TooLarge):
            cms.apart(joined(*many))
        assert not ask(desk, joined(*many)).passed

    def test_two_times_of_one_signer_are_two_signatures(self, desk: Desk) -> None:
        twice = [detached.sign(CONTENT, desk.agency, now=NOON - timedelta(days=day)) for day in (0, 1)]
        found = ask(desk, joined(*twice)).require()
        assert len({one.claimed_at for one in found.everybody}) == 2

    def test_an_agency_moves_no_time_stamp_to_another(self, desk: Desk) -> None:
        """A token stands in one signer's part and proves the time of that one alone."""
        stamped, plain = signed(desk.agency, desk), signed(desk.citizen, desk, stamped=False)
        found = ask(desk, joined(stamped, plain)).require()
        proved = {one.certificate: one.proved_at for one in found.everybody}
        assert proved == {desk.agency.certificate: NOON, desk.citizen.certificate: None}
        token = cms.parse(stamped).unsigned[cms.TIMESTAMP_TOKEN][0]
        moved = cms.with_unsigned(plain, cms.attribute(cms.TIMESTAMP_TOKEN, token))
        assert not ask(desk, joined(stamped, moved)).passed

    def test_no_flipped_bit_makes_it_say_something_else(self, desk: Desk) -> None:
        whole = both(desk, stamped=False)
        people = {desk.agency.certificate, desk.citizen.certificate}
        for place in range(0, len(whole), 17):
            changed = bytearray(whole)
            changed[place] ^= 4
            report = ask(desk, bytes(changed))
            if report.passed:  # a byte of a chain that nobody needs
                assert {one.certificate for one in report.require().everybody} == people

    @given(st.binary(max_size=200), st.integers(2, 4))
    def test_noise_in_place_of_signers(self, noise: bytes, count: int) -> None:
        head = [der.integer(1), der.set_of(), der.sequence(der.oid(cms.DATA))]
        infos = [der.tlv(der.SEQUENCE, bytes([number]) + noise) for number in range(count)]
        data = der.sequence(*head, der.tlv(der.SET, *infos))
        made = der.sequence(der.oid(cms.SIGNED_DATA), der.explicit(0, data))
        try:
            each = cms.apart(made)
        except YinxinError:
            return
        assert len(each) == count
        assert not detached.verify(made, CONTENT, DESK.trust, revocation=DESK.revocation(), now=NOW).passed


DESK = Desk()


def countersign(
    signature: bytes, signer: Signer, desk: Desk, *, value: bytes | None = None, typed: bool = False
) -> bytes:
    """A signature with one over its value, as RFC 5652, 11.4 has it: without a content type."""
    covered = cms.parse(signature).signature if value is None else value
    made = cms.sign(signer, cms.hash_with("sha256", covered))
    _head, certificates, (info,) = parts(made)
    if not typed:
        info = _without_type(info, signer)
    with_it = cms.with_unsigned(signature, cms.attribute(COUNTERSIGNATURE, info))
    return cms.with_evidence(with_it, certificates=certificates, crls=[], ocsp=[])


def _without_type(info: bytes, signer: Signer) -> bytes:
    version, identifier, digest, attributes, algorithm, _value = der.children(
        der.read_exactly(info, der.SEQUENCE)
    )
    kept = [one.encoded for one in der.children(attributes) if der.oid(cms.CONTENT_TYPE) not in one.encoded]
    value = signer.sign(der.tlv(der.SET, *sorted(kept)))
    return der.sequence(
        version.encoded, identifier.encoded, digest.encoded, der.tlv(0xA0, *sorted(kept)), algorithm.encoded,
        der.octet_string(value),
    )  # fmt: skip


class TestCountersignatures:
    def told(self, report: Report[Any]) -> Sequence[Any]:
        assert report.passed  # whatever they are
        return [
            (one["signer"] and one["signer"]["name"], one["indication"])
            for one in report.findings["countersignatures"]
        ]

    def test_who_signed_the_signature_is_told(self, desk: Desk) -> None:
        made = countersign(signed(desk.agency, desk), desk.citizen, desk)
        assert self.told(ask(desk, made)) == [(desk.citizen.certificate.common_name, "passed")]
        assert "countersignatures" not in ask(desk, signed(desk.agency, desk)).findings

    def test_one_that_is_not_good_is_told_and_changes_nothing(self, desk: Desk) -> None:
        plain = signed(desk.agency, desk, stamped=False)
        stranger = Pki().signer("signature", "张三")
        for made in (
            countersign(plain, desk.citizen, desk, value=b"another signature"),
            countersign(plain, desk.citizen, desk, typed=True),
            countersign(plain, stranger, desk),
        ):
            ((_name, indication),) = self.told(ask(desk, made))
            assert indication != Indication.PASSED

    def test_noise_and_many(self, desk: Desk) -> None:
        made = signed(desk.agency, desk, stamped=False)
        values = [der.sequence(der.integer(number)) for number in range(MAX_COUNTERSIGNATURES + 3)]
        made = cms.with_unsigned(made, cms.attribute(COUNTERSIGNATURE, *values))
        assert self.told(ask(desk, made)) == [(None, "failed")] * MAX_COUNTERSIGNATURES

    def test_it_never_counts_as_a_signer(self, desk: Desk) -> None:
        made = countersign(signed(desk.agency, desk), desk.citizen, desk)
        assert [one.certificate for one in ask(desk, made).require().everybody] == [desk.agency.certificate]


@pytest.mark.peer
class TestOpenssl:
    def test_it_reads_what_we_joined(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "it").write_bytes(CONTENT)
        (tmp_path / "root.pem").write_bytes(desk.pki.root.certificate.to_pem())
        (tmp_path / "it.p7s").write_bytes(both(desk))
        said = openssl(
            *("cms", "-verify", "-cades", "-inform", "DER", "-in", "it.p7s", "-content", "it", "-binary"),
            *("-CAfile", "root.pem", "-purpose", "any", "-out", "out", "-attime", str(int(NOON.timestamp()))),
            cwd=tmp_path,
        )
        assert "successful" in said.lower()

    def test_we_read_what_it_makes(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "it").write_bytes(CONTENT)
        (tmp_path / "chain.pem").write_bytes(desk.pki.issuing.certificate.to_pem())
        signers = []
        for name, signer in (("a", desk.agency), ("b", desk.citizen)):
            signer.save(tmp_path / f"{name}.key", passphrase="a passphrase")
            (tmp_path / f"{name}.pem").write_bytes(signer.certificate.to_pem())
            signers += ["-signer", f"{name}.pem", "-inkey", f"{name}.key"]
        openssl(
            *("cms", "-sign", "-cades", "-binary", "-in", "it", *signers, "-passin", "pass:a passphrase"),
            *("-certfile", "chain.pem", "-outform", "DER", "-out", "it.p7s"),
            cwd=tmp_path,
        )
        made = (tmp_path / "it.p7s").read_bytes()
        assert len(ask(desk, made).require().everybody) == 2
        assert not ask(desk, made, CONTENT + b"!").passed


def test_every_pair_of_keys(desk: Desk) -> None:
    keys = [desk.agency, desk.citizen, desk.pki.issuing.issue("钱进", "seal", signer=rsa())]
    for pair in itertools.combinations(keys, 2):
        assert ask(desk, joined(*[signed(one, desk, stamped=False) for one in pair])).passed


def rsa() -> Any:
    from signing.signers.file import FileSigner  # noqa: PLC0415 - here only

    return FileSigner.generate("RSA-2048")
