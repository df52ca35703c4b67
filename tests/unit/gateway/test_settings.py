"""Settings are checked as a whole."""

import pytest

from chassis.config import Environment, SettingsInvalid
from gateway.config import Settings


def test_nothing_set_is_a_gateway_on_this_machine() -> None:
    environment = Environment({})

    settings = Settings.from_environment(environment)

    environment.check()
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)
    assert settings.backends.services["workflow"] == "127.0.0.1:50052"


def test_limits_and_networks_are_read() -> None:
    environment = Environment(
        {
            "AUTOWORKER_RATE_LIMIT": "10/1",
            "AUTOWORKER_AUTH_RATE_LIMIT": "5/60",
            "AUTOWORKER_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "AUTOWORKER_CORS_ORIGINS": "https://app.example.com",
        }
    )

    settings = Settings.from_environment(environment)

    environment.check()
    assert (settings.principal_rate.quota, settings.principal_rate.window) == (10, 1.0)
    assert settings.auth_rate.quota == 5
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


def test_every_wrong_setting_is_named() -> None:
    wrong = {
        "AUTOWORKER_HTTP_PORT": "80000",
        "AUTOWORKER_RATE_LIMIT": "many",
        "AUTOWORKER_AUTH_RATE_LIMIT": "0/60",
        "AUTOWORKER_TRUSTED_PROXIES": "everybody",
        "AUTOWORKER_CORS_ORIGINS": "*",
        "AUTOWORKER_DRAIN_TIMEOUT": "soon",
    }
    environment = Environment(wrong)
    Settings.from_environment(environment)

    with pytest.raises(SettingsInvalid) as refused:
        environment.check()

    assert {problem.split(":")[0] for problem in refused.value.problems} == set(wrong)
