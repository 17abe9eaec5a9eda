from dataclasses import replace

from bellhop.workers.watchdog import Sight, Watchdog


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def well(clock: Clock, taken: int = 5) -> Sight:
    return Sight(
        last_loop=clock.seconds, connected=True, taken=taken, in_flight=0, capacity=8, oldest_started=None, ready=0
    )


def watching() -> tuple[Watchdog, Clock]:
    clock = Clock()
    dog = Watchdog(stall_seconds=30, job_seconds=300, monotonic=clock)
    assert dog.look(well(clock)) is None
    return dog, clock


def test_a_worker_whose_messages_wait_untaken_is_stalled_though_it_is_connected() -> None:
    dog, clock = watching()
    waiting = replace(well(clock), ready=7)
    dog.look(waiting)
    clock.seconds += 31
    problem = dog.look(replace(waiting, last_loop=clock.seconds))
    assert problem == "7 messages wait and it has taken none for 31 s"


def test_it_recovers_as_soon_as_it_takes_again() -> None:
    dog, clock = watching()
    clock.seconds += 31
    dog.look(replace(well(clock), ready=7))
    clock.seconds += 31
    assert dog.look(replace(well(clock), ready=7)) is not None
    assert dog.look(replace(well(clock, taken=6), ready=6)) is None


def test_an_idle_worker_is_well_for_as_long_as_nothing_waits() -> None:
    dog, clock = watching()
    clock.seconds += 10_000
    assert dog.look(well(clock)) is None


def test_a_worker_that_is_full_is_busy_and_not_stalled() -> None:
    dog, clock = watching()
    clock.seconds += 31
    assert dog.look(replace(well(clock), ready=9, in_flight=8)) is None


def test_a_loop_that_does_not_turn_is_told() -> None:
    dog, clock = watching()
    sight = well(clock)
    clock.seconds += 31
    assert dog.look(sight) == "its loop has not turned for 31 s"


def test_a_lost_connection_is_told_only_after_it_lasted() -> None:
    dog, clock = watching()
    clock.seconds += 29
    assert dog.look(replace(well(clock), connected=False)) is None
    clock.seconds += 2
    assert dog.look(replace(well(clock), connected=False)) == "it has not been a consumer at the broker for 31 s"


def test_a_job_that_never_ends_is_told() -> None:
    dog, clock = watching()
    started = clock.seconds
    clock.seconds += 301
    assert dog.look(replace(well(clock), in_flight=1, oldest_started=started)) == "a job has not ended for 301 s"


def test_a_broker_that_cannot_be_asked_is_no_proof_of_a_stall() -> None:
    dog, clock = watching()
    clock.seconds += 31
    assert dog.look(replace(well(clock), ready=None)) is None
