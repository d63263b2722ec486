"""What custody costs beside a sealing, and how fast a lost key is dealt with.

    python tests/benchmarks/figures_seals.py [licences]

One thread, a SQLite file (WAL, FULL), a time-stamp authority in this process. Custody is counted in processor
time beside the whole of a finished licence without it, in rounds that take turns: the ratio is what to quote.
The drill is by the clock.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.seals import main

    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 90)
