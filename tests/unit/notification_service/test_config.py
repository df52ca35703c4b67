"""Settings, checked at start."""

import pytest

from chassis.config import Environment, SettingsInvalid
from notification_service.config import MailEncryption, MailSettings, Settings

FROM = {"AUTOWORKER_SMTP_FROM": "Autoworker <no-reply@example.org>"}


def mail(url: str, **more: str) -> MailSettings:
    values = {"AUTOWORKER_SMTP_URL": url, **FROM, **more}
    settings = Settings.from_environment(Environment(values))
    assert settings.mail is not None
    return settings.mail


def test_without_a_url_no_mail_is_sent() -> None:
    settings = Settings.from_environment(Environment({}))

    assert settings.mail is None
    assert (settings.grpc_host, settings.grpc_port, settings.admin_port) == (
        "127.0.0.1",
        50053,
        9103,
    )


@pytest.mark.parametrize(
    ("url", "encryption", "port"),
    [
        ("smtp://mail.example.org", MailEncryption.WHEN_OFFERED, 25),
        ("smtp+starttls://mail.example.org", MailEncryption.REQUIRED, 587),
        ("smtps://mail.example.org", MailEncryption.IMPLICIT, 465),
        ("smtp://mail.example.org:2525", MailEncryption.WHEN_OFFERED, 2525),
        ("smtp://u:p@localhost:2525", MailEncryption.WHEN_OFFERED, 2525),
        ("smtp://u:p@mail.example.org", MailEncryption.REQUIRED, 25),
    ],
)
def test_the_scheme_says_how_the_connection_is_protected(
    url: str, encryption: MailEncryption, port: int
) -> None:
    found = mail(url)

    assert (found.encryption, found.port) == (encryption, port)


def test_only_insecure_development_sends_a_password_in_the_clear() -> None:
    found = mail("smtp://u:p@mail.example.org", AUTOWORKER_INSECURE_DEV="1")

    assert found.encryption is MailEncryption.WHEN_OFFERED


def test_user_and_password_are_decoded_and_never_shown() -> None:
    found = mail("smtps://user%40example.org:p%3Aw%2F@mail.example.org")

    assert (found.username, found.password) == ("user@example.org", "p:w/")
    assert "p:w/" not in repr(found)


def test_the_sender_has_a_name_and_an_address() -> None:
    found = mail("smtp://localhost", AUTOWORKER_SMTP_FROM="no-reply@example.org")

    assert (found.sender_name, found.sender_address) == ("Autoworker", "no-reply@example.org")


@pytest.mark.parametrize(
    "url", ["http://mail", "smtp://", "smtp://h:99999", "smtp://h/path", "smtp://h?x", "mail:25"]
)
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        mail(url)

    [problem] = caught.value.problems
    assert problem.startswith("AUTOWORKER_SMTP_URL: ")


def test_all_problems_are_told_at_once() -> None:
    values = {
        "AUTOWORKER_SMTP_URL": "ftp://secret:word@host",
        "AUTOWORKER_SMTP_FROM": "nobody",
        "AUTOWORKER_SMTP_CONCURRENCY": "0",
        "AUTOWORKER_NOTIFICATION_GRPC_PORT": "x",
    }

    with pytest.raises(SettingsInvalid) as caught:
        Settings.from_environment(Environment(values))

    assert sorted(problem.split(":")[0] for problem in caught.value.problems) == sorted(values)
    assert "word" not in str(caught.value)
