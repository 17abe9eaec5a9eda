"""The long run does what is lacking, and goes on from the records that there are."""

from __future__ import annotations

from pathlib import Path
from random import Random

from bellhop.drill.history import DrillRun, FaultDone, Record, line_of
from bellhop.drill.long_run import PLACES, Strikes, choose_lacking, strikes_by_place


def records(*faults: FaultDone) -> list[Record]:
    return [DrillRun(7, 1, "embedded", "sqlite", (), True), *faults]


def test_what_is_lacking_is_counted_by_how_often_a_fault_usually_strikes() -> None:
    tally = Strikes()
    tally.add(
        records(
            FaultDone("broker_cut", 1.0, 2.0, "", 5),
            FaultDone("broker_cut", 3.0, 4.0, "", 5),
            FaultDone("bookings_500", 1.0, 2.0, "it is away", 4),
            FaultDone("bookings_late", 1.0, 2.0, "", 0),
            FaultDone("worker_killed", 1.0, 2.0, "", 50),
        )
    )
    names = ["broker_cut", "bookings_500", "bookings_late", "worker_killed"]
    assert tally.lacking(names, 50) == {"broker_cut": 8, "bookings_500": 50, "bookings_late": 100}


def test_none_is_chosen_again_before_all_others_that_are_lacking() -> None:
    chosen = choose_lacking({"a": 3, "b": 1, "c": 2}, 5, Random(1))
    assert sorted(chosen[:3]) == ["a", "b", "c"]
    assert sorted(chosen[3:]) == ["a", "c"]
    assert sorted(choose_lacking({"a": 1}, 5, Random(1))) == ["a"]


def test_it_goes_on_from_the_records_in_its_folder(tmp_path: Path) -> None:
    for number in range(2):
        lines = map(line_of, records(FaultDone("broker_cut", 1.0, 2.0, "", 5)))
        (tmp_path / f"embedded-sqlite-{number}.jsonl").write_text("\n".join(lines))
    assert strikes_by_place(tmp_path)["embedded", "sqlite"].struck == {"broker_cut": 10}
    assert not strikes_by_place(tmp_path)["rabbitmq", "sqlite"].struck


def test_every_place_is_one_that_a_drill_tells_of() -> None:
    assert {broker for broker, _ in PLACES} == {"embedded", "rabbitmq"}
    assert {ledger for _, ledger in PLACES} == {"sqlite", "postgresql"}
