"""Events that others publish on the bus, into the intake."""

from __future__ import annotations

from typing import Final

from chassis.clock import Clock
from chassis.errors import Invalid
from chassis.messaging.port import Bus, CloudEvent
from workflow_service.application.commands.publish_events import LARGEST
from workflow_service.application.ports import InboundEvents
from workflow_service.application.projections.announcements import OWN_TYPES
from workflow_service.application.projections.inbound import from_bus

CONSUMER: Final = "workflow-intake"
IDENTITY: Final = "workflow-intake-identity"
IDENTITY_TYPES: Final = tuple(
    f"io.autoworker.auth.{fact}.v1"
    for fact in (
        "api-key-created",
        "api-key-rotated",
        "email-changed",
        "login-suspicious",
        "password-changed",
        "session-revoked",
        "user-activated",
        "user-deactivated",
        "user-deleted",
    )
)
"""What workflows may listen to of identity: facts with ids, without addresses of mail or names."""
DEFAULT_TENANT: Final = "default"
AT_ONCE: Final = 100
SENDER: Final = "bus"


def subscribe(bus: Bus, inbound: InboundEvents, clock: Clock) -> None:
    """Let listeners hear what others publish on *bus*.

    Whoever has a key of the bus is trusted to name the tenant (extension ``tenant``; without it, the default one). What
    our own services publish is in the intake already, or for nobody's listeners; but for what identity tells of
    accounts (`IDENTITY_TYPES`), which nobody else can publish under these types.
    """

    async def handle(event: CloudEvent) -> None:
        if len(event.data) > LARGEST:
            raise Invalid(f"the data of an event must not be larger than {LARGEST} bytes")
        if not event.type.startswith(OWN_TYPES):
            await keep(event)

    async def keep(event: CloudEvent) -> None:
        tenant = event.extensions.get("tenant", DEFAULT_TENANT)
        kept = from_bus(event, tenant, event.extensions.get("sender", SENDER))
        # What came from here and comes back is known by its source and id.
        _ = await inbound.add([kept], clock.now(), announce=False)

    bus.subscribe(CONSUMER, ("*",), handle, at_once=AT_ONCE, outside=True)
    bus.subscribe(IDENTITY, IDENTITY_TYPES, keep, at_once=AT_ONCE)


async def leave(bus: Bus) -> None:
    """Hear nothing more; what was begun is done when this returns."""
    await bus.leave(CONSUMER)
    await bus.leave(IDENTITY)
