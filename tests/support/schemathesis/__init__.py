"""An OpenAPI document held against what serves it, by schemathesis: all of its checks, as anybody runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
"""Of each operation, beside those that cover its schema; `make schemathesis` asks for more."""
_CONFIG = """
hooks = "tests.support.schemathesis.hooks"
seed = {seed}
suppress-health-check = ["all"]
continue-on-failure = true
[cache]
enabled = false
[parameters]
{parameters}
"""


def run(folder: Path, document: str, token: str, **parameters: str) -> tuple[int, str]:
    """Its exit status and what it printed. folder: its own. parameters: of addresses, where only these are there."""
    config = folder / "schemathesis.toml"
    told = "\n".join(f'"path.{name}" = "{value}"' for name, value in parameters.items())
    config.write_text(_CONFIG.format(seed=os.environ.get("SCHEMATHESIS_SEED", "1"), parameters=told))
    command = [Path(sys.executable).parent / "schemathesis", "--no-color", "--config-file", config, "run", document]
    asked = ["--checks", "all", "--max-examples", str(EXAMPLES), "--header", f"Authorization: Bearer {token}"]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [*command, *asked],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
