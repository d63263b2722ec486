"""Where certificates and lists say that more is to be had."""

from __future__ import annotations

from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import Pki, name

from signing.places import MAX_BAG_CERTIFICATES, MAX_PLACES, Places, places_of, places_of_list, read_bag
from signing.revocation import Crl
from signing.revocation.request import ocsp_request
from yinxin.base.errors import MalformedInput

URI = x509.UniformResourceIdentifier
PKI = Pki()


def point(*uris: str, directory: str | None = None) -> x509.DistributionPoint:
    names: list[x509.GeneralName] = [URI(uri) for uri in uris]
    if directory:
        names.append(x509.DirectoryName(name(directory)))
    return x509.DistributionPoint(names, None, None, None)


def access(**places: str) -> x509.AuthorityInformationAccess:
    methods = {"issuer": AuthorityInformationAccessOID.CA_ISSUERS, "ocsp": AuthorityInformationAccessOID.OCSP}
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(methods[kind], URI(uri)) for kind, uri in places.items()]
    )


def test_a_certificate_names_its_places() -> None:
    extra = (
        (x509.CRLDistributionPoints([point("http://a/1", "https://b/1"), point("http://c/2")]), False),
        (x509.FreshestCRL([point("http://a/delta")]), False),
        (access(issuer="http://a/ca.cer", ocsp="http://a/ocsp"), False),
    )
    certificate = PKI.issuing.issue("Seal", extra=extra).certificate
    assert places_of(certificate) == Places(
        ("http://a/ca.cer",),
        ("http://a/ocsp",),
        (("http://a/1", "https://b/1"), ("http://c/2",)),
        (("http://a/delta",),),
    )
    assert places_of(PKI.signer("seal").certificate) == Places()


def test_what_is_not_spoken_here_is_said_and_not_asked() -> None:
    ldap = (x509.CRLDistributionPoints([point("ldap://a/x", directory="List")]), False)
    assert places_of(PKI.issuing.issue("Seal", extra=(ldap,)).certificate) == Places(unspoken=True)
    both = (x509.CRLDistributionPoints([point("ldap://a/x", "http://a/x")]), False)
    assert places_of(PKI.issuing.issue("Seal", extra=(both,)).certificate).lists == (("http://a/x",),)


def test_the_number_of_places_is_bounded() -> None:
    many = (x509.CRLDistributionPoints([point(f"http://a/{number}") for number in range(500)]), False)
    assert len(places_of(PKI.issuing.issue("Seal", extra=(many,)).certificate).lists) == MAX_PLACES
    long = (x509.CRLDistributionPoints([point("http://a/" + "x" * 3000)]), False)
    assert places_of(PKI.issuing.issue("Seal", extra=(long,)).certificate).unspoken


def test_a_list_names_its_places() -> None:
    extra = (
        (x509.FreshestCRL([point("http://a/delta")]), False),
        (access(issuer="http://a/signer.cer"), False),
    )
    crl = Crl.from_der(PKI.issuing.crl(extra=extra))
    assert places_of_list(crl) == Places(("http://a/signer.cer",), (), (), (("http://a/delta",),))
    assert places_of_list(Crl.from_der(PKI.issuing.crl())) == Places()


def test_issuers_come_alone_or_in_a_bag() -> None:
    certificates = [PKI.issuing.certificate, PKI.root.certificate]
    assert read_bag(certificates[0].der) == (certificates[0],)
    bag = pkcs7.serialize_certificates([one.x509 for one in certificates], Encoding.DER)
    assert set(read_bag(bag)) == set(certificates)
    many = [PKI.issuing.issue(f"{number}").certificate.x509 for number in range(MAX_BAG_CERTIFICATES + 3)]
    assert len(read_bag(pkcs7.serialize_certificates(many, Encoding.DER))) == MAX_BAG_CERTIFICATES


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0), st.binary(min_size=1, max_size=3))
def test_any_bag_is_read_or_refused(data: bytes, place: int, patch: bytes) -> None:
    bag = pkcs7.serialize_certificates([PKI.issuing.certificate.x509], Encoding.DER)
    place %= len(bag)
    for hostile in (data, bag[:place] + patch + bag[place + len(patch) :], bag[:place]):
        with suppress(MalformedInput):
            read_bag(hostile)


def test_a_question_is_what_others_write_too() -> None:
    for leaf, issuer in (
        (PKI.signer("seal").certificate, PKI.issuing.certificate),
        (PKI.issuing.certificate, PKI.root.certificate),
    ):
        theirs = ocsp.OCSPRequestBuilder().add_certificate(leaf.x509, issuer.x509, hashes.SHA1()).build()  # noqa: S303 - RFC 5019
        assert ocsp_request(leaf, issuer) == theirs.public_bytes(Encoding.DER)
