"""`yinxin verify --audience --nonce` and `--transcript`: a presentation as a file, with who holds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import COUNTER, NONCE
from world.mdocs import TRANSCRIPT, MdocWorld
from world.pki import NOON

from credentials.mdoc import openid4vp_transcript
from signing.base64url import encode_base64url
from signing.cbor import encode
from signing.reasons import Reason
from signing.trust import TrustStore
from verify_api.documents import Kind, Snapshots, kind_of
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.examine import Demand, Examiner
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

    from signing.report import Report

FOR_US = Demand(COUNTER, NONCE)
IN_SESSION = Demand(transcript=TRANSCRIPT)


@pytest.fixture(scope="module")
def world(pki: Pki) -> MdocWorld:
    return MdocWorld(pki)


def as_json(presentation: str) -> str:
    """The JSON form of a presentation (RFC 9901, 8)."""
    token, *disclosures, binding = presentation.split("~")
    protected, payload, signature = token.split(".")
    header = {"disclosures": disclosures, "kb_jwt": binding}
    return json.dumps({"payload": payload, "protected": protected, "signature": signature, "header": header})


def look_at(world: MdocWorld, folder: Path, data: bytes | str, demand: Demand | None) -> Report[Any]:
    file = folder / "shown"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    kept = Snapshots(world.trust, world.revocation, statuses=world.snapshots())
    return Examiner(kept, clock=world.clock).examine(file, demand=demand)


@pytest.mark.parametrize("form", [str, as_json], ids=["compact", "json"])
def test_a_presentation_answers_to_whom_it_was_made_for(world: MdocWorld, tmp_path: Path, form: Any) -> None:
    text = form(world.present(world.issue()))
    report = look_at(world, tmp_path, text + "\n", FOR_US)
    assert report.passed, report.to_json()
    assert report.require().holder_key == world.baker.public_key
    assert look_at(world, tmp_path, text, None).require().holder_key is None
    others = {Demand("https://else.example", NONCE): Reason.WRONG_AUDIENCE}
    others |= {Demand(COUNTER, "n-another"): Reason.WRONG_NONCE}
    for demand, reason in others.items():
        assert look_at(world, tmp_path, text, demand).reasons == {reason}


def test_a_credential_that_nobody_showed_answers_to_nobody(world: MdocWorld, tmp_path: Path) -> None:
    credential = world.issue()
    assert look_at(world, tmp_path, credential, None).passed
    assert look_at(world, tmp_path, credential, FOR_US).reasons == {Reason.KEY_BINDING_MISSING}
    assert look_at(world, tmp_path, world.issue_mdoc(), IN_SESSION).reasons == {Reason.KEY_BINDING_MISSING}


@pytest.mark.parametrize("encoded", [False, True], ids=["bytes", "base64url"])
def test_an_mdoc_answers_to_its_session(world: MdocWorld, tmp_path: Path, *, encoded: bool) -> None:
    shown: Any = world.show()
    shown = encode_base64url(shown) if encoded else shown
    report = look_at(world, tmp_path, shown, IN_SESSION)
    assert report.require().holder_key == world.baker.public_key
    other = openid4vp_transcript(client_id="x", nonce=NONCE, response_uri=COUNTER)
    refused = look_at(world, tmp_path, shown, Demand(transcript=other))
    assert refused.reasons == {Reason.KEY_BINDING_INVALID}


def test_what_cannot_answer_is_said_and_never_passed_over(world: MdocWorld, tmp_path: Path) -> None:
    text, shown = world.present(world.issue()), world.show()
    for data, demand in (
        (text, IN_SESSION),
        (shown, FOR_US),
        (text, Demand(COUNTER, NONCE, TRANSCRIPT)),
        (b"%PDF-1.7\n", FOR_US),
        (b"", FOR_US),
        ("{}", IN_SESSION),
        ("eyJ", FOR_US),
    ):
        with pytest.raises(UsageError, match="other files have none"):
            look_at(world, tmp_path, data, demand)
    with pytest.raises(UsageError, match="together"):
        Demand(audience=COUNTER)
    for wrong in (b"", b"\xff", encode([None, None]), encode({}), TRANSCRIPT + b"\0"):
        with pytest.raises(UsageError, match="no session transcript"):
            Demand(transcript=wrong)


@pytest.mark.parametrize(
    "text",
    [b"{}", b'{"payload":"e30"}', b"[1]", '{"payload":"","protected":"é"}'.encode(), b'"payload""protected"'],
)
def test_other_json_is_no_presentation(text: bytes) -> None:
    assert kind_of(text) is Kind.UNKNOWN


class TestCommand:
    """`yinxin verify`."""

    @pytest.fixture
    def place(self, world: MdocWorld, tmp_path: Path) -> Path:
        TrustStore([world.pki.root.certificate]).save(tmp_path / "trust")
        for number, ca in enumerate((world.pki.root, world.pki.issuing)):
            (tmp_path / f"{number}.crl").write_bytes(ca.crl(NOON))
        (tmp_path / "shown.cbor").write_bytes(world.show())
        (tmp_path / "session.cbor").write_bytes(TRANSCRIPT)
        claims = {name: one for name, one in world.licence().items() if name != "status"}
        (tmp_path / "shown.txt").write_text(world.present(world.issue(claims)), encoding="ascii")
        return tmp_path

    @pytest.fixture
    def verify(self, place: Path, capsys: pytest.CaptureFixture[str]) -> Any:
        def verify(*arguments: str) -> tuple[int, str]:
            stands = ["--trust", place / "trust", "--crl", place / "0.crl", "--crl", place / "1.crl"]
            said = ["--json", "verify", *arguments, *stands, "--at", NOON.isoformat()]
            capsys.readouterr()
            return run(list(map(str, said))), capsys.readouterr().out

        return verify

    def test_it_takes_whom_a_presentation_is_for(self, place: Path, verify: Any) -> None:
        for_us = ("--audience", COUNTER, "--nonce", NONCE)
        in_session = ("--transcript", str(place / "session.cbor"))
        for file, options, check in (
            ("shown.txt", for_us, "key_binding_signature"),
            ("shown.cbor", in_session, "device_authentication"),
        ):
            code, told = verify(str(place / file), *options)
            assert code == ExitCode.DONE, told
            (report,) = json.loads(told)["reports"]
            assert check in {one["name"] for one in report["checks"]}
        assert verify(str(place / "shown.txt"), *for_us[:3], "other")[0] == ExitCode.FAILED

    @pytest.mark.parametrize(
        "options",
        [
            ["shown.txt", "--audience", COUNTER],
            ["shown.txt", "--nonce", NONCE],
            ["shown.txt", "shown.cbor", "--audience", COUNTER, "--nonce", NONCE],
            ["shown.cbor", "--audience", COUNTER, "--nonce", NONCE],
            ["shown.cbor", "--transcript", "shown.txt"],
            ["shown.txt", "--audience", COUNTER, "--nonce", NONCE, "--archive", "kept.zip"],
            ["--qr", "x", "--audience", COUNTER, "--nonce", NONCE],
        ],
        ids=str,
    )
    def test_half_of_it_is_said_to_be_wrong(self, place: Path, verify: Any, options: list[str]) -> None:
        named = [str(place / one) if one.startswith(("shown", "kept")) else one for one in options]
        assert verify(*named)[0] == ExitCode.USAGE
