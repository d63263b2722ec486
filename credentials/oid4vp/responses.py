"""Responses (OpenID4VP 1.0, clause 8): forms that a wallet posts and a verifier reads.

Reading settles the shape: which mode, which parameters, whether it was encrypted to the session's own key,
whether the state is the session's, and that `vp_token` answers what was asked and nothing else. What the
presentations are worth is judged in `credentials.oid4vp.presentations`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.oid4vp.vocabulary import (
    MAX_PRESENTATIONS,
    MAX_RESPONSE_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    ErrorCode,
    ResponseMode,
)
from signing.jose import dump_json, load_json_object
from signing.jwe import encrypt
from yinxin.base.errors import MalformedInput, TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credentials.dcql import Query
    from credentials.oid4vp.requests import AuthorizationRequest
    from signing.jwe import DecryptionKey


@dataclass(frozen=True, slots=True)
class Response:
    """What a wallet sent: presentations by the id of the credential query, or an error."""

    presentations: Mapping[str, tuple[str, ...]]
    error: str | None = None


def answer(request: AuthorizationRequest, presentations: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The form that carries presentations to the `response_uri`, encrypted where the request says so."""
    token = {name: list(shown) for name, shown in presentations.items()}
    if request.response_mode is ResponseMode.DIRECT_POST_JWT:
        body = {"vp_token": token, **({"state": request.state} if request.state is not None else {})}
        return {"response": _encrypt(request, body)}
    form = {"vp_token": dump_json(token).decode()}
    return {**form, "state": request.state} if request.state is not None else form


def decline(request: AuthorizationRequest, error: ErrorCode) -> dict[str, str]:
    """The form that says no. It gives no reason beyond the code, which could say what a holder has."""
    form = {"error": str(error)}
    return {**form, "state": request.state} if request.state is not None else form


def read_response(
    form: Mapping[str, str], request: AuthorizationRequest, *, key: DecryptionKey | None
) -> Response:
    """Read a posted form; `MalformedInput` for everything that is no answer to this very request."""
    if sum(map(len, form.values())) > MAX_RESPONSE_CHARACTERS:
        raise TooLarge("response", f"over {MAX_RESPONSE_CHARACTERS} characters")
    if "error" in form:
        return _read_error(form, request)
    if request.response_mode is ResponseMode.DIRECT_POST_JWT:
        return _read_encrypted(form, request, key)
    if "response" in form or "vp_token" not in form:
        raise MalformedInput("response", "OpenID4VP, 8.2: no vp_token")
    _check_state(form.get("state"), request)
    return Response(read_vp_token(load_json_object(form["vp_token"]), request.query))


def read_vp_token(token: object, query: Query) -> dict[str, tuple[str, ...]]:
    """The presentations of a `vp_token` (8.1), by credential query; `MalformedInput` for another shape."""
    if not isinstance(token, dict) or not token:
        raise MalformedInput("vp_token", "OpenID4VP, 8.1: not an object of presentations")
    answer: dict[str, tuple[str, ...]] = {}
    for name, shown in token.items():
        if name not in query:
            raise MalformedInput("vp_token", "OpenID4VP, 8.1: it answers what was not asked")
        if not isinstance(shown, list) or not shown or not all(isinstance(one, str) for one in shown):
            raise MalformedInput("vp_token", "OpenID4VP, 8.1: presentations are an array of texts")
        if len(shown) > 1 and not query[name].multiple:
            raise MalformedInput("vp_token", "OpenID4VP, 8.1: several presentations where one was asked for")
        answer[name] = tuple(shown)
    every = [one for shown in answer.values() for one in shown]
    if len(every) > MAX_PRESENTATIONS:
        raise TooLarge("vp_token", f"over {MAX_PRESENTATIONS} presentations")
    if len(set(every)) != len(every):
        raise MalformedInput("vp_token", "a presentation is repeated")
    return answer


def _encrypt(request: AuthorizationRequest, body: Mapping[str, Any]) -> str:
    if request.encryption is None:
        raise UsageError("the request names no key to encrypt to")
    return encrypt(dump_json(body), request.encryption.keys[0], encryption=request.encryption.encryptions[0])


def _read_encrypted(
    form: Mapping[str, str], request: AuthorizationRequest, key: DecryptionKey | None
) -> Response:
    # A plain vp_token here would be a downgrade that anybody on the way could make.
    if set(form) - {"state"} != {"response"} or key is None or request.encryption is None:
        raise MalformedInput("response", "OpenID4VP, 8.3.1: not an encrypted response")
    plain = key.decrypt(form["response"], encryptions=request.encryption.encryptions)
    body = load_json_object(plain)
    _check_state(body.get("state"), request)
    if "state" in form:
        _check_state(form["state"], request)
    if "error" in body:
        return _error(body["error"])
    return Response(read_vp_token(body.get("vp_token"), request.query))


def _read_error(form: Mapping[str, str], request: AuthorizationRequest) -> Response:
    if "vp_token" in form or "response" in form:
        raise MalformedInput("response", "an error and presentations at once")
    _check_state(form.get("state"), request)
    return _error(form["error"])


def _error(code: object) -> Response:
    """Known codes as they are; whatever else a wallet says is a refusal all the same."""
    if not isinstance(code, str) or len(code) > MAX_TEXT_CHARACTERS:
        raise MalformedInput("response", "the error is no text")
    return Response({}, code if code in set(ErrorCode) else str(ErrorCode.ACCESS_DENIED))


def _check_state(found: object, request: AuthorizationRequest) -> None:
    if request.state is None:
        return
    if not isinstance(found, str) or not hmac.compare_digest(
        found.encode("utf-8", "surrogatepass"), request.state.encode()
    ):
        raise MalformedInput("response", "OpenID4VP, 8.2: state is not the one of this request")
