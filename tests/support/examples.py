"""How many inputs Hypothesis tries of each test: few in the suite, which runs often; `make hypothesis` tries many."""

from __future__ import annotations

import os
from typing import Final

EXAMPLES: Final = int(os.environ.get("HYPOTHESIS_EXAMPLES", "40"))
