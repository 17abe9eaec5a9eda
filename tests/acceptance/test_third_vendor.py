"""A third vendor is its folder and its row, and nothing else: the toy of tests/toy_vendor, put into a copy of the
package, works from its webhook to its pretended API."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.service import SOURCE, Service, wait_for

_ROOT = Path(__file__).resolve().parents[2]
_TOY = _ROOT / "tests" / "toy_vendor"
_ROWS = {
    "vendors/registry.py": "from bellhop.vendors.toy.vendor import TOY",
    "sandbox/registry.py": "from bellhop.sandbox.toy.vendor import TOY",
}
_LIST = "(PEOPLEVINE, SIMPLYBOOK)"
MORE = """
[accounts.nursery]
kind = "toy"
base_url = "{sandbox}"
key = "sandbox-toy-key"
connect_timeout = "1s"
read_timeout = "1s"
late_after = "0s"
[venues.nursery]
account = "nursery"
timezone = "Europe/London"
"""


def package_with_toy(folder: Path) -> Path:
    """A copy of the package with the toy in it."""
    package = folder / "bellhop"
    shutil.copytree(_ROOT / "bellhop", package, ignore=shutil.ignore_patterns("__pycache__"))
    for floor in ("vendors", "sandbox"):
        shutil.copytree(_TOY / floor / "toy", package / floor / "toy")
    for name, line in _ROWS.items():
        registry = package / name
        text = registry.read_text()
        assert text.count(_LIST) == 1
        first = "from __future__ import annotations\n"
        registry.write_text(text.replace(first, f"{first}\n{line}\n").replace(_LIST, "(PEOPLEVINE, SIMPLYBOOK, TOY)"))
    return folder


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    tree = package_with_toy(tmp_path / "tree")
    with Service(tmp_path, more=MORE, tree=tree) as made:
        yield made


def booking(reference: str) -> dict[str, Any]:
    service = {"service_id": "bear", "facility_id": "3", "start": "2027-05-10T10:00:00"}
    return {"booking_id": reference, "venue": "nursery", "services": [service]}


def ok(service: Service, *words: str) -> str:
    told = service.run(*words)
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_a_third_vendor_works_by_its_folder_and_its_row_alone(service: Service) -> None:
    assert ok(service, "config", "check").startswith("ok")
    service.start_all()  # a plain `bellhop work`: all routes
    _books_and_cancels(service)
    _refuses_what_breaks_its_rules(service)
    _is_offered_by_every_command(service)
    for process in ("sandbox", "ingest", "archive", "work-1"):
        assert service.alive(process)


def _books_and_cancels(service: Service) -> None:
    assert service.post("t-1", "booking.requested", booking("T-1")) == 202
    (id_,) = service.wait_for_state("t-1", "done")["vendor_ids"]
    (lent,) = service.sandbox("GET", "state")["toys_lent"]
    assert (lent["id"], lent["toy"], lent["back"]) == (id_, "bear", False)
    assert service.post("t-2", "booking.cancelled", {"booking_id": "T-1", "venue": "nursery"}) == 202
    service.wait_for_state("t-2", "done")
    assert [one["back"] for one in service.sandbox("GET", "state")["toys_lent"]] == [True]
    assert [call["method"] for call in service.calls("lend") + service.calls("take_back")] == ["lend", "take_back"]


def _refuses_what_breaks_its_rules(service: Service) -> None:
    wrong = booking("T-2")
    del wrong["services"][0]["facility_id"]
    body = json.dumps({"type": "booking.requested", "timestamp": "2026-11-20T12:00:00Z", "data": wrong})
    status, told = service.post_to(SOURCE, body, **service.signed("t-3", body))
    assert status == 422
    (problem,) = told["errors"]
    assert problem["field"] == "data.services.0.facility_id"
    assert "the shelf" in json.dumps(problem)


def _is_offered_by_every_command(service: Service) -> None:
    doctor = json.loads(ok(service, "doctor", "nursery", "--json"))["accounts"][0]
    assert (doctor["kind"], doctor["ok"]) == ("toy", True)
    assert next(check for check in doctor["checks"] if check["name"] == "toys")["seen"] == "a bear, a train"
    offered = {row["method"] for row in json.loads(ok(service, "call", "nursery", "--json"))}
    assert offered == {"toys", "lend", "take_back"}
    assert json.loads(ok(service, "call", "nursery", "toys"))[1] == {"id": "train", "name": "a train"}
    refused = service.run("call", "nursery", "lend", "bear", "soon")
    assert (refused.returncode, "say --yes" in refused.stderr) == (2, True)
    foreign = service.run("call", "nursery", "sync_member", "1")
    assert (foreign.returncode, "is not a method of toy" in foreign.stderr) == (2, True)
    assert json.loads(ok(service, "catalog", "nursery", "toys", "--json"))[0] == {"id": "bear", "name": "a bear"}
    (sent,) = json.loads(ok(service, "send", "booking.requested", "--venue", "nursery", "--json"))
    wait_for(lambda: service.event(sent["id"])["state"] == "done", "the sample is booked")
