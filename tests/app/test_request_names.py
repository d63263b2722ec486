"""How a home's verifier names itself to wallets: by its certificate, or by its host's name in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from world.homes import make_home

from credentials import samples
from credentials.oid4vp.client_ids import ClientId
from yinxin.app import wiring
from yinxin.app.ceremony import Plan, dns_names_of
from yinxin.base.clock import SystemClock
from yinxin.base.errors import InvalidClaims, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def plan(verify_url: str) -> Plan:
    agency = samples.AGENCY
    return Plan(agency.name.zh, agency.name.en, agency.credit_code, verify_url=verify_url)


def test_the_request_certificate_carries_the_verifiers_host(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", plan("https://Verify.city.example:8443/x"), clock=SystemClock())
    found = home.chain("request")[0].extension(x509.SubjectAlternativeName)
    assert found
    assert found.value.get_values_for_type(x509.DNSName) == ["verify.city.example"]
    name = ClientId(wiring.client_id_prefix("x509_san_dns"), "verify.city.example")
    assert name.objection_to(home.chain("request")[0], "https://verify.city.example:8443/x/response") is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8002", "http://[::1]:8002"])
def test_a_number_is_no_name(url: str) -> None:
    assert dns_names_of(url) == ()


def test_a_host_that_no_certificate_may_name_is_told_before_anything_is_written() -> None:
    with pytest.raises(InvalidClaims):
        plan("https://-verify.city.example")


def test_another_way_of_naming_is_refused() -> None:
    with pytest.raises(UsageError, match="x509_san_dns or x509_hash"):
        wiring.client_id_prefix("redirect_uri")
