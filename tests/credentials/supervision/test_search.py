"""An inspector asks for a reason, within a scope, and gets lines that anybody can check."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text
from world.audit import ORIGIN, PUBLIC_KEY
from world.supervision import EIGHT

from credentials import samples
from credentials.office.supervision.service import By, Search
from yinxin.base import audit
from yinxin.base.actor import staff
from yinxin.base.audit import verifier_key
from yinxin.base.audit.bundle import Bundle
from yinxin.base.audit.records import ENTRIES, INBOX
from yinxin.base.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    NotPermitted,
    TooManyRequests,
    UsageError,
    YinxinError,
)

if TYPE_CHECKING:
    from typing import Any

    from world.supervision import SupervisionWorld

STEPS = ["case.draft", "case.submit", "case.review", "case.approve"]


def bodies(office: SupervisionWorld) -> list[str]:
    with office.database.reading() as session:
        kept = [*session.scalars(select(ENTRIES.c.body)), *session.scalars(select(INBOX.c.body))]
    return [body for body in kept if body]


def test_a_case_is_found_by_its_number(office: SupervisionWorld) -> None:
    licence = office.sealed("办-2026-7").licence
    found = office.actions(By.CASE, "办-2026-7")
    assert found[:4] == STEPS
    assert {"case.seal", "licence.issue"} <= set(found)
    assert found == office.actions(By.HOLDER, f" {licence.holder_code.lower()} ")[: len(found)]
    assert set(office.actions(By.LICENCE, licence.identifier)) == set(found)


def test_an_officer_is_found_however_spelt(office: SupervisionWorld) -> None:
    office.approved()
    assert office.actions(By.OFFICER, " Approver-ZHAO ") == ["case.approve"]
    assert office.actions(By.OFFICER, "clerk-li") == ["case.draft", "case.submit"]
    assert office.actions(By.OFFICER, "clerk-nobody") == []


def test_a_seal_is_found_whichever_way_it_is_named(office: SupervisionWorld) -> None:
    office.wrote("seal.use", "seal:s-17", document="aa")
    office.wrote("licence.seal_used", office.agency.credit_code, seal="s-17")
    assert office.actions(By.SEAL, "s-17") == ["seal.use", "licence.seal_used"]


def test_pages_follow_one_another(office: SupervisionWorld) -> None:
    for number in range(7):
        office.wrote("case.draft", f"case:{number}")
    office.run()
    inspection, seen, after = office.begin(), [], -1
    while True:
        search = Search(By.OFFICER, "clerk-li", after=after, limit=3)
        found = office.supervision.search(inspection.id, search, actor=office.sun)
        seen += [one.line.subject for one in found.told]
        if found.is_all:
            break
        after = found.told[-1].line.log_index
    assert seen == [f"case:{number}" for number in range(7)]


def test_every_line_is_proven_offline(office: SupervisionWorld) -> None:
    office.approved("办-1")
    lines = office.search(By.CASE, "办-1")
    names = [one.line.entry_id for one in lines]
    proven = office.supervision.prove(office.begin().id, names, actor=office.sun)
    key = verifier_key(ORIGIN, PUBLIC_KEY)
    bundle = Bundle.parse(Bundle.of(key, proven).to_text())
    found = bundle.verify(key)
    assert [json.loads(one.body or "")["action"] for one in found] == STEPS
    assert [one.log_index for one in found] == [one.line.log_index for one in lines]


def test_a_forged_file_of_proofs_proves_nothing(office: SupervisionWorld) -> None:
    office.approved("办-1")
    names = [one.line.entry_id for one in office.search(By.CASE, "办-1")]
    key = verifier_key(ORIGIN, PUBLIC_KEY)
    good = json.loads(
        Bundle.of(key, office.supervision.prove(office.begin().id, names, actor=office.sun)).to_text()
    )

    def changed(**first: str) -> Bundle:
        proofs = [{**good["proofs"][0], **first}, *good["proofs"][1:]]
        return Bundle.parse(json.dumps({**good, "proofs": proofs}))

    second = good["proofs"][1]
    forgeries = (
        changed(digest=second["digest"]),
        changed(entry=second["entry"]),
        changed(proof=second["proof"]),
        changed(proof=good["proofs"][0]["proof"].replace("index 0", "index 1")),
    )
    for forged in forgeries:
        with pytest.raises(MalformedInput):
            forged.verify(key)
    with pytest.raises(MalformedInput):
        Bundle.parse(json.dumps(good)).verify(verifier_key("another.log", PUBLIC_KEY))


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"yinxin_proofs": 1}', '{"yinxin_proofs":1,"key":"k","proofs":[1]}', "[" * 9999],
)
def test_what_is_no_file_of_proofs_is_told(content: str) -> None:
    with pytest.raises(MalformedInput):
        Bundle.parse(content)


def test_no_reason_no_look(office: SupervisionWorld) -> None:
    office.sealed()
    search = Search(By.OFFICER, "clerk-li")
    for nothing in ("", "made-up", office.begin(office.eight).id):
        with pytest.raises(NotPermitted, match="reason"):
            office.supervision.search(nothing, search, actor=office.sun)
    for matter, words in (("", "核查"), ("监察〔2026〕3号", " "), ("x" * 65, "核查"), ("a\x00", "核查")):
        with pytest.raises(UsageError):
            office.supervision.begin(matter=matter, words=words, actor=office.sun)
    inspection = office.begin()
    office.clock.advance(timedelta(hours=4))
    with pytest.raises(NotPermitted, match="reason"):
        office.supervision.search(inspection.id, search, actor=office.sun)


def test_a_look_is_noted_before_it_is_answered(office: SupervisionWorld) -> None:
    licence = office.sealed().licence
    assert office.search(By.HOLDER, licence.holder_code)
    office.search(By.OFFICER, "clerk-li")
    office.search(By.OFFICER, "440301199001011234")
    office.search(By.CASE, "王小明")
    looks = [json.loads(body) for body in bodies(office) if '"inspection.search"' in body]
    assert [one["details"]["by"] for one in looks] == ["holder", "officer", "officer", "case"]
    assert {one["details"]["matter"] for one in looks} == {"监察〔2026〕3号"}
    assert looks[1]["details"]["sought"] == "clerk-li"
    index = office.index.of("holder", licence.holder_code).hex()
    for personal in (licence.holder_code, "440301199001011234", "王小明", "群众来信核查", index[:32]):
        assert not any(personal in body for body in bodies(office) if "inspection." in body)


def test_an_inspectors_looks_are_lines_too(office: SupervisionWorld) -> None:
    office.search(By.OFFICER, "clerk-li")
    chief = staff("inspector-chief", agency=office.own, roles=("inspector",))
    assert office.actions(By.OFFICER, "inspector-sun", actor=chief) == [
        "inspection.begin",
        "inspection.search",
    ]


def test_agency_8_sees_nothing_of_agency_7(office: SupervisionWorld) -> None:
    licence = office.sealed("办-1").licence
    for by, sought in (
        (By.CASE, "办-1"),
        (By.OFFICER, "clerk-li"),
        (By.HOLDER, licence.holder_code),
        (By.LICENCE, licence.identifier),
    ):
        assert office.search(by, sought, actor=office.eight) == ()
    names = [one.line.entry_id for one in office.search(By.CASE, "办-1")]
    with pytest.raises(NotFound):
        office.supervision.prove(office.begin(office.eight).id, names, actor=office.eight)


def test_a_city_inspector_sees_what_two_people_opened(office: SupervisionWorld) -> None:
    office.sealed("办-1")
    anna, bo = staff("anna"), staff("bo")
    for actor, witness in ((anna, anna), (anna, office.eight), (office.eight, bo), (office.department, bo)):
        with pytest.raises(NotPermitted):
            office.supervision.grant("inspector-8", office.own, actor=actor, witness=witness)
    with pytest.raises(MalformedInput):
        office.supervision.grant("inspector-8", "nonsense", actor=anna, witness=bo)
    office.supervision.grant(" Inspector-8", office.own, actor=anna, witness=bo)
    with pytest.raises(Conflict):
        office.supervision.grant("inspector-8", office.own, actor=anna, witness=bo)
    assert office.supervision.scope(office.eight) == {office.own, EIGHT}
    assert office.actions(By.CASE, "办-1", actor=office.eight)[:4] == STEPS
    office.supervision.withdraw("inspector-8", office.own, actor=anna, witness=bo)
    assert office.actions(By.CASE, "办-1", actor=office.eight) == []


def test_what_a_department_verified_is_its_own_business(office: SupervisionWorld) -> None:
    licence = office.sealed().licence.identifier
    clerk = staff("clerk-5", agency=office.department.agency)
    office.wrote("verification.record", "v-1", clerk, licence=licence)
    office.wrote("office.refused", licence, staff("clerk-8", agency=EIGHT), office=office.own, verb="end")
    assert "verification.record" not in office.actions(By.LICENCE, licence)
    assert office.actions(By.OFFICER, "clerk-5") == []
    theirs = staff("inspector-5", agency=office.department.agency, roles=("inspector",))
    assert office.actions(By.OFFICER, "clerk-5", actor=theirs) == ["verification.record"]
    # A stranger's attempt on us is seen by both.
    assert office.actions(By.OFFICER, "clerk-8") == ["office.refused"]
    assert office.actions(By.OFFICER, "clerk-8", actor=office.eight) == ["office.refused"]


def test_nobody_else_comes_in_and_every_try_is_noted(office: SupervisionWorld) -> None:
    inspection = office.begin()
    everybody = (office.li, office.wang, office.zhao, office.department, staff("boss", roles=("inspector",)))
    for actor in everybody:
        for attempt in (
            lambda actor=actor: office.supervision.begin(matter="1", words="x", actor=actor),
            lambda actor=actor: office.supervision.search(inspection.id, Search(By.CASE, "1"), actor=actor),
            lambda actor=actor: office.supervision.findings(inspection.id, actor=actor),
            lambda actor=actor: office.supervision.counts("2026-11", actor=actor),
        ):
            with pytest.raises(NotPermitted):
                attempt()
    assert sum('"inspection.refused"' in body for body in bodies(office)) == 4 * len(everybody)


def test_an_inspector_changes_nothing(office: SupervisionWorld) -> None:
    case, sun = office.drafted(), office.sun
    licence = office.sealed("办-2").licence.identifier
    number = office.disputed(licence).number
    why = {"ground": "x", "document_number": "y", "actor": sun}
    attempts: tuple[Any, ...] = (
        lambda: office.desk.draft("办-3", office.work(), actor=sun),
        lambda: office.desk.edit(case.id, office.work(2), actor=sun),
        lambda: office.desk.submit(case.id, actor=sun),
        lambda: office.desk.withdraw(case.id, note="x", actor=sun),
        lambda: office.desk.seal(case.id, actor=sun),
        lambda: office.issuer.suspend(licence, **why),
        lambda: office.disputes.answer(number, "accept", words="x", actor=sun),
    )
    for attempt in attempts:
        with pytest.raises(NotPermitted):
            attempt()


def test_holders_are_not_enumerated(office: SupervisionWorld) -> None:
    licence = office.sealed().licence
    inspection = office.begin()

    def ask(code: str) -> Any:
        return office.supervision.search(inspection.id, Search(By.HOLDER, code), actor=office.sun).told

    office.run()
    partial = (licence.holder_code[:-1], licence.holder_code[:6] + "%", "*", licence.holder_name)
    assert [len(ask(code)) for code in partial] == [0, 0, 0, 0]
    assert ask(licence.holder_code)
    for _ in range(2):
        with pytest.raises(TooManyRequests):
            ask(samples.credit_code(3))
    with pytest.raises(TooManyRequests):  # another reason is no other day
        office.search(By.HOLDER, licence.holder_code)
    assert sum("too many holders" in body for body in bodies(office)) == 3
    office.clock.advance(timedelta(days=2))
    assert office.search(By.HOLDER, licence.holder_code)


@pytest.mark.parametrize("sought", ["", " ", "x" * 161, "a\x00b", "\u202e"])
def test_hostile_searches_are_refused(sought: str) -> None:
    with pytest.raises(UsageError):
        Search(By.CASE, sought)


@pytest.mark.parametrize("sought", ["' OR 1=1 --", "%", "_", "{{7*7}}"])
def test_what_is_sought_is_never_a_pattern(office: SupervisionWorld, sought: str) -> None:
    office.sealed()
    for by in By:
        assert office.search(by, sought) == ()


def test_erased_entries_are_told_as_such(office: SupervisionWorld) -> None:
    entry = office.wrote("case.draft", "case:9")
    office.run()
    with office.database.transaction() as session:
        audit.erase(session, entry)
    (told,) = office.search(By.OFFICER, "clerk-li")
    assert told.details is None
    (proof,) = office.supervision.prove(office.begin().id, [entry], actor=office.sun)
    key = verifier_key(ORIGIN, PUBLIC_KEY)
    assert Bundle.of(key, [proof]).verify(key)[0].body is None


def test_counts_name_nobody_and_hide_the_few(office: SupervisionWorld) -> None:
    for number in range(6):
        office.wrote("case.draft", f"case:{number}")
    for number in range(4):
        office.wrote("case.withdraw", f"case:{number}")
    office.wrote("case.draft", "case:old", at=office.now - timedelta(days=40))
    office.run()
    found = {one.action: one.count for one in office.supervision.counts("2026-11", actor=office.sun)}
    assert found == {"case.draft": 6, "case.withdraw": None}
    assert office.supervision.counts("2026-12", actor=office.sun) == []
    assert office.supervision.counts("2026-11", actor=office.eight) == []
    for wrong in ("2026-13", "2026", "", "26-11-01"):
        with pytest.raises(YinxinError):
            office.supervision.counts(wrong, actor=office.sun)


def test_lines_hold_what_the_log_holds_and_no_more(office: SupervisionWorld) -> None:
    licence = office.sealed().licence
    office.run()
    with office.database.reading() as session:
        rows = " ".join(str(row) for row in session.execute(text("SELECT * FROM supervision_line")))
    assert licence.holder_code not in rows
    assert licence.holder_name not in rows
