"""A private RabbitMQ node without root: its own name, ports and folder. Also used outside pytest."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest
import urllib3

from bellhop.broker.rabbitmq.broker import AmqpBroker
from bellhop.broker.topology import Topology
from tests.support.require import missing

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's /usr/sbin/rabbitmq-server refuses other users than root and rabbitmq; this one runs as anyone."""


class RabbitNode:
    """One node. `start` makes it in `folder`; its messages survive `stop` and `kill` until `destroy`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._http_port, self._dist_port, self._epmd_port = (_free_port() for _ in range(4))
        self._name = f"bellhop{uuid.uuid4().hex[:8]}@localhost"
        self._process: subprocess.Popen[bytes] | None = None
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        self._auth = urllib3.make_headers(basic_auth="guest:guest")
        (folder / "plugins").write_text("[rabbitmq_management].\n")
        (folder / "rabbitmq.conf").write_text(
            f"management.tcp.port = {self._http_port}\nmanagement.tcp.ip = 127.0.0.1\n"
        )

    @classmethod
    def start(cls, folder: Path) -> RabbitNode:
        node = cls(folder)
        node.start_again()
        return node

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def vhost(self) -> str:
        """A new, empty virtual host; its URL."""
        name = uuid.uuid4().hex
        for path, body in ((f"vhosts/{name}", None), (f"permissions/{name}/guest", _ALL)):
            answer = self._http.request(
                "PUT", f"http://127.0.0.1:{self._http_port}/api/{path}", headers=self._auth, json=body or {}
            )
            assert answer.status < 300, answer.data
        return self.url + name

    def start_again(self) -> None:
        """Starts it and waits until it accepts connections."""
        environment = {
            **os.environ,
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(SERVER)], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"RabbitMQ did not start: {(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stops it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of the whole node."""
        self._end(signal.SIGKILL)

    @contextlib.contextmanager
    def alarm(self) -> Iterator[None]:
        """A memory alarm, as long as it lasts: every limit is too low."""
        self._ctl("set_vm_memory_high_watermark", "0.00001")
        try:
            yield
        finally:
            self._ctl("set_vm_memory_high_watermark", "0.4")

    def _ctl(self, *words: str) -> None:
        environment = {**os.environ, "HOME": str(self.folder), "ERL_EPMD_PORT": str(self._epmd_port)}
        command = [str(SERVER.with_name("rabbitmqctl")), "-n", self._name, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def destroy(self) -> None:
        self.kill()
        _kill_epmd(self._epmd_port)
        self._http.clear()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, how)
            process.wait(timeout=30)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _answers(self) -> bool:
        """Whether the listener speaks AMQP: it answers a wrong protocol header with its own."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as sock:
                sock.sendall(b"AMQP\x00\x09\x09\x09")
                if sock.recv(8)[:4] != b"AMQP":
                    return False
            url = f"http://127.0.0.1:{self._http_port}/api/overview"
            return self._http.request("GET", url, headers=self._auth).status == 200
        except (OSError, urllib3.exceptions.HTTPError):
            return False

    def __enter__(self) -> RabbitNode:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.destroy()


_ALL = {"configure": ".*", "write": ".*", "read": ".*"}


class AmqpHarness:
    """`tests.support.harness.BrokerHarness` on a virtual host of its own."""

    def __init__(self, node: RabbitNode) -> None:
        self._node = node
        self._open: list[AmqpBroker] = []
        self.urls: tuple[str, ...] = (node.vhost(),)

    def open(self, topology: Topology) -> AmqpBroker:
        broker = AmqpBroker(self.urls, topology, confirm_seconds=5.0, heartbeat_seconds=5.0)
        self._open.append(broker)
        return broker

    def stop(self) -> None:
        self._node.stop()

    def start(self) -> None:
        self._node.start_again()

    def close(self) -> None:
        for broker in self._open:
            broker.close()


@contextlib.contextmanager
def amqp_harness(node: RabbitNode) -> Iterator[AmqpHarness]:
    """A harness that closes its brokers at the end."""
    harness = AmqpHarness(node)
    yield harness
    harness.close()


@pytest.fixture(scope="session")
def rabbitmq_node() -> Iterator[RabbitNode]:
    """One node for the whole run; tests isolate themselves by virtual hosts."""
    if not SERVER.exists():
        missing("RabbitMQ", "apt-get install rabbitmq-server")
    folder = Path(tempfile.mkdtemp(prefix="bellhop-rabbitmq-"))
    try:
        with RabbitNode.start(folder) as node:
            yield node
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _kill_epmd(port: int) -> None:
    """Erlang's port mapper is started by the node and outlives it, in a session of its own."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            if (entry / "comm").read_text().strip() == "epmd" and f"ERL_EPMD_PORT={port}".encode() in environment:
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue
