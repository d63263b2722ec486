"""Synthetic trusted lists in the form of ETSI TS 119 612, with their enveloped XAdES signatures."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from lxml import etree
from signxml import CanonicalizationMethod, SignatureConstructionMethod
from signxml.util import ds_tag
from signxml.xades import XAdESSigner

from world.pki import NOON, TestAuthority

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.signers.file import FileSigner

DAY = timedelta(days=1)
SERVICE, STATUS = "http://uri.etsi.org/TrstSvc/Svctype/", "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
KIND = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/"
PURPOSE = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/"
_NAMES = (
    'xmlns="http://uri.etsi.org/02231/v2#" xmlns:x="http://uri.etsi.org/02231/v2/additionaltypes#" '
    'xmlns:svc="http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#"'
)


@dataclass
class State:
    """One row of a service's life; words are shortened URIs."""

    since: datetime
    status: str = "granted"
    kind: str = "CA/QC"
    purposes: tuple[str, ...] = ("ForeSeals",)
    critical: str = ""

    def xml(self, more: str = "") -> str:
        extensions = "".join(
            '<Extension Critical="false"><AdditionalServiceInformation>'
            f'<URI xml:lang="en">{PURPOSE}{one}</URI></AdditionalServiceInformation></Extension>'
            for one in self.purposes
        )
        if self.critical:
            extensions += f'<Extension Critical="true"><svc:{self.critical}/></Extension>'
        around = f"<ServiceInformationExtensions>{extensions}</ServiceInformationExtensions>"
        return (
            f"<ServiceTypeIdentifier>{SERVICE}{self.kind}</ServiceTypeIdentifier>"
            '<ServiceName><Name xml:lang="en">Seals 1</Name></ServiceName>'
            f"{more}<ServiceStatus>{STATUS}{self.status}</ServiceStatus>"
            f"<StatusStartingTime>{moment(self.since)}</StatusStartingTime>{around if extensions else ''}"
        )


@dataclass
class Listed:
    """A service: the state of today first, then its history, newest first."""

    certificates: Iterable[Certificate | str]
    states: tuple[State, ...]

    def xml(self) -> str:
        today, *before = self.states
        history = "".join(
            f"<ServiceHistoryInstance>{state.xml()}</ServiceHistoryInstance>" for state in before
        )
        return (
            f"<TSPService><ServiceInformation>{today.xml(identity(self.certificates))}</ServiceInformation>"
            f"{f'<ServiceHistory>{history}</ServiceHistory>' if history else ''}</TSPService>"
        )


@dataclass
class TrustedList:
    """A list before it is signed."""

    services: tuple[Listed, ...] = ()
    pointers: tuple[str, ...] = ()
    kind: str = "EUgeneric"
    territory: str = "XX"
    sequence: int = 7
    issued_at: datetime = NOON - DAY
    next_update: datetime | None = NOON + 100 * DAY
    version: str = "5"
    extra: str = field(default="")

    def xml(self) -> str:
        ends = f"<dateTime>{moment(self.next_update)}</dateTime>" if self.next_update else ""
        services = "".join(one.xml() for one in self.services)
        providers = (
            "<TrustServiceProviderList><TrustServiceProvider><TSPInformation><TSPName>"
            '<Name xml:lang="en">Provider</Name></TSPName></TSPInformation>'
            f"<TSPServices>{services}</TSPServices></TrustServiceProvider></TrustServiceProviderList>"
        )
        return (
            f'<TrustServiceStatusList {_NAMES} TSLTag="http://uri.etsi.org/19612/TSLTag" Id="list">'
            f"<SchemeInformation><TSLVersionIdentifier>{self.version}</TSLVersionIdentifier>"
            f"<TSLSequenceNumber>{self.sequence}</TSLSequenceNumber><TSLType>{KIND}{self.kind}</TSLType>"
            '<SchemeOperatorName><Name xml:lang="en">Office of lists</Name></SchemeOperatorName>'
            f"<SchemeTerritory>{self.territory}</SchemeTerritory>"
            f"<PointersToOtherTSL>{''.join(self.pointers)}</PointersToOtherTSL>"
            f"<ListIssueDateTime>{moment(self.issued_at)}</ListIssueDateTime><NextUpdate>{ends}</NextUpdate>"
            f"</SchemeInformation>{self.extra}{providers if services else ''}</TrustServiceStatusList>"
        )


def pointer(territory: str, location: str, signers: Iterable[Certificate], *, kind: str = "EUgeneric") -> str:
    """A row of a list of lists."""
    about = (
        f"<OtherInformation><TSLType>{KIND}{kind}</TSLType></OtherInformation>"
        f"<OtherInformation><SchemeTerritory>{territory}</SchemeTerritory></OtherInformation>"
        "<OtherInformation><x:MimeType>application/vnd.etsi.tsl+xml</x:MimeType></OtherInformation>"
    )
    return (
        f"<OtherTSLPointer><ServiceDigitalIdentities>{identity(signers)}</ServiceDigitalIdentities>"
        f"<TSLLocation>{escape(location)}</TSLLocation><AdditionalInformation>{about}</AdditionalInformation>"
        "</OtherTSLPointer>"
    )


def identity(certificates: Iterable[Certificate | str]) -> str:
    texts = [one if isinstance(one, str) else b64encode(one.der).decode() for one in certificates]
    rows = "".join(f"<DigitalId><X509Certificate>{text}</X509Certificate></DigitalId>" for text in texts)
    return f"<ServiceDigitalIdentity>{rows}</ServiceDigitalIdentity>"


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class _Signer(XAdESSigner):
    """Names the canonicalization of each reference, as most lists do; `bare` ones mean canonical XML 1.0."""

    bare = False
    root: Any = None

    def _add_reference_to_signed_info(self, sig_root: Any, node_to_reference: Any, **attrs: str) -> None:
        super()._add_reference_to_signed_info(sig_root, node_to_reference, **attrs)
        reference = self._find(sig_root, "SignedInfo")[-1]
        if self.bare:
            around = etree.fromstring(etree.tostring(self.root))
            around.append(etree.fromstring(etree.tostring(node_to_reference)))
            whole = etree.fromstring(etree.tostring(around[-1]))
            digest = hashlib.sha256(etree.tostring(whole, method="c14n")).digest()
            reference[-1].text = b64encode(digest).decode()
            return
        transforms = etree.Element(ds_tag("Transforms"))
        etree.SubElement(transforms, ds_tag("Transform"), Algorithm=self.c14n_alg.value)
        reference.insert(0, transforms)


class ListSigner:
    """Who signs lists."""

    def __init__(self, name: str = "List signer") -> None:
        self.key: FileSigner = TestAuthority("Office of lists").issue(name, "seal")
        self.certificate = self.key.certificate

    def sign(self, content: TrustedList | str, *, bare: bool = False) -> bytes:
        """The list with its signature under the root."""
        text = content if isinstance(content, str) else content.xml()
        private = self.key._private_key
        assert isinstance(private, EllipticCurvePrivateKey)
        signer = _Signer(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm="ecdsa-sha256",
            digest_algorithm="sha256",
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signer.bare, signer.root = bare, etree.fromstring(text.encode())
        signed = signer.sign(etree.fromstring(text.encode()), key=private, cert=[self.certificate.x509])
        return bytes(etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))
