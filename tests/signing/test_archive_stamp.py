"""Files kept for the long term: archive time-stamps in a `.p7s` (CAdES B-LTA), renewed before each ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.openssl import openssl
from world.pki import NOON, Pki, TestAuthority
from world.tsa import MemoryTsa

from signing import Crl, Policy, Reason, RevocationSnapshot, TrustStore, cms, der, detached
from signing.archive_stamp import ARCHIVE_TIMESTAMP_V3, HASH_INDEX_V3
from signing.judging import CONTENT_TIMESTAMP
from signing.policy.levels import Level
from signing.report.checks import OTHER, kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from signing import Report

CONTENT = "关于准予设立的决定\n".encode() * 20
DAY, YEAR = timedelta(days=1), timedelta(days=365)
NOTHING = RevocationSnapshot()


class Files:
    """An agency whose certificate ends in a month, and authorities for time-stamps that end one by one."""

    def __init__(self) -> None:
        self.pki, self.times = Pki(), TestAuthority("Time Root")
        self.agency = self.pki.issuing.issue("Market Bureau", not_after=NOON + 30 * DAY)
        self.trust = TrustStore([self.pki.root.certificate, self.times.certificate])
        self.stampers = [
            self.times.issue(f"TSA {number}", "timestamp", not_after=NOON + number * YEAR)
            for number in (1, 2, 3)
        ]

    def tsa(self, number: int, at: datetime) -> MemoryTsa:
        return MemoryTsa(self.stampers[number - 1], at)

    def known(self, at: datetime) -> RevocationSnapshot:
        authorities = (self.pki.root, self.pki.issuing, self.times)
        return RevocationSnapshot(Crl.from_der(one.crl(at)) for one in authorities)

    def signed(self, **more: Any) -> bytes:
        return detached.sign(CONTENT, self.agency, now=NOON, timestamper=self.tsa(1, NOON), **more)

    def archived(self, signature: bytes, number: int, at: datetime, **more: Any) -> bytes:
        return detached.archive(
            signature, more.pop("content", CONTENT), self.trust,
            revocation=self.known(at), timestamper=self.tsa(number, at), now=at,
        )  # fmt: skip

    def ask(
        self, signature: bytes, at: datetime, content: bytes | None = CONTENT, **more: Any
    ) -> Report[Any]:
        return detached.verify(signature, content, self.trust, revocation=NOTHING, now=at, **more)


@pytest.fixture(scope="module")
def files() -> Files:
    return Files()


@pytest.fixture(scope="module")
def archived(files: Files) -> bytes:
    return files.archived(files.signed(), 2, NOON + DAY)


def test_it_lasts_as_long_as_the_newest_stamp(files: Files, archived: bytes) -> None:
    found = files.ask(archived, NOON + 2 * YEAR - DAY)
    assert found.require().proved_at == NOON
    assert found.findings["level"] == Level.B_LTA
    ended = files.ask(archived, NOON + 2 * YEAR + DAY)
    assert Reason.TIMESTAMP_NOT_TRUSTED in ended.reasons
    assert [check.name for check in ended.checks if kind_of(check.name) is OTHER] == []
    assert files.ask(archived, NOON + 2 * YEAR + DAY, policy=Policy(after_end="believed")).passed


def test_it_is_renewed(files: Files, archived: bytes) -> None:
    renewed = files.archived(archived, 3, NOON + 2 * YEAR - DAY)
    assert len(cms.parse(renewed).unsigned[ARCHIVE_TIMESTAMP_V3]) == 2
    found = files.ask(renewed, NOON + 3 * YEAR - DAY)
    assert found.require().proved_at == NOON
    assert not files.ask(renewed, NOON + 3 * YEAR + DAY).passed


def test_it_needs_no_other_stamp(files: Files) -> None:
    bare = detached.sign(CONTENT, files.agency, now=NOON, timestamper=files.tsa(1, NOON + DAY))
    kept = files.archived(bare, 2, NOON + DAY)
    assert files.ask(kept, NOON + YEAR + DAY).require().proved_at == NOON + DAY


def test_the_content_may_be_inside(files: Files) -> None:
    kept = files.archived(files.signed(inside=True), 2, NOON + DAY, content=None)
    assert files.ask(kept, NOON + YEAR, None).passed


class TestWhatIsTakenAwayOrChanged:
    LATER = NOON + YEAR + DAY

    def fails(self, files: Files, changed: bytes) -> None:
        found = files.ask(changed, self.LATER)
        assert not found.passed
        assert Reason.TIMESTAMP_INVALID in found.reasons

    def test_evidence_that_the_stamp_covers(self, files: Files, archived: bytes) -> None:
        self.fails(files, _changed(archived, lambda fields: [one for one in fields if one.tag != 0xA1]))

    def test_an_earlier_stamp(self, files: Files, archived: bytes) -> None:
        self.fails(files, _with_unsigned(archived, lambda name: name != cms.TIMESTAMP_TOKEN))

    def test_what_came_later_is_not_covered(self, files: Files, archived: bytes) -> None:
        """More evidence harms nobody, and is not proved to be as old as the rest."""
        more = cms.with_evidence(
            archived, certificates=[], crls=[files.pki.root.crl(NOON + 20 * DAY)], ocsp=[]
        )
        assert files.ask(more, self.LATER).passed

    def test_a_stamp_of_another_file(self, files: Files, archived: bytes) -> None:
        other = detached.sign(b"another", files.agency, now=NOON, timestamper=files.tsa(1, NOON))
        (token,) = cms.parse(archived).unsigned[ARCHIVE_TIMESTAMP_V3]
        kept = detached.extend(
            other, b"another", files.trust, revocation=files.known(NOON + DAY), now=NOON + DAY
        )
        found = detached.verify(
            _adding(kept, token), b"another", files.trust, revocation=NOTHING, now=self.LATER
        )
        assert Reason.TIMESTAMP_INVALID in found.reasons

    def test_an_index_that_is_missing_or_twice_or_none(self, files: Files, archived: bytes) -> None:
        (token,) = cms.parse(archived).unsigned[ARCHIVE_TIMESTAMP_V3]
        kept = _with_unsigned(archived, lambda name: name != ARCHIVE_TIMESTAMP_V3)
        bare = _with_unsigned(token, lambda name: name != HASH_INDEX_V3)
        assert not files.ask(_adding(kept, bare), self.LATER).passed
        empty = der.sequence(cms.digest_identifier("sha256"), *[der.sequence()] * 3)
        for values in ([empty, empty], [der.null()], [der.sequence(*[der.sequence()] * 4)]):
            changed = _adding(bare, *values, kind=HASH_INDEX_V3)
            self.fails(files, _adding(kept, changed))

    def test_noise_in_its_place(self, files: Files) -> None:
        @given(st.binary(max_size=60))
        def holds(noise: bytes) -> None:
            found = files.ask(_adding(files.signed(), der.octet_string(noise)), NOON + DAY)
            assert not found.passed

        holds()

    def test_a_flipped_bit_of_the_newest_stamp_says_nothing_else(self, files: Files, archived: bytes) -> None:
        """Where one passes, it was in what CMS leaves unsigned: the list of hashes that were used."""
        (token,) = cms.parse(archived).unsigned[ARCHIVE_TIMESTAMP_V3]
        start = archived.index(token)
        for place in range(start, start + len(token), 41):
            changed = bytearray(archived)
            changed[place] ^= 4
            found = files.ask(bytes(changed), self.LATER)
            if found.passed:
                (kept,) = cms.parse(bytes(changed)).unsigned[ARCHIVE_TIMESTAMP_V3]
                assert _meaning(kept) == _meaning(token), place - start


def _meaning(token: bytes) -> Any:
    signed = cms.parse(token)
    return signed.content, signed.signed_part, signed.signature, signed.signer, signed.unsigned


class TestContentStamps:
    """A time-stamp over the content, signed with it: nobody signed before it."""

    def signed(
        self, files: Files, content_at: datetime, stamp_at: datetime, content: bytes = CONTENT
    ) -> bytes:
        token = files.tsa(2, content_at).stamp(cms.hash_with("sha256", content))
        attributes = [
            cms.attribute(cms.SIGNING_TIME, der.time(NOON)),
            cms.attribute(CONTENT_TIMESTAMP, token),
        ]
        digest = cms.hash_with("sha256", CONTENT)

        def stamp(value: bytes) -> bytes:
            return files.tsa(1, stamp_at).stamp(cms.hash_with("sha256", value))

        return cms.sign(files.agency, digest, attributes=attributes, stamp=stamp)

    def ask(self, files: Files, signature: bytes) -> set[Reason]:
        known = files.known(NOON + DAY)
        return set(detached.verify(signature, CONTENT, files.trust, revocation=known, now=NOON + DAY).reasons)

    def test_before_the_signature(self, files: Files) -> None:
        assert not self.ask(files, self.signed(files, NOON, NOON + timedelta(hours=1)))

    def test_after_the_signature_it_contradicts(self, files: Files) -> None:
        signature = self.signed(files, NOON + timedelta(hours=2), NOON + timedelta(hours=1))
        assert self.ask(files, signature) == {Reason.TIMESTAMP_ORDER}

    def test_over_something_else(self, files: Files) -> None:
        signature = self.signed(files, NOON, NOON, b"another")
        assert self.ask(files, signature) == {Reason.TIMESTAMP_INVALID}


@pytest.mark.peer
def test_openssl_still_reads_the_signature(files: Files, archived: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.p7s").write_bytes(archived)
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "root.pem").write_bytes(files.pki.root.certificate.to_pem())
    openssl(
        "cms", "-verify", "-inform", "DER", "-in", "a.p7s", "-content", "content", "-binary", "-CAfile",
        "root.pem", "-purpose", "any", "-attime", str(int(NOON.timestamp())), "-out", "out", cwd=tmp_path,
    )  # fmt: skip
    assert (tmp_path / "out").read_bytes() == CONTENT


def _changed(encoded: bytes, change: Any) -> bytes:
    kind, wrapped = der.children(der.read_exactly(encoded, der.SEQUENCE))
    fields = change(list(der.children(der.read_exactly(wrapped.content, der.SEQUENCE))))
    return der.sequence(kind.encoded, der.explicit(0, der.sequence(*(one.encoded for one in fields))))


def _with_unsigned(encoded: bytes, keeps: Any, *more: bytes) -> bytes:
    """The same structure with some of its unsigned attributes, and others."""

    def change(fields: list[der.Element]) -> list[der.Element]:
        (info,) = der.children(fields[-1])
        parts = list(der.children(info))
        there = list(der.children(parts.pop())) if parts[-1].tag == 0xA1 else []
        kept = [one.encoded for one in there if keeps(der.read_oid(next(der.children(one))))]
        unsigned = der.tlv(0xA1, *sorted([*kept, *more])) if kept or more else b""
        changed = der.set_of(der.sequence(*(part.encoded for part in parts), unsigned))
        return [*fields[:-1], der.read_whole(changed)]

    return _changed(encoded, change)


def _adding(encoded: bytes, *values: bytes, kind: str = ARCHIVE_TIMESTAMP_V3) -> bytes:
    return _with_unsigned(encoded, lambda _: True, cms.attribute(kind, *values))
