"""What would be shown for a request, said so that a person can decide, and then made.

Nothing here decides for the holder: `propose` says what a yes would share and what it would not,
`fulfil` is called after the yes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials import key_binding
from credentials.claim_paths import Path, covers, leads_to, select, to_text
from credentials.disclosures import reveal
from credentials.sd_jwt import SdJwt
from credentials.vocabulary import CONTROL_NAMES, NEVER_DISCLOSABLE
from wallet.copies import element_names, element_values
from wallet.words import plain
from yinxin.base.errors import NotFound
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from signing.signer import Signer
    from wallet.copies import ReadCopy
    from wallet.request import PresentationRequest

# What a credential needs to work; it is always shown and tells nobody anything about the holder.
_PROTOCOL = NEVER_DISCLOSABLE | CONTROL_NAMES | {"iat"}


@dataclass(frozen=True, slots=True)
class Shared:
    """One claim: its path, what people call it, and its value."""

    path: Path
    label: Text
    value: Any


@dataclass(frozen=True, slots=True)
class Shares:
    """What showing some claims of a credential brings to light; the fields are those of `Proposal`."""

    shared: tuple[Shared, ...]
    always: tuple[Shared, ...]
    withheld: tuple[Shared, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What answering a request with this licence would do.

    `shared` is disclosed because it is asked for or stands beside that, `always` is visible in every
    presentation of this licence, `withheld` are the disclosable claims that stay hidden.
    """

    request: PresentationRequest
    licence: str
    shared: tuple[Shared, ...]
    always: tuple[Shared, ...]
    withheld: tuple[Shared, ...]

    @property
    def consent(self) -> Text:
        """The question to the holder: who, why, what is shown, what is not."""
        return Text(self._in_chinese(), self._in_english())

    def _in_chinese(self) -> str:
        request = self.request
        standing = "身份已核验" if request.requester_verified else "身份未核验，请谨慎"
        lines = [
            f"请求方：{request.requester.zh}（{standing}）",
            f"用途：{request.purpose.zh}" + (f"（事项：{request.matter}）" if request.matter else ""),
            "将出示：" + "、".join(item.label.zh for item in self.shared),
        ]
        if self.always:
            lines.append("该证照每次出示均可见：" + "、".join(item.label.zh for item in self.always))
        lines.append("不会出示：" + ("、".join(item.label.zh for item in self.withheld) or "无其他内容"))
        lines.append("本次出示仅限上述用途，并记入您的使用记录。是否同意？")
        return "\n".join(lines)

    def _in_english(self) -> str:
        request = self.request
        standing = "identity verified" if request.requester_verified else "identity NOT verified, take care"
        lines = [
            f"Who asks: {request.requester.en} ({standing})",
            f"What for: {request.purpose.en}" + (f" (matter {request.matter})" if request.matter else ""),
            "Will be shown: " + ", ".join(item.label.en for item in self.shared),
        ]
        if self.always:
            lines.append(
                "Visible whenever this licence is shown: " + ", ".join(i.label.en for i in self.always)
            )
        lines.append("Will not be shown: " + (", ".join(i.label.en for i in self.withheld) or "nothing else"))
        lines.append("It is shown for this purpose only and entered in your activity log. Do you agree?")
        return "\n".join(lines)


def propose(
    request: PresentationRequest, licence: str, credential: SdJwt, *, labels: Mapping[str, Text] | None = None
) -> Proposal:
    """What answering the request with this credential would share.

    `labels` gives the names that people know claims by, under the text of their path; without one the
    path itself is shown. A claim that comes to light because it stands beside one asked for is named
    too. `NotFound` when the credential is of another type or lacks a claim.
    """
    if credential.claims.get("vct") != request.vct:
        raise NotFound("the licence is of another type than the one asked for")
    found = shares(credential, request.claims, labels=labels)
    return Proposal(request, licence, found.shared, found.always, found.withheld)


