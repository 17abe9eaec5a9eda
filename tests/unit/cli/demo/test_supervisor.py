from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

from bellhop.cli.demo.supervisor import DemoProcess, Supervisor, last_lines


class Fake:
    """A process that ends when it is told to, unless it is deaf to SIGTERM."""

    def __init__(self, part: DemoProcess, world: World) -> None:
        self.part = part
        self.world = world
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def signal(self, number: int) -> None:
        self.world.signals.append((self.part.name, signal.Signals(number).name))
        if number == signal.SIGKILL or self.part.name not in self.world.deaf:
            self.code = -number


class World:
    def __init__(self, *names: str, deaf: Sequence[str] = (), folder: Path = Path("/nowhere")) -> None:
        self.clock = 0.0
        self.told: list[str] = []
        self.started: list[Fake] = []
        self.signals: list[tuple[str, str]] = []
        self.deaf = deaf
        self.supervisor = Supervisor(self.told.append, spawn=self.spawn, monotonic=lambda: self.clock, pause=self.pause)
        for name in names:
            self.supervisor.start(DemoProcess(name, ["x"], folder / name))

    def spawn(self, part: DemoProcess) -> Fake:
        self.started.append(Fake(part, self))
        return self.started[-1]

    def pause(self, seconds: float) -> None:
        self.clock += seconds


def test_one_that_dies_is_told_and_started_again_after_its_back_off() -> None:
    world = World("work", "ingest")
    world.supervisor.look()
    assert world.told == []
    world.started[0].code = 1
    world.supervisor.look()
    assert world.told == ["work ended (exit code 1); it is started again in 1 s"]
    assert len(world.started) == 2
    world.clock = 1.0
    world.supervisor.look()
    assert [fake.part.name for fake in world.started] == ["work", "ingest", "work"]
    world.supervisor.look()
    assert len(world.started) == 3


def test_the_back_off_grows_and_begins_anew_once_it_has_lived() -> None:
    world = World("work")
    for _ in range(6):
        world.started[-1].code = -9
        world.supervisor.look()
        world.clock += 30
        world.supervisor.look()
    assert [line.rpartition("in ")[2] for line in world.told] == ["1 s", "2 s", "5 s", "10 s", "30 s", "30 s"]
    assert "killed by SIGKILL" in world.told[0]
    world.clock += 61
    world.started[-1].code = 1
    world.supervisor.look()
    assert world.told[-1].endswith("in 1 s")


def test_only_the_lines_of_the_life_that_ended_are_told(tmp_path: Path) -> None:
    log = tmp_path / "work"
    log.write_text("of an earlier life\n")
    world = World("work", folder=tmp_path)
    with log.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(9))
    world.started[0].code = 1
    world.supervisor.look()
    assert world.told[1:] == [f"  line {number}" for number in range(4, 9)]
    assert last_lines(log, after=0, count=99)[0] == "of an earlier life"


def test_all_are_stopped_in_their_order_and_the_deaf_one_is_killed_after_the_grace() -> None:
    world = World("ingest", "work", "sandbox", deaf=["work"])
    world.supervisor.stop(grace_seconds=3)
    assert world.signals == [
        ("ingest", "SIGTERM"),
        ("work", "SIGTERM"),
        ("sandbox", "SIGTERM"),
        ("work", "SIGKILL"),
    ]
    assert world.clock >= 3
    assert all(fake.code is not None for fake in world.started)


def test_a_hang_up_is_handed_on_to_those_that_take_it() -> None:
    world = World("ingest", "work", deaf=("ingest", "work", "sandbox"))
    world.supervisor.start(DemoProcess("sandbox", ["x"], Path("/nowhere"), reloads=False))
    world.supervisor.hang_up()
    assert world.signals == [("ingest", "SIGHUP"), ("work", "SIGHUP")]


def test_one_that_waits_for_its_restart_is_not_started_by_a_stop() -> None:
    world = World("work")
    world.started[0].code = 1
    world.supervisor.look()
    world.supervisor.stop(grace_seconds=1)
    world.clock += 60
    world.supervisor.look()
    assert len(world.started) == 1
    assert world.signals == []
