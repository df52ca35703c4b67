"""What people read in their inbox when something happened to their account.

These stand beside mails of auth_service, which also reach somebody whose inbox was taken over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from notification_service.domain.notification import LONGEST_BODY, LONGEST_TITLE, Message
from notification_service.domain.recipient import Recipient
from notification_service.domain.text import one_line, some_lines

_NOT_YOU: Final = (
    "If this was not you, change your password and look at your sessions and API keys."
)

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "password-changed": ("Your password was changed", "The password of your account was changed."),
    "email-changed": (
        "Your e-mail address was changed",
        "Your account uses another e-mail address now.",
    ),
    "factors-changed": ("Your second factors were changed", "This happened: {change}."),
    "user-activated": ("Your account was activated", "An administrator activated your account."),
    "login-suspicious": (
        "New login to your account",
        "Somebody logged in from {device}: {reasons}.",
    ),
    "api-key-created": (
        "A new API key for your account",
        "The API key {key_id} was made; whoever has it acts for you.",
    ),
    "api-key-rotated": (
        "An API key of yours has a new text",
        "The API key {key_id} was rotated; its old text is good for a while yet, or not at all.",
    ),
    "session-revoked": (
        "A session of yours was ended",
        "A refresh token was used a second time, so two parties had it. Log in again.",
    ),
}
HEARD: Final = frozenset(_WORDS)
"""Facts that people are told of, by the last part of the type of their events."""


@dataclass(frozen=True, slots=True)
class AccountFact:
    """Something that happened to the account of *owner*; *kind* is one of `HEARD`."""

    kind: str
    owner: Recipient
    at: datetime
    facts: Mapping[str, str]


def account_fact(fact: AccountFact) -> Message:
    """How the owner of an account learns what happened to it."""
    title, story = _WORDS[fact.kind]
    told = {
        "device": one_line(fact.facts.get("device", "somewhere"), LONGEST_TITLE),
        "key_id": one_line(fact.facts.get("key_id", "of yours"), LONGEST_TITLE),
        "change": one_line(fact.facts.get("change", "a change"), LONGEST_TITLE),
        "reasons": one_line(fact.facts.get("reasons", "unusual"), LONGEST_TITLE),
    }
    moment = fact.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Message(
        type=f"account.{fact.kind}",
        title=title,
        body=some_lines(f"{moment}: {story.format(**told)}\n{_NOT_YOU}", LONGEST_BODY),
        data=msgspec.json.encode({"at": fact.at, **fact.facts}),
    )
