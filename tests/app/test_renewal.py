"""A home's keys are renewed before they run out; what the old ones signed still verifies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.homes import make_home

from ca.tsa import TimestampAuthority
from credentials import samples
from signing.pdf import verify
from yinxin.app import doctor, wiring
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.home import Home
from yinxin.app.renewal import renew
from yinxin.base.actor import staff
from yinxin.base.clock import SystemClock
from yinxin.base.errors import NotPermitted, SignerUnavailable, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from credentials.issuer import IssuedLicence

PEOPLE = ("applicant", "prover", "registrar")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    agency = samples.AGENCY
    plan = Plan(agency.name.zh, agency.name.en, agency.credit_code)
    return make_home(tmp_path / "home", plan, clock=SystemClock())


def again(home: Home) -> Home:
    """The same home, opened by the next process."""
    return Home.open(home.directory, clock=home.clock)


def issue(home: Home, number: int) -> IssuedLicence:
    stamps = TimestampAuthority(home.signer("timestamp"), home.clock, home.database)
    kind = "food-business-licence"
    clerk = staff("clerk", agency=home.settings.agency_code)
    issuer = wiring.issuer(home, timestamper=stamps)
    return issuer.issue(kind, samples.application(kind, number), holder=None, actor=clerk)


def test_a_renewed_seal_seals_and_the_old_licence_still_passes(home: Home) -> None:
    before = issue(home, 1)
    old = home.chain("seal")[0]
    fresh = renew(home, "seal", people=PEOPLE)
    assert fresh.public_key != old.public_key
    now = again(home)
    assert now.signer("seal").certificate == fresh
    assert {chain[0].serial for chain in now.every_chain("seal")} == {old.serial, fresh.serial}
    for licence in (before, issue(now, 2)):
        report = verify(
            licence.pdf, now.trust, revocation=now.revocation, now=now.clock.now() + timedelta(minutes=1)
        )
        assert report.passed, report.reasons


@pytest.mark.parametrize("name", ["credential", "mdoc", "request", "ocsp", "root-ocsp"])
def test_each_service_key_gets_its_own_kind_of_certificate(home: Home, name: str) -> None:
    old = home.chain(name)[0]
    fresh = renew(home, name, people=PEOPLE)
    assert (fresh.subject, fresh.issuer_der) == (old.subject, old.issuer_der)
    assert again(home).signer(name).certificate == fresh


def test_a_home_that_was_made_before_gets_its_first_key(home: Home) -> None:
    for path in (home.key_file("mdoc"), home.key_file("mdoc").with_suffix(".chain.pem")):
        path.unlink()
    found = {one.subject: one for one in doctor.examine(home, clock=home.clock)}
    assert found["key mdoc"].state is doctor.State.NOTE
    assert "yinxin ca renew mdoc" in found["key mdoc"].says.en
    assert wiring.issuance_server(again(home)).issuer_metadata() == without_mdocs(again(home))
    made = renew(home, "mdoc", people=PEOPLE)
    now = again(home)
    assert now.signer("mdoc").certificate == made
    assert made.subject == now.chain("credential")[0].subject, "lists of who may issue what name both"
    assert made.not_after - made.not_before <= timedelta(days=457)  # ISO/IEC 18013-5, B.1.4
    assert not list((home.directory / "keys" / "retired").iterdir())
    found = {one.subject: one for one in doctor.examine(now, clock=now.clock)}
    assert found["key mdoc"].state is doctor.State.GOOD


def without_mdocs(home: Home) -> dict[str, Any]:
    metadata = wiring.issuance_server(home).issuer_metadata()
    every = metadata["credential_configurations_supported"]
    kept = {name: one for name, one in every.items() if one["format"] != "mso_mdoc"}
    return {**metadata, "credential_configurations_supported": kept}


def test_who_applies_does_not_approve_a_seal(home: Home) -> None:
    old = home.key_file("seal").read_bytes()
    with pytest.raises(NotPermitted):
        renew(home, "seal", people=("Li", "prover", "li"))
    assert home.key_file("seal").read_bytes() == old
    with pytest.raises(UsageError, match="no certificate"):
        renew(home, "log", people=PEOPLE)


def test_a_renewal_that_is_cut_off_is_told_and_run_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as power_cut:
        power_cut.setattr("pathlib.Path.replace", _cut)
        with pytest.raises(OSError, match="power"):
            renew(home, "status", people=PEOPLE)
    with pytest.raises(SignerUnavailable, match="yinxin ca renew status"):
        again(home).signer("status")
    fresh = renew(again(home), "status", people=PEOPLE)
    assert again(home).signer("status").certificate == fresh


def _cut(draft: Path, target: Path) -> Path:
    if target.name == "status.pem":  # the chain is in its place, the key is not
        raise OSError("power")
    return draft.rename(target)


def test_on_the_command_line(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["ca", "renew", "receipt", "--people", *PEOPLE, "--home", str(home.directory)]) == ExitCode.DONE
    )
    assert "receipt" in capsys.readouterr().out
    assert len(again(home).every_chain("receipt")) == 2
