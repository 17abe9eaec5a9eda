"""How the ledger's records are told as JSON: the same dictionaries to the console's templates, by the API and by the
command line, here or with --server. What names a guest is masked by `letters.masking`; secrets, each of the three
takes out of what it is given."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
