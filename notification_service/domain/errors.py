"""Everything that a caller of this service may have got wrong.

ServiceError (chassis)
├── NotFound
│   ├── DeadLetterNotFound
│   └── NotificationNotFound
├── Invalid
│   ├── CursorInvalid
│   ├── MailInvalid
│   └── LimitOutOfRange
└── Malformed
    └── EventMalformed
"""

from chassis.errors import FieldProblem, Invalid, Malformed, NotFound


class NotificationNotFound(NotFound):
    """The caller has no notification of this id; somebody else might."""

    def __init__(self, notification_id: str) -> None:
        super().__init__("There is no such notification.")
        self.notification_id = notification_id


class DeadLetterNotFound(NotFound):
    """The tenant has no dead letter of this id."""

    def __init__(self, letter_id: str) -> None:
        super().__init__("There is no such dead letter.")
        self.letter_id = letter_id


class CursorInvalid(Invalid):
    """The cursor was not made by the list it is used on."""

    def __init__(self) -> None:
        super().__init__(
            "The cursor is not one of this list.",
            details=(FieldProblem("cursor", "Take it from next_cursor of the page before."),),
        )


class LimitOutOfRange(Invalid):
    """A page was asked for that is empty or too long."""

    def __init__(self, limit: int, largest: int) -> None:
        super().__init__(
            f"A page has 1 to {largest} items, not {limit}.",
            details=(FieldProblem("limit", f"Must be between 1 and {largest}."),),
        )
        self.limit = limit


class MailInvalid(Invalid):
    """A mail cannot be written or addressed as it was asked for."""

    def __init__(self, problem: FieldProblem) -> None:
        super().__init__("The mail cannot be written.", details=(problem,))


class EventMalformed(Malformed):
    """An event does not say what its type promises; reading it again will not help."""
