"""The words of the mails about accounts. `$facts` come from auth_service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """A subject, which has no facts, and a body: an empty line separates paragraphs."""

    subject: str
    body: str


_NOT_YOU: Final = (
    "If this was not you, change your password now, look at your sessions, and tell your"
    " administrator."
)
_IGNORE: Final = "If you did not ask for this, ignore this mail: nothing changes."

TEMPLATES: Final[Mapping[str, MailTemplate]] = {
    "verify-email": MailTemplate(
        "Confirm your e-mail address",
        f"Hello,\n\nplease confirm that this address is yours.\n\n$action\n\n"
        f"It is good until $expires and can be used once.\n\n{_IGNORE}",
    ),
    "confirm-new-email": MailTemplate(
        "Confirm your new e-mail address",
        "Hello,\n\nsomebody wants to use this address for their account. Until you confirm it,"
        " nothing changes.\n\n$action\n\n"
        f"It is good until $expires and can be used once.\n\n{_IGNORE}",
    ),
    "email-change-requested": MailTemplate(
        "Your e-mail address is about to change",
        "$greeting\n\nsomebody who is logged in to your account asked at $when to use another"
        f" e-mail address for it: $new_email\n\n{_NOT_YOU}",
    ),
    "email-changed": MailTemplate(
        "Your e-mail address was changed",
        "$greeting\n\nfrom $when on your account uses another e-mail address: $new_email\n\n"
        f"{_NOT_YOU}",
    ),
    "password-reset": MailTemplate(
        "Set a new password",
        "Hello,\n\nsomebody asked for a new password for your account.\n\n$action\n\n"
        "It is good until $expires and can be used once. Your other sessions end when you use"
        f" it.\n\n{_IGNORE}",
    ),
    "invitation": MailTemplate(
        "An account was made for you",
        "Hello,\n\nan administrator made an account for you. Choose a password to use it.\n\n"
        "$action\n\nIt is good until $expires and can be used once.",
    ),
    "password-changed": MailTemplate(
        "Your password was changed",
        "$greeting\n\nthe password of your account was changed at $when. All of your other"
        f" sessions were ended.\n\n{_NOT_YOU}",
    ),
    "new-device": MailTemplate(
        "New login to your account",
        "$greeting\n\nsomebody logged in to your account at $when from $device, address $address."
        f" What was unusual: $reason.\n\n{_NOT_YOU}",
    ),
    "code": MailTemplate(
        "Your login code",
        "Hello,\n\nthis is the code that you are asked for:\n\n$code\n\n"
        "It is good until $expires and can be used once. Nobody of us will ever ask you for"
        " it.\n\nIf you are not logging in, somebody knows your password: change it.",
    ),
    "factors-changed": MailTemplate(
        "Your second factors were changed",
        f"$greeting\n\nat $when: $change.\n\n{_NOT_YOU}",
    ),
    "token-reuse": MailTemplate(
        "A session of yours was ended",
        "$greeting\n\nat $when somebody used a refresh token of yours that had been used before."
        " Two parties had it, so the session was ended. Log in again.\n\n" + _NOT_YOU,
    ),
    "account-deactivated": MailTemplate(
        "Your account was deactivated",
        "$greeting\n\nyour account was deactivated at $when. You cannot log in until an"
        " administrator activates it again.",
    ),
    "account-activated": MailTemplate(
        "Your account was activated",
        "$greeting\n\nyour account was activated at $when. You can log in again.",
    ),
    "account-deleted": MailTemplate(
        "Your account was deleted",
        "Hello,\n\nyour account and your personal data were deleted at $when. This is the last"
        " mail to you.",
    ),
}
