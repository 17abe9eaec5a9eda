from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.schemas.errors import SettingsError
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.settings import build
from bellhop.vendors.simplybook.settings import SimplybookAccount

GOOD: dict[str, Any] = {
    "broker": {"url": ["amqp://bellhop:broker%40word@rabbit-1/", "amqp://rabbit-2/"], "ladder": ["1s", "2m"]},
    "ledger": {"url": "postgresql://bellhop:ledger-word@db/bellhop"},
    "sources": {"crm": {"verifier": "bearer", "secrets": ["source-secret-1", "whsec_abcd"], "member_account": "club"}},
    "accounts": {
        "club": {"kind": "peoplevine", "auth_id": "aid-1", "company": "co-1", "user": "us-er", "password": "pa-ss"},
        "salon": {"kind": "simplybook", "company": "ltd", "api_key": "api-key", "secret_key": "secret-key"},
    },
    "venues": {"spa": {"account": "club", "timezone": "Europe/London"}},
}
SECRETS = (
    *("broker%40word", "broker@word", "ledger-word", "source-secret-1", "whsec_abcd", "abcd"),
    *("aid-1", "us-er", "pa-ss", "api-key", "secret-key"),
)


def changed(path: str, value: object) -> dict[str, Any]:
    """GOOD with one dotted key set; `...` takes it away."""
    document = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    inner: dict[str, Any] = document
    for key in way:
        inner = inner.setdefault(key, {})
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return document


def wrong(document: Mapping[str, Any]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        build(document, lambda key: f"where {key} stands")
    return caught.value


def test_nothing_set_gives_an_embedded_broker_a_local_ledger_and_safe_defaults() -> None:
    settings = build({})
    assert settings.broker.embedded
    assert settings.broker.urls == ("sqlite:///var/broker.db",)
    assert settings.broker.ladder == (5, 30, 120, 600, 3600, 21600)
    assert settings.ingest.host == settings.work.host == settings.archive.host == "127.0.0.1"
    assert (settings.sources, settings.accounts, settings.venues) == ({}, {}, {})
    assert settings.secrets == frozenset()


def test_a_whole_document_becomes_one_object_with_its_parts_bound() -> None:
    settings = build(GOOD)
    assert not settings.broker.embedded
    assert settings.broker.ladder == (1, 120)
    club, salon = settings.accounts["club"], settings.accounts["salon"]
    assert isinstance(club, PeoplevineAccount)
    assert isinstance(salon, SimplybookAccount)
    assert (settings.venues["spa"].account, settings.venues["spa"].kind) == ("club", "peoplevine")
    assert settings.venues["spa"].zone.key == "Europe/London"
    assert settings.sources["crm"].name == "crm"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(7, 7), (7.5, 7.5), ("7", 7), ("250ms", 0.25), (" 2m ", 120), ("1.5h", 5400), ("3650d", None)],
)
def test_durations_are_numbers_or_texts_with_a_unit(value: object, seconds: float | None) -> None:
    if seconds is None:
        assert build(changed("ledger.keep", value)).ledger.keep_seconds == 3650 * 86400
    else:
        assert build(changed("work.drain", value)).work.drain_seconds == seconds


def test_a_list_may_be_one_text_with_commas_as_the_environment_has_it() -> None:
    settings = build(changed("sources.crm.secrets", "one-secret, another"))
    assert settings.sources["crm"].secrets == ("one-secret", "another")


def test_every_secret_is_known_to_the_redactor_and_shown_by_no_repr() -> None:
    settings = build(GOOD)
    assert set(SECRETS) <= settings.secrets
    shown = repr(settings)
    assert [secret for secret in (*SECRETS, "co-1") if secret in shown] == []


@pytest.mark.parametrize(
    ("path", "value", "key", "problem"),
    [
        ("nonsense", {}, "nonsense", "is not a setting"),
        ("ingest.nonsense", 1, "ingest.nonsense", "is not a setting"),
        ("ingest", 5, "ingest", "must be a table"),
        ("sources", [], "sources", "must be a table"),
        ("sources.crm", "x", "sources.crm", "must be a table"),
        ("sources.CRM", {}, "sources.CRM", "must be 1 to 40"),
        ("sources.a/b", {}, "sources.a/b", "must be 1 to 40"),
        ("sources.crm.verifier", ..., "sources.crm.verifier", "missing data"),
        ("sources.crm.secrets", [], "sources.crm.secrets", "not empty"),
        ("sources.crm.secrets", [""], "sources.crm.secrets", "not empty"),
        ("sources.crm.secrets", "a,,b", "sources.crm.secrets", "not empty"),
        ("sources.crm.answer", 204, "sources.crm.answer", "must be one of"),
        ("sources.crm.tolerance", 0, "sources.crm.tolerance", "at least 1s"),
        ("sources.crm.member_account", "salon", "sources.crm.member_account", "is not a Peoplevine account"),
        ("sources.crm.member_account", "nobody", "sources.crm.member_account", "is not a Peoplevine account"),
        ("accounts.club.kind", "other", "accounts.club.kind", "must be one of peoplevine, simplybook"),
        ("accounts.club", 5, "accounts.club.kind", "must be one of"),
        ("accounts.club.password", ..., "accounts.club.password", "missing data"),
        ("accounts.club.password", "", "accounts.club.password", "is empty"),
        ("accounts.club.region", "3", "accounts.club.region", "must be one of"),
        ("accounts.club.base_url", "ftp://x", "accounts.club.base_url", "must start with http: or https:"),
        ("accounts.club.base_url", "https://", "accounts.club.base_url", "is not a complete URL"),
        ("accounts.club.base_url", "https://[x", "accounts.club.base_url", "is not a complete URL"),
        ("accounts.salon.secret_key", ..., "accounts.salon.secret_key", "is required"),
        ("accounts.salon.read_timeout", "1 hour", "accounts.salon.read_timeout", "must be a duration"),
        ("venues.spa.account", "nobody", "venues.spa.account", "is not one of the accounts"),
        ("venues.spa.timezone", "London", "venues.spa.timezone", "must be a time zone"),
        ("venues.spa.timezone", "../etc/passwd", "venues.spa.timezone", "must be a time zone"),
        ("venues.spa.timezone", 5, "venues.spa.timezone", "must be a time zone"),
        ("broker.url", "http://x", "broker.url", "must be one sqlite: URL, or amqp:"),
        ("broker.url", ["sqlite:///a", "sqlite:///b"], "broker.url", "must be one sqlite: URL"),
        ("broker.url", ["sqlite:///a", "amqp://b"], "broker.url", "must be one sqlite: URL"),
        ("broker.url", "amqp://user:s3cret@[x", "broker.url", "is not a complete URL"),
        ("broker.url", "amqp://user:s3cret@x:port/", "broker.url", "is not a complete URL"),
        ("broker.ladder", [], "broker.ladder", "must be durations that rise"),
        ("broker.ladder", ["2s", "1s"], "broker.ladder", "must be durations that rise"),
        ("broker.ladder", ["1s", "soon"], "broker.ladder.1", "must be a duration"),
        ("broker.delivery_limit", 1, "broker.delivery_limit", "must be greater than or equal to 2"),
        ("ledger.url", "mysql://x", "ledger.url", "must start with sqlite: or postgresql:"),
        ("ledger.keep", "1d", "ledger.keep", "must be at least 2d"),
        ("ledger.keep", "9" * 400 + "d", "ledger.keep", "must be at most 3650 days"),
        ("work.claim", True, "work.claim", "must be a duration"),
        ("work.claim", "10s", "work.claim", "must be at least three times the time-outs of account"),
        ("work.port", 65536, "work.port", "must be greater than or equal to 0 and less than or equal to 65535"),
        ("ingest.public_url", "example.test", "ingest.public_url", "match"),
        ("log.level", "loud", "log.level", "must be one of"),
    ],
)
def test_what_is_wrong_is_one_line_with_key_problem_and_place(path: str, value: object, key: str, problem: str) -> None:
    error = wrong(changed(path, value))
    assert error.key == key
    assert problem in error.problem
    assert str(error) == f"setting {key}: {error.problem} (in where {key} stands)"
    assert "\n" not in str(error)
    assert "s3cret" not in str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["peoplevine", "simplybook"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
PATHS = sorted(
    f"{section}.{name}.{key}" if isinstance(inner, dict) else f"{section}.{name}"
    for section, table in GOOD.items()
    for name, inner in table.items()
    for key in (inner if isinstance(inner, dict) else [""])
)


@given(st.sampled_from([*PATHS, *GOOD, "ingest.public_url", "work.claim", "sentry.dsn", "broker.ladder"]), JSON)
def test_whatever_one_key_holds_the_settings_are_made_or_refused_by_a_settings_error(path: str, value: object) -> None:
    try:
        settings = build(changed(path, value))
    except SettingsError:
        return
    assert isinstance(settings.secrets, frozenset)


# --- results ----------------------------------------------------------------------------------------------------

_RESULT_SECRET = "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU="


def _told(url: str, secret: str) -> dict[str, Any]:
    document = changed("sources.crm.result_url", url)
    document["sources"]["crm"]["result_secret"] = secret
    return document


def test_a_source_with_a_result_url_is_told_and_its_secret_is_kept_out_of_sight() -> None:
    settings = build(_told("https://crm.example/hooks?token=abc", _RESULT_SECRET))
    assert settings.told == {"crm"}
    assert {_RESULT_SECRET, _RESULT_SECRET.removeprefix("whsec_")} <= settings.secrets
    assert "token" not in repr(settings)
    assert _RESULT_SECRET not in repr(settings)
    assert build(GOOD).told == frozenset()


def test_several_secrets_may_sign_results_and_all_are_kept_out_of_sight() -> None:
    other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    settings = build(_told("https://crm.example/", f"{_RESULT_SECRET}, {other}"))
    assert settings.sources["crm"].result_secrets == (_RESULT_SECRET, other)
    assert {_RESULT_SECRET, other} <= settings.secrets
    assert other not in repr(settings)


@pytest.mark.parametrize(
    ("url", "secret", "key"),
    [
        ("ftp://crm.example/", _RESULT_SECRET, "result_url"),
        ("https://", _RESULT_SECRET, "result_url"),
        ("https://user:word@crm.example/", _RESULT_SECRET, "result_url"),
        ("https://crm.example/#top", _RESULT_SECRET, "result_url"),
        ("http://169.254.169.254/latest", _RESULT_SECRET, "result_url"),
        ("http://[fe80::1]/", _RESULT_SECRET, "result_url"),
        ("https://crm.example/", f"{_RESULT_SECRET},whsec_short", "result_secret"),
        ("https://crm.example/", "", "result_secret"),
        ("https://crm.example/", "whsec_short", "result_secret"),
        ("https://crm.example/", "a-bearer-of-thirty-two-characters", "result_secret"),
    ],
)
def test_a_wrong_result_url_or_secret_is_named_and_not_quoted(url: str, secret: str, key: str) -> None:
    error = wrong(_told(url, secret))
    assert error.key == f"sources.crm.{key}"
    assert not secret or secret not in str(error)
