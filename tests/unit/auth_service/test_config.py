"""Settings: all problems at once, no secrets in sight."""

from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.config import FIRST_ADMINISTRATOR, Settings
from auth_service.domain.policy import PasswordPolicy
from chassis.config import Environment, SettingsInvalid


def settings(**values: str) -> Settings:
    named = {f"AUTOWORKER_{name}": value for name, value in values.items()}
    return Settings.from_environment(Environment(named))


def test_without_an_environment_the_defaults_are_those_that_are_documented() -> None:
    assert settings() == Settings()
    assert settings().administrator.email == FIRST_ADMINISTRATOR
    assert settings().keys.kept > settings().sessions.access_token


def test_what_is_set_is_taken(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("From-A-File-1843\n")

    read = settings(
        DATA_DIR=str(tmp_path),
        AUTH_GRPC_PORT="0",
        AUTH_ADMIN_PORT="0",
        ADMIN_EMAIL="root@example.com",
        ADMIN_PASSWORD_FILE=str(tmp_path / "password"),
        ACCESS_TOKEN_SECONDS="300",
        REFRESH_TOKEN_SECONDS="3600",
        AUTH_KEY_ROTATION_DAYS="7",
        PASSWORD_MIN_LENGTH="15",
        PASSWORD_REQUIRE_DIGIT="no",
        LOGIN_FAILURES_PER_ACCOUNT="3",
        AUTH_HASH_WORKERS="4",
    )

    assert (read.data_dir, read.grpc_port, read.admin_port) == (tmp_path, 0, 0)
    assert read.administrator.email == "root@example.com"
    assert read.administrator.password == "From-A-File-1843"
    assert read.sessions.access_token == timedelta(minutes=5)
    assert read.sessions.refresh_token == timedelta(hours=1)
    assert read.keys.rotation == timedelta(days=7)
    assert (read.passwords.min_length, read.passwords.digit) == (15, False)
    assert read.guesses.per_account == 3
    assert read.hashing.workers == 4


def test_every_problem_is_told_at_once_by_the_name_of_its_setting() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        settings(
            AUTH_GRPC_PORT="70000",
            ADMIN_EMAIL="nobody",
            ADMIN_PASSWORD="weak",
            ACCESS_TOKEN_SECONDS="never",
        )

    named = {problem.partition(":")[0] for problem in caught.value.problems}
    assert named == {
        "AUTOWORKER_AUTH_GRPC_PORT",
        "AUTOWORKER_ADMIN_EMAIL",
        "AUTOWORKER_ADMIN_PASSWORD",
        "AUTOWORKER_ACCESS_TOKEN_SECONDS",
    }


def test_a_password_is_not_shown_with_the_settings() -> None:
    assert "Analytical" not in repr(settings(ADMIN_PASSWORD="Analytical-Engine-1843"))
    with pytest.raises(SettingsInvalid) as caught:
        settings(ADMIN_PASSWORD="hunter2")
    assert "hunter2" not in str(caught.value)


def test_the_rules_of_nist_are_one_setting() -> None:
    nist = settings(PASSWORD_RULES="nist").passwords

    assert nist == PasswordPolicy(min_length=15, upper=False, lower=False, digit=False)
    assert settings(PASSWORD_RULES="nist", PASSWORD_MIN_LENGTH="12").passwords.min_length == 12
