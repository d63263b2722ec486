"""Decisions that are archived, made again by anybody, and found out when somebody touched them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.credentials import VCT, CredentialWorld, food_licence
from world.desk import Desk, plain_pdf
from world.listed import GRANTED, a_list
from world.pki import NOON

from credentials.known_types import KnownTypes
from credentials.published_keys import PublishedKeys, describe_keys
from signing import FileSigner, Reason, detached
from signing.policy import Policy
from signing.report import Indication
from signing.trust import Period, TrustAnchor, TrustStore
from signing.trust_list import ServingList, TrustList, sign_content
from signing.trust_list.contents import LIST_TYPE
from verify_api.documents import Snapshots
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.decisions import archive
from yinxin.app.decisions.decision import Decision, decide, read_record, replay
from yinxin.app.examine import Examiner, Exhibit
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Conflict, MalformedInput, NotFound, TooLarge, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMAS = Path(__file__).parents[2] / "signing" / "report"
LATER = NOON + timedelta(minutes=1)


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def examiner(desk: Desk, **changes: Any) -> Examiner:
    stands = {"trust": desk.trust, "revocation": desk.revocation(LATER), "policy": Policy.default()}
    return Examiner(Snapshots(**{**stands, **changes}), clock=FixedClock(*LATER.timetuple()[:6]))


@pytest.fixture(scope="module")
def sealed(desk: Desk) -> Exhibit:
    return Exhibit("letter.pdf", desk.seal(plain_pdf()))


def test_a_decision_is_made_again_from_a_folder_and_from_a_zip_file(
    desk: Desk, sealed: Exhibit, tmp_path: Path
) -> None:
    report, decision = decide(examiner(desk), sealed)
    assert report.passed
    for place in (tmp_path / "folder", tmp_path / "one.zip"):
        archive.write(place, decision)
        outcome = replay(archive.read(place))
        assert outcome.is_same
        assert outcome.report.to_json() == report.to_json()
    assert replay(archive.read(tmp_path / "folder" / "decision.json")).is_same
    # The record alone, its inputs elsewhere.
    lonely = tmp_path / "report.json"
    lonely.write_bytes(decision.to_json())
    with pytest.raises(NotFound):
        archive.read(lonely)
    for inputs in (tmp_path / "folder", tmp_path / "one.zip"):
        assert replay(archive.read(lonely, inputs=inputs)).is_same
    with pytest.raises(Conflict):
        archive.write(tmp_path / "one.zip", decision)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("letter.pdf", lambda desk: (desk.seal(plain_pdf()).replace(b"Licence 001", b"Licence 002"), None)),
        ("letter.pdf", lambda _: (plain_pdf(), None)),
        ("letter.pdf", lambda _: (b"%PDF-1.7", None)),
        ("noise", lambda _: (b"\x00\x01", None)),
        ("vc", lambda _: (b"eyJhbGciOiJub25lIn0..~", None)),
        (
            "minutes.p7s",
            lambda desk: (detached.sign(b"minutes", desk.agency, now=NOON, timestamper=desk.tsa), b"minutes"),
        ),
        ("minutes.p7s", lambda desk: (detached.sign(b"minutes", desk.agency, now=NOON), None)),
    ],
    ids=["changed", "unsigned", "no-pdf", "noise", "credential", "beside", "alone"],
)
def test_every_kind_of_verdict_can_be_archived(
    desk: Desk, name: str, make: Callable[[Desk], tuple[bytes, bytes | None]]
) -> None:
    data, content = make(desk)
    report, decision = decide(examiner(desk), Exhibit(name, data, content))
    assert replay(decision).is_same
    registry = jsonschema_rs.Registry([("urn:yinxin:schema:report:1", schema("report"))])
    jsonschema_rs.validator_for(schema("decision"), registry=registry).validate(dict(decision.record))
    jsonschema_rs.validator_for(schema("report")).validate(json.loads(report.to_json()))


def test_what_it_stands_on_is_archived_whole(desk: Desk, sealed: Exhibit) -> None:
    root, begins = desk.pki.root.certificate, datetime(2026, 1, 1, tzinfo=UTC)
    periods = Period("seal", begins), Period("timestamp", begins)
    anchor = TrustAnchor(root, frozenset({"seal", "timestamp"}), periods=periods)
    trust = TrustStore([anchor], [desk.pki.issuing.certificate])
    named = ((root.fingerprint, frozenset[str]()),)
    policy = Policy(name="市场监管局", anchors=named, strength="nist-ir-8547-ipd")
    report, decision = decide(examiner(desk, trust=trust, policy=policy), sealed, at=NOON)
    assert report.passed
    outcome = replay(decision)
    assert outcome.is_same
    assert outcome.report.snapshots["trust"] == trust.snapshot_id
    assert outcome.report.policy == policy.hash


def test_a_trust_list_is_archived_as_it_served() -> None:
    world = CredentialWorld()
    listed = a_list(world.agency.certificate, world.licence()["vct"], GRANTED).listed
    assert listed is not None
    envelope = sign_content(listed.to_content(), LIST_TYPE, [FileSigner.generate()])
    shown = world.issue().rstrip("~").encode() + b"~"
    for serving in (ServingList(TrustList.kept(envelope), timedelta(hours=6)), ServingList(None)):
        stands = Snapshots(world.trust, world.revocation, trust_list=serving)
        judge = Examiner(stands, clock=FixedClock(*LATER.timetuple()[:6]))
        report, decision = decide(judge, Exhibit("licence.sd-jwt", shown))
        assert replay(decision).is_same
        unlisted = Reason.TRUST_LIST_UNAVAILABLE in report.reasons
        assert unlisted is (serving.listed is None)
        names = [one["role"] for one in decision.record["inputs"]]
        assert ("trust-list" in names) is not unlisted


def test_what_stands_on_published_keys_or_types_is_not_archived() -> None:
    """The archive keeps neither: a verdict that would come out otherwise without them is refused."""
    world, key, issuer = CredentialWorld(), FileSigner.generate(), food_licence()["iss"]
    described = json.dumps(describe_keys(issuer, [key.public_key])).encode()
    keys = PublishedKeys.read(described, issuer=issuer, at=NOON)
    by_keys = world.issue(food_licence(), signer=key, headers={"kid": key.public_key.thumbprint})
    types = KnownTypes({VCT: [json.dumps({"vct": VCT}).encode()]})
    policy = Policy(issuer_keys=((issuer, "metadata"),))
    for credential, stands in (
        (by_keys, {"policy": policy, "published": {issuer: keys}}),
        (world.issue(food_licence()), {"types": types}),
        (by_keys, {"policy": policy, "published": {issuer: keys}, "types": types}),
    ):
        snapshots = Snapshots(world.trust, world.revocation, **stands)  # type: ignore[arg-type]  # what differs
        judge = Examiner(snapshots, clock=FixedClock(*LATER.timetuple()[:6]))
        exhibit = Exhibit("licence.sd-jwt", credential.encode())
        assert judge.look_at(exhibit).passed
        with pytest.raises(Conflict, match="stands on what is not archived"):
            decide(judge, exhibit)


def test_that_keys_are_not_at_hand_is_a_verdict_to_archive() -> None:
    """As at the command line, which fetches none: indeterminate, and made again the same."""
    world, key, issuer = CredentialWorld(), FileSigner.generate(), food_licence()["iss"]
    credential = world.issue(food_licence(), signer=key, headers={"kid": key.public_key.thumbprint})
    for policy in (Policy(issuer_keys=((issuer, "metadata"),)), Policy(type_metadata="require")):
        judge = Examiner(
            Snapshots(world.trust, world.revocation, policy), clock=FixedClock(*LATER.timetuple()[:6])
        )
        report, decision = decide(judge, Exhibit("licence.sd-jwt", credential.encode()))
        assert not report.passed
        assert replay(decision).is_same


def test_a_touched_archive_is_found_out(desk: Desk, sealed: Exhibit) -> None:
    _, decision = decide(examiner(desk), sealed)

    def touched(change: Callable[[dict[str, Any]], None]) -> Decision:
        record = json.loads(decision.to_json())
        change(record)
        return Decision(record, decision.inputs)

    def forge(record: dict[str, Any]) -> None:
        record["report"]["indication"] = "failed"

    assert replay(touched(forge)).differs == ("/indication",)

    def later(record: dict[str, Any]) -> None:
        record["question"]["now"] = "2036-01-01T00:00:00+00:00"

    assert "/at" in replay(touched(later)).differs

    def fewer(record: dict[str, Any]) -> None:
        record["inputs"] = [one for one in record["inputs"] if one["role"] != "crl"]

    outcome = replay(touched(fewer))
    assert {"/indication", "/snapshots/revocation"} <= set(outcome.differs)
    assert outcome.report.indication is Indication.INDETERMINATE

    digest = next(one["sha256"] for one in decision.record["inputs"] if one["role"] == "document")
    with pytest.raises(MalformedInput):
        replay(Decision(decision.record, {**decision.inputs, digest: b"another"}))
    others = {name: data for name, data in decision.inputs.items() if name != digest}
    with pytest.raises(NotFound):
        replay(Decision(decision.record, others))


SCRIPT = """
import sys
from pathlib import Path
from yinxin.app.decisions import archive, decision
kept = archive.read(Path(sys.argv[1]))
outcome = decision.replay(kept)
sys.stdout.buffer.write(outcome.report.to_json().encode() + b"\\n" + archive.zipped(kept))
"""


def test_two_processes_with_other_hash_seeds_make_the_same_bytes(
    desk: Desk, sealed: Exhibit, tmp_path: Path
) -> None:
    report, decision = decide(examiner(desk), sealed)
    archive.write(tmp_path / "one.zip", decision)
    other = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path / "one.zip"],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        check=True,
    )
    assert other.stdout == report.to_json().encode() + b"\n" + (tmp_path / "one.zip").read_bytes()


def test_two_offices_with_the_same_policy_file_reach_the_same_verdict(desk: Desk, sealed: Exhibit) -> None:
    file = Policy(name="city", allowed_changes="archive").to_toml().encode()
    one, two = (examiner(desk, policy=Policy.from_toml(file)) for _ in range(2))
    assert one.look_at(sealed).policy == two.look_at(sealed).policy
    shared = desk.revocation(LATER)
    one, two = (examiner(desk, policy=Policy.from_toml(file), revocation=shared) for _ in range(2))
    assert one.look_at(sealed).to_json() == two.look_at(sealed).to_json()


class TestAtTheCommandLine:
    @pytest.fixture
    def ask(self, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
        def ask(*arguments: object) -> tuple[int, Any]:
            capsys.readouterr()
            status = run([*map(str, arguments), "--json"])
            out = capsys.readouterr().out
            return status, json.loads(out) if out else None

        return ask

    def test_archive_and_replay(self, tmp_path: Path, ask: Callable[..., tuple[int, Any]]) -> None:
        file, place = tmp_path / "plain.pdf", tmp_path / "kept"
        file.write_bytes(plain_pdf())
        status, answer = ask("verify", file, "--archive", place)
        assert status == ExitCode.FAILED
        status, again = ask("verify", "--replay", place)
        assert (status, again["same"]) == (ExitCode.DONE, True)
        assert {"file": str(file), **again["report"]} == answer["reports"][0]
        record = json.loads((place / "decision.json").read_bytes())
        record["report"]["reasons"] = []
        (place / "decision.json").write_text(json.dumps(record))
        status, again = ask("verify", "--replay", place)
        assert (status, again["differs"]) == (ExitCode.FAILED, ["/reasons"])
        next((place / "inputs").iterdir()).unlink()
        assert ask("verify", "--replay", place)[0] == ExitCode.INDETERMINATE

    def test_what_goes_not_together_is_said(
        self, tmp_path: Path, ask: Callable[..., tuple[int, Any]]
    ) -> None:
        file = tmp_path / "plain.pdf"
        file.write_bytes(plain_pdf())
        assert ask("verify", file, file, "--archive", tmp_path / "x")[0] == ExitCode.USAGE
        assert ask("verify", file, "--inputs", tmp_path)[0] == ExitCode.USAGE
        for beside in ([file], ["--qr", "x"], ["--audience", "us", "--nonce", "n"], ["--transcript", file]):
            assert ask("verify", *beside, "--replay", tmp_path / "nothing")[0] == ExitCode.USAGE
        assert ask("verify", "--replay", tmp_path / "nothing")[0] == ExitCode.INDETERMINATE
        assert ask("verify", "--replay", file)[0] == ExitCode.ERROR

    def test_a_policy_file_decides(self, tmp_path: Path, ask: Callable[..., tuple[int, Any]]) -> None:
        file, policy = tmp_path / "plain.pdf", tmp_path / "policy.toml"
        file.write_bytes(plain_pdf())
        policy.write_text('name = "city"', encoding="utf-8")
        _, answer = ask("verify", file, "--policy", policy)
        assert answer["reports"][0]["policy"] == Policy(name="city").hash
        policy.write_text('nam = "city"', encoding="utf-8")
        assert ask("verify", file, "--policy", policy)[0] == ExitCode.ERROR


def _zip(**entries: bytes) -> bytes:
    return _packed(zipfile.ZIP_DEFLATED, entries)


def _packed(packing: int, entries: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packing) as file:
        for name, data in entries.items():
            file.writestr(name.replace("_", "."), data)
    return made.getvalue()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda data: b"PK\x03\x04" + data)
    | st.binary(max_size=100).map(lambda data: _zip(decision_json=data))
    | st.binary(max_size=20).map(lambda cut: _zip(decision_json=b"{}")[: -len(cut) or None])
)
def test_arbitrary_archives_let_only_our_errors_out(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "archive"
    file.write_bytes(data)
    with pytest.raises(YinxinError):
        replay(archive.read(file))


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_inflates_without_bounds_is_not_read(tmp_path: Path, packing: int) -> None:
    """A few hundred bytes of bzip2 are gigabytes before the first of them can be counted."""
    file = tmp_path / "archive.zip"
    file.write_bytes(_packed(packing, {"decision.json": b"{}"}))
    with pytest.raises(MalformedInput, match="packed"):
        archive.read(file)


def test_a_zip_file_of_very_many_files_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 2)
    file = tmp_path / "archive.zip"
    file.write_bytes(_packed(zipfile.ZIP_STORED, {f"{number}": b"" for number in range(3)}))
    with pytest.raises(TooLarge):
        archive.read(file)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_arbitrary_records_let_only_our_errors_out(desk: Desk, sealed: Exhibit, data: st.DataObject) -> None:
    record = json.loads(_decision(desk, sealed).to_json())
    member = data.draw(st.sampled_from(sorted(record)))
    inner = record[member]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(json_values)
    else:
        record[member] = data.draw(json_values)
    try:
        outcome = replay(Decision(read_record(json.dumps(record).encode()), _decision(desk, sealed).inputs))
    except YinxinError:
        return
    assert outcome.is_same or record != _decision(desk, sealed).record


def test_times_that_nothing_can_be_counted_from_are_refused(desk: Desk, sealed: Exhibit) -> None:
    kept = _decision(desk, sealed)
    naive, ends = "2026-11-20T12:00:00", ("9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00")
    anchor = json.loads(kept.to_json())["trust"]["anchors"][0]
    bounded = {**anchor, "usages": ["seal"], "periods": [{"usage": "seal", "since": naive, "until": None}]}
    changes: list[tuple[str, dict[str, Any]]] = [
        *(("question", {name: time}) for name in ("now", "at") for time in (naive, *ends)),
        ("trust", {"anchors": [bounded]}),
        *(("trust", {"list_grace_seconds": grace}) for grace in (10**12, 10**30, -1)),
    ]
    for member, change in changes:
        record = json.loads(kept.to_json())
        record[member].update(change)
        with pytest.raises(MalformedInput):
            replay(Decision(record, kept.inputs))


_made: dict[int, Decision] = {}


def _decision(desk: Desk, sealed: Exhibit) -> Decision:
    if id(sealed) not in _made:
        _made[id(sealed)] = decide(examiner(desk), sealed)[1]
    return _made[id(sealed)]
