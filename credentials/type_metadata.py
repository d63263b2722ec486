"""Type metadata of SD-JWT VC (section 5): what a credential type is called and what it may hold.

A document is read completely or refused. Finding documents is the caller's work: they come in as bytes by
their `vct`. `describe` writes the document of a licence type of ours.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.claim_paths import Path, Step, as_path, covers, to_text
from credentials.issued_claims import IssuedClaims
from signing.jose import load_json_object
from signing.reasons import Reason
from signing.report import Check, good
from yinxin.base.errors import MalformedInput, NotFound, TooLarge, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.catalogue import LicenceType
    from credentials.disclosures import Revealed

MAX_BYTES = 1 << 20
MAX_ANCESTORS = 8
MAX_CLAIMS = 500
KEPT = (good("type_metadata"),)
_SD = ("always", "allowed", "never")
_SVG_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPRESSION = r"[A-Za-z0-9]+-[A-Za-z0-9+/_-]+={0,2}(?:\?[!-~]*)?"
_INTEGRITY = re.compile(rf"[ \t\r\n\f]*{_EXPRESSION}(?:[ \t\r\n\f]+{_EXPRESSION})*[ \t\r\n\f]*")
_PLAIN = str.maketrans("-_", "+/")
_HASHES = ("sha512", "sha384", "sha256")  # strongest first: that one counts (W3C SRI, 3.3.4)


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """What a type says of one claim. `labels` are by locale; `said` names what its document gives itself."""

    path: Path
    mandatory: bool = False
    sd: str = "allowed"
    labels: tuple[tuple[str, str], ...] = ()
    said: frozenset[str] = frozenset()


class _PlainRules(NamedTuple):
    """The rules of a type that are about top-level claims alone, as sets of names.

    What keeps all of them is seen by a few comparisons of sets; what does not is looked at rule by rule, to
    say which it breaks. `is_all` is whether the type has no other rules.
    """

    always: frozenset[Step]
    never: frozenset[Step]
    mandatory: frozenset[Step]
    visible: frozenset[Step]
    is_all: bool

    @classmethod
    def of(cls, rules: tuple[ClaimRule, ...]) -> _PlainRules:
        plain = [rule for rule in rules if len(rule.path) == 1 and isinstance(rule.path[0], str)]
        return cls(
            frozenset(rule.path[0] for rule in plain if rule.sd == "always"),
            frozenset(rule.path[0] for rule in plain if rule.sd == "never"),
            frozenset(rule.path[0] for rule in plain if rule.mandatory),
            frozenset(rule.path[0] for rule in plain if rule.mandatory and rule.sd == "never"),
            len(plain) == len(rules),
        )

    def are_kept(self, revealed: Revealed) -> bool:
        """Whether all rules of the type are kept, as far as these sets say; False means: look closer."""
        if not self.is_all:
            return False
        claims = revealed.claims.keys()
        disclosed = {path[0] for _, path, _ in revealed.placed if len(path) == 1}
        demanded = self.visible if revealed.undisclosed else self.mandatory
        return disclosed.isdisjoint(self.never) and demanded <= claims and self.always & claims <= disclosed


@dataclass(frozen=True, slots=True)
class TypeMetadata:
    """A credential type with everything that it inherits. `names` are by locale."""

    vct: str
    names: tuple[tuple[str, str], ...]
    rules: tuple[ClaimRule, ...]
    _plain: _PlainRules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_plain", _PlainRules.of(self.rules))

    @classmethod
    def load(cls, vct: str, documents: Mapping[str, bytes], *, integrity: str | None = None) -> TypeMetadata:
        """The type, with its parents (`extends`) resolved from the same documents.

        `integrity` is the credential's `vct#integrity`. `NotFound` when a document is absent,
        `MalformedInput` when one breaks a rule, extends itself, or loosens what its parent demands.
        """
        return _load(vct, documents, integrity, ())

    def check(self, revealed: Revealed) -> tuple[Check, ...]:
        """Whether a credential keeps the rules of its type (5.6).

        A mandatory claim that may just be undisclosed is not called missing.
        """
        if self._plain.are_kept(revealed):
            return KEPT
        search, places = IssuedClaims(revealed), [placed.path for placed in revealed.placed]
        try:
            faults = [fault for rule in self.rules if (fault := _fault(rule, search, places))]
        except TooLarge as exc:
            return (Check("type_metadata", Reason.TOO_LARGE, detail=exc.detail),)
        if not faults:
            return KEPT
        return (Check("type_metadata", Reason.CLAIM_INVALID, detail="; ".join(faults)),)

    def labels(self) -> dict[str, Text]:
        """What people call the claims, by the text of their path; for `wallet.present`."""
        return {to_text(rule.path): _both(rule.labels) for rule in self.rules if rule.labels}


def describe(kind: LicenceType) -> dict[str, Any]:
    """The type metadata document of a licence type of ours."""
    claims = [
        {
            "path": [field.name],
            "display": [{"locale": locale, "label": label} for locale, label in _locales(field.label)],
            "mandatory": field.required,
            "sd": "always" if field.disclosable else "never",
        }
        for field in kind.fields
    ]
    display = [{"locale": locale, "name": name} for locale, name in _locales(kind.name)]
    return {"vct": kind.vct, "name": kind.name.en, "display": display, "claims": claims}


def integrity_of(document: bytes) -> str:
    """The `#integrity` value of a document."""
    return "sha256-" + b64encode(hashlib.sha256(document).digest()).decode("ascii")


def is_integrity(value: Any) -> bool:
    """Whether this is integrity metadata (W3C SRI, 3): hash expressions, at least one."""
    return isinstance(value, str) and bool(_INTEGRITY.fullmatch(value))


def _load(
    vct: str, documents: Mapping[str, bytes], integrity: str | None, below: tuple[str, ...]
) -> TypeMetadata:
    if vct in below or len(below) > MAX_ANCESTORS:
        raise MalformedInput("type metadata", "SD-JWT VC, 5.4: a type extends itself, or too many others")
    if vct not in documents:
        raise NotFound(f"no type metadata for {vct}")
    document = documents[vct]
    if len(document) > MAX_BYTES:
        raise TooLarge("type metadata", f"over {MAX_BYTES} bytes")
    if integrity is not None and not _matches(document, integrity):
        raise MalformedInput("type metadata", "SD-JWT VC, 6: the integrity value does not match")
    data = load_json_object(document)
    if data.get("vct") != vct:
        raise MalformedInput("type metadata", "SD-JWT VC, 5.2: the document is about another vct")
    own = TypeMetadata(vct, _display(data, "name"), _rules(data))
    if "extends" not in data:
        return own
    demanded = _text(data["extends#integrity"]) if "extends#integrity" in data else None
    parent = _load(_text(data["extends"]), documents, demanded, (*below, vct))
    return replace(own, names=own.names or parent.names, rules=_inherit(own.rules, parent.rules))


def _rules(data: Mapping[str, Any]) -> tuple[ClaimRule, ...]:
    claims = data.get("claims", [])
    if not isinstance(claims, list) or len(claims) > MAX_CLAIMS:
        raise MalformedInput("type metadata", "SD-JWT VC, 5.6: claims is not an array, or too long")
    rules = tuple(map(_rule, claims))
    if len({rule.path for rule in rules}) != len(rules):
        raise MalformedInput("type metadata", "SD-JWT VC, 5.6: a path is repeated")
    named = [entry["svg_id"] for entry in claims if "svg_id" in entry]
    if not all(isinstance(name, str) and _SVG_ID.fullmatch(name) for name in named):
        raise MalformedInput("type metadata", "SD-JWT VC, 5.6: an svg_id is no name")
    if len(set(named)) != len(named):
        raise MalformedInput("type metadata", "SD-JWT VC, 5.6: an svg_id is repeated")
    return rules


def _rule(entry: Any) -> ClaimRule:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), list):
        raise MalformedInput("type metadata", "SD-JWT VC, 5.6.1: a claim has no path")
    mandatory, sd = entry.get("mandatory", False), entry.get("sd", "allowed")
    if type(mandatory) is not bool or sd not in _SD:
        raise MalformedInput("type metadata", "SD-JWT VC, 5.6.3: mandatory or sd has no such value")
    try:
        said = frozenset({"mandatory", "sd"} & entry.keys())
        return ClaimRule(as_path(tuple(entry["path"])), mandatory, sd, _display(entry, "label"), said)
    except UsageError as exc:
        raise MalformedInput("type metadata", f"SD-JWT VC, 5.6.1: {exc.detail}") from exc


def _display(data: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    entries = data.get("display", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise MalformedInput("type metadata", "SD-JWT VC, 5.5: display is not an array of objects")
    for entry in (data, *entries):
        if any(not isinstance(entry.get(text, ""), str) for text in ("name", "label", "description")):
            raise MalformedInput("type metadata", "SD-JWT VC, 5.2: a name or a description is no text")
        if not isinstance(entry.get("rendering", {}), dict):
            raise MalformedInput("type metadata", "SD-JWT VC, 5.5.1: rendering is no object")
    return tuple((_text(entry.get("locale")), _text(entry.get(name))) for entry in entries)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise MalformedInput("type metadata", "a text is missing")
    return value


def _inherit(own: tuple[ClaimRule, ...], parent: tuple[ClaimRule, ...]) -> tuple[ClaimRule, ...]:
    """5.6.5: the parent's rules hold on; one for the same path may only be tightened."""
    by_path = {rule.path: rule for rule in parent}
    for given in own:
        above = by_path.get(given.path)
        rule = _combined(given, above) if above else given
        if above and ((above.mandatory and not rule.mandatory) or above.sd not in {"allowed", rule.sd}):
            raise MalformedInput("type metadata", f"SD-JWT VC, 5.6.5: {to_text(rule.path)} is loosened")
        by_path[rule.path] = rule if rule.labels or not above else replace(rule, labels=above.labels)
    return tuple(by_path.values())


