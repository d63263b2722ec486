"""Whatever is sent, the counter answers with a report; whatever is hidden, comes back or stays hidden."""

from __future__ import annotations

import itertools
import string
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.credentials import COUNTER, NONCE, CredentialWorld

from credentials.disclosures import conceal, reveal
from credentials.key_binding import withhold
from credentials.sd_jwt import SdJwt, issue_sd_jwt
from signing.report import Indication
from signing.signers.file import FileSigner
from yinxin.base.errors import YinxinError
from yinxin.base.randomness import UnsafeSeededRandomness

if TYPE_CHECKING:
    from world.pki import Pki

    from credentials.verifier import Verifier

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name not in {"_sd", "...", "_sd_alg"})
SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
CLAIMS = st.dictionaries(NAMES, VALUES, max_size=6)
SIGNER = FileSigner.generate()
TOKEN_CHARACTERS = string.ascii_letters + string.digits + "-_.~"


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


@pytest.fixture(scope="module")
def shown(world: CredentialWorld) -> str:
    return world.present(world.issue(), ["name", ("scopes", 1)])


@pytest.fixture(scope="module")
def counter(world: CredentialWorld, shown: str) -> Verifier:
    assert shown  # its status list exists now
    return world.counter()


def paths(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every claim and element below a value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for step, inner in steps for path in ((*place, step), *paths(inner, (*place, step)))]


@given(CLAIMS, st.data(), st.integers(0, 3))
def test_what_is_hidden_comes_back_whole(claims: dict[str, Any], data: st.DataObject, decoys: int) -> None:
    places = paths(claims)
    hide = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    payload, disclosures = conceal(claims, hide, randomness=UnsafeSeededRandomness("x"), decoys=decoys)
    assert len(disclosures) == len(hide)
    revealed = reveal(payload, disclosures)
    assert revealed.claims == claims
    assert {placed.path for placed in revealed.placed} == set(hide)


@given(CLAIMS, st.data())
def test_what_is_not_chosen_stays_hidden(claims: dict[str, Any], data: st.DataObject) -> None:
    claims = {**claims, "vct": "urn:x"}
    places = [path for path in paths(claims) if path[0] not in {"vct", "iss", "nbf", "exp", "cnf", "status"}]
    hide = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    choose = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    text = issue_sd_jwt(claims, disclosable=hide, signer=SIGNER)
    part = SdJwt.parse(withhold(SdJwt.parse(text), disclose=choose))
    wanted = {path for path in hide if any(path[: len(c)] == c or c[: len(path)] == path for c in choose)}
    assert {placed.path for placed in part.reveal().placed} == wanted


@given(st.text(max_size=400) | st.text(TOKEN_CHARACTERS, max_size=400))
def test_arbitrary_text_gets_a_report(counter: Verifier, text: str) -> None:
    report = counter.verify(text, audience=COUNTER, nonce=NONCE)
    assert report.indication is Indication.FAILED
    report.to_json()


@given(st.one_of(VALUES, st.binary(max_size=100)))
def test_arbitrary_things_get_a_report(counter: Verifier, thing: Any) -> None:
    assert not counter.verify(thing, audience=COUNTER, nonce=NONCE).passed


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_arbitrary_json_forms_raise_our_errors_only(data: bytes | str) -> None:
    with pytest.raises(YinxinError):
        SdJwt.from_json(data)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_changed_character_is_never_passed(counter: Verifier, shown: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(shown) - 1))
    other = data.draw(st.sampled_from(TOKEN_CHARACTERS).filter(lambda c: c != shown[place]))
    changed = shown[:place] + other + shown[place + 1 :]
    report = counter.verify(changed, audience=COUNTER, nonce=NONCE)
    assert not report.passed
    assert report.reasons


def test_every_place_of_a_presentation_counts(counter: Verifier, shown: str) -> None:
    """Each character flipped once, each removed once, each doubled once."""
    assert counter.verify(shown, audience=COUNTER, nonce=NONCE).passed
    for place, character in enumerate(shown):
        flipped = "B" if character == "A" else "A"
        for other in (flipped, "", character * 2):
            text = shown[:place] + other + shown[place + 1 :]
            if text != shown:
                assert not counter.verify(text, audience=COUNTER, nonce=NONCE).passed, place


def test_parts_in_any_other_order_or_number_do_not_pass(counter: Verifier, shown: str) -> None:
    parts = shown.split("~")
    for order in itertools.permutations(range(len(parts))):
        text = "~".join(parts[index] for index in order)
        assert counter.verify(text, audience=COUNTER, nonce=NONCE).passed is (text == shown)
    for size in range(len(parts)):
        assert not counter.verify("~".join(parts[:size]), audience=COUNTER, nonce=NONCE).passed
