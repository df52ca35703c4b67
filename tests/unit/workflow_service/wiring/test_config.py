"""What an operator may decide, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.config import Environment, SettingsInvalid
from workflow_service.config import Settings


def settings(**values: str) -> Settings:
    return Settings.from_environment(Environment(values))


def test_nothing_need_be_set() -> None:
    found = settings()

    assert (found.data_dir, found.store_dir) == (Path("data"), Path("data"))
    assert (found.grpc_host, found.grpc_port, found.admin_port) == ("127.0.0.1", 50052, 9102)
    assert found.egress_allow == ()
    assert found.neighbours == (
        "127.0.0.1:50051", "127.0.0.1:50053", "127.0.0.1:8080",
        "127.0.0.1:9100", "127.0.0.1:9101", "127.0.0.1:9103",
    )  # fmt: skip


def test_everything_can_be_set() -> None:
    found = settings(
        AUTOWORKER_DATA_DIR="/var/lib/autoworker",
        AUTOWORKER_WORKFLOW_GRPC_PORT="0",
        AUTOWORKER_EGRESS_ALLOW="10.0.0.0/8, shop.internal:8080",
        AUTOWORKER_NOTIFICATION_GRPC_PORT="0",
        AUTOWORKER_CALL_TIMEOUT="2.5",
    )

    assert found.store_dir == Path("/var/lib/autoworker")
    assert (found.grpc_port, found.call_timeout) == (0, 2.5)
    assert found.egress_allow == ("10.0.0.0/8", "shop.internal:8080")
    assert "127.0.0.1:0" not in found.neighbours


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("sqlite://", "data"),
        ("sqlite:///", "data"),
        ("sqlite:///stores", "stores"),
        ("sqlite:////var/lib/my%20stores", "/var/lib/my stores"),
    ],
)
def test_a_store_is_a_folder(url: str, folder: str) -> None:
    assert settings(AUTOWORKER_STORE_URL=url).store_dir == Path(folder)


def test_all_mistakes_are_told_at_once_with_what_is_supported() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        settings(
            AUTOWORKER_STORE_URL="mysql://user:secret@host/db",
            AUTOWORKER_BUS_URL="nats://user:secret@host",
            AUTOWORKER_CACHE_URL="memcached://host",
            AUTOWORKER_REGISTRY_URL="etcd://host",
            AUTOWORKER_WORKFLOW_GRPC_PORT="99999",
        )

    problems = refusal.value.problems
    assert [problem.split(":")[0] for problem in problems] == [
        "AUTOWORKER_STORE_URL",
        "AUTOWORKER_BUS_URL",
        "AUTOWORKER_WORKFLOW_GRPC_PORT",
        "AUTOWORKER_CACHE_URL",
        "AUTOWORKER_REGISTRY_URL",
    ]
    text = str(refusal.value)
    assert all(scheme in text for scheme in ("sqlite://", "memory://", "static://"))
    assert "secret" not in text


def test_a_store_may_be_a_server_whose_password_is_never_shown() -> None:
    found = settings(AUTOWORKER_STORE_URL="mongodb://user:hunter2@host/suite")

    assert found.store_url == "mongodb://user:hunter2@host/suite"
    assert found.store_dir == Path("data")
    assert "hunter2" not in repr(found)


def test_a_store_on_another_machine_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="sqlite:///folder"):
        settings(AUTOWORKER_STORE_URL="sqlite://host/folder")


def test_no_process_runs_unless_its_kind_is_named() -> None:
    assert settings().processes.enabled == frozenset()
    assert settings(AUTOWORKER_RUN="shell, container").processes.enabled == {"shell", "container"}
    with pytest.raises(
        SettingsInvalid, match="AUTOWORKER_RUN: must be of shell, script, container"
    ):
        settings(AUTOWORKER_RUN="shell,perl")


def test_the_default_catalog_is_an_address_or_a_folder(tmp_path: Path) -> None:
    def chosen(root: str) -> str | None:
        return settings(AUTOWORKER_DEFAULT_CATALOG=root).resources.default_catalog

    assert chosen("https://catalog.test") == "https://catalog.test"
    assert chosen(str(tmp_path)) == str(tmp_path)
    with pytest.raises(SettingsInvalid, match="AUTOWORKER_DEFAULT_CATALOG"):
        chosen("ftp://catalog.test")
