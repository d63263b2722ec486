"""A department's client: authenticates, asks, and checks the receipt before it believes the answer.

    client = Client("https://verify.example.gov", "https://market.example.gov", signer, outbound, trust=trust)
    answer = client.verify_pdf(pdf, purpose="market-entry", matter="440103001000")
    if answer.passed: ...                     # answer.claims, answer.reasons, answer.receipt

The verdict is taken from the verified receipt. The receipt does not hold the claims; those come from the
service over the connection alone.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from signing.base64url import encode_base64url
from signing.jose import dump_json, load_json_object, sign_jws
from verify_api.receipts import VerifiedReceipt, verify_receipt
from yinxin.access.tokens import ASSERTION_TYPE
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    NotPermitted,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unreachable,
    UsageError,
    YinxinError,
)
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from signing.policy import Policy
    from signing.revocation import RevocationSnapshot
    from signing.signer import Signer
    from signing.trust import TrustStore
    from yinxin.base.outbound import Outbound, Response

_EARLY = timedelta(seconds=30)  # a token is renewed this long before it ends
_RETRY = timedelta(seconds=1)
_ERRORS: Mapping[int, type[YinxinError]] = {
    400: UsageError,
    401: Unauthenticated,
    403: NotPermitted,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: UsageError,
}


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What the service answered, with its receipt verified. `content` is the whole answer as JSON."""

    content: Mapping[str, Any]
    receipt: VerifiedReceipt
    receipt_token: str

    @property
    def passed(self) -> bool:
        """Whether the thing is genuine and holds now."""
        return self.receipt.indication == "passed"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes of the reasons."""
        return self.receipt.reasons

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the licence says, within the grant."""
        claims: Mapping[str, Any] = self.content.get("claims") or {}
        return claims


@dataclass(frozen=True, slots=True)
class Shown:
    """How a session stands: its `state`, and what was shown, by licence type, once that may be read."""

    state: str
    content: Mapping[str, Any]
    answers: Mapping[str, Sequence[ClientAnswer]]

    @property
    def passed(self) -> bool:
        """Whether all that was asked for was shown, and every receipt says that it passed."""
        every = [one for each in self.answers.values() for one in each]
        return self.content.get("indication") == "passed" and bool(every) and all(one.passed for one in every)


