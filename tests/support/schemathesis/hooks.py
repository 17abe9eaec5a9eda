"""What schemathesis is told of Bellhop: see `tests.support.schemathesis.run`."""

from __future__ import annotations

import json
from typing import Any

import schemathesis

from bellhop.ingest.documents.json_schemas import BEYOND

MOST = 12
"""Numbers of letters, jobs, floods and edits up to here may be there."""


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """JSON Schema compares no two fields, knows no clock and adds nothing up. The document says such rules in words, as
    `BEYOND` has them: one that is refused by nothing else fits its schema and is 422 all the same."""
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 422:
        return True
    refused = [error["rule"] for error in json.loads(response.content)["errors"]]
    return not all(any(words in rule for words in BEYOND) for rule in refused)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Numbers that are there, but for the tokens': with its own one revoked, everything else would be 401 and right."""
    number = (path_parameters or {}).get("number")
    if path_parameters and isinstance(number, int) and number > MOST and "/tokens/" not in context.operation.path:
        return {**path_parameters, "number": number % MOST + 1}
    return path_parameters
