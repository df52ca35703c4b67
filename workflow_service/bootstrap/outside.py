"""What the service is given from outside."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from chassis.clock import Clock
from chassis.discovery.port import Registry
from chassis.ids import Ids
from chassis.messaging.port import Bus
from chassis.rpc.keys import KeySource
from workflow_service.application.ports import Runner

SERVICE: Final = "workflow"


@dataclass(frozen=True, slots=True)
class Outside:
    """What tests may replace."""

    registry: Registry
    bus: Bus
    clock: Clock
    ids: Ids
    keys: KeySource | None
    runner: Runner | None
    random: Random | None
    steady: Clock
    """By which executions live: it does not jump with the other one."""
