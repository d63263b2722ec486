"""Whether an empty field was filled in, and nothing more: what nobody needs to sign for.

A field that showed something when the document was signed must not show something else. One that showed
nothing may show the value that it got, in letters that say so, within its place and over nothing that it did
not cover before (the attacks that are called shadow attacks exchange what fields show).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from signing.pdf.parsing import Name
from signing.pdf.revisions.changes import is_legible, legible
from signing.pdf.revisions.lettering import is_ordinary, readings
from signing.pdf.revisions.looks import AUTOMATIC, Look, Painted, read_letters, read_look

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from signing.pdf.parsing import Document, Value
    from signing.pdf.revisions.sameness import Comparison

MAX_ABOVE, MAX_TOLD = 32, 200
MIN_LETTER, MAX_LETTER, MAX_LIGHT = 3.0, 48.0, 0.7  # of a letter in points; how light (1 is white)
MAX_BOX_SIDE, MAX_STROKES = 40.0, 10  # of a box to tick, in points; pieces of its mark
# What a mark is made of: ticks, crosses, stars and dots, by the names that the two fonts go under.
MARKS = {"ZapfDingbats": b"34568lnuH", "ZaDb": b"34568lnuH", "Helvetica": b"xX", "Helvetica-Bold": b"xX"}
PUSH_BUTTON, PASSWORD, RICH, MULTILINE = 1 << 16, 1 << 13, 1 << 25, 1 << 12
_WITH_VALUE = frozenset({"V", "AP", "AS", "I", "M"})
_WITHIN = 0.5
UTF_8 = b"\xef\xbb\xbf"
LINES = dict.fromkeys(map(ord, "\r\n\t"), " ")
# PDFDocEncoding where it is not Latin-1 (ISO 32000-2, D.2).
_SIGNS = "\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018"
_SIGNS += (
    "\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e\ufffd\u20ac"
)
_ACCENTS = "\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc"
_PDF_DOC = dict(enumerate(_ACCENTS, 0x18)) | dict(enumerate(_SIGNS, 0x80))


@dataclass(frozen=True, slots=True)
class Filling:
    """Judges one field, or one of its widgets, in two states."""

    comparison: Comparison
    kind: str

    def is_plain(
        self,
        owner: tuple[Mapping[str, Value], Mapping[str, Value]],
        widget: tuple[Mapping[str, Value], Mapping[str, Value]],
    ) -> bool:
        """Whether it was empty and shows its new value now, and that is all."""
        old = self.comparison.old
        (before, after), (a, b) = owner, widget
        flags = [old.get(part, "Ff") for part in (before, a, *self._above(old, before))]
        if any(
            type(one) is int and one & (PUSH_BUTTON if self.kind == "Btn" else PASSWORD | RICH)
            for one in flags
        ):
            return False
        others = [key for key in a.keys() | b.keys() if key not in _WITH_VALUE]
        return (
            all(key in a and key in b and self.comparison.same(a[key], b[key]) for key in others)
            and not self._is_another_form()
            and self._was_empty(before)
            and self._was_empty(a)
            and not any("V" in one or "RV" in one for one in self._above(old, a))
            and (self._is_ticked(after, a, b) if self.kind == "Btn" else self._is_written(after, a, b))
        )

    def _is_another_form(self) -> bool:
        """Whether some readers show another form in its place (XFA)."""
        new = self.comparison.new
        form = new.get(new.root, "AcroForm")
        return "XFA" in form if type(form) is dict else True

    def _was_empty(self, entries: Mapping[str, Value]) -> bool:
        old = self.comparison.old
        value = old.resolve(entries.get("V"))
        nothing = value in ((None, "Off") if self.kind == "Btn" else (None, b"", b"\xfe\xff", []))
        return nothing and "RV" not in entries and (self.kind == "Btn" or "AS" not in entries)

    def _above(self, document: Document, entries: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
        """What a field inherits from, nearest first."""
        for _ in range(MAX_ABOVE):
            found = document.resolve(entries.get("Parent"))
            if type(found) is not dict:
                return
            yield found
            entries = found

    # Text and choices

    def _is_written(self, after: Mapping[str, Value], a: Mapping[str, Value], b: Mapping[str, Value]) -> bool:
        """Whether the look, where there is a new one, draws the value and what was drawn around it before."""
        old, new = self.comparison.old, self.comparison.new
        texts = self._texts(after, b)
        if texts is None or "AS" in b or not self._is_chosen(after, b):
            return False
        form = new.get(new.root, "AcroForm")
        if ("AP" not in b or new.get(form, "NeedAppearances") is not None) and not self._is_drawn_well(
            after, b
        ):
            return False
        if "AP" not in a and "AP" not in b:
            return True
        was = self._look(old, a.get("AP"))
        now = self._look(new, b.get("AP"))
        if now is None or ("AP" in a and (was is None or not was.is_blank)):
            return False
        if self.comparison.same(a.get("AP"), b.get("AP"), drawn=True):
            return True
        return (
            self._is_same_frame(was, now)
            and self._fits(now, b)
            and any(one in texts for one in readings(self.comparison, now, b.get("P")))
        )

    def _texts(self, after: Mapping[str, Value], widget: Mapping[str, Value]) -> set[str] | None:
        """What may be read in a field with this value, white space left out; None for no text.

        Nor is one a text that readers may take for another: letters that are not seen, or turn others round.
        """
        new = self.comparison.new
        value = new.resolve(after.get("V"))
        if type(value) is not bytes:
            return None
        found = {value}
        choices = new.get(after, "Opt") if self.kind == "Ch" else None
        for item in islice(choices, 1000) if type(choices) is list else ():
            pair = new.resolve(item)
            pair = [new.resolve(one) for one in pair] if type(pair) is list else []
            if len(pair) == 2 and pair[0] == value and type(pair[1]) is bytes:
                found.add(pair[1])
        if value.startswith(UTF_8) and "AP" not in after and "AP" not in widget:
            return None  # readers before PDF 2.0 take its octets for other letters
        texts = {spelling(one) for one in found}
        if not all(is_legible(text.translate(LINES)) for text in texts):
            return None
        return {"".join(text.split()) for text in texts}

    def _is_drawn_well(self, after: Mapping[str, Value], widget: Mapping[str, Value]) -> bool:
        """Whether readers that draw a value themselves draw it in dark letters of an ordinary size."""
        new = self.comparison.new
        form = new.get(new.root, "AcroForm")
        places = (widget, after, *self._above(new, widget), form if type(form) is dict else {})
        said = next((one["DA"] for one in places if "DA" in one), b"")
        letters, rect = read_letters(new, new.resolve(said)), self._rectangle(widget)
        if letters is None or rect is None:
            return "Rect" not in widget and letters is not None
        flags = next((new.get(one, "Ff") for one in places if "Ff" in one), 0)
        many = type(flags) is int and bool(flags & MULTILINE)
        size = letters.size or AUTOMATIC
        fits = (
            (many or rect[1] <= MAX_LETTER)
            if size == AUTOMATIC
            else MIN_LETTER <= size <= min(MAX_LETTER, rect[1])
        )
        return (
            fits
            and letters.lightness <= MAX_LIGHT
            and is_ordinary(self.comparison, letters.font, widget.get("P"), new.resolve(after.get("V")))
        )

    def _is_chosen(self, after: Mapping[str, Value], widget: Mapping[str, Value]) -> bool:
        """Whether the place in the list of choices, where it is said, is that of the value."""
        new = self.comparison.new
        if "I" not in widget and "I" not in after:
            return True
        place, choices = new.get(widget, "I") or new.get(after, "I"), new.get(after, "Opt")
        place = new.resolve(place[0]) if type(place) is list and len(place) == 1 else None
        if self.kind != "Ch" or type(place) is not int or type(choices) is not list:
            return False
        chosen = new.resolve(choices[place]) if 0 <= place < len(choices) else None
        chosen = new.resolve(chosen[0]) if type(chosen) is list and chosen else chosen
        return chosen is not None and chosen == new.resolve(after.get("V"))

    def _look(self, document: Document, looks: Value) -> Look | None:
        """The one look that there is; None where there are more, or it cannot be told."""
        looks = document.resolve(looks)
        if type(looks) is not dict or looks.keys() != {"N"}:
            return None
        return read_look(document, document.resolve(looks["N"]))

    def _is_same_frame(self, was: Look | None, now: Look) -> bool:
        """Whether nothing else is drawn than before; where nothing was, a thin line around it may be."""
        if was is not None:
            return now.painted == was.painted and now.box == was.box
        return len(now.painted) <= 1 and all(_is_border(one, now) for one in now.painted)

    def _fits(self, look: Look, widget: Mapping[str, Value]) -> bool:
        """Whether the box is the field's own, so that nothing is drawn larger than it says."""
        rect = self._rectangle(widget)
        if rect is None:
            return False
        wide, high = rect
        box = look.box[2] - look.box[0], look.box[3] - look.box[1]
        return (
            abs(box[0] - wide) <= _WITHIN
            and abs(box[1] - high) <= _WITHIN
            and all(MIN_LETTER <= one.size <= min(MAX_LETTER, high) for one in look.shown)
            and all(one.lightness <= MAX_LIGHT for one in look.shown)
        )

    def _rectangle(self, widget: Mapping[str, Value]) -> tuple[float, float] | None:
        new = self.comparison.new
        value = new.resolve(widget.get("Rect"))
        numbers = [new.resolve(item) for item in value] if type(value) is list else []
        if len(numbers) != 4 or not all(type(one) in {int, float} for one in numbers):
            return None
        return abs(numbers[2] - numbers[0]), abs(numbers[3] - numbers[1])

    # Boxes to tick

    def _is_ticked(self, after: Mapping[str, Value], a: Mapping[str, Value], b: Mapping[str, Value]) -> bool:
        """Whether it shows the state that its value names, by a mark that is small and says nothing else."""
        new = self.comparison.new
        value = new.resolve(after.get("V"))
        if not isinstance(value, Name) or "I" in b:
            return False
        if "Rect" not in b and "AP" not in b:  # what holds widgets is not seen itself
            return True
        if new.get(new.get(new.root, "AcroForm"), "NeedAppearances") is not None:
            return False
        was, now = self.comparison.old.resolve(a.get("AS")), new.resolve(b.get("AS"))
        looks = new.get(b.get("AP"), "N") if "AP" in b else None
        states = new.resolve(looks)
        if type(states) is not dict or was not in (None, "Off") or new.get(b, "AP").keys() - {"N", "D"}:
            return False
        if value not in states:
            return now in (None, "Off")
        return now == value and self._is_mark(states, value, b)

    def _is_mark(self, states: Mapping[str, Any], value: Name, widget: Mapping[str, Value]) -> bool:
        new = self.comparison.new
        size = self._rectangle(widget)
        on = read_look(new, new.resolve(states[value]))
        off = read_look(new, new.resolve(states["Off"])) if "Off" in states else None
        if size is None or max(size) > MAX_BOX_SIDE or on is None or ("Off" in states and off is None):
            return False
        frame = off.painted if off else ()
        mark = on.painted[len(frame) :]
        letters = b"".join(one.text for one in on.shown).strip()
        return (
            on.painted[: len(frame)] == frame
            and (off is None or off.is_blank)
            and all(one.lightness <= MAX_LIGHT for one in mark)
            and all(one.lightness <= MAX_LIGHT for one in on.shown)
            and sum(len(one.way) for one in mark) <= MAX_STROKES
            and len(letters) <= 1
            and all(self._is_mark_of(on, one.font, one.text.strip()) for one in on.shown)
        )

    def _is_mark_of(self, look: Look, name: str, letter: bytes) -> bool:
        """Whether a letter is a mark, in a font that every reader has with its own letters."""
        new = self.comparison.new
        font = new.get(look.fonts, name)
        base = new.get(font, "BaseFont")
        return (
            new.get(font, "Subtype") == "Type1"
            and isinstance(base, Name)
            and letter in MARKS.get(base, b"")
            and new.get(font, "FontDescriptor") is None
            and type(new.get(font, "Encoding")) in {type(None), Name}
        )