def _combined(rule: ClaimRule, above: ClaimRule) -> ClaimRule:
    """5.6.5: what the child leaves out is the parent's."""
    mandatory = rule.mandatory if "mandatory" in rule.said else above.mandatory
    return replace(rule, mandatory=mandatory, sd=rule.sd if "sd" in rule.said else above.sd)


def _fault(rule: ClaimRule, search: IssuedClaims, places: list[Path]) -> str:
    path, withheld, revealed = rule.path, 0, search.revealed
    if len(path) == 1 and isinstance(path[0], str):  # nearly every rule: the same counts, by looking it up
        found, disclosed = int(path[0] in revealed.claims), places.count(path)
    else:
        counted = search.count(path)
        if counted is None:
            return f"{to_text(path)} leads through what is no object or no array"
        found, withheld = counted
        disclosed = sum(len(place) == len(path) and covers(path, place) for place in places)
    if rule.sd == "always" and disclosed < found:
        return f"{to_text(path)} must be selectively disclosable"
    if rule.sd == "never" and (disclosed or withheld):
        return f"{to_text(path)} must not be selectively disclosable"
    is_seen = rule.sd == "never" and len(path) == 1  # what stands above a deeper one may be withheld
    if rule.mandatory and not found and not withheld and (is_seen or not revealed.undisclosed):
        return f"{to_text(path)} is missing"
    return ""


def _matches(document: bytes, integrity: Any) -> bool:
    """Of several values the strongest algorithm's count; compared as octets (SD-JWT VC, 6)."""
    if not is_integrity(integrity):
        return False
    values = [value.partition("?")[0].partition("-") for value in integrity.split()]
    for name in _HASHES:
        wanted = [digest for algorithm, _, digest in values if algorithm == name]
        if wanted:
            return hashlib.new(name, document).digest() in map(_octets, wanted)
    return False


def _octets(digest: str) -> bytes | None:
    """The digest's bytes; W3C SRI takes either alphabet of base64 (CSP 3, base64-value)."""
    try:
        plain = digest.rstrip("=").translate(_PLAIN)
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return None


def _locales(text: Text) -> tuple[tuple[str, str], ...]:
    return (("zh-CN", text.zh), ("en", text.en))


def _both(labels: tuple[tuple[str, str], ...]) -> Text:
    by_language = {locale.partition("-")[0].lower(): label for locale, label in labels}
    any_label = labels[0][1]
    return Text(by_language.get("zh", any_label), by_language.get("en", any_label))
