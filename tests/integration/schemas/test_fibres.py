"""Many calls on one thread: each goes on once what it waits for has come, or its time is over."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

import pytest

from bellhop.schemas.fibres import READABLE, Fibres, current, give_way, pause, wait_for, wait_until
from bellhop.vendors.sockets import receive, send

FAR = math.inf


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Ours, which never block, and their peers."""
    made = [socket.socketpair() for _ in range(40)]
    for ours, _ in made:
        ours.setblocking(False)
    yield made
    for both in made:
        for end in both:
            end.close()


def run(fibres: Fibres) -> None:
    while fibres.count:
        fibres.turn(FAR)


def test_each_goes_on_as_it_is_answered(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    heard: list[int] = []

    def ask(number: int) -> None:
        wait_until(READABLE, pairs[number][0], FAR)
        assert receive(pairs[number][0], 10, FAR) == b"%d" % number
        heard.append(number)

    with Fibres() as fibres:
        for number in range(len(pairs)):
            fibres.start(partial(ask, number))
        order = sorted(range(len(pairs)), key=lambda number: number * 7 % 40)
        for number in order:
            pairs[number][1].send(b"%d" % number)
            fibres.turn(FAR)
        assert (heard, fibres.count) == (order, 0)


def test_what_is_more_than_the_socket_takes_is_sent_as_its_peer_reads(
    pairs: list[tuple[socket.socket, socket.socket]],
) -> None:
    read: list[int] = []
    much = b"x" * 3_000_000

    def peer() -> None:
        while sum(read) < len(much):
            read.append(len(pairs[0][1].recv(65536)))

    thread = threading.Thread(target=peer)
    with Fibres() as fibres:
        fibres.start(lambda: send(pairs[0][0], much, FAR))
        assert fibres.count == 1
        thread.start()
        run(fibres)
    thread.join()
    assert sum(read) == len(much)


def test_who_is_not_answered_in_time_is_told_while_others_wait_on(
    pairs: list[tuple[socket.socket, socket.socket]],
) -> None:
    ended: list[str] = []

    def ask(name: str, sock: socket.socket, deadline: float) -> None:
        try:
            wait_until(READABLE, sock, deadline)
        except TimeoutError:
            name += " in vain"
        ended.append(name)

    with Fibres() as fibres:
        fibres.start(partial(ask, "a", pairs[0][0], time.monotonic() + 0.05))
        fibres.start(partial(ask, "b", pairs[1][0], time.monotonic() + 60))
        while fibres.count == 2:
            fibres.turn(FAR)
        pairs[1][1].send(b"!")
        run(fibres)
    assert ended == ["a in vain", "b"]


def test_what_came_while_its_thread_was_elsewhere_is_no_silence(
    pairs: list[tuple[socket.socket, socket.socket]],
) -> None:
    heard: list[bytes] = []

    def ask() -> None:
        wait_until(READABLE, pairs[0][0], time.monotonic() + 0.01)
        heard.append(receive(pairs[0][0], 10, FAR))

    with Fibres() as fibres:
        fibres.start(ask)
        pairs[0][1].send(b"late")
        time.sleep(0.02)
        run(fibres)
    assert heard == [b"late"]


def test_a_future_is_waited_for_until_another_thread_ends_it(
    pairs: list[tuple[socket.socket, socket.socket]],
) -> None:
    found: list[object] = []
    futures: list[Future[int]] = [Future() for _ in range(3)]

    def ask(future: Future[int], seconds: float) -> None:
        try:
            found.append(wait_for(future, seconds))
        except TimeoutError:
            found.append("in vain")

    with Fibres() as fibres:
        for future, seconds in zip(futures, (60, 60, 0.01), strict=True):
            fibres.start(partial(ask, future, seconds))
        while fibres.count == 3:
            fibres.turn(FAR)
        thread = threading.Thread(target=lambda: [futures[n].set_result(n) for n in (1, 0, 2)])
        thread.start()
        run(fibres)
        thread.join()
        fibres.start(partial(ask, futures[2], 60))
    assert found == ["in vain", 1, 0, 2]


def test_a_future_that_was_waited_for_in_vain_wakes_nobody_later() -> None:
    late: Future[int] = Future()
    next_: Future[int] = Future()
    found: list[int] = []

    def ask() -> None:
        with pytest.raises(TimeoutError):
            wait_for(late, 0.01)
        found.append(wait_for(next_, 60))

    with Fibres() as fibres:
        fibres.start(ask)
        while not late.done():
            fibres.turn(time.monotonic() + 0.05)
            late.set_result(1)
        fibres.turn(time.monotonic() + 0.05)
        assert (found, fibres.count) == ([], 1)
        next_.set_result(2)
        run(fibres)
    assert found == [2]


def test_who_is_alone_gives_way_to_nobody() -> None:
    order: list[str] = []

    def work(name: str) -> None:
        give_way(0.01)
        order.append(name)

    give_way(math.inf)
    with Fibres() as fibres:
        fibres.start(partial(work, "alone"))
        fibres.start(lambda: pause(0.05))
        fibres.start(partial(work, "gives way"))
        fibres.start(lambda: order.append("another"))
        run(fibres)
    assert order == ["alone", "another", "gives way"]


def test_pauses_end_in_their_order() -> None:
    ended: list[float] = []

    def rest(seconds: float) -> None:
        pause(seconds)
        ended.append(seconds)

    with Fibres() as fibres:
        for seconds in (0.03, 0.01, 0.02):
            fibres.start(partial(rest, seconds))
        run(fibres)
    assert ended == [0.01, 0.02, 0.03]


def test_a_turn_ends_when_it_is_rung_and_at_its_time(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    with Fibres() as fibres:
        fibres.turn(time.monotonic() + 0.01)
        thread = threading.Thread(target=fibres.ring)
        thread.start()
        fibres.turn(FAR)
        thread.join()
        fibres.ring()
        fibres.ring()
        fibres.turn(FAR)
        assert not fibres.is_rung


def test_who_rings_while_the_bell_is_answered_keeps_nobody_from_being_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Bell:
        def recv(self, size: int) -> bytes:
            fibres.ring()
            return bell.recv(size)

    with Fibres() as fibres:
        bell = fibres._bell
        fibres.ring()
        with monkeypatch.context() as patched:
            patched.setattr(fibres, "_bell", Bell())
            fibres.turn(FAR)
        fibres.ring()
        fibres.turn(FAR)


def test_what_a_fibre_raises_its_thread_does() -> None:
    def fail() -> None:
        pause(0)
        raise KeyError("unforeseen")

    with Fibres() as fibres:
        fibres.start(fail)
        with pytest.raises(KeyError):
            fibres.turn(FAR)
        assert fibres.count == 0


def test_each_fibre_and_each_thread_is_told_from_the_others() -> None:
    found: list[object] = [current()]

    def note() -> None:
        found.append(current())
        pause(0)
        assert current() in found

    with Fibres() as fibres:
        for _ in range(3):
            fibres.start(note)
        threads = [threading.Thread(target=lambda: found.append(current())) for _ in range(2)]
        for thread in threads:
            thread.start()
            thread.join()
        run(fibres)
    assert len(set(found)) == 6


@pytest.mark.parametrize("wait", [lambda: pause(0), lambda: wait_for(_done(), 1)])
def test_a_thread_without_fibres_simply_waits(
    wait: Callable[[], object], pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    wait()
    pairs[0][1].send(b"!")
    wait_until(READABLE, pairs[0][0], FAR)
    with pytest.raises(TimeoutError):
        wait_until(READABLE, pairs[1][0], time.monotonic())


def _done() -> Future[int]:
    made: Future[int] = Future()
    made.set_result(1)
    return made
