"""What can go wrong in identity.

ServiceError
├── Invalid
│   └── InputInvalid           every field problem at once, weak passwords included
├── Conflict
│   └── EmailTaken
├── NotFound
│   └── UserNotFound
├── Unauthenticated
│   ├── WrongCredentials       unknown user and wrong password alike
│   ├── AccessTokenRefused
│   ├── RefreshTokenRefused    unknown, expired, spent, or its session is over
│   └── SessionOver
└── RateLimited
    └── TooManyGuesses
"""

from collections.abc import Sequence

from chassis.errors import (
    Conflict,
    FieldProblem,
    Invalid,
    NotFound,
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


class UserNotFound(NotFound):
    """There is no such user in the caller's tenant."""

    def __init__(self) -> None:
        super().__init__("User not found")


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
