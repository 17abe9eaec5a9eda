from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bellhop.cli.main import cli
from bellhop.console.access.passwords import matches
from bellhop.ledger.store import Ledger
from bellhop.schemas.errors import BellhopError, SettingsError
from tests.support.ledger import sqlite_ledger

PASSWORD = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "bellhop.toml"
    made.write_text(f'[ledger]\nurl = "{sqlite_ledger(tmp_path)}"\n[broker]\nurl = ["sqlite:///{tmp_path}/b.db"]\n')
    return made


def _run(file: Path, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(cli, ["--config", str(file), *words], input=given, env={"BELLHOP_CONSOLE__HOST": None})


def _ledger(file: Path) -> Ledger:
    return Ledger.open(sqlite_ledger(file.parent), keep_seconds=90 * 86400)


def test_a_user_is_made_with_a_password_that_is_asked_for_and_not_shown(file: Path) -> None:
    done = _run(file, "users", "add", "ann", "--role", "operator", given=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    ledger = _ledger(file)
    user = ledger.people.user("ann")
    assert user is not None
    assert (user.role.value, matches(PASSWORD, user.password_hash)) == ("operator", True)
    ((act, what),) = [(row.act, row.what) for row in ledger.audit(5)]
    assert (act, what) == ("add user", "user ann")
    ledger.close()


def test_a_password_may_come_from_stdin_and_an_unfit_one_is_refused(file: Path) -> None:
    assert _run(file, "users", "add", "ann", "--password-stdin", given=f"{PASSWORD}\n").exit_code == 0
    short = _run(file, "users", "add", "bob", "--password-stdin", given="short\n")
    assert isinstance(short.exception, BellhopError)
    assert "12 to 200" in str(short.exception)
    assert _run(file, "users", "add", "ann", "--password-stdin", given=f"{PASSWORD}\n").exit_code == 1


def test_a_user_is_changed_and_listed(file: Path) -> None:
    _run(file, "users", "add", "ann", "--password-stdin", given=f"{PASSWORD}\n")
    assert _run(file, "users", "change", "ann").exit_code == 2
    assert _run(file, "users", "change", "bob", "--disable").exit_code == 1
    done = _run(file, "users", "change", "ann", "--role", "admin", "--disable")
    assert "admin, shut out" in done.output
    listed = _run(file, "users", "list")
    assert "ann" in listed.output
    assert "argon2" not in _run(file, "users", "list", "--json").output
    _run(file, "users", "change", "ann", "--enable", "--password-stdin", given="another good password\n")
    ledger = _ledger(file)
    user = ledger.people.user("ann")
    assert user is not None
    assert not user.disabled
    assert matches("another good password", user.password_hash)
    ledger.close()


def test_a_user_is_signed_out_and_removed(file: Path) -> None:
    _run(file, "users", "add", "ann", "--password-stdin", given=f"{PASSWORD}\n")
    assert "0 sessions of ann ended" in _run(file, "users", "sign-out", "ann").output
    assert "ann is removed" in _run(file, "users", "remove", "ann").output
    assert isinstance(_run(file, "users", "remove", "ann").exception, BellhopError)
    assert "ann" not in _run(file, "users", "list").output


@pytest.mark.parametrize("name", ["guest", "token 1 dash", " ", "a\nb"])
def test_a_name_that_would_deceive_the_audit_is_not_taken(file: Path, name: str) -> None:
    assert _run(file, "users", "add", name, "--password-stdin", given=f"{PASSWORD}\n").exit_code == 2
    assert _run(file, "tokens", "add", name).exit_code == 2


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "bellhop.example.test", "::", "127.1", "::ffff:0.0.0.0"])
def test_the_console_does_not_start_for_others_without_somebody_to_sign_in(file: Path, host: str) -> None:
    file.write_text(f'{file.read_text()}[console]\nhost = "{host}"\n')
    done = _run(file, "console")
    assert isinstance(done.exception, SettingsError)
    assert done.exception.key == "console.host"
    assert "bellhop users add" in str(done.exception)


def test_a_user_who_is_shut_out_is_nobody_to_sign_in(file: Path) -> None:
    _run(file, "users", "add", "ann", "--password-stdin", given=f"{PASSWORD}\n")
    _run(file, "users", "change", "ann", "--disable")
    file.write_text(f'{file.read_text()}[console]\nhost = "0.0.0.0"\n')
    assert isinstance(_run(file, "console").exception, SettingsError)


def test_a_link_is_for_this_machine_alone(file: Path) -> None:
    _run(file, "users", "add", "ann", "--password-stdin", given=f"{PASSWORD}\n")
    file.write_text(f'{file.read_text()}[console]\nhost = "0.0.0.0"\n')
    done = _run(file, "console", "--link")
    assert "--link is for loopback" in str(done.exception)
