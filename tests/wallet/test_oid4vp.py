"""A baker's wallet and the verifiers that ask it: what is shown, what is said before, and who is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.credentials import VCT
from world.requests import ABOUT, RESPONSE_URI, AskingCounter, dcql

from credentials.oid4vp.client_ids import ClientId
from credentials.oid4vp.presentations import verify_response
from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.responses import read_response
from credentials.oid4vp.transactions import MATTER_TYPE, TransactionData
from credentials.oid4vp.vocabulary import ErrorCode
from signing.jose import load_json_object
from wallet.activity import ActivityKind
from wallet.exchange import Reply, fetch_request, send
from wallet.holder import Holder
from wallet.invitation import Invitation
from yinxin.base.errors import Conflict, NotFound, NotPermitted, Unreachable, UsageError
from yinxin.base.outbound import Response
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

    from credentials.oid4vp.request_objects import VerifiedRequest
    from wallet.answering import Answering

LABELS = {
    VCT: {
        "name": Text("单位名称", "name"),
        "credit_code": Text("统一社会信用代码", "credit code"),
        "address": Text("经营场所", "premises"),
        "scopes": Text("经营项目", "scope"),
        "licence_identifier": Text("证照标识", "licence identifier"),
    }
}


@pytest.fixture(scope="module")
def counter(pki: Pki) -> AskingCounter:
    return AskingCounter(pki)


@pytest.fixture
def holder(counter: AskingCounter, tmp_path: Path) -> Holder:
    """A wallet with one food licence."""
    made = Holder.create(tmp_path, "面包 bread", clock=counter.clock, scrypt_cost=1 << 4)
    receive(counter, made)
    return made


def receive(counter: AskingCounter, holder: Holder, **changes: Any) -> str:
    """One more licence; returns its id."""
    claims = counter.licence(**changes)
    return holder.receive(counter.issue(claims, holder_key=holder.new_key())).id


def asked(counter: AskingCounter, query: dict[str, Any] | None = None, **changes: Any) -> VerifiedRequest:
    return counter.read(counter.sign(counter.request(query, **changes)))


def verify(counter: AskingCounter, answering: Answering, reply: Reply) -> tuple[bool, list[dict[str, Any]]]:
    """What the counter finds: whether it is what was asked for, and the claims of each credential."""
    request = answering.verified.request
    response = read_response(reply.form, request, key=counter.key)
    check, found = verify_response(request, response, counter.counter(), now=counter.clock.now())
    return check.reason is None, [dict(report.require().claims) for _, report in found]


# happy-flow, fewer-claims-than-available, no-claims-in-dcql-query


def test_the_least_is_shown_and_logged(counter: AskingCounter, holder: Holder) -> None:
    answering = holder.consider_presentation(asked(counter), labels=LABELS)
    (pick,) = answering.picks
    assert [item.path for item in pick.shares.shared] == [("name",)]
    reply = holder.answer_presentation(answering)
    assert reply.url == RESPONSE_URI
    good, (claims,) = verify(counter, answering, reply)
    assert good
    assert claims["name"] == "津城小麦面包坊"
    assert "credit_code" not in claims
    assert claims["scopes"] == []
    entry = holder.activity()[-1]
    assert (entry.kind, entry.verified, entry.matter) == (ActivityKind.SHOWN, True, ABOUT.matter)
    assert entry.audience == str(ClientId.of(counter.asker.certificate))
    assert entry.certificate == counter.asker.certificate.fingerprint
    assert "name" in entry.claims
    assert "credit_code" not in entry.claims


def test_a_request_for_nothing_shows_only_that_it_is_held(counter: AskingCounter, holder: Holder) -> None:
    answering = holder.consider_presentation(asked(counter, dcql()))
    good, (claims,) = verify(counter, answering, holder.answer_presentation(answering))
    assert good
    assert "name" not in claims
    assert "仅证明持有" in answering.consent.zh


def test_the_holder_reads_who_why_what_and_what_not(counter: AskingCounter, holder: Holder) -> None:
    consent = holder.consider_presentation(asked(counter), labels=LABELS).consent
    for said in ("津城市场局（由津城市核验服务发起）", "办理食品经营许可", "440103001000", "核对码：07"):
        assert said in consent.zh
    shown, kept = (
        next(li for li in consent.zh.splitlines() if li.startswith(w)) for w in ("将出示", "不会出示")
    )
    assert shown.endswith("单位名称")
    assert "统一社会信用代码" in kept
    for said in (
        "Market bureau (through 津城市核验服务)",
        "A food permit",
        "Match code: 07",
        "Will be shown",
    ):
        assert said in consent.en
    silent = holder.consider_presentation(asked(counter, about=None)).consent
    assert "对方未说明用途" in silent.zh
    assert "does not say" in silent.en


def test_of_a_list_only_the_element_that_was_asked_for(counter: AskingCounter, holder: Holder) -> None:
    query = dcql(claims=[{"path": ["scopes", None], "values": ["自制饮品制售"]}])
    answering = holder.consider_presentation(asked(counter, query))
    good, (claims,) = verify(counter, answering, holder.answer_presentation(answering))
    assert good
    assert claims["scopes"] == ["自制饮品制售"]


def test_a_position_holds_for_both_sides(counter: AskingCounter, holder: Holder) -> None:
    answering = holder.consider_presentation(asked(counter, dcql(claims=[{"path": ["scopes", 2]}])))
    good, (claims,) = verify(counter, answering, holder.answer_presentation(answering))
    assert good
    assert claims["scopes"] == ["预包装食品销售"]


# required-non-matching-credential, optional-credential-set


def test_what_the_wallet_has_not_it_does_not_answer(counter: AskingCounter, holder: Holder) -> None:
    for query in (
        dcql("shoe_size"),
        dcql(claims=[{"path": ["name"], "values": ["别家"]}]),
        dcql(meta={"vct_values": ["urn:driving-licence"]}),
        dcql(trusted_authorities=[{"type": "aki", "values": ["AAAA"]}]),
    ):
        with pytest.raises(NotFound):
            holder.consider_presentation(asked(counter, query))
    two = {
        "credentials": [dcql("name")["credentials"][0], {**dcql("shoe_size")["credentials"][0], "id": "x"}]
    }
    with pytest.raises(NotFound):  # one is there, and still nothing at all is shown
        holder.consider_presentation(asked(counter, two))
    assert [one.kind for one in holder.activity()] == [ActivityKind.RECEIVED]


def test_what_is_optional_is_shown_only_if_the_holder_wants(counter: AskingCounter, holder: Holder) -> None:
    other = receive(counter, holder, vct="urn:other", licence_identifier="other")
    first = dcql("name")["credentials"][0]
    nice = {**first, "id": "nice", "meta": {"vct_values": ["urn:other"]}}
    sets = [{"options": [["licence"]]}, {"options": [["nice"]], "required": False}]
    verified = asked(counter, {"credentials": [first, nice], "credential_sets": sets})
    assert [pick.query_id for pick in holder.consider_presentation(verified).picks] == ["licence"]
    both = holder.consider_presentation(verified, optional=True)
    assert [pick.query_id for pick in both.picks] == ["licence", "nice"]
    good, claims = verify(counter, both, holder.answer_presentation(both))
    assert good
    assert [one["vct"] for one in claims] == [VCT, "urn:other"]
    assert [one.licence for one in holder.activity()[-2:]] == [both.picks[0].licence, other]


def test_the_holder_chooses_among_licences(counter: AskingCounter, holder: Holder) -> None:
    first = holder.licences()[0].id
    second = receive(counter, holder, licence_identifier="second", name="第二家店")
    verified = asked(counter)
    (pick,) = holder.consider_presentation(verified).picks
    assert {pick.licence, *pick.others} == {first, second}
    for wish in (first, second):
        (pick,) = holder.consider_presentation(verified, choices={"licence": wish}).picks
        assert pick.licence == wish
    with pytest.raises(UsageError):
        holder.consider_presentation(verified, choices={"licence": "none"})


def test_each_copy_is_used_before_one_is_used_again(counter: AskingCounter, holder: Holder) -> None:
    claims = counter.licence()
    for _ in range(2):
        holder.receive(counter.issue(claims, holder_key=holder.new_key()))
    keys = set()
    for _ in range(3):
        answering = holder.consider_presentation(asked(counter))
        _, (shown,) = verify(counter, answering, holder.answer_presentation(answering))
        keys.add(shown["cnf"]["jwk"]["x"])
    assert len(keys) == 3


def test_nobody_is_recognised_without_having_been_asked(counter: AskingCounter, holder: Holder) -> None:
    """Two verifiers at once, and one unused copy: the second gets nothing before the holder read why."""
    first, second = (holder.consider_presentation(asked(counter)) for _ in range(2))
    holder.answer_presentation(first)
    with pytest.raises(Conflict):
        holder.answer_presentation(second)
    assert [one.kind for one in holder.activity()] == [ActivityKind.RECEIVED, ActivityKind.SHOWN]
    again = holder.consider_presentation(asked(counter))
    assert again.picks[0].reused
    assert "未使用过的副本已用完" in again.consent.zh
    assert "no unused copy is left" in again.consent.en
    assert verify(counter, again, holder.answer_presentation(again))[0]
    assert holder.licences()[0].uses == 2


def test_a_transaction_is_read_out_and_signed(counter: AskingCounter, holder: Holder) -> None:
    made = TransactionData.make(
        MATTER_TYPE,
        Text("提交变更申请", "I apply for a change"),
        credential_ids=("licence",),
        details={"matter": "1"},
    )
    answering = holder.consider_presentation(asked(counter, transactions=(made,)))
    assert "将确认：提交变更申请" in answering.consent.zh
    assert "You agree: I apply for a change" in answering.consent.en
    good, _ = verify(counter, answering, holder.answer_presentation(answering))
    assert good


def test_a_transaction_that_no_shown_credential_carries(counter: AskingCounter, holder: Holder) -> None:
    first = dcql("name")["credentials"][0]
    query = {
        "credentials": [first, {**first, "id": "b"}],
        "credential_sets": [{"options": [["licence"], ["b"]]}],
    }
    made = TransactionData.make(MATTER_TYPE, Text("a", "b"), credential_ids=("b",), details={"matter": "1"})
    with pytest.raises(NotFound):
        holder.consider_presentation(asked(counter, query, transactions=(made,)))


def test_a_yes_that_comes_too_late_sends_nothing(counter: AskingCounter, holder: Holder) -> None:
    answering = holder.consider_presentation(asked(counter))
    counter.clock.advance(timedelta(seconds=120))
    try:
        with pytest.raises(NotPermitted):
            holder.answer_presentation(answering)
        assert holder.activity()[-1].kind is ActivityKind.RECEIVED
    finally:
        counter.clock.advance(timedelta(seconds=-120))


# The link

CLIENT = "x509_hash:abc"
REQUEST_URI = "https://verify.jincheng.example/oid4vp/requests/r1"


def link(*more: tuple[str, str], **values: str) -> str:
    return f"openid4vp://?{urlencode([*values.items(), *more])}"


def test_a_link_leads_to_a_signed_request() -> None:
    found = Invitation.parse(link(client_id=CLIENT, request_uri=REQUEST_URI, request_uri_method="post"))
    assert found == Invitation(CLIENT, None, REQUEST_URI, by_post=True)
    assert Invitation.parse(link(client_id=CLIENT, request="eyJ")).request == "eyJ"
    form = parse_qs(found.form("w1").decode())
    assert form["wallet_nonce"] == ["w1"]
    assert "x509_hash" in load_json_object(form["wallet_metadata"][0])["client_id_prefixes_supported"]


@pytest.mark.parametrize(
    "bad",
    [
        link(client_id=CLIENT),
        link(client_id=CLIENT, nonce="n", response_type="vp_token", dcql_query="{}"),  # not signed
        link(client_id=CLIENT, request="eyJ", request_uri=REQUEST_URI),
        link(request_uri=REQUEST_URI),
        link(client_id="redirect_uri:https://a.example", request_uri=REQUEST_URI),
        link(client_id=CLIENT, request_uri="http://verify.jincheng.example/r"),
        link(client_id=CLIENT, request_uri="file:///etc/passwd"),
        link(client_id=CLIENT, request_uri="https://a@b.example/"),
        link(("client_id", "x509_hash:other"), client_id=CLIENT, request_uri=REQUEST_URI),
        link(("request_uri", REQUEST_URI), client_id=CLIENT, request_uri=REQUEST_URI),
        link(client_id=CLIENT, request_uri=REQUEST_URI, request_uri_method="put"),
        link(client_id=CLIENT, request="eyJ", request_uri_method="post"),
        "openid4vp://?client_id=%ff",
        "https://[",
        "",
        "openid4vp://?" + "&".join(f"a{number}=1" for number in range(40)),
        "openid4vp://?" + "a" * (256 * 1024),
    ],
    ids=range(17),
)
def test_a_link_of_another_kind_is_refused(bad: str) -> None:
    with pytest.raises(RequestRefused):
        Invitation.parse(bad)


@given(
    st.text() | st.dictionaries(st.text(), st.text()).map(lambda values: f"openid4vp://?{urlencode(values)}")
)
def test_any_link_is_read_or_refused(text: str) -> None:
    try:
        Invitation.parse(text)
    except RequestRefused:
        return
    raise AssertionError(text)


# The wire


class Wire:
    """What the wallet's connection would bring."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Any]] = []

    def get(self, url: str, *, follow: bool = True, **_: Any) -> Response:
        assert not follow  # OpenID4VP, 14.8
        self.asked.append(("GET", url, None))
        return self.answers.pop(0)

    def post(self, url: str, body: bytes, **_: Any) -> Response:
        self.asked.append(("POST", url, parse_qs(body.decode())))
        return self.answers.pop(0)


