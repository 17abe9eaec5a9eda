"""Bellhop as a person runs it: each part a real process, with the vendors' sandbox beside it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import urllib3
from click.testing import CliRunner, Result
from standardwebhooks import Webhook

from bellhop.cli.main import cli
from bellhop.ledger.store import Ledger
from tests.support.ledger import sqlite_ledger
from tests.support.sink import Post
from tests.support.told import Earlier, as_it_is, untruths

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SOURCE = "crm"
_ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """
[broker]
url = {broker}
ladder = ["200ms", "500ms", "1s", "2s", "4s", "8s"]
lease = "2s"
confirm = "5s"
{broker_more}
[ledger]
url = "{ledger}"
[ingest]
port = {ingest_port}
[work]
threads = 8
claim = "{claim}"
drain = "5s"
stall = "10s"
[sources.crm]
verifier = "standard-webhooks"
secrets = ["{secret}"]
member_account = "pv"
[accounts.pv]
kind = "peoplevine"
base_url = "{sandbox}"
auth_id = "sandbox"
company = "4711"
user = "bellhop"
password = "sandbox-password"
slots_hold_one = true
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
[accounts.sb]
kind = "simplybook"
base_url = "{sandbox}"
company = "sandbox"
api_key = "sandbox-api-key"
secret_key = "sandbox-secret-key"
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
limit_per_second = {per_second}
limit_at_once = {at_once}
limit_per_day = {per_day}
[venues.spa]
account = "pv"
timezone = "Europe/London"
[venues.salon]
account = "sb"
timezone = "Europe/London"
"""


class Service:
    """A folder with settings and state; `start(name)` runs `sandbox`, `ingest`, `archive` or `work…` in it."""

    def __init__(
        self,
        folder: Path,
        broker: Sequence[str] | None = None,
        ledger: str | None = None,
        *,
        limits: tuple[float, int, int] = (0, 0, 0),
        more: str = "",
        tree: Path = _ROOT,
    ) -> None:
        """limits: of the SimplyBook.me account, a second, at once and a day. more: settings, as TOML. tree: where the
        package is."""
        self.folder = folder
        self._tree = tree
        self.ingest_port, self.sandbox_port = free_port(), free_port()
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.url = f"http://127.0.0.1:{self.ingest_port}"
        self.ledger_url = ledger or sqlite_ledger(folder)
        self.settings = folder / "bellhop.toml"
        self.settings.write_text(
            SETTINGS.format(
                broker=json.dumps(list(broker or [f"sqlite:///{folder}/broker.db"])),
                broker_more="",
                ledger=self.ledger_url,
                ingest_port=self.ingest_port,
                claim="6s",
                secret=SECRET,
                sandbox=self.sandbox_url,
                per_second=limits[0],
                at_once=limits[1],
                per_day=limits[2],
            )
            + more.replace("{sandbox}", self.sandbox_url)
        )
        self._earlier, self._calls_before = Earlier(), 0
        self._bookings_before: set[str] = set()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=2, read=10), maxsize=16)
        self._webhook = Webhook(SECRET)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Where nothing went wrong, also holds what was told against what stands at the vendors."""
        try:
            if kind is None and self.alive("sandbox"):
                self.assert_told_is_true()
        finally:
            for name in list(self._processes):
                self.kill(name)
            self._http.clear()

    def assert_told_is_true(self, posts: Sequence[Post] = ()) -> None:
        """posts: results, as an upstream got them."""
        ledger = self.ledger()
        try:
            found = untruths(ledger, self.sandbox("GET", "state"), posts, self._earlier)
            assert not found, "\n".join(found)
        finally:
            ledger.close()

    def begin(self) -> None:
        """From here on `calls` and `bookings` are only those that come, and nothing but them is held against what is
        told: for a test that finds everything running, and what others have done with it."""
        ledger = self.ledger()
        try:
            state = self.sandbox("GET", "state")
            self._earlier = as_it_is(ledger, state)
            self._bookings_before = {booking["id"] for booking in state["bookings"]}
        finally:
            ledger.close()
        self._calls_before = max((call["n"] for call in self.sandbox("GET", "calls")["calls"]), default=0)

    # --- processes ----------------------------------------------------------------------------------------------

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bellhop.cli.main", "--config", str(self.settings), *words]

    def start(self, name: str, *words: str) -> None:
        """Starts `bellhop NAME WORDS…` under `name` (its first word, where `name` is `work-1` and the like)."""
        default = ("--port", str(self.sandbox_port)) if name == "sandbox" else ()
        command = self.command(name.split("-", maxsplit=1)[0], *words, *default)
        log = (self.folder / f"{name}.log").open("ab")
        environment = {**os.environ, "PYTHONPATH": str(self._tree)}
        # A group of its own, so that a kill takes the whole part, a pre-forked child too.
        self._processes[name] = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Ends the process, its children with it; the exit code."""
        process = self._processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        return process.wait(timeout=30)

    def alive(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def start_all(self, *routes: str) -> None:
        self.start("sandbox")
        wait_for(lambda: self._answers(f"{self.sandbox_url}/_sandbox/state"), "the sandbox answers")
        self.start("ingest")
        self.start("archive")
        self.start("work-1", *routes)
        self.wait_for_ingest()

    def wait_for_ingest(self) -> None:
        wait_for(lambda: self._answers(f"{self.url}/readyz"), "the ingress is ready")

    def _answers(self, url: str) -> bool:
        try:
            return self._http.request("GET", url).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def run(self, *words: str, input_: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command of the CLI to its end."""
        environment = {**os.environ, "PYTHONPATH": str(self._tree), "COLUMNS": "200"}
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            input=input_,
            timeout=60,
            check=False,
        )

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    # --- the upstream's side ------------------------------------------------------------------------------------

    def post(self, id_: str, type_: str, data: Mapping[str, Any], *, at: datetime | None = None) -> int:
        """Posts one signed webhook; its status."""
        body = json.dumps({"type": type_, "timestamp": (at or datetime.now(UTC)).isoformat(), "data": data})
        return self.post_raw(id_, body)

    def post_raw(self, id_: str, body: str) -> int:
        return self._http.request(
            "POST", f"{self.url}/webhooks/{SOURCE}", body=body.encode(), headers=self.signed(id_, body)
        ).status

    def post_to(self, path: str, body: str, **headers: str) -> tuple[int, dict[str, Any]]:
        """Posts a body to a source of another kind: status and answer."""
        named = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        answer = self._http.request("POST", f"{self.url}/webhooks/{path}", body=body.encode(), headers=named)
        return answer.status, answer.json()

    def state_of(self, source: str, id_: str) -> str:
        """An event's state as the CLI shows it, "" while no worker has taken it."""
        shown = self.shown(source, id_)
        return str(shown.get("state", ""))

    def shown(self, source: str, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.told("events", "show", source, id_) or {}
        return found

    def told(self, *words: str) -> Any:
        """What `ask` is told as JSON, None where the command fails."""
        done = self.ask(*words, "--json")
        return json.loads(done.stdout) if done.exit_code == 0 else None

    def ask(self, *words: str) -> Result:
        """As `run`, in this process: for what is asked again and again until it holds. A process takes a second to
        start."""
        return CliRunner().invoke(cli, ["--config", str(self.settings), *words], env={"COLUMNS": "200"})

    def signed(self, id_: str, body: str) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(id_, now, body),
        }

    def event(self, id_: str) -> dict[str, Any]:
        """The event as its source is told it."""
        answer = self._http.request(
            "GET", f"{self.url}/events/{SOURCE}/{id_}", headers={"authorization": f"Bearer {SECRET}"}
        )
        assert answer.status == 200, answer.data
        told: dict[str, Any] = answer.json()
        return told

    def wait_for_state(self, id_: str, state: str, seconds: float = 20) -> dict[str, Any]:
        wait_for(lambda: self.event(id_)["state"] == state, f"{id_} is {state}", seconds)
        return self.event(id_)

    # --- the vendors' side --------------------------------------------------------------------------------------

    def sandbox(self, method: str, path: str, /, **body: Any) -> Any:
        answer = self._http.request(method, f"{self.sandbox_url}/_sandbox/{path}", json=body if body else None)
        assert answer.status < 300, answer.data
        return answer.json() if answer.data else None

    def calls(self, *methods: str) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.sandbox("GET", f"calls?after={self._calls_before}")["calls"]
        return [call for call in told if call["method"] in methods]

    def bookings(self) -> list[dict[str, Any]]:
        """SimplyBook.me's."""
        told: list[dict[str, Any]] = self.sandbox("GET", "state")["bookings"]
        return [booking for booking in told if booking["id"] not in self._bookings_before]

    def ledger(self) -> Ledger:
        return Ledger.open(self.ledger_url, keep_seconds=90 * 86400)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_for(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Waits until `holds`, fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
