"""The benchmark: every contender in turn, round after round, in one run; medians and their ratio to Flask + Celery.

make bench                                        everything, about ten minutes
make bench ARGS="--rounds 1 --seconds 2 --events 1000 --only celery,bellhop"
make bench ARGS="--only bellhop,embedded --before ../old --rounds 5"    beside the Bellhop of another checkout
make bench ARGS="--only calls --events 1000"        calls a booking, and its time beside the vendor's: bench/bookings.py
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bellhop.drill.nodes.postgres import PostgresNode
from bench import bookings
from bench.contenders import ALL, BASELINE, BOOKINGS, Contender, before, bookings_before
from bench.processes import ROOT, BenchFailed, end_on_sigterm
from bench.rounds import Figures, Servers, accepting, finishing
from tests.support.rabbitmq import RabbitNode

_VERSIONS: Final = (
    *("kombu", "pika", "flask", "gunicorn", "celery", "fastapi", "uvicorn", "faststream", "aio-pika", "dramatiq"),
)

Results = dict[str, dict[str, list[Figures]]]


def machine() -> dict[str, Any]:
    """What the figures depend on. `load` is the load average of the last minute before the run."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    model = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.processor())
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "rabbitmq": _rabbitmq_version(),
        "load": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in _VERSIONS},
    }


def measure(
    given: argparse.Namespace, members: Sequence[Contender], salons: Sequence[Contender], server: Servers
) -> Results:
    """Every benchmark's figures by contender, one entry a round; a contender that fails is told and left out."""
    benches: dict[str, Callable[[Contender], Figures]] = {
        "accepting": lambda contender: accepting(contender, server, given.seconds),
        "finishing, vendor at 0 ms": lambda contender: finishing(contender, server, given.events, 0),
        "finishing, vendor at 50 ms": lambda contender: finishing(contender, server, given.events, 50),
        "booking, vendor at 0 ms": lambda contender: finishing(contender, server, given.events, 0),
        "booking, vendor at 50 ms": lambda contender: finishing(contender, server, given.events, 50),
    }
    results: Results = {name: {} for name in benches if given.bench in name}
    for name, found in results.items():
        contenders = salons if name.startswith("booking") else members
        for number in range(given.rounds):
            # There and back, so that none has the machine's better half of the time.
            for contender in contenders if number % 2 == 0 else contenders[::-1]:
                if name == "accepting" and contender.accept is None:
                    continue
                try:
                    figures = benches[name](contender)
                except BenchFailed as error:
                    print(f"! {name}, {contender.name}: {error}", file=sys.stderr, flush=True)
                    continue
                found.setdefault(contender.name, []).append(figures)
                print(f"{name}, round {number + 1}, {contender.name}: {figures}", file=sys.stderr, flush=True)
    return results


def table(name: str, found: dict[str, list[Figures]]) -> str:
    """Medians over the rounds as a Markdown table, with the lowest and highest round and the ratio to the baseline."""
    columns = [
        key
        for key in ("p50_ms", "p99_ms", "cpu_ms", "worker_ms", "broker_ms", "vendor_ms", "peak_mb", "twice")
        if any(key in r for rows in found.values() for r in rows)
    ]
    base = _median(found.get(BASELINE.name, []), "per_second")
    lines = [
        f"| {name} | per second | lowest to highest | to {BASELINE.name} | {' | '.join(columns)} |",
        "|---" * (4 + len(columns)) + "|",
    ]
    for contender, rows in found.items():
        rate, rates = _median(rows, "per_second"), [row["per_second"] for row in rows]
        ratio = f"{rate / base:.2f} x" if base else "?"
        cells = [f"{_median(rows, column):g}" for column in columns]
        lines.append(
            f"| {contender} | {rate:,.0f} | {min(rates):,.0f} to {max(rates):,.0f} | {ratio} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def against(found: dict[str, list[Figures]], names: dict[str, str]) -> list[str]:
    """For each name beside that of its former state: the ratio of their medians, and that of each round's two."""
    lines = []
    for after, former in names.items():
        new, old = ([row["per_second"] for row in found.get(name, [])] for name in (after, former))
        if new and old:
            rounds = [a / b for a, b in zip(new, old, strict=False)]
            lines.append(
                f"- {after} to {former}: {statistics.median(new) / statistics.median(old):.3f} x; "
                f"in single rounds {min(rounds):.3f} to {max(rounds):.3f}; "
                f"CPU of an event {_median(found[after], 'cpu_ms') / _median(found[former], 'cpu_ms'):.3f} x"
            )
    return lines


def _beside(contender: Contender, former: dict[str, Contender]) -> list[Contender]:
    return [contender, *([former[contender.name]] if contender.name in former else [])]


def _median(rows: Sequence[Figures], key: str) -> float:
    return statistics.median(row[key] for row in rows) if rows else 0.0


def _commit(root: Path) -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _rabbitmq_version() -> str:
    """From the package's own list: asking `rabbitmq-server` itself would start it."""
    if shutil.which("dpkg-query") is None:
        return "unknown"
    asked = ["dpkg-query", "--show", "--showformat=${Version}", "rabbitmq-server"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout or "unknown"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures Bellhop beside its peers.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of accepting, a round")
    parser.add_argument("--events", type=int, default=5000, help="to finish, a round")
    parser.add_argument("--bench", default="", help="only benchmarks whose name has this in it")
    names = ",".join(ALL | BOOKINGS)
    parser.add_argument("--only", default=",".join(ALL), help=f"of {names}; separated by commas; or calls")
    parser.add_argument("--before", type=Path, metavar="DIR", help="measure the Bellhop of this checkout, too")
    return parser.parse_args()


def main() -> int:
    end_on_sigterm()
    given = _arguments()
    if given.only == "calls":
        return bookings.report(given.events, given.before)
    root = given.before.resolve() if given.before else None
    former = before(root) if root else {}
    books_before = bookings_before(root) if root else {}
    names = given.only.split(",")
    contenders = [one for name in names if name not in BOOKINGS or name in ALL for one in _beside(ALL[name], former)]
    booking = [one for name in names if name in BOOKINGS for one in _beside(BOOKINGS[name], books_before)]
    facts = machine() | {"commits": {c.name: _commit(c.root) for c in contenders if c.name.startswith("Bellhop")}}
    if facts["load"] > 0.5:
        print(f"! the machine is busy (load {facts['load']}): trust the ratios, not the figures", file=sys.stderr)
    with ExitStack() as stack:
        # Each a folder of its own, in /tmp: it is handed to the server's user, and a socket's path has 107 bytes.
        rabbit, data = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellhop-bench-", dir="/tmp"))) for _ in "ab"
        )
        node = stack.enter_context(RabbitNode.start(rabbit))
        postgres = ""
        if any(one.needs_postgres for one in (*contenders, *booking)):
            own = PostgresNode.start(data)
            stack.callback(own.destroy)
            postgres = own.url
        results = measure(given, contenders, booking, Servers(node.url, postgres))
    print("\n".join(f"- {key}: {value}" for key, value in facts.items()), end="\n\n")
    before_of = {after: contender.name for after, contender in (former | books_before).items()}
    for name, found in results.items():
        print(table(name, found), *against(found, before_of), sep="\n\n", end="\n\n")
    path = ROOT / "bench" / "results" / f"{facts['when'].replace(':', '')}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps({"machine": facts, "given": vars(given), "results": results}, indent=1, default=str) + "\n"
    )
    print(f"written to {path.relative_to(ROOT)}")
    failed = any(len(rows) < given.rounds for found in results.values() for rows in found.values())
    return 1 if failed or not all(results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
