"""What a decision is handed of the world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from workflow_service.domain.execution.lending import NOTHING_LENT, Lent
from workflow_service.domain.execution.limits import Limits


@dataclass(frozen=True, slots=True)
class Environment:
    """What a decision may know of the world: all of it handed in, so that decisions are pure."""

    now: datetime
    random: Random
    limits: Limits
    may_block: bool = False
    """Whether expressions may take their time; if not, ``NeedsWorker`` says where they would."""
    lent: Lent = NOTHING_LENT
    """The secrets that expressions may read, as markers."""
    may_listen: bool = True
    """Whether the tenant may have another subscription."""
