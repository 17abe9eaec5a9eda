"""A whole Bellhop for a drill: its folder, settings, processes, pretended vendors, and the links between them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Final, Self

import urllib3

from bellhop.broker.port import Broker
from bellhop.drill.backends import DISKS, FAKETIME, Backends
from bellhop.drill.history import PersonAct
from bellhop.drill.nodes.disk import Disk
from bellhop.drill.nodes.ports import free_port
from bellhop.drill.processes import Processes
from bellhop.drill.proxy import Link, Mode, link_before
from bellhop.drill.settings import fill_in
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.settings import Settings
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import load

SOURCE: Final = "drill"
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # invented: of this folder alone
CALLBACKS: Final = "salon-tells"
"""The source of a vendor's own callbacks."""
_CALLBACK_SECRET: Final = "invented-and-of-this-folder-alone"  # noqa: S105  # as above
_RESULT_SECRET: Final = "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU="  # noqa: S105  # as above
_SETTINGS: Final = Path(__file__).with_name("settings.toml")
_SWITCHES: Final = Path(__file__).with_name("switches.toml")
_READY_SECONDS: Final = 60.0
PARTS: Final = ("ingest", "archive", "work-1")
CLAIM_SECONDS: Final = 6.0
LATE_SECONDS: Final = 2.0
"""So late a call without an answer is still carried out; less than `late_after` of the drill's settings."""
LATER_SECONDS: Final = LATE_SECONDS + 4
"""So late it is carried out after it was made again: more than `late_after`, as of a vendor that breaks its word."""


class DrillError(BellhopError):
    """Raised where a drill cannot go on."""


