"""The Helm chart, rendered by Helm's own engine and held to Kubernetes' schemas, to KEDA's, and to this Bellhop."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bellhop.cli.main import cli
from bellhop.ingest.server import LINGER_SECONDS
from bellhop.telemetry.series import SERIES
from bellhop.vendors.registry import ROUTES
from bellhop.vendors.settings import load
from tests.support.prometheus import DEPLOY
from tests.support.require import missing

CHART = DEPLOY / "kubernetes" / "bellhop"
OLDEST, NEWEST = "1.30", "1.37"
EXAMPLE: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "example-values.yaml").read_text())
SETTINGS = (DEPLOY / "bellhop.production.toml").read_text()
SECRETS = {
    "BELLHOP_BROKER__URL": "amqp://bellhop:pass@rabbitmq/",
    "BELLHOP_LEDGER__URL": "postgresql://bellhop:pass@postgres/bellhop",
    "BELLHOP_SOURCES__CRM__SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
Manifest = dict[str, Any]


def table(required: list[str], **properties: Any) -> dict[str, Any]:
    """Of these and no other."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
PROMETHEUS = {name: TEXT for name in ("serverAddress", "query", "threshold", "activationThreshold", "ignoreNullValues")}
SCALED_OBJECT = table(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "keda.sh/v1alpha1"},
    kind={"const": "ScaledObject"},
    metadata=table(["name"], name=TEXT, labels={"type": "object"}),
    spec=table(
        ["scaleTargetRef", "triggers"],
        scaleTargetRef=table(["name"], apiVersion=TEXT, kind=TEXT, name=TEXT),
        pollingInterval=NUMBER,
        cooldownPeriod=NUMBER,
        minReplicaCount=NUMBER,
        maxReplicaCount=NUMBER,
        fallback=table(
            ["failureThreshold", "replicas"],
            failureThreshold=NUMBER,
            replicas=NUMBER,
            behavior={"enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]},
        ),
        triggers={
            "type": "array",
            "minItems": 1,
            "items": table(
                ["type", "metadata"],
                type={"const": "prometheus"},
                metricType={"enum": ["AverageValue", "Value"]},
                metadata=table(["serverAddress", "query", "threshold"], **PROMETHEUS),
            ),
        },
    ),
)
"""What the chart uses of KEDA's. https://keda.sh/docs/2.18/reference/scaledobject-spec/ and …/scalers/prometheus/"""


def helm() -> Any:
    try:
        import helm_python
    except ImportError:
        missing("Helm's engine", "helm-python-sdk, for Linux on x86_64")
    return helm_python


def render(more: Mapping[str, Any] | None = None) -> list[Manifest]:
    values = {**EXAMPLE, "settings": SETTINGS, **(more or {})}
    rendered = helm().Chart.load(CHART).render(values, name="bellhop", namespace="bookings")
    return [one for text in rendered.values() for one in yaml.safe_load_all(text) if one]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return render()


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def container(deployment: Manifest) -> Manifest:
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environment(deployment: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(deployment)["env"]}


def matches(selector: Mapping[str, str], deployment: Manifest) -> bool:
    return selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize(
    "more", [{}, {"autoscaling": {"enabled": False}, "console": {"enabled": False}, "secrets": []}]
)
def test_every_manifest_is_one_that_kubernetes_and_keda_take(version: str, more: dict[str, Any]) -> None:
    import kubernetes_validate

    for one in render(more):
        if one["kind"] == "ScaledObject":
            jsonschema.validate(one, SCALED_OBJECT)
        else:
            kubernetes_validate.validate(one, version, strict=True)


def test_helm_finds_no_fault_and_refuses_what_the_chart_does_not_know() -> None:
    report = helm().lint(CHART, {**EXAMPLE, "settings": SETTINGS}, strict=True)
    assert [one for one in report["messages"] if one["severity"] > 1] == report["errors"] == []
    for wrong in (
        {"replicas": 3},
        {"secrets": [{"setting": "PASSWORD", "secret": "s", "key": "k"}]},
        {"ingest": {"replicas": 0}},
    ):
        assert helm().lint(CHART, {**EXAMPLE, "settings": SETTINGS, **wrong}, strict=True)["errors"]
    with pytest.raises(helm().HelmError, match=re.escape("--set-file settings=bellhop.toml")):
        render({"settings": ""})


def test_there_is_a_worker_for_every_route_and_each_part_once(manifests: list[Manifest]) -> None:
    commands = [container(one)["args"] for one in of_kind(manifests, "Deployment").values()]
    assert sorted(commands) == sorted([["archive"], ["console"], ["ingest"], *(["work", route] for route in ROUTES)])
    assert {command[0] for command in commands} <= set(cli.commands)


def test_a_pod_reads_whole_settings_and_its_secrets_from_files(manifests: list[Manifest], tmp_path: Path) -> None:
    (settings,) = of_kind(manifests, "ConfigMap").values()
    file = tmp_path / "bellhop.toml"
    file.write_text(settings["data"]["bellhop.toml"])
    for deployment in of_kind(manifests, "Deployment").values():
        mounts = {one["mountPath"]: one["name"] for one in container(deployment)["volumeMounts"]}
        volumes = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["volumes"]}
        sources = volumes[mounts["/run/secrets/bellhop"]]["projected"]["sources"]
        paths = {f"/run/secrets/bellhop/{item['path']}" for one in sources for item in one["secret"]["items"]}
        told = environment(deployment)
        assert {value for name, value in told.items() if name.endswith("_FILE")} == paths
        environ = {name: value for name, value in told.items() if name != "BELLHOP_CONFIG"}
        for path in paths:
            setting = path.rpartition("/")[2]
            (tmp_path / setting).write_text(SECRETS.get(setting, f"the {setting}"))
            environ[f"{setting}_FILE"] = str(tmp_path / setting)
        made = load(file, environ)
        assert made.ledger.url == SECRETS["BELLHOP_LEDGER__URL"]
        assert told["BELLHOP_CONFIG"] == "/etc/bellhop/bellhop.toml"


