"""What a presentation session may be, and what it came to: rules without storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credentials.oid4vp.client_ids import ClientId, Prefix
from credentials.oid4vp.requests import check_url
from signing.report import Indication
from verify_api.documents import MAX_PRESENTATION_CHARACTERS
from verify_api.presentations.repository import StoredPresentation
from verify_api.presentations.sessions import KEPT_AFTER, SESSION_LIFE, Secrets, State, digest_of
from yinxin.base.actor import Actor, ActorKind, staff
from yinxin.base.errors import NotPermitted, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from credentials.oid4vp.presentations import Shown
    from credentials.oid4vp.responses import Response
    from signing.report import Check
    from signing.signer import Signer
    from verify_api.departments import Department
    from verify_api.presentations.templates import Wish
    from verify_api.service import Answer


def new_session(  # noqa: PLR0913, PLR0917 - what a row is made of
    wish: Wish,
    department: Department,
    names: Sequence[str],
    secrets: Secrets,
    sealed: bytes,
    browser: str | None,
    actor: Actor,
    *,
    now: datetime,
) -> StoredPresentation:
    """The row of a session that begins; `names` are its own and that of its request."""
    expires_at, about = now + SESSION_LIFE, secrets.request.about
    content = {
        "purpose": wish.purpose,
        "matter": wish.matter,
        "types": list(wish.types),
        "claims": list(wish.claims) if wish.claims is not None else None,
        "same_device": wish.same_device,
        "return_url": wish.return_url,
        "match_code": about.match_code if about else "",
    }
    if actor.kind is ActorKind.STAFF:
        content["clerk"] = actor.identifier
    return StoredPresentation(
        id=names[0],
        request=digest_of(names[1]),
        department=department.id,
        state=str(State.OPEN),
        expires_at=expires_at,
        kept_until=expires_at + KEPT_AFTER,
        tries=0,
        content=content,
        sealed=sealed,
        browser=digest_of(browser) if browser else None,
    )


def client_id_of(signer: Signer, prefix: Prefix, url: str) -> ClientId:
    """How we are named to wallets; `UsageError` when the certificate does not carry that name."""
    host = urlsplit(url).hostname or ""
    name = ClientId.of(signer.certificate) if prefix is Prefix.HASH else ClientId(prefix, host)
    objection = name.objection_to(signer.certificate, url)
    if objection:
        raise UsageError(objection)
    return name


def check_return(wish: Wish, department: Department, browser: str | None, *, allow_http: bool) -> None:
    """A browser goes back to the department's own host or to us, and to nobody else."""
    if wish.return_url is None:
        if wish.same_device and not browser:
            raise UsageError("on one device, name a return_url, or begin from the browser")
        return
    check_url(wish.return_url, allow_http=allow_http)
    if not wish.same_device:
        raise UsageError("a return_url is for one device")
    if (
        urlsplit(wish.return_url).netloc != urlsplit(department.id).netloc
        or not urlsplit(department.id).netloc
    ):
        raise NotPermitted("the return_url is not on the department's own host")


def check_sizes(response: Response) -> None:
    """`TooLarge` for a presentation that is larger than one handed in may be."""
    every = [one for shown in response.presentations.values() for one in shown]
    if any(len(one) > MAX_PRESENTATION_CHARACTERS for one in every):
        raise TooLarge("presentation", f"over {MAX_PRESENTATION_CHARACTERS} characters")


def outcome_of(check: Check, answers: list[tuple[Shown, Answer]]) -> dict[str, Any]:
    """The verdict on the whole, with codes and no claim."""
    reports = [answer.assessment.report for _, answer in answers]
    found = {report.indication for report in reports}
    indication = Indication.PASSED
    if check.reason:
        unsure = Indication.INDETERMINATE in found and Indication.FAILED not in found
        indication = Indication.INDETERMINATE if unsure else Indication.FAILED
    reasons = {reason.code for report in reports for reason in report.reasons}
    if check.reason and not reasons:
        reasons.add(check.reason.code)
    return {
        "indication": str(indication),
        "reasons": sorted(reasons),
        "verifications": [answer.content["id"] for _, answer in answers],
    }


def clerk_of(found: StoredPresentation, department: Department) -> Actor | None:
    """Who began it, where that was a clerk: whoever is asked for answers to that person."""
    name = found.content.get("clerk")
    return staff(name, agency=department.credit_code) if name else None
