"""A letter as a mail, and what servers say to it."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import aiosmtplib
import pytest

from notification_service.adapters.channels.email import outcome_of
from notification_service.adapters.channels.mail import Sender, envelope_address, mail_of
from notification_service.application.ports import Letter
from notification_service.domain.delivery import Deferred, Refused
from notification_service.domain.notification import Message
from tests.unit.notification_service.builders import NOON, contact

SENDER = Sender("Autoworker", "no-reply@autoworker.example")
LETTER = Letter("n1", Message("t", "Ready", "It is ready.\nReally.", b"{}"), contact(), NOON)


def test_the_headers_say_who_to_whom_and_what() -> None:
    mail = mail_of(LETTER, SENDER)

    assert mail["From"] == "Autoworker <no-reply@autoworker.example>"
    assert mail["To"] == "Alice <alice@example.org>"
    assert mail["Subject"] == "Ready"
    assert mail["Date"] == "Thu, 15 Jan 2026 12:00:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_message_id_comes_from_the_notification_alone() -> None:
    assert mail_of(LETTER, SENDER)["Message-ID"] == "<n1@autoworker.example>"


def test_text_and_html_say_the_same_and_html_is_escaped() -> None:
    evil = Message("t", "<b>", "<script>alert(1)</script> & more", b"{}")

    mail = mail_of(replace(LETTER, message=evil), SENDER)

    text, html = (part.get_content() for part in mail.iter_parts())
    assert text == "<script>alert(1)</script> & more\n"
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; more</p>" in html
    assert "<h1>&lt;b&gt;</h1>" in html


@pytest.mark.parametrize("title", ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\u2028b"])
def test_a_line_break_that_came_this_far_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        mail_of(replace(LETTER, message=replace(LETTER.message, title=title)), SENDER)


def test_a_name_with_specials_stays_a_name() -> None:
    to = replace(contact(), name='"Bob" <bob@example.org>, Zoë')

    again = message_from_bytes(mail_of(replace(LETTER, to=to), SENDER).as_bytes(), policy=default)

    [address] = again["To"].addresses
    assert (address.display_name, address.addr_spec) == (to.name, "alice@example.org")


def test_all_of_it_is_seven_bits() -> None:
    to = contact("alice@exämple.org")
    body = Message("t", "Größe", "Größe: 3 µm — “fine”", b"{}")

    assert mail_of(replace(LETTER, to=to, message=body), SENDER).as_bytes().isascii()
    assert envelope_address(to) == "alice@xn--exmple-cua.org"


@pytest.mark.parametrize(
    ("failure", "final"),
    [
        (aiosmtplib.SMTPDataError(554, "spam"), True),
        (aiosmtplib.SMTPSenderRefused(550, "no", "a@b.c"), True),
        (
            aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(550, "no", "a@b")]),
            True,
        ),
        (aiosmtplib.SMTPNotSupported("SMTPUTF8"), True),
        (
            aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(450, "no", "a@b")]),
            False,
        ),
        (aiosmtplib.SMTPDataError(451, "later"), False),
        (aiosmtplib.SMTPConnectResponseError(421, "busy"), False),
        (aiosmtplib.SMTPAuthenticationError(535, "no"), False),
        (aiosmtplib.SMTPServerDisconnected("gone"), False),
        (aiosmtplib.SMTPException("STARTTLS not supported"), False),
        (ConnectionRefusedError("no"), False),
        (TimeoutError(), False),
    ],
)
def test_only_a_final_answer_about_the_letter_is_final(failure: Exception, final: bool) -> None:
    assert isinstance(outcome_of(failure), Refused if final else Deferred)