def test_no_value_of_a_secret_is_in_the_chart(manifests: list[Manifest]) -> None:
    assert of_kind(manifests, "Secret") == {}
    told = json.dumps(manifests) + "".join(file.read_text() for file in CHART.rglob("*") if file.is_file())
    assert not re.search(r"whsec_\w|amqps?://\w+:|postgresql://\w+:|BEGIN [A-Z ]*PRIVATE", told)
    tables = tomllib.loads(SETTINGS)
    assert not {"password", "api_key", "secret_key", "auth_id"} & {
        key for one in tables["accounts"].values() for key in one
    }


def test_probes_ask_the_port_that_the_part_listens_on(manifests: list[Manifest]) -> None:
    for name, deployment in of_kind(manifests, "Deployment").items():
        made, told = container(deployment), environment(deployment)
        (port,) = [value for key, value in told.items() if key.endswith("__PORT")]
        (host,) = [value for key, value in told.items() if key.endswith("__HOST")]
        assert [one["containerPort"] for one in made["ports"]] == [int(port)], name
        assert host == "0.0.0.0"
        assert deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == port
        probes = {kind: made[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {kind: probe["path"] for kind, probe in probes.items()} == {
            "startup": "/healthz",
            "liveness": "/healthz",  # who stands still is told of, and not killed: it would leave its calls in doubt
            "readiness": "/readyz",
        }
        assert {probe["port"] for probe in probes.values()} == {made["ports"][0]["name"]}


def test_nothing_is_killed_while_it_drains_and_a_drain_outlasts_a_vendors_call(
    manifests: list[Manifest], tmp_path: Path
) -> None:
    file = tmp_path / "bellhop.toml"
    file.write_text(SETTINGS)
    secret = {one["setting"]: SECRETS.get(one["setting"], "the value") for one in EXAMPLE["secrets"]}
    settings = load(file, secret)
    longest = max(one.connect_seconds + one.read_seconds for one in settings.accounts.values())
    assert settings.work.drain_seconds > longest
    for deployment in of_kind(manifests, "Deployment").values():
        grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        component = deployment["metadata"]["labels"]["app.kubernetes.io/component"]
        if component == "work":
            # Then it gives the rest back, and closes broker and ledger.
            assert grace >= settings.work.drain_seconds + 15
        if component == "ingest":
            before = container(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]
            finish = settings.ingest.body_seconds + settings.broker.confirm_seconds + LINGER_SECONDS
            assert grace > before + finish


def test_every_budget_and_scaler_is_of_one_deployment_and_none_forbids_to_drain_a_node(
    manifests: list[Manifest],
) -> None:
    deployments = of_kind(manifests, "Deployment")
    for name, budget in of_kind(manifests, "PodDisruptionBudget").items():
        selector = budget["spec"]["selector"]["matchLabels"]
        assert [key for key, one in deployments.items() if matches(selector, one)] == [name]
        least, replicas = budget["spec"].get("minAvailable"), deployments[name]["spec"].get("replicas")
        assert budget["spec"].get("maxUnavailable") == 1 or (least and least < replicas)
    scaled = of_kind(manifests, "ScaledObject")
    assert {one["spec"]["scaleTargetRef"]["name"] for one in scaled.values()} == set(scaled)
    assert set(scaled) == {f"bellhop-work-{route.replace('.', '-')}" for route in ROUTES if route != "pulls"}
    assert all("replicas" not in deployments[name]["spec"] for name in scaled)  # Helm would set back what KEDA has set
    assert of_kind(render({"autoscaling": {"enabled": False}}), "ScaledObject") == {}


def test_scalers_ask_for_metrics_that_bellhop_tells_of_their_own_route(manifests: list[Manifest]) -> None:
    for scaled in of_kind(manifests, "ScaledObject").values():
        route = scaled["metadata"]["labels"]["bellhop/route"]
        for trigger in scaled["spec"]["triggers"]:
            query = trigger["metadata"]["query"]
            for name, labels in re.findall(r"(bellhop_\w+)\{(.+?)\}", query):
                base = name.removesuffix("_bucket")
                assert set(re.findall(r"(\w+)=", labels)) <= set(SERIES[base]), query
            assert f'="{route}"' in query


def test_the_network_policy_lets_each_part_be_asked_at_its_port_and_nothing_else(manifests: list[Manifest]) -> None:
    deployments, policies = of_kind(manifests, "Deployment"), of_kind(manifests, "NetworkPolicy")
    for deployment in deployments.values():
        (policy,) = [one for one in policies.values() if matches(one["spec"]["podSelector"]["matchLabels"], deployment)]
        (rule,) = policy["spec"]["ingress"]
        assert [one["port"] for one in rule["ports"]] == [
            one["containerPort"] for one in container(deployment)["ports"]
        ]
        assert all(peer["namespaceSelector"]["matchLabels"] for peer in rule["from"])
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        assert all(one["ports"] for one in policy["spec"]["egress"])


def test_a_pod_may_do_nothing_that_it_need_not(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment").values():
        pod, made = deployment["spec"]["template"]["spec"], container(deployment)["securityContext"]
        assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
        assert (made["readOnlyRootFilesystem"], made["allowPrivilegeEscalation"]) == (True, False)
        assert made["capabilities"] == {"drop": ["ALL"]}
        assert pod["automountServiceAccountToken"] is False
    assert "useradd --system --uid 10001" in (DEPLOY / "Dockerfile").read_text()
