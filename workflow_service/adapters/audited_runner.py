"""The wrapper around every runner that tells of calls which were not let out."""

from __future__ import annotations

from typing import Final

from chassis.audit import Audit
from workflow_service.application.ports import Runner
from workflow_service.domain.execution.effects import Effect, Failed, Outcome
from workflow_service.domain.execution.problem import ERRORS

_AUTHORIZATION: Final = f"{ERRORS}authorization"


class AuditedRunner:
    """The ``Runner`` port: tells the audit trail of addresses that may not be called, and of secrets that may not be used."""

    def __init__(self, rest: Runner, audit: Audit) -> None:
        self._rest = rest
        self._audit = audit

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        outcome = await self._rest.perform(execution, effect)
        if isinstance(outcome, Failed) and outcome.problem.type == _AUTHORIZATION:
            self._audit.record(
                "effect_refused",
                tenant=effect.tenant,
                actor=effect.owner,
                target=execution,
                reason=outcome.problem.detail or "",
                effect=effect.key,
                kind=type(effect.call).__name__,
            )
        return outcome
