"""An installation gathers from its own certificate service, over the network of this machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from world.node import Node

from signing.places import places_of
from signing.revocation import OcspAnswer
from signing.revocation.request import ocsp_request
from yinxin.app import rounds
from yinxin.app.gathering.asking import REQUEST
from yinxin.app.gathering.outcome import State
from yinxin.app.gathering.taking import take_answer
from yinxin.app.home import Home
from yinxin.app.serve import running

if TYPE_CHECKING:
    from pathlib import Path


def test_lists_of_our_own_authorities_reach_the_folder_and_the_next_process(tmp_path: Path) -> None:
    node = Node.make(tmp_path / "home", "sqlite:///yinxin.db")
    home = node.home
    home.settings = replace(home.settings, refresh_seconds=3600.0, gather_seconds=0.0)
    with running(home, ["ca"]):
        first = rounds.gather(home)
        assert {item.state for item in first.items} == {State.TAKEN}
        assert first.missing == ()
        assert {item.url.rpartition("/")[2] for item in first.items} >= {"root.crl", "issuing.crl"}
        leaf, issuer = home.chain("seal")[:2]
        (responder,) = places_of(leaf).answers
        told = home.outbound.post(responder, ocsp_request(leaf, issuer), content_type=REQUEST)
        answer = OcspAnswer.from_der(told.body)
        take_answer(answer, kept=None, certificate=leaf, issuer=issuer, latest=node.clock.now())
        assert answer.about(leaf, issuer).status == "good"  # type: ignore[union-attr]  # or it were refused
        node.clock.advance(timedelta(hours=4))
        assert State.FAILED not in {item.state for item in rounds.gather(home).items}
    node.clock.advance(timedelta(hours=4))
    away = rounds.gather(home)
    assert {item.state for item in away.items} <= {State.FAILED, State.IN_PEACE}
    assert away.missing == (), "what was gathered still holds"
    later = Home.open(home.directory, passphrase="x", clock=node.clock)
    assert len(later.library.read().revocation.crls) == 2
    node.close()
