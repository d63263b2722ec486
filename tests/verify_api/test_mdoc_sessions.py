"""Sessions that are answered with an mdoc of another form: two documents, no proof of the device, an error.

What is wrong with one presentation becomes the verdict of its session, with its reason, and no data reach
the department (OpenID4VP 1.0, 8.6 and B.2).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.departments import GRANTED, TYPE, claims_of_the_bakery
from world.mdoc_city import IDENTIFIER, VCT, MdocCity

from credentials.mdoc import dc_api_transcript
from credentials.mdoc.limits import TAGS
from credentials.oid4vp.responses import decline
from credentials.oid4vp.vocabulary import ErrorCode
from signing.base64url import decode_base64url, encode_base64url
from signing.cbor import Tag, decode, encode
from wallet.exchange import Reply as Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credentials.licence import Licence

_SERIALS = iter(range(400, 700))
Response = dict[str, Any]


@pytest.fixture(scope="module")
def city() -> Iterator[MdocCity]:
    made = MdocCity()
    yield made
    made.close()


@pytest.fixture
def licence(city: MdocCity) -> Licence:
    return city.licence(f"{next(_SERIALS):09d}")


def two_documents(response: Response) -> None:
    response["documents"].append(response["documents"][0])


def no_documents(response: Response) -> None:
    response["documents"] = []


def no_device(response: Response) -> None:
    del response["documents"][0]["deviceSigned"]


def no_proof(response: Response) -> None:
    response["documents"][0]["deviceSigned"]["deviceAuth"] = {}


def a_code(response: Response) -> None:
    """A code under a key that only a reader nearby could share."""
    code = [encode({1: 5}), {}, None, bytes(32)]
    response["documents"][0]["deviceSigned"]["deviceAuth"] = {"deviceMac": code}


def the_devices_own_words(response: Response) -> None:
    said = Tag(24, encode({VCT: {"operator_name": "津城大麦面包坊"}}))
    response["documents"][0]["deviceSigned"]["nameSpaces"] = said


def an_error(response: Response) -> None:
    response["status"] = 10


def an_error_alone(response: Response) -> None:
    del response["documents"]
    response["documentErrors"] = [{VCT: 0}]


def another_type(response: Response) -> None:
    response["documents"][0]["docType"] = "org.iso.18013.5.1.mDL"


def a_member_more(response: Response) -> None:
    response["documents"][0]["comment"] = "please accept"


CASES: list[tuple[Callable[[Response], None], set[str]]] = [
    (two_documents, {"format_failure"}),
    (no_documents, {"format_failure"}),
    (no_device, {"key_binding_missing"}),
    (no_proof, {"format_failure"}),
    (a_code, {"key_binding_invalid"}),
    (the_devices_own_words, {"claim_not_allowed"}),
    (an_error, {"format_failure"}),
    (an_error_alone, {"format_failure"}),
    (another_type, {"wrong_type"}),
    (a_member_more, {"format_failure"}),
]


@pytest.mark.parametrize(("change", "wanted"), CASES, ids=[change.__name__ for change, _ in CASES])
def test_a_response_of_another_form_fails_its_session(
    city: MdocCity, licence: Licence, change: Callable[[Response], None], wanted: set[str]
) -> None:
    started, verified = city.asked()
    response = decode(decode_base64url(city.response(city.mdoc(licence), verified)), tags=TAGS, max_depth=24)
    change(response)
    assert city.send(verified, encode_base64url(encode(response))).status == 400
    outcome = city.outcome(started["id"]).json
    assert (outcome["state"], outcome["indication"]) == ("answered", "failed")
    assert wanted <= set(outcome["reasons"]), outcome["reasons"]
    assert outcome["results"][TYPE][0]["claims"] == {}
    assert "津城" not in city.outcome(started["id"]).body.decode()


def test_two_presentations_where_one_was_asked_for_are_no_answer(city: MdocCity, licence: Licence) -> None:
    started, verified = city.asked()
    shown = [city.response(city.mdoc(licence), verified) for _ in range(2)]
    assert city.send(verified, *shown).status == 400
    assert city.outcome(started["id"]).json["state"] != "answered"


def test_an_answer_made_for_the_browsers_interface_is_none_here(city: MdocCity, licence: Licence) -> None:
    started, verified = city.asked()
    transcript = dc_api_transcript(origin=verified.request.response_uri, nonce=verified.request.nonce)
    city.send(verified, city.response(city.mdoc(licence), verified, transcript=transcript))
    outcome = city.outcome(started["id"]).json
    assert (outcome["indication"], outcome["reasons"]) == ("failed", ["key_binding_invalid"])


def test_extra_elements_that_the_agency_signed_reach_nobody(city: MdocCity, licence: Licence) -> None:
    """In a namespace that was not asked for too: the department hears what its grant names."""
    issued = city.mdoc(licence)
    started, verified = city.asked()
    more = [name for name in licence.claims if name not in GRANTED][:2]
    city.send(verified, city.response(issued, verified, *more))
    outcome = city.outcome(started["id"]).json
    assert outcome["indication"] == "passed"
    assert outcome["results"][TYPE][0]["claims"] == {name: claims_of_the_bakery()[name] for name in GRANTED}


def test_an_mdoc_past_its_end_fails_though_its_licence_lasts(city: MdocCity, licence: Licence) -> None:
    issued = city.mdoc(licence)
    city.clock.advance(timedelta(days=31))
    city.service.use(city.snapshots())
    try:
        started, verified = city.asked()
        city.send(verified, city.response(issued, verified))
        outcome = city.outcome(started["id"]).json
        assert (outcome["indication"], outcome["reasons"]) == ("failed", ["expired"])
    finally:
        city.clock.advance(-timedelta(days=31))
        city.service.use(city.snapshots())


def test_a_copy_without_a_status_passes_by_the_register(city: MdocCity, licence: Licence) -> None:
    issued = city.mdoc(licence, status=None)
    started, verified = city.asked()
    city.send(verified, city.response(issued, verified))
    assert city.outcome(started["id"]).json["indication"] == "passed"


def test_a_wallet_may_decline(city: MdocCity) -> None:
    started, verified = city.asked(encrypted=False)
    request = verified.request
    city.post(Sent(request.response_uri, decline(request, ErrorCode.ACCESS_DENIED)))
    assert city.outcome(started["id"]).json["state"] == "declined"
    assert IDENTIFIER not in city.outcome(started["id"]).body.decode()
