"""Whoever publishes what another service must not miss declares its queue so that nothing is missing there."""

from collections.abc import Sequence
from typing import Any, cast

from auth_service.entrypoints.event_relay import event_relay
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import Handler, matches
from notification_service.entrypoints import event_consumer
from workflow_service.entrypoints.event_relay import expect_listeners


class Declarations(MemoryBus):
    """A bus that only notes what is declared: by name the types, and whether the order is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[str, tuple[str, ...]] = {}
        self.ordered: dict[str, bool] = {}

    def expect(self, name: str, types: Sequence[str], *, at_once: int = 1) -> None:
        self.types[name] = tuple(types)
        self.ordered[name] = at_once == 1

    def subscribe(
        self,
        name: str,
        types: Sequence[str],
        handler: Handler,
        *,
        at_once: int = 1,
        outside: bool = False,
    ) -> None:
        self.expect(name, types, at_once=at_once)


def test_publishers_declare_the_queues_of_the_notification_service() -> None:
    publishers, consumer = Declarations(), Declarations()
    event_relay(cast(Any, None), publishers)
    expect_listeners(publishers)
    event_consumer.subscribe(consumer, cast(Any, _Application()))

    # Another order would be another queue, which the broker refuses.
    assert publishers.ordered == consumer.ordered
    for name, types in consumer.types.items():
        missing = [
            each
            for each in types
            if not any(matches(pattern, each) for pattern in publishers.types[name])
        ]
        assert missing == []


class _Application:
    """Nothing of it is called."""

    commands = None
    dead_letters = None