def spelling(text: bytes) -> str:
    """What a text string says (ISO 32000-2, 7.9.2.2)."""
    for mark, encoding in ((b"\xfe\xff", "utf-16-be"), (UTF_8, "utf-8")):
        if text.startswith(mark):
            return text[len(mark) :].decode(encoding, "replace")
    return text.decode("latin-1").translate(_PDF_DOC)


def _is_border(painted: Painted, look: Look) -> bool:
    """Whether it is a thin line along the edge."""
    way = painted.way
    left, bottom, right, top = look.box
    if painted.operator not in {"S", "s"} or len(way) != 1 or way[0][0] != "re":
        return False
    _, x, y, width, height = way[0]
    wide = [given for name, given in painted.lines if name == "w"]
    return (
        painted.shift == (0.0, 0.0)
        and 0 <= x - left <= 2
        and 0 <= y - bottom <= 2
        and abs(right - left - width) <= 4
        and abs(top - bottom - height) <= 4
        and (not wide or wide[0] in {"[0]", "[0.5]", "[1]", "[1.0]", "[2]"})
    )


def told(field: Mapping[str, Value], document: Document) -> str:
    """The value of a field for people, shortened; of a choice with its label."""
    found, choices = document.resolve(field.get("V")), document.get(field, "Opt")
    if isinstance(found, Name):
        return shortened(found)
    text = shortened(spelling(found)) if type(found) is bytes else ""
    for item in islice(choices, 1000) if type(choices) is list else ():
        pair = document.resolve(item)
        pair = [document.resolve(one) for one in pair] if type(pair) is list else []
        if len(pair) == 2 and pair[0] == found and type(pair[1]) is bytes and pair[1] != found:
            return f"{text} ({shortened(spelling(pair[1]))})"
    return text


def shortened(text: str) -> str:
    """A text for people, on one line; where more follows, it says so."""
    text = " ".join(legible(text).split())
    return str(text) if len(text) <= MAX_TOLD else f"{text[:MAX_TOLD]}…"
