"""A real part that is missing: a loud skip on a laptop, a failure in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str, how_to_get_it: str) -> NoReturn:
    """Ends the test: skipped where a person runs it, failed where `CI=true`."""
    message = f"{what} is missing: {how_to_get_it}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
