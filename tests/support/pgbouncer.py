"""A private PgBouncer before the tests' PostgreSQL, in transaction mode: its own folder, its own port."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bellhop.drill.nodes.postgres import hand_over, server_user
from tests.support.require import missing
from tests.support.service import free_port, wait_for

# More clients than connections, so that each transaction may meet another session than the one before.
SETTINGS = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = 8
server_check_delay = 0
"""


def _program() -> str | None:
    """Debian puts it where only root's PATH leads."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@pytest.fixture(scope="session")
def pgbouncer_url(postgres_url: str) -> Iterator[str]:
    """As `postgres_url`, through the pooler."""
    program = _program()
    if program is None:
        missing("PgBouncer", "apt-get install pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="bellhop-pgbouncer-", dir="/tmp"))
    behind, own = urlsplit(postgres_url), free_port()
    settings = SETTINGS.format(host=behind.hostname, port=behind.port, user=behind.username, own=own)
    (folder / "pgbouncer.ini").write_text(settings)
    hand_over(folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*server_user(), program, "pgbouncer.ini"], cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        wait_for(lambda: process.poll() is not None or _listens(own), "PgBouncer listens")
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        yield f"postgresql://{behind.username}@127.0.0.1:{own}{behind.path}"
    finally:
        process.kill()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
