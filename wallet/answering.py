"""What answering a verifier's request would share, of which licences, said so that a person can decide.

The least that satisfies the query is chosen: the first alternative that can be satisfied, the first option
of each set, nothing that is optional unless the holder wants it. Nothing leaves before the holder agreed:
`propose_answer` says what a yes means, `Holder.answer_presentation` acts on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from credentials import key_binding
from credentials.dcql import MDOC, SD_JWT_VC, match, options_to_return
from credentials.mdoc import present_mdoc
from credentials.oid4vp.transactions import binding_claims
from credentials.oid4vp.transcripts import transcript_of
from signing.base64url import decode_base64url, encode_base64url
from wallet.agents import beside_delegations, delegations_of, showable
from wallet.picks import Holding, Pick
from wallet.present import shares_of
from wallet.words import plain
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from credentials.claim_paths import Path
    from credentials.dcql import CredentialQuery
    from credentials.oid4vp.request_objects import VerifiedRequest
    from credentials.oid4vp.transactions import TransactionData
    from signing.signer import Signer

Labels = dict[str, dict[str, Text]]  # credential type → text of a path → what people call it


@dataclass(frozen=True, slots=True)
class Answering:
    """What a yes to a request does: these credentials are shown to this verifier."""

    verified: VerifiedRequest
    picks: tuple[Pick, ...]

    @property
    def requester(self) -> Text:
        """Who asks: the name in the certificate, and on whose behalf as the verifier says."""
        name = plain(self.verified.certificate.common_name)
        about = self.verified.request.about
        if about is None:
            return Text(name, name)
        return Text(f"{about.name.zh}（由{name}发起）", f"{about.name.en} (through {name})")

    @property
    def purpose(self) -> Text:
        """What for, as the verifier says."""
        about = self.verified.request.about
        return about.purpose if about else Text("对方未说明用途", "the verifier does not say")

    @property
    def consent(self) -> Text:
        """The question to the holder: who, why, what is agreed to, what is shown, what is not."""
        return Text("\n".join(self._chinese()), "\n".join(self._english()))

    def _chinese(self) -> list[str]:
        about = self.verified.request.about
        lines = [f"请求方：{self.requester.zh}（身份已核验）", f"用途：{self.purpose.zh}"]
        if about:
            lines[1] += f"（事项：{about.matter}）"
        if about and about.match_code:
            lines.append(f"核对码：{about.match_code}。请确认与对方屏幕所示一致，不一致请勿继续。")
        for pick in self.picks:
            found = pick.shares
            lines += [f"将确认：{one.statement.zh}" for one in pick.agreed]
            lines.append(
                f"将出示（{pick.title.zh}）：" + ("、".join(i.label.zh for i in found.shared) or "仅证明持有")
            )
            if found.always:
                lines.append("该证照每次出示均可见：" + "、".join(i.label.zh for i in found.always))
            lines.append("不会出示：" + ("、".join(i.label.zh for i in found.withheld) or "无其他内容"))
            if pick.reused:
                lines.append(
                    "注意：未使用过的副本已用完，本次出示的副本以前出示过，不同的接收方可能据此关联您。"
                )
        return [*lines, "本次出示仅限上述用途，并记入您的使用记录。是否同意？"]

    def _english(self) -> list[str]:
        about = self.verified.request.about
        lines = [f"Who asks: {self.requester.en} (identity verified)", f"What for: {self.purpose.en}"]
        if about:
            lines[1] += f" (matter {about.matter})"
        if about and about.match_code:
            lines.append(f"Match code: {about.match_code}. Go on only if the other screen shows the same.")
        for pick in self.picks:
            found = pick.shares
            lines += [f"You agree: {one.statement.en}" for one in pick.agreed]
            shown = ", ".join(item.label.en for item in found.shared) or "only that you hold it"
            lines.append(f"Will be shown ({pick.title.en}): {shown}")
            if found.always:
                always = ", ".join(item.label.en for item in found.always)
                lines.append(f"Visible whenever this licence is shown: {always}")
            kept = ", ".join(item.label.en for item in found.withheld) or "nothing else"
            lines.append(f"Will not be shown: {kept}")
            if pick.reused:
                lines.append(
                    "Take care: no unused copy is left. This one was shown before, and those who saw it can "
                    "tell that it is you."
                )
        return [*lines, "It is shown for this purpose only and entered in your activity log. Do you agree?"]


def propose_answer(
    verified: VerifiedRequest,
    holdings: Iterable[Holding],
    *,
    choices: Mapping[str, str] | None = None,
    labels: Mapping[str, Mapping[str, Text]] | None = None,
    optional: bool = False,
) -> Answering:
    """The least that answers the request; `NotFound` when the wallet has not what it asks for.

    `choices` says which licence answers a query where several would; `labels` what people call the claims of
    a licence (by its id) or of a credential type; with `optional` what need not be shown is shown too.
    """
    query, wishes = verified.request.query, choices or {}
    held = list(holdings)
    marks = delegations_of((one, one.copy) for one in held)
    found = {asked.id: _fitting(asked, held, labels or {}) for asked in query.credentials}
    found = showable(found, marks)
    wanted = options_to_return(query, {name for name, picks in found.items() if picks}, optional=optional)
    if not wanted:
        missing = sorted({kind for one in query.credentials if not found[one.id] for kind in one.types})
        raise NotFound(f"the wallet has nothing that satisfies the request: {', '.join(missing)[:500]}")
    picks = [_choose(found[name], wishes.get(name)) for name in wanted]
    picks = beside_delegations(picks, found, marks)
    return Answering(verified, _with_transactions(picks, verified.request.transactions))


def make_presentation(answering: Answering, pick: Pick, credential: str, holder: Signer, at: datetime) -> str:
    """One presentation that the holder agreed to."""
    request = answering.verified.request
    if pick.form == MDOC:
        return encode_base64url(
            present_mdoc(
                decode_base64url(credential),
                disclose=_elements(pick.paths),
                holder=holder,
                transcript=transcript_of(request),
            )
        )
    return key_binding.present(
        credential,
        disclose=pick.paths,
        holder=holder,
        audience=str(request.client_id),
        nonce=request.nonce,
        at=at,
        agreed=binding_claims(pick.agreed),
    )


def _elements(paths: Iterable[Path]) -> dict[str, list[str]]:
    """The elements of an mdoc by namespace (7.2)."""
    found: dict[str, list[str]] = {}
    for namespace, element in paths:
        found.setdefault(str(namespace), []).append(str(element))
    return found


def _fitting(
    asked: CredentialQuery, holdings: Iterable[Holding], labels: Mapping[str, Mapping[str, Text]]
) -> list[Pick]:
    picks: list[Pick] = []
    for one in holdings:
        candidate = one.copy.candidate
        found = match(asked, candidate)
        if found:
            # What we call the claims of a type goes before what its issuer calls them.
            known = {**labels.get(one.licence, {}), **labels.get(candidate.type, {})}
            shown = shares_of(one.copy, found.paths, labels=known)
            pick = Pick(asked.id, one.licence, candidate.type, found.paths, shown)
            picks.append(replace(pick, name=one.name, reused=one.is_used, form=one.copy.form))
    return picks


def _choose(picks: list[Pick], licence: str | None) -> Pick:
    chosen = next((pick for pick in picks if licence in {None, pick.licence}), None)
    if chosen is None:
        raise UsageError("the licence that was chosen does not answer the request")
    others = tuple(pick.licence for pick in picks if pick is not chosen)
    return replace(chosen, others=others)


def _with_transactions(picks: list[Pick], transactions: tuple[TransactionData, ...]) -> tuple[Pick, ...]:
    """5.1: each transaction is agreed to with one of the credentials that it names, the first shown."""
    agreed: dict[str, list[TransactionData]] = {}
    for one in transactions:
        able = [pick for pick in picks if pick.form == SD_JWT_VC]  # an mdoc's device signs nothing else
        bearer = next((pick.query_id for pick in able if pick.query_id in one.credential_ids), None)
        if bearer is None:
            raise NotFound("no credential that would be shown can carry the transaction")
        agreed.setdefault(bearer, []).append(one)
    return tuple(replace(pick, agreed=tuple(agreed.get(pick.query_id, ()))) for pick in picks)
