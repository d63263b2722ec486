"""Bundles of cases (批量办件): one file of applications, one review, one approval, one run of the seal.

    opened = bundles.open("批-2026-001", data, actor=clerk)       # a report for each row that cannot be used
    bundles.submit(opened.bundle.id, actor=clerk)
    bundles.review(opened.bundle.id, proof=…, actor=reviewer)      # one signature, over all that is asked for
    bundles.approve(opened.bundle.id, proof=…, actor=approver)
    bundles.seal(opened.bundle.id, actor=clerk)                    # goes on where it was stopped

What a bundle is stands in `values`, what is done with one in `service`.
"""

from credentials.office.bundles.service import Bundles
from credentials.office.bundles.values import Bundle, OpenedBundle, SealedBundle

__all__ = ["Bundle", "Bundles", "OpenedBundle", "SealedBundle"]
