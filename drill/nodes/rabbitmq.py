"""A private RabbitMQ node without root: its own name, ports and folder."""

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
from typing import Final

import urllib3

from bellhop.drill.nodes.ports import free_port
from bellhop.schemas.errors import BellhopError

SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's /usr/sbin/rabbitmq-server refuses other users than root and rabbitmq; this one runs as anyone."""
ROOT: Final = Path(os.environ.get("DRILL_RABBITMQ_ROOT", "/"))
"""Where another Debian is unpacked whose RabbitMQ is started, not this machine's (`tests/support/rabbitmq_root.sh`)."""
_NEXT: Final = os.environ.get("DRILL_RABBITMQ_NEXT", "")
NEXT_ROOT: Final = Path(_NEXT) if _NEXT else None
"""Where a newer one is unpacked, to which nodes are upgraded; None: they are not."""

_START_SECONDS: Final = 120.0
_ALL: Final = {"configure": ".*", "write": ".*", "read": ".*"}


class NodeError(BellhopError):
    """Raised where a private node does not do what it is told."""


class RabbitNode:
    """One node. `start` makes it in `folder`, which is below `ROOT`; its messages survive `stop` and `kill` until
    `destroy`."""

    def __init__(self, folder: Path, epmd_port: int = 0) -> None:
        """epmd_port: of the port mapper that the nodes of a cluster share; 0: one of its own."""
        self.folder = folder
        self._root = ROOT
        self._seen = Path("/", folder.relative_to(ROOT))  # the folder, as the node sees it
        self.port, self._http_port, self._dist_port = (free_port() for _ in range(3))
        self._epmd_port = epmd_port or free_port()
        self.name = f"bellhop{uuid.uuid4().hex[:8]}@localhost"
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
            if answer.status >= 300:
                raise NodeError(f"RabbitMQ made no virtual host: {answer.status} {answer.data!r}")
        return self.url + name

    def start_again(self) -> None:
        """Starts it and waits until it accepts connections. Raises NodeError."""
        self.launch()
        self.await_answer()

    def launch(self) -> None:
        environment = {
            **os.environ,
            "HOME": str(self._seen),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(self._seen / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._seen / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._seen / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self._seen / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            # Or a node that is told to leave others sets these against each other, as no cut network could.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel prevent_overlapping_partitions false",
        }
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # as above
                _within(self._root, SERVER),
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def await_answer(self) -> None:
        """Until it accepts connections. Raises NodeError."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise NodeError(f"RabbitMQ did not start: {(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stops it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of the whole node."""
        self._end(signal.SIGKILL)

    @property
    def has_newer(self) -> bool:
        return NEXT_ROOT is not None

    def upgrade(self) -> None:
        """As an operator would: stopped, and started on the newer RabbitMQ, with what is in its folder. Raises
        NodeError."""
        self.stop()
        self.move_on()
        self.start_again()

    def move_on(self) -> None:
        """The next start of the stopped node is that of the newer RabbitMQ; its folder keeps its path there."""
        if NEXT_ROOT is None:
            raise NodeError("there is no newer RabbitMQ: DRILL_RABBITMQ_NEXT says where one is unpacked")
        if self._root != NEXT_ROOT:
            target = _below(NEXT_ROOT, self._seen)
            target.parent.mkdir(exist_ok=True)
            self.folder = Path(shutil.move(self.folder, target))
            self._root = NEXT_ROOT

    def mend(self) -> None:
        """It runs, whatever was done to it."""
        self.thaw()
        if self._process is None or self._process.poll() is not None:
            self.start_again()

    def freeze(self) -> None:
        """Not a packet more, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.killpg(self._process.pid, number)

    @contextlib.contextmanager
    def alarm(self) -> Iterator[None]:
        """A memory alarm, as long as it lasts: every limit is too low."""
        self.control("set_vm_memory_high_watermark", "0.00001")
        try:
            yield
        finally:
            self.control("set_vm_memory_high_watermark", "0.4")

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """A disk alarm, as long as it lasts: no disk has as much free as is asked for."""
        self.control("set_disk_free_limit", "1000000GB")
        try:
            yield
        finally:
            self.control("set_disk_free_limit", "50MB")

    def control(self, *words: str) -> None:
        """As `rabbitmqctl` does. Raises NodeError."""
        self._run("rabbitmqctl", *words)

    def diagnose(self, *words: str) -> None:
        """As `rabbitmq-diagnostics` does. Raises NodeError."""
        self._run("rabbitmq-diagnostics", *words)

    def _run(self, program: str, *words: str) -> None:
        environment = {**os.environ, "HOME": str(self._seen), "ERL_EPMD_PORT": str(self._epmd_port)}
        command = [*_within(self._root, SERVER.with_name(program)), "-n", self.name, *words]
        done = subprocess.run(  # noqa: S603  # the node's own program
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            raise NodeError(f"{program} {' '.join(words)} failed: {done.stdout}{done.stderr}")

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


def node_folder() -> Path:
    """A new folder in which a node can be started; its path is short, as a socket's has 107 bytes."""
    return Path(tempfile.mkdtemp(prefix="bellhop-rabbitmq-", dir=ROOT / "tmp"))


def remove_folder(folder: Path) -> None:
    """What `node_folder` made, wherever an upgrade has moved it."""
    seen = Path("/", folder.relative_to(ROOT))
    for root in (ROOT, NEXT_ROOT):
        if root is not None:
            shutil.rmtree(_below(root, seen), ignore_errors=True)


def is_installed() -> bool:
    return _below(ROOT, SERVER).exists()


def _below(root: Path, seen: Path) -> Path:
    """Where it is for us what a node started in `root` sees as this."""
    return root / seen.relative_to("/")


def _within(root: Path, program: Path) -> list[str]:
    if root == Path("/"):
        return [str(program)]
    # Erlang reads its memory from /proc, which is seen by this process and its children alone, and so goes with them.
    words = 'mount -t proc proc "$0/proc" && exec chroot "$@"'
    return ["unshare", "--mount", "sh", "-c", words, str(root), str(root), str(program)]


def _kill_epmd(port: int) -> None:
    """Erlang's port mapper is started by the node and outlives it, in a session of its own."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            if (entry / "comm").read_text().strip() == "epmd" and f"ERL_EPMD_PORT={port}".encode() in environment:
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue
