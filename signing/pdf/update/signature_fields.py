"""What a signature is put into: its field, its place on the page, the form, the catalogue.

The same objects as `signing.pdf.update.writing` makes for plain files, where some of them are there already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from signing.pdf.frame import MATRICES, LockingField
from signing.pdf.parsing import Name, Ref
from signing.pdf.revisions.fields import full_name
from signing.pdf.update import writing
from signing.pdf.update.draft import Draft, Spot
from signing.pdf.update.pictures import Pictures
from signing.pdf.update.syntax import NotPlain
from signing.pdf.update.values import written

if TYPE_CHECKING:
    from signing.pdf.frame import Appearance, Frame, NewField
    from signing.pdf.parsing import Document, Value
    from signing.pdf.store import Store
    from signing.pdf.update.page_tree import PageTree

_LOCK = frozenset({"Type", "Action", "Fields"})
_SIGNED_FLAGS, _FIELD_FLAGS = 3, 1  # ISO 32000-2, table 225


def put_signature(  # noqa: PLR0913 - where it goes, and what
    draft: Draft, root: Ref, pages: PageTree, frame: Frame, *, there: Ref | None, version: str
) -> None:
    """Everything round a signature; its own dictionary comes last and stays open.

    `there` is an empty field that waits for it; `version` is that of the file.
    """
    catalogue, pictures = Spot(draft, root), Pictures(draft)
    own = Ref(draft.number(), 0)
    lock = None
    if there is None:
        shown = frame.appearance
        look = pictures.form(shown).number if shown else None
        page, widget = pages.page(frame.page).ref, draft.number()
        draft.add(widget, writing.widget(widget, frame, page.number, own.number, look))
        _add_field(catalogue, page, Ref(widget, 0), flags=_SIGNED_FLAGS)
    else:
        lock = lock_of(draft.document, draft.value(there))
        _fill_field(draft, pictures, frame.appearance, there, own)
        _flag(catalogue.below("AcroForm"), _SIGNED_FLAGS)
    for number, stamp in enumerate(frame.stamps, start=1):
        page = pages.page(stamp.page).ref
        note = pictures.stamp(stamp, page=page, name=f"{frame.field}-{number}")
        Spot(draft, page).below("Annots").array().append(note)
    if frame.certify:
        catalogue.below("Perms").dictionary()["DocMDP"] = own
    if version < "2.0":
        _name_extension(catalogue, version)
    draft.add(own.number, writing.signature(own.number, frame, _references(frame, lock, root)))


def put_archive(  # noqa: PLR0913 - where it goes, and what
    draft: Draft, root: Ref, pages: PageTree, field: str, store: Store, *, version: str
) -> None:
    """Evidence in the store, and a field with a time-stamp of the document, which shows nothing."""
    catalogue, page = Spot(draft, root), pages.page(0).ref
    _keep(catalogue, store)
    own, widget = Ref(draft.number(), 0), draft.number()
    draft.add(widget, writing.hidden_widget(widget, field, page.number, own.number))
    _add_field(catalogue, page, Ref(widget, 0), flags=_SIGNED_FLAGS)
    if version < "2.0":
        _name_extension(catalogue, version)
    draft.add(own.number, writing.document_stamp(own.number))


def put_evidence(draft: Draft, root: Ref, store: Store, *, version: str) -> None:
    """Evidence in the store, and nothing else."""
    catalogue = Spot(draft, root)
    _keep(catalogue, store)
    if version < "2.0":
        _name_extension(catalogue, version)


def put_fields(draft: Draft, root: Ref, pages: PageTree, fields: tuple[NewField, ...]) -> None:
    """Empty signature fields; each locks all fields but the ones it leaves open."""
    pictures = Pictures(draft)
    for one in fields:
        page, box = pages.page(one.page).ref, one.rectangle or (0.0, 0.0, 0.0, 0.0)
        lock: dict[str, Value] = {"Type": Name("SigFieldLock"), "Action": Name("All")}
        if one.leaves_open:
            names = [_text(name) for name in one.leaves_open]
            lock |= {"Action": Name("Exclude"), "Fields": names}
        entries: dict[str, Value] = {
            "Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Sig"), "T": _text(one.name),
            "F": 132, "Rect": [round(side, 4) for side in box], "P": page, "Lock": draft.add_value(lock),
        }  # fmt: skip
        width, height = box[2] - box[0], box[3] - box[1]
        if width and height:
            entries["AP"] = {"N": pictures.empty(width, height)}
        _add_field(Spot(draft, root), page, draft.add_value(entries), flags=_FIELD_FLAGS)


def lock_of(document: Document, entries: Value) -> dict[str, Value] | None:
    """What a signature in this field is to lock (ISO 32000-2, table 236); `NotPlain` for what is more."""
    lock = document.get(entries, "Lock")
    if lock is None:
        return None
    if type(lock) is not dict or not lock.keys() <= _LOCK:
        raise NotPlain
    action, names = document.get(lock, "Action"), document.get(lock, "Fields")
    named = [document.resolve(item) for item in names] if type(names) is list else []
    if action not in {"All", "Include", "Exclude"} or not all(type(name) is bytes for name in named):
        raise NotPlain
    return {"Action": action} | ({"Fields": named} if action != "All" else {})


def locking_field(document: Document, name: str, entries: Value) -> LockingField | None:
    """A field that locks all others but some; None for any other."""
    lock = lock_of(document, entries)
    if lock is None or not name or lock["Action"] == "Include":
        return None
    leaves_open = frozenset(_name_in(one) for one in lock.get("Fields", ()))
    return LockingField(name, leaves_open, document.get(entries, "V") is not None)


def _name_in(value: bytes) -> str:
    """A text as fields have their names."""
    return full_name("", value)


def _add_field(catalogue: Spot, page: Ref, field: Ref, *, flags: int) -> None:
    form = catalogue.below("AcroForm")
    if form.value is None:
        catalogue.dictionary()["AcroForm"] = catalogue.draft.add_value({"Fields": [field], "SigFlags": flags})
    else:
        form.below("Fields").array().append(field)
        _flag(form, flags)
    Spot(catalogue.draft, page).below("Annots").array().append(field)


def _flag(form: Spot, flags: int) -> None:
    """The form says what is in it, and that no reader draws its fields anew behind a signature."""
    there = form.value
    if type(there) is not dict:
        raise NotPlain
    known = there.get("SigFlags", 0)
    if type(known) is not int:
        raise NotPlain
    if known | flags != known:
        form.dictionary()["SigFlags"] = known | flags
    if flags == _SIGNED_FLAGS and "NeedAppearances" in there:
        del form.dictionary()["NeedAppearances"]


def _fill_field(draft: Draft, pictures: Pictures, shown: Appearance | None, there: Ref, own: Ref) -> None:
    field = Spot(draft, there).dictionary()
    field["V"] = own
    if shown is not None:
        field["AP"] = {"N": _look(draft, pictures, shown, field)}


def _look(draft: Draft, pictures: Pictures, shown: Appearance, widget: dict[str, Value]) -> Ref:
    """The appearance of a field that waited: it has a place of its own, perhaps on a page that is turned."""
    sides = draft.resolve(widget.get("Rect"))
    if type(sides) is not list or len(sides) != 4 or not all(type(one) in {int, float} for one in sides):
        raise NotPlain
    rotate = _rotation(draft, widget.get("P"), shown.rotate)
    across, along = abs(sides[0] - sides[2]), abs(sides[1] - sides[3])
    room = (along, across) if rotate in {90, 270} else (across, along)
    fits = abs(room[0] - shown.width) + abs(room[1] - shown.height) < 0.01
    if rotate not in MATRICES or not all(room) or (fits and rotate == shown.rotate):
        return pictures.form(shown)
    return pictures.form(replace(shown, rotate=rotate), room=room)


def _rotation(draft: Draft, page: Value, otherwise: int) -> int:
    """How the page of a widget is turned."""
    node = draft.resolve(page)
    if type(node) is not dict:
        return otherwise
    for _ in range(32):
        turned = draft.resolve(node.get("Rotate"))
        if type(turned) is int:
            return turned % 360
        node = draft.resolve(node.get("Parent"))
        if turned is not None or type(node) is not dict:
            break
    return 0


def _name_extension(catalogue: Spot, version: str) -> None:
    """EN 319 142-1, 5.6: files before PDF 2.0 say which extension they use, and extensions came with 1.7."""
    if version < "1.7":
        catalogue.dictionary()["Version"] = Name("1.7")
    extensions = catalogue.below("Extensions")
    there = extensions.value if extensions.value is not None else {}
    named = catalogue.draft.resolve(there.get("ESIC")) if type(there) is dict else 0
    if named is None:
        extensions.dictionary()["ESIC"] = {
            "Type": Name("DeveloperExtensions"),
            "BaseVersion": Name("1.7"),
            "ExtensionLevel": 1,
        }
    elif type(named) is not dict or type(named.get("ExtensionLevel")) is not int:
        raise NotPlain


def _references(frame: Frame, lock: dict[str, Value] | None, root: Ref) -> bytes:
    """What a signature says of what may follow: its certification, and what its field locks."""
    found = [writing.certification(frame.permission)] if frame.certify else []
    if lock is not None:
        level = {"P": frame.permission} if frame.certify else {}
        parameters = {"Type": Name("TransformParams"), "V": Name("1.2"), **lock, **level}
        reference = {
            "Type": Name("SigRef"), "TransformMethod": Name("FieldMDP"), "Data": root,
            "TransformParams": parameters,
        }  # fmt: skip
        found.append(written(reference))
    return b"\n/Reference[%b]" % b"".join(found) if found else b""


def _keep(catalogue: Spot, store: Store) -> None:
    """The evidence, each piece a stream, in lists that stand in the store itself."""
    if store.is_empty:
        return
    draft, kept = catalogue.draft, catalogue.below("DSS")
    lists = {"Certs": store.certificates, "CRLs": store.crls, "OCSPs": store.ocsp}
    new = {key: [_stream(draft, one) for one in dict.fromkeys(wanted)] for key, wanted in lists.items()}
    if kept.value is None:
        made: dict[str, Value] = {"Type": Name("DSS"), **{key: refs for key, refs in new.items() if refs}}
        catalogue.dictionary()["DSS"] = draft.add_value(made)
        return
    for key, refs in new.items():
        if refs:
            there = kept.below(key).value
            if there is not None and type(there) is not list:
                raise NotPlain
            # A list of its own, in the dictionary itself: then nothing but that dictionary changes.
            kept.dictionary()[key] = [*(there or ()), *refs]


def _stream(draft: Draft, data: bytes) -> Ref:
    number = draft.number()
    draft.add(
        number, b"%d 0 obj\n<</Length %d>>\nstream\n%b\nendstream\nendobj\n" % (number, len(data), data)
    )
    return Ref(number, 0)


def _text(text: str) -> bytes:
    return b"\xfe\xff" + text.encode("utf-16-be")
