"""What letters say: the text that a look shows, by fonts of which it can be told.

A font says little about what its letters look like. Those that count here are the ones that every reader has,
and those that the signed revision had already, as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.pdf.parsing import Name, Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.pdf.parsing import Value
    from signing.pdf.revisions.looks import Look
    from signing.pdf.revisions.sameness import Comparison

_FAMILIES = ("Helvetica", "Courier", "Times", "Arial", "TimesNewRoman", "CourierNew")
_STYLES = frozenset({"", "Roman", "Bold", "Italic", "Oblique", "BoldItalic", "BoldOblique"})
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


def readings(comparison: Comparison, look: Look) -> Iterator[str]:
    """What can be read in a look, white space left out, by each reading of its octets; none by odd fonts."""
    kinds = [_encodings(comparison, look, piece.font) for piece in look.shown]
    if not kinds or not all(kinds):
        return
    for way in (0, 1):
        text = "".join(
            piece.text.decode(codes[min(way, len(codes) - 1)], "replace")
            for piece, codes in zip(look.shown, kinds, strict=True)
        )
        yield "".join(text.split())


def _encodings(comparison: Comparison, look: Look, name: str) -> tuple[str, ...]:
    """How the octets of text in a font may be read; nothing where that cannot be told."""
    new = comparison.new
    fonts = look.fonts if type(look.fonts) is dict else {}
    font = new.resolve(fonts.get(name))
    kind, base = new.get(font, "Subtype"), new.get(font, "BaseFont")
    if not isinstance(base, Name) or any(one in base for one in _SYMBOLS):
        return ()
    was_there = _was_there(comparison, fonts.get(name))
    if kind == "Type0":
        encoding = new.get(font, "Encoding")
        wide = isinstance(encoding, Name) and encoding.startswith("Uni") and encoding.endswith(_WIDE)
        return ("utf-16-be",) if wide and (was_there or not _has_program(comparison, font)) else ()
    if kind not in ("Type1", "TrueType", "MMType1") or not _is_usual(comparison, new.get(font, "Encoding")):
        return ()
    return ("latin-1", "cp1252") if was_there or _is_everywhere(comparison, font, base) else ()


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


def _is_usual(comparison: Comparison, encoding: Value) -> bool:
    """Whether the codes of ASCII mean its letters."""
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
            code += 1
        else:
            return False
    return True
