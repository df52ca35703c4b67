"""What tasks do that take events or messages: the part of their frames that tells how far they are."""

from __future__ import annotations

from datetime import datetime

import msgspec

from workflow_service.domain.events import Progress
from workflow_service.domain.execution.effects import AsyncApiTarget
from workflow_service.domain.expressions import JsonValue


class Listening(msgspec.Struct, frozen=True, tag="listening", omit_defaults=True):
    """Takes events, and does something with one after the other."""

    number: int
    """Counts the subscriptions of an execution: an event that an earlier one was to get names an old number."""
    progress: Progress
    queue: list[JsonValue] = []
    """What was taken and not done with, as the task reads it, oldest first."""
    outputs: list[JsonValue] = []
    """What came of each that was done with."""
    size: int = 0
    """Bytes of all these, as JSON."""
    iteration: int = -1
    """Of the event that something is done with; behind the last output there is one under way."""
    index: int = -1
    round: int = 0

    @property
    def occupied(self) -> bool:
        """Whether tasks run for an event."""
        return self.iteration == len(self.outputs)


class Subscribing(msgspec.Struct, frozen=True, tag="subscribing", omit_defaults=True):
    """Takes messages of a channel, and does something with one after the other."""

    target: AsyncApiTarget
    until: datetime | None = None
    """When no more messages are waited for; None: they are for as long as it takes."""
    receipts: int = 0
    """How often messages have come."""
    queue: list[JsonValue] = []
    """What has come and is not done with, oldest first."""
    outputs: list[JsonValue] = []
    """What came of each that was done with."""
    size: int = 0
    """Bytes of all these, as JSON."""
    closed: bool = False
    """Whether nothing more is waited for."""
    iteration: int = -1
    """Of the message that something is done with; behind the last output there is one under way."""
    index: int = -1
    round: int = 0

    @property
    def occupied(self) -> bool:
        """Whether tasks run for a message."""
        return self.iteration == len(self.outputs)
