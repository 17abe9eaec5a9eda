"""What is said of wrong settings: all of it, where it stands, and what to write; and nothing of a secret."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.cli.demo.folder import template
from bellhop.ingest.verify import TABLE, credentials_problem, verifiers
from bellhop.schemas.errors import SettingsError
from bellhop.schemas.settings import published
from bellhop.schemas.settings.build import build_settings as build_with
from bellhop.vendors.settings import KINDS, build, read_config

from .test_settings import changed, wrong

_ROOT = Path(__file__).resolve().parents[4]
DEMO: dict[str, Any] = tomllib.loads(template())
DEMO_SECRET = DEMO["sources"]["demo"]["secrets"][0]


def _said(document: dict[str, Any]) -> dict[str, str]:
    """What is wrong and what to write, by key."""
    return {one.key: f"{one.problem}; {one.advice}" for one in wrong(document).problems}


def test_all_that_is_wrong_is_said_at_once_each_in_its_place() -> None:
    document = changed("work.port", "many")
    document["sources"]["crm"]["member_account"] = "salon"
    document["accounts"]["club"]["region"] = "3"
    document["accounts"]["club"]["nonsense"] = 1
    document["accounts"]["salon"]["read_timeout"] = "10m"
    document["venues"]["spa"]["timezone"] = "London"
    document["brokr"] = {}
    error = wrong(document)
    assert [one.key for one in error.problems] == [
        "brokr",
        "work.port",
        "accounts.club.region",
        "accounts.club.nonsense",
        "venues.spa.timezone",
        "sources.crm.member_account",
    ]
    assert str(error).splitlines() == [str(one) for one in error.problems]
    assert str(error.problems[1]) == (
        "where work.port stands: work.port: not a valid integer; write a whole number from 0 to 65535"
    )
    assert (error.key, error.place) == ("brokr", "where brokr stands")


def test_what_refers_to_something_that_is_wrong_itself_is_not_wrong_for_that() -> None:
    document = changed("accounts.club.kind", "peoplevien")
    document["sources"]["crm"]["pull_account"] = "club"
    assert list(_said(document)) == ["accounts.club.kind"]


def test_what_something_that_is_wrong_itself_refers_to_is_looked_at_all_the_same() -> None:
    document = changed("sources.crm.secrets", "…")
    document["sources"]["crm"] |= {"member_account": "clup", "venues": {"1": {"venue": "sap"}}, "answer": 204}
    document["venues"]["spa"] = {"account": "culb"}
    assert set(_said(document)) == {
        *("sources.crm.secrets", "sources.crm.member_account", "sources.crm.venues.1.venue", "sources.crm.answer"),
        *("venues.spa.account", "venues.spa.timezone"),
    }


def test_a_claim_is_compared_with_every_account_though_another_is_wrong() -> None:
    document = changed("work.claim", "10s")
    document["accounts"]["club"]["password"] = ""
    assert list(_said(document)) == ["accounts.club.password", "work.claim"]


@pytest.mark.parametrize(
    ("path", "value", "key", "near"),
    [
        ("brokr", {}, "brokr", "broker"),
        ("acounts", {}, "acounts", "accounts"),
        ("broker.delivery_limits", 9, "broker.delivery_limits", "delivery_limit"),
        ("sources.crm.secret", "x", "sources.crm.secret", "secrets"),
        ("sources.crm.venues", {"1": {"venu": "spa", "venue": "spa"}}, "sources.crm.venues.1.venu", "venue"),
        ("sources.crm.venues", {"1": {"venue": "sap"}}, "sources.crm.venues.1.venue", "spa"),
        ("sources.crm.format", "bellhopp", "sources.crm.format", "bellhop"),
        ("sources.crm.format", "simplybok", "sources.crm.format", "simplybook"),
        ("sources.crm.member_account", "clup", "sources.crm.member_account", "club"),
        ("sources.crm.pull_account", "clubb", "sources.crm.pull_account", "club"),
        ("accounts.club.kind", "peoplevien", "accounts.club.kind", "peoplevine"),
        ("accounts.club.system", "sevenroom", "accounts.club.system", "sevenrooms"),
        ("accounts.club.pull_profile", "", "accounts.club.pull_profile", "pull_profiles"),
        ("venues.spa.account", "clib", "venues.spa.account", "club"),
        ("log.level", "warn", "log.level", "warning"),
    ],
)
def test_a_misspelt_word_gets_its_neighbour_suggested(path: str, value: object, key: str, near: str) -> None:
    said = _said(changed(path, value))
    assert said[key].endswith(f"; did you mean {near}?")


def test_a_callbacks_account_and_venue_get_theirs_too() -> None:
    document = changed("sources.crm.format", "simplybook")
    document["sources"]["crm"] |= {"account": "saloon", "feed_venue": "sp"}
    said = _said(document)
    assert said["sources.crm.account"] == "is not a SimplyBook.me account; did you mean salon?"
    assert said["sources.crm.feed_venue"] == "is not one of the venues; did you mean spa?"


def test_a_misspelt_verifier_gets_its_neighbour_suggested() -> None:
    with pytest.raises(SettingsError) as caught:
        verifiers(build(changed("sources.crm.verifier", "calendli")).sources)
    (problem,) = caught.value.problems
    assert (problem.key, problem.advice) == ("sources.crm.verifier", "did you mean calendly?")
    assert problem.problem == f"must be one of {', '.join(TABLE)}"


def test_every_source_with_wrong_credentials_is_told() -> None:
    document = changed("sources.other", {"verifier": "bearer", "secrets": ["short"]})
    with pytest.raises(SettingsError) as caught:
        verifiers(build(document).sources)
    assert [one.key for one in caught.value.problems] == ["sources.crm.secrets", "sources.other.secrets"]


def test_what_is_near_nothing_gets_no_suggestion() -> None:
    assert _said(changed("ingest.qqqqqq", 1))["ingest.qqqqqq"] == "is not a setting; "


def test_a_missing_key_is_written_out() -> None:
    assert _said(changed("accounts.club.password", ...))["accounts.club.password"].endswith('; write password = "…"')
    assert _said(changed("venues.spa.timezone", ...))["venues.spa.timezone"].endswith('timezone = "Europe/London"')


# --- keys that need another ---------------------------------------------------------------------------------------


_RESULT_SECRET = "whsec_cmVzdWx0cyBhcmUgc2lnbmVkIHdpdGggdGhpcyBvbmU="


@pytest.mark.parametrize(
    ("path", "value", "needed"),
    [
        ("accounts.salon.admin_user", "someone", "admin_password"),
        ("accounts.salon.admin_password", "pass-word", "admin_user"),
        ("sources.crm.result_secret", _RESULT_SECRET, "result_url"),
        ("console.oidc_client_id", "bellhop", "oidc_issuer"),
        ("console.oidc_client_secret", "pass-word", "oidc_issuer"),
        ("console.oidc_role_claim", "roles", "oidc_issuer"),
        ("console.oidc_name_claim", "name", "oidc_issuer"),
        ("otel.headers", "authorization=Bearer abc", "endpoint"),
        ("alerts.team.quiet_severity", "warning", "quiet"),
        ("alerts.team.timezone", "Europe/London", "quiet"),
    ],
)
def test_a_key_that_would_do_nothing_without_another_is_refused(path: str, value: object, needed: str) -> None:
    document = changed(path, value)
    if "alerts" in document:
        document["alerts"]["team"] |= {"kind": "slack", "url": "https://hooks.example.test/x"}
    section, _, name = path.rpartition(".")
    assert _said(document) == {f"{section}.{needed}": f"is required where {name} is set; "}


def test_keys_that_need_another_may_stand_as_the_example_has_them() -> None:
    document = changed("accounts.salon.admin_user", "")
    document["accounts"]["salon"]["admin_password"] = ""
    document["console"] = {"oidc_client_id": "", "oidc_role_claim": "bellhop_role"}
    document["alerts"] = {
        "team": {"kind": "slack", "url": "https://hooks.example.test/x", "quiet": "", "timezone": "UTC"}
    }
    assert build(document).alerts["team"].quiet is None


def test_labels_of_sevenrooms_are_for_an_account_before_it() -> None:
    document = changed("accounts.club.attributes", ["House Wine"])
    assert list(_said(document)) == ["accounts.club.attributes"]
    document["accounts"]["club"]["system"] = "sevenrooms"
    assert build(document).accounts


# --- placeholders and published secrets ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["…", "...", " … ", "whsec_…", "whsec_...", ["whsec_…"], ["whsec_abcd", "…"]])
def test_the_examples_placeholder_is_no_secret(value: object) -> None:
    said = _said(changed("sources.crm.secrets", value))
    assert said == {"sources.crm.secrets": "is still the example's …; write your own"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("accounts.club.company", "…"),
        ("accounts.club.password", "..."),
        ("accounts.salon.secret_key", "…"),
        ("venues.spa.account", "…"),
        ("sources.crm.result_secret", "whsec_…"),
        ("broker.url", ["amqp://bellhop:…@rabbit-1/"]),
        ("ledger.url", "postgresql://bellhop:...@db/bellhop"),
    ],
)
def test_a_placeholder_is_refused_wherever_a_value_of_ones_own_belongs(path: str, value: object) -> None:
    assert _said(changed(path, value)) == {path: "is still the example's …; write your own"}


@pytest.mark.parametrize("password", ["what… a word", "and so on...", "a...b", "….", "pass_word"])
def test_a_password_may_have_dots(password: str) -> None:
    assert password in build(changed("accounts.club.password", password)).secrets


def _secrets_of_the_demo() -> list[tuple[str, str]]:
    club, salon = DEMO["accounts"]["club"], DEMO["accounts"]["salon"]
    return [
        ("accounts.club.auth_id", club["auth_id"]),
        ("accounts.club.password", club["password"]),
        ("accounts.salon.api_key", salon["api_key"]),
        ("accounts.salon.secret_key", salon["secret_key"]),
        ("sources.crm.secrets", DEMO_SECRET),
    ]


@pytest.mark.parametrize(("path", "secret"), _secrets_of_the_demo())
def test_the_demos_secrets_are_refused_before_a_real_vendor(path: str, secret: str) -> None:
    said = _said(changed(path, secret))
    assert list(said) == [path]
    assert said[path].startswith("is a published secret")


def test_the_demos_secret_signs_no_results_of_a_real_vendor() -> None:
    document = changed("sources.crm.result_secret", DEMO_SECRET)
    document["sources"]["crm"]["result_url"] = "https://crm.example/hooks"
    said = _said(document)
    assert list(said) == ["sources.crm.result_secret"]
    assert said["sources.crm.result_secret"].startswith("is a published secret")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8090", "http://localhost:8090", "http://[::1]:8090", "http://127.1.2.3"]
)
def test_the_demos_secrets_are_good_before_a_sandbox_on_this_machine(url: str) -> None:
    document = {**DEMO, "accounts": {name: {**one, "base_url": url} for name, one in DEMO["accounts"].items()}}
    assert {one.base_url for one in build(document).accounts.values()} == {url}


def test_one_real_vendor_beside_the_sandbox_makes_the_demos_webhook_secret_bad() -> None:
    document = changed("sources.crm.secrets", DEMO_SECRET)
    for account in document["accounts"].values():
        account["base_url"] = "http://127.0.0.1:8090"
    assert build(document).sources
    del document["accounts"]["club"]["base_url"]
    assert list(_said(document)) == ["sources.crm.secrets"]


def test_the_secret_of_earlier_examples_is_refused_even_before_a_sandbox() -> None:
    (secret,) = published._EXAMPLES
    document = {**DEMO, "sources": {"demo": {**DEMO["sources"]["demo"], "secrets": ["whsec_abcd", secret]}}}
    assert list(_said(document)) == ["sources.demo.secrets"]


# --- secrets ------------------------------------------------------------------------------------------------------

_SECRET_KEYS = [
    *("accounts.club.auth_id", "accounts.club.company", "accounts.club.user", "accounts.club.password"),
    *("accounts.salon.api_key", "accounts.salon.secret_key", "console.oidc_client_secret", "sentry.dsn"),
    *("sources.crm.secrets", "sources.crm.result_secret", "sources.crm.result_url", "broker.url", "ledger.url"),
]
_CANARY = "canary-5f1d"


@given(
    st.sampled_from(_SECRET_KEYS),
    st.sampled_from(
        [
            _CANARY,
            [_CANARY],
            [[_CANARY]],
            {"a": _CANARY},
            f"amqp://u:{_CANARY}@[x",
            f"whsec_{_CANARY}",
            f"ftp:{_CANARY}",
        ]
    ),
)
def test_no_error_quotes_a_secret(path: str, value: object) -> None:
    document = changed(path, value)
    document["work"] = {"port": -1}  # so that something is wrong in any case
    with pytest.raises(SettingsError) as caught:
        build_with(document, KINDS, check=credentials_problem)
    assert _CANARY not in "".join((str(caught.value), repr(caught.value), *map(repr, caught.value.problems)))


# --- places -------------------------------------------------------------------------------------------------------


def _places(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> dict[str, str]:
    file = tmp_path / "bellhop.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_config(file, environ or {}, credentials_problem)
    return {one.key: one.place.removeprefix(f"{tmp_path}/") for one in caught.value.problems}


def test_each_problem_has_the_line_of_its_key_or_of_the_table_that_lacks_it(tmp_path: Path) -> None:
    text = """\
