from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bellhop.schemas.errors import SettingsError
from bellhop.schemas.settings import Settings
from bellhop.vendors.settings import load
from bellhop.vendors.simplybook.settings import SimplybookAccount

_ACCOUNT = """
[accounts.spa-east]
kind = "simplybook"
company = "c"
api_key = "from the file"
secret_key = "s"
"""


def _load(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    file = tmp_path / "bellhop.toml"
    file.write_text(text)
    return load(file, environ or {})


def _line(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as raised:
        _load(tmp_path, text, environ)
    assert "\n" not in str(raised.value)
    return str(raised.value).replace(str(tmp_path), "")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = _load(tmp_path, '[ingest]\nport = 1\nhost = "::"', {"BELLHOP_INGEST__PORT": "2", "PATH": "/bin"})
    assert (settings.ingest.port, settings.ingest.host) == (2, "::")


def test_a_name_with_a_dash_is_meant_by_one_with_an_underscore(tmp_path: Path) -> None:
    settings = _load(tmp_path, _ACCOUNT, {"BELLHOP_ACCOUNTS__SPA_EAST__API_KEY": "from the environment"})
    account = settings.accounts["spa-east"]
    assert isinstance(account, SimplybookAccount)
    assert account.api_key == "from the environment"


def test_a_variable_that_may_mean_two_names_is_refused(tmp_path: Path) -> None:
    both = _ACCOUNT + _ACCOUNT.replace("spa-east", "spa_east")
    line = _line(tmp_path, both, {"BELLHOP_ACCOUNTS__SPA_EAST__API_KEY": "k"})
    assert "spa-east or spa_east" in line
    assert "BELLHOP_ACCOUNTS__SPA_EAST__API_KEY" in line


def test_a_secret_comes_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from its own file\n")
    settings = _load(tmp_path, _ACCOUNT, {"BELLHOP_ACCOUNTS__SPA_EAST__API_KEY_FILE": str(tmp_path / "key")})
    account = settings.accounts["spa-east"]
    assert isinstance(account, SimplybookAccount)
    assert account.api_key == "from its own file"


def test_a_secrets_file_that_is_not_there_is_named_with_its_variable(tmp_path: Path) -> None:
    line = _line(tmp_path, _ACCOUNT, {"BELLHOP_ACCOUNTS__SPA_EAST__API_KEY_FILE": str(tmp_path / "gone")})
    assert "BELLHOP_ACCOUNTS__SPA_EAST__API_KEY_FILE: /gone" in line
    assert "No such file" in line


def test_a_value_and_a_file_for_the_same_key_are_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    name = "BELLHOP_ACCOUNTS__SPA_EAST__API_KEY"
    line = _line(tmp_path, _ACCOUNT, {name: "k", f"{name}_FILE": str(tmp_path / "key")})
    assert "accounts.spa-east.api_key: is set twice" in line
    assert f"{name} and environment variable {name}_FILE" in line


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("BELLHOP_BROKR__URL", "brokr"),
        ("BELLHOP_BROKER__URLS", "broker.urls"),
        ("BELLHOP_PORT", "port"),
        ("BELLHOP_BROKER__URL__X", "broker.url.x"),
        ("BELLHOP_BROKER__", "broker."),
        ("BELLHOP_ACCOUNTS__SPA_EAST", "accounts.spa_east"),
        ("BELLHOP_ACCOUNTS__SPA_EAST__APIKEY", "accounts.spa-east.apikey"),
    ],
)
def test_a_variable_that_names_no_setting_stops_the_start(tmp_path: Path, variable: str, key: str) -> None:
    line = _line(tmp_path, _ACCOUNT, {variable: "x"})
    assert line == f"setting {key}: is not a setting (in environment variable {variable})"


def test_a_variable_for_an_account_that_the_file_does_not_have_is_told_as_the_place(tmp_path: Path) -> None:
    line = _line(tmp_path, _ACCOUNT, {"BELLHOP_ACCOUNTS__SPA_WEST__API_KEY": "k"})
    assert line.startswith("setting accounts.spa_west.kind: must be one of")
    assert line.endswith("(in environment variable BELLHOP_ACCOUNTS__SPA_WEST__API_KEY)")


def test_a_whole_account_may_come_from_the_environment(tmp_path: Path) -> None:
    prefix = "BELLHOP_ACCOUNTS__SPA__"
    values = {"KIND": "simplybook", "COMPANY": "c", "API_KEY": "k", "SECRET_KEY": "s", "CONFIRM": "false"}
    account = _load(tmp_path, "", {prefix + name: value for name, value in values.items()}).accounts["spa"]
    assert isinstance(account, SimplybookAccount)
    assert account.confirm is False


def test_lists_from_the_environment_are_split_at_commas(tmp_path: Path) -> None:
    environ = {"BELLHOP_BROKER__LADDER": "1s, 2m", "BELLHOP_BROKER__URL": "amqp://a/,amqp://b/"}
    broker = _load(tmp_path, "", environ).broker
    assert (broker.ladder, broker.urls) == ((1, 120), ("amqp://a/", "amqp://b/"))


def test_a_wrong_value_is_placed_where_it_came_from(tmp_path: Path) -> None:
    assert _line(tmp_path, "[ingest]\nport = 70000").endswith("(in /bellhop.toml:2)")
    line = _line(tmp_path, "[ingest]\nport = 1", {"BELLHOP_INGEST__PORT": "70000"})
    assert line.endswith("(in environment variable BELLHOP_INGEST__PORT)")
    line = _line(tmp_path, "", {"BELLHOP_BROKER__LADDER": "5s,soon"})
    assert line.startswith("setting broker.ladder.1: must be a duration")
    assert line.endswith("(in environment variable BELLHOP_BROKER__LADDER)")


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert _line(tmp_path, "[log]\nlevel = info\n").endswith("(in /bellhop.toml:2)")
    assert _line(tmp_path, '[log]\nlevel = "info').endswith("(in /bellhop.toml:2)")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    line = _line(tmp_path, "broker = 3", {"BELLHOP_BROKER__URL": "x"})
    assert line == "setting broker: must be a table (in /bellhop.toml:1)"


def test_the_file_may_be_missing_only_where_the_environment_has_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="BELLHOP_CONFIG"):
        load(None, {"BELLHOP_SERVER": "http://x"})
    assert load(None, {"BELLHOP_INGEST__PORT": "2"}).ingest.port == 2
    with pytest.raises(SettingsError, match="does not exist"):
        load(tmp_path / "other.toml", {"BELLHOP_INGEST__PORT": "2"})
    (tmp_path / "third.toml").write_text("[ingest]\nport = 3")
    assert load(None, {"BELLHOP_CONFIG": "third.toml"}).ingest.port == 3


def test_a_folder_and_bytes_that_are_no_text_are_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load(tmp_path / "latin.toml", {})
