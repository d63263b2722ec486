"""Answering a verifier in steps, as pages do: look at the request, ask the holder, answer or refuse.

Between the steps the request lies in the holder's own store as it came, and is judged anew each time. What a
holder agrees to is what was on the page: the page carries a digest of it, and an answer that would be another
one by now is a `Conflict`. Of several answers to one request exactly one is made.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.claim_paths import to_text
from signing.jose import dump_json
from wallet.answering import Answering
from wallet.exchange import Fetched, fetch, send
from wallet.invitation import Invitation
from yinxin.base.errors import Conflict, YinxinError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.oid4vp.request_objects import VerifiedRequest
    from wallet.answering import Labels
    from wallet.exchange import Reply
    from wallet.holder import Holder
    from wallet.judge import Judge
    from wallet.pending import Pending
    from yinxin.base.outbound import Outbound

REQUEST, RESULT = "request", "result"


@dataclass(frozen=True, slots=True)
class Question:
    """What the holder is asked. `digest` stands for all of it; `answering` is None when nothing fits."""

    id: str
    verified: VerifiedRequest
    answering: Answering | None
    digest: str = ""
    trouble: str = ""

    @property
    def expires_at(self) -> datetime | None:
        """When the request runs out."""
        return self.verified.expires_at


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. `onward`: where the verifier sends the holder's browser, already checked."""

    is_shown: bool
    is_delivered: bool
    requester: Mapping[str, str]
    onward: str | None = None


class Presenting:
    """The steps for one holder."""

    def __init__(
        self,
        holder: Holder,
        pending: Pending,
        judge: Judge,
        outbound: Outbound,
        *,
        labels: Labels | None = None,
    ) -> None:
        """Keep who takes part; `labels` is what people call the claims of each credential type."""
        self._holder = holder
        self._pending = pending
        self._judge = judge
        self._outbound = outbound
        self._labels = labels or {}

    def look(self, link: str) -> str:
        """Fetch and judge the request behind a link; the identifier that the next steps name it by.

        `RequestRefused` for one that is not in order or not trusted, `Unreachable` and `NotPermitted` as for
        `Outbound`. Nothing of the holder goes out.
        """
        invitation = Invitation.parse(link, allow_http=self._judge.allow_http)
        fetched = fetch(invitation, self._outbound)
        verified = self._judge.read_request(fetched)
        value = {"text": fetched.text, "client_id": fetched.client_id, "wallet_nonce": fetched.wallet_nonce}
        return self._pending.put(REQUEST, value, until=verified.expires_at)

    def question(
        self, name: str, *, choices: Mapping[str, str] | None = None, optional: bool = False
    ) -> Question:
        """What the holder is asked; `NotFound` when it was dealt with or ran out, else as for `look`."""
        verified = self._verified(self._pending.read(name, kind=REQUEST))
        return self._question(name, verified, choices, optional=optional)

    def agree(
        self, name: str, *, agreed: str, choices: Mapping[str, str] | None = None, optional: bool = False
    ) -> str:
        """Answer, after the holder said yes to the question of this digest; the result's identifier.

        `Conflict` when the question would be another one by now: it is to be asked again. `NotFound` when
        somebody was faster.
        """
        asked = self.question(name, choices=choices, optional=optional)
        if asked.answering is None or not hmac.compare_digest(asked.digest.encode(), agreed.encode()):
            raise Conflict("what would be shown has changed meanwhile: look at it again")
        kept = self._pending.take(name, kind=REQUEST)
        try:
            reply = self._holder.answer_presentation(asked.answering)
        except Conflict:  # nothing was shown
            self._pending.put(REQUEST, kept, until=asked.expires_at, name=name)
            raise
        return self._deliver(reply, asked.verified, shown=True)

    def refuse(self, name: str) -> str:
        """Say no, and tell the verifier so; the result's identifier."""
        verified = self._verified(self._pending.take(name, kind=REQUEST))
        return self._deliver(self._holder.decline_presentation(verified), verified, shown=False)

    def outcome(self, name: str) -> Outcome:
        """How it went; `NotFound` when that is some time ago."""
        return Outcome(**self._pending.read(name, kind=RESULT))

    def _verified(self, kept: Mapping[str, Any]) -> VerifiedRequest:
        return self._judge.read_request(Fetched(**kept))

    def _question(
        self, name: str, verified: VerifiedRequest, choices: Mapping[str, str] | None, *, optional: bool
    ) -> Question:
        try:
            found = self._holder.consider_presentation(
                verified, choices=choices, labels=self._labels, optional=optional
            )
        except YinxinError as exc:  # nothing here answers it: that is for the page to say
            return Question(name, verified, None, trouble=exc.code)
        return Question(name, verified, found, digest_of(found))

    def _deliver(self, reply: Reply, verified: VerifiedRequest, *, shown: bool) -> str:
        onward, delivered = None, True
        try:
            onward = send(reply, self._outbound, allow_http=self._judge.allow_http)
        except YinxinError:
            delivered = False
        name = Answering(verified, ()).requester.to_dict()
        value = {"is_shown": shown, "is_delivered": delivered, "requester": name, "onward": onward}
        return self._pending.put(RESULT, value)


def digest_of(answering: Answering) -> str:
    """A digest of all that the holder is shown and agrees to."""
    request = answering.verified.request
    about = request.about
    picks = [
        {
            "query": pick.query_id,
            "licence": pick.licence,
            "vct": pick.vct,
            "shared": [[to_text(one.path), one.value] for one in pick.shares.shared],
            "always": [[to_text(one.path), one.value] for one in pick.shares.always],
            "agreed": [one.hash for one in pick.agreed],
            "reused": pick.reused,
        }
        for pick in answering.picks
    ]
    whole = {
        "client_id": str(request.client_id),
        "certificate": answering.verified.certificate.fingerprint,
        "nonce": request.nonce,
        "response_uri": request.response_uri,
        "about": about.to_dict() if about else None,
        "picks": picks,
    }
    return hashlib.sha256(dump_json(whole)).hexdigest()
