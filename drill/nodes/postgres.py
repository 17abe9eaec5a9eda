"""A private PostgreSQL node: its own folder and port, no service needed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from bellhop.drill.nodes.ports import free_port
from bellhop.drill.nodes.rabbitmq import NodeError

_NEW = ("-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
# What is committed must outlive kill -9 of the node, not the machine: nothing is synced, and everything is written.
_OPTIONS = (
    "-c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=100"
)
_ALONE = "-c wal_level=minimal -c max_wal_senders=0"
_FOLLOWED_SECONDS = 30.0


def binaries() -> Path | None:
    """The newest PostgreSQL of this machine, with the server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def server_user() -> list[str]:
    """How to run a server that refuses to be root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


def hand_over(folder: Path) -> None:
    """Gives the folder, and what is in it, to the user that `server_user` is."""
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)


def _stat(pid: int) -> tuple[str, ...] | None:
    """State and parent of a process, and what follows; None where there is none."""
    try:
        return tuple(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split())
    except OSError:
        return None


def _is_alive(pid: int) -> bool:
    stat = _stat(pid)
    return stat is not None and stat[0] != "Z"


class PostgresNode:
    """One node in `folder`, whose path must be short: a socket's has 107 bytes. Its user may do everything."""

    def __init__(self, folder: Path, options: str = _ALONE) -> None:
        """options: of the server, beside those of every node."""
        self._folder, self._options = folder, f"{_OPTIONS} {options}"
        self._data, self._log, self.port = folder / "data", folder / "log", free_port()

    @classmethod
    def start(cls, folder: Path) -> PostgresNode:
        """A new node with an empty database `bellhop`. Raises NodeError."""
        node = cls(folder)
        node.make()
        return node

    def make(self) -> None:
        hand_over(self._folder)
        self._run("initdb", "-D", str(self._data), "-U", "bellhop", *_NEW)
        self.start_again()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bellhop", "bellhop")

    @property
    def url(self) -> str:
        return f"postgresql://bellhop@127.0.0.1:{self.port}/bellhop"

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"drill_{uuid.uuid4().hex}"
        self._sql(f"CREATE DATABASE {name}")
        return self.url.removesuffix("bellhop") + name

    def start_again(self) -> None:
        options = f"-p {self.port} -c unix_socket_directories={self._folder} {self._options}"
        self._control("start", "-w", "-t", "60", "-l", str(self._log), "-o", options)

    def stop(self) -> None:
        """As an operator would."""
        self._control("stop", "-w", "-m", "fast")

    def kill(self) -> None:
        """kill -9 of the whole node."""
        found = self._signal(signal.SIGKILL)
        while any(map(_is_alive, found)):
            time.sleep(0.02)
        # Its process may stay as a zombie, where nobody buries it: the next one would take it for alive.
        for left in (self._data / "postmaster.pid", self._folder / f".s.PGSQL.{self.port}.lock"):
            left.unlink(missing_ok=True)

    def mend(self) -> None:
        """It runs, whatever was done to it."""
        self.thaw()
        if not self._processes():
            self.start_again()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def end_sessions(self) -> None:
        """As a fail-over, or an administrator, does."""
        self._sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datid > 0")

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """As long as it lasts, nothing can be written: as on a standby, or with a full disk."""
        self._set_read_only("on")
        try:
            yield
        finally:
            self._set_read_only("off")

    def _set_read_only(self, value: str) -> None:
        self._sql(f"ALTER SYSTEM SET default_transaction_read_only = {value}", "SELECT pg_reload_conf()")

    def copy_of(self, other: PostgresNode) -> None:
        """It becomes a copy of another that runs, and follows it once it is started."""
        hand_over(self._folder)
        shutil.rmtree(self._data, ignore_errors=True)
        where = ("-h", "127.0.0.1", "-p", str(other.port), "-U", "bellhop")
        self._run("pg_basebackup", "-D", str(self._data), *where, "-R", "-c", "fast", "--no-sync")

    def wait_for_standby(self) -> None:
        """Until one follows it; from then on each commit waits for that one. Raises NodeError."""
        import psycopg

        deadline = time.monotonic() + _FOLLOWED_SECONDS
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not connection.execute("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'").fetchone():
                if time.monotonic() > deadline:
                    raise NodeError("no standby follows this PostgreSQL")
                time.sleep(0.1)
        self._sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")

    def promote(self) -> None:
        """It takes the place of the one that it followed, and waits for no standby: there is none yet."""
        self._control("promote", "-w", "-t", "60")
        self._sql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

    def _sql(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.url, options="-c default_transaction_read_only=off", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def destroy(self) -> None:
        self.kill()

    def _processes(self) -> list[int]:
        """The node's own and its children, the parent first."""
        try:
            parent = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return []
        pids = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
        return [parent, *(pid for pid in pids if (_stat(pid) or ("", ""))[1] == str(parent))]

    def _signal(self, number: signal.Signals) -> list[int]:
        """The processes that it was meant for; a session's may have ended meanwhile."""
        found = self._processes()
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return found

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", words[0], "-D", str(self._data), *words[1:])

    def _run(self, program: str, *arguments: str) -> None:
        found = binaries()
        if found is None:
            raise NodeError("PostgreSQL is not installed on this machine")
        command = [*server_user(), str(found / program), *arguments]
        done = subprocess.run(  # noqa: S603  # the server's own programs
            command, cwd=self._folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            tail = self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
            raise NodeError(f"{program} failed: {done.stderr}{tail}")
