"""The directory of staff: who may change whose entry, whatever is tried in whatever order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.access import EIGHT, SEVEN, AccessWorld
from world.passkeys import enrolled

from yinxin.access.accounts import ROLES
from yinxin.access.directory import StaffDirectory
from yinxin.access.pages.routes import PAGES
from yinxin.base.actor import Actor, ActorKind, staff, system
from yinxin.base.errors import (
    Conflict,
    InvalidClaims,
    MalformedInput,
    NotFound,
    NotPermitted,
    UsageError,
    YinxinError,
)

if TYPE_CHECKING:
    from yinxin.base.database import Database

ANNA, BO = staff("anna"), staff("bo")


@pytest.fixture
def directory(counter: AccessWorld) -> StaffDirectory:
    return counter.access.staff


def first(directory: StaffDirectory, identifier: str, organisation: str) -> Actor:
    directory.bootstrap(identifier, name="任", organisation=organisation, actor=ANNA, witness=BO)
    return staff(identifier, agency=organisation, roles=("registrar",))


def add(directory: StaffDirectory, identifier: str, registrar: Actor, *roles: str) -> Actor:
    organisation = registrar.agency or ""
    directory.add(
        identifier, name="王", organisation=organisation, roles=roles or ("clerk",), actor=registrar
    )
    return staff(identifier, agency=organisation, roles=roles or ("clerk",))


# The first registrar


def test_two_people_enter_the_first_registrar(directory: StaffDirectory, counter: AccessWorld) -> None:
    ren = first(directory, "ren", SEVEN)
    entry = next(one for one in counter.entries() if one["action"] == "staff.add")
    assert entry["actor"]["id"] == "anna"
    assert entry["details"]["witness"] == "staff:bo"
    assert directory.list(SEVEN, actor=ren)[0].roles == {"registrar"}


@pytest.mark.parametrize(
    ("who", "actor", "witness"),
    [
        ("ren", ANNA, ANNA),
        ("ren", ANNA, staff("Ａｎｎａ ")),
        ("bo", ANNA, BO),
        ("ren", system("timer"), BO),
        ("ren", ANNA, Actor(ActorKind.HOLDER, "h")),
    ],
)
def test_one_person_alone_enters_nobody(
    directory: StaffDirectory, who: str, actor: Actor, witness: Actor
) -> None:
    with pytest.raises(NotPermitted):
        directory.bootstrap(who, name="x", organisation=SEVEN, actor=actor, witness=witness)


def test_an_organisation_has_one_first_registrar(directory: StaffDirectory) -> None:
    first(directory, "ren", SEVEN)
    with pytest.raises(Conflict):
        first(directory, "second", SEVEN)
    first(directory, "other", EIGHT)


def test_of_two_ceremonies_at_the_same_moment_one_counts(directory: StaffDirectory) -> None:
    ready, results = threading.Barrier(3), []

    def enter(name: str) -> None:
        ready.wait()
        try:
            results.append(first(directory, name, SEVEN))
        except Conflict as error:
            results.append(error)

    threads = [threading.Thread(target=enter, args=(f"r{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Actor) for one in results) == 1


def test_when_no_registrar_is_left_the_ceremony_enters_one(directory: StaffDirectory) -> None:
    ren = first(directory, "ren", SEVEN)
    other = add(directory, "other", ren, "registrar")
    directory.set_roles("ren", ["clerk"], actor=other)
    with pytest.raises(NotPermitted):
        directory.set_roles("other", ["clerk"], actor=ren)  # who is a clerk by now, whatever the actor says
    with pytest.raises(Conflict):
        first(directory, "third", SEVEN)


# Changes


def test_nobody_changes_the_own_entry(directory: StaffDirectory) -> None:
    ren = first(directory, "ren", SEVEN)
    for change in (
        lambda: directory.set_roles("ren", ["registrar", "clerk"], actor=ren),
        lambda: directory.set_roles(" REN", ["clerk"], actor=ren),
        lambda: directory.deactivate("ren", actor=ren),
        lambda: directory.enrol("ren", actor=ren),
        lambda: directory.link("ren", issuer="https://id.example", subject="u", actor=ren),
    ):
        with pytest.raises(NotPermitted):
            change()


def test_a_claim_to_be_registrar_counts_for_nothing(directory: StaffDirectory) -> None:
    ren = first(directory, "ren", SEVEN)
    add(directory, "clerk-17", ren)
    for impostor in (
        staff("clerk-17", agency=SEVEN, roles=("registrar",)),
        staff("nobody", agency=SEVEN, roles=("registrar",)),
        Actor(ActorKind.HOLDER, "ren", SEVEN, frozenset({"registrar"})),
        Actor(ActorKind.SYSTEM, "ren", SEVEN, frozenset({"registrar"})),
    ):
        with pytest.raises(NotPermitted):
            add(directory, "new", impostor)


def test_of_another_organisations_staff_nothing_is_told(directory: StaffDirectory) -> None:
    ren, fang = first(directory, "ren", SEVEN), first(directory, "fang", EIGHT)
    add(directory, "clerk-8", fang)
    for change in (directory.deactivate, directory.enrol):
        with pytest.raises(NotFound) as there:
            change("clerk-8", actor=ren)
        with pytest.raises(NotFound) as nowhere:
            change("clerk-9", actor=ren)
        assert str(there.value).replace("clerk-8", "clerk-9") == str(nowhere.value)
    with pytest.raises(NotPermitted):
        directory.list(EIGHT, actor=ren)
    with pytest.raises(NotPermitted):
        directory.add("x", name="x", organisation=EIGHT, roles=["clerk"], actor=ren)


def test_one_spelling_is_one_person(directory: StaffDirectory) -> None:
    ren = first(directory, "ren", SEVEN)
    add(directory, "clerk-17", ren)
    with pytest.raises(Conflict):
        add(directory, "ＣＬＥＲＫ-17", ren)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"roles": []},
        {"roles": ["king"]},
        {"identifier": "x" * 65},
        {"identifier": " "},
        {"organisation": "nonsense"},
        {"organisation": " " + SEVEN},
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_meant(directory: StaffDirectory, wrong: dict[str, Any]) -> None:
    ren = first(directory, "ren", SEVEN)
    facts: dict[str, Any] = {"identifier": "x", "name": "x", "organisation": SEVEN, "roles": ["clerk"]}
    facts |= wrong
    with pytest.raises((InvalidClaims, UsageError, MalformedInput, NotPermitted)):
        directory.add(facts.pop("identifier"), **facts, actor=ren)


def test_roles_count_from_the_next_request_on(counter: AccessWorld) -> None:
    ren = counter.registrar()
    signed_in, token = enrolled(counter.access, counter.enrol(registrar=ren))
    assert signed_in.actor.roles == {"clerk"}
    counter.access.staff.set_roles("clerk-17", ["inspector"], actor=ren)
    again = counter.access.signed_in(token)
    assert again is not None
    assert again.actor.roles == {"inspector"}
    assert again.actor.agency == SEVEN


def test_a_closed_account_stays_closed(directory: StaffDirectory) -> None:
    ren = first(directory, "ren", SEVEN)
    add(directory, "clerk-17", ren)
    directory.deactivate("clerk-17", actor=ren)
    for change in (directory.deactivate, directory.enrol):
        with pytest.raises(Conflict):
            change("clerk-17", actor=ren)
    assert directory.find("clerk-17") is None


# Anything in any order

PEOPLE = {SEVEN: ("ren", "registrar-7", "clerk-7"), EIGHT: ("fang", "registrar-8", "clerk-8")}
EVERYBODY = [*PEOPLE[SEVEN], *PEOPLE[EIGHT], "nobody"]
changes = st.one_of(
    st.tuples(st.just("roles"), st.sampled_from([("clerk",), ("registrar",), ("clerk", "inspector")])),
    st.tuples(st.just("deactivate"), st.none()),
    st.tuples(st.just("enrol"), st.none()),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(EVERYBODY), st.sampled_from(EVERYBODY), changes), min_size=1, max_size=12
    )
)
def test_whatever_is_tried_the_rules_hold(database: Database, steps: list[Any]) -> None:
    """Beside a model: only an active registrar of the same organisation changes another's entry."""
    directory = StaffDirectory(database)
    model = _peopled(directory)
    for who, whom, (verb, value) in steps:
        actor = staff(_name(model, who), agency=SEVEN, roles=("registrar",))
        mine, theirs = model["people"].get(who), model["people"].get(whom)
        may = (
            mine is not None
            and theirs is not None
            and who != whom
            and mine["active"]
            and "registrar" in mine["roles"]
            and mine["organisation"] == theirs["organisation"]
            and theirs["active"]
        )
        assert _try(directory, verb, _name(model, whom), value, actor) == may
        if may and theirs is not None:
            theirs["active"] = theirs["active"] and verb != "deactivate"
            theirs["roles"] = set(value) if verb == "roles" else theirs["roles"]
    for who, expected in model["people"].items():
        found = directory.find(_name(model, who))
        assert (found is not None) == expected["active"]
        assert found is None or found.roles == expected["roles"]
    for organisation in (SEVEN, EIGHT):
        names = [one for one in PEOPLE[organisation] if "registrar" in model["people"][one]["roles"]]
        assert any(model["people"][one]["active"] for one in names), "an organisation keeps a registrar"


