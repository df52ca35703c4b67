"""The manifests say what Kubernetes understands, and promise what docs/running.md says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy.built import BIN, KUBERNETES, ROOT, kustomized, with_secrets
from tests.support.servers import absent

SERVICES: Final = {"gateway", "auth", "workflow", "notification"}
"""Those that run any number of times."""
OF_OPERATORS: Final = {"PodMonitor", "PrometheusRule"}
"""Kinds that an operator of the cluster brings; Kubernetes has no schema of them."""


@pytest.fixture(scope="module")
def overlays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifests, with keys and URLs as an operator puts them there."""
    return with_secrets(tmp_path_factory.mktemp("kubernetes"))


@pytest.fixture(scope="module", params=["production", "one-pod"])
def manifests(request: pytest.FixtureRequest, overlays: Path) -> Path:
    """One overlay, as kubectl would send it."""
    built = overlays / f"{request.param}.yaml"
    built.write_text(kustomized(overlays / request.param))
    return built


@pytest.fixture(scope="module")
def production(overlays: Path) -> Sequence[Mapping[str, Any]]:
    return list(yaml.safe_load_all(kustomized(overlays / "production")))


def of_kind(manifests: Sequence[Mapping[str, Any]], kind: str) -> dict[str, Mapping[str, Any]]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pods(manifests: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for kind in ("Deployment", "Job", "StatefulSet"):
        for each in of_kind(manifests, kind).values():
            yield each["spec"]["template"]["spec"]


def test_every_field_is_one_that_kubernetes_knows(manifests: Path) -> None:
    done = subprocess.run(
        [str(BIN / "kubernetes-validate"), "--strict", str(manifests)],
        capture_output=True,
        text=True,
    )

    told = (done.stdout + done.stderr).splitlines()
    assert [line for line in told if "passed" in line]
    assert not [
        line
        for line in told
        if "passed" not in line and not any(kind in line for kind in OF_OPERATORS)
    ]


def test_a_field_that_it_does_not_know_is_found(manifests: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(manifests.read_text().replace("readOnlyRootFilesystem", "readOnlyRoot"))

    done = subprocess.run([str(BIN / "kubernetes-validate"), "--strict", str(wrong)], check=False)

    assert done.returncode != 0


def test_every_service_is_there_with_all_that_it_needs(
    production: Sequence[Mapping[str, Any]],
) -> None:
    for kind in ("Service", "ServiceAccount", "PodDisruptionBudget"):
        assert set(of_kind(production, kind)) >= SERVICES, kind
    for kind in ("Deployment", "HorizontalPodAutoscaler"):
        assert set(of_kind(production, kind)) == SERVICES, kind


def test_every_service_runs_more_than_once_and_keeps_nothing_by_itself(
    production: Sequence[Mapping[str, Any]],
) -> None:
    assert not of_kind(production, "StatefulSet")
    assert not of_kind(production, "PersistentVolumeClaim")
    for name, deployment in of_kind(production, "Deployment").items():
        assert deployment["spec"]["replicas"] >= 2, name


def test_no_pod_may_do_more_than_it_must(production: Sequence[Mapping[str, Any]]) -> None:
    for pod in pods(production):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}


def test_no_password_stands_in_the_environment(production: Sequence[Mapping[str, Any]]) -> None:
    for pod in pods(production):
        for variable in pod["containers"][0].get("env", ()):
            assert "URL" not in variable["name"]
    configuration = of_kind(production, "ConfigMap")["autoworker"]["data"]
    assert all("@" not in value for value in configuration.values())


def test_a_service_has_its_own_private_key_and_nobody_elses(
    production: Sequence[Mapping[str, Any]],
) -> None:
    services = of_kind(production, "Deployment")
    assert set(services) == SERVICES
    for name, deployment in services.items():
        volumes = deployment["spec"]["template"]["spec"]["volumes"]
        (keys,) = [volume for volume in volumes if volume["name"] == "keys"]
        files = {item["path"] for item in keys["projected"]["sources"][0]["secret"]["items"]}
        private = {file for file in files if file.endswith(".pem") and ".pub." not in file}
        assert private == {f"{name}.pem"}
        assert {f"{service}.pub.pem" for service in SERVICES} <= files


def test_nobody_talks_to_anybody_unless_a_policy_says_so(
    production: Sequence[Mapping[str, Any]],
) -> None:
    nothing = of_kind(production, "NetworkPolicy")["nothing"]["spec"]

    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_alerts_are_understood_and_fire_when_they_should(tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or absent("promtool", "PATH")
    monitoring = KUBERNETES / "components" / "monitoring"
    rules = yaml.safe_load((monitoring / "rules.yaml").read_text())["spec"]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(monitoring / "alerts.test.yaml", tmp_path)

    for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]):
        done = subprocess.run(
            [promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_ask_for_metrics_that_there_are() -> None:
    monitoring = KUBERNETES / "components" / "monitoring"
    rules = yaml.safe_load((monitoring / "rules.yaml").read_text())["spec"]["groups"][0]["rules"]
    code = "".join(
        path.read_text()
        for service in (
            "chassis",
            "gateway",
            "auth_service",
            "workflow_service",
            "notification_service",
        )
        for path in (ROOT / service).rglob("*.py")
    )

    for rule in rules:
        names = [
            word for word in _words(rule["expr"]) if word.endswith(("_total", "_depth", "_bucket"))
        ]
        assert names
        for name in names:
            assert f'"{name.removesuffix("_bucket")}"' in code, name


def _words(expression: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in expression).split()
