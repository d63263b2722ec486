"""One copy of a licence, in either of its forms, read for its holder.

An SD-JWT VC and an mdoc of one licence say the same. An mdoc says it under namespaces and leaves type and
times to its security object; here both use the words of the JSON form, so that the wallet knows one licence.
Nothing is verified: what lies in the store was.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from credentials.dcql import MDOC, SD_JWT_VC, Candidate
from credentials.key_binding import holder_key
from credentials.mdoc.json_form import as_json
from credentials.mdoc.structures import IssuerSigned, read_issuer_signed, to_plain
from credentials.sd_jwt import SdJwt
from credentials.vocabulary import DELEGATION, LICENCE_IDENTIFIER, OF_THE_COPY
from signing.base64url import decode_base64url
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.copies import CopyForm
    from credentials.mdoc import VerifiedMdoc
    from credentials.mdoc.items import Item
    from credentials.verifier import VerifiedCredential
    from signing.keys import PublicKey
    from signing.report import Report

    CopyReport: TypeAlias = Report[VerifiedCredential] | Report[VerifiedMdoc]

FORMS: tuple[CopyForm, ...] = (SD_JWT_VC, MDOC)
_PICTURES = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}  # what they begin with
_OF_THE_MDOC = frozenset({"vct", "iat", "exp", "status"})  # what its security object says, as JSON names it

Element = tuple[str, str]  # namespace and name


@dataclass(frozen=True, slots=True)
class ReadCopy:
    """What a copy says. `text` is it as it travels, an mdoc in base64url.

    `type` is the `vct` or the document type; `claims` are all that it says, with `status` and `exp`; `issuer`
    is the `iss`, which an mdoc does not name. `parsed` is the form's own value.
    """

    form: CopyForm
    text: str
    type: str
    claims: Mapping[str, Any]
    issuer: str | None
    parsed: SdJwt | IssuerSigned

    @property
    def key(self) -> PublicKey | None:
        """The holder's key that it is bound to; `MalformedInput` for one that cannot be read."""
        if isinstance(self.parsed, SdJwt):
            return holder_key(self.parsed.payload)
        return self.parsed.security_object().device_key

    @property
    def candidate(self) -> Candidate:
        """What a query looks at."""
        if isinstance(self.parsed, SdJwt):
            return Candidate.of(self.parsed)
        return Candidate.of_mdoc(self.parsed)

    @property
    def content(self) -> Mapping[str, Any]:
        """What it says of its licence, as every other copy of it does, in either form."""
        return {name: value for name, value in self.claims.items() if name not in OF_THE_COPY}

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in hex: the name of this copy."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()

    @property
    def licence(self) -> str:
        """The name under which the licence is kept: its identifier, or the copy's own where it has none."""
        named, delegation = self.claims.get(LICENCE_IDENTIFIER), self.claims.get(DELEGATION)
        if isinstance(delegation, str) and delegation:  # an agent's copy is another one than the holder's own
            return f"{named or DELEGATION}#{delegation}"
        return named if isinstance(named, str) and named else self.digest


def read_copy(text: str, form: CopyForm = SD_JWT_VC) -> ReadCopy:
    """Read a copy as its issuer gave it out; `MalformedInput` for anything else, a presentation too."""
    return _read_mdoc(text) if form == MDOC else _read_sd_jwt(text)


def element_values(namespaces: Mapping[str, tuple[Item, ...]]) -> dict[Element, Any]:
    """What each element says, as it would be shown."""
    return {
        (namespace, item.identifier): _shown(item.value)
        for namespace, items in namespaces.items()
        for item in items
    }


def element_names(namespaces: Mapping[str, tuple[Item, ...]]) -> dict[Element, str]:
    """What each element is called among the claims: its own name, behind its namespace where that is taken.

    No two elements have one name, nor that of what is said of the mdoc itself: what a holder agrees to show
    under a name is what is shown.
    """
    names: dict[Element, str] = {}
    taken = set(_OF_THE_MDOC)
    for namespace, items in namespaces.items():
        for item in items:
            name = item.identifier
            while name in taken:
                name = f"{namespace} {name}"
            taken.add(name)
            names[namespace, item.identifier] = name
    return names


def _read_sd_jwt(text: str) -> ReadCopy:
    parsed = SdJwt.parse(text)
    if parsed.key_binding is not None:
        raise MalformedInput("sd-jwt", "RFC 9901, 7.2: a presentation is no credential")
    claims, issuer = parsed.claims, parsed.payload.get("iss")
    kind = str(claims.get("vct", ""))
    return ReadCopy(SD_JWT_VC, text, kind, claims, issuer if isinstance(issuer, str) else None, parsed)


def _read_mdoc(text: str) -> ReadCopy:
    parsed = read_issuer_signed(decode_base64url(text))
    secured, names = parsed.security_object(), element_names(parsed.namespaces)
    said = {names[element]: value for element, value in element_values(parsed.namespaces).items()}
    times = {"iat": int(secured.signed_at.timestamp()), "exp": int(secured.valid_until.timestamp())}
    status = {} if secured.status is None else {"status": as_json(secured.status)}
    claims = {**said, "vct": secured.doc_type, **times, **status}
    return ReadCopy(MDOC, text, secured.doc_type, claims, None, parsed)


def _shown(value: Any) -> Any:
    """An element's value as the JSON form would have it; a picture as a data: address."""
    plain = to_plain(value)
    if isinstance(plain, bytes):
        for start, kind in _PICTURES.items():
            if plain.startswith(start):
                return f"data:image/{kind};base64,{base64.b64encode(plain).decode()}"
    return as_json(value)
