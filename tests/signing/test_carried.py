"""The certificates that a file brings along."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from world.desk import Desk, plain_pdf
from world.pki import NOON, Pki

from signing import detached
from signing.carried import MAX_CARRIED, carried_in
from signing.jose import sign_jws

PKI = Pki()
SEAL = PKI.signer("seal")


def test_a_file_beside_another() -> None:
    signature = detached.sign(b"content", SEAL, now=NOON)
    assert set(carried_in(signature)) >= {SEAL.chain[0], PKI.issuing.certificate}
    lonely = detached.sign(b"content", SEAL.with_chain(SEAL.chain[:1]), now=NOON)
    assert carried_in(lonely) == (SEAL.chain[0],)


def test_a_sealed_pdf_with_its_time_stamps() -> None:
    desk = Desk()
    carried = set(carried_in(desk.seal(plain_pdf())))
    assert carried >= {*desk.agency.chain[:2], desk.tsa.signer.chain[0]}


def test_a_token_says_its_chain() -> None:
    chain = [b64encode(one.der).decode() for one in SEAL.chain]
    token = sign_jws({"a": 1}, SEAL, headers={"typ": "test", "x5c": chain})
    assert carried_in(token.encode()) == SEAL.chain
    assert carried_in(f"{token}~WyJzYWx0Il0~".encode()) == SEAL.chain
    for strange in ("x", [1], ["*"], [None], [chain[0], "AAAA"]):
        found = carried_in(sign_jws({"a": 1}, SEAL, headers={"typ": "test", "x5c": strange}).encode())
        assert set(found) <= {SEAL.chain[0]}


def test_pem_text_and_no_more_than_so_many() -> None:
    assert carried_in(b"".join(one.to_pem() for one in SEAL.chain)) == SEAL.chain
    assert carried_in(SEAL.chain[0].to_pem() * (MAX_CARRIED + 1)) == ()


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"", b"\x30", b"%PDF-1.7\n", b"eyJ", b"-----BEGIN CERTIFICATE-----"]),
    st.binary(max_size=200),
)
def test_any_file_brings_certificates_or_none(start: bytes, rest: bytes) -> None:
    assert carried_in(start + rest) == ()
