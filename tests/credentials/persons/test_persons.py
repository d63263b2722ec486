"""A person asks what is held on them, and has it erased when the law no longer keeps it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from world.office import WHY as DECISION
from world.persons import WHY

from credentials import samples
from credentials.licence import EndingKind
from credentials.repository import LicenceRepository
from credentials.standing import State
from yinxin.base.actor import staff
from yinxin.base.errors import Conflict, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from world.persons import PersonWorld

    from credentials.licence import Licence
    from yinxin.base.database import Database

PHYSICIAN = "physician-certificate"
LATER = timedelta(days=3700)
TABLES = ("licence", "office_case", "person_erasure")


def physician(world: PersonWorld, index: int = 1, number: str = "办-1") -> Licence:
    claims = samples.application(PHYSICIAN, index)
    return world.sealed(number, type_code=PHYSICIAN, claims=claims).licence


def deregistered(world: PersonWorld, licence: Licence) -> None:
    world.issuer.end(licence.identifier, EndingKind.DEREGISTERED, actor=world.li, **DECISION)


def found(world: PersonWorld, identifier: str) -> Licence:
    with world.database.reading() as session:
        licence = LicenceRepository(session).by_identifier(identifier)
    assert licence is not None
    return licence


def everything_in(database: Database) -> bytes:
    """Every value of the tables that speak of persons, as the database keeps it."""
    kept = b""
    with database.reading() as session:
        for table in TABLES:
            for row in session.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - names of ours
                kept += b"".join(
                    value if isinstance(value, bytes) else str(value).encode() for value in map(_plain, row)
                )
    return kept


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_nothing_about_a_person_lies_in_clear(world: PersonWorld) -> None:
    licence = physician(world)
    world.asked(licence.holder_code)
    kept = everything_in(world.database)
    for secret in (licence.holder_name, licence.holder_code, str(licence.claims["qualification_number"])):
        assert secret.encode() not in kept
    assert found(world, licence.identifier).claims == licence.claims


def test_a_person_gets_all_that_is_held_and_nothing_of_others(world: PersonWorld) -> None:
    mine, other = physician(world), physician(world, 2, "办-2")
    waiting = world.drafted("办-3", type_code=PHYSICIAN, claims=samples.application(PHYSICIAN, 1))
    given = world.personal.export(mine.holder_code, actor=world.sun, **WHY)
    kinds = sorted((one["kind"], one["key"]) for one in given["held"])
    (made,) = (one for one in given["held"] if one["kind"] == "case" and one["key"] != waiting.id)
    assert kinds == sorted([("licence", mine.identifier), ("case", waiting.id), ("case", made["key"])])
    assert other.holder_code not in str(given)
    (licence,) = (one for one in given["held"] if one["kind"] == "licence")
    assert licence["content"]["claims"] == mine.claims
    assert world.documents.get(licence["documents"][0]).startswith(b"%PDF")
    assert licence["kept_until"] is None


def test_what_is_in_force_stays_and_says_why(world: PersonWorld) -> None:
    licence = physician(world)
    asked = world.asked(licence.holder_code)
    assert asked.going == ()
    assert {one.why.en for one in asked.staying} == {"in force, or still being worked on"}
    deregistered(world, licence)
    (still, _case) = world.asked(licence.holder_code).staying
    assert still.why.en == "must be kept until 2036-11-20"


def test_an_erasure_takes_two_people_and_leaves_the_fact(world: PersonWorld) -> None:
    licence = physician(world)
    deregistered(world, licence)
    world.clock.advance(LATER)
    asked = world.asked(licence.holder_code)
    assert {one.kind for one in asked.going} == {"licence", "case"}
    with pytest.raises(NotPermitted):
        world.personal.agree(asked.id, proof=world.proof_of(asked, world.sun), actor=world.sun)
    with pytest.raises(NotPermitted):
        world.personal.agree(asked.id, proof=world.proof_of(asked, world.sun), actor=world.qian)
    with pytest.raises(Conflict):
        world.personal.erase(asked.id, actor=world.sun)
    world.personal.agree(asked.id, proof=world.proof_of(asked, world.qian), actor=world.qian)
    assert world.personal.erase(asked.id, actor=world.sun) == {"case": 1, "licence": 1}
    assert world.personal.erase(asked.id, actor=world.sun) == {"case": 1, "licence": 1}

    after = found(world, licence.identifier)
    assert (after.holder_name, after.holder_code, after.claims) == ("", "", {})
    assert after.erased_at == world.now
    assert world.standing(licence.identifier).state is State.DEREGISTERED
    assert licence.pdf_sha256 is not None
    with pytest.raises(NotFound):
        world.documents.get(licence.pdf_sha256)
    assert world.asked(licence.holder_code).going == ()


def test_what_changed_since_it_was_agreed_is_not_erased(world: PersonWorld) -> None:
    first, second = physician(world), None
    deregistered(world, first)
    world.clock.advance(LATER)
    asked = world.asked(first.holder_code)
    world.personal.agree(asked.id, proof=world.proof_of(asked, world.qian), actor=world.qian)
    second = physician(world, number="办-2")
    deregistered(world, second)
    world.clock.advance(LATER)
    with pytest.raises(Conflict):
        world.personal.erase(asked.id, actor=world.sun)
    assert found(world, first.identifier).holder_name


def test_two_who_erase_at_once_erase_once(world: PersonWorld) -> None:
    licence = physician(world)
    deregistered(world, licence)
    world.clock.advance(LATER)
    asked = world.asked(licence.holder_code)
    world.personal.agree(asked.id, proof=world.proof_of(asked, world.qian), actor=world.qian)
    outcomes: list[str] = []

    def erase() -> None:
        try:
            world.personal.erase(asked.id, actor=world.sun)
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=erase) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert "done" in outcomes
    with world.database.reading() as session:
        entries = session.execute(text("SELECT body FROM audit_inbox")).scalars()
        assert sum("erasure.done" in body for body in entries) == 1


def test_retention_runs_by_itself(world: PersonWorld) -> None:
    old, young = physician(world), physician(world, 2, "办-2")
    deregistered(world, old)
    withdrawn = world.drafted("办-3", type_code=PHYSICIAN, claims=samples.application(PHYSICIAN, 3))
    world.desk.withdraw(withdrawn.id, note="申请人撤回", actor=world.li)
    assert world.personal.forget() == {}
    world.clock.advance(timedelta(days=400))
    assert world.personal.forget() == {"case": 1}
    world.clock.advance(LATER)
    assert world.personal.forget() == {"licence": 1}
    assert world.personal.forget() == {"case": 1}  # the case that the licence came from
    assert world.personal.forget() == {}
    assert not found(world, old.identifier).holder_name
    assert found(world, young.identifier).holder_name


def test_what_was_erased_is_erased_again_after_an_old_backup(world: PersonWorld) -> None:
    licence = physician(world)
    deregistered(world, licence)
    world.clock.advance(LATER)
    with world.database.reading() as session:
        before = dict(session.execute(text("SELECT * FROM licence")).one()._mapping)
    assert world.erased(licence.holder_code) == {"case": 1, "licence": 1}
    things = world.personal.erased(actor=world.sun)
    assert licence.holder_code not in str(things)
    back = ("holder_name", "holder_code", "claims", "erased_at")
    with world.database.transaction() as session:
        session.execute(
            text("UPDATE licence SET " + ", ".join(f"{name} = :{name}" for name in back)),  # noqa: S608 - names of ours
            {name: before[name] for name in back},
        )
    assert found(world, licence.identifier).holder_name == licence.holder_name
    assert world.personal.erase_again(things, actor=world.sun) == {"licence": 1}
    assert world.personal.erase_again(things, actor=world.sun) == {}
    assert not found(world, licence.identifier).holder_name


def test_versions_go_together_and_not_before_the_last(world: PersonWorld) -> None:
    first = physician(world)
    claims = {**samples.application(PHYSICIAN, 1), "practice_institution": "津城区中医医院"}
    second = world.issuer.replace(first.identifier, claims, holder=None, actor=world.li, **DECISION).licence
    world.clock.advance(LATER)
    assert world.personal.forget() == {}
    deregistered(world, second)
    world.clock.advance(LATER)
    assert world.personal.forget()["licence"] == 2


def test_only_registrars_of_the_agency_ask_and_they_say_why(world: PersonWorld) -> None:
    stranger = staff("registrar-x", agency="91120116MA05XYZ00A", roles=("registrar",))
    for actor in (world.li, stranger):
        with pytest.raises(NotPermitted):
            world.personal.export("120199", actor=actor, **WHY)
        with pytest.raises(NotPermitted):
            world.personal.propose_erasure("120199", actor=actor, **WHY)
    with pytest.raises(UsageError):
        world.personal.export("120199", actor=world.sun, ground=" ", document_number="1")
    with pytest.raises(NotFound):
        world.personal.erase("nothing", actor=world.sun)


def test_the_log_says_who_asked_and_not_about_whom(world: PersonWorld) -> None:
    licence = physician(world)
    world.personal.export(licence.holder_code, actor=world.sun, **WHY)
    with world.database.reading() as session:
        log = "".join(session.execute(text("SELECT body FROM audit_inbox")).scalars())
    assert "person.export" in log
    assert WHY["document_number"] in log
    assert licence.holder_code not in log
    assert licence.holder_name not in log
