"""How the engine uses its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflow_service.application.engine.slots import Room


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the shell uses its process."""

    effects_at_once: int = 200
    """How many effects run at the same time; the others wait their turn: tenants in rounds, then by priority."""
    effects_per_tenant: int = 160
    effects_per_execution: int = 64
    effects_per_host: int = 32
    tenant_weights: Mapping[str, int] = field(default_factory=dict)
    """How much a tenant gets in each round, of effects and of advances; 1 if it is not named."""
    wakes_at_once: int = 200
    """How many executions whose timers are due are advanced at the same time."""
    advances_at_once: int = 8
    """How many executions that have more to do at once than fits one advance go on at the same time."""
    open_executions: int = 100_000
    """How many open executions a tenant may have."""
    subscriptions: int = 100_000
    """How many subscriptions to events a tenant's executions may have together."""
    reconcile_every: float = 30.0
    """Seconds between two rounds of proving that every open execution goes on; 0: never."""
    snapshot_every: int = 200
    """Events after which the state is stored beside them."""
    decision_threads: int = 4
    """How many decisions with costly expressions run at the same time, off the event loop."""
    conflicts: int = 50
    """How often a decision is made anew because the history moved on meanwhile."""


def room_of(settings: EngineSettings) -> Room:
    """Return how many effects may run at the same time, by whom they are for."""
    return Room(
        process=settings.effects_at_once,
        tenant=settings.effects_per_tenant,
        execution=settings.effects_per_execution,
        host=settings.effects_per_host,
        weights=settings.tenant_weights,
    )


DEFAULT_SETTINGS = EngineSettings()
