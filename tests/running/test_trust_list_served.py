"""A verifier that goes by a trust list: new ones are heard, an old one serves, says so and ends."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.node import Node
from world.processes import call

from signing.signers.file import FileSigner
from signing.trust import TrustAnchor
from signing.trust_list import ListedIssuer, ListedType, TrustList, TrustRoot, sign_content
from signing.trust_list.contents import LIST_TYPE
from signing.trust_list.roots import ROOT_TYPE
from yinxin.app import wiring
from yinxin.app.observing import readiness
from yinxin.app.serve import running
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


DAY = timedelta(days=1)
SERVED = ("ca", "issuer", "verifier")


class City:
    """A home, and the trust office whose list it goes by."""

    def __init__(self, folder: Path) -> None:
        self.node = Node.make(folder / "home", "sqlite:///yinxin.db")
        self.keys = [FileSigner.generate() for _ in range(2)]
        self.version = 0
        home, keys = self.node.home, tuple(key.public_key for key in self.keys)
        root = TrustRoot("city", 1, 2, keys, datetime(2100, 1, 1, tzinfo=UTC))
        (home.directory / "root.json").write_bytes(sign_content(root.to_content(), ROOT_TYPE, self.keys))
        home.settings = replace(
            home.settings,
            refresh_seconds=3600.0,
            trust_list="list.json",
            trust_list_root=home.directory / "root.json",
            trust_list_grace_hours=24.0,
        )
        self.issued = self.node.issue()

    def publish(self, *status: Any) -> None:
        """A list in which the agency's permission has these states: each with its day."""
        home, now = self.node.home, self.node.clock.now()
        self.version += 1
        kind = wiring.catalogue(home)[self.issued.licence.type_code]
        types = tuple(ListedType(kind.vct, what, since, kind.number) for what, since in status)
        code = home.settings.agency_code
        subject = home.chain("credential")[0].subject
        issuer = ListedIssuer(Text("局", "bureau"), code, (subject,), ("codes.city.example",), types)
        anchor = TrustAnchor(home.chain("seal")[-1], frozenset({"seal"}), Text("根", "root"))
        listed = TrustList("city", self.version, 1, now, now + DAY, (anchor,), (issuer,))
        signed = sign_content(listed.to_content(), LIST_TYPE, self.keys)
        (home.directory / "list.json").write_bytes(signed)

    def verdict(self) -> str:
        body = json.dumps({"document": b64encode(self.issued.pdf).decode()}).encode()
        url = self.node.home.settings.verify_url
        status, _, answer = call(
            url, "POST", "/v1/verifications", body=body, headers={"Content-Type": "application/json"}
        )
        assert status == 200, answer
        return str(json.loads(answer)["indication"])

    def ready(self) -> tuple[int, list[str]]:
        status, _, body = call(self.node.home.settings.verify_url, "GET", "/readyz")
        return status, [reason["code"] for reason in json.loads(body).get("reasons", ())]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.node.close()


def test_it_serves_by_the_list_that_it_took_last(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)
    start = city.node.clock.now() - 300 * DAY
    with running(city.node.home, SERVED) as stage:
        # The settings name a list, and there is none yet: nothing passes.
        assert (city.verdict(), city.ready()) == ("indeterminate", (503, ["trust_list_unavailable"]))
        city.publish(("granted", start))
        stage.refresh()
        assert (city.verdict(), city.ready()) == ("passed", (200, []))
        address = f"{city.node.home.settings.verify_url}"
        listed = json.loads(call(address, "GET", "/v1/credential-issuers")[2])
        assert "https://codes.city.example/q" in listed["addresses"]
        assert listed["issuers"][0]["listed"]["agency"] == city.node.home.settings.agency_code

        city.publish(("granted", start), ("withdrawn", start + DAY))
        stage.refresh()
        assert city.verdict() == "failed"  # the licence is younger than that
        city.publish(("granted", start))
        stage.refresh()

        (city.node.home.directory / "list.json").unlink()
        city.node.clock.advance(DAY + timedelta(minutes=1))
        stage.refresh()
        assert (city.verdict(), city.ready()) == ("passed", (200, ["trust_list_stale"]))
        city.node.clock.advance(DAY)
        stage.refresh()
        assert (city.verdict(), city.ready()) == ("indeterminate", (503, ["trust_list_unavailable"]))
