"""Key binding (RFC 9901, 4.3 and 7.3): the holder chooses claims and proves possession of the key.

`present` is the holder's side, `check_key_binding` the verifier's. Whether a nonce was given out by us
and not used before is decided by who keeps sessions, not here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.claim_paths import as_path, covers, leads_to, select, to_text
from credentials.disclosures import digest_of
from credentials.sd_jwt import SdJwt
from credentials.signed_tokens import is_date
from credentials.vocabulary import KEY_BINDING_TYP
from signing.jose import jose_algorithm, load_json_object, parse_jws, sign_jws
from signing.keys import PublicKey
from signing.reasons import Reason
from signing.report import Check, good
from yinxin.base.errors import MalformedInput, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from credentials.claim_paths import ClaimPath
    from credentials.disclosures import Revealed
    from signing.jose import Token
    from signing.policy import Policy
    from signing.signer import Signer

MAX_AGE = timedelta(minutes=5)


def present(  # noqa: PLR0913 - each is stated by the request that is answered
    sd_jwt: str,
    *,
    disclose: Collection[ClaimPath],
    holder: Signer,
    audience: str,
    nonce: str,
    at: datetime,
    agreed: Mapping[str, Any] | None = None,
) -> str:
    """A presentation of the chosen claims, bound to the holder's key, this audience and this nonce.

    Choosing a claim discloses what lies below it and what it stands in, nothing beside it. `NotFound`
    for a claim that the credential does not have; `UsageError` when `holder` is not the key that it is
    bound to, or it carries a key binding already. `agreed` are further claims of the key binding.
    """
    credential = SdJwt.parse(sd_jwt)
    if credential.key_binding is not None:
        raise UsageError("a presentation is not presented again")
    if holder_key(credential.payload) != holder.public_key:
        raise UsageError("the credential is bound to another key")
    shown = withhold(credential, disclose=disclose)
    claims = {
        **(agreed or {}),
        "iat": int(at.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": digest_of(shown, credential.digest_algorithm),
    }
    try:
        return shown + sign_jws(claims, holder, headers={"typ": KEY_BINDING_TYP})
    except (TypeError, ValueError) as exc:
        raise UsageError("the audience or the nonce is no text") from exc


def withhold(credential: SdJwt, *, disclose: Collection[ClaimPath]) -> str:
    """The SD-JWT with only the chosen claims disclosed, without key binding. `NotFound` as for `present`."""
    revealed = credential.reveal()
    chosen = _chosen(revealed, disclose)
    token = credential.signed_over.partition("~")[0]
    kept = [text for index, text in enumerate(credential.disclosures) if index in chosen]
    return "~".join([token, *kept, ""])


def holder_key(claims: Mapping[str, Any]) -> PublicKey | None:
    """The key that a credential is bound to (`cnf.jwk`, RFC 7800, 3.2), None without `cnf`."""
    if "cnf" not in claims:
        return None
    confirmation = claims["cnf"]
    if not isinstance(confirmation, dict) or "jwk" not in confirmation:
        raise MalformedInput("cnf", "RFC 7800, 3.2: no jwk")
    if len(confirmation) > 1 and ("jwe" in confirmation or "jku" in confirmation):
        raise MalformedInput("cnf", "RFC 7800, 3.1: more than one key")
    jwk = confirmation["jwk"]
    try:
        key = PublicKey.from_jwk(jwk)
    except MalformedInput as exc:
        raise MalformedInput("cnf", f"RFC 7800, 3.2: {exc.detail}") from exc
    if not _OF_A_USE.isdisjoint(jwk):
        _check_use(jwk, key)
    return key


class Binding(NamedTuple):
    """A KB-JWT as it was read, and the key of a `cnf`; whether it was made by this key is not said."""

    confirmation: Mapping[str, Any]
    key: PublicKey
    token: Token
    claims: Mapping[str, Any]

    def signature(self, now: datetime, policy: Policy) -> Check:
        """The check of its algorithm and its signature."""
        return _signature(self.token, self.key, now, policy)


def read_binding(sd_jwt: SdJwt) -> Binding | None:
    """The key binding of an SD-JWT whose `cnf` is plain, read ahead; None where anything is odd.

    Who verifies the issuer's signature and the holder's one right after the other is done sooner by a tenth:
    what a processor keeps at hand for one serves the other. The rules then say what was odd.
    """
    try:
        key = holder_key(sd_jwt.payload)
        if key is None or sd_jwt.key_binding is None:
            return None
        token = parse_jws(sd_jwt.key_binding)
        return Binding(sd_jwt.payload["cnf"], key, token, load_json_object(token.payload))
    except MalformedInput:
        return None


def check_key_binding(  # noqa: PLR0913 - each is a demand of the verifier's
    sd_jwt: SdJwt,
    key: PublicKey,
    *,
    audience: str,
    nonce: str,
    now: datetime,
    policy: Policy,
    max_age: timedelta = MAX_AGE,
    read: tuple[Binding, Check] | None = None,
) -> tuple[Check, ...]:
    """Every rule of RFC 9901, 7.3 (5) about the KB-JWT. `now` is when it was handed in.

    `read` is what `read_binding` made of this SD-JWT, and its signature's check by this key.
    """
    if sd_jwt.key_binding is None:
        return (Check("key_binding", Reason.KEY_BINDING_MISSING),)
    if read is None:
        try:
            token = parse_jws(sd_jwt.key_binding)
            binding = Binding({}, key, token, token.claims())
        except MalformedInput as exc:
            return (Check("key_binding", Reason.KEY_BINDING_INVALID, detail=exc.detail),)
        read = binding, binding.signature(now, policy)
    (_, _, token, claims), signature = read
    digest = digest_of(sd_jwt.signed_over, sd_jwt.digest_algorithm)
    time = _time(claims, now, policy.clock_skew, max_age)
    if (
        signature is _SIGNED
        and time is _IN_TIME
        and claims.get("sd_hash") == digest
        and claims.get("aud") == audience
        and claims.get("nonce") == nonce
        and token.header.get("typ") == KEY_BINDING_TYP
        and _NAMES.isdisjoint(claims)
    ):
        return _PROVED
    # Something is wrong, or odd: rule by rule, up to the first group that fails.
    first = (
        _type(token),
        *_names(claims),
        signature,
        _check("sd_hash", passed=claims.get("sd_hash") == digest),
    )
    if any(check.reason for check in first):
        return first
    return (
        *first,
        _text("audience", claims.get("aud"), audience, Reason.WRONG_AUDIENCE),
        _text("nonce", claims.get("nonce"), nonce, Reason.WRONG_NONCE),
        time,
    )


_SIGNED, _IN_TIME = good("key_binding_signature"), good("presentation_time")
_PROVED = (
    good("key_binding_type"), _SIGNED, good("sd_hash"), good("audience"), good("nonce"), _IN_TIME
)  # fmt: skip
_NAMES, _LIMITS = frozenset({"iss", "sub", "jti"}), frozenset({"nbf", "exp"})
_OF_A_USE = frozenset({"use", "key_ops", "alg"})


def _check_use(jwk: Mapping[str, Any], key: PublicKey) -> None:
    """What a key says of its use, where it says it: it is to verify signatures with."""
    if jwk.get("use", "sig") != "sig":
        raise MalformedInput("cnf", "RFC 7517, 4.2: the key is not for signatures")
    if "key_ops" in jwk and (not isinstance(jwk["key_ops"], list) or "verify" not in jwk["key_ops"]):
        raise MalformedInput("cnf", "RFC 7517, 4.3: the key is not to verify with")
    if "alg" in jwk and ((row := jose_algorithm(jwk["alg"])) is None or row.key_kind != key.kind):
        raise MalformedInput("cnf", "RFC 7517, 4.4: the key is of another kind than its algorithm")


def _chosen(revealed: Revealed, disclose: Collection[ClaimPath]) -> set[int]:
    chosen: set[int] = set()
    for wanted in map(as_path, disclose):
        if not select(revealed.claims, wanted):
            raise NotFound(f"the credential has no claim {to_text(wanted)}")
        for placed in revealed.placed:
            if covers(wanted, placed.path) or leads_to(wanted, placed.path):
                chosen.add(placed.disclosure)
    return chosen


def _type(token: Token) -> Check:
    if token.header.get("typ") == KEY_BINDING_TYP:
        return good("key_binding_type")
    return Check("key_binding_type", Reason.KEY_BINDING_INVALID, detail=f"typ is not {KEY_BINDING_TYP}")


def _names(claims: Mapping[str, Any]) -> tuple[Check, ...]:
    """RFC 9901, 7.3 (5.h): a valid JWT in all other respects."""
    wrong = [name for name in ("iss", "sub", "jti") if not isinstance(claims.get(name, ""), str)]
    detail = f"RFC 7519, 4.1: {wrong[0]} is no text" if wrong else ""
    return (Check("key_binding", Reason.KEY_BINDING_INVALID, detail=detail),) if wrong else ()


def _signature(token: Token, key: PublicKey, now: datetime, policy: Policy) -> Check:
    """The check of algorithm and signature: `_SIGNED` itself where both are good."""
    row = jose_algorithm(token.header.get("alg"))
    objection = policy.objection_to(row, key, at=now) if row else "no such algorithm"
    if row is None or objection:
        return Check("key_binding_algorithm", Reason.ALGORITHM_NOT_ALLOWED, detail=objection or "")
    return _SIGNED if token.verify_as(row, key) else _check("key_binding_signature", passed=False)


def _text(name: str, found: Any, wanted: str, reason: Reason) -> Check:
    return _check(name, reason, passed=isinstance(found, str) and found == wanted)


def _check(name: str, reason: Reason = Reason.KEY_BINDING_INVALID, *, passed: bool) -> Check:
    return good(name) if passed else Check(name, reason)


def _time(claims: Mapping[str, Any], now: datetime, skew: timedelta, max_age: timedelta) -> Check:
    """`_IN_TIME` itself where it was made lately, and holds."""
    moment, made = now.timestamp(), claims.get("iat")
    # Nearly every one is made lately, to the second, and says nothing more of times.
    oldest = max(moment - max_age.total_seconds(), 0)
    if type(made) is int and oldest <= made <= moment and _LIMITS.isdisjoint(claims):
        return _IN_TIME
    start, end = claims.get("nbf", 0), claims.get("exp", moment + 1)
    if not (is_date(made) and is_date(start) and is_date(end)):
        detail = "RFC 7519, 2: iat, nbf or exp is no date"
        return Check(_IN_TIME.name, Reason.KEY_BINDING_INVALID, detail=detail)
    ahead = skew.total_seconds()
    fresh = -ahead <= moment - made <= max_age.total_seconds() + ahead
    if fresh and start <= moment + ahead and moment < end:
        return _IN_TIME
    return Check(_IN_TIME.name, Reason.KEY_BINDING_STALE)
