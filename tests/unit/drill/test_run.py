"""A fault that cannot be done is recorded as such, and the drill goes on."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bellhop.drill import run
from bellhop.drill.faults.fault import DrillFault
from bellhop.drill.site import DrillError, Site
from bellhop.drill.upstream import NotAccepted, Sender


class Mended:
    """Of a site: how often it was mended; what had ended."""

    def __init__(self, ended: list[str]) -> None:
        self.mended = 0
        self._ended = ended

    def mend(self) -> None:
        self.mended += 1

    def revive(self) -> list[str]:
        return self._ended


class Upstream:
    def __init__(self, error: Exception | None = None) -> None:
        self.waited: list[int] = []
        self._error = error

    def wait(self, portion: int) -> None:
        self.waited.append(portion)
        if self._error:
            raise self._error


def does(error: Exception | None) -> DrillFault:
    def act(_site: Any, _upstream: Any) -> None:
        if error:
            raise error

    return DrillFault("broker_killed", "broker", "kill -9", act)


@pytest.mark.parametrize(
    ("fault", "upstream", "failed"),
    [
        (None, None, ""),
        (DrillError("it is gone"), None, "DrillError: it is gone"),
        (None, NotAccepted("e was answered 422"), "NotAccepted: e was answered 422"),
        (OSError("no such file"), None, "OSError: no such file"),
    ],
)
def test_a_fault_that_fails_is_told_and_mended_and_the_webhooks_are_waited_for(
    fault: Exception | None, upstream: Exception | None, failed: str
) -> None:
    site, sender, lines = Mended([]), Upstream(upstream), list[str]()
    done = run._do(does(fault), 3, cast(Site, site), cast(Sender, sender), lines.append)
    assert (done.name, done.failed) == ("broker_killed", failed)
    assert site.mended == (1 if failed else 0)
    assert sender.waited == [3]
    assert any(failed in line for line in lines)


def test_what_ended_by_itself_is_told() -> None:
    lines: list[str] = []
    run._do(does(None), 0, cast(Site, Mended(["work-1"])), cast(Sender, Upstream()), lines.append)
    assert lines[-1] == "broker_killed: work-1 ended and was started again"
