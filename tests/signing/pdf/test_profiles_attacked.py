"""What is stated in a signature, read back: forms that are not the one we write, and what others write."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from asn1crypto import core
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.sign.ades.cades_asn1 import CommitmentTypeIndication, SignerAttributesV2
from world.desk import Desk, append_revision, plain_pdf, red_face
from world.pki import NOON

from signing import cms, der
from signing.pdf import (
    Place,
    Seal,
    _pyhanko,
    order_of_signing,
    prepare_joint,
    seal_as_agency,
    seal_copy,
    sign_jointly,
)
from signing.pdf._pyhanko.parser import open_reader
from signing.pdf.profiles.addition import Addition
from signing.pdf.profiles.commitment import (
    COMMITMENT_TYPE,
    COMMITMENTS,
    SIGNER_ATTRIBUTES,
    SIGNER_ATTRIBUTES_V2,
    commitment_attribute,
    read_commitments,
    read_roles,
    roles_attribute,
)
from signing.pdf.profiles.statement import (
    STATEMENT,
    Copy,
    Statement,
    read_statement,
    statement_attribute,
)
from signing.pdf.update import NotPlain
from signing.reasons import Reason
from yinxin.base.errors import UsageError, YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.pdf.profiles.kinds import Asked

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
DESK = Desk()
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
moments = st.datetimes(datetime(1950, 1, 1), datetime(9999, 1, 1)).map(  # noqa: DTZ001 - the zone follows
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
statements = st.builds(
    Statement,
    reason=st.none() | words,
    names=st.lists(digests, max_size=16).map(tuple),
    order=st.just(()) | st.lists(words, min_size=2, max_size=16, unique=True).map(tuple),
    copy=st.none() | st.builds(Copy, digests, st.booleans(), words, moments, words),
    straddles=st.none() | st.integers(2, 2**31 - 1),
)


def signed_with(*attributes: bytes) -> cms.SignedData:
    return cms.parse(cms.sign(DESK.agency, b"\0" * 32, attributes=attributes))


def with_value(name: str, value: bytes) -> cms.SignedData:
    return signed_with(cms.attribute(name, value))


@QUICK
@given(statements)
def test_what_is_stated_is_read_again(statement: Statement) -> None:
    assert read_statement(signed_with(statement_attribute(statement))) == statement


@QUICK
@given(st.sampled_from([*COMMITMENTS]), st.lists(words, min_size=1, max_size=8))
def test_commitments_and_roles_are_read_again_also_by_others(commitment: str, roles: list[str]) -> None:
    signed = signed_with(commitment_attribute(commitment), roles_attribute(roles))
    assert read_commitments(signed) == (commitment,)
    assert read_roles(signed) == tuple(roles)
    (value,) = signed.attributes[COMMITMENT_TYPE]
    theirs = CommitmentTypeIndication.load(value, strict=True)
    assert theirs["commitment_type_id"].dotted == COMMITMENTS[commitment]
    (value,) = signed.attributes[SIGNER_ATTRIBUTES_V2]
    claimed = SignerAttributesV2.load(value, strict=True)["claimed_attributes"]
    assert [core.UTF8String.load(one["values"][0].dump()).native for one in claimed] == roles


@QUICK
@given(st.binary(max_size=200), st.sampled_from([STATEMENT, COMMITMENT_TYPE, SIGNER_ATTRIBUTES_V2]))
def test_no_bytes_raise_anything_but_our_own_errors(junk: bytes, name: str) -> None:
    for read in (read_statement, read_commitments, read_roles):
        with suppress(YinxinError):
            read(signed_with(der.sequence(der.oid(name), der.tlv(der.SET, junk))))


@QUICK
@given(statements, st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_statement_says_something_else_or_nothing(
    statement: Statement, at: int, octet: int
) -> None:
    encoded = statement_attribute(statement)
    (value,) = signed_with(encoded).attributes[STATEMENT]
    changed = bytearray(value)
    changed[at % len(changed)] ^= octet or 1
    with suppress(YinxinError):
        assert read_statement(with_value(STATEMENT, bytes(changed))) != statement


A_DIGEST = der.sequence(cms.digest_identifier("sha256"), der.octet_string(bytes(32)))
OTHER_HASH = der.sequence(cms.digest_identifier("sha1"), der.octet_string(bytes(20)))
TEXT, TIME = der.tlv(der.UTF8_STRING, b"x"), der.generalized_time(NOON)
YES = der.boolean(value=True)
WRONG = {
    "not a sequence": TEXT,
    "an unknown part": der.sequence(der.explicit(5, TEXT)),
    "out of order": der.sequence(der.explicit(4, der.integer(3)), der.explicit(0, TEXT)),
    "twice": der.sequence(der.explicit(0, TEXT), der.explicit(0, TEXT)),
    "two in one part": der.sequence(der.explicit(0, TEXT, TEXT)),
    "an empty part": der.sequence(der.explicit(0)),
    "an empty text": der.sequence(der.explicit(0, der.tlv(der.UTF8_STRING))),
    "another type of text": der.sequence(der.explicit(0, der.tlv(der.PRINTABLE_STRING, b"x"))),
    "no utf-8": der.sequence(der.explicit(0, der.tlv(der.UTF8_STRING, b"\xff"))),
    "a long text": der.sequence(der.explicit(0, der.tlv(der.UTF8_STRING, b"x" * 1001))),
    "names nobody": der.sequence(der.explicit(1, der.sequence())),
    "names too many": der.sequence(der.explicit(1, der.sequence(*[A_DIGEST] * 17))),
    "another hash": der.sequence(der.explicit(1, der.sequence(OTHER_HASH))),
    "an order of one": der.sequence(der.explicit(2, der.sequence(TEXT))),
    "an order with one twice": der.sequence(der.explicit(2, der.sequence(TEXT, TEXT))),
    "a copy of four parts": der.sequence(der.explicit(3, der.sequence(A_DIGEST, YES, TEXT, TIME))),
    "a copy with a loose boolean": der.sequence(
        der.explicit(3, der.sequence(A_DIGEST, b"\x01\x01\x01", TEXT, TIME, TEXT))
    ),
    "a copy at another kind of time": der.sequence(
        der.explicit(3, der.sequence(A_DIGEST, YES, TEXT, der.time(NOON), TEXT))
    ),
    "across one page": der.sequence(der.explicit(4, der.integer(1))),
    "across too many": der.sequence(der.explicit(4, der.integer(2**31))),
    "too large": der.sequence(der.explicit(0, der.tlv(der.UTF8_STRING, b"x" * 20_000))),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_statement_of_another_form_fails_the_report(
    desk: Desk, pdf: bytes, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(
        "signing.pdf.profiles.addition.statement_attribute", lambda _: cms.attribute(STATEMENT, WRONG[name])
    )
    addition = Addition(statement=Statement(reason="x" * 30))
    sealed = Seal(desk.agency).apply(pdf, now=NOON, addition=Addition(statement=addition.statement))
    assert desk.verify(sealed).reasons == {Reason.FORMAT_FAILURE}


@pytest.mark.parametrize("name", [COMMITMENT_TYPE, SIGNER_ATTRIBUTES, SIGNER_ATTRIBUTES_V2])
@pytest.mark.parametrize("value", [TEXT, der.sequence(), der.null(), der.sequence(der.explicit(0, TEXT))])
def test_what_others_write_in_their_own_way_is_no_fault(
    desk: Desk, pdf: bytes, monkeypatch: pytest.MonkeyPatch, name: str, value: bytes
) -> None:
    monkeypatch.setattr(
        "signing.pdf.profiles.addition.commitment_attribute", lambda _: cms.attribute(name, value)
    )
    sealed = Seal(desk.agency).apply(pdf, now=NOON, addition=Addition("approval"))
    report = desk.verify(sealed)
    assert report.passed
    assert "commitments" not in report.findings["signatures"][0]


def test_a_copy_that_carries_another_original_fails(
    desk: Desk, sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = desk.seal(plain_pdf("Licence 666"))
    document = desk.verify(sealed).require()
    monkeypatch.setattr(
        _pyhanko, "write_copy", lambda editing, notes, *, inside, identity, write=_pyhanko.write_copy: write(
            editing, notes, inside=(inside[0], other), identity=identity
        )
    )  # fmt: skip
    copy = seal_copy(
        Seal(desk.agency), sealed, document, maker="档案馆", purpose="备查", note=red_face(), now=NOON
    )
    assert desk.verify(copy).reasons == {Reason.COPY_OF_ANOTHER}


def jointly(desk: Desk, orders: Iterable[tuple[str, tuple[str, ...]]]) -> set[Reason]:
    """Two who sign in the fields that they name, each stating an order."""
    document = prepare_joint(plain_pdf(), [Place("A"), Place("B")])
    seal = Seal(desk.agency)
    for field, order in orders:
        document = seal.apply(
            document, now=NOON, field=field, addition=Addition(statement=Statement(order=order))
        )
    return set(desk.verify(document).reasons)


def test_two_orders_and_an_order_without_oneself_fail(desk: Desk) -> None:
    assert jointly(desk, [("A", ("A", "B")), ("B", ("A", "B"))]) == set()
    assert jointly(desk, [("A", ("A", "B")), ("B", ("A", "C", "B"))]) == {Reason.SIGNED_OUT_OF_ORDER}
    assert jointly(desk, [("A", ("B", "C"))]) == {Reason.SIGNED_OUT_OF_ORDER}
    assert jointly(desk, [("A", ("B", "A"))]) == {Reason.SIGNED_OUT_OF_ORDER}


def test_who_states_no_order_keeps_that_of_others(desk: Desk) -> None:
    assert jointly(desk, [("A", ("A", "B")), ("B", ())]) == set()


@pytest.mark.parametrize("asked", [{"reason": "two"}, {"field": "a.b"}])
def test_what_is_asked_twice_or_wrongly_is_refused(desk: Desk, pdf: bytes, asked: Asked) -> None:
    addition = Addition("approval", statement=Statement(reason="one"))
    with pytest.raises(UsageError):
        Seal(desk.agency).apply(pdf, now=NOON, addition=addition, **asked)


def test_a_joint_signer_after_a_forged_lock_is_stopped(desk: Desk) -> None:
    form = prepare_joint(plain_pdf(), [Place("A"), Place("B")])
    signed = sign_jointly(Seal(desk.agency), form, field="A", now=NOON)
    assert desk.verify(signed).passed
    # The order is read from the locks: a chain with a hole in it is none.
    broken = signed.replace(b"/Exclude", b"/Include")
    with pytest.raises(YinxinError):
        sign_jointly(Seal(desk.agency), broken, field="B", now=NOON)


def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A maker that does not care what earlier signatures lock."""
    monkeypatch.setattr("signing.pdf._pyhanko.writing.is_locked", lambda *_: False)
    monkeypatch.setattr("signing.pdf.writers.OrderlyEditing", _never)


