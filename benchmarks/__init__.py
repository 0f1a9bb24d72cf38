"""Speed and memory of the stages beside plain code for the same mathematics; run by hand."""

from __future__ import annotations

import os

# Progress bars of the stages would stand between the lines of the table; tqdm reads this on import.
os.environ.setdefault("TQDM_DISABLE", "1")
