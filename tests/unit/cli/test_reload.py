from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bellhop.cli.reload import LiveSettings, Rounds
from bellhop.schemas.errors import LedgerUnavailable
from bellhop.schemas.redact import Redactor
from bellhop.vendors.settings import read_config

SETTINGS = '[sources.crm]\nverifier = "bearer"\nsecrets = ["{secret}"]\n'


@pytest.fixture
def told() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def observe(told: list[tuple[str, dict[str, Any]]]) -> Any:
    return lambda event, **fields: told.append((event, fields))


def write(file: Path, secret: str = "s" * 20, more: str = "") -> None:
    file.write_text(SETTINGS.format(secret=secret) + more)


def live(file: Path) -> LiveSettings:
    return LiveSettings(file, read_config(file, os.environ))


def test_new_settings_are_taken_and_their_secrets_known_before_anything_is_told(
    tmp_path: Path, told: list[tuple[str, dict[str, Any]]], observe: Any
) -> None:
    write(file := tmp_path / "bellhop.toml")
    running, redactor = live(file), Redactor()
    before = running.digest
    write(file, secret="another-secret-of-theirs")
    assert running.reload(observe) == ("sources.crm",)
    assert running.settings.sources["crm"].secrets == ("another-secret-of-theirs",)
    assert running.digest != before
    assert told == [("settings.taken", {"digest": running.digest, "changed": ("sources.crm",), "restart": ()})]
    assert redactor.text("it was another-secret-of-theirs") == "it was ***"


def test_settings_with_anything_wrong_are_refused_whole(
    tmp_path: Path, told: list[tuple[str, dict[str, Any]]], observe: Any
) -> None:
    write(file := tmp_path / "bellhop.toml")
    running = live(file)
    settings, before = running.settings, running.digest
    for more in ("[venues.spa]\naccount = 'none'\ntimezone = 'Europe/London'\n", "[", "[work]\nthreads = 'many'\n"):
        write(file, secret="another-secret", more=more)
        assert running.reload(observe) is None
    file.unlink()
    assert running.reload(observe) is None
    assert (running.settings, running.digest) == (settings, before)
    assert [event for event, _ in told] == ["settings.refused"] * 4
    assert "another-secret" not in str(told)


def test_what_only_a_start_takes_is_named_and_the_digest_stays(
    tmp_path: Path, told: list[tuple[str, dict[str, Any]]], observe: Any
) -> None:
    write(file := tmp_path / "bellhop.toml")
    running = live(file)
    before = running.digest
    write(file, more="[ingest]\nport = 9999\n")
    assert running.reload(observe) is None
    assert told[0][1] == {"digest": before, "changed": (), "restart": ("ingest.port",)}


def test_a_ledger_that_is_away_keeps_nobody_from_new_settings(tmp_path: Path, observe: Any, told: Any) -> None:
    write(file := tmp_path / "bellhop.toml")

    def away(*_: str) -> None:
        raise LedgerUnavailable("away")

    running = live(file)
    used: list[object] = []
    write(file, secret="another-secret-of-theirs")
    assert running.take("work", observe, used.append, away)
    assert used == [running.settings]
    assert [event for event, _ in told] == ["ledger.unavailable"]
    running.tell_at_work(observe)
    assert [event for event, _ in told] == ["ledger.unavailable", "settings.taken"]


def test_what_a_service_takes_is_told_once_it_is_at_work_and_what_waits_for_a_start_at_once(
    tmp_path: Path, observe: Any, told: Any
) -> None:
    write(file := tmp_path / "bellhop.toml")
    running = live(file)
    running.tell_at_work(observe)
    write(file, secret="another-secret-of-theirs")
    running.reload(observe, is_at_work=False)
    assert told == []
    running.tell_at_work(observe)
    running.tell_at_work(observe)
    assert [event for event, _ in told] == ["settings.taken"]
    write(file, secret="another-secret-of-theirs", more="[ingest]\nport = 9999\n")
    running.reload(observe, is_at_work=False)
    assert told[1][1]["restart"] == ("ingest.port",)


def test_a_round_ends_by_a_signal_and_only_new_settings_begin_another() -> None:
    rounds = Rounds()
    first = rounds.begin()
    assert not first.is_set()
    first.set()  # a thread of it died, say: the process is to end
    assert not rounds.goes_on
    second = rounds.begin()
    rounds.watch(lambda: True)
    rounds.hang_up()
    assert second.wait(10)
    assert rounds.goes_on
    third = rounds.begin()
    assert not third.is_set()
    rounds.stop()
    assert third.is_set()
    assert not rounds.goes_on
    assert rounds.begin().is_set()
