"""Signed notes and checkpoints, on the specification's own example and on everything near it."""

from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from world.audit import _KEY, ORIGIN, PUBLIC_KEY

from yinxin.base.audit.checkpoint import (
    Checkpoint,
    check_origin,
    key_id,
    parse_note,
    parse_verifier_key,
    sign_checkpoint,
    verifier_key,
    verify_checkpoint,
    verify_note,
)
from yinxin.base.audit.proof import OfflineProof
from yinxin.base.errors import MalformedInput, UsageError

# C2SP signed-note, "Example"
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
STATE = Checkpoint(ORIGIN, 70_000, bytes(range(32)))
SIGNED = sign_checkpoint(STATE, sign=_KEY.sign, public_key=PUBLIC_KEY)


def test_the_specifications_example_verifies() -> None:
    name, key = parse_verifier_key(VKEY)
    assert verify_note(NOTE, name=name, public_key=key) == "This is an example message.\n"
    assert verifier_key(name, key) == VKEY
    with pytest.raises(MalformedInput, match="signature is wrong"):
        verify_note(NOTE.replace("example m", "exemple m"), name=name, public_key=key)


def test_a_checkpoint_is_read_back() -> None:
    assert verify_checkpoint(SIGNED, origin=ORIGIN, public_key=PUBLIC_KEY) == STATE
    assert SIGNED.startswith(f"{ORIGIN}\n70000\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— {ORIGIN} ")


def test_signatures_of_others_are_ignored() -> None:
    witness = f"— witness.example/a {b64encode(b'1234' + bytes(70)).decode()}\n"
    rotated = f"— {ORIGIN} {b64encode(b'5678' + bytes(64)).decode()}\n"
    assert verify_checkpoint(SIGNED + witness + rotated, origin=ORIGIN, public_key=PUBLIC_KEY) == STATE


def test_a_wrong_signature_of_ours_refuses_the_note() -> None:
    forged = f"— {ORIGIN} {b64encode(key_id(ORIGIN, PUBLIC_KEY) + bytes(64)).decode()}\n"
    with pytest.raises(MalformedInput, match="signature is wrong"):
        verify_checkpoint(SIGNED + forged, origin=ORIGIN, public_key=PUBLIC_KEY)


def test_another_key_or_another_log_is_refused() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(MalformedInput, match="not signed by this key"):
        verify_checkpoint(SIGNED, origin=ORIGIN, public_key=other)
    with pytest.raises(MalformedInput, match="not signed by this key"):
        verify_checkpoint(SIGNED, origin="other.example/log", public_key=PUBLIC_KEY)
    # The right key under its name, over the text of another log.
    stolen = Checkpoint("other.example/log", 1, bytes(32)).text()
    blob = b64encode(key_id(ORIGIN, PUBLIC_KEY) + _KEY.sign(stolen.encode())).decode()
    with pytest.raises(MalformedInput, match="another log"):
        verify_checkpoint(f"{stolen}\n— {ORIGIN} {blob}\n", origin=ORIGIN, public_key=PUBLIC_KEY)


def test_a_signer_that_does_not_fit_its_key_is_noticed_at_once() -> None:
    other = Ed25519PrivateKey.generate()
    with pytest.raises(UsageError):
        sign_checkpoint(STATE, sign=other.sign, public_key=PUBLIC_KEY)


@given(st.integers(0, len(SIGNED) - 1), st.characters(codec="utf-8"))
def test_no_single_character_can_be_changed(at: int, other: str) -> None:
    changed = SIGNED[:at] + other + SIGNED[at + 1 :]
    if changed != SIGNED:
        with pytest.raises(MalformedInput):
            verify_checkpoint(changed, origin=ORIGIN, public_key=PUBLIC_KEY)


LINES = st.lists(
    st.sampled_from(
        [ORIGIN, "70000", "007", "", "AAAA", "index 0", "index 00", "extra AAAA", "\t", "— a b", "— "]
    )
    | st.text(max_size=50),
    max_size=12,
)


@given(LINES)
def test_any_text_is_a_note_and_a_proof_or_refused(lines: list[str]) -> None:
    text = "\n".join(lines)
    for parse in (parse_note, OfflineProof.parse, parse_verifier_key):
        for candidate in (text, "c2sp.org/tlog-proof@v1\n" + text, text + "\n\n" + SIGNED):
            try:
                parse(candidate)
            except MalformedInput:
                continue


@pytest.mark.parametrize("origin", ["", "with space", "a+b", "a\nb", "a\u2003b", "a\x00"])
def test_an_origin_that_can_be_no_key_name_is_refused(origin: str) -> None:
    with pytest.raises(UsageError):
        check_origin(origin)
