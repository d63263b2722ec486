"""What letters say: the text that a look shows, by fonts of which it can be told.

A font says little about what its letters look like. Those that count here are the ones that every reader has,
and those that the signed revision had already, as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.parsing import Name, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signing.pdf.parsing import Value
    from signing.pdf.revisions.looks import Look, Shown
    from signing.pdf.revisions.sameness import Comparison

_FAMILIES = ("Helvetica", "Courier", "Times", "Arial", "TimesNewRoman", "CourierNew")
_STYLES = frozenset({"", "Roman", "Bold", "Italic", "Oblique", "BoldItalic", "BoldOblique"})
OF_ONE_OCTET, MAX_ABOVE = ("latin-1", "cp1252"), 32
MIN_WIDTH, USUAL_WIDTH, MAX_WIDTH = 100, 500, 1500  # of a letter, in thousandths of its size
_NAMED = (None, "WinAnsiEncoding", "MacRomanEncoding", "StandardEncoding", "PDFDocEncoding")
_SYMBOLS = ("Symbol", "Dingbat", "ZaDb", "Wingding", "Webding")
_WIDE = ("UCS2-H", "UTF16-H")  # CMaps whose codes are those of Unicode (ISO 32000-2, 9.7.5.2)
_SIGNS = (
    "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus"
    " comma hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal"
    " greater question at"
)
_SIGNS_BEHIND = "bracketleft backslash bracketright asciicircum underscore grave"
_LAST_SIGNS = "braceleft bar braceright asciitilde"


def _glyphs() -> dict[int, str]:
    """The names of the letters of ASCII, by code."""
    names = dict(enumerate(_SIGNS.split(), 0x20))
    names |= {code: chr(code) for code in (*range(0x41, 0x5B), *range(0x61, 0x7B))}
    names |= dict(enumerate(_SIGNS_BEHIND.split(), 0x5B))
    return names | dict(enumerate(_LAST_SIGNS.split(), 0x7B))


GLYPHS = _glyphs()
_LIKE = {"minus": "hyphen", "sfthyphen": "hyphen", "quoteright": "quotesingle", "quoteleft": "grave"}


def readings(comparison: Comparison, look: Look, page: Value) -> Iterator[str]:
    """What can be read in a look, white space left out, by each reading of its octets; none by odd fonts.

    A font that the look does not bring is looked for by readers in the form and on the page; one that is
    nowhere they replace by one of their own.
    """
    others = list(_others(comparison, page))
    kinds = [_encodings(comparison, look, piece, others) for piece in look.shown]
    if not kinds or not all(kinds):
        return
    for way in (0, 1):
        text = "".join(
            piece.text.decode(codes[min(way, len(codes) - 1)], "replace")
            for piece, codes in zip(look.shown, kinds, strict=True)
        )
        yield "".join(text.split())


def _others(comparison: Comparison, page: Value) -> Iterator[dict[str, Value]]:
    """Where else fonts are found: in the form, on the page, above it."""
    new = comparison.new
    form = new.get(new.get(new.root, "AcroForm"), "DR")
    places = [new.get(form, "Font")]
    for _ in range(MAX_ABOVE):
        page = new.resolve(page)
        places.append(new.get(new.get(page, "Resources"), "Font"))
        page = page.get("Parent") if type(page) is dict else None
    yield from (one for one in places if type(one) is dict)


def is_ordinary(comparison: Comparison, name: str, page: Value, value: Value) -> bool:
    """Whether a font by which readers draw a value themselves has ordinary letters, one beside the other."""
    found = [one[name] for one in _others(comparison, page) if name in one]
    text = value if type(value) is bytes else b""
    if text.startswith(b"\xfe\xff"):
        text = text[2:].decode("utf-16-be", "replace").encode("cp1252", "ignore")
    text = text.translate(None, b"\r\n\t")
    return all(
        _encodings_of(comparison, one, text) and _are_usual(_widths(comparison, one, text)) for one in found
    )


def _encodings(
    comparison: Comparison, look: Look, piece: Shown, others: list[dict[str, Value]]
) -> tuple[str, ...]:
    """How the octets of text in a font may be read; nothing where that cannot be told."""
    name = piece.font
    fonts = look.fonts if type(look.fonts) is dict else {}
    known = [fonts[name]] if name in fonts else [one[name] for one in others if name in one]
    if not all(_is_in_sight(comparison, look, piece, one) for one in known or [None]):
        return ()
    found = {_encodings_of(comparison, one, piece.text) for one in known}
    return found.pop() if len(found) == 1 else () if found else OF_ONE_OCTET


def _encodings_of(comparison: Comparison, given: Value, text: bytes) -> tuple[str, ...]:
    new = comparison.new
    font = new.resolve(given)
    kind, base = new.get(font, "Subtype"), new.get(font, "BaseFont")
    described = new.get(new.get(font, "FontDescriptor"), "FontName")
    if not isinstance(base, Name) or any(one in base for one in _SYMBOLS) or described not in (None, base):
        return ()
    was_there = _was_there(comparison, given)
    if kind == "Type0":
        encoding = new.get(font, "Encoding")
        wide = isinstance(encoding, Name) and encoding.startswith("Uni") and encoding.endswith(_WIDE)
        return ("utf-16-be",) if wide and (was_there or not _has_program(comparison, font)) else ()
    if kind not in ("Type1", "TrueType", "MMType1") or not _is_usual(
        comparison, new.get(font, "Encoding"), text
    ):
        return ()
    return OF_ONE_OCTET if was_there or _is_everywhere(comparison, font, base) else ()


def _is_in_sight(comparison: Comparison, look: Look, piece: Shown, font: Value) -> bool:
    """Whether a text begins and ends where it is seen, each letter beside the one before."""
    widths = list(_widths(comparison, font, piece.text))
    if not _are_usual(widths):
        return False
    long = sum(one or 0 for one in widths) / 1000 * piece.size
    return look.begins_in_sight(piece) and piece.place[0] + long <= look.box[2] + piece.size / 2


def _are_usual(widths: Iterable[float | None]) -> bool:
    return all(one is not None and MIN_WIDTH <= one <= MAX_WIDTH for one in widths)


def _widths(comparison: Comparison, given: Value, text: bytes) -> Iterator[float | None]:
    """How wide the letters of a text are, in thousandths; None for what cannot be told."""
    new = comparison.new
    font = new.resolve(given)
    below = new.get(font, "DescendantFonts")
    if new.get(font, "Subtype") == "Type0":
        one = new.resolve(below[0]) if type(below) is list and len(below) == 1 else None
        usual = new.get(one, "DW") if type(one) is dict and "DW" in one else 1000
        listed = new.get(one, "W")
        inner = [new.resolve(item) for item in listed] if type(listed) is list else []
        pairs = all(type(item) is (list if index % 2 else int) for index, item in enumerate(inner))
        yield usual if type(usual) in {int, float} and (listed is None or pairs) else None
        for item in inner[1::2] if pairs else ():
            yield from (
                new.resolve(wide) if type(new.resolve(wide)) in {int, float} else None for wide in item
            )
        return
    first, widths = new.get(font, "FirstChar"), new.get(font, "Widths")
    if widths is None:  # of a font that every reader has
        yield from [USUAL_WIDTH] * len(text)
        return
    for code in text:
        place = code - first if type(first) is int else -1
        value = new.resolve(widths[place]) if type(widths) is list and 0 <= place < len(widths) else None
        yield value if type(value) in {int, float} else None


def _was_there(comparison: Comparison, font: Value) -> bool:
    """Whether a font is an object that the state before had, as it is."""
    return (
        type(font) is Ref
        and comparison.old.identity(font.number) is not None
        and comparison.old.identity(font.number) == comparison.new.identity(font.number)
        and font.number not in comparison.tainted
    )


def _is_everywhere(comparison: Comparison, font: Value, base: Name) -> bool:
    """Whether a font is one of those that every reader has (ISO 32000-1, 9.6.2.2), and brings none."""
    family, _, style = base.replace(",", "-").removesuffix("MT").partition("-")
    return (
        family.removesuffix("PS") in _FAMILIES
        and style.removesuffix("MT") in _STYLES
        and not _has_program(comparison, font)
    )


def _has_program(comparison: Comparison, font: Value) -> bool:
    """Whether a font brings letters of its own, itself or the one below it."""
    new = comparison.new
    below = new.get(font, "DescendantFonts")
    below = [new.resolve(one) for one in below] if type(below) is list else []
    for one in (font, *below):
        described = new.get(one, "FontDescriptor")
        if new.get(one, "CIDToGIDMap") not in (None, "Identity"):
            return True
        if type(described) is dict and any(key.startswith("FontFile") for key in described):
            return True
    return False


def _is_usual(comparison: Comparison, encoding: Value, text: bytes) -> bool:
    """Whether the codes of ASCII mean its letters, and no other code of a text means something new."""
    new = comparison.new
    if type(encoding) is not dict:
        return encoding in _NAMED
    if new.get(encoding, "BaseEncoding") not in _NAMED:
        return False
    code, changed = 0, new.get(encoding, "Differences")
    for item in changed if type(changed) is list else ():
        if type(item) is int:
            code = item
        elif isinstance(item, Name):
            if GLYPHS.get(code, item) not in {item, _LIKE.get(item)}:
                return False
            if code not in GLYPHS and code in text:
                return False
            code += 1
        else:
            return False
    return True
