"""Both OpenAPI documents are exact: what they allow is taken, what they do not is refused, each answer is described.

No check of schemathesis is switched off; `tests.support.schemathesis.hooks` says what it is told, and why.
`make schemathesis` tries many more examples."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from bellhop.ingest.app import create_app
from bellhop.ledger.records import Role
from bellhop.schemas.clock import Clock
from bellhop.schemas.reasons import Reason
from bellhop.vendors.settings import build
from tests.support import schemathesis
from tests.support.api import Api
from tests.support.ingress import DOCUMENT, NOW, TOKEN, MemoryEvents, MemoryPublisher, Told
from tests.support.ledger import BOOK_A_SLOT, die_in_doubt, event, flood, letter
from tests.support.wsgi import served

pytestmark = pytest.mark.timeout(7200 if schemathesis.EXAMPLES > 20 else 400)


def test_the_api_s_document_is_exact(tmp_path: Path) -> None:
    api = Api(tmp_path)
    api.dead(7)
    for number in (8, 9):
        doubtful = event(f"doubtful-{number}", subject=f"R-{number}")
        die_in_doubt(api.ledger, doubtful, BOOK_A_SLOT)
        api.ledger.letters.archive([letter(doubtful, Reason.IN_DOUBT)])
    for source in ("crm", "pos"):
        flood(api.ledger, source)
    api.post("/jobs", {"ids": [1], "why": "mended"})
    api.post("/users", {"name": "ann", "role": "viewer"}, Role.ADMIN)
    with api.served() as url:
        status, told = schemathesis.run(tmp_path, f"{url}/api/v1/openapi.json", api.tokens[Role.ADMIN])
    assert status == 0, told
    assert api.ask("GET", "/users").status_code == 200  # its own token was not revoked on the way
    assert [name for name, _ in api.told if name == "api.crashed"] == []
    api.close()


def test_the_ingress_document_is_exact(tmp_path: Path) -> None:
    settings = copy.deepcopy(DOCUMENT)
    settings["sources"]["static"]["member_account"] = "club"  # without one it takes no members, whatever their form
    told, publisher = Told(), MemoryPublisher()
    app = create_app(build(settings), publisher, MemoryEvents(), observe=told, clock=Clock(now=lambda: NOW))
    with served(app) as url:
        status, printed = schemathesis.run(tmp_path, f"{url}/openapi.json", TOKEN, source="static")
    assert status == 0, printed
    assert "webhook.crashed" not in told.names
    assert publisher.published
