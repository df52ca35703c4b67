"""Mail about accounts: who it is for, what it says, and how long it is of use.

Templates have no logic: `$name` stands for a fact, and a fact is never read as a template again.
Facts that people chose themselves are made one line and short before they get in; the HTML form of
a mail escapes everything (`adapters/channels/mail.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from string import Template

from chassis.errors import FieldProblem
from notification_service.domain.errors import MailInvalid
from notification_service.domain.identity_templates import TEMPLATES
from notification_service.domain.recipient import is_address
from notification_service.domain.text import one_line

LONGEST_FACT = 2_000
MOST_FACTS = 20


class MailWay(StrEnum):
    """How mail leaves the house."""

    NONE = "none"
    SMTP = "smtp"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class IdentityMail:
    """A mail as it was asked for; *user_id* is empty for somebody who is no user yet."""

    id: str
    tenant: str
    user_id: str
    recipient: str
    template: str
    facts: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What a mail says."""

    subject: str
    body: str


def written(mail: IdentityMail) -> Written:
    """The words of *mail*.

    Raises:
        MailInvalid: it cannot be addressed, there is no such template, or it lacks facts.
    """
    template = TEMPLATES.get(mail.template)
    if template is None:
        raise MailInvalid(FieldProblem("template", "There is no such template"))
    if not is_address(mail.recipient):
        raise MailInvalid(FieldProblem("recipient", "Must be an e-mail address in one line"))
    facts = _facts(mail.facts)
    try:
        body = Template(template.body).substitute(facts)
        return Written(template.subject, body.strip())
    except KeyError as exc:
        raise MailInvalid(FieldProblem("facts", f"{exc.args[0]} is missing")) from exc


def _facts(given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MOST_FACTS:
        raise MailInvalid(FieldProblem("facts", f"At most {MOST_FACTS}"))
    facts = {name: one_line(value, LONGEST_FACT) for name, value in given.items()}
    if "token" in facts:
        facts["action"] = _action(facts["token"], facts.get("link", ""))
    facts["greeting"] = f"Hello {name}," if (name := facts.get("name", "")) else "Hello,"
    return facts


def _action(token: str, link: str) -> str:
    if link:
        return f"Open this address in your browser:\n\n{link}"
    return f"This is the token that you are asked for:\n\n{token}"
