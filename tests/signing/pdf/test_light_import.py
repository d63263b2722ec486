"""Who verifies, or seals a plain page, does not wait for the writer of difficult files."""

from __future__ import annotations

import subprocess
import sys

ASKS = """
import sys
from signing.pdf import Seal, archive, seal_as_agency, verify
assert "pyhanko" not in sys.modules
"""


def test_importing_the_room_brings_no_other_maker_along() -> None:
    subprocess.run([sys.executable, "-c", ASKS], check=True)
