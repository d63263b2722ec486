"""What agents, former representatives and strangers try, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.delegating import BUSINESS, FOOD, MATTER, OTHER_MATTER, Person

from credentials import key_binding, samples
from credentials.delegations.delegation import State
from credentials.delegations.statements import Statement, read_statement, show, sign
from credentials.delegations.terms import MAX_DEPTH, Kind, Terms
from credentials.sd_jwt import SdJwt
from credentials.vocabulary import DELEGATION, DELEGATION_VCT
from signing.signers.file import FileSigner
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted, UsageError, YinxinError

if TYPE_CHECKING:
    from world.delegating import DelegatingOffice

MONTH = timedelta(days=30)


def administrator(office: DelegatingOffice, **changes: Any) -> Any:
    return office.appoint(office.admin, office.terms(Kind.ADMINISTRATOR, **changes))


def test_an_administrator_gives_no_more_than_they_have(office: DelegatingOffice) -> None:
    above = administrator(office)
    for wider in (
        {"matters": (MATTER, OTHER_MATTER)},
        {"matters": ("*",)},
        {"types": (BUSINESS, FOOD, "construction-permit")},
        {"types": ("*",)},
        {"ends_at": above.terms.ends_at + timedelta(seconds=1)},
        {"starts_at": above.terms.starts_at - timedelta(seconds=1)},
    ):
        with pytest.raises(NotPermitted):
            office.pass_on(above, office.admin, office.agent, office.terms(**wider))


def test_an_agent_passes_on_only_what_says_so_and_not_for_ever(office: DelegatingOffice) -> None:
    kept = office.appoint(office.agent)
    with pytest.raises(NotPermitted, match="may not be passed on"):
        office.pass_on(kept, office.agent, office.other)
    last, by = office.appoint(office.admin, office.terms(may_pass_on=True)), office.admin
    for number in range(MAX_DEPTH - 1):
        person = Person(f"经办{number}")
        last = office.accept(office.pass_on(last, by, person, office.terms(may_pass_on=True)), person)
        by = person
    assert len(last.ancestors) == MAX_DEPTH - 1
    with pytest.raises(NotPermitted, match="at most"):
        office.pass_on(last, by, office.other, office.terms())


def test_no_delegation_leads_back_to_who_gave_it(office: DelegatingOffice) -> None:
    first = office.appoint(office.admin, office.terms(may_pass_on=True))
    second = office.accept(
        office.pass_on(first, office.admin, office.agent, office.terms(may_pass_on=True)), office.agent
    )
    for back in (office.admin, office.agent):
        with pytest.raises(NotPermitted, match="lead back"):
            office.pass_on(second, office.agent, back)


def test_a_person_under_another_key_is_the_same_person(office: DelegatingOffice) -> None:
    number = samples.citizen_number(7)
    first = office.appoint(Person("王晓梅", office.admin.signer, number), office.terms(may_pass_on=True))
    with pytest.raises(NotPermitted, match="lead back"):
        office.pass_on(first, office.admin, Person("王晓梅", code=number))


def test_whoever_has_not_accepted_yet_appoints_nobody(office: DelegatingOffice) -> None:
    proposed = office.propose(office.admin, office.terms(Kind.ADMINISTRATOR))
    with pytest.raises(NotPermitted, match="waiting to be accepted"):
        office.pass_on(proposed, office.admin, office.agent)


def test_an_acceptance_counts_once_for_its_own_terms_and_its_own_agent(office: DelegatingOffice) -> None:
    proposed, other = office.propose(office.agent), office.propose(office.agent, office.terms(types=(FOOD,)))
    content = {"delegation": proposed.id, "digest": other.digest}
    statement = office.statement("accept", content)
    with pytest.raises(NotPermitted, match="not what was proposed"):
        office.delegations.accept(statement, office.signed(statement, office.agent))
    with pytest.raises(NotFound):
        office.accept(proposed, office.other)
    statement = office.statement("accept", {"delegation": proposed.id, "digest": proposed.digest})
    proof = office.signed(statement, office.agent)
    office.delegations.accept(statement, proof)
    with pytest.raises(Conflict):
        office.delegations.accept(statement, proof)
    # Said again about the other one: the signature is about something else.
    moved = replace(statement, content={"delegation": other.id, "digest": other.digest})
    with pytest.raises(NotPermitted, match="something else"):
        office.delegations.accept(moved, proof)


def test_a_statement_is_for_one_nonce_one_issuer_and_now(office: DelegatingOffice) -> None:
    said = office.appointment(office.agent)
    statement = office.statement("propose", said)
    office.delegations.propose(statement, office.shown(statement))
    with pytest.raises(Conflict, match="used before"):
        office.delegations.propose(statement, office.shown(statement))
    strange = Statement("propose", said, office.delegations.url, "n" * 50)
    with pytest.raises(NotPermitted, match="nonce"):
        office.delegations.propose(strange, office.shown(strange))
    elsewhere = replace(office.statement("propose", said), audience="https://elsewhere.example")
    here = replace(elsewhere, audience=office.delegations.url)
    with pytest.raises(NotPermitted):
        office.delegations.propose(here, office.shown(elsewhere))
    late = office.statement("list", {})
    proof = sign(late, office.agent.signer, at=office.now - timedelta(minutes=20))
    with pytest.raises(NotPermitted, match="just now"):
        office.delegations.listed(late, proof)


def test_only_the_representative_s_own_copy_speaks_for_the_company(office: DelegatingOffice) -> None:
    stranger = FileSigner.generate()
    statement = office.statement("propose", office.appointment(office.agent))
    food = office.issue(FOOD, 1)  # another company's, and no word of who represents it
    for copy, signer in ((food.credential, office.holder),):
        with pytest.raises(NotPermitted, match="names the legal representative"):
            office.delegations.propose(statement, office.shown(statement, copy=copy, signer=signer))
    with pytest.raises(UsageError):  # somebody else's key
        office.shown(statement, signer=stranger)
    with pytest.raises(NotPermitted, match="holder's licence"):
        office.delegations.propose(statement, office.signed(statement, office.agent))
    with pytest.raises(NotPermitted, match="names somebody else"):
        office.propose(office.agent, signed_by="冒名者")


def test_part_of_a_licence_does_not_show_which_copy_it_is(office: DelegatingOffice) -> None:
    statement = office.statement("propose", office.appointment(office.agent))
    hidden = key_binding.present(
        office.copy,
        disclose=["legal_representative"],
        holder=office.boss,
        audience=office.delegations.url,
        nonce=statement.nonce,
        at=office.now,
        agreed={"delegation_digest": statement.digest},
    )
    with pytest.raises(NotPermitted, match="no copy that was issued here"):
        office.delegations.propose(statement, {"kind": "licence", "presentation": hidden})


def test_what_an_agent_was_handed_names_its_delegation_and_appoints_nobody(office: DelegatingOffice) -> None:
    one, key = office.appoint(office.agent), FileSigner.generate()
    own = SdJwt.parse(office.hand(one, office.agent)).claims
    assert (own["vct"], own[DELEGATION], own["agent_name"]) == (DELEGATION_VCT, one.id, "李明华")
    assert own["exp"] == int(one.terms.ends_at.timestamp())
    copy = office.hand(one, office.agent, BUSINESS, key=key)
    claims = SdJwt.parse(copy).claims
    assert (claims[DELEGATION], claims["exp"]) == (one.id, own["exp"])
    statement = office.statement("propose", office.appointment(office.other))
    with pytest.raises(NotPermitted, match="given to an agent"):
        office.delegations.propose(statement, show(statement, copy, key, at=office.now))


def test_nothing_is_handed_outside_the_types_or_to_others(office: DelegatingOffice) -> None:
    one = office.appoint(office.agent, office.terms(types=(FOOD,)))
    with pytest.raises(NotFound, match="does not cover"):
        office.hand(one, office.agent, BUSINESS)
    with pytest.raises(NotFound):
        office.hand(one, office.other)
    waiting = office.propose(office.other)
    with pytest.raises(NotPermitted, match="waiting to be accepted"):
        office.hand(waiting, office.other)


def test_a_recall_ends_every_credential_and_what_follows_does_not_stumble(office: DelegatingOffice) -> None:
    above = office.appoint(office.admin, office.terms(may_pass_on=True))
    below = office.accept(office.pass_on(above, office.admin, office.agent), office.agent)
    copies = [
        SdJwt.parse(office.hand(below, office.agent)),
        SdJwt.parse(office.hand(below, office.agent, BUSINESS)),
    ]
    office.recall(above, office.admin)  # the agent above resigns
    chain = office.delegations.chain(below.id)
    assert [one.state for one in chain] == [State.RESIGNED, State.RECALLED]
    with office.database.transaction() as session:
        for copy in copies:
            place = copy.payload["status"]["status_list"]
            assert office.status.is_final(session, place["uri"], place["idx"])
    for again in (office.admin, None):
        with pytest.raises(Conflict, match="ended already"):
            office.recall(above, again)
    with pytest.raises(NotPermitted, match="resigned"):
        office.hand(below, office.agent)
    why: dict[str, Any] = {"ground": "调查", "document_number": "1", "actor": office.clerk}
    office.issuer.suspend(office.business.identifier, **why)  # the recalled copy is in nobody's way
    office.issuer.resume(office.business.identifier, **why)


def test_only_who_stands_above_or_the_agent_ends_it(office: DelegatingOffice) -> None:
    above = administrator(office)
    below = office.accept(office.pass_on(above, office.admin, office.agent), office.agent)
    for stranger in (office.other, office.agent):
        with pytest.raises(NotFound):
            office.recall(above, stranger)
    assert [one.id for one in office.recall(below, office.admin)] == [below.id]


def test_the_first_and_the_last_moment(office: DelegatingOffice) -> None:
    start = office.now + timedelta(hours=1)
    one = office.appoint(office.agent, office.terms(starts_at=start, ends_at=start + MONTH))
    with pytest.raises(NotPermitted, match="does not hold yet"):
        office.hand(one, office.agent)
    office.clock.advance(timedelta(hours=1))
    assert office.delegations.chain(one.id)[0].holds_at(office.now)
    office.hand(one, office.agent)
    office.clock.advance(MONTH - timedelta(microseconds=1))
    assert one.holds_at(office.now)
    office.clock.advance(timedelta(microseconds=1))
    assert not one.holds_at(office.now)
    with pytest.raises(NotPermitted, match="past its end"):
        office.hand(one, office.agent)


def test_terms_that_nobody_may_give(office: DelegatingOffice) -> None:
    now = office.now
    wrong: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.AGENT, {"ends_at": now}),
        (Kind.AGENT, {"ends_at": now + timedelta(days=367)}),
        (Kind.AGENT, {"matters": ()}),
        (Kind.AGENT, {"matters": ("*", MATTER)}),
        (Kind.HELPER, {"matters": ("*",)}),
        (Kind.HELPER, {"may_pass_on": True}),
        (Kind.HELPER, {"ends_at": now + timedelta(hours=13)}),
        (Kind.GUARDIAN, {}),
    ]
    for kind, changes in wrong:
        with pytest.raises(UsageError):
            office.terms(kind, **changes)
    with pytest.raises(UsageError, match="begins now or later"):
        office.propose(office.agent, office.terms(starts_at=now - timedelta(days=1)))
    with pytest.raises(NotPermitted, match="desk"):
        office.propose(office.agent, office.terms(Kind.GUARDIAN, document="出生医学证明 1"))


def test_a_person_appoints_helpers_and_nobody_else(office: DelegatingOffice) -> None:
    person, key = samples.application("physician-certificate", 3), FileSigner.generate()
    made = office.issuer.issue("physician-certificate", person, holder=key.public_key, actor=office.clerk)
    name = made.licence.holder_name

    def appoint(terms: Terms) -> Any:
        said = office.appointment(office.other, terms, signed_by=name)
        statement = office.statement("propose", said)
        return office.delegations.propose(
            statement, office.shown(statement, copy=made.credential, signer=key)
        )

    helper = office.accept(appoint(office.terms(Kind.HELPER)), office.other)
    assert helper.words.en.startswith(f"张建国 for {name} under delegation")
    with pytest.raises(NotPermitted, match="a person appoints helpers"):
        appoint(office.terms())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verb": "propose"},
        {"verb": "burn", "content": {}, "nonce": "n", "proof": {"kind": "key"}},
        {"verb": "list", "content": [], "nonce": "n", "proof": {"kind": "key"}},
        {"verb": "list", "content": {}, "nonce": 5, "proof": {"kind": "key"}},
        {"verb": "list", "content": {}, "nonce": "n", "proof": {"kind": "word"}},
    ],
)
def test_bodies_that_are_no_statements(body: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput):
        read_statement(body, audience="https://licences.example")


def test_hostile_contents_raise_our_errors_only(office: DelegatingOffice) -> None:
    good = office.appointment(office.agent)
    hostile: list[dict[str, Any]] = [
        {**good, "agent": None},
        {**good, "agent": {"name": "甲", "jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}},
        {**good, "agent": {**good["agent"], "name": "\u202e"}},
        {**good, "terms": {**good["terms"], "ends_at": "9999-99-99"}},
        {**good, "terms": {**good["terms"], "matters": [5]}},
        {**good, "terms": {**good["terms"], "may_pass_on": "yes"}},
        {**good, "terms": "all"},
        {**good, "parent": 5},
        {**good, "parent": "x" * 100},
        {**good, "signed_by": ["a"]},
    ]
    for content in hostile:
        statement = office.statement("propose", content)
        with pytest.raises(YinxinError):
            office.delegations.propose(statement, office.shown(statement))
    for value in ({"delegation": None}, {"delegation": ["a"]}, {"delegation": "b", "ground": 7}, {}):
        statement = office.statement("recall", value)
        with pytest.raises(YinxinError):
            office.delegations.recall(statement, office.signed(statement, office.agent))
