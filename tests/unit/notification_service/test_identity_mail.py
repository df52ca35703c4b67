"""What mails about accounts say, and what cannot get into them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.safe import Safe
from chassis.crypto.sealing import IntegrityBroken
from notification_service.adapters.channels.mail import Sender, mail_of
from notification_service.application.mail_ports import SealedMail
from notification_service.application.mail_safe import MailSafe
from notification_service.domain.errors import MailInvalid
from notification_service.domain.identity_mail import IdentityMail, written
from notification_service.domain.identity_templates import TEMPLATES
from tests.unit.notification_service.builders import ALICE, NOON, later

FACTS = {
    "token": "tok-123",
    "link": "",
    "expires": "2026-01-15 12:30 UTC",
    "when": "2026-01-15 12:00 UTC",
    "name": "Alice",
    "new_email": "new@example.org",
    "device": "Firefox on Linux",
    "address": "192.0.2.7",
    "reason": "a new network",
    "code": "123456",
    "change": "a factor was added",
}
SAFE = MailSafe(Safe(WrappingKeys("k1", {"k1": bytes(32)}), "identity mail"))
SENDER = Sender("Autoworker", "no-reply@autoworker.example")


def mail(
    template: str = "password-reset",
    facts: Mapping[str, str] = FACTS,
    recipient: str = "alice@example.org",
) -> IdentityMail:
    return IdentityMail("m1", "default", "alice", recipient, template, facts, later(60))


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_can_be_written(template: str) -> None:
    words = written(mail(template))

    assert words.subject
    assert "$" not in words.body


def test_a_token_is_shown_when_there_is_no_page_for_it() -> None:
    assert "\n\ntok-123\n\n" in written(mail()).body


def test_a_link_can_be_followed() -> None:
    link = "https://app.example.org/reset#token=tok-123&x=1"
    letter = _letter(mail(facts={**FACTS, "link": link}))

    html = _part(letter, "html")
    assert f'<a href="{link.replace("&", "&amp;")}">' in html
    assert link in _part(letter, "plain")


def test_a_name_is_text_and_nothing_else() -> None:
    name = "<a href='https://evil.example'>$token {{7*7}}\r\nBcc: eve@example.org"

    letter = _letter(mail("password-changed", {**FACTS, "name": name}))

    assert "<a href" not in _part(letter, "html")
    assert "$token {{7*7}} Bcc: eve@example.org" in _part(letter, "plain")
    assert "tok-123" not in _part(letter, "plain")


@pytest.mark.parametrize(
    "recipient",
    ["", "alice", "a@b.example\r\nBcc: eve@example.org", "a@b.example\nX: y", "<a@b.example>"],
)
def test_who_cannot_be_written_to_is_refused(recipient: str) -> None:
    with pytest.raises(MailInvalid):
        written(mail(recipient=recipient))


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(MailInvalid):
        written(mail("no-such"))


def test_a_missing_fact_is_named() -> None:
    with pytest.raises(MailInvalid) as refused:
        written(mail("new-device", {"name": "Alice"}))

    assert refused.value.details[0].message == "when is missing"


def test_a_sealed_mail_shows_neither_address_nor_token() -> None:
    sealed = SAFE.seal(mail(), written(mail()))

    assert b"alice" not in sealed
    assert b"tok-123" not in sealed


@pytest.mark.parametrize("moved", [("m2", "default"), ("m1", "other")])
def test_a_sealed_mail_is_good_for_its_own_row_only(moved: tuple[str, str]) -> None:
    sealed = SAFE.seal(mail(), written(mail()))

    with pytest.raises(IntegrityBroken):
        SAFE.letter(SealedMail(*moved, sealed, NOON, later(60)), ALICE)


def test_a_key_of_yesterday_still_opens() -> None:
    old = Safe(WrappingKeys("a", {"a": bytes(32)}), "x")
    new = Safe(WrappingKeys("b", {"a": bytes(32), "b": bytes([1]) * 32}), "x")

    assert new.unseal(old.seal(b"text", "row"), "row") == b"text"
    with pytest.raises(IntegrityBroken):
        old.unseal(new.seal(b"text", "row"), "row")


def _letter(asked: IdentityMail) -> dict[str, str]:
    sealed = SealedMail("m1", "default", SAFE.seal(asked, written(asked)), NOON, later(60))
    made = mail_of(SAFE.letter(sealed, ALICE), SENDER)
    assert made["Date"].datetime == datetime(2026, 1, 15, 12, tzinfo=UTC)
    parts = {}
    for kind in ("plain", "html"):
        part = made.get_body((kind,))
        assert part is not None
        parts[kind] = part.get_content()
    return parts


def _part(letter: dict[str, str], kind: str) -> str:
    return letter[kind]
