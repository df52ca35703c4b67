"""What processes on one store tell each other at once: that there is more to read, or to see."""

from __future__ import annotations

from typing import Final

from chassis.messaging.port import Bus
from workflow_service.adapters.bells import Bells, IntakeBell, LogBell
from workflow_service.adapters.progress import LocalProgress, SharedProgress

LOG: Final = "workflow.log"
INTAKE: Final = "workflow.intake"
PROGRESS: Final = "workflow.progress"


def shared_bells(bus: Bus) -> Bells:
    """Bells that ring in every process."""
    bells = Bells(
        LogBell(others=lambda: bus.nudge(LOG)), IntakeBell(others=lambda: bus.nudge(INTAKE))
    )
    bus.on_nudge(LOG, lambda _: bells.log.heard())
    bus.on_nudge(INTAKE, lambda _: bells.intake.heard())
    return bells


def shared_progress(bus: Bus) -> SharedProgress:
    """Progress that is seen in every process."""
    progress = SharedProgress(LocalProgress(), lambda told: bus.nudge(PROGRESS, told))
    bus.on_nudge(PROGRESS, progress.heard)
    return progress
