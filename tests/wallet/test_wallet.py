"""A baker keeps licences in a wallet and shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from world.credentials import COUNTER, NONCE, VCT, CredentialWorld
from world.pki import Pki

from signing.reasons import Reason
from wallet.activity import ActivityKind
from wallet.holder import Holder
from wallet.request import PresentationRequest
from wallet.store import FILE_NAME, Store
from yinxin.base.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    NotPermitted,
    UsageError,
    VerificationFailed,
    YinxinError,
)
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

FAST = {"scrypt_cost": 1 << 4}
SECRET = "correct horse 电池"
LABELS = {
    "name": Text("单位名称", "name"),
    "credit_code": Text("统一社会信用代码", "unified social credit code"),
    "address": Text("经营场所", "business premises"),
    "scopes": Text("经营项目", "scope"),
    "licence_identifier": Text("证照标识", "licence identifier"),
}


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


@pytest.fixture
def holder(world: CredentialWorld, tmp_path: Path) -> Holder:
    return Holder.create(tmp_path, SECRET, clock=world.clock, verifier=world.counter(), **FAST)


def licensed(world: CredentialWorld, holder: Holder) -> str:
    """The holder got a food licence; its id."""
    claims = world.licence()
    holder._verifier = world.counter()
    return holder.receive(world.issue(claims, holder_key=holder.new_key())).id


def request(**changes: object) -> PresentationRequest:
    base = {
        "requester": Text("津城市和平区市场监管局", "Heping Market Bureau"),
        "purpose": Text("办理食品摊位备案", "to register a food stall"),
        "matter": "120101-0042",
        "audience": COUNTER,
        "nonce": NONCE,
        "vct": VCT,
        "claims": ("name", ("address", "city")),
    }
    return PresentationRequest(**{**base, **changes})


def test_a_licence_is_received_considered_shown_and_logged(world: CredentialWorld, holder: Holder) -> None:
    licence = licensed(world, holder)
    proposal = holder.consider(request(), licence, labels=LABELS)
    assert "津城市和平区市场监管局（身份未核验，请谨慎）" in proposal.consent.zh
    assert "办理食品摊位备案（事项：120101-0042）" in proposal.consent.zh
    assert "将出示：单位名称、经营场所·city\n" in proposal.consent.zh
    assert "每次出示均可见：证照标识\n" in proposal.consent.zh
    withheld = proposal.consent.zh.partition("不会出示：")[2].partition("\n")[0]
    assert set(withheld.split("、")) == {"统一社会信用代码", "经营场所·street", "经营项目"}
    assert "Who asks: Heping Market Bureau (identity NOT verified" in proposal.consent.en
    assert "Will not be shown: " in proposal.consent.en
    report = world.examine(holder.answer(proposal))
    assert report.passed, report.to_json()
    shown = report.require().claims
    assert shown["name"] == "津城小麦面包坊"
    assert "credit_code" not in shown
    received, last = holder.activity()
    assert (received.kind, last.kind) == (ActivityKind.RECEIVED, ActivityKind.SHOWN)
    assert last.claims == ("name", "address.city", "licence_identifier")
    assert last.requester == request().requester
    exported = json.loads(holder.export_activity())
    assert exported["entries"][1]["purpose"]["en"] == "to register a food stall"
    assert holder.licence(licence).uses == 1


def test_what_the_consent_names_is_what_is_shown(world: CredentialWorld, holder: Holder) -> None:
    licence = licensed(world, holder)
    proposal = holder.consider(request(), licence)
    shown = world.examine(holder.answer(proposal)).require().claims
    assert shown["address"] == {"city": "津城"}
    named = {item.path[0] for item in (*proposal.shared, *proposal.always)}
    protocol = {"iss", "vct", "iat", "nbf", "exp", "cnf", "status"}
    # An array whose elements are withheld shows that it is there, and nothing in it.
    assert {name for name, value in shown.items() if value != []} - protocol == named


def test_what_stands_beside_a_claim_asked_for_is_named_too(world: CredentialWorld, holder: Holder) -> None:
    licence = licensed(world, holder)
    proposal = holder.consider(request(claims=(("address", "street"),)), licence, labels=LABELS)
    assert [item.label.zh for item in proposal.shared] == ["经营场所·street", "经营场所·city"]
    shown = world.examine(holder.answer(proposal)).require().claims
    assert shown["address"] == {"city": "津城", "street": "和平路 18 号"}


def test_a_verified_requester_is_called_so(world: CredentialWorld, holder: Holder) -> None:
    licence = licensed(world, holder)
    signer = world.pki.signer("request")
    known = request(certificate=signer.certificate, requester_verified=True)
    assert "身份已核验" in holder.consider(known, licence).consent.zh
    with pytest.raises(UsageError):
        request(requester_verified=True)


def test_copies_are_shown_in_turn(world: CredentialWorld, holder: Holder) -> None:
    claims = world.licence()
    holder._verifier = world.counter()
    for _ in range(3):
        licence = holder.receive(world.issue(claims, holder_key=holder.new_key()))
    assert licence.copies == 3
    shown = [holder.present(licence.id, disclose=["name"], audience=COUNTER, nonce=NONCE) for _ in range(4)]
    assert len({text.partition("~")[0] for text in shown}) == 3
    assert holder.licence(licence.id).uses == 4


def test_only_credentials_for_our_keys_come_in(world: CredentialWorld, holder: Holder) -> None:
    holder._verifier = None
    with pytest.raises(NotPermitted):
        holder.receive(world.issue())
    with pytest.raises(NotPermitted):
        holder.receive(world.issue(holder_key=None))
    credential = world.issue(holder_key=holder.new_key())
    holder.receive(credential)
    with pytest.raises(Conflict):
        holder.receive(credential)
    with pytest.raises(MalformedInput):
        holder.receive(world.present(world.issue()))


def test_what_the_verifier_refuses_does_not_come_in(world: CredentialWorld, holder: Holder) -> None:
    stranger = CredentialWorld(Pki())
    with pytest.raises(VerificationFailed) as refused:
        holder.receive(world.issue(signer=stranger.agency, holder_key=holder.new_key()))
    assert Reason.NO_CERTIFICATE_CHAIN_FOUND in refused.value.report.reasons
    assert holder.licences() == []


def test_a_request_for_what_the_licence_has_not_is_answered_with_nothing(
    world: CredentialWorld, holder: Holder
) -> None:
    licence = licensed(world, holder)
    with pytest.raises(NotFound):
        holder.consider(request(claims=("blood_type",)), licence)
    with pytest.raises(NotFound):
        holder.consider(request(vct="urn:another"), licence)
    with pytest.raises(NotFound):
        holder.consider(request(), "another")
    assert [entry.kind for entry in holder.activity()] == [ActivityKind.RECEIVED]


def test_licences_are_found_by_their_text_and_removed(world: CredentialWorld, holder: Holder) -> None:
    licence = licensed(world, holder)
    assert [item.id for item in holder.licences("小麦")] == [licence]
    assert holder.licences("no such") == []
    assert holder.licence(licence).expires_at is not None
    holder.remove(licence)
    assert holder.licences() == []
    assert holder.activity()[-1].kind is ActivityKind.REMOVED
    with pytest.raises(NotFound):
        holder.remove(licence)


def test_the_wallet_opens_again_with_its_passphrase_only(
    world: CredentialWorld, holder: Holder, tmp_path: Path
) -> None:
    licence = licensed(world, holder)
    again = Holder.open(tmp_path, SECRET, clock=world.clock)
    assert again.licence(licence).claims["name"] == "津城小麦面包坊"
    assert world.examine(again.present(licence, disclose=["name"], audience=COUNTER, nonce=NONCE)).passed
    with pytest.raises(NotPermitted):
        Holder.open(tmp_path, "wrong")
    with pytest.raises(Conflict):
        Holder.create(tmp_path, SECRET, **FAST)
    with pytest.raises(NotFound):
        Holder.open(tmp_path / "elsewhere", SECRET)
    with pytest.raises(UsageError):
        Holder.create(tmp_path / "new", "", **FAST)


def test_nothing_readable_lies_on_the_disk(world: CredentialWorld, holder: Holder, tmp_path: Path) -> None:
    licensed(world, holder)
    data = (tmp_path / FILE_NAME).read_bytes()
    assert "小麦".encode() not in data
    assert b"eyJ" not in data.partition(b'"contents"')[2][:200]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_garbled_file_is_a_clear_error(holder: Holder, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    good = path.read_bytes()
    envelope = json.loads(good)
    for change in (
        {"format": "other"},
        {"version": 2},
        {"kdf": None},
        {"kdf": {**envelope["kdf"], "n": 1 << 30}},
        {"kdf": {**envelope["kdf"], "n": 3}},
        {"kdf": {**envelope["kdf"], "salt": "%"}},
        {"contents": "AAAA"},
        {"contents": None},
        {"check": "AAAA"},
    ):
        path.write_text(json.dumps({**envelope, **change}))
        with pytest.raises(YinxinError):
            Holder.open(tmp_path, SECRET)
    for data in (b"", b"{", good[:-20], good + b"x", b"\xff" * 100):
        path.write_bytes(data)
        with pytest.raises(MalformedInput):
            Holder.open(tmp_path, SECRET)


def test_two_programs_do_not_lose_each_others_work(tmp_path: Path) -> None:
    first = Store.create(tmp_path, SECRET, **FAST)
    second = Store.open(tmp_path, SECRET)
    for number in range(10):
        store = first if number % 2 else second
        store.update(lambda contents, number=number: contents.setdefault("list", []).append(number))
    assert first.read() == second.read() == {"list": list(range(10))}


def test_a_failed_change_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    store = Store.create(tmp_path, SECRET, **FAST)
    before = (tmp_path / FILE_NAME).read_bytes()

    def fail(contents: dict[str, object]) -> None:
        contents["half"] = True
        raise Conflict("stop")

    with pytest.raises(Conflict):
        store.update(fail)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wallet.json", "wallet.lock"]


def test_a_request_travels_as_json() -> None:
    assert PresentationRequest.from_dict(json.loads(json.dumps(request().to_dict()))) == request()
    for change in (
        {"claims": []},
        {"claims": [[-1]]},
        {"nonce": ""},
        {"purpose": {"zh": "x"}},
        {"vct": 7},
        {"claims": 5},
    ):
        with pytest.raises(MalformedInput):
            PresentationRequest.from_dict({**request().to_dict(), **change})
