"""The snippets of docs/webhooks.md: each signs, sends, asks and verifies, against the ingress itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from bellhop.ingest.app import create_app
from tests.support.ingress import OLD_SECRET, SECRET, MemoryEvents, MemoryPublisher, settings
from tests.support.require import missing
from tests.support.wsgi import served

SNIPPETS = Path(__file__).parents[3] / "docs" / "snippets"
WORD = "José · Zürich"


@pytest.fixture(scope="module")
def ingress() -> Iterator[tuple[str, MemoryPublisher]]:
    publisher = MemoryPublisher()
    app = create_app(settings(), publisher, MemoryEvents(), waiting=lambda: True)
    with served(app) as address:
        yield address, publisher


def program(name: str, folder: Path) -> list[str]:
    """How a snippet is run; the test ends where its language is not to be had."""
    file = str(SNIPPETS / name)
    if name.endswith(".py"):
        return [sys.executable, file]
    tools = {"sh": "bash", "mjs": "node", "php": "php", "rb": "ruby", "cs": "mono"}
    tool = tools[name.rpartition(".")[2]]
    needed = {"bash": ("bash", "curl", "openssl"), "mono": ("mono", "mcs")}.get(tool, (tool,))
    for one in needed:
        if shutil.which(one) is None:
            missing(one, "tests/support/install_parts.sh installs it")
    if tool != "mono":
        return [tool, file]
    made = folder / "webhook.exe"
    compiled = subprocess.run(
        ["mcs", f"-out:{made}", "-r:System.Net.Http.dll", file], capture_output=True, text=True, check=False
    )
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    return ["mono", str(made)]


@pytest.mark.parametrize("name", sorted(path.name for path in SNIPPETS.iterdir()))
def test_a_snippet_signs_and_sends_asks_and_verifies(
    name: str, ingress: tuple[str, MemoryPublisher], tmp_path: Path
) -> None:
    base, publisher = ingress
    run = program(name, tmp_path)

    def told(*words: str) -> tuple[list[str], int]:
        done = subprocess.run([*run, *words], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.splitlines(), done.returncode

    file, id_ = tmp_path / "event.json", f"msg-{name}"
    now = datetime.now(UTC)
    data = {"member_id": 3125141, "profile": {"name": WORD}}
    body = {"type": "member.updated", "timestamp": now.isoformat(), "data": data}
    file.write_text(json.dumps(body, ensure_ascii=False), "utf-8")
    post = f"{base}/webhooks/crm"
    text, status = told("send", post, SECRET, id_, str(file))[0]
    assert (json.loads(text)["status_url"], status) == (f"/events/crm/{id_}", "202")
    assert WORD in publisher.published[-1][0].body.decode()
    text, status = told("status", f"{base}/events/crm/{id_}", SECRET, id_)[0]
    assert (json.loads(text)["state"], status) == ("pending", "200")
    file.write_text(json.dumps({**body, "data": {}}), "utf-8")
    text, status = told("send", post, SECRET, id_, str(file))[0]
    assert (json.loads(text)["errors"][0]["field"], status) == ("data.member_id", "422")

    result = tmp_path / "result.json"
    result.write_text('{"type": "booking.confirmed"}')
    given = [Webhook(secret).sign("r-1", now, result.read_text()) for secret in (OLD_SECRET, SECRET)]
    signatures = " ".join(one for one in given)
    at = str(int(now.timestamp()))
    assert told("verify", SECRET, "r-1", at, signatures, str(result)) == (["good"], 0)
    assert told("verify", SECRET, "r-2", at, signatures, str(result)) == (["bad"], 1)
    old = now - timedelta(minutes=6)
    late = Webhook(SECRET).sign("r-1", old, result.read_text())
    assert told("verify", SECRET, "r-1", str(int(old.timestamp())), late, str(result))[1] == 1


def test_the_ingress_takes_no_snippet_s_post_by_another_secret(
    ingress: tuple[str, MemoryPublisher], tmp_path: Path
) -> None:
    file = tmp_path / "event.json"
    file.write_text("{}")
    other = "whsec_" + "A" * 40
    run = program("webhook.py", tmp_path)
    done = subprocess.run(
        [*run, "send", f"{ingress[0]}/webhooks/crm", other, "m", str(file)], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "401"