class Client:
    """Speaks to one verification service for one department. `signer` is the department's registered key.

    `trust` holds whose receipts are believed.
    """

    def __init__(  # noqa: PLR0913 - what it stands on, by the door
        self,
        base_url: str,
        client_id: str,
        signer: Signer,
        outbound: Outbound,
        *,
        trust: TrustStore,
        revocation: RevocationSnapshot | None = None,
        policy: Policy | None = None,
        audience: str | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        """`audience`: the service's own name for itself, where it is not `base_url`."""
        self._url = base_url.rstrip("/")
        self._audience = (audience or base_url).rstrip("/")
        self._client_id = client_id
        self._signer = signer
        self._outbound = outbound
        self._trust, self._revocation, self._policy = trust, revocation, policy
        self._clock = clock or SystemClock()
        self._randomness = randomness or SystemRandomness()
        self._token, self._token_ends = "", datetime.fromtimestamp(0, UTC)

    def verify_pdf(self, pdf: bytes, **question: Any) -> ClientAnswer:
        """Verify a PDF. Keywords: `purpose`, `matter`, `claims`, `as_of`, `known_at`, `idempotency_key`."""
        document = b64encode(pdf).decode("ascii")
        return self._verify({"document": document}, hashlib.sha256(pdf).hexdigest(), **question)

    def verify_presentation(self, presentation: str, *, nonce: str, **question: Any) -> ClientAnswer:
        """Verify a presentation that was made for `nonce()`. Keywords as for `verify_pdf`."""
        digest = hashlib.sha256(presentation.encode()).hexdigest()
        return self._verify({"presentation": presentation, "nonce": nonce}, digest, **question)

    def verify_mdoc(
        self, response: bytes, *, nonce: str, session: Mapping[str, Any], **question: Any
    ) -> ClientAnswer:
        """Verify a DeviceResponse that was shown to a session of one's own, made with `nonce()`.

        `session` is what its request said: `client_id` and `response_uri`, or `origin`; and
        `encryption_thumbprint` (RFC 7638) where the answer was encrypted. Keywords as for `verify_pdf`.
        """
        values = {"presentation": encode_base64url(response), "nonce": nonce, "session": dict(session)}
        return self._verify(values, hashlib.sha256(response).hexdigest(), **question)

    def verify_licence(
        self, licence: str, *, licence_type: str | None = None, **question: Any
    ) -> ClientAnswer:
        """Ask by licence identifier or by the number on paper. Keywords as for `verify_pdf`."""
        values = {"licence": licence, **({"licence_type": licence_type} if licence_type else {})}
        return self._verify(values, hashlib.sha256(licence.encode()).hexdigest(), **question)

    def nonce(self) -> Mapping[str, Any]:
        """A nonce for one presentation: `nonce`, `audience` and `expires_at`."""
        return self._post("/v1/nonces", {})

    def ask(self, *, types: Sequence[str], purpose: str, matter: str, **wish: Any) -> Mapping[str, Any]:
        """Ask a holder to show licences of these types: `id`, `link`, `match_code`, `qr`, `expires_at`.

        Further members of the request (`claims`, `match`, `forms`, `device` ...) as `POST /v1/presentations`
        takes them.
        """
        wanted = {"types": list(types), "purpose": purpose, "matter": matter}
        return self._post("/v1/presentations", {**wanted, **wish})

    def shown(self, session_id: str, *, purpose: str, matter: str, response_code: str | None = None) -> Shown:
        """How a session of ours stands; `response_code` is what the browser brought back, on one device."""
        url = f"{self._url}/v1/presentations/{quote(session_id, safe='')}"
        if response_code is not None:
            url += f"?{urlencode({'response_code': response_code})}"
        content = _read(self._outbound.get(url, headers=self._authorization()))
        results = content.get("results") or {}
        try:
            answers = {
                name: tuple(self._believe(one, one["digest"]["value"], purpose, matter) for one in each)
                for name, each in results.items()
            }
            return Shown(str(content["state"]), content, answers)
        except (KeyError, TypeError, AttributeError) as exc:
            raise MalformedInput("presentation", "the service answered with something else") from exc

    def record(self, verification_id: str) -> Mapping[str, Any]:
        """One's own verification as the service recorded it."""
        url = f"{self._url}/v1/verifications/{quote(verification_id, safe='')}"
        return _read(self._outbound.get(url, headers=self._authorization()))

    def notices(self, *, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """What became of licences that this department accepted, oldest first, until it is acknowledged."""
        answer = _read(
            self._outbound.get(f"{self._url}/v1/notices?limit={limit}", headers=self._authorization())
        )
        waiting = answer.get("notices")
        if not isinstance(waiting, list) or not all(isinstance(one, dict) for one in waiting):
            raise MalformedInput("notices", "the service answered with something else")
        return waiting

    def acknowledge(self, notice: str) -> None:
        """Take a notice off the queue; doing it again changes nothing."""
        self._post(f"/v1/notices/{quote(notice, safe='')}/acknowledgement", {})

    def _verify(  # noqa: PLR0913 - the members of a question
        self,
        values: Mapping[str, Any],
        digest: str,
        *,
        purpose: str,
        matter: str,
        claims: Sequence[str] | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> ClientAnswer:
        question: dict[str, Any] = {**values, "purpose": purpose, "matter": matter}
        if claims is not None:
            question["claims"] = list(claims)
        for name, moment in (("as_of", as_of), ("known_at", known_at)):
            if moment is not None:
                question[name] = moment.isoformat()
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        content = self._post("/v1/verifications", question, headers)
        return self._believe(content, digest, purpose, matter)

    def _believe(self, content: Mapping[str, Any], digest: str, purpose: str, matter: str) -> ClientAnswer:
        """The answer with its receipt verified; `VerificationFailed` when the receipt is not genuine."""
        token = content.get("receipt")
        if not isinstance(token, str):
            raise MalformedInput("receipt", "the answer has none")
        report = verify_receipt(
            token,
            self._trust,
            now=self._clock.now(),
            revocation=self._revocation,
            policy=self._policy,
            digest=digest,
            department=self._client_id,
        )
        receipt = report.require()
        if (receipt.purpose, receipt.matter) != (purpose, matter):
            raise MalformedInput("receipt", "it is for another purpose or matter")
        return ClientAnswer(content, receipt, token)

    def _post(
        self, path: str, values: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        all_headers = {**self._authorization(), **(headers or {})}
        body = dump_json(values)
        url = self._url + path
        return _read(self._outbound.post(url, body, content_type="application/json", headers=all_headers))

    def _authorization(self) -> dict[str, str]:
        if self._clock.now() >= self._token_ends - _EARLY:
            self._authenticate()
        return {"Authorization": f"Bearer {self._token}"}

    def _authenticate(self) -> None:
        now = self._clock.now()
        seconds = int(now.timestamp())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": f"{self._audience}/v1/token",
            "iat": seconds,
            "exp": seconds + 120,
            "jti": random_text(self._randomness),
        }
        headers = {"typ": "JWT", "kid": self._signer.public_key.thumbprint}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": sign_jws(claims, self._signer, headers=headers),
            "scope": "verify",
        }
        url, body = f"{self._url}/v1/token", urlencode(form).encode("ascii")
        content_type = "application/x-www-form-urlencoded"
        answer = _read(self._outbound.post(url, body, content_type=content_type))
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or type(lasts) is not int:
            raise MalformedInput("token", "the service answered with something else")
        self._token, self._token_ends = token, now + timedelta(seconds=lasts)


def _read(response: Response) -> Mapping[str, Any]:
    """The answer's JSON, or the error that its status stands for."""
    try:
        content = load_json_object(response.body)
    except MalformedInput:
        content = {}
    if response.status == 200:
        return content
    detail = str(content.get("detail") or content.get("error_description") or f"HTTP {response.status}")[:500]
    if response.status in {429, 503}:
        wait = response.headers.get("retry-after", "")
        after = timedelta(seconds=int(wait)) if wait.isdecimal() and len(wait) < 6 else _RETRY
        if response.status == 429:
            raise TooManyRequests(detail, retry_after=after)
        raise Unreachable(detail, retry_after=after)
    kind = _ERRORS.get(response.status, Unreachable)
    raise kind(detail)
