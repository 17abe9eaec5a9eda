"""What deploy/ says must be true of this Bellhop: its routes, its commands, its settings, its times."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from bellhop.cli.main import cli
from bellhop.schemas.settings import Settings
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.registry import ROUTES
from bellhop.vendors.settings import load
from bellhop.vendors.simplybook.settings import SimplybookAccount

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = (DEPLOY / "compose.yaml").read_text()
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SECRET_TEXTS = {
    "broker_url": "amqp://bellhop:pass@rabbitmq/",
    "ledger_url": "postgresql://bellhop:pass@postgres/bellhop",
    "crm_secrets": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


def compose_commands() -> list[list[str]]:
    return [json.loads(found) for found in re.findall(r"^ +command: (\[.*\])$", COMPOSE, re.MULTILINE)]


def unit_command(unit: Path) -> list[str]:
    found = re.search(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)
    assert found
    return shlex.split(found[1])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """As a container gets them: the production file, and what compose.yaml sets, each secret in a file."""
    environ = {}
    for name, value in re.findall(r'^ +(BELLHOP_\w+): "?([^"\n]+)"?$', COMPOSE, re.MULTILINE):
        if name.endswith("_FILE"):
            secret = value.rpartition("/")[2]
            file = tmp_path / secret
            file.write_text(SECRET_TEXTS.get(secret, f"the {secret}") + "\n")
            environ[name] = str(file)
        else:
            environ[name] = value
    return load(DEPLOY / "bellhop.production.toml", environ)


def test_compose_has_one_worker_for_every_route_and_the_other_parts() -> None:
    workers = [["work", route] for route in ROUTES]
    assert sorted(compose_commands()) == sorted([["archive"], ["console"], ["ingest"], *workers])


def test_the_units_are_the_four_parts() -> None:
    commands = [unit_command(unit) for unit in UNITS]
    assert [command[0] for command in commands] == ["/opt/bellhop/bin/bellhop"] * 4
    assert sorted(command[1:] for command in commands) == [["archive"], ["console"], ["ingest"], ["work", "%i"]]


def test_every_unit_takes_its_settings_anew_when_it_is_told_to_reload() -> None:
    assert [unit.name for unit in UNITS if "ExecReload=/bin/kill -HUP $MAINPID" not in unit.read_text("utf-8")] == []


def test_the_socket_of_the_ingress_listens_where_the_settings_say_and_outlives_it(settings: Settings) -> None:
    socket, service = (DEPLOY / "systemd" / f"bellhop-ingest.{kind}" for kind in ("socket", "service"))
    assert re.findall(r"^ListenStream=(.+)$", socket.read_text(), re.MULTILINE) == [str(settings.ingest.port)]
    assert re.findall(r"^Requires=(.+)$", service.read_text(), re.MULTILINE) == [socket.name]
    assert "PartOf=" not in socket.read_text()


def test_every_command_is_one_of_the_cli() -> None:
    words = [*compose_commands(), *(unit_command(unit)[1:] for unit in UNITS)]
    assert {command[0] for command in words} <= set(cli.commands)


def test_the_production_file_with_the_secrets_of_compose_is_a_whole_setting(settings: Settings) -> None:
    assert not settings.broker.embedded
    assert settings.ledger.url.startswith("postgresql:")
    assert settings.sources["crm"].secrets == (SECRET_TEXTS["crm_secrets"],)
    club, salon = settings.accounts["club"], settings.accounts["salon"]
    assert isinstance(club, PeoplevineAccount)
    assert isinstance(salon, SimplybookAccount)
    assert (club.auth_id, club.user, club.password) == ("the club_auth_id", "the club_user", "the club_password")
    assert (salon.api_key, salon.secret_key) == ("the salon_api_key", "the salon_secret_key")


def test_the_production_file_holds_no_secret() -> None:
    text = (DEPLOY / "bellhop.production.toml").read_text()
    accounts = tomllib.loads(text)["accounts"].values()
    secret_keys = {"auth_id", "user", "password", "api_key", "secret_key"}
    assert not [key for account in accounts for key in account if key in secret_keys]
    assert "whsec_" not in text


def test_the_health_checks_ask_the_ports_that_are_set(settings: Settings) -> None:
    asked = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)/readyz", COMPOSE)}
    assert asked == {settings.ingest.port, settings.work.port, settings.archive.port, settings.console.port}


def test_prometheus_asks_every_part_at_the_port_that_is_set(settings: Settings) -> None:
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    asked = {}
    for job, told in re.findall(r"job_name: bellhop-(\w+)\n(.+?)(?=  - job_name|\Z)", text, re.DOTALL):
        names = re.findall(r"[\[-] ?(work-[\w-]+|ingest|archive|console)\b", told)
        asked[job] = (sorted(names), int(re.findall(r"port: (\d+)", told)[0]))
    parts = re.findall(r"^  ((?:work-[\w-]+)|ingest|archive):$", COMPOSE, re.MULTILINE)
    assert asked == {
        "ingest": (["ingest"], settings.ingest.port),
        "work": (sorted(part for part in parts if part.startswith("work-")), settings.work.port),
        "archive": (["archive"], settings.archive.port),
        "console": (["console"], settings.console.port),
    }


def mounted(service: str) -> dict[str, Path]:
    """The files of deploy/ that a service of compose.yaml sees, by where it sees them."""
    block = re.search(rf"^  {service}:\n(.+?)(?=^  \w|^\w)", COMPOSE, re.MULTILINE | re.DOTALL)
    assert block
    return {there: DEPLOY / here for here, there in re.findall(r"- \./(\S+?):(\S+):ro$", block[1], re.MULTILINE)}


def test_prometheus_has_the_alert_rules_and_grafana_the_dashboard_and_that_prometheus() -> None:
    rules = mounted("prometheus")["/etc/prometheus"]
    (named,) = re.findall(r"^rule_files: \[(.+)\]$", (rules / "prometheus.yml").read_text(), re.MULTILINE)
    assert (rules / named).is_file()
    grafana = mounted("grafana")
    provisioning = grafana["/etc/grafana/provisioning"]
    (url,) = re.findall(r"url: (\S+)", (provisioning / "datasources" / "prometheus.yml").read_text())
    assert url == "http://prometheus:9090"
    (folder,) = re.findall(r"path: ([^}\s]+)", (provisioning / "dashboards" / "bellhop.yml").read_text())
    assert json.loads(grafana[f"{folder}/bellhop.json"].read_text())["uid"] == "bellhop"


def test_nothing_but_what_a_proxy_ends_tls_for_is_reached_from_outside_and_that_through_it() -> None:
    assert set(re.findall(r'"([\d.]+):\d+:\d+"', COMPOSE)) == {"127.0.0.1"}


def test_every_secret_a_container_is_told_of_is_given_to_it() -> None:
    told = set(re.findall(r"/run/secrets/(\w+)", COMPOSE))
    defined = set(re.findall(r"^  (\w+): \{file: \./secrets/\1\}$", COMPOSE, re.MULTILINE))
    assert defined == told | {"rabbitmq_user"}
    shared = COMPOSE.partition("x-secrets: &secrets\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"- (\w+)", shared)) == told - {"postgres_password", "grafana_password"}


def test_nothing_is_killed_while_it_drains(settings: Settings) -> None:
    grace = re.search(r"stop_grace_period: (\d+)s", COMPOSE)
    assert grace
    assert int(grace[1]) > settings.work.drain_seconds
    for unit in UNITS:
        stop = re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
        assert stop, unit
        assert int(stop[1]) > settings.work.drain_seconds


def test_rabbitmq_cuts_a_consumer_off_only_long_after_its_claim_is_over(settings: Settings) -> None:
    found = re.search(r"^consumer_timeout = (\d+)$", (DEPLOY / "rabbitmq" / "rabbitmq.conf").read_text(), re.MULTILINE)
    assert found
    assert int(found[1]) / 1000 > 2 * settings.work.claim_seconds


def test_a_length_limit_holds_for_work_queues_only() -> None:
    """A full retry or dead queue would refuse what a worker must put there before it may ack."""
    policies = json.loads((DEPLOY / "rabbitmq" / "policies.json").read_text())["policies"]
    queues = ["bellhop.dead", "bellhop.unroutable", "bellhop.retry.5000ms", *(f"bellhop.work.{r}" for r in ROUTES)]
    limited = [queue for queue in queues for policy in policies if re.search(policy["pattern"], queue)]
    assert limited == [f"bellhop.work.{route}" for route in ROUTES]


def test_the_image_is_made_of_every_package() -> None:
    links = {path.readlink().name for path in (ROOT / "bellhop").iterdir() if path.is_symlink()}
    kept = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert [name for name in sorted({"bellhop", *links}) if f"!{name}" not in kept] == []


def test_the_dashboard_names_the_module_whose_metrics_it_shows() -> None:
    description = json.loads((DEPLOY / "grafana" / "bellhop.json").read_text())["description"]
    (named,) = re.findall(r"\S+\.py\b", description)
    assert (ROOT / named).is_file()
