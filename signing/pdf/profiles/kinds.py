"""The kinds of signature of the domain, each by one verb, put on by a `Seal` (key, face, time-stamps)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from signing import cms
from signing.pdf.profiles.addition import Addition
from signing.pdf.profiles.statement import Statement, name_of
from signing.pdf.reading import RFC3161, Reading
from yinxin.base.errors import MalformedInput, NotFound, UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Unpack

    from signing.pdf.face import SealFace
    from signing.pdf.seal import Seal


class Shown(TypedDict, total=False):
    """What may be asked of every signature; see `Seal.apply`."""

    page: int
    at: tuple[float, float] | None
    reason: str | None
    location: str | None


class Asked(Shown, total=False):
    """The same, and in which field."""

    field: str | None


def seal_as_agency(
    seal: Seal,
    pdf: bytes,
    *,
    now: datetime,
    straddles: bool = False,
    is_final: bool = False,
    **asked: Unpack[Asked],
) -> bytes:
    """The document under an agency's seal, which certifies it and so has to be its first signature.

    With `straddles` the seal's face also stands across the edges of all pages (骑缝章), in the same
    revision. `is_final`: nothing may follow (DocMDP 1); else forms may be filled and others sign (DocMDP 2).
    `Conflict` where somebody signed before, `UsageError` for a straddle seal without a face or on a low page.
    """
    addition = of_agency(seal.face, straddles=straddles, is_final=is_final)
    return seal.apply(pdf, now=now, addition=addition, **asked)


def of_agency(face: SealFace | None, *, straddles: bool = False, is_final: bool = False) -> Addition:
    """What an agency's seal adds: see `seal_as_agency`."""
    if straddles and face is None:
        raise UsageError("a straddle seal needs a seal face")
    return Addition(is_final=is_final, across=face if straddles else None, is_certifying=True)


def sign_as_citizen(
    seal: Seal,
    pdf: bytes,
    *,
    now: datetime,
    commitment: str = "approval",
    roles: tuple[str, ...] = (),
    **asked: Unpack[Asked],
) -> bytes:
    """The document signed by a person, who says what they commit to, in which roles, and why.

    `commitment` is a row of `COMMITMENTS`. The reason goes into the signed statement: EN 319 142-1 keeps it
    out of the signature dictionary beside a commitment.
    """
    return seal.apply(pdf, now=now, addition=of_citizen(commitment, roles), **asked)


def of_citizen(commitment: str = "approval", roles: tuple[str, ...] = ()) -> Addition:
    """What a person's signature adds: see `sign_as_citizen`."""
    return Addition(commitment, tuple(roles))


def countersign(  # noqa: PLR0913 - what is said of one signature, all by name
    seal: Seal,
    pdf: bytes,
    *,
    of: str | tuple[str, ...],
    now: datetime,
    as_witness: bool = False,
    roles: tuple[str, ...] = (),
    **asked: Unpack[Asked],
) -> bytes:
    """A later signature that names earlier ones, by their fields `of`: a counter-signature, or a witness's.

    They are named by the digests of their values, so that no other signature can take their place.
    `NotFound` for a field that nobody signed. Whether the earlier ones are good is for `verify` to say.
    """
    wanted = (of,) if isinstance(of, str) else tuple(of)
    names = tuple(_name(pdf, field) for field in wanted)
    addition = Addition("witness" if as_witness else "countersignature", tuple(roles), Statement(names=names))
    return seal.apply(pdf, now=now, addition=addition, **asked)


def _name(pdf: bytes, field: str) -> str:
    """What a statement calls the signature in a field."""
    found = [one for one in Reading(pdf).signatures() if one.field == field and one.kind != RFC3161]
    if len(found) != 1 or found[0].problem:
        raise NotFound(f"no signature in a field {field!r}")
    try:
        return name_of(cms.parse(found[0].contents, padded=True).signature)
    except MalformedInput as exc:
        raise NotFound(f"the signature in {field!r} cannot be read") from exc
