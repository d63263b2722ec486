"""The enveloped XAdES signature of a trusted list (TS 119 612, 5.7): one form, and nothing else comes out.

XML signatures fail by their freedom: what is signed is said by the document itself. So the form is checked
before anything is verified (one signature, under the root, over the whole document, no transform but the two
of the standard), signxml verifies it with the certificate that was pinned, and what is read afterwards are
the very bytes that were digested, never the document that came in. signxml and lxml are used here only.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from signing.certificates import Certificate
from yinxin.base.errors import MalformedInput, NotPermitted, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_BYTES, MAX_NODES = 32 << 20, 500_000
TSL = "{http://uri.etsi.org/02231/v2#}"
_DS, _XADES = "{http://www.w3.org/2000/09/xmldsig#}", "{http://uri.etsi.org/01903/v1.3.2#}"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
_ID_NAMES = frozenset({"id", "Id", "ID"})
_ROOT = f"{TSL}TrustServiceStatusList"


def signed_content(data: bytes, signers: Collection[Certificate]) -> tuple[bytes, Certificate]:
    """The canonical XML that one of these certificates signed, and which of them did.

    `MalformedInput` for anything that is not of the form or whose signature is wrong, `NotPermitted` when
    somebody else signed, `UsageError` when the libraries are missing.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge("trusted list", f"over {MAX_BYTES} bytes")
    tree = _parse(data)
    references = _check_form(tree)
    signer = _signer(tree, signers)
    return _verified(data, signer, references), signer


def _parse(data: bytes) -> Any:
    """The tree; entities, document types and the network are refused, depth is bounded by the parser."""
    try:
        from lxml import etree  # noqa: PLC0415 - an optional part
    except ImportError as exc:
        raise UsageError("trusted lists of ETSI need: pip install 'yinxin[etsi]'") from exc
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as exc:
        raise _wrong(f"not XML: {exc}"[:200]) from exc
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None or info.doctype:
        raise _wrong("a document type is not allowed")
    for number, node in enumerate(root.iter()):
        if number >= MAX_NODES:
            raise TooLarge("trusted list", f"over {MAX_NODES} nodes")
        if node.tag is etree.Entity or node.tag is etree.ProcessingInstruction:
            raise _wrong("entities and processing instructions are not allowed")
    return root


def _check_form(root: Any) -> int:
    """One signature over the whole list, by the rules of TS 119 612; how many references it has."""
    if root.tag != _ROOT:
        raise _wrong("not a TrustServiceStatusList")
    found = list(root.iter(f"{_DS}Signature"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise _wrong("exactly one signature, right under the root, is expected")
    _check_names(root)
    signature = found[0]
    info = _one(signature, f"{_DS}SignedInfo")
    method = _one(info, f"{_DS}CanonicalizationMethod")
    if method.get("Algorithm") != _EXCLUSIVE or len(method):
        raise _wrong("another canonicalization than the exclusive one")
    properties = _one(signature, f"{_DS}Object/{_XADES}QualifyingProperties")
    if properties.get("Target") != f"#{signature.get('Id')}":
        raise _wrong("the qualifying properties are of another signature")
    signed = _one(properties, f"{_XADES}SignedProperties")
    _one(signed, f"{_XADES}SignedSignatureProperties/{_XADES}SigningTime")
    references = info.findall(f"{_DS}Reference")
    whole = {"", f"#{root.get('Id')}"} if root.get("Id") else {""}
    kinds = [_kind_of(one, whole, signature, signed) for one in references]
    if sorted(kinds) not in (["list", "properties"], ["key", "list", "properties"]):
        raise _wrong("the signature covers something else than the list and its properties")
    return len(references)


def _kind_of(reference: Any, whole: set[str], signature: Any, signed: Any) -> str:
    uri = reference.get("URI")
    transforms = reference.findall(f"{_DS}Transforms/{_DS}Transform")
    names = [transform.get("Algorithm") for transform in transforms]
    if any(len(transform) for transform in transforms):
        raise _wrong("a transform has parameters")
    if uri in whole:
        if names != [_ENVELOPED, _EXCLUSIVE] or reference.get("Type"):
            raise _wrong("other transforms than enveloped signature and exclusive canonicalization")
        return "list"
    if names not in ([], [_EXCLUSIVE]):  # without one it is canonical XML 1.0 (XMLDSig, 4.4.3.2)
        raise _wrong("another transform than exclusive canonicalization")
    if reference.get("Type") == _SIGNED_PROPERTIES and uri == f"#{signed.get('Id')}":
        return "properties"
    key = signature.find(f"{_DS}KeyInfo")
    return "key" if key is not None and key.get("Id") and uri == f"#{key.get('Id')}" else "other"


def _check_names(root: Any) -> None:
    """No name is given twice, by whatever attribute a library might take for one."""
    seen: set[str] = set()
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        for name, value in node.attrib.items():
            if name.rsplit("}", 1)[-1] in _ID_NAMES:
                if value in seen:
                    raise _wrong("two elements have the same Id")
                seen.add(value)


def _signer(root: Any, signers: Collection[Certificate]) -> Certificate:
    """The certificate in the signature, which has to be one of the pinned (TS 119 612, 5.7.1)."""
    sent = root.findall(f"{_DS}Signature/{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate")
    if not sent:
        raise _wrong("the signature carries no certificate")
    try:
        found = Certificate(b64decode("".join((sent[0].text or "").split()), validate=True))
    except ValueError as exc:
        raise _wrong("the certificate is not base64") from exc
    if found not in signers:
        raise NotPermitted(
            f"the list is signed by {found.common_name} ({found.fingerprint}), who is not pinned"
        )
    return found


def _verified(data: bytes, signer: Certificate, references: int) -> bytes:
    try:
        from signxml.algorithms import (  # noqa: PLC0415 - an optional part
            CanonicalizationMethod,
            DigestAlgorithm,
            SignatureMethod,
        )
        from signxml.xades.xades import (  # noqa: PLC0415 - the same
            XAdESSignatureConfiguration,
            XAdESVerifier,
        )
    except ImportError as exc:
        raise UsageError("trusted lists of ETSI need: pip install 'yinxin[etsi]'") from exc
    sizes = ("256", "384", "512")
    methods = {SignatureMethod[f"{kind}_SHA{size}"] for kind in ("RSA", "ECDSA") for size in sizes}
    methods |= {SignatureMethod[f"SHA{size}_RSA_MGF1"] for size in sizes}
    expected = XAdESSignatureConfiguration(
        location="./",
        expect_references=references,
        signature_methods=frozenset(methods),
        digest_algorithms=frozenset(DigestAlgorithm[f"SHA{size}"] for size in sizes),
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
        # Pinned by hand or by another list: when it signed is compared with its dates by the caller.
        verification_time=signer.not_before,
    )
    try:
        results = XAdESVerifier().verify(data, x509_cert=signer.x509, expect_config=expected)
    except Exception as exc:  # it lets out whatever its parts raise on hostile input
        raise _wrong(f"the signature does not verify: {type(exc).__name__}") from exc
    covered = [
        one.signed_data for one in results if one.signed_xml is not None and one.signed_xml.tag == _ROOT
    ]
    if len(covered) != 1:
        raise _wrong("the signature does not cover the list")
    return covered[0]


def _one(node: Any, path: str) -> Any:
    found = node.findall(path)
    if len(found) != 1:
        raise _wrong(f"exactly one {path.rsplit('}', 1)[-1]} is expected")
    return found[0]


def _wrong(what: str) -> MalformedInput:
    return MalformedInput("trusted list", what)
