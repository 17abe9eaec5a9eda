"""The demo's folder: its settings, its data, its logs, and the processes it consists of."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib.resources
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from bellhop.cli.demo.supervisor import DemoProcess
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.settings.files import PREFIX
from bellhop.vendors.registry import VENDORS

HOST: Final = "127.0.0.1"
INGEST_PORT: Final = 8080
SANDBOX_PORT: Final = 8090
CONSOLE_PORT: Final = 8070
PARTS: Final = ("console", "ingest", "work", "archive", "sandbox")
"""In the order in which they are to stop: first who takes new work, last whom it ends at."""

_TRIES: Final = 50
_OTHERWISE: Final = (8390, 8390 + _TRIES)
"""Where the console goes when its port is in use: the next ones are the ingress'."""
_DATA: Final = "demo-data"  # cleared at every start, so its name is one that nobody else gives a folder
_PACKAGES: Final = Path(__file__).resolve().parents[1]


class DemoError(BellhopError):
    """Raised when the demo cannot start here."""


@dataclass(frozen=True, slots=True)
class Ports:
    ingest: int
    sandbox: int
    work: int
    archive: int
    console: int


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """lock: held while the demo runs; the kernel lets it go whatever ends us."""

    folder: Path
    settings: Path
    ports: Ports
    lock: IO[str]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports.ingest}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.ports.sandbox}"

    @property
    def console_url(self) -> str:
        return f"http://{HOST}:{self.ports.console}"

    @property
    def console_link(self) -> Path:
        """Where the console writes its one-time link."""
        return self.folder / _DATA / "console.link"

    def ready_urls(self) -> dict[str, str]:
        """What answers 200 once a part is ready."""
        return {
            "sandbox": f"{self.sandbox_url}/_sandbox/state",
            "ingest": f"{self.url}/readyz",
            "work": f"http://{HOST}:{self.ports.work}/readyz",
            "archive": f"http://{HOST}:{self.ports.archive}/readyz",
            "console": f"{self.console_url}/readyz",
        }

    def parts(self, environ: Mapping[str, str]) -> list[DemoProcess]:
        """The processes. environ: the caller's."""
        # -P: a folder called `schemas` where we were called must not be taken for ours.
        bellhop = [sys.executable, "-P", "-m", "bellhop.cli.main", "--with-parent", str(os.getpid())]
        configured = [*bellhop, "--config", str(self.settings)]
        # BELLHOP_… of the caller's shell would lay its settings, of a real installation perhaps, over the demo's.
        clean = {name: value for name, value in environ.items() if not name.startswith(PREFIX)}
        clean["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_PACKAGES), environ.get("PYTHONPATH"))))
        clean["PYTHONUNBUFFERED"] = "1"

        words = {name: [*configured, name] for name in PARTS}
        words["console"] += ["--link-file", str(self.console_link)]
        limits = [word for vendor in VENDORS for switch in vendor.demo().switches for word in ("--switch", switch)]
        words["sandbox"] = [*bellhop, "sandbox", "--port", str(self.ports.sandbox), *limits]
        logs = {name: _log(self.folder, name) for name in PARTS}
        return [DemoProcess(name, words[name], logs[name], clean, reloads=name != "sandbox") for name in PARTS]


def prepare(folder: Path | None, broker: str | None, port: int | None) -> DemoFolder:
    """Makes the folder (`./var/demo` unless given, a temporary one where that cannot be written), takes its lock,
    clears what an earlier demo left, finds free ports, and writes the settings.

    broker: a URL in the embedded broker's place. port: the ingress'. Raises DemoError.
    """
    folder, lock = _lock_folder(folder)
    try:
        return _prepare(folder, lock, broker, port)
    except BaseException:
        lock.close()
        raise


def _prepare(folder: Path, lock: IO[str], broker: str | None, port: int | None) -> DemoFolder:
    shutil.rmtree(folder / _DATA, ignore_errors=True)
    for name in PARTS:
        _log(folder, name).unlink(missing_ok=True)
    ingest = _free(port, port) if port else _free(INGEST_PORT, INGEST_PORT + _TRIES)
    ports = Ports(
        ingest=ingest,
        sandbox=_free(SANDBOX_PORT, SANDBOX_PORT + _TRIES),
        work=_free(SANDBOX_PORT + 100, SANDBOX_PORT + 100 + _TRIES),
        archive=_free(SANDBOX_PORT + 200, SANDBOX_PORT + 200 + _TRIES),
        console=CONSOLE_PORT if ingest != CONSOLE_PORT and _is_free(CONSOLE_PORT) else _free(*_OTHERWISE),
    )
    settings = folder / "demo.toml"  # not bellhop.toml, which may be somebody's real settings
    settings.touch(mode=0o600)
    settings.chmod(0o600)  # the broker's URL may hold a password
    settings.write_text(render_settings(template(), folder, broker, ports), encoding="utf-8")
    return DemoFolder(folder, settings, ports, lock)


def template() -> str:
    """The demo's settings: an account and a venue of each vendor's."""
    base = importlib.resources.files("bellhop.cli.demo").joinpath("bellhop.demo.toml").read_text(encoding="utf-8")
    sandbox = f"http://{HOST}:{SANDBOX_PORT}"
    return "\n".join((base, *(vendor.demo().settings.replace("{sandbox}", sandbox) for vendor in VENDORS)))


def render_settings(template: str, folder: Path, broker: str | None, ports: Ports) -> str:
    """The demo's settings with these places."""
    text = template
    for old, new in (
        ("port = 8080\n", f"port = {ports.ingest}\n"),
        (f"http://{HOST}:{SANDBOX_PORT}", f"http://{HOST}:{ports.sandbox}"),
        ("[work]\n", f"[work]\nport = {ports.work}\n"),
        (
            'url = ["sqlite:///var/demo/broker.db"]',
            f"url = [{_toml(broker or f'sqlite:///{folder}/{_DATA}/broker.db')}]",
        ),
        ('url = "sqlite:///var/demo/ledger.db"', f"url = {_toml(f'sqlite:///{folder}/{_DATA}/ledger.db')}"),
    ):
        if old not in text:
            raise DemoError(f"the demo's settings have no {old.strip()}: they were changed without this program")
        text = text.replace(old, new)
    return f"{text}\n[archive]\nport = {ports.archive}\n\n[console]\nport = {ports.console}\n"


def _log(folder: Path, name: str) -> Path:
    return folder / "logs" / f"{name}.jsonl"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # JSON's strings are TOML's basic strings


def _lock_folder(folder: Path | None) -> tuple[Path, IO[str]]:
    wanted = (folder or Path("var/demo")).resolve()
    try:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (wanted / "lock").open("a+")
    except OSError as error:
        if folder is not None:
            raise DemoError(f"{wanted} cannot be written: {error.strerror}") from None
        wanted = Path(tempfile.mkdtemp(prefix="bellhop-demo-"))
        file = (wanted / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise DemoError(f"a demo is running in {wanted} already; stop it, or give another --folder") from None
    return wanted, file


def _free(first: int, last: int) -> int:
    """The first port from `first` to `last` on which nobody listens. Raises DemoError."""
    for port in range(first, last + 1):
        if _is_free(port):
            return port
    which = f"port {first} is" if first == last else f"ports {first} to {last} are all"
    raise DemoError(f"{which} in use; stop what listens there, or give another --port")


def _is_free(port: int) -> bool:
    """Raises DemoError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise DemoError(f"cannot listen on {HOST}: {error.strerror}") from None
            return False
    return True


def close(demo: DemoFolder) -> None:
    with contextlib.suppress(OSError):
        demo.lock.close()
