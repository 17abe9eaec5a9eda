"""The example and the JSON Schema, which are made of the keys' declarations."""

from __future__ import annotations

import copy
import inspect
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bellhop.ingest.verify import TABLE, verifiers
from bellhop.schemas.settings.build import ALERT, SECTIONS, VENUE
from bellhop.schemas.settings.editors import ADDRESS, schema
from bellhop.schemas.settings.example import example
from bellhop.schemas.settings.keys import Key, Section, keys_of
from bellhop.schemas.settings.sources import SourceSettings, SourceVenue, source_keys
from bellhop.vendors.settings import KINDS, build

_ROOT = Path(__file__).resolve().parents[4]
EXAMPLE = example(KINDS)
SCHEMA = schema(KINDS, TABLE)
FILLED = tomllib.loads(
    EXAMPLE.replace("whsec_…", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    .replace('"…"', '"a value of one\'s own"')
    .replace("/B00000000/…", "/B00000000/invented")
)
TABLES: list[tuple[str, type[Section], Mapping[str, Key]]] = [
    *((name, part.of, part.keys) for name, part in SECTIONS.items()),
    ("sources.crm", SourceSettings, source_keys(KINDS)),
    *((f"accounts.{kind.example_name}", kind.section, keys_of(kind.section)) for kind in KINDS.values()),
    ("venues.mayfair-spa", VENUE.of, VENUE.keys),
    ("venues.mayfair-salon", VENUE.of, VENUE.keys),
    ("alerts.team", ALERT.of, ALERT.keys),
]


def _at(document: Mapping[str, Any], path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document


def _changed(path: str, value: object) -> dict[str, Any]:
    document = copy.deepcopy(FILLED)
    table, _, name = path.rpartition(".")
    (_at(document, table) if table else document)[name] = value
    return document


def test_the_committed_files_are_what_make_docs_writes() -> None:
    assert (_ROOT / "bellhop.example.toml").read_text() == EXAMPLE, "run `make docs`"
    assert json.loads((_ROOT / "docs" / "settings.schema.json").read_text()) == SCHEMA, "run `make docs`"


def test_the_example_names_every_key_and_no_other() -> None:
    document = tomllib.loads(EXAMPLE)
    assert [path.partition(".")[0] for path, _, _ in TABLES] == [
        *SECTIONS,
        *(table for table in ("sources", "accounts", "venues", "alerts") for _ in document[table]),
    ]
    for path, _, keys in TABLES:
        assert sorted(_at(document, path)) == sorted(key.name for key in keys.values()), path
    assert set(document) == {*SECTIONS, "sources", "accounts", "venues", "alerts"}


def test_the_example_with_values_of_ones_own_is_a_whole_setting() -> None:
    settings = build(FILLED)
    assert list(verifiers(settings.sources)) == ["crm"]
    assert {account.kind for account in settings.accounts.values()} == set(KINDS)
    assert {venue.kind for venue in settings.venues.values()} == set(KINDS)


def test_the_commented_sample_of_a_sources_venue_is_one() -> None:
    start = EXAMPLE.index("#   [sources.crm.venues.")
    sample = "\n".join(line[4:] for line in EXAMPLE[start:].split("\n[")[0].splitlines())
    venues = tomllib.loads(sample)["sources"]["crm"]["venues"]
    made = build(_changed("sources.crm.venues", venues)).sources["crm"].venues["12345"]
    assert (made.venue, made.duration_seconds, made.price) == ("mayfair-spa", 5400, 100)
    assert set(venues["12345"]) == {key.name for key in keys_of(SourceVenue).values()}


def test_what_the_example_shows_is_what_is_left_out() -> None:
    shown, nothing = build(FILLED), build({})
    for section in ("broker", "ledger", "ingest", "work", "archive", "console", "sentry", "log_level"):
        assert getattr(shown, section) == getattr(nothing, section)
    needed = {path: {key.name for key in keys.values() if key.required} for path, _, keys in TABLES}
    bare = {
        table: {
            name: {key: value for key, value in entry.items() if key in needed[f"{table}.{name}"]}
            for name, entry in FILLED[table].items()
        }
        for table in ("sources", "accounts", "venues")
    }
    left_out = build(bare)
    assert (left_out.accounts, left_out.venues) == (shown.accounts, shown.venues)


def test_every_section_and_every_key_of_a_kind_of_its_own_says_what_it_is() -> None:
    for path, of, keys in TABLES:
        assert (inspect.getdoc(of) or "").startswith(("`", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        assert f"{of.__name__}(" not in (inspect.getdoc(of) or ""), path
        plain = {"host", "port", "kind", "base_url", "auth_id", "company", "user", "password", "api_key", "account"}
        follows = {"connect_timeout", "read_timeout", "limit_at_once", "limit_per_day", "pull_reservations"}
        untold = {key.name for key in keys.values() if not key.doc}
        assert untold <= plain | follows | {
            *("pull_services", "oidc_client_id", "oidc_client_secret", "oidc_name_claim")
        }, path


# --- JSON Schema ------------------------------------------------------------------------------------------------


def _refused(document: object) -> bool:
    return not jsonschema.Draft7Validator(SCHEMA).is_valid(document)


def test_the_schema_is_one_and_stands_where_the_example_says() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert EXAMPLE.startswith(f"#:schema {ADDRESS}\n")
    assert SCHEMA["$id"] == ADDRESS
    assert ADDRESS.endswith("/docs/settings.schema.json")


@pytest.mark.parametrize(
    "file", ["bellhop.example.toml", "cli/demo/bellhop.demo.toml", "deploy/bellhop.production.toml"]
)
def test_an_editor_accepts_the_files_of_the_repository(file: str) -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(tomllib.loads((_ROOT / file).read_text()))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("brokr", {}),
        ("broker.urls", "x"),
        ("broker.ladder", "5s"),
        ("broker.ladder", ["soon"]),
        ("broker.delivery_limit", 1),
        ("ledger.url", "mysql://x"),
        ("ledger.keep", 60),
        ("ingest.port", "x"),
        ("ingest.port", 65536),
        ("ingest.public_url", "example.test"),
        ("console.second_approver", "yes"),
        ("console.oidc_role_claim", ""),
        ("sentry.traces_sample_rate", 2),
        ("log.level", "loud"),
        ("sources.CRM", {}),
        ("sources.crm.verifier", "md5"),
        ("sources.crm.answer", 204),
        ("sources.crm.format", "xml"),
        ("sources.crm.map", []),
        ("sources.crm.venues", {"1": {"venu": "mayfair-spa"}}),
        ("sources.crm.venues", {"1": {"price": -1}}),
        ("accounts.club.kind", "other"),
        ("accounts.club.region", "3"),
        ("accounts.club.api_key", "a key of another vendor's"),
        ("accounts.salon.connect_timeout", "1 hour"),
        ("accounts.club", {"company": "4711"}),
        ("venues.mayfair-spa.zone", "Europe/London"),
    ],
)
def test_an_editor_refuses_what_is_wrong(path: str, value: object) -> None:
    assert not _refused(FILLED)
    assert _refused(_changed(path, value))


def test_the_schema_knows_every_verifier_and_a_vendors_own_callbacks() -> None:
    properties = SCHEMA["properties"]["sources"]["additionalProperties"]["properties"]
    assert properties["verifier"]["enum"] == list(TABLE)
    assert "simplybook" in properties["format"]["enum"]
    assert "peoplevine" not in properties["format"]["enum"]


def _defaults(part: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(part, dict):
        if "default" in part and isinstance(part.get("description", ""), str):
            yield part["default"], part
        for inner in part.values():
            yield from _defaults(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _defaults(inner)


def test_the_schema_accepts_the_defaults_that_it_names_and_names_no_secret() -> None:
    found = list(_defaults(SCHEMA))
    assert len(found) > 50
    for default, part in found:
        jsonschema.Draft7Validator(part).validate(default)
        assert not part.get("writeOnly")
