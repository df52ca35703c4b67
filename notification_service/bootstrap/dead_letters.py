"""The use cases of dead letters, on their adapters."""

from chassis.audit import Audit
from chassis.clock import Clock
from chassis.handlers import wrap
from chassis.messaging.port import Bus
from notification_service.application.app import DeadLetterCases
from notification_service.application.commands.discard_dead_letter import DiscardDeadLetterHandler
from notification_service.application.commands.keep_dead_letter import KeepDeadLetterHandler
from notification_service.application.commands.redrive_dead_letters import (
    RedriveDeadLettersHandler,
)
from notification_service.application.queries.get_dead_letter import GetDeadLetterHandler
from notification_service.application.queries.list_dead_letters import ListDeadLettersHandler
from notification_service.bootstrap.stores import Store


def dead_letter_cases(
    store: Store, bus: Bus, clock: Clock, audit: Audit, *, rate: float
) -> DeadLetterCases:
    """Every use case, each observed; *rate* is how many a second are offered again."""
    letters = store.dead_letters
    redrive = RedriveDeadLettersHandler(letters, bus.redeliver, store.intake, audit, clock, rate)
    discard = DiscardDeadLetterHandler(letters, audit)
    return DeadLetterCases(
        keep=wrap(KeepDeadLetterHandler(letters, clock, audit).__call__, name="keep_dead_letter"),
        redrive=wrap(redrive.__call__, name="redrive_dead_letters"),
        discard=wrap(discard.__call__, name="discard_dead_letter"),
        list=wrap(ListDeadLettersHandler(letters).__call__, name="list_dead_letters"),
        get=wrap(GetDeadLetterHandler(letters).__call__, name="get_dead_letter"),
    )
