"""The settings of second factors."""

import pytest

from auth_service.config.mfa import mfa_settings
from auth_service.domain.mfa_requirement import Requirement
from chassis.config import Environment, SettingsInvalid


def problems(**values: str) -> str:
    env = Environment(values)
    mfa_settings(env)
    with pytest.raises(SettingsInvalid) as caught:
        env.check()
    return str(caught.value)


def test_nothing_is_demanded_and_nothing_sent_unless_it_is_set() -> None:
    settings = mfa_settings(Environment({}))

    assert settings.required is Requirement.NONE
    assert (settings.sms.url, settings.sms.apprise) == (None, None)
    assert settings.sending.per_destination == 5


def test_everything_can_be_set() -> None:
    settings = mfa_settings(
        Environment(
            {
                "AUTOWORKER_MFA_REQUIRED": "admins",
                "AUTOWORKER_MFA_ISSUER": "Shop",
                "AUTOWORKER_SMS_URL": "https://sms.example/send",
                "AUTOWORKER_SMS_TOKEN": "secret",
                "AUTOWORKER_MFA_CODES_PER_TENANT": "7",
            }
        )
    )

    assert (settings.required, settings.issuer) == (Requirement.ADMINS, "Shop")
    assert settings.sms.url == "https://sms.example/send"
    assert "secret" not in repr(settings)
    assert settings.sending.per_tenant == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTOWORKER_MFA_REQUIRED", "some"),
        ("AUTOWORKER_MFA_ISSUER", "a:b"),
        ("AUTOWORKER_SMS_URL", "http://sms.example/"),
        ("AUTOWORKER_SMS_URL", "http://127.0.0.1/"),
        ("AUTOWORKER_SMS_URL", "https://user:password@sms.example/"),
        ("AUTOWORKER_SMS_URL", "ftp://sms.example/"),
        ("AUTOWORKER_SMS_APPRISE", "twilio://sid:token@from"),
        ("AUTOWORKER_MFA_CODES_PER_ACCOUNT", "0"),
    ],
)
def test_what_is_wrong_is_named_and_never_shown(name: str, value: str) -> None:
    told = problems(**{name: value})

    assert name in told
    assert "password" not in told.replace("hold no password", "")
    assert "token@from" not in told


def test_there_is_one_way_at_most() -> None:
    told = problems(
        AUTOWORKER_SMS_URL="https://sms.example/", AUTOWORKER_SMS_APPRISE="twilio://{phone}"
    )

    assert "not both" in told


def test_codes_go_in_clear_text_to_this_machine_alone_and_only_for_trying_out() -> None:
    env = Environment({"AUTOWORKER_SMS_URL": "http://127.0.0.1:1/", "AUTOWORKER_INSECURE_DEV": "1"})

    assert mfa_settings(env).sms.url == "http://127.0.0.1:1/"
    assert "https" in problems(
        AUTOWORKER_SMS_URL="http://sms.example/", AUTOWORKER_INSECURE_DEV="1"
    )