def _never(_pdf: bytes) -> None:
    raise NotPlain


@pytest.mark.parametrize("field", [None, "Witness"])
def test_a_signature_in_a_field_that_is_locked_is_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, field: str | None
) -> None:
    seal = Seal(desk.agency)
    document = prepare_joint(plain_pdf(), [Place("A"), Place("B")])
    for name in ("A", "B"):
        document = sign_jointly(seal, document, field=name, now=NOON)
    assert desk.verify(document).passed
    unlocked(monkeypatch)
    report = desk.verify(seal.apply(document, now=NOON, field=field))
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_a_signature_after_a_final_one_is_seen(
    desk: Desk, pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = seal_as_agency(Seal(desk.agency), pdf, now=NOON, is_final=True)
    monkeypatch.setattr("signing.pdf.preparing._may_certify", lambda *_: False)
    assert desk.verify(Seal(desk.citizen).apply(final, now=NOON)).reasons == {
        Reason.DOCUMENT_CHANGED_AFTER_SIGNING
    }


@pytest.mark.parametrize("change", ["moved", "hidden", "added", "replaced", "removed"])
def test_a_straddle_seal_that_is_touched_is_seen(desk: Desk, change: str) -> None:
    document = seal_as_agency(
        Seal(desk.agency, face=red_face()), plain_pdf(pages=3), now=NOON, straddles=True
    )
    assert desk.verify(document).passed
    reader = open_reader(document)
    page = reader.root["/Pages"]["/Kids"][1]
    slice_ref = page["/Annots"].raw_get(0)
    stamp = slice_ref.get_object()
    look = stamp["/AP"].raw_get("/N").idnum
    body = b"<< /Type /Annot /Subtype /Stamp /F %d /P 12 0 R /Rect [%s] /AP << /N %d 0 R >> >>"
    rectangle = " ".join(str(float(one)) for one in stamp["/Rect"]).encode()
    other = look + 1 if change == "replaced" else look
    flags = 710 if change == "hidden" else 708
    changed = {
        "moved": {slice_ref.idnum: body % (708, b"0 0 40 100", look)},
        "hidden": {slice_ref.idnum: body % (flags, rectangle, look)},
        "replaced": {slice_ref.idnum: body % (708, rectangle, other)},
        "added": {
            900: body % (708, b"0 0 40 100", look),
            12: b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 13 0 R "
            b"/Annots [%d 0 R 900 0 R] >>" % slice_ref.idnum,
        },
        "removed": {
            12: b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 13 0 R >>"
        },
    }[change]
    assert not desk.verify(append_revision(document, changed)).passed


FORM = prepare_joint(plain_pdf(pages=2), [Place("A", 0, (50, 50)), Place("B"), Place("C")])
PIECES = [b"/Kids", b"/Lock", b"/Exclude", b"/All", b"null", b"[", b"]", b"<<", b">>", b"1 0 R", b"-1", b"/V"]


@QUICK
@given(st.integers(0, len(FORM) - 1), st.sampled_from(PIECES))
def test_a_damaged_form_raises_nothing_but_our_own_errors(place: int, piece: bytes) -> None:
    damaged = FORM[:place] + piece + FORM[place + len(piece) :]
    seal = Seal(DESK.agency, face=red_face())
    for act in (order_of_signing, lambda pdf: sign_jointly(seal, pdf, field="A", now=NOON)):
        with suppress(YinxinError):
            act(damaged)
