from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bellhop.ledger.records import Part, ReloadAsked
from bellhop.telemetry.heart import Heart

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PART = Part("host:1:a", "work", "host", "0.1.0", (), (), NOW, NOW, NOW)


@dataclass
class Beats:
    told: list[Part] = field(default_factory=list)
    asked: ReloadAsked | None = None

    def beat(self, part: Part, /) -> None:
        self.told.append(part)

    def leave(self, id_: str, /) -> None: ...

    def reload_asked(self) -> ReloadAsked | None:
        return self.asked


@dataclass
class Settings:
    digest: str = "d1"
    problem: str = ""
    read_at: datetime = NOW


def heart(beats: Beats, settings: Settings) -> tuple[Heart, list[str]]:
    heard: list[str] = []
    return Heart(PART, beats, settings=settings, hang_up=lambda: heard.append("hung up")), heard


def test_each_beat_tells_the_settings_that_the_process_works_with_now() -> None:
    beats, settings = Beats(), Settings()
    one, _ = heart(beats, settings)
    one.beat()
    settings.digest, settings.problem = "d2", "sources.crm is wrong"
    one.beat()
    assert [(part.digest, part.problem) for part in beats.told] == [("d1", ""), ("d2", "sources.crm is wrong")]


def test_a_reload_that_is_asked_for_is_heard_once() -> None:
    beats = Beats()
    one, heard = heart(beats, Settings())
    one.beat()
    beats.asked = ReloadAsked(1, NOW + timedelta(hours=1))
    one.beat()
    one.beat()
    assert heard == ["hung up"]
    beats.asked = ReloadAsked(2, NOW + timedelta(hours=1))
    one.beat()
    assert heard == ["hung up"] * 2


def test_the_ingress_hears_of_it_two_beats_after_the_others() -> None:
    beats, heard = Beats(), list[str]()
    one = Heart(PART, beats, settings=Settings(), hang_up=lambda: heard.append("hung up"), patience=2)
    one.beat()
    beats.asked = ReloadAsked(1, NOW + timedelta(hours=1))
    counts = []
    for _ in range(5):
        one.beat()
        counts.append(len(heard))
    assert counts == [0, 0, 1, 1, 1]


def test_one_that_is_older_than_the_process_is_not_heard_and_one_of_its_start_is() -> None:
    for age, count in ((timedelta(hours=1), 0), (timedelta(seconds=3), 1), (-timedelta(seconds=3), 1)):
        one, heard = heart(Beats(asked=ReloadAsked(7, NOW - age)), Settings())
        one.beat()
        one.beat()
        assert len(heard) == count, age
