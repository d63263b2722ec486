"""A market bureau asks, and a wallet answers with an mdoc: OpenID4VP over HTTP, and who tries what then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.departments import GRANTED, TYPE, claims_of_the_bakery
from world.mdoc_city import IDENTIFIER, MDOC_ID, VCT, MdocCity

from credentials.dcql import Query
from credentials.licence import EndingKind
from credentials.mdoc.limits import TAGS, TDATE
from credentials.oid4vp.transactions import MATTER_TYPE
from credentials.oid4vp.transcripts import transcript_of
from credentials.vocabulary import INVALID
from signing.base64url import decode_base64url, encode_base64url
from signing.cbor import Tag, decode, encode
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.licence import Licence


@pytest.fixture(scope="module")
def city() -> Iterator[MdocCity]:
    made = MdocCity()
    yield made
    made.close()


@pytest.fixture
def licence(city: MdocCity) -> Licence:
    return city.licence(f"{next(_SERIALS):09d}")


_SERIALS = iter(range(700, 1000))


def verdict(city: MdocCity, started: dict[str, Any]) -> tuple[str, list[str]]:
    outcome = city.outcome(started["id"]).json
    assert outcome["state"] == "answered"
    return outcome["indication"], outcome["reasons"]


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_licence_is_shown_as_mdoc(city: MdocCity, licence: Licence, *, encrypted: bool) -> None:
    started, verified = city.asked(encrypted=encrypted)
    reply = city.send(verified, city.response(city.mdoc(licence), verified))
    assert (reply.status, reply.json) == (200, {})
    outcome = city.outcome(started["id"]).json
    assert (outcome["indication"], outcome["reasons"]) == ("passed", [])
    (result,) = outcome["results"][TYPE]
    assert result["claims"] == {name: claims_of_the_bakery()[name] for name in GRANTED}
    assert result["licence"]["identifier"] == licence.identifier
    assert result["subject"] == "mdoc"
    token = {"Authorization": f"Bearer {city.token()}"}
    recorded = city.call("GET", f"/v1/verifications/{result['id']}", None, token).json
    assert recorded["receipt"].split(".")[1] == result["receipt"].split(".")[1]


def test_the_request_names_type_elements_and_algorithms(city: MdocCity) -> None:
    _, verified = city.asked()
    claims = verified.request.to_claims()
    (asked,) = claims["dcql_query"]["credentials"]
    assert (asked["format"], asked["meta"]) == ("mso_mdoc", {"doctype_value": VCT})
    assert sorted(one["path"] for one in asked["claims"]) == sorted(
        [VCT, one] for one in (IDENTIFIER, *GRANTED)
    )
    assert set(claims["client_metadata"]["vp_formats_supported"]) == {"mso_mdoc"}


def test_either_form_will_do(city: MdocCity, licence: Licence) -> None:
    forms = ["sd-jwt-vc", "mdoc"]
    started, verified = city.asked(forms=forms)
    query = Query.parse(verified.request.to_claims()["dcql_query"])
    assert query.credential_sets is not None
    assert [one.options for one in query.credential_sets] == [((TYPE,), (MDOC_ID,))]
    city.send(verified, city.response(city.mdoc(licence), verified))
    assert verdict(city, started) == ("passed", [])
    holder = city.wallet()
    city.provide(holder)
    started = city.started(forms=forms)
    assert city.show(holder, started["link"]).status == 200
    assert verdict(city, started) == ("passed", [])
    (result,) = city.outcome(started["id"]).json["results"][TYPE]
    assert result["subject"] == "sd-jwt-vc"


@pytest.mark.parametrize(
    "changes",
    [
        {"forms": []},
        {"forms": ["jwt_vc_json"]},
        {"forms": ["mdoc", "mdoc", "mdoc"]},
        {"forms": "mdoc"},
        {"agents": True},
        {
            "transaction": {
                "type": MATTER_TYPE,
                "statement": {"zh": "一", "en": "a"},
                "details": {},
            }
        },
    ],
)
def test_what_no_mdoc_can_say_is_not_asked_for(city: MdocCity, changes: dict[str, Any]) -> None:
    assert city.start(**{"forms": ["mdoc"], **changes}).status in {400, 422}


def test_a_revoked_copy_fails(city: MdocCity, licence: Licence) -> None:
    issued = city.mdoc(licence)
    uri, index = city.last_status
    with city.database.transaction() as session:
        city.statuses.set(session, uri, index, INVALID)
    city.clock.advance(timedelta(minutes=2))
    city.service.use(city.snapshots())
    started, verified = city.asked()
    city.send(verified, city.response(issued, verified))
    assert verdict(city, started) == ("failed", ["credential_revoked"])


def test_an_ended_licence_fails_by_the_register(city: MdocCity, licence: Licence) -> None:
    issued = city.mdoc(licence)
    city.happen(licence, EndingKind.REVOKED)
    started, verified = city.asked()
    city.send(verified, city.response(issued, verified))
    assert verdict(city, started) == ("failed", ["licence_revoked"])


class TestAttacks:
    def test_an_answer_to_another_session_is_none(self, city: MdocCity, licence: Licence) -> None:
        _, other = city.asked()
        started, verified = city.asked()
        city.send(
            verified, city.response(city.mdoc(licence), verified, transcript=transcript_of(other.request))
        )
        assert verdict(city, started) == ("failed", ["key_binding_invalid"])
        assert city.outcome(started["id"]).json["results"][TYPE][0]["claims"] == {}

    @pytest.mark.parametrize("encrypted", [True, False])
    def test_a_transcript_of_the_other_handover_is_none(
        self, city: MdocCity, licence: Licence, *, encrypted: bool
    ) -> None:
        """The response's encryption stands in the transcript: an answer cannot be laid bare on the way."""
        started, verified = city.asked(encrypted=encrypted)
        _, other = city.asked(encrypted=not encrypted)
        city.send(
            verified, city.response(city.mdoc(licence), verified, transcript=transcript_of(other.request))
        )
        assert verdict(city, started) == ("failed", ["key_binding_invalid"])

    def test_a_thief_without_the_key_fails(self, city: MdocCity, licence: Licence) -> None:
        thief = FileSigner.generate()
        stolen, own = city.mdoc(licence), city.mdoc(licence, holder_key=thief.public_key)
        started, verified = city.asked()
        shown = city.response(own, verified, holder=thief)
        # The thief's device signature beside the victim's issuerSigned.
        mine = decode(decode_base64url(shown), tags=TAGS, max_depth=32)
        theirs = decode(decode_base64url(city.response(stolen, verified)), tags=TAGS, max_depth=32)
        mine["documents"][0]["issuerSigned"] = theirs["documents"][0]["issuerSigned"]
        city.send(verified, encode_base64url(encode(mine)))
        assert verdict(city, started) == ("failed", ["key_binding_invalid"])

    def test_what_the_register_says_otherwise_fails(self, city: MdocCity, licence: Licence) -> None:
        """The data of a genuine licence, changed, under a key that may make mdocs."""
        lie = {IDENTIFIER: licence.identifier, **licence.claims, "operator_name": "津城大麦面包坊"}
        started, verified = city.asked()
        city.send(verified, city.response(city.mdoc(licence, elements=lie), verified))
        assert verdict(city, started) == ("failed", ["licence_differs"])

    def test_a_number_in_place_of_the_identifier_names_no_licence(
        self, city: MdocCity, licence: Licence
    ) -> None:
        """Who may issue is asked for the agency in the identifier, so nothing else may find the licence."""
        claims = {**licence.claims, IDENTIFIER: licence.number}
        started, verified = city.asked()
        city.send(verified, city.response(city.mdoc(licence, elements=claims), verified))
        assert verdict(city, started) == ("indeterminate", ["licence_unknown"])
        started, verified = city.asked(forms=["sd-jwt-vc"])
        credential = city.credential(licence, **{IDENTIFIER: licence.number})
        request = verified.request
        city.send(
            verified,
            city.present(credential, request.nonce, *GRANTED, audience=str(request.client_id)),
            query=TYPE,
        )
        assert verdict(city, started) == ("indeterminate", ["licence_unknown"])

    def test_a_tagged_identifier_hides_no_agency(self, city: MdocCity, licence: Licence) -> None:
        lie = {**licence.claims, IDENTIFIER: Tag(TDATE, licence.identifier)}
        started, verified = city.asked()
        city.send(verified, city.response(city.mdoc(licence, elements=lie), verified))
        indication, reasons = verdict(city, started)
        assert (indication, "disclosure_invalid" in reasons) == ("failed", True)

    def test_a_licence_of_another_type_is_not_vouched_for(self, city: MdocCity) -> None:
        """Who may issue one type names a licence of another in it."""
        other = city.licence(f"{next(_SERIALS):09d}", type_code="construction-permit")
        started, verified = city.asked()
        city.send(verified, city.response(city.mdoc(other), verified))
        assert verdict(city, started) == ("failed", ["query_not_satisfied"])
        (result,) = city.outcome(started["id"]).json["results"][TYPE]
        assert result["claims"] == {}
        started, holder = city.started(), city.wallet()
        city.provide(holder, licence=other)
        city.show(holder, started["link"])
        assert verdict(city, started) == ("failed", ["query_not_satisfied"])

    @pytest.mark.parametrize("shown", ["", "!!!", "AA", "oA", "ow" * 100])
    def test_noise_is_a_verdict(self, city: MdocCity, shown: str) -> None:
        started, verified = city.asked()
        reply = city.send(verified, shown)
        if reply.status == 200:
            assert verdict(city, started)[0] == "failed"
        else:
            assert reply.status == 400

    def test_an_sd_jwt_vc_where_an_mdoc_was_asked_for_fails(self, city: MdocCity, licence: Licence) -> None:
        started, verified = city.asked()
        request = verified.request
        shown = city.present(city.credential(licence), request.nonce, audience=str(request.client_id))
        city.send(verified, shown)
        assert verdict(city, started)[0] == "failed"

    def test_an_mdoc_where_an_sd_jwt_vc_was_asked_for_fails(self, city: MdocCity, licence: Licence) -> None:
        started, verified = city.asked(forms=["sd-jwt-vc"])
        city.send(verified, city.response(city.mdoc(licence), verified), query=TYPE)
        assert verdict(city, started)[0] == "failed"

    def test_less_than_was_asked_for_is_no_answer(self, city: MdocCity, licence: Licence) -> None:
        started, verified = city.asked()
        few = city.response(city.mdoc(licence), verified, disclose={VCT: (IDENTIFIER,)})
        city.send(verified, few)
        assert verdict(city, started) == ("failed", ["query_not_satisfied"])

    def test_more_than_was_asked_for_reaches_nobody(self, city: MdocCity, licence: Licence) -> None:
        started, verified = city.asked(claims=["operator_name"])
        city.send(verified, city.response(city.mdoc(licence), verified, "responsible_person"))
        (result,) = city.outcome(started["id"]).json["results"][TYPE]
        assert set(result["claims"]) == {"operator_name"}
        assert "王小麦" not in city.outcome(started["id"]).body.decode()

    def test_another_type_is_no_answer(self, city: MdocCity, licence: Licence) -> None:
        started, verified = city.asked()
        city.send(verified, city.response(city.mdoc(licence, doc_type="org.iso.18013.5.1.mDL"), verified))
        assert verdict(city, started)[0] == "failed"

    def test_an_answer_counts_once(self, city: MdocCity, licence: Licence) -> None:
        _, verified = city.asked()
        shown = city.response(city.mdoc(licence), verified)
        assert city.send(verified, shown).status == 200
        assert city.send(verified, shown).status == 410

    def test_a_credential_signer_makes_no_mdoc(self, city: MdocCity, licence: Licence) -> None:
        started, verified = city.asked()
        city.send(verified, city.response(city.mdoc(licence, signer=city.credential_signer), verified))
        assert verdict(city, started) == ("failed", ["wrong_key_usage"])
