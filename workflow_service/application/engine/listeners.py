"""Executions that listen: how many there may be, and who brings them their events."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.lifecycle import Supervisor
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.hear_events import READER, Deliver, HearEvents
from workflow_service.application.engine.lanes import Lanes
from workflow_service.application.engine.make_decision import MakeDecision
from workflow_service.application.engine.quota import PerTenant
from workflow_service.application.event_ports import EventPorts
from workflow_service.application.ports import Commit, Definitions
from workflow_service.application.reached import reached


class Listeners:
    """Serves the listeners of one engine.

    Args:
        events: the intake, and who waits for what.
        clock: says how old counts are.
        most: how many subscriptions a tenant may have.
        definitions: have the filters.
        compiled: the same, ready to use.
        patience: evaluates costly expressions of filters.
    """

    def __init__(
        self,
        events: EventPorts,
        clock: Clock,
        most: int,
        definitions: Definitions,
        compiled: CompiledDefinitions,
        patience: MakeDecision,
    ) -> None:
        self._events = events
        self._counts = PerTenant(events.subscriptions.count, clock, most)
        self._definitions = definitions
        self._compiled = compiled
        self._patience = patience

    async def run(self, deliver: Deliver, supervisor: Supervisor) -> None:
        """Bring events to listeners, through *deliver*, for ever."""
        hear = HearEvents(
            self._events.subscriptions, self._definitions, self._compiled, self._patience, deliver
        )
        await Lanes(self._events.intake, READER, hear, supervisor).run()

    async def admit(self, commit: Commit) -> bool:
        """Whether the tenant may have the subscriptions that *commit* adds; counts what it changes.

        Raises:
            Unavailable: the store cannot count them now.
        """
        change, tenant = commit.subscriptions, commit.summary.tenant
        added, removed = len(change.added), len(change.removed)
        if removed:
            self._counts.give_back(tenant, removed)
        if added and not await self._counts.take(tenant, added):
            reached("subscriptions")
            return False
        return True
