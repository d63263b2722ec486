"""Letters that LibreOffice exports and signs are judged right, sealed further, and noticed when changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.desk import red_face
from world.libreoffice import signed_letters

from signing.reasons import Reason

if TYPE_CHECKING:
    from world.desk import Desk

pytestmark = [pytest.mark.peer, pytest.mark.timeout(180)]
EXPORTS: dict[str, dict[str, object]] = {
    "as usual": {},
    "PDF/A-2": {"SelectPdfVersion": 2},
    "tagged": {"UseTaggedPDF": True, "PDFUACompliance": True},
    "with a form": {"ExportFormFields": True, "FormsType": 1},
}


@pytest.fixture(scope="module")
def letters(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    signer = desk.pki.issuing.issue("Office", "seal", key_kind="RSA-2048")
    exports = {name.replace("/", "-"): options for name, options in EXPORTS.items()}
    return signed_letters(tmp_path_factory.mktemp("letters"), signer, exports)


def test_each_passes_and_is_sealed_further(desk: Desk, letters: dict[str, bytes]) -> None:
    assert len(letters) == len(EXPORTS)
    for name, letter in letters.items():
        report = desk.verify(letter)
        assert report.passed, (name, report.reasons)
        (signature,) = report.require().signatures
        assert (signature.reason, signature.covers_whole_file) == ("Approved", True)
        sealed = desk.seal(letter, face=red_face())
        assert len(desk.verify(sealed).require().signatures) == 2, name


def test_a_changed_letter_is_noticed(desk: Desk, letters: dict[str, bytes]) -> None:
    for letter in letters.values():
        place = letter.index(b"stream") + 12
        changed = letter[:place] + bytes((letter[place] ^ 1,)) + letter[place + 1 :]
        assert Reason.HASH_FAILURE in desk.verify(changed).reasons
