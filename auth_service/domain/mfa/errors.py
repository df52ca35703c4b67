"""What can go wrong with second factors.

ServiceError
├── Invalid
│   ├── CodeInvalid            of a factor that is to be confirmed
│   └── MethodNotAvailable
├── Conflict
│   ├── EmailNotVerified
│   ├── NoFactor
│   ├── NothingToConfirm
│   └── SmsNotConfigured
├── NotFound
│   ├── DeviceNotFound
│   └── FactorNotFound
├── MfaRequired
│   ├── SecondFactorNeeded     the password was right, and is not enough
│   └── StepUpRequired         the proof of who it is is too old, or too weak
├── Unauthenticated
│   ├── CodeRefused            wrong, or used before
│   └── MfaTokenRefused        unknown, expired, or its login was completed
└── RateLimited
    ├── ChallengeBurnt
    ├── TooManyCodes
    └── TooManyCodesSent
"""

from collections.abc import Sequence

from chassis.errors import (
    Conflict,
    FieldProblem,
    Invalid,
    MfaRequired,
    NotFound,
    RateLimited,
    Unauthenticated,
)


class SecondFactorNeeded(MfaRequired):
    """The password is right, but this account asks for more; `details` say how to go on.

    Args:
        token: stands for this login at /v1/auth/mfa, and for nothing else.
        methods: any of them will do.
        expires_in: seconds for which the token is good.
    """

    def __init__(self, token: str, methods: Sequence[str], expires_in: int) -> None:
        super().__init__(
            "This account needs a second factor",
            details=[
                FieldProblem("mfa_token", token),
                FieldProblem("methods", " ".join(methods)),
                FieldProblem("expires_in", str(expires_in)),
            ],
        )


class StepUpRequired(MfaRequired):
    """What is sensitive asks who it is once more; `details` say how that can be proved.

    Args:
        methods: any of them will do.
        max_age: seconds for which such a proof is good.
    """

    def __init__(self, methods: Sequence[str], max_age: int) -> None:
        super().__init__(
            "Prove again who you are, at /v1/auth/step-up, and then try again",
            details=[
                FieldProblem("methods", " ".join(methods)),
                FieldProblem("max_age", str(max_age)),
            ],
        )


class CodeRefused(Unauthenticated):
    """The code is wrong, too old, or was used before."""

    def __init__(self) -> None:
        super().__init__("The code is not right")


class MfaTokenRefused(Unauthenticated):
    """The login that waited for a second factor is over; it must begin anew."""

    def __init__(self) -> None:
        super().__init__("This login is over; begin it anew")


class ChallengeBurnt(RateLimited):
    """Too many codes were tried at one login; it must begin anew."""

    def __init__(self) -> None:
        super().__init__("Too many wrong codes; begin the login anew", retry_after=1)


class TooManyCodes(RateLimited):
    """Too many codes were tried for one user; see `retry_after`."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many wrong codes", retry_after=retry_after)


class TooManyCodesSent(RateLimited):
    """Too many codes were sent already; see `retry_after`."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many codes were sent", retry_after=retry_after)


class CodeInvalid(Invalid):
    """The code does not confirm the factor."""

    def __init__(self) -> None:
        super().__init__(
            "The code is not right", details=[FieldProblem("code", "Is wrong, or too old")]
        )


class MethodNotAvailable(Invalid):
    """The user has no such factor, or its codes are not sent."""

    def __init__(self) -> None:
        super().__init__(
            "This method is not available",
            details=[FieldProblem("method", "Is none of those that you can use here")],
        )


class NothingToConfirm(Conflict):
    """No factor of this kind waits for its first code, or not any more."""

    def __init__(self) -> None:
        super().__init__("There is nothing to confirm; begin anew")


class NoFactor(Conflict):
    """What was asked for makes sense only beside a second factor."""

    def __init__(self) -> None:
        super().__init__("Set up a second factor first")


class EmailNotVerified(Conflict):
    """Codes go only to addresses that are known to be their user's."""

    def __init__(self) -> None:
        super().__init__("Confirm your e-mail address first")


class SmsNotConfigured(Conflict):
    """The operator has set no way to send text messages."""

    def __init__(self) -> None:
        super().__init__("Text messages cannot be sent here")


class FactorNotFound(NotFound):
    """The user has no such factor."""

    def __init__(self) -> None:
        super().__init__("Factor not found")


class DeviceNotFound(NotFound):
    """The user has no such remembered device."""

    def __init__(self) -> None:
        super().__init__("Device not found")
