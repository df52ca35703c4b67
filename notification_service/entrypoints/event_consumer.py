"""The bus tells what happened; the application decides what it means here."""

from collections.abc import Awaitable, Callable

from chassis.messaging.port import Bus, CloudEvent
from notification_service.application.app import Commands
from notification_service.entrypoints import messages

AT_ONCE = 100
"""How many ended executions are taken in at the same time."""


def subscribe(bus: Bus, commands: Commands) -> None:
    """Have *bus* bring what this service wants to hear.

    What cannot be understood raises `EventMalformed`, a `Malformed`: the bus puts it aside and
    goes on with the next.
    """

    async def registered(event: CloudEvent) -> None:
        await commands.welcome_user(messages.welcome_user(event))

    async def updated(event: CloudEvent) -> None:
        await commands.update_contact(messages.update_contact(event))

    async def ended(event: CloudEvent) -> None:
        await commands.notify_execution_ended(messages.notify_execution_ended(event))

    handlers: dict[str, Callable[[CloudEvent], Awaitable[None]]] = {
        messages.USER_REGISTERED: registered,
        messages.USER_UPDATED: updated,
    }

    async def handle(event: CloudEvent) -> None:
        await handlers[event.type](event)

    # One subscription, so that what happens to a user stays in its order.
    bus.subscribe(messages.CONSUMER, tuple(handlers), handle)
    # Executions end independently of each other and of users; together they share commits.
    bus.subscribe(messages.ENDINGS, (messages.EXECUTION_ENDED,), ended, at_once=AT_ONCE)
