"""Hostile files are given up within bounds and with a verdict: nothing raises, whoever reads the file.

Times are not asserted; the limit on each test stops what hangs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_hostile import BARE, behind
from world.pdf_paper import Paper

from signing.pdf import attachments, certificate_chains
from signing.report import Indication
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

pytestmark = pytest.mark.timeout(60)
BEHIND = list(behind(Paper().slot()))


def refused(desk: Desk, pdf: bytes) -> None:
    report = desk.verify(pdf)
    assert report.indication is report.then is Indication.FAILED
    for read in (attachments, certificate_chains):
        try:
            read(pdf)
        except YinxinError:
            continue


@pytest.mark.parametrize("name", BARE)
def test_a_file_by_itself(desk: Desk, name: str) -> None:
    refused(desk, BARE[name]())


@pytest.fixture(scope="module")
def revisions(desk: Desk) -> dict[str, Callable[[], bytes]]:
    return behind(Paper().sign(desk.agency))


@pytest.mark.parametrize("name", BEHIND)
def test_a_revision_behind_a_signature(
    desk: Desk, revisions: dict[str, Callable[[], bytes]], name: str
) -> None:
    refused(desk, revisions[name]())
