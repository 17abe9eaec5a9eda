"""Whether a commit's message has the form that CONTRIBUTING.md asks for. Needs nothing but a Python:

python3 tools/commit_message.py FILE
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

LONGEST = 72
"""Characters of a first line: what `git log --oneline` shows whole in a terminal of 80."""

_GITS_OWN = re.compile(r'Merge |Revert "|Reapply "|(?:fixup|squash|amend)! ')
_PREFIX = re.compile(r"[\w./-]+(?:\([^)]*\))?!?:\s")
_SCISSORS = re.compile(r"# -+ >8 -+$", re.MULTILINE)


def problems(message: str) -> list[str]:
    """What is wrong with a message as it stands in git's file, nothing where it is fit."""
    lines = _kept(message)
    if not lines:
        return ["the message is empty"]
    first, *rest = lines
    if _GITS_OWN.match(first):
        return []
    wrong = {
        f"the first line has {len(first)} characters, {LONGEST} are the most": len(first) > LONGEST,
        "the first line begins with a prefix: say what is different now": _PREFIX.match(first),
        "the first line ends with a period": first.endswith("."),
        "the second line is not empty": rest and rest[0],
    }
    return [problem for problem, is_so in wrong.items() if is_so]


def _kept(message: str) -> list[str]:
    """The lines that git keeps: this hook sees the file before git has cleaned it."""
    text = _SCISSORS.split(message, maxsplit=1)[0]
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("#")]
    while lines and not lines[0]:
        del lines[0]
    return lines


def main(arguments: list[str]) -> int:
    """The exit code: 0 fit, 1 not, 2 wrong usage."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 tools/commit_message.py FILE\n")
        return 2
    found = problems(Path(arguments[0]).read_text(encoding="utf-8", errors="replace"))
    sys.stderr.writelines(f"commit message: {problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