def served(text: str, status: int = 200, kind: str = "application/oauth-authz-req+jwt") -> Response:
    return Response(status, {"content-type": kind}, text.encode())


def fetch(counter: AskingCounter, wire: Wire, *, by_post: bool = False) -> VerifiedRequest:
    name = str(ClientId.of(counter.asker.certificate))
    invitation = Invitation(name, None, REQUEST_URI, by_post=by_post)
    return fetch_request(
        invitation,
        counter.reader(),
        wire,
        now=counter.clock.now(),
        randomness=counter.randomness,  # type: ignore[arg-type]
    )


def test_a_request_is_fetched_by_both_methods(counter: AskingCounter) -> None:
    assert fetch(counter, Wire(served(counter.sign()))).request == counter.request()
    name = str(ClientId.of(counter.asker.certificate))
    by_value = Invitation(name, request=counter.sign())
    assert fetch_request(by_value, counter.reader(), Wire(), now=counter.clock.now())  # type: ignore[arg-type]

    class Answering(Wire):
        def post(self, url: str, body: bytes, **more: Any) -> Response:
            nonce = parse_qs(body.decode())["wallet_nonce"][0]
            self.answers = [served(counter.sign(wallet_nonce=nonce))]
            return super().post(url, body, **more)

    wire = Answering()
    assert fetch(counter, wire, by_post=True).request == counter.request()
    assert len(wire.asked[0][2]["wallet_nonce"][0]) == 43


