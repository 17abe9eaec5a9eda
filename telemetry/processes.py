"""What a process uses of its host: `process_…`, by the names that Prometheus' clients give them in every language."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

PROC = Path("/proc")


class HostUse(Collector):
    """The CPU, memory, descriptors and start of several processes, each with its `pid`. For the multi-process mode, of
    which prometheus_client's own collector knows only the process that happens to answer. Where there is no /proc
    (macOS) it tells nothing, as that one does."""

    def __init__(self, pids: Callable[[], Sequence[int]], proc: Path = PROC) -> None:
        self._pids = pids
        self._proc = proc

    def collect(self) -> Iterator[Metric]:
        """One family for each measure. A process that ends meanwhile is left out."""
        families: dict[str, Metric] = {}
        for pid in self._pids():
            of_one = ProcessCollector(pid=lambda pid=pid: pid, proc=str(self._proc), registry=None)  # type: ignore[misc]
            for told in of_one.collect():
                family = families.setdefault(told.name, Metric(told.name, told.documentation, told.type))
                for sample in told.samples:
                    family.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        yield from families.values()


def family(shared: Path, proc: Path = PROC) -> list[int]:
    """The process that forked this one, and those of its children that count together with it in `shared`, the folder
    of the multi-process mode. Their files outlive them: one counts while it is alive and a child of the same parent,
    which another process that was given its number is not."""
    parent = os.getppid()
    written = {int(name) for file in shared.glob("*.db") if (name := file.stem.rpartition("_")[2]).isdecimal()}
    return [parent, *sorted(pid for pid in written if _parent_of(pid, proc) == parent)]


def _parent_of(pid: int, proc: Path) -> int | None:
    """None where there is no such process (any more)."""
    try:
        told = (proc / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    return int(told.rpartition(b")")[2].split()[1])  # proc_pid_stat(5): the name before it may hold anything
