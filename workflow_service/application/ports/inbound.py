"""Events that come from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class InboundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvent that somebody sent to the suite."""

    tenant: str
    sender: str
    id: str
    source: str
    type: str
    time: datetime | None = None
    subject: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: bytes = b""
    extensions: dict[str, str] = {}


class InboundEvents(Protocol):
    """Events from outside, kept before they are acknowledged, and published through the same log."""

    async def add(
        self, events: Sequence[InboundEvent], at: datetime, *, announce: bool = True
    ) -> int:
        """Keep those not seen before (by tenant, source and id), durably, and put them into the intake.

        Returns how many that were. With *announce* they are published as well; not so what came from the bus itself.
        """
        ...
