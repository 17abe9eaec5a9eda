"""Clients that others' generators make of both OpenAPI documents, without a warning, and that call the services; and
the queues' document against AsyncAPI's own schema."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from bellhop.ingest.app import create_app
from bellhop.ingest.documents.asyncapi import asyncapi
from bellhop.ledger.records import Role
from bellhop.schemas.clock import Clock
from tests.integration.docs.test_exact_documents import served
from tests.support.api import Api
from tests.support.ingress import NOW, TOKEN, MemoryEvents, MemoryPublisher, settings
from tests.support.require import missing

NODE = Path(__file__).parents[2] / "support" / "node"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Services:
    """folder: has console.json and ingress.json, the documents. told: how a client's program is told of both."""

    folder: Path
    told: dict[str, str]
    publisher: MemoryPublisher


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    api, publisher = Api(tmp_path), MemoryPublisher()
    api.dead(2)
    app = create_app(settings(), publisher, MemoryEvents(), clock=Clock(now=lambda: NOW))
    with ExitStack() as stack:
        stack.callback(api.close)
        console, ingress = stack.enter_context(api.served()), stack.enter_context(served(app))
        (tmp_path / "console.json").write_text(api.ask("GET", "/openapi.json").text)
        (tmp_path / "ingress.json").write_text(app.test_client().get("/openapi.json").text)
        told = {"CONSOLE": f"{console}/api/v1", "CONSOLE_TOKEN": api.tokens[Role.OPERATOR]}
        yield Services(tmp_path, told | {"INGRESS": ingress, "INGRESS_TOKEN": TOKEN}, publisher)


def run(services: Services, *command: str | Path) -> str:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # the generator formats with ruff
    done = subprocess.run(
        command,
        cwd=services.folder,
        env=os.environ | services.told | {"PATH": path, "PYTHONPATH": str(services.folder)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


CALLS_OF_PYTHON = """
import json, os
from console import AuthenticatedClient
from console.api.jobs import post_jobs
from console.api.letters import get_letters, get_letters_number
from console.models import NewJob
from ingress import AuthenticatedClient as IngressClient
from ingress.api.events import get_event_status
from ingress.api.health import get_health
from ingress.api.webhooks import post_webhook
from ingress.models import BookingCancelled

api = AuthenticatedClient(os.environ["CONSOLE"], token=os.environ["CONSOLE_TOKEN"])
ingress = IngressClient(os.environ["INGRESS"], token=os.environ["INGRESS_TOKEN"])
body = BookingCancelled.from_dict({"type": "booking.cancelled", "data": {"booking_id": "R-7"}})
taken = post_webhook.sync("static", client=ingress, body=body)
print(json.dumps({
    "health": get_health.sync(client=ingress).status,
    "letters": sorted(row.id for row in get_letters.sync(client=api).rows),
    "letter": get_letters_number.sync(1, client=api).id,
    "job": post_jobs.sync(client=api, body=NewJob(why="mended", ids=[1])).id,
    "state": get_event_status.sync("static", taken.id, client=ingress).state,
}))
"""
CALLS_OF_TYPESCRIPT = """
import createClient from "openapi-fetch";
import type { paths as Console } from "./console.js";
import type { paths as Ingress } from "./ingress.js";

declare const process: { env: Record<string, string> };
const { CONSOLE, CONSOLE_TOKEN, INGRESS, INGRESS_TOKEN } = process.env;
const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const api = createClient<Console>({ baseUrl: CONSOLE, ...bearing(CONSOLE_TOKEN) });
const ingress = createClient<Ingress>({ baseUrl: INGRESS, ...bearing(INGRESS_TOKEN) });

const taken = await ingress.POST("/webhooks/{source}", {
  params: { path: { source: "static" } },
  body: { type: "booking.cancelled", data: { booking_id: "R-7" } },
});
const id = taken.data !== undefined && "id" in taken.data ? taken.data.id : "";
const health = await ingress.GET("/healthz");
const letters = await api.GET("/letters", { params: { query: { limit: 10 } } });
const letter = await api.GET("/letters/{number}", { params: { path: { number: 1 } } });
const job = await api.POST("/jobs", { body: { why: "mended", ids: [1] } });
const standing = await ingress.GET("/events/{source}/{id}", { params: { path: { source: "static", id } } });
console.log(
  JSON.stringify({
    health: health.data?.status,
    letters: letters.data?.rows?.map((row) => row.id).sort(),
    letter: letter.data?.id,
    job: job.data?.id,
    state: standing.data?.state,
  }),
);
"""
OF_A_REQUEST = "--default-non-nullable=false"
"""A field with a default is always in an answer, as openapi-typescript takes it for, and need not be in a request."""
TOLD = {"health": "ok", "letters": [1, 2], "letter": 1, "job": 1, "state": "pending"}


def test_the_clients_that_openapi_python_client_makes_call_the_services(services: Services) -> None:
    for name in ("console", "ingress"):
        asked = ("--path", f"{name}.json", "--output-path", name, "--meta", "none", "--fail-on-warning")
        run(services, BIN / "openapi-python-client", "generate", *asked)
    assert json.loads(run(services, sys.executable, "-c", CALLS_OF_PYTHON)) == TOLD
    assert len(services.publisher.published) == 1


def test_the_clients_that_openapi_typescript_makes_are_typed_and_call_the_services(services: Services) -> None:
    node = _node()
    packages = NODE / "node_modules"
    (services.folder / "node_modules").symlink_to(packages)
    (services.folder / "package.json").write_text('{"type": "module"}')
    for name in ("console", "ingress"):
        run(
            services, node, packages / "openapi-typescript/bin/cli.js", f"{name}.json", "-o", f"{name}.ts", OF_A_REQUEST
        )
    (services.folder / "calls.ts").write_text(CALLS_OF_TYPESCRIPT)
    checks = ("--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable")
    run(services, node, packages / "typescript/bin/tsc", *checks, "calls.ts")
    assert json.loads(run(services, node, "calls.js")) == TOLD
    assert len(services.publisher.published) == 1


def test_the_queues_document_is_asyncapi_3() -> None:
    _node()
    official = json.loads((NODE / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json").read_text())
    document = asyncapi(settings().broker.ladder)
    assert [error.message[:300] for error in Draft7Validator(official).iter_errors(document)] == []
    broken = document | {"channels": {"x": {"address": 7}}}
    assert not Draft7Validator(official).is_valid(broken)


def _node() -> str:
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules/openapi-fetch").is_dir():
        missing("Node.js with its packages", "apt install nodejs npm, then tests/support/install_parts.sh")
    return node
