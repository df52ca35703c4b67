"""Events that come from elsewhere: which of them are wanted, by whom, and when there are enough of them.

Pure. ``listen`` tasks and ``schedule.on`` are built on it.

Source: Open Workflow Specification, DSL reference, "Event Consumption Strategy", "Event Filter", "Correlation".
"""

from workflow_service.domain.events.cloud_event import ReadAs, ReceivedEvent
from workflow_service.domain.events.consuming import Consumed, Progress, begin, consume, waiting
from workflow_service.domain.events.model import (
    ConsumptionStrategy,
    Correlation,
    EventFilter,
    FilterPlace,
)

__all__ = [
    "Consumed",
    "ConsumptionStrategy",
    "Correlation",
    "EventFilter",
    "FilterPlace",
    "Progress",
    "ReadAs",
    "ReceivedEvent",
    "begin",
    "consume",
    "waiting",
]
