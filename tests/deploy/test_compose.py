"""What `make up` starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.deploy.built import ROOT

OWN = ("gateway", "auth", "workflow", "notification")
SERVERS = ("mongodb", "rabbitmq", "redis", "consul")


@pytest.fixture(scope="module")
def services() -> Mapping[str, Any]:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    found: Mapping[str, Any] = compose["services"]
    return found


def test_everything_real_is_there_and_says_whether_it_works(services: Mapping[str, Any]) -> None:
    for name in (*OWN, *SERVERS):
        assert services[name]["healthcheck"]["test"], name


def test_only_the_gateway_can_be_reached_and_only_from_this_machine(
    services: Mapping[str, Any],
) -> None:
    assert [name for name, service in services.items() if service.get("ports")] == ["gateway"]
    assert all(port.startswith("127.0.0.1:") for port in services["gateway"]["ports"])


@pytest.mark.parametrize("name", OWN)
def test_a_service_may_write_nowhere_and_waits_for_its_servers(
    services: Mapping[str, Any], name: str
) -> None:
    service = services[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(SERVERS) < set(service["depends_on"])
    assert service["environment"]["AUTOWORKER_STORE_URL"].startswith("mongodb://")
    assert service["environment"]["AUTOWORKER_REGISTRY_URL"].startswith("consul://")


def test_checkpoints_of_the_audit_trail_survive_their_container(
    services: Mapping[str, Any],
) -> None:
    assert "auth:/data" in services["auth"]["volumes"]
