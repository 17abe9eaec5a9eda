"""A private PostgreSQL node for the tests: its own folder, its own port, no service needed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.require import missing


def _binaries() -> Path | None:
    """The newest PostgreSQL of this machine, with the server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged() -> list[str]:
    """How to run a server that refuses to be root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


def hand_over(folder: Path) -> None:
    """Gives the folder, and what is in it, to the user that `unprivileged` is."""
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an empty database `bellhop`; the user may create others."""
    binaries = _binaries()
    if binaries is None:
        missing("PostgreSQL", "apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="bellhop-postgres-", dir="/tmp"))  # short: a socket's path has 107 bytes
    hand_over(folder)
    data, log, port = folder / "data", folder / "log", _free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*unprivileged(), str(binaries / program), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            pytest.fail(f"{program} failed: {done.stderr}{tail}")

    try:
        run("initdb", "-D", str(data), "-U", "bellhop", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} "
            "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal -c max_wal_senders=0 "
            "-c shared_buffers=32MB -c max_connections=100"
        )
        run("pg_ctl", "start", "-w", "-t", "60", "-D", str(data), "-l", str(log), "-o", options)
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "bellhop", "bellhop")
            yield f"postgresql://bellhop@127.0.0.1:{port}/bellhop"
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
