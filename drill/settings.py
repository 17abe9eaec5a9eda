"""A drill's settings, from a file with braces where something is to be filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def fill_in(template: Path, values: Mapping[str, object], file: Path) -> None:
    """Writes `file`, which its owner alone may read."""
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f'"{{{name}}}"', json.dumps(value))
    file.touch(0o600)
    file.write_text(text, encoding="utf-8")
