"""What a policy file demands decides verdicts: levels by licence type, anchors, changes, roles, strength."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from world.desk import Desk, plain_pdf
from world.pki import NOON

from signing import Policy, Reason, RevocationSnapshot, detached
from signing.policy.levels import Demand, Level
from signing.report import Indication
from verify_api.documents import Snapshots
from yinxin.app.cli import run
from yinxin.app.examine import Examiner, Exhibit
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from signing.report import Report

NOW = NOON + timedelta(minutes=1)
LICENCE = {"certificate_identifier": "1.2.3", "claims": {}, "type": "food-business-licence"}
LATER_LEVEL = '[licence_types.food-business-licence]\nrequired_level = "B-LT"'


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def look(desk: Desk, data: bytes, policy: str | Policy, *, name: str = "x.pdf", **stands: Any) -> Report[Any]:
    rules = Policy.from_toml(policy.encode()) if isinstance(policy, str) else policy
    kept = Snapshots(desk.trust, stands.get("revocation") or desk.revocation(NOW), rules)
    exhibit = Exhibit(name, data, stands.get("content"))
    return Examiner(kept, clock=FixedClock(*NOW.timetuple()[:6])).look_at(exhibit)


def licence(desk: Desk, **asked: Any) -> bytes:
    return desk.seal(plain_pdf(files={"licence.json": json.dumps(LICENCE).encode()}), **asked)


def test_a_level_is_demanded_of_every_document(desk: Desk) -> None:
    stamped, plain = desk.seal(plain_pdf()), desk.seal(plain_pdf(), stamped=False)
    assert look(desk, plain, "").passed
    assert look(desk, plain, 'required_level = "B-T"').reasons == {Reason.TIMESTAMP_MISSING}
    assert look(desk, stamped, 'required_level = "B-T"').passed
    found = look(desk, stamped, 'required_level = "B-LT"')
    assert (found.indication, found.reasons) == (Indication.INDETERMINATE, {Reason.LEVEL_NOT_REACHED})


def test_a_level_is_demanded_of_licences_of_a_type(desk: Desk) -> None:
    data = licence(desk)
    # The desk's certificates name no agency by its credit code; everything else is as it should be.
    assert look(desk, data, "").reasons == {Reason.ISSUER_MISMATCH}
    assert look(desk, data, LATER_LEVEL.replace("food", "other")).reasons == {Reason.ISSUER_MISMATCH}
    found = look(desk, data, LATER_LEVEL)
    assert found.reasons == {Reason.ISSUER_MISMATCH, Reason.LEVEL_NOT_REACHED}
    (said,) = [check for check in found.checks if check.reason is Reason.LEVEL_NOT_REACHED]
    assert said.name.endswith("/required_level")
    assert said.detail == "food-business-licence: B-T, demanded is B-LT"
    # A document that is no licence has nothing to do with it.
    assert look(desk, desk.seal(plain_pdf()), LATER_LEVEL).passed


def test_a_file_with_its_evidence_reaches_the_level(desk: Desk) -> None:
    made = detached.sign(b"minutes", desk.agency, now=NOON, timestamper=desk.tsa)
    extended = detached.extend(made, b"minutes", desk.trust, revocation=desk.revocation(NOW), now=NOW)
    wanted = Policy(demand=Demand(Level.B_LT))
    # What extends a signature to a level does not demand that it is there already.
    again = detached.extend(
        made, b"minutes", desk.trust, revocation=desk.revocation(NOW), policy=wanted, now=NOW
    )
    assert detached.cms.parse(again).crls
    asked: dict[str, Any] = {"name": "minutes.p7s", "content": b"minutes"}
    assert look(desk, made, wanted, **asked).reasons == {Reason.LEVEL_NOT_REACHED}
    found = look(desk, extended, wanted, revocation=RevocationSnapshot(), **asked)
    assert found.passed, found.to_json()
    assert found.findings["level"] == "B-LT"
    assert look(desk, extended, Policy(demand=Demand(Level.B_LTA)), **asked).reasons == {
        Reason.LEVEL_NOT_REACHED
    }


def test_who_may_sign_is_demanded(desk: Desk) -> None:
    theirs = desk.seal(plain_pdf(), signer=desk.citizen)
    assert look(desk, theirs, "").passed
    assert look(desk, theirs, 'usages = ["seal"]').reasons == {Reason.SIG_CONSTRAINTS_FAILURE}
    assert look(desk, theirs, 'usages = ["signature"]').passed
    only = '[licence_types.food-business-licence]\nusages = ["signature"]'
    assert Reason.SIG_CONSTRAINTS_FAILURE in look(desk, licence(desk), only).reasons


def test_what_may_follow_a_signature_is_demanded(desk: Desk) -> None:
    twice = desk.seal(desk.seal(plain_pdf(), certify=False), signer=desk.citizen, certify=False)
    assert look(desk, twice, "").passed
    for allowed in ("archive", "none"):
        found = look(desk, twice, f'allowed_changes = "{allowed}"')
        assert found.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
    assert look(desk, desk.seal(plain_pdf()), 'allowed_changes = "none"').passed


def test_only_named_anchors_count_and_for_named_uses(desk: Desk) -> None:
    sealed, root = desk.seal(plain_pdf()), desk.pki.root.certificate.fingerprint
    assert look(desk, sealed, f'[anchors]\n"{root}" = []').passed
    assert look(desk, sealed, f'[anchors]\n"{root}" = ["seal", "timestamp"]').passed
    assert Reason.WRONG_KEY_USAGE in look(desk, sealed, f'[anchors]\n"{root}" = ["status"]').reasons
    assert Reason.NO_CERTIFICATE_CHAIN_FOUND in look(desk, sealed, f'[anchors]\n"{"0" * 64}" = []').reasons
    known = desk.trust.snapshot_id
    assert look(desk, sealed, f'trust_snapshots = ["{known}"]').passed
    assert not look(desk, sealed, f'trust_snapshots = ["{"0" * 64}"]').passed


def test_what_absent_revocation_data_mean_is_said(desk: Desk) -> None:
    sealed, nothing = desk.seal(plain_pdf(), stamped=False), RevocationSnapshot()
    nothing_known = look(desk, sealed, "", revocation=nothing)
    assert (nothing_known.indication, nothing_known.reasons) == (
        Indication.INDETERMINATE,
        {Reason.REVOCATION_UNKNOWN},
    )
    assert look(desk, sealed, 'revocation = "if_available"', revocation=nothing).passed


def test_the_policy_of_the_guide_is_one() -> None:
    guide = (Path(__file__).parents[2] / "docs/how-to/write-a-policy.md").read_text(encoding="utf-8")
    example = guide.partition("```toml\n")[2].partition("```")[0]
    policy = Policy.from_toml(example.encode())
    assert policy.demand_for("food-business-licence").level is Level.B_LT
    assert policy.demand_for().usages == {"seal"}


class TestTheCommand:
    @pytest.fixture
    def ask(self, capsys: pytest.CaptureFixture[str]) -> Any:
        def ask(*arguments: object) -> tuple[int, Any]:
            capsys.readouterr()
            status = run([*map(str, arguments), "--json"])
            out = capsys.readouterr().out
            return status, json.loads(out) if out else None

        return ask

    def test_show_says_every_demand(
        self, tmp_path: Path, ask: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "policy.toml"
        file.write_text('name = "city"\nrequired_level = "B-T"', encoding="utf-8")
        status, answer = ask("policy", "show", file)
        assert (status, answer["hash"]) == (0, Policy.from_toml(file.read_bytes()).hash)
        assert answer["policy"]["demand"]["level"] == "B-T"
        assert run(["policy", "show", str(file)]) == 0
        written = capsys.readouterr().out
        assert Policy.from_toml(written.encode()) == Policy.from_toml(file.read_bytes())
        assert ask("policy", "show")[1]["hash"] == Policy().hash

    def test_check_names_what_is_wrong_and_what_ends(self, tmp_path: Path, ask: Any) -> None:
        file = tmp_path / "policy.toml"
        file.write_text('requird_level = "B-T"', encoding="utf-8")
        assert ask("policy", "check", file)[0] == 4
        file.write_text('strength = "etsi-ts-119-312-1.5.1"', encoding="utf-8")
        status, answer = ask("policy", "check", file)
        assert status == 0
        assert {"algorithm": "RS256", "bits": 2048, "until": "2028-12-31"} in answer["ends"]
        file.write_text("algorithms = []", encoding="utf-8")
        status, answer = ask("policy", "check", file)
        assert (status, len(answer["faults"])) == (1, 1)

    def test_diff_names_each_demand(self, tmp_path: Path, ask: Any) -> None:
        one, two = tmp_path / "one.toml", tmp_path / "two.toml"
        one.write_text('name = "city"', encoding="utf-8")
        two.write_text('name = "city"\nmin_rsa_bits = 3072', encoding="utf-8")
        assert ask("policy", "diff", one, one) == (0, {"changed": []})
        status, answer = ask("policy", "diff", one, two)
        assert (status, answer["changed"]) == (1, [{"demand": "min_rsa_bits", "before": 2048, "after": 3072}])

    def test_strength_tells_its_sources(self, ask: Any) -> None:
        status, answer = ask("policy", "strength")
        assert status == 0
        assert all(table["source"] for table in answer)