def test_what_is_no_request_object_is_refused(counter: AskingCounter) -> None:
    good = counter.sign()
    for answer in (
        served(good, status=302),
        served(good, status=404),
        served(good, kind="text/html"),
        served("é"),
        served(""),
    ):
        with pytest.raises(RequestRefused):
            fetch(counter, Wire(answer))
    with pytest.raises(RequestRefused) as refused:
        fetch(counter, Wire(served(good)), by_post=True)  # without our nonce: somebody replays it
    assert refused.value.error is ErrorCode.INVALID_REQUEST


def test_an_answer_is_sent_and_the_way_on_is_an_address() -> None:
    reply = Reply(RESPONSE_URI, {"response": "a b"})

    def sent(body: str, status: int = 200) -> str | None:
        wire = Wire(Response(status, {}, body.encode()))
        onward = send(reply, wire)  # type: ignore[arg-type]
        assert wire.asked == [("POST", RESPONSE_URI, {"response": ["a b"]})]
        return onward

    assert sent("{}") is None
    assert sent('{"redirect_uri":"https://verify.example/done?response_code=x"}') is not None
    for body in ('{"redirect_uri":"javascript:alert(1)"}', '{"redirect_uri":7}', "[]", "no"):
        with pytest.raises(Unreachable):
            sent(body)
    for status in (302, 400, 500):
        with pytest.raises(Unreachable):
            sent("{}", status)
