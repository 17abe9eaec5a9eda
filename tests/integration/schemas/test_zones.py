"""A booking's hour is by the rules of the lock, whatever the host believes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellhop.schemas import zones

ROOT = Path(__file__).resolve().parents[3]
START = "2027-01-15T20:00:00+00:00"
DOCUMENT = {
    "accounts": {
        "club": {"kind": "peoplevine", "auth_id": "aid", "company": "4711", "user": "u-name", "password": "p-word"}
    },
    "venues": {"spa": {"account": "club", "timezone": "America/Vancouver"}},
}

# What the host believes is read first, as another library of the same process would.
PROGRAM = """
import json, sys
from datetime import datetime
from zoneinfo import ZoneInfo
start, document = sys.argv[1], json.loads(sys.argv[2])
def offset():
    return str(datetime.fromisoformat(start).astimezone(ZoneInfo("America/Vancouver")).utcoffset())
host = offset()
from bellhop.vendors.settings import build
from bellhop.vendors.peoplevine.offers import requested_offers
from bellhop.schemas import zones
service = {"service_id": "7", "start": start, "end": start}
(offer,) = requested_offers([service], build(document).venues["spa"].zone)
print(json.dumps({"host": host, "ours": offset(), "start": offer["start"], "of_host": zones.host_version()}))
"""


def told(folders: str = "") -> dict[str, Any]:
    """By a process whose host has its zones in `folders`; "" for this host's own."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)} | ({"PYTHONTZPATH": folders} if folders else {})
    command = [sys.executable, "-c", PROGRAM, START, json.dumps(DOCUMENT)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def pinned(name: str) -> ZoneInfo:
    """Read from the package itself, past all that is looked for first."""
    with files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def test_a_booking_is_made_by_the_locks_rules_where_the_hosts_are_others(tmp_path: Path) -> None:
    (tmp_path / "America").mkdir()
    with as_file(files("tzdata.zoneinfo").joinpath("Etc", "GMT+3")) as file:
        shutil.copy(file, tmp_path / "America" / "Vancouver")
    (tmp_path / "tzdata.zi").write_text("# version 2012a\n")
    local = datetime.fromisoformat(START).astimezone(pinned("America/Vancouver"))
    assert told(str(tmp_path)) == {
        "host": "-1 day, 21:00:00",
        "ours": str(local.utcoffset()),
        "start": f"{local:%Y-%m-%dT%H:%M:%S}",
        "of_host": "2012a",
    }


def test_a_booking_of_this_host_is_made_by_the_locks_rules() -> None:
    """Where this host's rules are older than British Columbia's of 2026, Debian 12's say, it would be an hour wrong."""
    local = datetime.fromisoformat(START).astimezone(pinned("America/Vancouver"))
    found = told()
    assert (found["ours"], found["start"]) == (str(local.utcoffset()), f"{local:%Y-%m-%dT%H:%M:%S}")


def test_every_zone_of_this_process_is_the_packages() -> None:
    assert zoneinfo.TZPATH == ()
    moments = [datetime(2027, month, 15, 12, tzinfo=UTC) for month in range(1, 13)]
    names = sorted(zoneinfo.available_timezones())
    assert len(names) > 400
    for name in names:
        ours, theirs = (
            [moment.astimezone(zone).utcoffset() for moment in moments] for zone in (ZoneInfo(name), pinned(name))
        )
        assert ours == theirs, name


@pytest.mark.parametrize(
    ("line", "version"), [("# version 2025b\n", "2025b"), ("# redirect\n", ""), ("", ""), (None, "")]
)
def test_the_hosts_version_is_what_its_file_says(tmp_path: Path, line: str | None, version: str) -> None:
    if line is not None:
        (tmp_path / "tzdata.zi").write_text(line)
    assert zones.host_version([str(tmp_path / "nowhere"), str(tmp_path)]) == version
