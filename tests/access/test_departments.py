"""Two departments at one verification service: what one asked and was shown is not there for the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.departments import BUREAU, FIRE, MATTER, PURPOSE
from world.presentations import AskingCity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.licence import Licence

STATED = {
    BUREAU: {"purpose": PURPOSE, "matter": MATTER},
    FIRE: {"purpose": "fire-safety", "matter": "fire-1"},
}
OTHER = {BUREAU: FIRE, FIRE: BUREAU}


class Desks:
    """The city's two departments, the licence they both ask for, and what belongs to each."""

    def __init__(self, database_url: str) -> None:
        self.city = AskingCity(database_url=database_url)
        self.licence: Licence = self.city.issue()[0]
        self.verifications: dict[str, list[str]] = {BUREAU: [], FIRE: []}
        self.sessions: dict[str, list[str]] = {BUREAU: [], FIRE: []}
        self.keys = 0

    def verify(self, who: str) -> None:
        reply = self.city.ask({"licence": self.licence.identifier, **STATED[who]}, as_=who)
        assert reply.status == 200, reply.body
        self.verifications[who].append(reply.json["id"])

    def start(self, who: str) -> None:
        self.sessions[who].append(self.city.started(as_=who, **STATED[who])["id"])

    def look(self, who: str) -> None:
        """The other's verifications and sessions, by their ids."""
        for one in self.verifications[OTHER[who]]:
            assert self._get(f"/v1/verifications/{one}", who) == 404
        for one in self.sessions[OTHER[who]]:
            assert self.city.outcome(one, as_=who).status == 404

    def take_nonce(self, who: str) -> None:
        """A presentation made for the other's nonce."""
        shown = self.city.present(self.credential, nonce := self.city.nonce(OTHER[who]), audience=who)
        asked = {"presentation": shown, "nonce": nonce, **STATED[who]}
        reply = self.city.ask(asked, as_=who)
        assert reply.status != 200 or reply.json["indication"] != "passed"

    def repeat_key(self, who: str) -> None:
        """The same idempotency key, by both: each is answered by its own."""
        self.keys += 1
        headers = {"Idempotency-Key": f"key-{self.keys}"}
        ids = {}
        for one in (who, OTHER[who]):
            asked = {"licence": self.licence.identifier, **STATED[one]}
            ids[one] = self.city.ask(asked, as_=one, headers=headers).json["id"]
            self.verifications[one].append(ids[one])
        assert ids[who] != ids[OTHER[who]]

    def everything_is_its_owners(self) -> None:
        for who in (BUREAU, FIRE):
            for one in self.verifications[who][-3:]:
                assert self._get(f"/v1/verifications/{one}", who) == 200
            for one in self.sessions[who][-3:]:
                assert self.city.outcome(one, as_=who).json["state"] == "open"

    @property
    def credential(self) -> str:
        if not hasattr(self, "_credential"):
            self._credential = self.city.credential(self.licence)
        return self._credential

    def _get(self, path: str, who: str) -> int:
        headers: Any = {"Authorization": f"Bearer {self.city.token(who)}"}
        return self.city.call("GET", path, None, headers).status


@pytest.fixture
def desks(database_url: str) -> Iterator[Desks]:
    made = Desks(database_url)
    yield made
    made.city.close()


STEPS = (Desks.verify, Desks.start, Desks.look, Desks.take_nonce, Desks.repeat_key)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from([BUREAU, FIRE])), min_size=2, max_size=6))
def test_a_department_never_sees_what_another_asked(desks: Desks, steps: list[Any]) -> None:
    for step, who in steps:
        step(desks, who)
    for who in (BUREAU, FIRE):
        desks.look(who)
    desks.everything_is_its_owners()
