"""What the driver raises, all of it."""

import asyncio
from typing import Final

from aiormq import exceptions as amqp

DRIVER_ERRORS: Final = (amqp.AMQPError, amqp.ChannelInvalidStateError, OSError)
"""A closed channel is no AMQPError to the driver, but a RuntimeError."""


def cancelled_by_driver() -> bool:
    """Whether a CancelledError that was just caught is not for the present task.

    The driver cancels its futures when a connection ends; whoever waits for one sees a cancellation
    that nobody asked for, and a task that takes it for its own would be gone without a word.
    """
    task = asyncio.current_task()
    return task is not None and not task.cancelling()
