"""How fast finished licences are made, and where the time goes.

    python tests/benchmarks/figures_issuing.py [licences of a batch]

A finished licence: page with seal face, B-T seal with a time-stamp authority in this process, SD-JWT VC,
document kept, recorded and audited in a SQLite file (WAL, FULL). Every licence is another one, as in an
office. The parts are counted in processor time of one thread; a batch by the clock, and by the processor
time of all its processes.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.issuing import main

    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
