import pytest

from autoworker.settings import suite_settings
from chassis.config import SettingsInvalid


def test_inner_ports_are_free_ones_unless_they_are_set() -> None:
    settings = suite_settings({"AUTOWORKER_WORKFLOW_GRPC_PORT": "5555"})

    assert settings.gateway.http_port == 8080
    assert (settings.auth.grpc_port, settings.workflow.grpc_port) == (0, 5555)
    assert (settings.notification.grpc_port, settings.gateway.admin_port) == (0, 0)


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://127.0.0.1:8080"),
        (
            {"AUTOWORKER_HTTP_HOST": "0.0.0.0", "AUTOWORKER_HTTP_PORT": "9000"},  # noqa: S104
            "http://127.0.0.1:9000",
        ),
        ({"AUTOWORKER_HTTP_PORT": "0"}, ""),
        ({"AUTOWORKER_PUBLIC_URL": "https://api.example.com/"}, "https://api.example.com"),
    ],
)
def test_links_in_mails_lead_to_where_the_gateway_is(values: dict[str, str], address: str) -> None:
    assert suite_settings(values).auth.accounts.public_url == address


def test_problems_of_all_services_are_told_together_each_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        suite_settings(
            {
                "AUTOWORKER_HTTP_PORT": "x",
                "AUTOWORKER_SMTP_TIMEOUT": "x",
                "AUTOWORKER_SMTP_URL": "smtp://mail",
                "AUTOWORKER_AUTH_GRPC_PORT": "-1",
                "AUTOWORKER_LOG_LEVEL": "loud",
            }
        )

    names = [problem.partition(":")[0] for problem in refused.value.problems]
    assert len(refused.value.problems) == len(set(refused.value.problems))
    assert {
        "AUTOWORKER_HTTP_PORT",
        "AUTOWORKER_SMTP_TIMEOUT",
        "AUTOWORKER_SMTP_FROM",
        "AUTOWORKER_AUTH_GRPC_PORT",
        "AUTOWORKER_LOG_LEVEL",
    } == set(names)


@pytest.mark.parametrize(("text", "level"), [("", None), ("debug", "DEBUG"), ("ERROR", "ERROR")])
def test_the_level_of_logs_is_read_in_any_case(text: str, level: str | None) -> None:
    assert suite_settings({"AUTOWORKER_LOG_LEVEL": text}).own.log_level == level
