"""The benchmark's own tools: a measure that counts wrong, or counts refusals, is worse than none."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from bench.contenders import BELLHOP, Place, before
from bench.load import NotAccepted, replay
from bench.processes import ROOT, run
from bench.run import against, table
from bench.vendor import Connection, Count
from bench.work import SECRET, signed_requests

STOPPED = """
import sys, time
from pathlib import Path
from bench.processes import end_on_sigterm, running

end_on_sigterm()
with running([sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1]), {}) as child:
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_a_benchmark_that_is_told_to_stop_ends_what_it_runs(tmp_path: Path) -> None:
    asked = [sys.executable, "-c", STOPPED, str(tmp_path / "log")]
    with subprocess.Popen(asked, cwd=ROOT, stdout=subprocess.PIPE) as bench:
        assert bench.stdout is not None
        child = int(bench.stdout.readline())
        os.kill(child, 0)
        bench.terminate()
        assert bench.wait(30) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def serve_and_replay(answer: Callable[[int, bytes], bytes], count: int, warm_up: int) -> dict[str, float]:
    """Replays `count` requests over 4 connections to a server that gives `answer(number, request)`."""

    async def run() -> dict[str, float]:
        seen = 0
        ended = asyncio.Semaphore(0)

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal seen
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    seen += 1
                    writer.write(answer(seen, head + await reader.readexactly(length)))
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()
                ended.release()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            requests = signed_requests(count, f"127.0.0.1:{port}")
            try:
                return await replay(port, requests, warm_up=warm_up, seconds=30, connections=4)
            finally:
                for _ in range(4):
                    await ended.acquire()

    return asyncio.run(run())


def accepted(_number: int, _request: bytes) -> bytes:
    return b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


def test_every_request_after_the_warm_up_is_counted_and_each_is_signed_by_itself() -> None:
    ids = []

    def verify(number: int, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        Webhook(SECRET).verify(body, headers)
        ids.append(headers["webhook-id"])
        return accepted(number, request)

    assert serve_and_replay(verify, 50, warm_up=10)["requests"] == 40
    assert len(set(ids)) == 50


def test_a_refused_webhook_ends_the_run() -> None:
    def refuse_late(number: int, request: bytes) -> bytes:
        if number == 30:
            return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        return accepted(number, request)

    with pytest.raises(NotAccepted, match="503"):
        serve_and_replay(refuse_late, 50, warm_up=10)


def test_the_vendor_tells_calls_from_members_so_that_work_done_twice_shows() -> None:
    async def run() -> dict[str, int]:
        count = Count()
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        class Told(Connection):
            def connection_lost(self, exc: Exception | None) -> None:
                ended.set()

        server = await loop.create_server(lambda: Told(count, 0.0), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
            for path in (
                "/res/sync_member?member_id=1",
                "/res/sync_member?member_id=2",
                "/res/sync_member?member_id=1",
            ):
                writer.write(f"GET {path} HTTP/1.1\r\nHost: vendor\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                assert json.loads(await reader.readexactly(length))["success"] is True
            writer.close()
            await writer.wait_closed()
            await ended.wait()
        return {"calls": count.calls, "members": len(count.members)}

    assert asyncio.run(run()) == {"calls": 3, "members": 2}


def test_the_table_gives_medians_and_the_ratio_to_celery() -> None:
    text = table(
        "accepting",
        {
            "Bellhop": [{"per_second": rate, "p99_ms": 9} for rate in (300, 100, 400)],
            "Flask + Celery": [{"per_second": rate, "p99_ms": 20} for rate in (100, 150, 900)],
        },
    )
    assert "| Bellhop | 300 | 100 to 400 | 2.00 x | 9 |" in text


def test_the_ratio_to_the_former_state_is_that_of_the_medians_with_that_of_each_round() -> None:
    found = {
        "Bellhop": [{"per_second": rate, "cpu_ms": 1.5} for rate in (90, 100, 300)],
        "Bellhop, before": [{"per_second": rate, "cpu_ms": 2.0} for rate in (100, 125, 200)],
    }
    (line,) = against(found, {"Bellhop": "Bellhop, before", "Bellhop, embedded broker": "what was not measured"})
    assert line == ("- Bellhop to Bellhop, before: 0.800 x; in single rounds 0.800 to 1.500; CPU of an event 0.750 x")


@pytest.mark.parametrize("main", ["ops/cli/main.py", "bellhop/cli/main.py"])
def test_the_former_state_runs_with_its_own_code_and_settings(tmp_path: Path, main: str) -> None:
    """Of both layouts: the folders of this checkout have names that were packages once."""
    files = {
        main: "import sys, ledger\nprint('of old', ledger.__file__, open(sys.argv[2]).read(), *sys.argv[3:])",
        "ledger.py": "",
        "bench/settings.toml": "port = {port} of old",
        "bench/preload.py": "import ledger\nprint('filled', ledger.__file__)",
    }
    for name, text in files.items():
        file = tmp_path / "old" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    contender = before(tmp_path / "old")["Bellhop"]
    place = Place(tmp_path, 8080, "amqp://", "http://vendor")
    told = run(contender.work(place), {}, contender.root).strip()
    assert told == f"of old {tmp_path}/old/ledger.py port = 8080 of old work members"
    assert run(contender.preload(place, 7), {}, contender.root).strip() == f"filled {tmp_path}/old/ledger.py"
    assert (contender.queues, BELLHOP.root) == (BELLHOP.queues, ROOT)
