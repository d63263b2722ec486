"""A licence in both its forms: fetched, shown to counters, refreshed, and who tampers with it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.databases import with_tables
from world.receiving import Citizen, answered, evidence
from world.requests import AskingCounter, dcql
from world.vci import IssuingOffice

from credentials.licence import EndingKind
from credentials.mdoc import MdocValidity, MdocVerifier, issue_mdoc
from credentials.mdoc.items import Item
from credentials.mdoc.structures import read_issuer_signed
from credentials.oid4vp.presentations import verify_response
from credentials.oid4vp.request_objects import VerifiedRequest
from credentials.oid4vp.responses import read_response
from credentials.oid4vp.transactions import MATTER_TYPE, TYPES, TransactionData
from credentials.oid4vp.vocabulary import ResponseMode
from credentials.status_service import StatusService
from credentials.status_snapshot import StatusSnapshot
from signing.base64url import decode_base64url, encode_base64url
from wallet import contents as kept
from wallet.activity import ActivityKind
from wallet.copies import element_names
from wallet.holder import Holder
from wallet.receiving import DeliveryRefused
from yinxin.base.errors import Conflict, MalformedInput, NotFound
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from world.pki import Pki

    from wallet.holder import HeldLicence
    from wallet.receiving import ConsideredOffer

CREDENTIAL = "/oid4vci/credential"
BOTH = ("dc+sd-jwt", "mso_mdoc")
IDENTIFIER = "licence_identifier"
NAMES = ("operator_name", "credit_code", "business_premises", "responsible_person", "main_format")


@pytest.fixture
def office(pki: Pki) -> Iterator[IssuingOffice]:
    database = with_tables()
    yield IssuingOffice(
        pki, database, mdoc=True, metadata_signer=pki.signer("metadata", "津城市市场监督管理局")
    )
    database.close()


@pytest.fixture
def baker(office: IssuingOffice, tmp_path: Path) -> Citizen:
    return Citizen(office, tmp_path / "baker")


@pytest.fixture
def counter(office: IssuingOffice) -> AskingCounter:
    made = AskingCounter(office.pki)
    made.clock = office.clock
    return made


def considered(baker: Citizen) -> tuple[ConsideredOffer, str | None]:
    offer = baker.office.offer()
    return baker.receiving.consider(offer.by_reference), offer.tx_code


def receive(baker: Citizen, **options: Any) -> HeldLicence:
    found, code = considered(baker)
    (held,) = baker.receiving.accept(found, tx_code=code, **options)
    return held


def vct(baker: Citizen) -> str:
    return str(baker.office.catalogue.of(baker.office.licence).vct)


def query(doc_type: str, *names: str, **changes: Any) -> dict[str, Any]:
    claims = [{"path": [doc_type, name]} for name in names]
    asked = {"id": "mdoc", "format": "mso_mdoc", "meta": {"doctype_value": doc_type}, "claims": claims}
    return {"credentials": [{**asked, **changes}]}


def ask(baker: Citizen, counter: AskingCounter, *names: str, **changes: Any) -> VerifiedRequest:
    text = counter.sign(counter.request(query(vct(baker), *names), **changes))
    return baker.trusted().read_request(
        text, client_id=str(counter.request().client_id), now=counter.clock.now()
    )


def shown(
    baker: Citizen, counter: AskingCounter, verified: VerifiedRequest, **options: Any
) -> dict[str, Any]:
    """The elements that the counter saw; it must have been satisfied."""
    reply = baker.holder.answer_presentation(baker.holder.consider_presentation(verified, **options))
    response = read_response(reply.form, verified.request, key=counter.key)
    trusted = {"revocation": counter.revocation, "statuses": statuses(baker), "clock": counter.clock}
    verifier = MdocVerifier(counter.trust, **trusted)
    check, ((_, report),) = verify_response(
        verified.request, response, counter.counter(), now=counter.clock.now(), mdocs=verifier
    )
    assert check.reason is None
    (elements,) = report.require().elements.values()  # type: ignore[union-attr]  # an mdoc
    return dict(elements)


def statuses(baker: Citizen) -> dict[str, Any]:

    office, now = baker.office, baker.office.now
    return {
        uri: StatusSnapshot.from_token(
            office.status.token(uri),
            AskingCounter(office.pki).trust,
            uri=uri,
            at=now,
            revocation=evidence(office.pki, now),
        )
        for uri in office.status.uris()
    }


class TestReceiving:
    def test_a_licence_comes_in_both_forms_and_is_one(self, baker: Citizen) -> None:
        found, code = considered(baker)
        assert found.consent.zh.count("食品经营许可证") == 1
        (held,) = baker.receiving.accept(found, tx_code=code, copies=3)
        assert held.id == baker.office.licence.identifier
        assert (held.forms, held.copies, held.unused, held.uses) == (BOTH, 3, 3, 0)
        assert len(baker.contents()["copies"]) == len(baker.contents()["keys"]) == 6
        (entry,) = {(one.kind, one.licence, one.verified) for one in baker.holder.activity()}
        assert entry == (ActivityKind.RECEIVED, held.id, True)

    def test_both_forms_say_the_same(self, baker: Citizen) -> None:
        receive(baker, copies=1)
        said = [kept.read_row(row).claims for row in baker.contents()["copies"].values()]
        elsewhere = {"iss", "nbf", "iat", "exp", "cnf", "status", "_sd", "_sd_alg"}
        one, other = ({name: v for name, v in claims.items() if name not in elsewhere} for claims in said)
        assert one == other

    def test_labels_are_the_same_for_both(self, baker: Citizen) -> None:
        held = receive(baker, copies=1)
        labels = baker.holder.labels(held.id)
        assert labels["operator_name"].zh
        assert not any(path.startswith(vct(baker)) for path in labels)

    def test_an_issuer_without_mdocs_gives_one_form(self, pki: Pki, tmp_path: Path) -> None:
        database = with_tables()
        held = receive(Citizen(IssuingOffice(pki, database), tmp_path / "plain"), copies=1)
        assert held.forms == ("dc+sd-jwt",)
        database.close()

    def test_a_wallet_from_before_opens(self, baker: Citizen) -> None:
        """Stores were written without forms and with one way to more copies."""
        held = receive(baker, copies=1)

        def older(contents: dict[str, Any]) -> None:
            for copy, row in list(contents["copies"].items()):
                if row.pop("form") == "mso_mdoc":
                    contents["keys"].pop(contents["copies"].pop(copy)["key"])
            (source,) = contents["sources"].values()
            (way,) = (one for one in source.pop("ways") if one["form"] == "dc+sd-jwt")
            source |= {"configuration": way["configuration"], "identifier": way["identifier"]}

        baker.holder._store.update(older)
        (again,) = baker.holder.licences()
        assert (again.id, again.forms) == (held.id, ("dc+sd-jwt",))
        assert baker.receiving.refresh(held.id, copies=1).forms == ("dc+sd-jwt",)


class TestShowing:
    @pytest.mark.parametrize("mode", list(ResponseMode))
    def test_what_is_asked_for_is_shown(
        self, baker: Citizen, counter: AskingCounter, mode: ResponseMode
    ) -> None:
        held = receive(baker, copies=2)
        verified = ask(baker, counter, IDENTIFIER, "operator_name", response_mode=mode)
        answering = baker.holder.consider_presentation(verified)
        (pick,) = answering.picks
        assert (pick.licence, pick.form, pick.shares.always) == (held.id, "mso_mdoc", ())
        assert "经营者名称" in answering.consent.zh
        assert len(pick.shares.withheld) > 5
        assert shown(baker, counter, verified) == {
            IDENTIFIER: held.id,
            "operator_name": baker.office.licence.claims["operator_name"],
        }
        entry = baker.holder.activity()[-1]
        assert (entry.kind, entry.licence) == (ActivityKind.SHOWN, held.id)

    @given(names=st.sets(st.sampled_from(NAMES), min_size=1))
    @settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
    def test_nothing_else_is_ever_shown(self, both: tuple[Citizen, AskingCounter], names: set[str]) -> None:
        baker, counter = both
        assert set(shown(baker, counter, ask(baker, counter, *sorted(names)))) == names

    @pytest.fixture
    def both(self, baker: Citizen, counter: AskingCounter) -> tuple[Citizen, AskingCounter]:
        receive(baker, copies=20)
        return baker, counter

    def test_each_copy_is_shown_once_and_the_other_form_is_not_used_up(
        self, baker: Citizen, counter: AskingCounter
    ) -> None:
        held = receive(baker, copies=2)
        for _ in range(2):
            verified = ask(baker, counter, "operator_name")
            assert not baker.holder.consider_presentation(verified).picks[0].reused
            shown(baker, counter, verified)
        again = baker.holder.licence(held.id)
        assert (again.uses, again.copies, again.unused) == (2, 2, 0), "of the form that is used up first"
        verified = ask(baker, counter, "operator_name")
        assert baker.holder.consider_presentation(verified).picks[0].reused
        other = counter.request(dcql("operator_name", meta={"vct_values": [vct(baker)]}))
        plain = baker.trusted().read_request(
            counter.sign(other), client_id=str(other.client_id), now=counter.clock.now()
        )
        assert not baker.holder.consider_presentation(plain).picks[0].reused
        baker.receiving.refresh(held.id, copies=2)
        assert baker.holder.licence(held.id).unused == 2

    def test_of_either_form_the_verifiers_preferred_one_is_shown(
        self, baker: Citizen, counter: AskingCounter
    ) -> None:
        receive(baker, copies=1)
        kind = vct(baker)
        (first,) = query(kind, "operator_name")["credentials"]
        (second,) = dcql("operator_name", meta={"vct_values": [kind]})["credentials"]
        for preferred in ("mdoc", "licence"):
            other = "licence" if preferred == "mdoc" else "mdoc"
            asked = {"credentials": [first, second], "credential_sets": [{"options": [[preferred], [other]]}]}
            request = counter.request(asked)
            verified = baker.trusted().read_request(
                counter.sign(request), client_id=str(request.client_id), now=counter.clock.now()
            )
            (pick,) = baker.holder.consider_presentation(verified).picks
            assert pick.query_id == preferred

    def test_what_it_does_not_have_is_not_shown(self, baker: Citizen, counter: AskingCounter) -> None:
        receive(baker, copies=1)
        for names in (("no_such",), ("operator_name", "no_such")):
            with pytest.raises(NotFound):
                baker.holder.consider_presentation(ask(baker, counter, *names))

    def test_one_that_has_ended_is_not_offered(self, baker: Citizen, counter: AskingCounter) -> None:
        receive(baker, copies=1)
        baker.office.clock.advance(timedelta(days=3000))
        request = counter.request(query(vct(baker), "operator_name"))
        verified = VerifiedRequest(request, counter.asker.certificate, None)
        with pytest.raises(NotFound):
            baker.holder.consider_presentation(verified)

    def test_consent_says_what_is_sent(self, counter: AskingCounter, tmp_path: Path) -> None:
        """An element of a name that means something else in the wallet."""
        holder = Holder.create(tmp_path / "h", "面包 bread", clock=counter.clock, scrypt_cost=1 << 4)
        now = counter.clock.now()
        issued = issue_mdoc(
            "org.example.pass",
            {"org.example": {"status": "已注销", "exp": 7}},
            signer=counter.pki.signer("mdoc"),
            holder_key=holder.new_key(),
            valid=MdocValidity(now, now, now + timedelta(days=1)),
        )
        holder.receive(encode_base64url(issued), form="mso_mdoc")
        claims = [{"path": ["org.example", name]} for name in ("status", "exp")]
        request = counter.request(
            {
                "credentials": [
                    {
                        "id": "p",
                        "format": "mso_mdoc",
                        "meta": {"doctype_value": "org.example.pass"},
                        "claims": claims,
                    }
                ]
            }
        )
        verified = VerifiedRequest(request, counter.asker.certificate, None)
        (pick,) = holder.consider_presentation(verified).picks
        assert [one.value for one in pick.shares.shared] == ["已注销", 7]

    @pytest.mark.parametrize(
        "spaces",
        [
            {"org.a": ["name"], "org.b": ["name"]},
            {"org.a": ["name", "org.b name"], "org.b": ["name", "org.b org.b name"]},
            {"org.a": ["exp", "status"], "org.b": ["exp", "vct", "iat", "org.b vct"]},
        ],
    )
    def test_no_two_elements_have_one_name_before_their_holder(self, spaces: dict[str, list[str]]) -> None:
        items = {
            space: tuple(Item(number, name, name, b"") for number, name in enumerate(names))
            for space, names in spaces.items()
        }
        names = element_names(items)
        assert list(names) == [(space, name) for space, every in spaces.items() for name in every]
        assert len(set(names.values())) == len(names)
        assert not {"vct", "iat", "exp", "status"}.intersection(names.values())

    def test_an_mdoc_carries_no_agreement(self, baker: Citizen, counter: AskingCounter) -> None:
        receive(baker, copies=1)
        text = Text("办理变更", "A change")
        details = dict.fromkeys(TYPES[MATTER_TYPE], "440103001000")
        agreed = TransactionData.make(MATTER_TYPE, text, credential_ids=["mdoc"], details=details)
        verified = ask(baker, counter, "operator_name", transactions=(agreed,))
        with pytest.raises(NotFound):
            baker.holder.consider_presentation(verified)


class TestRefreshing:
    def test_both_forms_come_again(self, baker: Citizen, counter: AskingCounter) -> None:
        held = receive(baker, copies=2)
        shown(baker, counter, ask(baker, counter, "operator_name"))
        fresh = baker.receiving.refresh(held.id, copies=2)
        assert (fresh.id, fresh.forms, fresh.uses) == (held.id, BOTH, 0)
        assert len(baker.contents()["sources"]) == 1

    def test_an_ended_licence_says_so_in_both_forms(self, baker: Citizen) -> None:
        held = receive(baker, copies=1)
        office = baker.office
        office.clock.advance(timedelta(minutes=1))
        office.issuer.end(
            office.licence.identifier,
            EndingKind.REVOKED,
            ground="依法",
            document_number="〔2026〕1号",
            effective_from=office.clock.now(),
            actor=office.clerk,
        )
        office.clock.advance(timedelta(minutes=1))
        for row in baker.contents()["copies"].values():
            report = baker.trusted().examine(kept.read_row(row))
            assert {reason.code for reason in report.reasons} == {"credential_revoked"}
        assert not baker.holder.report(held.id, baker.trusted()).passed

    def test_removing_removes_both(self, baker: Citizen) -> None:
        held = receive(baker, copies=2)
        baker.holder.remove(held.id)
        left = baker.contents()
        assert left["copies"] == left["keys"] == left["sources"] == left["grants"] == {}


def flipped(text: str) -> str:
    raw = bytearray(decode_base64url(text))
    raw[len(raw) // 2] ^= 1
    return encode_base64url(bytes(raw))


HOSTILE: dict[str, Callable[[str], str]] = {
    "no mdoc": lambda _: "AAAA",
    "no text of base64url": lambda text: text + "=",
    "changed": flipped,
    "cut": lambda text: text[: len(text) // 8 * 4],
    "an SD-JWT VC": lambda _: "eyJhbGciOiJFUzI1NiJ9.e30.AAAA~",
}


class TestHostileIssuers:
    @pytest.mark.parametrize("attack", HOSTILE)
    def test_nothing_is_kept_of_a_bad_delivery(self, baker: Citizen, attack: str) -> None:
        def twist(asked: Any, answer: Any) -> Any:
            body = json.loads(answer.body) if asked.path == CREDENTIAL else {}
            rows = body.get("credentials", [])
            if not rows or "~" in rows[0]["credential"]:
                return answer
            rows[0]["credential"] = HOSTILE[attack](rows[0]["credential"])
            return answered(body)

        baker.internet.twist = twist
        found, code = considered(baker)
        with pytest.raises(DeliveryRefused):
            baker.receiving.accept(found, tx_code=code)
        assert baker.holder.licences() == []
        assert not baker.contents().get("copies")

    def test_two_forms_share_no_status_entry(self, baker: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who sees one and who sees the other would know that it is one holder."""
        office = baker.office
        allocate, places = office.copies.status.allocate, []

        def same(_: StatusService, session: Any, **options: Any) -> tuple[str, int]:
            places.append(allocate(session, **options))
            return places[0]

        monkeypatch.setattr(StatusService, "allocate", same)
        monkeypatch.setattr("credentials.copies._record", lambda *_: None)
        found, code = considered(baker)
        with pytest.raises(DeliveryRefused, match="status entry"):
            baker.receiving.accept(found, tx_code=code, copies=1)
        assert baker.holder.licences() == []

    def test_a_copy_twice_is_refused(self, baker: Citizen) -> None:
        def twist(asked: Any, answer: Any) -> Any:
            body = json.loads(answer.body) if asked.path == CREDENTIAL else {}
            if len(body.get("credentials", [])) < 2:
                return answer
            return answered({**body, "credentials": [body["credentials"][0]] * 2})

        baker.internet.twist = twist
        found, code = considered(baker)
        with pytest.raises(DeliveryRefused):
            baker.receiving.accept(found, tx_code=code, copies=2)

    def test_a_copy_for_somebody_elses_key_is_not_taken_in(
        self, baker: Citizen, office: IssuingOffice, tmp_path: Path
    ) -> None:
        receive(baker, copies=1)
        (theirs,) = (r["credential"] for r in baker.contents()["copies"].values() if r["form"] == "mso_mdoc")
        thief = Holder.create(tmp_path / "thief", "小偷 thief", clock=office.clock, scrypt_cost=1 << 4)
        thief.new_key()
        with pytest.raises(Exception, match="no key of this wallet"):
            thief.receive(theirs, form="mso_mdoc")

    def test_a_copy_by_hand_is_read_strictly(self, baker: Citizen) -> None:
        receive(baker, copies=1)
        (good,) = (r["credential"] for r in baker.contents()["copies"].values() if r["form"] == "mso_mdoc")
        with pytest.raises(Conflict):
            baker.holder.receive(good, form="mso_mdoc")
        with pytest.raises(MalformedInput):
            baker.holder.receive(good)
        assert read_issuer_signed(decode_base64url(good)).namespaces
