"""Delegations from the wallet's side: appoint, accept, recall, and see what agents did.

A wallet has one key for this, its agent key, which its card names: whoever wants to appoint its holder is
given the card. What the holder gives is signed by showing the licence that says who speaks for them; what
they received, and what they pass on, by the agent key. Credentials that come in are judged first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from credentials.dcql import SD_JWT_VC
from credentials.delegations import statements as verbs
from credentials.delegations.cards import CARD
from credentials.delegations.statements import Statement, show, sign
from credentials.vocabulary import DELEGATION, LICENCE_IDENTIFIER
from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json, load_json_object, sign_jws
from wallet import contents as kept
from wallet.activity import Activity, ActivityKind
from wallet.copies import read_copy
from wallet.keys import HolderKey
from wallet.receiving.proofs import key_proof
from wallet.sources import Source, Way
from wallet.words import plain
from yinxin.base import errors
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from credentials.delegations.delegation import Agent
    from credentials.delegations.terms import Terms
    from wallet.copies import CopyReport, ReadCopy
    from wallet.store import Store
    from yinxin.base.clock import Clock
    from yinxin.base.outbound import Outbound

REPRESENTATIVE = "legal_representative"
COPIES = 3
MAX_ANSWER_BYTES = 4 << 20
DELEGATION_NAME = Text("授权委托书", "Delegation")
_AGENT = "agent"
_MANAGING = Text("办理授权委托", "managing delegations")
_ERRORS: Mapping[str, type[errors.YinxinError]] = {
    kind.code: kind
    for kind in (
        errors.UsageError,
        errors.NotPermitted,
        errors.NotFound,
        errors.Conflict,
        errors.InvalidClaims,
    )
}


class Delegating:
    """The delegations of one wallet, at one issuer (`url`). `examine` judges credentials that come in."""

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        *,
        url: str,
        examine: Callable[[ReadCopy], CopyReport],
        clock: Clock,
    ) -> None:
        self.url = url.rstrip("/")
        self._store = store
        self._outbound = outbound
        self._examine = examine
        self._clock = clock

    def now(self) -> datetime:
        """What the wallet's clock says."""
        return self._clock.now()

    def card(self, name: str, *, code: str = "") -> str:
        """The wallet's card, for who wants to appoint its holder."""
        key = self._agent_key()
        headers = {"typ": CARD, "jwk": key.public_key.to_jwk()}
        return sign_jws({"name": name, "code": code}, key, headers=headers)

    def give(
        self, card: Agent, terms: Terms, *, licence: str | None = None, under: str | None = None
    ) -> dict[str, Any]:
        """Appoint somebody: by the licence that says who the holder is, or `under` a received delegation."""
        content: dict[str, Any] = {"agent": card.to_dict(), "terms": terms.to_dict(), "parent": under}
        if under is not None:
            return self._by_key(verbs.PROPOSE, {**content, "signed_by": ""})
        shown = self.own_licence(licence)
        signed_by = shown.claims.get(REPRESENTATIVE) or shown.name.zh
        return self._by_licence(verbs.PROPOSE, {**content, "signed_by": signed_by}, shown.id)

    def accept(self, delegation: str) -> dict[str, Any]:
        """Take on a delegation as it stands there now, and fetch its credential and the licences."""
        found = self._received(delegation)
        if found["state"] == "proposed":
            self._by_key(verbs.ACCEPT, {"delegation": delegation, "digest": found["digest"]})
            found = self._received(delegation)
        self.fetch(delegation)
        for licence in found["licences"]:
            self.fetch(delegation, licence=licence["identifier"])
        return found

    def decline(self, delegation: str) -> dict[str, Any]:
        """Say no."""
        return self._by_key(verbs.DECLINE, {"delegation": delegation})

    def fetch(self, delegation: str, *, licence: str | None = None, copies: int = COPIES) -> str:
        """New credentials of a delegation, or copies of a licence under it; returns the wallet's id."""
        keys = [HolderKey.generate() for _ in range(copies)]
        content = {
            "delegation": delegation,
            "licence": licence,
            "keys": [key.public_key.thumbprint for key in keys],
        }
        nonce, now = self._nonce(), self._clock.now()
        statement = Statement(verbs.COPIES, content, self.url, nonce)
        proofs = [key_proof(key, issuer=self.url, now=now, nonce=nonce, client_id=None) for key in keys]
        body = self._body(statement, sign(statement, self._agent_key(), at=now))
        answer = self._post(verbs.COPIES, {**body, "key_proofs": proofs}).get("credentials")
        if not isinstance(answer, list) or len(answer) != len(keys):
            raise errors.Unreachable("the issuer's answer cannot be read")
        return self._keep(delegation, licence, answer, keys)

    def recall(self, delegation: str, *, ground: str = "") -> list[dict[str, Any]]:
        """End a delegation that the holder gave or received, with all that stands under it."""
        content = {"delegation": delegation, "ground": ground}
        by_key = self._by_key(verbs.LIST, {})
        if any(one["id"] == delegation for one in (*by_key["received"], *by_key["given"])):
            return _list(self._by_key(verbs.RECALL, content), "ended")
        for licence in self.speaking():
            given = self._by_licence(verbs.LIST, {}, licence.id)["given"]
            if any(one["id"] == delegation for one in given):
                return _list(self._by_licence(verbs.RECALL, content, licence.id), "ended")
        raise errors.NotFound("no such delegation")

    def listed(self) -> dict[str, list[dict[str, Any]]]:
        """What the holder has `given`, by licence or by key, and `received`; newest first."""
        found = self._by_key(verbs.LIST, {})
        given = {one["id"]: one for one in _list(found, "given")}
        for licence in self.speaking():
            given |= {one["id"]: one for one in _list(self._by_licence(verbs.LIST, {}, licence.id), "given")}
        newest = sorted(given.values(), key=lambda one: (one["proposed_at"], one["id"]), reverse=True)
        return {"given": newest, "received": _list(found, "received")}

    def uses(self, delegation: str | None = None) -> list[dict[str, Any]]:
        """Where agents went for the holder, or the holder for somebody; newest first."""
        content = {"delegation": delegation}
        found: dict[str, dict[str, Any]] = {}
        ways = [partial(self._by_key, verbs.USES, content)]
        ways += [partial(self._by_licence, verbs.USES, content, one.id) for one in self.speaking()]
        for way in ways:
            try:
                found |= {one["verification"]: one for one in _list(way(), "uses")}
            except errors.NotFound:  # not this speaker's
                continue
        return sorted(found.values(), key=lambda one: (one["at"], one["verification"]), reverse=True)

    def own_licence(self, wanted: str | None = None) -> kept.HeldLicence:
        """The licence that says who the holder is; `NotFound` or `UsageError` unless it is plain which."""
        every = [one for one in self._own() if wanted in {None, one.id}]
        speaking = [one for one in every if REPRESENTATIVE in one.claims] or every
        if not speaking:
            raise errors.NotFound("the wallet has no licence of the holder's own to appoint somebody with")
        if len(speaking) > 1 and wanted is None:
            raise errors.UsageError("several licences could say who appoints: name one")
        return speaking[0]

    def _own(self) -> list[kept.HeldLicence]:
        """Licences of this issuer that are the holder's own."""
        every = kept.held_licences(self._store.read())
        own = [one for one in every if LICENCE_IDENTIFIER in one.claims and DELEGATION not in one.claims]
        return [one for one in own if one.claims.get("iss") == self.url]

    def speaking(self) -> list[kept.HeldLicence]:
        """One licence for each holder whom this wallet speaks for."""
        own = self._own()
        companies = [one for one in own if REPRESENTATIVE in one.claims]
        return companies or own[:1]

    def _received(self, delegation: str) -> dict[str, Any]:
        for one in _list(self._by_key(verbs.LIST, {}), "received"):
            if one["id"] == delegation:
                return one
        raise errors.NotFound("no such delegation was given to this wallet")

    def _agent_key(self) -> HolderKey:
        def key(contents: dict[str, Any]) -> HolderKey:
            row = contents.get(_AGENT)
            if row is None:
                made = HolderKey.generate()
                contents[_AGENT] = {"key": encode_base64url(made.to_secret())}
                return made
            return HolderKey.from_secret(decode_base64url(row["key"]))

        row = self._store.read().get(_AGENT)
        return HolderKey.from_secret(decode_base64url(row["key"])) if row else self._store.update(key)

    def _by_key(self, verb: str, content: Mapping[str, Any]) -> dict[str, Any]:
        statement = Statement(verb, content, self.url, self._nonce())
        proof = sign(statement, self._agent_key(), at=self._clock.now())
        return self._post(verb, self._body(statement, proof))

    def _by_licence(self, verb: str, content: Mapping[str, Any], licence: str) -> dict[str, Any]:
        """Showing a licence to its own issuer tells it nothing new; what changes something is logged."""
        statement, now = Statement(verb, content, self.url, self._nonce()), self._clock.now()

        def prove(contents: dict[str, Any]) -> dict[str, Any]:
            _, row = kept.next_copy(contents, licence, SD_JWT_VC)
            proof = show(statement, row["credential"], kept.key_of(contents, row), at=now)
            if verb in {verbs.PROPOSE, verbs.RECALL}:
                vct = kept.read_row(row).type
                requester = Text(self.url, self.url)
                entry = Activity(
                    now, ActivityKind.SHOWN, licence, vct, requester, _MANAGING, audience=self.url
                )
                kept.log(contents, entry)
            return proof

        return self._post(verb, self._body(statement, self._store.update(prove)))

    @staticmethod
    def _body(statement: Statement, proof: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "verb": statement.verb,
            "content": statement.content,
            "nonce": statement.nonce,
            "proof": proof,
        }

    def _nonce(self) -> str:
        nonce = self._post("nonce", {}).get("nonce")
        if not isinstance(nonce, str):
            raise errors.Unreachable("the issuer gave no nonce")
        return nonce

    def _post(self, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._outbound.post(
            f"{self.url}/v1/delegations/{verb}",
            dump_json(body),
            content_type="application/json",
            max_bytes=MAX_ANSWER_BYTES,
        )
        try:
            said = load_json_object(answer.body)
        except errors.MalformedInput as exc:
            raise errors.Unreachable(f"the issuer answered {answer.status}") from exc
        if answer.status == 200:
            return said
        kind = _ERRORS.get(str(said.get("code")))
        if kind is None:
            raise errors.Unreachable(f"the issuer answered {answer.status}")
        raise kind(plain(str(said.get("detail", ""))))

    def _keep(
        self, delegation: str, licence: str | None, credentials: Sequence[Any], keys: Sequence[HolderKey]
    ) -> str:
        """Judge what came, and put it away in place of what was there before."""
        copies = [read_copy(str(one)) for one in credentials]
        for one in copies:
            self._examine(one).require()
        claims = copies[0].claims
        named = copies[0].licence
        if named != f"{licence or DELEGATION}#{delegation}":
            raise errors.NotPermitted("the issuer gave something else than was asked for")
        now, source = self._clock.now(), _source(self.url, claims)

        def keep(contents: dict[str, Any]) -> None:
            known = {row["licence"] for row in contents.get("copies", {}).values()}
            if named in known:
                kept.remove_licence(contents, named)
            for copy, key in zip(copies, keys, strict=True):
                if copy.claims.get("cnf") != {"jwk": key.public_key.to_jwk()}:
                    raise errors.NotPermitted("a credential is bound to another key")
                kept.add_key(contents, key, now)
                kept.add_copy(contents, copy, key.public_key, named, now)
            contents.setdefault("sources", {})[named] = source.to_dict()
            kind = ActivityKind.REFRESHED if named in known else ActivityKind.RECEIVED
            kept.log(contents, Activity(now, kind, named, copies[0].type, audience=self.url, verified=True))

        self._store.update(keep)
        return named


def _source(url: str, claims: Mapping[str, Any]) -> Source:
    """What people call it: a delegation, or somebody else's licence."""
    issuer = plain(str(claims.get("issuing_authority", url)))
    if LICENCE_IDENTIFIER not in claims:
        whose = plain(str(claims.get("principal_name", "")))
        name = Text(f"{DELEGATION_NAME.zh}（{whose}）", f"{DELEGATION_NAME.en} ({whose})")
    else:
        named = plain(str(claims.get("licence_name", "")))
        name = Text(f"{named}（代办）", f"{named} (as an agent)")
    return Source(url, Text(issuer, issuer), (Way(DELEGATION),), name, {})


def _list(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = answer.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise errors.Unreachable("the issuer's answer cannot be read")
    return found
