"""Says at the end of a run which files took longest, so that growth is seen. It fails nothing: machines differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pytest

MOST: Final = 15


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds = seconds_by_file(terminalreporter.stats)
    if len(seconds) > MOST:  # a run of few is looked at test by test: `--durations`
        terminalreporter.section(f"slowest {MOST} files of {len(seconds)}")
        for file, spent in seconds.most_common(MOST):
            terminalreporter.line(f"{spent:7.1f}s {file}")


def seconds_by_file(reports: Mapping[str, Iterable[Any]]) -> Counter[str]:
    """What each file's tests took, with what was made ready for them and cleared away. reports: by their outcome."""
    seconds: Counter[str] = Counter()
    for several in reports.values():
        for report in several:
            if isinstance(report, pytest.TestReport):
                seconds[report.location[0]] += report.duration
    return seconds
