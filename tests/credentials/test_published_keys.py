"""Issuers that are known by the keys that they publish, and nobody who mixes the two ways to a key."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.credentials import COUNTER, ISSUER, NONCE, VCT, CredentialWorld, food_licence
from world.pki import NOON

from credentials.published_keys import (
    MAX_BYTES,
    MAX_KEYS,
    SERVES_FOR,
    PublishedKeys,
    describe_keys,
    key_set_url,
    metadata_url,
)
from credentials.status_service import StatusService
from credentials.status_snapshot import StatusSnapshot
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication
from signing.signers.file import FileSigner
from yinxin.base.errors import MalformedInput, TooLarge, VerificationFailed, YinxinError

if TYPE_CHECKING:
    from signing.report import Report
    from signing.signer import Signer

POLICY = Policy(issuer_keys=((ISSUER, "metadata"),))
OTHER = "https://other.jincheng.example"


@pytest.fixture(scope="module")
def world() -> CredentialWorld:
    return CredentialWorld()


@pytest.fixture(scope="module")
def office() -> FileSigner:
    """A key with no certificate at all."""
    return FileSigner.generate()


def published(*keys: Signer, issuer: str = ISSUER, **changes: Any) -> PublishedKeys:
    document = {**describe_keys(issuer, [one.public_key for one in keys]), **changes}
    return PublishedKeys.read(json.dumps(document).encode(), issuer=issuer, at=NOON)


def read(document: Any, *, issuer: str = ISSUER, key_set: Any = None) -> PublishedKeys:
    apart = None if key_set is None else json.dumps(key_set).encode()
    return PublishedKeys.read(json.dumps(document).encode(), issuer=issuer, at=NOON, key_set=apart)


def row(signer: Signer, **changes: Any) -> dict[str, Any]:
    return {**signer.public_key.to_jwk(), "kid": "1", **changes}


class Examination:
    """A presentation of a licence by some key, at a counter with some keys."""

    def __init__(
        self, world: CredentialWorld, signer: Signer, *, headers: dict[str, Any], **claims: Any
    ) -> None:
        self.world = world
        plain = {**food_licence(), **claims}
        credential = world.issue({**plain}, signer=signer, headers=headers)
        self.presentation = world.present(credential)

    def by(self, *keys: PublishedKeys, policy: Policy = POLICY, **more: Any) -> Report[Any]:
        counter = self.world.counter(policy=policy, published={one.issuer: one for one in keys}, **more)
        return counter.verify(self.presentation, audience=COUNTER, nonce=NONCE)


def kid(signer: Signer) -> dict[str, Any]:
    return {"kid": signer.public_key.thumbprint}


class TestAnIssuerWithKeys:
    def test_is_believed_by_its_keys_alone(self, world: CredentialWorld, office: FileSigner) -> None:
        report = Examination(world, office, headers=kid(office)).by(keys := published(office))
        found = report.require()
        assert (found.issuer, found.claims["iss"]) == (None, ISSUER)
        assert report.findings["issuer"] == ISSUER
        assert report.snapshots["issuer_keys"] == keys.digest

    def test_needs_a_certificate_for_its_status_lists_still(
        self, world: CredentialWorld, office: FileSigner
    ) -> None:
        lists = StatusService(world.database, office, f"{ISSUER}/bare", clock=world.clock, size=64)
        with world.database.transaction() as session:
            uri, index = lists.allocate(session)
        with pytest.raises(VerificationFailed):
            StatusSnapshot.from_token(
                lists.token(uri), world.trust, uri=uri, at=NOON, revocation=world.revocation, policy=POLICY
            )
        status = {"status_list": {"idx": index, "uri": uri}}
        report = Examination(world, office, headers=kid(office), status=status).by(published(office))
        assert (report.indication, report.reasons) == (Indication.INDETERMINATE, {Reason.STATUS_UNKNOWN})

    def test_may_change_its_key(self, world: CredentialWorld, office: FileSigner) -> None:
        new = FileSigner.generate()
        for signer in (office, new):
            assert Examination(world, signer, headers=kid(signer)).by(published(office, new)).passed
        old = Examination(world, office, headers=kid(office))
        assert old.by(published(new)).reasons == {Reason.ISSUER_KEY_UNKNOWN}

    def test_is_believed_for_a_day(self, world: CredentialWorld, office: FileSigner) -> None:
        examination = Examination(world, office, headers=kid(office))
        document = json.dumps(describe_keys(ISSUER, [office.public_key])).encode()
        second = timedelta(seconds=1)
        for age, reasons in (
            (SERVES_FOR - second, set()),
            (SERVES_FOR, {Reason.ISSUER_KEYS_UNAVAILABLE}),
            (-timedelta(minutes=6), {Reason.ISSUER_KEYS_UNAVAILABLE}),
        ):
            keys = PublishedKeys.read(document, issuer=ISSUER, at=NOON - age)
            assert examination.by(keys).reasons == reasons

    def test_is_not_believed_while_its_keys_are_not_at_hand(
        self, world: CredentialWorld, office: FileSigner
    ) -> None:
        examination = Examination(world, office, headers=kid(office))
        assert examination.by().reasons == {Reason.ISSUER_KEYS_UNAVAILABLE}
        keys = published(office, issuer=OTHER)
        assert examination.by(keys).reasons == {Reason.ISSUER_KEYS_UNAVAILABLE}

    def test_issues_what_it_may(self, world: CredentialWorld, office: FileSigner) -> None:
        examination, keys = Examination(world, office, headers=kid(office)), published(office)
        assert examination.by(keys, issuers={VCT: [ISSUER]}).passed
        refused = examination.by(keys, issuers={VCT: [world.agency.certificate.subject]})
        assert refused.reasons == {Reason.ISSUER_NOT_PERMITTED}


class TestNobodyMixesTheWays:
    def test_certificates_are_nothing_to_an_issuer_with_keys(
        self, world: CredentialWorld, office: FileSigner
    ) -> None:
        """Another agency, well certified, writes this issuer's name."""
        forged = Examination(world, world.agency, headers={})
        assert forged.by(policy=Policy()).passed, "by its certificate it would pass"
        assert forged.by(published(office)).reasons == {Reason.ISSUER_KEY_UNKNOWN}
        named = Examination(world, world.agency, headers=kid(office))
        assert named.by(published(office)).reasons == {Reason.SIG_CRYPTO_FAILURE}

    def test_certificates_beside_the_key_are_left_alone(
        self, world: CredentialWorld, office: FileSigner
    ) -> None:
        both = Examination(world, office, headers={**kid(office), "x5c": ["bm8gY2VydGlmaWNhdGU="]})
        assert both.by(published(office)).passed

    @pytest.mark.parametrize("policy", [Policy(), Policy(issuer_keys=((ISSUER, "x5c"),))])
    def test_keys_are_nothing_to_an_issuer_with_certificates(
        self, world: CredentialWorld, office: FileSigner, policy: Policy
    ) -> None:
        examination = Examination(world, office, headers=kid(office))
        report = examination.by(published(office), policy=policy)
        assert report.reasons == {Reason.SIGNING_CERTIFICATE_MISSING}

    @pytest.mark.parametrize("name", [OTHER, ISSUER + "/", ISSUER.upper(), ISSUER + "?a", [ISSUER], None])
    def test_keys_serve_their_own_name_only(
        self, world: CredentialWorld, office: FileSigner, name: Any
    ) -> None:
        report = Examination(world, office, headers=kid(office), iss=name).by(published(office))
        assert report.reasons == {Reason.SIGNING_CERTIFICATE_MISSING}

    @pytest.mark.parametrize("headers", [{"kid": ""}, {"kid": 1}, {"kid": ["1"]}, {"kid": "another"}])
    def test_keys_are_found_by_their_exact_name(
        self, world: CredentialWorld, office: FileSigner, headers: dict[str, Any]
    ) -> None:
        report = Examination(world, office, headers=headers).by(published(office))
        assert report.reasons == {Reason.ISSUER_KEY_UNKNOWN}

    def test_keys_in_the_header_are_nothing(self, world: CredentialWorld, office: FileSigner) -> None:
        thief = FileSigner.generate()
        own = {**kid(office), "jwk": thief.public_key.to_jwk(), "jku": "https://thief.example/keys"}
        report = Examination(world, thief, headers=own).by(published(office))
        assert report.reasons == {Reason.SIG_CRYPTO_FAILURE}

    def test_a_key_serves_the_algorithm_that_it_is_for(
        self, world: CredentialWorld, office: FileSigner
    ) -> None:
        examination = Examination(world, office, headers={"kid": "1"})
        for alg, reasons in (("ES256", set()), ("ES384", {Reason.ALGORITHM_NOT_ALLOWED})):
            keys = read({"issuer": ISSUER, "jwks": {"keys": [row(office, alg=alg)]}})
            assert examination.by(keys).reasons == reasons
        narrow = POLICY.with_changes(algorithms=frozenset({"Ed25519"}))
        keys = read({"issuer": ISSUER, "jwks": {"keys": [row(office)]}})
        assert Reason.ALGORITHM_NOT_ALLOWED in examination.by(keys, policy=narrow).reasons


