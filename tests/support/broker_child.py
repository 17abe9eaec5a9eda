"""A process of its own that uses a broker, for tests that kill one. Started by `Child`; speaks lines on stdout."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from bellhop.broker.connect import connect
from bellhop.broker.port import Broker, Message
from bellhop.broker.topology import Topology, work
from bellhop.schemas.settings import BrokerSettings
from bellhop.vendors.registry import ROUTES

_ROOT = Path(__file__).parents[2]


class Child:
    """This module run as a program, doing one of the functions below. Killed at the latest by `with`'s end."""

    def __init__(self, urls: Sequence[str], topology: Topology, deed: str, *args: str | int) -> None:
        plan = {
            "urls": list(urls),
            "ladder": list(topology.ladder),
            "limit": topology.delivery_limit,
            "deed": deed,
            "args": args,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.broker_child", json.dumps(plan)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line it says; "" when it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def lines(self) -> list[str]:
        """All it says until its end."""
        assert self._process.stdout is not None
        return self._process.stdout.read().splitlines()

    def say(self) -> None:
        """Lets it go on from where it waits for a word."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        return self._process.wait(60)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def tell(text: str) -> None:
    print(text, flush=True)


def hold(broker: Broker, queue: str, count: int) -> None:
    """Takes `count` messages, tells their ids, and holds them until told to end."""
    consumer = broker.consumer(queue, count)
    held = 0
    while held < count:
        for delivery in consumer.take(count - held, 1.0):
            held += 1
            tell(delivery.message.id)
    sys.stdin.readline()


def publish(broker: Broker, route: str, count: int) -> None:
    """Publishes `count` messages and tells each id as soon as it is confirmed."""
    publisher = broker.publisher()
    futures = [(f"m{i}", publisher.publish(Message(f"m{i}", b"x" * 500, {}), work(route))) for i in range(count)]
    for name, future in futures:
        future.result(60)
        tell(name)


def publish_on_word(broker: Broker, route: str) -> None:
    """Gets ready, then publishes one message when told to."""
    publisher = broker.publisher()
    tell("ready")
    sys.stdin.readline()
    publisher.publish(Message("called", b"", {}), work(route)).result(60)


def fork(broker: Broker, route: str, before: str = "") -> None:
    """Makes the publisher, uses it if `before` names a message, then uses it in a forked child and in itself.

    Tells the child's error, "" for none.
    """
    publisher = broker.publisher()
    if before:
        publisher.publish(Message(before, b"", {}), work(route)).result(30)
    pid = os.fork()
    error = publisher.publish(Message("parent" if pid else "child", b"", {}), work(route)).exception(30)
    if pid == 0:
        tell(type(error).__name__ if error else "")
    publisher.close()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    if error:
        raise error


def main() -> None:
    plan = json.loads(sys.argv[1])
    settings = BrokerSettings(
        urls=tuple(plan["urls"]),
        ladder=tuple(plan["ladder"]),
        delivery_limit=plan["limit"],
        confirm_seconds=30.0,
        heartbeat_seconds=10.0,
        lease_seconds=3600.0,
    )
    deeds = {deed.__name__: deed for deed in (hold, publish, publish_on_word, fork)}
    deeds[plan["deed"]](connect(settings, Topology(ROUTES, settings.ladder, settings.delivery_limit)), *plan["args"])


if __name__ == "__main__":
    main()