[broker]
ladder = [
  "1s",
  "soon",
]
ingest.port = 1
[accounts.club]
kind = "peoplevine"
auth_id = '''…'''
company = "c"
user = "u"

[sources."crm"]
verifier = "bearer"
secrets = ["too-short"]
format = "mapped"
map."data.bookingid" = "a"
map.id = { paht = "b" }
[sources.other]
verifier = "bearer"
secrets = ["too-short"]
"""
    assert _places(tmp_path, text, {"BELLHOP_INGEST__PORT": "x", "BELLHOP_INGST__PORT": "1"}) == {
        "ingest.port": "environment variable BELLHOP_INGEST__PORT",
        "ingst": "environment variable BELLHOP_INGST__PORT",
        "broker.ladder.1": "bellhop.toml:4",
        "broker.ingest": "bellhop.toml:6",
        "accounts.club.password": "bellhop.toml:7",
        "accounts.club.auth_id": "bellhop.toml:9",
        "sources.crm.map.data.bookingid": "bellhop.toml:17",
        "sources.crm.map.id": "bellhop.toml:18",
        "sources.other.secrets": "bellhop.toml:21",
    }


def test_all_wrong_variables_are_told_with_what_is_wrong_in_the_file(tmp_path: Path) -> None:
    environ = {"BELLHOP_PORT": "1", "BELLHOP_ACCOUNTS__CLUB": "x", "BELLHOP_LOG__LEVEL_FILE": str(tmp_path / "gone")}
    assert set(_places(tmp_path, "[log]\nlevl = 'info'", environ)) == {
        "port",
        "accounts.club",
        "log.level",
        "log.levl",
    }


def test_good_settings_know_their_lines_too(tmp_path: Path) -> None:
    file = tmp_path / "bellhop.toml"
    file.write_text('[console]\n\nhost = "::1"\n')
    config = read_config(file, {})
    assert config.place("console.host") == f"{file}:3"
    assert config.place("console.oidc_issuer") == f"{file}:1"
    assert config.place("ledger.url") == str(file)
