"""A letter as an e-mail; a pure function, so that every header can be tested."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from notification_service.application.ports import Letter
from notification_service.domain.recipient import Contact

# Servers without 8BITMIME exist; seven bits pass everywhere.
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails are from."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """What stands behind the @, as DNS has it."""
        return _ascii_domain(self.address)


def mail_of(letter: Letter, sender: Sender) -> EmailMessage:
    """*letter* in plain text and in HTML, its text escaped.

    The Message-ID (RFC 5322 §3.6.4) comes from the notification alone, so that the same letter sent
    twice is recognisably one.

    Raises:
        ValueError: something cannot stand in a header. The policy refuses line breaks, whatever
            came through to here.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(sender.name, sender.address)
    mail["To"] = _address(letter.to.name, letter.to.email)
    mail["Subject"] = letter.message.title
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = f"<{letter.notification_id}@{sender.domain}>"
    # Vacation responders leave mail with this header alone (RFC 3834 §5).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.message.body + "\n")
    mail.add_alternative(_html(letter), subtype="html")
    return mail


def envelope_address(contact: Contact) -> str:
    """Where a mail to *contact* goes.

    Raises:
        ValueError: its domain cannot be written as DNS has it.
    """
    local = contact.email.rpartition("@")[0]
    return f"{local}@{_ascii_domain(contact.email)}"


def _address(name: str, address: str) -> Address:
    return Address(name, address.rpartition("@")[0], _ascii_domain(address))


def _ascii_domain(address: str) -> str:
    return address.rpartition("@")[2].encode("idna").decode("ascii")


def _html(letter: Letter) -> str:
    lines = "".join(_paragraphs(letter.message.body))
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head><body>'
        f"<h1>{escape(letter.message.title)}</h1>{lines}</body></html>\n"
    )


def _paragraphs(text: str) -> Iterator[str]:
    return (f"<p>{_shown(line)}</p>" for line in text.split("\n") if line)


def _shown(line: str) -> str:
    """A line that is an address by itself can be followed; only our own texts have such lines."""
    text = escape(line)
    address = line.startswith(("https://", "http://")) and " " not in line
    return f'<a href="{text}">{text}</a>' if address else text
