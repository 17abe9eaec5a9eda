"""The version of Bellhop that runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

PACKAGE: Final = "bellhop-bookings"


def _of_the_package() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return ""


LICENSE: Final = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
"""As OpenAPI has it."""
VERSION: Final = _of_the_package()
"""Of the installed package; "" where Bellhop is run from its sources and was never installed."""
