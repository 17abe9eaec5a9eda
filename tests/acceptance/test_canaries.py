"""Secrets of the settings, and those that a vendor gives at run time, stand in nothing that Bellhop leaves behind or
answers, though the vendors say them back in every way they can."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Final

import pytest
import urllib3

from tests.support.collector import Collector
from tests.support.echo import EchoVendor
from tests.support.facts import cancel, salon_booking, spa_booking
from tests.support.service import Service, free_port, wait_for
from tests.support.sink import SentrySink, serving

ACCOUNTS: Final = {"SB": ("API_KEY", "SECRET_KEY"), "PV": ("AUTH_ID", "PASSWORD", "USER")}
CANARIES: Final = {
    f"{account}__{key}": f'q"<&{account}{key}canary/+é' for account, keys in ACCOUNTS.items() for key in keys
}
TOKEN: Final = 't"<&TOKENcanary/+x'
BOOKINGS: Final = 10
NOT_SECRET: Final = ("bellhop.toml",)

API: Final = (
    *("letters", "letters/1", "letters/2", "letters/1/raw", "causes", "attention", "accounts", "overview", "series"),
    *("events/crm/sb-0", "events/crm/sb-3", "events/crm/pv-1", "search?q=R-1", "routes", "audit", "jobs"),
)
PAGES: Final = (
    *("", "live", "letters", "letters/1", "letters/2", "causes", "routes", "audit", "audit.csv", "jobs", "edits"),
    *("event?source=crm&id=sb-0", "event?source=crm&id=sb-3", "event?source=crm&id=pv-1", "search?q=R-1", "people"),
    *("refused", "audit.jsonl"),
)
COMMANDS: Final = (
    *(("dead", "list", "--json"), ("dead", "show", "1", "--json"), ("dead", "show", "2")),
    *(
        ("events", "show", "crm", "pv-2"),
        ("accounts",),
        ("accounts", "--json"),
        ("doctor", "sb"),
        ("call", "sb", "getBookingDetails", "1", "hash:f00f"),
    ),
)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pieces that nothing escapes: whoever masks a half of a secret is caught."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(f"BELLHOP_ACCOUNTS__{name}", value)
    return [*(name.replace("__", "") + "canary" for name in CANARIES), "TOKENcanary"]


def found_in(text: str | bytes, secrets: list[str]) -> list[str]:
    told = text if isinstance(text, bytes) else text.encode()
    return [secret for secret in secrets if secret.encode() in told]


def left_behind(folder: Path, secrets: list[str]) -> list[tuple[str, list[str]]]:
    """The files that hold one. A vendor's session token has to stand in the ledger, for all workers share it: in its
    own table, which is emptied before the file is searched."""
    with sqlite3.connect(folder / "ledger.db") as ledger:
        assert ledger.execute("SELECT token FROM tokens").fetchone()[0].startswith(TOKEN)
        ledger.execute("UPDATE tokens SET token = NULL")
        ledger.commit()
        ledger.execute("VACUUM")
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_SECRET]
    assert {"ledger.db", "broker.db", "work-1.log", "ingest.log", "archive.log", "console.log"} <= {
        f.name for f in files
    }
    return [(path.name, found) for path in files if (found := found_in(path.read_bytes(), secrets))]


def pages(http: urllib3.PoolManager, link: str) -> list[tuple[str, str]]:
    """The console's pages, as a person who came by the link has them."""
    entered = http.request("GET", link, redirect=False)
    cookie = {"cookie": entered.headers["set-cookie"].partition(";")[0]}
    base = link.rpartition("/enter/")[0]
    found = [(path, http.request("GET", f"{base}/{path}", headers=cookie, redirect=False)) for path in PAGES]
    assert [(path, page.status) for path, page in found if page.status != 200] == []
    told = [(f"page {path}", page.data.decode()) for path, page in found]
    assert any("getBookingDetails" in text or "book" in text for _, text in told)
    return told


@pytest.mark.timeout(300)
def test_no_secret_is_left_behind_or_answered(
    tmp_path: Path, secrets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work_port, console_port = free_port(), free_port()
    monkeypatch.setenv("BELLHOP_WORK__PORT", str(work_port))
    monkeypatch.setenv("BELLHOP_CONSOLE__PORT", str(console_port))
    with (
        serving(EchoVendor(TOKEN)) as vendor,
        serving(SentrySink()) as sentry,
        serving(Collector()) as collector,
        Service(tmp_path) as service,
    ):
        monkeypatch.setenv("BELLHOP_SENTRY__DSN", sentry.dsn)
        monkeypatch.setenv("BELLHOP_OTEL__ENDPOINT", collector.endpoint)
        for account in ACCOUNTS:
            monkeypatch.setenv(f"BELLHOP_ACCOUNTS__{account}__BASE_URL", vendor.url)
        for name in ("ingest", "archive", "work-1", "console"):
            service.start(name)
        service.wait_for_ingest()
        for number in range(BOOKINGS):
            assert service.post(f"sb-{number}", "booking.requested", salon_booking(f"R-{number}", number)) == 202
            if number < 4:
                assert service.post(f"pv-{number}", "booking.requested", spa_booking(f"P-{number}", number)) == 202
        wait_for(lambda: vendor.booked >= 6, "the vendors were called", 120)
        assert service.post("cancel-0", "booking.cancelled", cancel(salon_booking("R-0", 0))) == 202
        wait_for(lambda: len(service.told("dead", "list")) > 1, "there are letters", 120)
        token = service.run("tokens", "add", "canary", "--until", "1d").stdout.split()[-1]
        http = urllib3.PoolManager(retries=False, timeout=10)
        heard = [(words, service.run(*words)) for words in COMMANDS]
        told = [(" ".join(words), f"{one.stdout}{one.stderr}") for words, one in heard]
        for path in API:
            answer = http.request(
                "GET", f"http://127.0.0.1:{console_port}/api/v1/{path}", headers={"authorization": f"Bearer {token}"}
            )
            told.append((path, answer.data.decode()))
        told += pages(http, service.run("console", "link").stdout.strip())
        told += [
            (f"{url}/metrics", http.request("GET", f"{url}/metrics").data.decode())
            for url in (service.url, f"http://127.0.0.1:{work_port}")
        ]
        wait_for(lambda: bool(sentry.events), "Sentry was told", 60)
        wait_for(lambda: bool(collector.spans and collector.logs), "the collector was told", 60)
        told.append(("Sentry", json.dumps([sentry.events, sentry.transactions])))
    assert any("***" in text for _, text in told)
    assert [(where, found) for where, text in told if (found := found_in(text, secrets))] == []
    assert found_in(sentry.raw, secrets) == []
    assert found_in(collector.raw, secrets) == []
    assert left_behind(tmp_path, secrets) == []
