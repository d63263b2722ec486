"""What a verifier looks at in presentations beside each one's own verification (OpenID4VP 1.0, 8.6).

Every rule of the query is looked at again, because a wallet's word is no proof (14.11), and so is what the
holder agreed to. `examine` says it for each presentation, as checks to stand in its report; `settle` says
whether those that passed are together what was asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.dcql import MDOC, Candidate, is_satisfied, match
from credentials.mdoc.verifying import only_document
from credentials.oid4vp.transactions import read_binding
from credentials.oid4vp.transcripts import transcript_of
from credentials.sd_jwt import SdJwt
from credentials.vocabulary import LICENCE_IDENTIFIER, OF_THE_COPY
from signing.base64url import decode_base64url
from signing.jose import parse_jws
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from credentials.dcql import CredentialQuery
    from credentials.mdoc import MdocVerifier, VerifiedMdoc
    from credentials.oid4vp.requests import AuthorizationRequest
    from credentials.oid4vp.responses import Response
    from credentials.oid4vp.transactions import TransactionData
    from credentials.verifier import VerifiedCredential, Verifier
    from signing.report import Report


@dataclass(frozen=True, slots=True)
class Shown:
    """One presentation of a response. `agreed` are the transactions that its key binding carries."""

    query_id: str
    text: str
    checks: tuple[Check, ...]
    agreed: tuple[TransactionData, ...] = ()


def examine(request: AuthorizationRequest, response: Response) -> tuple[Shown, ...]:
    """Each presentation against the query and the transactions; never raises for a bad one.

    The checks count only with those of the presentation's own verification, for `str(client_id)` as
    audience and the request's nonce: nothing here looks at a signature.
    """
    shown = [
        _examine(request, name, text) for name, texts in response.presentations.items() for text in texts
    ]
    times = Counter(one.hash for item in shown for one in item.agreed)
    # 5.1: a transaction is agreed to with one of the credentials, not with several.
    missing = [one for one in request.transactions if times[one.hash] != 1]
    return tuple(_with_missing(item, missing) for item in shown)


def settle(request: AuthorizationRequest, passed: Iterable[Shown]) -> Check:
    """Whether the presentations that passed are together what was asked for (8.6)."""
    good = list(passed)
    agreed = {one.hash for item in good for one in item.agreed}
    whole = is_satisfied(request.query, {item.query_id for item in good})
    if whole and all(one.hash in agreed for one in request.transactions):
        return Check("response")
    return Check("response", Reason.QUERY_NOT_SATISFIED)


def verify_response(
    request: AuthorizationRequest,
    response: Response,
    verifier: Verifier,
    *,
    now: datetime,
    mdocs: MdocVerifier | None = None,
) -> tuple[Check, tuple[tuple[Shown, Report[VerifiedCredential] | Report[VerifiedMdoc]], ...]]:
    """Verify a whole response with verifiers of one's own, without sessions.

    The check says whether it answers the request, and whether copies of one licence say the same; each
    presentation has its report, which says nothing of the query. Whoever relies on it demands both. `mdocs`
    verifies what is shown as mdoc; `UsageError` where one is shown and nobody verifies it.
    """
    answer: list[tuple[Shown, Report[VerifiedCredential] | Report[VerifiedMdoc]]] = []
    for item in examine(request, response):
        asked = request.query[item.query_id]
        if asked.format == MDOC:
            answer.append((item, _verify_mdoc(request, item, mdocs, now)))
            continue
        report = verifier.verify(
            item.text,
            audience=str(request.client_id),
            nonce=request.nonce,
            now=now,
            require_key_binding=asked.require_holder_binding,
        )
        answer.append((item, report))
    good = [(item, one) for item, one in answer if one.passed and not any(c.reason for c in item.checks)]
    if not _agree([report for _, report in good]):
        detail = "two copies of one licence do not say the same"
        return Check("response", Reason.QUERY_NOT_SATISFIED, detail=detail), tuple(answer)
    return settle(request, [item for item, _ in good]), tuple(answer)


def _agree(reports: Iterable[Report[Any]]) -> bool:
    """Whether all that was shown of one licence, in whatever form, says the same of it."""
    said: dict[tuple[str, str], Any] = {}
    for report in reports:
        elements = report.findings.get("elements", {}).get(report.findings.get("doc_type"), {})
        claims = report.findings.get("claims", elements)
        licence = claims.get(LICENCE_IDENTIFIER)
        for name in claims.keys() - OF_THE_COPY if isinstance(licence, str) else ():
            if said.setdefault((licence, name), claims[name]) != claims[name]:
                return False
    return True


def _verify_mdoc(
    request: AuthorizationRequest, item: Shown, verifier: MdocVerifier | None, now: datetime
) -> Report[VerifiedMdoc]:
    """An mdoc has a key always, so the device proves it also where the query does not insist."""
    if verifier is None:
        raise UsageError("an mdoc is shown, and no verifier for it was given")
    return verifier.verify_text(item.text, transcript=transcript_of(request), now=now)


def _examine(request: AuthorizationRequest, name: str, text: str) -> Shown:
    asked = request.query[name]
    if asked.format == MDOC:
        return _examine_mdoc(asked, text)
    try:
        credential = SdJwt.parse(text)
        found = match(asked, Candidate.of(credential))
    except MalformedInput as exc:
        return Shown(name, text, (Check("query", Reason.QUERY_NOT_SATISFIED, detail=exc.detail),))
    query = Check("query", None if found else Reason.QUERY_NOT_SATISFIED)
    if not request.transactions:
        return Shown(name, text, (query,))
    check, agreed = _transactions(request, name, credential)
    return Shown(name, text, (query, check), agreed)


def _examine_mdoc(asked: CredentialQuery, text: str) -> Shown:
    """Elements that were not asked for change nothing: whoever asked does not hear of them."""
    try:
        issued = only_document(decode_base64url(text)).issuer_signed
        found = match(asked, Candidate.of_mdoc(issued))
    except MalformedInput as exc:
        return Shown(asked.id, text, (Check("query", Reason.QUERY_NOT_SATISFIED, detail=exc.detail),))
    return Shown(asked.id, text, (Check("query", None if found else Reason.QUERY_NOT_SATISFIED),))


def _transactions(
    request: AuthorizationRequest, name: str, credential: SdJwt
) -> tuple[Check, tuple[TransactionData, ...]]:
    try:
        hashes = read_binding(parse_jws(credential.key_binding).claims()) if credential.key_binding else ()
    except MalformedInput as exc:
        return Check("transaction_data", Reason.TRANSACTION_DATA_MISMATCH, detail=exc.detail), ()
    by_hash = {one.hash: one for one in request.transactions if name in one.credential_ids}
    if not set(hashes) <= set(by_hash):
        return Check("transaction_data", Reason.TRANSACTION_DATA_MISMATCH), ()
    return Check("transaction_data"), tuple(by_hash[item] for item in hashes)


def _with_missing(item: Shown, missing: list[TransactionData]) -> Shown:
    if not any(item.query_id in one.credential_ids for one in missing):
        return item
    kept = tuple(check for check in item.checks if check.name != "transaction_data")
    bad = Check("transaction_data", Reason.TRANSACTION_DATA_MISMATCH)
    return Shown(item.query_id, item.text, (*kept, bad), item.agreed)
