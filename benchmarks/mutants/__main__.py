"""Run the folder as a program: `python benchmarks/mutants`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from mutants.command import main  # noqa: E402

raise SystemExit(main())
