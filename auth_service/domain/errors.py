"""What can go wrong in identity.

ServiceError
├── Invalid
│   ├── InputInvalid           every field problem at once, weak passwords included
│   └── AccountTokenRefused    of a link: unknown, expired, used, or for something else
├── Conflict
│   ├── EmailTaken
│   ├── AccountChanged         by somebody else at the same moment
│   ├── LastAdministrator
│   ├── NoMailServer
│   └── TooManyApiKeys
├── NotFound
│   ├── ApiKeyNotFound
│   ├── ClientNotFound
│   ├── ConsentNotFound
│   ├── SessionNotFound
│   └── UserNotFound
├── PermissionDenied
│   ├── AccountDisabled        told only to who knows the password
│   ├── EmailNotVerified       the same
│   ├── RecentAuthenticationNeeded
│   ├── PermissionNotHeld      nobody gives away what is not theirs
│   ├── SessionNeeded          an API key is not enough
│   └── WrongPassword          given by somebody whose session is good
├── Unauthenticated
│   ├── WrongCredentials       unknown user and wrong password alike
│   ├── AccessTokenRefused
│   ├── ApiKeyRefused
│   ├── RefreshTokenRefused    unknown, expired, spent, or its session is over
│   └── SessionOver
└── RateLimited
    ├── TooManyGuesses
    └── TooManyRequests

Those of roles and policies are in `access_errors`, of second factors in `mfa.errors`, of OAuth in `oauth.errors`.
"""

from collections.abc import Sequence

from chassis.errors import (
    Conflict,
    FieldProblem,
    Invalid,
    NotFound,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
)


class InputInvalid(Invalid):
    """Fields of a request break the rules; `details` names every one of them."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("Invalid input data", details=problems)


class EmailTaken(Conflict):
    """Another user of the tenant has this e-mail address."""

    def __init__(self) -> None:
        super().__init__("This e-mail address is already registered")


class LastAdministrator(Conflict):
    """Nobody in the tenant could administer it any more."""

    def __init__(self) -> None:
        super().__init__("The last administrator must stay one")


class AccountTokenRefused(Invalid):
    """The token of a link is unknown, expired or used, or is good for something else."""

    def __init__(self) -> None:
        super().__init__(
            "The link is not good any more: ask for a new one",
            details=[FieldProblem("token", "Unknown, expired or used")],
        )


class AccountChanged(Conflict):
    """Somebody else changed the account at the same moment; trying again helps."""

    def __init__(self) -> None:
        super().__init__("The account was changed at the same moment: try again")


class NoMailServer(Conflict):
    """What was asked for needs a mail to be sent, and no mail leaves the house."""

    def __init__(self) -> None:
        super().__init__(
            "No mail server is configured, so the invitation cannot be sent: set a password for "
            "the user, or set AUTOWORKER_SMTP_URL"
        )


class SessionNotFound(NotFound):
    """The caller has no such session, or it has ended."""

    def __init__(self) -> None:
        super().__init__("Session not found")


class AccountDisabled(PermissionDenied):
    """An administrator has deactivated the account. The password was right."""

    def __init__(self) -> None:
        super().__init__("This account is deactivated: ask an administrator")


class EmailNotVerified(PermissionDenied):
    """The operator lets nobody in whose address is not confirmed. The password was right."""

    def __init__(self) -> None:
        super().__init__("Confirm your e-mail address first: a link was mailed to you")


class UserNotFound(NotFound):
    """There is no such user in the caller's tenant."""

    def __init__(self) -> None:
        super().__init__("User not found")


class RecentAuthenticationNeeded(PermissionDenied):
    """The change is sensitive, and the caller's login too long ago (RFC 9470 has the idea)."""

    def __init__(self) -> None:
        super().__init__(
            "Prove that it is you: give your password, step up at /v1/auth/step-up, or log in again",
            details=[FieldProblem("password", "Required unless you logged in just now")],
        )


class WrongPassword(PermissionDenied):
    """The caller's session is good, and the password they gave to confirm it is not."""

    def __init__(self) -> None:
        super().__init__(
            "This is not your password", details=[FieldProblem("password", "Is not right")]
        )


class ClientNotFound(NotFound):
    """There is no such OAuth client in the caller's tenant."""

    def __init__(self) -> None:
        super().__init__("Client not found")


class ConsentNotFound(NotFound):
    """The caller has granted nothing to this client."""

    def __init__(self) -> None:
        super().__init__("Nothing is granted to this client")


class WrongCredentials(Unauthenticated):
    """Unknown user or wrong password: nobody outside may learn which."""

    def __init__(self) -> None:
        super().__init__("Wrong e-mail address or password")


class AccessTokenRefused(Unauthenticated):
    """The access token is malformed, forged, expired, or meant for something else.

    The message never says which; *reason* is for the log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("The access token is not valid")
        self.reason = reason


class RefreshTokenRefused(Unauthenticated):
    """The refresh token is unknown, expired or spent, or its session is over."""

    def __init__(self) -> None:
        super().__init__("The refresh token is not valid")


class SessionOver(Unauthenticated):
    """The session was revoked or has expired; none of its tokens counts any more."""

    def __init__(self) -> None:
        super().__init__("The session is over")


class TooManyGuesses(RateLimited):
    """Too many failed logins for this account or from this address; see `retry_after`."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many failed logins", retry_after=retry_after)


class ApiKeyNotFound(NotFound):
    """There is no such API key, or it is somebody else's."""

    def __init__(self) -> None:
        super().__init__("API key not found")


class TooManyApiKeys(Conflict):
    """One user may have only so many."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"You have {most} API keys, which is as many as AUTOWORKER_API_KEYS_PER_USER allows; "
            "delete one that is not used any more"
        )


class ApiKeyRefused(Unauthenticated):
    """The API key is malformed, unknown, replaced, deleted or expired.

    The message never says which; *reason* is for the log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("The API key is not valid")
        self.reason = reason


class PermissionNotHeld(PermissionDenied):
    """Somebody wants to give away permissions that they do not have, or that no key may have."""

    def __init__(self, permissions: Sequence[str]) -> None:
        super().__init__(
            "A key may have only permissions of yours, and never api-keys:write",
            details=[FieldProblem("permissions", f"Not yours to give: {p}") for p in permissions],
        )


class SessionNeeded(PermissionDenied):
    """This changes the account itself: the user must have logged in, and an API key is not enough."""

    def __init__(self) -> None:
        super().__init__("This needs a login; an API key cannot do it")


class TooManyRequests(RateLimited):
    """Too many mails were asked for from this address or network; see `retry_after`."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many requests for mail", retry_after=retry_after)