class Site:
    """links: `vendor`, `upstream`, and, where they are reached by TCP, `broker` and `ledger`. disks: by name. older:
    the environment of an older version, {} where there is none. acts: what people did."""

    def __init__(
        self, folder: Path, backends: Backends, results: str, random: Random, template: Path = _SETTINGS
    ) -> None:
        """results: the URL that is told of ends. template: the settings, with braces where they are filled in."""
        self.folder = folder
        self._template = template
        self.backends = backends
        self.random = random
        self.disks = {name: Disk(folder / f"{name}-disk", folder / f"{name}.img") for name in backends.disks}
        places = {name: self.disks[name].folder if name in self.disks else folder for name in DISKS}
        self.broker_file, self.ledger_file = places["broker"] / "broker.db", places["ledger"] / "ledger.db"
        self._ports = {name: free_port() for name in ("ingest", "sandbox", "work")}
        self._sandbox = f"http://127.0.0.1:{self._ports['sandbox']}"
        self.links = {
            "vendor": Link("127.0.0.1", self._ports["sandbox"]),
            "upstream": Link("127.0.0.1", self._ports["ingest"]),
        }
        self.older = {"PYTHONPATH": str(backends.older)} if backends.older else {}
        self.acts: list[PersonAct] = []
        self._results = results
        command = (sys.executable, "-m", "bellhop.cli.main", "--config", str(folder / "bellhop.toml"))
        packages = str(Path(__file__).resolve().parents[1])
        self._logs = places["logs"]
        self.processes = Processes(folder, self._logs, command, {"PYTHONPATH": packages})
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=2, read=10))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:  # what was started must not outlive it
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        for disk in self.disks.values():
            self._stack.enter_context(disk)
        self._stack.callback(self._keep_logs)
        names = ("broker", *(f"broker-{number}" for number in range(2, len(self.backends.broker) + 1)))
        broker = [self._add_link(*one) for one in zip(names, self.backends.broker, strict=False)]
        broker = broker or [f"sqlite:///{self.broker_file}"]
        ledger = self._add_link("ledger", self.backends.ledger) or f"sqlite:///{self.ledger_file}"
        (self.folder / "direct").mkdir(exist_ok=True)
        self._write_settings(self.folder / "bellhop.toml", broker, ledger)
        direct = list(self.backends.broker) or broker, self.backends.ledger or ledger
        self._write_settings(self.folder / "direct" / "bellhop.toml", *direct)
        self._stack.callback(self.processes.end)
        for link in self.links.values():
            self._stack.enter_context(link)
        self.processes.start("sandbox", "--port", str(self._ports["sandbox"]), logs=self.folder)
        self.wait_for(lambda: self._answers(f"{self._sandbox}/_sandbox/switches"), "the sandbox answers")
        url = f"http://127.0.0.1:{self.links['upstream'].port}/webhooks/{CALLBACKS}?secret={_CALLBACK_SECRET}"
        switches = tomllib.loads(_SWITCHES.read_text(encoding="utf-8").replace("{callbacks}", url))
        self.sandbox("POST", "switches", **switches)
        for name in PARTS:
            self.start(name, self.older)
        self.wait_for_ingress()

    def __exit__(self, *_error: object) -> None:
        self._stack.close()
        self._http.clear()

    def _keep_logs(self) -> None:
        """On their own disk they would be gone with it."""
        if self._logs != self.folder:
            for log in self._logs.glob("*.log"):
                shutil.copy(log, self.folder)

    def _add_link(self, name: str, url: str) -> str:
        """The URL through a link, where there can be one."""
        if (found := link_before(url)) is None:
            return url
        self.links[name], url = found
        return url

    def _write_settings(self, file: Path, broker: list[str], ledger: str) -> None:
        values: dict[str, object] = {
            "broker": broker,
            "ledger": ledger,
            "port": self.ingest_port,
            "work_port": self.work_port,
            "vendors": f"http://127.0.0.1:{self.links['vendor'].port}",
            "results": self._results,
            "secret": SECRET,
            "result_secret": _RESULT_SECRET,
            "callback_secret": _CALLBACK_SECRET,
            "claim": f"{CLAIM_SECONDS:g}s",
            "late_after": f"{LATE_SECONDS + 1:g}s",
        }
        fill_in(self._template, values, file)

    # --- what stands --------------------------------------------------------------------------------------------

    @property
    def ingest_port(self) -> int:
        return self._ports["ingest"]

    @property
    def work_port(self) -> int:
        """Of the worker's health, where the settings say it."""
        return self._ports["work"]

    @cached_property
    def settings(self) -> Settings:
        """As the processes have them, but past the links: for whoever looks on."""
        return load(self.folder / "direct" / "bellhop.toml", {})

    @property
    def url(self) -> str:
        """Where webhooks are posted."""
        return f"http://127.0.0.1:{self.links['upstream'].port}/webhooks/{SOURCE}"

    def ledger(self) -> closing[Ledger]:
        return closing(Ledger.open(self.settings.ledger.url, keep_seconds=90 * 86400))

    def broker(self) -> closing[Broker]:
        return closing(connect_broker(self.settings))

    def sandbox(self, method: str, path: str, /, **body: Any) -> Any:
        """The vendors' control."""
        answer = self._http.request(method, f"{self._sandbox}/_sandbox/{path}", json=body if method == "POST" else None)
        if answer.status >= 300:
            raise DrillError(f"the sandbox refused {path}: {answer.data.decode('utf-8', 'replace')}")
        return answer.json()

    # --- what is done to it -------------------------------------------------------------------------------------

    def start(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        self.processes.start(name, environment=environment)

    def start_worker(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Until it works. Raises DrillError."""
        before = self._starts(name)
        self.start(name, environment)
        self.wait_for(lambda: self._starts(name) > before, f"{name} works")

    def _starts(self, name: str) -> int:
        log = self._logs / f"{name}.log"
        return log.read_text(encoding="utf-8", errors="replace").count('"worker.started"') if log.exists() else 0

    def start_with_clock(self, name: str, seconds: float) -> None:
        """The process' wall clock is so far ahead; `set_clock` moves it."""
        self.set_clock(name, seconds)
        fake = {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock_file(name)),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.start(name, fake)

    def set_clock(self, name: str, seconds: float) -> None:
        file = self._clock_file(name)
        file.with_suffix(".new").write_text(f"{seconds:+.0f}\n")
        os.replace(file.with_suffix(".new"), file)  # never read half

    def _clock_file(self, name: str) -> Path:
        return self.folder / f"{name}.clock"

    def freeze(self, name: str) -> None:
        self.processes.signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.processes.signal(name, signal.SIGCONT)

    def revive(self) -> list[str]:
        """Starts again what ended by itself, as a service manager does; the names."""
        return self.processes.revive()

    def mend(self) -> None:
        """Everything runs, connected and well, whatever a fault that failed has left. Raises NodeError, DrillError."""
        for link in self.links.values():
            link.set(Mode.PASSING)
        for node in (self.backends.cluster or self.backends.rabbitmq, self.backends.pair or self.backends.postgres):
            if node is not None:
                node.mend()
        for name in self.processes.names:
            self.thaw(name)
        for name, disk in self.disks.items():
            disk.free()
            if disk.is_broken:
                self.repair_disk(name)
        self.sandbox("DELETE", "faults")
        for name in (name for name in self.processes.names if name not in (*PARTS, "sandbox")):
            self.processes.kill(name)
        for name in PARTS:
            if name not in self.processes.names:
                self.start(name)
        self.revive()
        self.wait_for_ingress()

    def repair_disk(self, name: str) -> None:
        """As an operator does: nothing may run on it meanwhile. Raises NodeError."""
        ended = [one for one in self.processes.names if one != "sandbox"]
        for one in ended:
            self.processes.kill(one)
        self.wait_for(self.disks[name].is_left, f"nobody has a file open on the disk of {name}")
        self.disks[name].repair()
        for one in ended:
            self.start(one)

    def bellhop(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """A command, as a person gives it; what it said. Raises DrillError."""
        done = self.processes.run(*words, environment=environment)
        if done.returncode != 0:
            raise DrillError(f"bellhop {' '.join(words)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def hold(self, least: float, most: float | None = None) -> None:
        """Lets so many seconds pass."""
        time.sleep(self.random.uniform(least, most or least))

    def hold_until(self, holds: Callable[[], bool], most: float) -> None:
        """Lets time pass until it holds, but not more than so many seconds."""
        deadline = time.monotonic() + most
        while time.monotonic() < deadline and not holds():
            time.sleep(0.1)

    def wait_for_ingress(self) -> None:
        """What ends meanwhile is started again: another fault may have taken from it what its start needs."""
        url = f"http://127.0.0.1:{self._ports['ingest']}/readyz"

        def is_ready() -> bool:
            self.revive()
            return self._answers(url)

        self.wait_for(is_ready, "the ingress is ready")

    def wait_for(self, holds: Callable[[], bool], what: str, seconds: float = _READY_SECONDS) -> None:
        """Raises DrillError."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise DrillError(f"not within {seconds:g} s: {what}; see the logs in {self.folder}")
            time.sleep(0.1)

    def _answers(self, url: str) -> bool:
        try:
            return self._http.request("GET", url).status == 200
        except urllib3.exceptions.HTTPError:
            return False
