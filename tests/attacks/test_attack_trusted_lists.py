"""Attacks on the signature of a trusted list: wrapping, entities, transforms, two signatures, comments."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache

import pytest
from lxml import etree
from world.etsi import DAY, Listed, ListSigner, State, TrustedList
from world.pki import NOON, TestAuthority

from signing.trust_list.etsi import anchors_of, read_list
from signing.trust_list.etsi.signature import MAX_BYTES
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

SIGNER, MALLORY = ListSigner(), ListSigner("Mallory")
CA, EVIL = TestAuthority("CA").certificate, TestAuthority("Evil CA").certificate
DS, XADES = "{http://www.w3.org/2000/09/xmldsig#}", "{http://uri.etsi.org/01903/v1.3.2#}"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"


def content(certificate: object = CA) -> TrustedList:
    return TrustedList((Listed([certificate], (State(NOON - DAY),)),))  # type: ignore[list-item]


@cache
def good() -> bytes:
    return SIGNER.sign(content())


def tree() -> etree._Element:
    return etree.fromstring(good())


def evil() -> etree._Element:
    return etree.fromstring(content(EVIL).xml())


def sent(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root))


def read(data: bytes) -> set[str]:
    found = read_list(data, signers=[SIGNER.certificate], now=NOON)
    return {anchor.certificate.common_name for anchor in anchors_of(found)[0]}


def signature(root: etree._Element) -> etree._Element:
    (found,) = root.iter(f"{DS}Signature")
    return found


def test_the_list_itself_is_good() -> None:
    assert read(good()) == {"CA"}


def wrapped_around() -> bytes:
    """The signed list inside another one."""
    outer, inner = evil(), tree()
    outer.set("Id", "outer")
    outer.append(inner)
    return sent(outer)


def wrapped_signature_outside() -> bytes:
    """The signature points by its name to the signed list, which lies somewhere inside."""
    outer, inner = evil(), tree()
    outer.set("Id", "outer")
    moved = signature(inner)
    inner.remove(moved)
    etree.SubElement(outer, "{http://uri.etsi.org/02231/v2#}Extra").append(inner)
    outer.append(moved)
    return sent(outer)


def wrapped_with_the_same_name() -> bytes:
    outer, inner = evil(), tree()
    moved = signature(inner)
    inner.remove(moved)
    moved.append(inner)
    outer.append(moved)
    return sent(outer)


def wrapped_in_the_object() -> bytes:
    """The signed list is hidden in the signature, which the enveloped transform takes away."""
    outer, inner = evil(), tree()
    outer.set("Id", "outer")
    moved = signature(inner)
    inner.remove(moved)
    etree.SubElement(moved, f"{DS}Object").append(inner)
    outer.append(moved)
    return sent(outer)


def exchanged_certificate() -> bytes:
    return good().replace(b64encode(CA.der), b64encode(EVIL.der))


def in_the_signature() -> bytes:
    """What stands inside the signature is not covered: a provider there counts for nothing."""
    root = tree()
    signature(root).append(evil()[-1])
    return sent(root)


def two_signatures() -> bytes:
    root = etree.fromstring(MALLORY.sign(content(EVIL)))
    root.append(signature(tree()))
    return sent(root)


def two_signatures_other_order() -> bytes:
    root = etree.fromstring(MALLORY.sign(content(EVIL)))
    root.insert(0, signature(tree()))
    return sent(root)


def nested_signature() -> bytes:
    root = tree()
    root[0].append(etree.fromstring(sent(signature(tree()))))
    return sent(root)


def borrowed_certificate() -> bytes:
    """Signed by another key, with the pinned certificate written into it."""
    own, theirs = (b64encode(one.certificate.der).decode() for one in (MALLORY, SIGNER))
    text = re.sub(r"\s+", "", own)
    root = etree.fromstring(MALLORY.sign(content(EVIL)))
    for node in root.iter(f"{DS}X509Certificate"):
        assert "".join((node.text or "").split()) == text
        node.text = theirs
    return sent(root)


def both_certificates() -> bytes:
    """The pinned certificate first, then the one that signed."""
    root = etree.fromstring(MALLORY.sign(content(EVIL)))
    (data,) = root.iter(f"{DS}X509Data")
    added = etree.Element(f"{DS}X509Certificate")
    added.text = b64encode(SIGNER.certificate.der).decode()
    data.insert(0, added)
    return sent(root)


def _transformed(algorithm: str, *, at: int, reference: int = 0, inside: str = "") -> bytes:
    root = tree()
    references = list(root.iter(f"{DS}Reference"))
    transforms = references[reference].find(f"{DS}Transforms")
    assert transforms is not None
    added = etree.Element(f"{DS}Transform", Algorithm=algorithm)
    if inside:
        added.append(etree.fromstring(inside))
    transforms.insert(at, added)
    return sent(root)


def xslt() -> bytes:
    sheet = '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'
    return _transformed("http://www.w3.org/TR/1999/REC-xslt-19991116", at=1, inside=sheet)


def xpath() -> bytes:
    inside = f'<XPath xmlns="{DS[1:-1]}">not(ancestor-or-self::x)</XPath>'
    return _transformed("http://www.w3.org/TR/1999/REC-xpath-19991116", at=1, inside=inside)


def base64() -> bytes:
    return _transformed("http://www.w3.org/2000/09/xmldsig#base64", at=1)


def enveloped_properties() -> bytes:
    return _transformed("http://www.w3.org/2000/09/xmldsig#enveloped-signature", at=0, reference=1)


def with_comments() -> bytes:
    root = tree()
    for node in root.iter(f"{DS}Transform", f"{DS}CanonicalizationMethod"):
        if node.get("Algorithm") == EXC:
            node.set("Algorithm", EXC + "WithComments")
    return sent(root)


def inclusive_prefixes() -> bytes:
    root = tree()
    for node in root.iter(f"{DS}CanonicalizationMethod"):
        etree.SubElement(node, f"{{{EXC}}}InclusiveNamespaces", PrefixList="x")
    return sent(root)


def without_the_list() -> bytes:
    """Only the properties are covered."""
    root = tree()
    first = next(iter(root.iter(f"{DS}Reference")))
    parent = first.getparent()
    assert parent is not None
    parent.remove(first)
    return sent(root)


def foreign_reference() -> bytes:
    root = tree()
    next(iter(root.iter(f"{DS}Reference"))).set("URI", "https://mallory.example/list.xml")
    return sent(root)


def file_reference() -> bytes:
    root = tree()
    next(iter(root.iter(f"{DS}Reference"))).set("URI", "file:///etc/hostname")
    return sent(root)


def xpointer() -> bytes:
    root = tree()
    next(iter(root.iter(f"{DS}Reference"))).set("URI", "#xpointer(/)")
    return sent(root)


def sha1() -> bytes:
    root = tree()
    for node in root.iter(f"{DS}DigestMethod"):
        node.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")
    return sent(root)


def hmac() -> bytes:
    root = tree()
    next(iter(root.iter(f"{DS}SignatureMethod"))).set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    )
    return sent(root)


def same_names() -> bytes:
    root = tree()
    root[0].set("id", "list")
    return sent(root)


def namespaced_name() -> bytes:
    root = tree()
    root[0].set("{http://www.w3.org/XML/1998/namespace}id", "list")
    return sent(root)


def other_target() -> bytes:
    root = tree()
    next(iter(root.iter(f"{XADES}QualifyingProperties"))).set("Target", "#other")
    return sent(root)


def second_properties() -> bytes:
    root = tree()
    (found,) = root.iter(f"{XADES}QualifyingProperties")
    around = found.getparent()
    assert around is not None
    around.append(etree.fromstring(sent(found).replace(b'Id="', b'Id="second')))
    return sent(root)


def no_certificate() -> bytes:
    root = tree()
    for node in list(root.iter(f"{DS}X509Data")):
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)
    return sent(root)


def entity() -> bytes:
    body = good().split(b"?>", 1)[1].replace(b"Office of lists<", b"&name;<")
    return b'<!DOCTYPE T [<!ENTITY name "Office of lists">]>' + body


def billion_laughs() -> bytes:
    rows = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    body = good().split(b"?>", 1)[1].replace(b"Office of lists<", b"&e11;<")
    return f'<!DOCTYPE T [<!ENTITY e0 "ha">{rows}]>'.encode() + body


def external_entity() -> bytes:
    body = good().split(b"?>", 1)[1].replace(b"Office of lists<", b"&name;<")
    return b'<!DOCTYPE T [<!ENTITY name SYSTEM "file:///etc/hostname">]>' + body


def external_document_type() -> bytes:
    return b'<!DOCTYPE T SYSTEM "http://127.0.0.1:1/evil.dtd">' + good().split(b"?>", 1)[1]


def instruction() -> bytes:
    root = tree()
    root.insert(0, etree.ProcessingInstruction("xml-stylesheet", 'href="evil.xsl"'))
    return sent(root)


def deep() -> bytes:
    return good().replace(
        b"</TrustServiceStatusList>", b"<a>" * 5000 + b"</a>" * 5000 + b"</TrustServiceStatusList>"
    )


def another_root() -> bytes:
    return b"<other>" + good().split(b"?>", 1)[1] + b"</other>"


ATTACKS = [
    *(wrapped_around, wrapped_signature_outside, wrapped_with_the_same_name, wrapped_in_the_object),
    *(exchanged_certificate, in_the_signature, two_signatures, two_signatures_other_order, nested_signature),
    *(borrowed_certificate, both_certificates, xslt, xpath, base64, enveloped_properties, with_comments),
    *(inclusive_prefixes, without_the_list, foreign_reference, file_reference, xpointer, sha1, hmac),
    *(same_names, namespaced_name, other_target, second_properties, no_certificate, entity, billion_laughs),
    *(external_entity, external_document_type, instruction, deep, another_root),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_is_refused(attack: object) -> None:
    assert callable(attack)
    data = attack()
    assert data != good()
    with pytest.raises(YinxinError):
        read(data)


def test_a_comment_splits_no_text() -> None:
    """Canonical XML leaves comments out, so they may be added; what is read is the text that was signed."""
    text = re.sub(rb"<TSLLocation>", rb"<TSLLocation>", good())
    commented = text.replace(b"Svcstatus/granted", b"Svcstatus/<!-- -->granted")
    assert commented != good()
    assert read(commented) == {"CA"}
    split = good().replace(b64encode(CA.der)[:20], b64encode(CA.der)[:20] + b"<!-- evil -->")
    assert read(split) == {"CA"}


def test_a_list_beyond_all_bounds_is_not_parsed() -> None:
    with pytest.raises(TooLarge):
        read(b" " * (MAX_BYTES + 1))
    with pytest.raises((TooLarge, MalformedInput)):
        read(good().replace(b"</TrustServiceStatusList>", b"<a/>" * 500_001 + b"</TrustServiceStatusList>"))
