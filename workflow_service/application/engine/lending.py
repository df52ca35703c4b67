"""What the engine asks before it decides on an execution whose definition declares secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from workflow_service.application.engine.active import Known
from workflow_service.domain.execution.commands import Accept, Stimulus
from workflow_service.domain.execution.lending import NOTHING_LENT, Lent
from workflow_service.domain.execution.state import Open


class Lending(Protocol):
    """Gives markers of secrets."""

    async def __call__(self, tenant: str, owner: str, execution: str, names: Sequence[str]) -> Lent:
        """Return markers of those of *names* that executions of *owner* may use.

        Raises:
            Unavailable: the store cannot be read now.
        """
        ...


async def lend_nothing(tenant: str, owner: str, execution: str, names: Sequence[str]) -> Lent:
    """Lend nothing: there are no secrets here."""
    return NOTHING_LENT


async def lent_to(lending: Lending, known: Known, stimulus: Stimulus, execution: str) -> Lent:
    """Return what a decision on *stimulus* may see of secrets."""
    names = known.definition.secrets
    match known.state, stimulus:
        case (Open() as state, _) if names:
            return await lending(state.tenant, state.owner, execution, names)
        case (_, Accept() as accept) if names:
            return await lending(accept.tenant, accept.owner, execution, names)
        case _ if names and known.summary is not None:
            return await lending(known.summary.tenant, known.summary.owner, execution, names)
        case _:
            return NOTHING_LENT
