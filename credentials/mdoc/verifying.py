"""Verify an mdoc that a device shows (ISO/IEC 18013-5, 9.3.1; OpenID4VP, B.2).

A pure function of bytes, transcript, snapshots, policy and time, as `credentials.verifier` is for SD-JWT VC.
Every element that is shown must have its digest in the security object: a namespace or a number that is
not there is a forgery, never "not signed".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from credentials.mdoc.device_key import mac_key
from credentials.mdoc.issuing_place import MDL_NAMESPACE, place_checks
from credentials.mdoc.json_form import elements_as_json
from credentials.mdoc.presenting import device_authentication
from credentials.mdoc.structures import DIGESTS, Document, read_issuer_signed, read_response, to_plain
from credentials.permission import Permission
from credentials.signed_messages import MessageSignatures
from credentials.signed_tokens import ChainSignatures, is_failed
from credentials.status_checks import look_up
from credentials.vocabulary import LICENCE_IDENTIFIER
from signing.base64url import decode_base64url
from signing.cose.mac import is_mac0_of
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Evidence, Report, Scope, good
from signing.revocation import RevocationSnapshot
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import MalformedInput, TooLarge, UsageError
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from credentials.mdoc.structures import SecurityObject
    from credentials.status_snapshot import StatusSnapshot
    from signing.certificates import Certificate
    from signing.cose import Sign1
    from signing.keys import PublicKey
    from signing.report import EvidenceKey
    from signing.trust import TrustStore
    from signing.trust_list import ServingList

_HASHES = {name: getattr(hashlib, name) for name in DIGESTS.values()}
_MALFORMED = {
    "disclosure": ("elements", Reason.DISCLOSURE_INVALID),
    "digest algorithm": ("elements", Reason.ALGORITHM_NOT_ALLOWED),
    "cose key": ("device_key", Reason.CLAIM_INVALID),
}


@dataclass(frozen=True, slots=True)
class VerifiedMdoc(Evidence):
    """An mdoc that passed: `Report.require` makes it, nothing else can.

    `elements` are those that were shown, by namespace; `issuer` the certificate behind them; `holder_key` the
    key that the presenter proved to have, None when no proof was demanded. A report's findings have the
    elements as JSON has them.
    """

    doc_type: str
    elements: Mapping[str, Mapping[str, Any]]
    issuer: Certificate
    holder_key: PublicKey | None


class MdocVerifier:
    """Verifies mdocs against one set of snapshots.

    Parameters mean what they mean for `credentials.verifier.Verifier`; in `issuers` a document type stands
    where a `vct` stands there.
    """

    def __init__(  # noqa: PLR0913 - snapshots and policy, by the door
        self,
        trust: TrustStore,
        *,
        policy: Policy | None = None,
        statuses: Mapping[str, StatusSnapshot] | None = None,
        revocation: RevocationSnapshot | None = None,
        clock: Clock | None = None,
        issuers: Mapping[str, Collection[str]] | None = None,
        trust_list: ServingList | None = None,
        status_grace: timedelta = timedelta(0),
    ) -> None:
        self.trust = trust
        self.policy = policy or Policy.default()
        self.statuses = {} if statuses is None else statuses
        self.revocation = revocation or RevocationSnapshot()
        self.permission = Permission(issuers, trust_list)
        self.status_grace = status_grace
        self._clock = clock or SystemClock()
        self.messages = MessageSignatures(self.policy)
        self.signatures = ChainSignatures(trust, usage="mdoc", revocation=self.revocation, policy=self.policy)

    def verify(
        self,
        response: bytes,
        *,
        transcript: bytes | None = None,
        reader_key: EllipticCurvePrivateKey | None = None,
        now: datetime | None = None,
        require_device_authentication: bool = True,
    ) -> Report[VerifiedMdoc]:
        """The report on a DeviceResponse with one document; never raises for a bad one.

        `transcript` is the encoded session transcript; leaving it out where the device must authenticate is a
        `UsageError`. A code in place of a signature is taken where the reader's key of the session is given.
        """
        if require_device_authentication and transcript is None:
            raise UsageError("device authentication is demanded, so the session's transcript is too")
        at = now or self._clock.now()
        case = _Case(self, at, transcript if require_device_authentication else None, reader_key)
        case.examine(only_document, response)
        return self._report(response, case, at)

    def verify_text(
        self, text: str, *, transcript: bytes, now: datetime | None = None
    ) -> Report[VerifiedMdoc]:
        """The report on a presentation as it travels, a DeviceResponse in base64url (OpenID4VP, B.2.5)."""
        try:
            response = decode_base64url(text)
        except MalformedInput as exc:
            at = now or self._clock.now()
            case = _Case(self, at, transcript, None)
            case.checks.append(_malformed(exc))
            return self._report(str(text).encode("utf-8", "replace"), case, at)
        return self.verify(response, transcript=transcript, now=now)

    def verify_issued(self, issued: bytes, *, now: datetime | None = None) -> Report[VerifiedMdoc]:
        """The report on an IssuerSigned by itself, as an issuer delivers it; never raises for a bad one.

        For whoever receives it, or finds it in a file: it says nothing of who holds it.
        """
        at = now or self._clock.now()
        case = _Case(self, at, None, None)
        case.examine(_issued_document, issued)
        return self._report(issued, case, at)

    def _report(self, data: bytes, case: _Case, at: datetime) -> Report[VerifiedMdoc]:
        return Report.about(
            data if isinstance(data, bytes) else b"",
            subject="mdoc",
            at=at,
            known_at=at,
            checks=tuple(case.checks),
            policy=self._policy_hash,
            snapshots=self._snapshots | case.snapshots,
            findings=case.findings,
            make_evidence=case.evidence,
        )

    @cached_property
    def _snapshots(self) -> dict[str, str]:
        return {"trust": self.trust.snapshot_id, "revocation": self.revocation.snapshot_id}

    @cached_property
    def _policy_hash(self) -> str:
        return self.policy.hash


class _Case:
    """One verification: collects checks, stops where the next rule would have nothing to stand on."""

    def __init__(
        self,
        verifier: MdocVerifier,
        at: datetime,
        transcript: bytes | None,
        reader_key: EllipticCurvePrivateKey | None,
    ) -> None:
        self._verifier, self._at = verifier, at
        self._transcript, self._reader_key = transcript, reader_key
        self._issuer: Certificate | None = None
        self._chain: tuple[Certificate, ...] = ()
        self._key: PublicKey | None = None
        self._elements: dict[str, dict[str, Any]] = {}
        self._doc_type = ""
        self.checks: list[Check] = []
        self.snapshots: dict[str, str] = {}
        self.findings: dict[str, Any] = {}

    def examine(self, read: Callable[[bytes], Document], data: bytes) -> None:
        """Go through the rules in their order, once `read` has made a document of the bytes."""
        try:
            document = read(data)
            self._add(good("format"))
            secured = self._check_issuer(document)
            if secured is None:
                return
            self._check_elements(document, secured)
            self._check_times(secured)
            self._check_device(document, secured)
            self._find(document)
        except MalformedInput as exc:
            self._add(_malformed(exc))
            return
        if not is_failed(self.checks):
            self._check_status(secured.status)

    def evidence(self, key: EvidenceKey) -> VerifiedMdoc:
        """What a passed report stands for."""
        if self._issuer is None:
            raise TypeError("no issuer was verified")
        return VerifiedMdoc(key, self._doc_type, self._elements, self._issuer, self._key)

    def _add(self, *checks: Check) -> None:
        self.checks.extend(checks)

    def _check_issuer(self, document: Document) -> SecurityObject | None:
        """9.3.1, 1 and 2: the signature, and the path of whoever made it at the time that they state."""
        message = document.issuer_signed.authentication
        chain, checks = self._verifier.messages.examine(message, at=self._at)
        self._add(*checks)
        if any(check.reason for check in checks):
            return None
        self._issuer, self._chain = chain[0], chain
        secured = document.issuer_signed.security_object()
        self._add(*self._verifier.signatures.path_checks(chain, self._at, secured.signed_at))
        self._add(self._type(document, secured), *self._permission(document, secured))
        return secured

    def _type(self, document: Document, secured: SecurityObject) -> Check:
        """9.3.1, 4: one type outside and inside."""
        self._doc_type = secured.doc_type
        if document.doc_type == secured.doc_type:
            return good("document_type")
        detail = "the document calls itself otherwise than the issuer"
        return Check("document_type", Reason.WRONG_TYPE, detail=detail)

    def _permission(self, document: Document, secured: SecurityObject) -> tuple[Check, ...]:
        if self._issuer is None:
            return ()
        permission = self._verifier.permission
        if permission.issuers is None and permission.trust_list is None:
            return ()
        self.snapshots.update(permission.snapshots)
        agency, made = _agency_of(document), secured.signed_at
        return permission.checks(secured.doc_type, self._issuer, agency=agency, made=made, at=self._at)

    def _check_elements(self, document: Document, secured: SecurityObject) -> None:
        """9.3.1, 3: the digest of each element."""
        hashed = _HASHES[secured.digest_algorithm]
        for namespace, items in document.issuer_signed.namespaces.items():
            signed = secured.digests.get(namespace, {})
            for digest_id, identifier, _, encoded in items:
                if not compare_digest(signed.get(digest_id, b""), hashed(encoded).digest()):
                    detail = f"{namespace} {identifier}: the issuer signed no such element"
                    raise MalformedInput("disclosure", detail[:200])
        # One licence at most: whoever may issue it is asked about the one that the verifier then looks up.
        if len(set(_licences(document))) > 1:
            raise MalformedInput("disclosure", "its namespaces name different licences")
        self._add(good("elements"))
        if MDL_NAMESPACE in document.issuer_signed.namespaces:
            self._add(*place_checks(document.issuer_signed.namespaces, self._chain[0]))

    def _check_times(self, secured: SecurityObject) -> None:
        """9.3.1, 5. A clock that is ahead is forgiven, an end is never stretched."""
        late = self._at + self._verifier.policy.clock_skew
        ordered = secured.signed_at <= secured.valid_from < secured.valid_until
        if not ordered or secured.signed_at > late:
            detail = "9.1.2.4: signed, validFrom and validUntil do not follow each other, or lie ahead"
            self._add(Check("mdoc_validity", Reason.CLAIM_INVALID, detail=detail))
        elif secured.valid_from > late:
            self._add(Check("mdoc_validity", Reason.NOT_YET_VALID, Scope.NOW, secured.valid_from.isoformat()))
        elif self._at > secured.valid_until:
            self._add(Check("mdoc_validity", Reason.EXPIRED, Scope.NOW, secured.valid_until.isoformat()))
        else:
            self._add(good("mdoc_validity"))

    def _check_device(self, document: Document, secured: SecurityObject) -> None:
        """9.1.3: the device proves its key for this session, and signs nothing that it was not allowed to."""
        if self._transcript is None:
            return
        device = document.device_signed
        if device is None:
            self._add(Check("device_authentication", Reason.KEY_BINDING_MISSING))
            return
        for namespace, elements in device.namespaces.items():
            for name in elements:
                allowed = (
                    namespace in secured.authorised_namespaces
                    or (namespace, name) in secured.authorised_elements
                )
                if not allowed:
                    detail = f"{namespace} {name}: the issuer did not let the device say this"
                    self._add(Check("device_elements", Reason.CLAIM_NOT_ALLOWED, detail=detail[:200]))
                    return
        signed = device_authentication(self._transcript, document.doc_type, device.encoded_namespaces)
        if device.signature is None:
            self._add(self._mac(device.mac, secured.device_key, signed))
        else:
            self._add(*self._signature(device.signature, secured.device_key, signed))
        self._key = secured.device_key

    def _signature(self, message: Sign1, key: PublicKey, signed: bytes) -> tuple[Check, ...]:
        policy = self._verifier.policy
        objection = self._verifier.messages.objection_to(message, key, at=self._at)
        if objection:
            return (Check("device_algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail=objection),)
        if message.is_signed_by(key, algorithms=policy.algorithms, payload=signed):
            return (good("device_authentication"),)
        return (Check("device_authentication", Reason.KEY_BINDING_INVALID),)

    def _mac(self, mac: Any, key: PublicKey, signed: bytes) -> Check:
        if self._reader_key is None or self._transcript is None:
            detail = "a code was sent, and the reader has no key for it"
            return Check("device_authentication", Reason.KEY_BINDING_INVALID, detail=detail)
        is_made = is_mac0_of(mac, mac_key(self._reader_key, key, self._transcript), signed)
        return Check("device_authentication", None if is_made else Reason.KEY_BINDING_INVALID)

    def _find(self, document: Document) -> None:
        shown = document.issuer_signed.namespaces
        self._elements = {
            namespace: {name: value if type(value) is str else to_plain(value) for _, name, value, _ in items}
            for namespace, items in shown.items()
        }
        self.findings = {
            "doc_type": self._doc_type,
            "elements": elements_as_json(shown),
            "issuer": self._issuer.common_name if self._issuer else None,
            "key_binding": self._transcript is not None,
        }

    def _check_status(self, status: Any) -> None:
        if status is None:
            return
        verifier = self._verifier
        found = look_up(
            status,
            verifier.statuses,
            at=self._at,
            grace=verifier.status_grace,
            chain=self._chain,
            trust_list=verifier.permission.trust_list,
        )
        self.findings.update(found.findings)
        if found.snapshot:
            self.snapshots["status"] = found.snapshot.digest
        self._add(found.check)


def only_document(response: bytes) -> Document:
    """The one document of a DeviceResponse; `MalformedInput` for none or several (OpenID4VP, B.2.5)."""
    documents = read_response(response)
    if len(documents) != 1:
        raise MalformedInput("mdoc", f"{len(documents)} documents where one is expected")
    return documents[0]


def _issued_document(data: bytes) -> Document:
    """An IssuerSigned as a document that no device signed; its type is the one inside."""
    issued = read_issuer_signed(data)
    return Document(issued.security_object().doc_type, issued, None)


def _licences(document: Document) -> Iterator[str]:
    """The licence identifiers (GB/T 36904) that are shown; `MalformedInput` for one that is no plain text.

    A tagged one would be read by some as the text inside, and by others not.
    """
    for items in document.issuer_signed.namespaces.values():
        for _, name, value, _ in items:
            if name == LICENCE_IDENTIFIER:
                if not isinstance(value, str):
                    raise MalformedInput("disclosure", f"{LICENCE_IDENTIFIER} is no text")
                yield value


def _agency_of(document: Document) -> str | None:
    """The agency's credit code in the licence's identifier, where that was shown."""
    try:
        return next((LicenceIdentifier.parse(one).credit_code for one in _licences(document)), None)
    except MalformedInput:
        return None


def _malformed(exc: MalformedInput) -> Check:
    name, reason = _MALFORMED.get(exc.kind, ("format", Reason.FORMAT_FAILURE))
    return Check(name, Reason.TOO_LARGE if isinstance(exc, TooLarge) else reason, detail=exc.detail)