def shares_of(
    copy: ReadCopy, wanted: tuple[Path, ...], *, labels: Mapping[str, Text] | None = None
) -> Shares:
    """What showing these claims of a copy would share, by the words of its own form.

    Of an mdoc they are elements, each under its namespace; nothing of it is visible without being asked for.
    """
    if isinstance(copy.parsed, SdJwt):
        return shares(copy.parsed, wanted, labels=labels)
    elements = copy.parsed.namespaces
    # By what would be sent: a name that the wallet uses for something else of the copy changes nothing.
    names, values, known = element_names(elements), element_values(elements), labels or {}
    chosen = list(dict.fromkeys((str(path[0]), str(path[1])) for path in wanted))
    withheld = [name for element, name in names.items() if element not in chosen]
    return Shares(
        tuple(Shared((names[one],), _label((names[one],), known), values[one]) for one in chosen),
        (),
        tuple(_shared((name,), {}, known) for name in withheld),
    )


def shares(
    credential: SdJwt, wanted: tuple[Path, ...], *, labels: Mapping[str, Text] | None = None
) -> Shares:
    """What showing these claims of a credential would share; `NotFound` when it lacks one."""
    revealed = credential.reveal()
    for path in wanted:
        if not select(revealed.claims, path):
            raise NotFound(f"the licence has no {to_text(path)}")
    hidden = {placed.path for placed in revealed.placed}
    beside = [placed.path for placed in revealed.placed if _is_on_the_way(placed.path, wanted)]
    shared = list(wanted)
    for path in beside:
        shared += _plain(path, select(revealed.claims, path)[0], hidden, wanted)
    withheld = [
        placed.path
        for placed in revealed.placed
        if not _is_covered(placed.path, wanted) and placed.path not in beside
    ]
    visible = reveal(credential.payload, ()).claims
    always = [
        (name,)
        for name, value in visible.items()
        if name not in _PROTOCOL and value not in ([], {}) and not _is_covered((name,), wanted)
    ]
    known = labels or {}
    return Shares(
        tuple(_shared(path, revealed.claims, known) for path in shared),
        tuple(_shared(path, visible, known) for path in always),
        tuple(_shared(path, {}, known) for path in _outermost(withheld)),
    )


def fulfil(proposal: Proposal, credential: str, holder: Signer, *, at: datetime) -> str:
    """The presentation that the holder agreed to."""
    request = proposal.request
    return key_binding.present(
        credential,
        disclose=request.claims,
        holder=holder,
        audience=request.audience,
        nonce=request.nonce,
        at=at,
    )


def _is_covered(path: Path, wanted: tuple[Path, ...]) -> bool:
    return any(covers(claim, path) for claim in wanted)


def _is_on_the_way(path: Path, wanted: tuple[Path, ...]) -> bool:
    return not _is_covered(path, wanted) and any(leads_to(claim, path) for claim in wanted)


def _plain(path: Path, value: Any, hidden: set[Path], wanted: tuple[Path, ...]) -> Iterator[Path]:
    """What comes to light with a disclosure besides what is asked for."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        place = (*path, step)
        if place in hidden or _is_covered(place, wanted):
            continue
        if _is_on_the_way(place, wanted):
            yield from _plain(place, inner, hidden, wanted)
        else:
            yield place


def _outermost(paths: list[Path]) -> list[Path]:
    """Only the claims that stand in no other of these, the elements of one array as one."""
    outer = [path for path in paths if not any(path != other and covers(other, path) for other in paths)]
    return list(
        dict.fromkeys(tuple(None if isinstance(step, int) else step for step in path) for path in outer)
    )


def _shared(path: Path, claims: Any, labels: Mapping[str, Text]) -> Shared:
    found = select(claims, path)
    value = found if None in path else next(iter(found), None)
    return Shared(path, _label(path, labels), value)


def _label(path: Path, labels: Mapping[str, Text]) -> Text:
    """The name of the claim, or of the nearest one around it with the rest of the path."""
    names = tuple(step for step in path if isinstance(step, str))
    for size in range(len(names), 0, -1):
        label = labels.get(to_text(names[:size]))
        if label:
            rest = "".join(f"·{plain(name)}" for name in names[size:])
            return Text(label.zh + rest, label.en + rest)
    return Text(plain(to_text(names)), plain(to_text(names)))
