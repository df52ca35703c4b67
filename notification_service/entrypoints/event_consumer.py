"""The bus tells what happened; the application decides what it means here."""

from collections.abc import Awaitable, Callable, Sequence

from chassis.messaging.port import DEAD_LETTERS, Bus, CloudEvent, DeadLetter
from notification_service.application.app import Application
from notification_service.application.commands.keep_dead_letter import KeepDeadLetter
from notification_service.entrypoints import messages

AT_ONCE = 100
"""How many ended executions are taken in at the same time."""


def subscribe(bus: Bus, app: Application) -> None:
    """Have *bus* bring what this service wants to hear.

    What cannot be understood raises `EventMalformed`, a `Malformed`: the bus puts it aside and
    goes on with the next.
    """

    commands = app.commands

    async def registered(event: CloudEvent) -> None:
        await commands.welcome_user(messages.welcome_user(event))

    async def updated(event: CloudEvent) -> None:
        await commands.update_contact(messages.update_contact(event))

    async def happened(event: CloudEvent) -> None:
        command = messages.notify_account_fact(event)
        if command is not None:
            await commands.notify_account_fact(command)

    async def deleted(event: CloudEvent) -> None:
        await commands.erase_user(messages.erase_user(event))

    handlers: dict[str, Callable[[CloudEvent], Awaitable[None]]] = {
        messages.USER_REGISTERED: registered,
        messages.USER_UPDATED: updated,
        messages.USER_DELETED: deleted,
        **dict.fromkeys(messages.ACCOUNT_FACTS, happened),
    }

    async def handle(event: CloudEvent) -> None:
        await handlers[event.type](event)

    async def given_up(letter: DeadLetter) -> None:
        await app.dead_letters.keep(KeepDeadLetter(letter))

    # First, so that nothing is given up before somebody keeps it.
    bus.keep_dead_letters(given_up)
    # One subscription, so that what happens to a user stays in its order.
    bus.subscribe(messages.CONSUMER, tuple(handlers), handle)
    # Executions end independently of each other and of users; together they share commits.
    bus.subscribe(messages.ENDINGS, (messages.EXECUTION_ENDED,), _Endings(app), at_once=AT_ONCE)


class _Endings:
    """Takes in that executions have ended: a `TogetherHandler`."""

    def __init__(self, app: Application) -> None:
        self._commands = app.commands

    async def __call__(self, event: CloudEvent) -> None:
        await self.together((event,))

    async def together(self, events: Sequence[CloudEvent]) -> None:
        endings = [messages.notify_execution_ended(event) for event in events]
        await self._commands.notify_executions_ended(endings)


async def leave(bus: Bus) -> None:
    """Hear nothing more; what was begun is done when this returns."""
    await bus.leave(messages.CONSUMER, messages.ENDINGS, DEAD_LETTERS)