class TestMetadata:
    def test_stands_between_host_and_path(self) -> None:
        for issuer, place in (
            ("https://a.example", "https://a.example/.well-known/jwt-vc-issuer"),
            ("https://a.example/", "https://a.example/.well-known/jwt-vc-issuer"),
            ("https://a.example:8443/x/1", "https://a.example:8443/.well-known/jwt-vc-issuer/x/1"),
            ("https://a.example/x/1/", "https://a.example/.well-known/jwt-vc-issuer/x/1"),
        ):
            assert metadata_url(issuer) == place

    @pytest.mark.parametrize(
        "issuer",
        [
            "http://a.example",
            "https://a.example?x",
            "https://a.example/?",
            "https://a.example/#",
            "https://a.example/x#y",
            "https://user@a.example",
            "https://a.example/../b",
            "https://a.example/x/./y",
            "https://a.example/x//y",
            "https://a.example/%2e%2e/b",
            "https://a.example\\b",
            "https://",
            "urn:a",
            "https://a.example/证",
        ],
    )
    def test_of_no_plain_address_is_asked_nowhere(self, issuer: str) -> None:
        with pytest.raises(MalformedInput):
            metadata_url(issuer)

    def test_may_keep_its_keys_elsewhere(self, office: FileSigner) -> None:
        """As the specification's own example does."""
        place = "https://jwt-vc-issuer.example.com/my_public_keys.jwks"
        document = {"issuer": ISSUER, "jwks_uri": place}
        assert key_set_url(json.dumps(document).encode(), issuer=ISSUER) == place
        keys = read(document, key_set={"keys": [row(office)]})
        assert [one.key for one in keys.keys.values()] == [office.public_key]
        for kept_apart in (None, {}, {"keys": {}}, [], {"keys": [1]}):
            with pytest.raises(MalformedInput):
                read(document, key_set=kept_apart)
        with pytest.raises(MalformedInput):
            read({"issuer": ISSUER, "jwks": {"keys": []}}, key_set={"keys": []})

    @pytest.mark.parametrize(
        "changes",
        [
            {"issuer": OTHER},
            {"issuer": ISSUER + "/"},
            {"issuer": None},
            {"jwks_uri": "https://a.example/keys"},
            {"jwks": None},
            {"jwks": []},
            {"jwks": {}},
            {"jwks": {"keys": {}}},
            {"jwks": {"keys": ["x"]}},
        ],
    )
    def test_is_refused_when_it_breaks_a_rule(self, office: FileSigner, changes: dict[str, Any]) -> None:
        good = describe_keys(ISSUER, [office.public_key])
        assert read(good).keys
        with pytest.raises(MalformedInput):
            read({**good, **changes})

    @pytest.mark.parametrize(
        "place",
        [
            "http://a.example/k",
            "https://a.example/k#f",
            "//a.example",
            "file:///etc",
            "https://a@b.example",
            7,
            None,
        ],
    )
    def test_leads_to_https_only(self, place: Any) -> None:
        with pytest.raises(MalformedInput):
            key_set_url(json.dumps({"issuer": ISSUER, "jwks_uri": place}).encode(), issuer=ISSUER)

    def test_has_no_more_than_it_needs(self, office: FileSigner) -> None:
        many = [row(office, kid=str(number)) for number in range(MAX_KEYS + 1)]
        assert len(read({"issuer": ISSUER, "jwks": {"keys": many[1:]}}).keys) == MAX_KEYS
        with pytest.raises(TooLarge):
            read({"issuer": ISSUER, "jwks": {"keys": many}})
        with pytest.raises(TooLarge):
            read({"issuer": ISSUER, "jwks": {"keys": []}, "more": "x" * MAX_BYTES})

    def test_names_each_key_once(self, office: FileSigner) -> None:
        other = FileSigner.generate("Ed25519")
        both = read({"issuer": ISSUER, "jwks": {"keys": [row(office), row(office), row(other)]}})
        assert len(both.keys) == 2, "of two kinds, so there is no doubt"
        with pytest.raises(MalformedInput):
            read({"issuer": ISSUER, "jwks": {"keys": [row(office), row(FileSigner.generate())]}})

    @pytest.mark.parametrize(
        "changes",
        [
            {"kid": None},
            {"kid": 1},
            {"use": "enc"},
            {"key_ops": ["sign"]},
            {"key_ops": "verify"},
            {"alg": 7},
            {"kty": "oct"},
            {"crv": "secp256k1"},
            {"x": "AAAA"},
            {"d": "c2VjcmV0"},
        ],
    )
    def test_passes_over_keys_that_are_of_no_use(self, office: FileSigner, changes: dict[str, Any]) -> None:
        rows = [row(office, **changes), row(office, kid="2", use="sig", key_ops=["verify"])]
        assert {name for name, _ in read({"issuer": ISSUER, "jwks": {"keys": rows}}).keys} == {"2"}

    @given(st.binary(max_size=300), st.binary(max_size=300) | st.none())
    def test_of_arbitrary_bytes_raises_our_errors_only(self, document: bytes, key_set: bytes | None) -> None:
        with pytest.raises(YinxinError):
            PublishedKeys.read(document, issuer=ISSUER, at=NOON, key_set=key_set)

    @given(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda one: (
                st.lists(one, max_size=3)
                | st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "kid", "use"]), one)
            ),
            max_leaves=8,
        )
    )
    def test_of_any_key_set_raises_our_errors_only(self, found: Any) -> None:
        try:
            read({"issuer": ISSUER, "jwks": {"keys": found}})
        except YinxinError:
            return
