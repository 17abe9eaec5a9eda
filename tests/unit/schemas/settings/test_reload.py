from __future__ import annotations

import copy
from typing import Any

import pytest

from bellhop.schemas.settings.reload import digest, take_over
from bellhop.vendors.settings import KINDS, build

OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU="
DOCUMENT: dict[str, Any] = {
    "broker": {"url": "sqlite:///var/broker.db"},
    "ingest": {"port": 8080, "threads": 16, "max_body_bytes": 4096},
    "work": {"port": 9101, "threads": 8},
    "sources": {"crm": {"verifier": "standard-webhooks", "secrets": [OLD]}},
    "accounts": {
        "club": {"kind": "peoplevine", "auth_id": "a", "company": "4711", "user": "u", "password": "of-the-vendor"}
    },
    "venues": {"spa": {"account": "club", "timezone": "Europe/London"}},
}


def changed(path: str, value: object) -> dict[str, Any]:
    made = copy.deepcopy(DOCUMENT)
    table: Any = made
    *names, last = path.split(".")
    for name in names:
        table = table.setdefault(name, {})
    table[last] = value
    return made


def test_sources_accounts_venues_and_receivers_are_taken_by_their_name() -> None:
    document = changed("sources.crm.secrets", [OLD, NEW])
    document["sources"]["pos"] = {"verifier": "bearer", "secrets": ["s" * 20]}
    document["accounts"]["club"]["password"] = "another-of-the-vendor"
    document["venues"]["gym"] = {"account": "club", "timezone": "Europe/London"}
    document["alerts"] = {"team": {"kind": "slack", "url": "https://hooks.example.test/x"}}
    taken = take_over(build(DOCUMENT), build(document))
    assert taken.changed == ("sources.crm", "sources.pos", "accounts.club", "venues.gym", "alerts.team")
    assert taken.restart == ()
    assert taken.settings == build(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("broker.url", "sqlite:///var/other.db"),
        ("ledger.url", "sqlite:///var/other.db"),
        ("ingest.port", 8081),
        ("ingest.threads", 4),
        ("work.port", 9999),
        ("archive.host", "127.0.0.2"),
        ("console.port", 8071),
        ("sentry.environment", "staging"),
        ("log.level", "debug"),
    ],
)
def test_what_is_made_at_the_start_stays_and_is_named(path: str, value: object) -> None:
    running = build(DOCUMENT)
    document = changed(path, value)
    document["sources"]["pos"] = {"verifier": "bearer", "secrets": ["s" * 20]}
    taken = take_over(running, build(document))
    assert (taken.changed, taken.restart) == (("sources.pos",), (path,))
    section = path.partition(".")[0]
    attribute = "log_level" if section == "log" else section
    assert getattr(taken.settings, attribute) == getattr(running, attribute)


def test_what_a_section_may_change_is_taken_beside_what_it_may_not() -> None:
    document = changed("work.threads", 32)
    document["work"]["port"] = 9999
    taken = take_over(build(DOCUMENT), build(document))
    assert (taken.changed, taken.restart) == (("work.threads",), ("work.port",))
    assert (taken.settings.work.threads, taken.settings.work.port) == (32, 9101)


def test_the_same_settings_are_nothing_new() -> None:
    assert take_over(build(DOCUMENT), build(copy.deepcopy(DOCUMENT))).changed == ()


def test_a_digest_tells_settings_apart_and_of_secrets_only_that_they_differ() -> None:
    first = digest(DOCUMENT, KINDS)
    assert first == digest(dict(reversed(copy.deepcopy(DOCUMENT).items())), KINDS)
    plain, secret = first.split("-")
    assert (len(plain), len(secret)) == (12, 4)
    moved = digest(changed("venues.spa.timezone", "Europe/Paris"), KINDS)
    assert moved.split("-")[0] != plain
    assert moved.split("-")[1] == secret
    for path, value in (
        ("sources.crm.secrets", [NEW]),
        ("accounts.club.password", "another"),
        ("broker.url", "amqp://bellhop:one@rabbit/"),
        ("sources.crm.result_url", "https://hooks.example.test/?token=1"),
    ):
        rotated = digest(changed(path, value), KINDS)
        assert rotated.split("-")[0] == plain, path
        assert rotated.split("-")[1] != secret, path
