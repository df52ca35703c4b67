"""Facts as answers carry them: encoded, so that their size is known."""

from __future__ import annotations

from datetime import datetime

import msgspec

from workflow_service.application.ports import Recorded
from workflow_service.application.projections.history import About, history_item
from workflow_service.domain.secret_markers import masked_json

_encode = msgspec.json.Encoder().encode


class ShownEvent(msgspec.Struct, frozen=True):
    """One fact of a history."""

    sequence: int
    type: str
    time: datetime
    data: bytes
    """A JSON object."""


def shown(about: About, recorded: Recorded) -> ShownEvent:
    """Return *recorded* for the public."""
    item = history_item(about, recorded)
    return ShownEvent(item.sequence, item.type, item.time, masked_json(_encode(item.data)))
