"""A clerk reads at the counter what became of licences that the department accepted, and confirms it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from world.counters import OTHER_CODE, hand_in, words
from world.departments import BUREAU, MATTER

from credentials.licence import EndingKind
from verify_api.departments import Department
from verify_api.pages.noticing import notice_view
from yinxin.base.text import Text

if TYPE_CHECKING:
    from world.counters import CounterCity

    from credentials.licence import Licence

DESK, PAGE = f"{BUREAU} {MATTER}", "/counter/notices"


def accepted(pages: CounterCity, serial: str) -> Licence:
    """A licence that the bureau found good."""
    licence, _ = pages.issue(serial)
    answer = hand_in(pages.clerk(), "/counter", desk=DESK, licence=licence.number)
    assert words(answer).startswith("核验通过")
    return licence


def notices_of(licence: Licence, *, page: str) -> list[str]:
    """The addresses at which notices of this licence are confirmed."""
    mine = [part for part in page.split("<section") if licence.identifier in part]
    return [found for part in mine for found in re.findall(r'action="([^"]+)"', part)]


def test_a_clerk_reads_and_confirms(pages: CounterCity, serial: str) -> None:
    licence = accepted(pages, serial)
    pages.happen(licence, EndingKind.DEREGISTERED)
    clerk = pages.clerk("clerk-notice")
    page = clerk.get(PAGE)
    assert page.status_code == 200
    assert "已注销" in words(page)
    (address,) = notices_of(licence, page=page.text)
    stranger = pages.clerk("clerk-elsewhere", organisation=OTHER_CODE)
    assert licence.identifier not in stranger.get(PAGE).text
    assert stranger.post(address, data={}).status_code == 404
    assert clerk.post(address, data={}).status_code == 303
    assert notices_of(licence, page=clerk.get(PAGE).text) == []
    assert clerk.post(address, data={}).status_code == 303  # again changes nothing
    assert clerk.post(f"{PAGE}/x", data={}).status_code == 404


def test_only_clerks_come_in(pages: CounterCity) -> None:
    inspector = pages.clerk("inspector-notice", roles=("inspector",))
    assert inspector.get(PAGE).status_code == 403
    assert pages.browser().get(PAGE).status_code in {303, 401}


def test_values_are_shown_as_far_as_they_are_granted_and_cannot_hide() -> None:
    department = Department(BUREAU, Text("市监局", "bureau"), "111201010000518600", (), ())
    content = {
        "id": "n" * 22,
        "licence": "1.2.3",
        "event": {
            "kind": "superseded",
            "name": {"zh": "换发", "en": "superseded"},
            "version_kind": None,
            "effective_from": "2026-11-20T04:00:00+00:00",
            "document_number": "\u202e1号",
        },
        "text": {"zh": "已被替代", "en": "superseded"},
        "versions": [],
        "fields": [
            {"name": "secret", "label": None},
            {
                "name": "items",
                "label": {"zh": "经营项目", "en": "items"},
                "before": ["甲", "乙"],
                "now": [{"licence": "x", "value": None}, {"licence": "y", "value": "\u202e丙"}],
            },
        ],
        "told_at": "2026-11-20T04:00:00+00:00",
    }
    view = notice_view(content, department)
    hidden, shown = view.fields
    assert (hidden.before, hidden.now) == (None, ())
    assert (shown.before, shown.now) == ("甲、乙", ("—", "⟨U+202E⟩丙"))
    assert view.document_number == "⟨U+202E⟩1号"