_ROUND = iter(range(10**9))


def _peopled(directory: StaffDirectory) -> dict[str, Any]:
    """Two organisations with two registrars and a clerk each; every example has its own people."""
    number = next(_ROUND)
    model: dict[str, Any] = {"round": number, "people": {}}
    organisations = _organisations(number)
    for place, (organisation, names) in enumerate(PEOPLE.items()):
        del organisation
        ren = first(directory, _name(model, names[0]), organisations[place])
        add(directory, _name(model, names[1]), ren, "registrar")
        add(directory, _name(model, names[2]), ren)
        for name, role in zip(names, ("registrar", "registrar", "clerk"), strict=True):
            model["people"][name] = {"organisation": place, "roles": {role}, "active": True}
    return model


def _organisations(number: int) -> tuple[str, str]:
    """Two organisations that no example before had."""
    return _credit_code(2 * number), _credit_code(2 * number + 1)


def _credit_code(number: int) -> str:
    """GB 32100: the last character is a check over the others."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 10)
        digits = str(digit) + digits
    body = f"11120100{digits.zfill(8)}"
    weights_9 = (3, 7, 9, 10, 5, 8, 4, 2)
    ninth = (11 - sum(int(one) * weight for one, weight in zip(body[8:16], weights_9, strict=True)) % 11) % 11
    body += "X" if ninth == 10 else str(ninth)
    total = sum(alphabet.index(one) * 3**place % 31 for place, one in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]


def _name(model: dict[str, Any], who: str) -> str:
    return f"{who}-{model['round']}"


def _try(directory: StaffDirectory, verb: str, whom: str, value: Any, actor: Actor) -> bool:
    try:
        if verb == "roles":
            directory.set_roles(whom, value, actor=actor)
        else:
            getattr(directory, verb)(whom, actor=actor)
    except YinxinError:
        return False
    return True


def test_every_role_has_its_word_on_the_pages() -> None:
    assert [role for role in ROLES if not PAGES.text(f"role.{role}")] == []
