from __future__ import annotations

import random
import socket
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bellhop.cli.demo.folder import PARTS, DemoError, Ports, _free, close, prepare, render_settings, template
from bellhop.cli.demo.samples import Slots, booking, cancellation, member, member_vendor
from bellhop.ingest.verify import verifiers
from bellhop.sandbox.seed import Seed
from bellhop.schemas.events import Parsed, parse
from bellhop.schemas.settings import Settings
from bellhop.vendors.settings import load
from bellhop.vendors.simplybook.settings import SimplybookAccount

_TEMPLATE = template()
_PORTS = Ports(1111, 2222, 3333, 4444, 5555)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "demo.toml"
    file.write_text(_TEMPLATE)
    return load(file, {})


def test_the_demos_settings_are_valid_as_they_stand_and_as_they_are_written(settings: Settings, tmp_path: Path) -> None:
    verifiers(settings.sources)
    file = tmp_path / "other.toml"
    file.write_text(render_settings(_TEMPLATE, tmp_path / "it's \\here", None, _PORTS))
    made = load(file, {})
    ports = (made.ingest.port, made.work.port, made.archive.port, made.console.port)
    assert ports == (1111, 3333, 4444, 5555)
    assert {account.base_url for account in made.accounts.values()} == {"http://127.0.0.1:2222"}
    assert made.ledger.url == f"sqlite:///{tmp_path}/it's \\here/demo-data/ledger.db"
    assert made.broker.embedded


def test_a_broker_of_ones_own_takes_the_embedded_ones_place(tmp_path: Path) -> None:
    text = render_settings(_TEMPLATE, tmp_path, 'amqp://u:p"w@host/', _PORTS)
    assert tomllib.loads(text)["broker"]["url"] == ['amqp://u:p"w@host/']


def test_the_demos_credentials_are_those_of_the_sandbox(settings: Settings) -> None:
    seed = Seed()
    club, salon = settings.accounts["club"], settings.accounts["salon"]
    assert not isinstance(club, SimplybookAccount)
    assert isinstance(salon, SimplybookAccount)
    theirs = seed.vendors["peoplevine"].first
    assert (club.auth_id, club.company, club.user, club.password) == (
        theirs.auth_id,
        theirs.company,
        theirs.user,
        theirs.password,
    )
    assert (salon.company, salon.api_key, salon.secret_key) == (
        seed.vendors["simplybook"].company,
        seed.vendors["simplybook"].api_key,
        seed.vendors["simplybook"].secret_key,
    )


def test_a_folder_serves_one_demo_at_a_time_and_nothing_but_its_own_data_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "bellhop.toml").write_text("mine")
    (tmp_path / "demo-data").mkdir()
    (tmp_path / "demo-data" / "ledger.db").write_text("old")
    demo = prepare(tmp_path, None, None)
    assert (tmp_path / "bellhop.toml").read_text() == "mine"
    assert not (tmp_path / "demo-data").exists()
    assert demo.settings.stat().st_mode & 0o777 == 0o600
    with pytest.raises(DemoError, match="running in"):
        prepare(tmp_path, None, None)
    close(demo)
    close(prepare(tmp_path, None, None))


def test_a_port_in_use_is_stepped_over_unless_it_was_asked_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"port {port} is in use"):
            prepare(tmp_path, None, port)
        assert _free(port, port + 20) > port


def test_settings_of_the_callers_shell_do_not_reach_the_demo(tmp_path: Path) -> None:
    demo = prepare(tmp_path, None, None)
    parts = demo.parts({"BELLHOP_BROKER__URL": "amqp://production/", "PATH": "/bin"})
    assert [part.name for part in parts] == list(PARTS)
    for part in parts:
        assert not [name for name in part.environment if name.startswith("BELLHOP_")]
        assert part.environment["PATH"] == "/bin"
    close(demo)


# --- the samples --------------------------------------------------------------------------------------------------


def _slots(seed: int = 1) -> Slots:
    return Slots(lambda: datetime(2026, 11, 21, 7, tzinfo=UTC), random.Random(seed))


def _parsed(settings: Settings, type_: str, data: dict[str, object]) -> Parsed:
    return parse({"type": type_, "timestamp": "2026-11-01T10:00:00Z", "data": data}, settings.venues.get)


def test_every_sample_keeps_its_contract(settings: Settings) -> None:
    slots = _slots()
    known = member_vendor(settings, settings.sources["demo"]).demo().member
    assert _parsed(settings, "member.updated", member(known)).subject == "3125141"
    for venue in settings.venues.values():
        assert _parsed(settings, "booking.requested", booking("R-1", venue, slots)).kind == venue.kind
        assert _parsed(settings, "booking.cancelled", cancellation("R-1", venue)).subject == "R-1"


def test_samples_name_what_the_sandbox_has(settings: Settings) -> None:
    seed = Seed()
    (spa,) = booking("R-1", settings.venues["spa"], _slots())["services"]
    assert spa["provider_id"] in seed.vendors["peoplevine"].first.technicians
    assert spa["facility_id"] in seed.vendors["peoplevine"].first.facilities
    assert spa["service_id"] in {treatment.id for treatment in seed.vendors["peoplevine"].first.treatments}
    (salon,) = booking("R-1", settings.venues["salon"], _slots())["services"]
    assert salon["provider_id"] in {unit.id for unit in seed.vendors["simplybook"].units}
    assert salon["service_id"] in {service.id for service in seed.vendors["simplybook"].services}


@pytest.mark.parametrize("seed", range(5))
def test_no_two_samples_of_a_run_share_a_slot_and_all_are_to_come(seed: int) -> None:
    slots = _slots(seed)
    made = [slots.next() for _ in range(5000)]
    assert len(set(made)) == 5000
    assert min(start for start, _ in made) > datetime(2026, 11, 22)  # noqa: DTZ001  # venue-local
    assert max(start for start, _ in made) < datetime(2027, 3, 1)  # noqa: DTZ001
    assert {provider for _, provider in made} == set(range(64))
