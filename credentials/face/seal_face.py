"""Draw an agency's seal face: a red ring, its name on the arc, a star or a plain centre, a code below.

Sizes follow the State Council's rules on official seals (4.5 cm for bureaus and districts, 4.2 cm for their
offices and for enterprises). The picture of a seal has no force by itself: only the signature has.
"""

from __future__ import annotations

from functools import cache

from credentials.face.fonts import missing_characters
from credentials.face.typst_engine import Engine
from signing.pdf.face import SealFace
from yinxin.base.errors import InvalidClaims, UsageError
from yinxin.base.text import Text

AGENCY_MM, OFFICE_MM, ENTERPRISE_MM = 45.0, 42.0, 40.0
RED, CLEAR = "#d7000f", 0.16  # how much of what stands below shows through the ink
MAX_NAME = 28


def draw_seal_face(  # noqa: PLR0913 - what distinguishes one face from another
    name: str,
    *,
    code: str = "",
    purpose: str = "",
    size_mm: float = AGENCY_MM,
    star: bool = True,
    dots_per_inch: float = 300,
) -> SealFace:
    """A seal face as PNG with a transparent ground.

    `purpose` stands below the star (行政审批专用章), `code` small along the lower edge (the number that
    the seal is filed under). `InvalidClaims` for a name that is empty, too long or holds a character that
    the font lacks.
    """
    if not 20 <= size_mm <= 60:
        raise UsageError("a round seal is 20 to 60 mm wide")
    faults = [*_faults("name", name, MAX_NAME), *_faults("purpose", purpose, 12), *_faults("code", code, 20)]
    if not name:
        faults.append(("name", Text("印章名称为空", "the seal needs a name")))
    if faults:
        raise InvalidClaims(faults=faults)
    return SealFace(_draw(name, code, purpose, size_mm, star, dots_per_inch), size_mm, size_mm)


@cache
def _draw(  # noqa: PLR0913, PLR0917 - one cached drawing
    name: str,
    code: str,
    purpose: str,
    size_mm: float,
    star: bool,  # noqa: FBT001 - the same
    dots_per_inch: float,
) -> bytes:
    data = {
        "name": name,
        "code": code,
        "purpose": purpose,
        "size": size_mm,
        "star": star,
        "colour": RED,
        "clear": CLEAR,
        "rim": 0.026,
    }
    return Engine().png("seal", data, dots_per_inch=dots_per_inch)


def _faults(field: str, value: str, most: int) -> list[tuple[str, Text]]:
    if len(value) > most:
        return [(field, Text(f"超过 {most} 个字符", f"is longer than {most} characters"))]
    missing = " ".join(missing_characters(value))
    return [(field, Text(f"字库缺字：{missing}", f"the font lacks: {missing}"))] if missing else []
