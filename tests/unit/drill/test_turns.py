"""A drill's faults come one after the other, or several at once where they touch different parts; one that cannot be
done is recorded as such, and the drill goes on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest

from bellhop.drill.faults.fault import EVERYTHING, DrillFault
from bellhop.drill.faults.table import BY_NAME, FAULTS
from bellhop.drill.history import FaultDone
from bellhop.drill.site import DrillError, Site
from bellhop.drill.turns import do_fault, do_faults
from bellhop.drill.upstream import NotAccepted, Sender

_SECONDS = 20.0


class Mended:
    """Of a site: what was done to it, and what had ended."""

    def __init__(self, ended: Sequence[str] = ()) -> None:
        self.did: list[str] = []
        self._ended = list(ended)

    def mend(self) -> None:
        self.did.append("mend")

    def revive(self) -> list[str]:
        return self._ended


class Upstream:
    def __init__(self, error: Exception | None = None) -> None:
        self.released: list[int] = []
        self.waited: list[int] = []
        self._error = error

    def release(self, portion: int) -> None:
        self.released.append(portion)

    def wait(self, portion: int) -> None:
        self.waited.append(portion)
        if self._error:
            raise self._error


def fault(name: str, part: str, does: Any = None, also: frozenset[str] = frozenset()) -> DrillFault:
    return DrillFault(name, part, "kill -9", does or (lambda _site, _upstream: None), also=also)


def do_all(faults: Sequence[DrillFault], at_once: int, site: Mended) -> list[FaultDone]:
    return do_faults(faults, at_once, cast(Site, site), cast(Sender, Upstream()), lambda _line: None)


@pytest.mark.parametrize(
    ("error", "refused", "failed"),
    [
        (None, None, ""),
        (DrillError("it is gone"), None, "DrillError: it is gone"),
        (None, NotAccepted("e was answered 422"), "NotAccepted: e was answered 422"),
        (OSError("no such file"), None, "OSError: no such file"),
    ],
)
def test_a_fault_that_fails_is_told_and_mended_and_the_webhooks_are_waited_for(
    error: Exception | None, refused: Exception | None, failed: str
) -> None:
    def does(_site: Any, _upstream: Any) -> None:
        if error:
            raise error

    site, sender, lines = Mended(), Upstream(refused), list[str]()
    given = [fault("broker_killed", "broker", does)]
    done = do_faults(given, 1, cast(Site, site), cast(Sender, sender), lines.append)
    assert [(one.name, one.failed) for one in done] == [("broker_killed", failed)]
    assert site.did == (["mend"] if failed else [])
    assert (sender.released, sender.waited) == ([0], [0])
    assert any(failed in line for line in lines)


def test_what_ended_by_itself_is_told() -> None:
    lines: list[str] = []
    site = cast(Site, Mended(["work-1"]))
    do_fault(fault("broker_killed", "broker"), 0, site, cast(Sender, Upstream()), lines.append)
    assert lines[-1] == "broker_killed: work-1 ended and was started again"


def test_how_often_a_fault_struck_is_recorded() -> None:
    done = do_all([fault("cut", "broker", lambda _site, _upstream: 5), fault("killed", "broker")], 1, Mended())
    assert [one.times for one in done] == [5, 1]


def test_faults_of_different_parts_come_at_once_and_those_of_one_part_in_turn() -> None:
    both, site = threading.Barrier(2, timeout=_SECONDS), Mended()

    def meet(_site: Any, _upstream: Any) -> None:
        both.wait()  # broken, and so an error, where the other one is not under way, too
        site.did.append("met")

    def later(_site: Any, _upstream: Any) -> None:
        site.did.append("later")

    given = [fault("a", "broker", meet), fault("b", "broker", later), fault("c", "ledger", meet)]
    done = do_all(given, 2, site)
    assert [one.failed for one in done] == ["", "", ""]
    assert site.did == ["met", "met", "later"]


def test_nothing_is_mended_while_another_fault_is_under_way_and_none_begins_before() -> None:
    failed, site = threading.Event(), Mended()

    def fail(_site: Any, _upstream: Any) -> None:
        failed.set()
        raise DrillError("it is gone")

    def outlast(_site: Any, _upstream: Any) -> None:
        assert failed.wait(_SECONDS)
        site.did.append("ended")

    def begin(_site: Any, _upstream: Any) -> None:
        site.did.append("began")

    do_all([fault("a", "broker", fail), fault("b", "ledger", outlast), fault("c", "broker", begin)], 3, site)
    assert site.did == ["ended", "mend", "began"]


def test_a_restore_of_the_ledger_comes_alone_and_people_need_what_they_work_with() -> None:
    assert BY_NAME["ledger_restored"].touches == EVERYTHING
    assert all(one.touches <= EVERYTHING for one in FAULTS)
    assert BY_NAME["letters_replayed"].touches & BY_NAME["broker_killed"].touches
    assert BY_NAME["letters_replayed"].touches & BY_NAME["ledger_cut"].touches
    assert not BY_NAME["worker_killed"].touches & BY_NAME["letters_replayed"].touches
    assert BY_NAME["all_killed"].touches & BY_NAME["ingress_killed"].touches
