"""The wrapper around every runner: values go into the call at the last moment, and do not come back."""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec.structs import replace

from chassis.audit import Audit
from chassis.errors import Unavailable
from chassis.telemetry.logging import hiding
from workflow_service.adapters.secrecy.revealing import revealed
from workflow_service.adapters.secrecy.veil import Veil
from workflow_service.application.ports import Runner
from workflow_service.application.vault.errors import KeyUnusable, SecretUnusable
from workflow_service.application.vault.lender import Lender, Loan
from workflow_service.domain.execution.effects import Effect, Failed, Outcome, Succeeded
from workflow_service.domain.execution.problem import authorization
from workflow_service.domain.execution.workflow_calls import WorkflowCall
from workflow_service.domain.expressions.measuring import size_of

_QUICK: Final = 64 * 1024
"""Bytes of an output that can be looked through on the event loop."""
_PAUSE: Final = 1.0
"""Seconds until the store is asked again."""


class RunnerBroken(Exception):
    """A runner failed in a way that it does not know; told without its words, which could hold a secret."""


class SecretRunner:
    """The ``Runner`` port: performs calls of executions that may use secrets; all others pass through."""

    def __init__(self, rest: Runner, lender: Lender, audit: Audit) -> None:
        self._rest = rest
        self._lender = lender
        self._audit = audit

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        # What goes to another execution would be in its history: there a marker is a text.
        if not effect.secrets or isinstance(effect.call, WorkflowCall):
            return await self._rest.perform(execution, effect)
        try:
            loan = await self._loan(execution, effect)
            call = revealed(effect.call, loan)
        except SecretUnusable as refused:
            return Failed(authorization(refused.message))
        except KeyUnusable as refused:
            return Failed(authorization(refused.message))
        if call != effect.call:
            self._audit.record(
                "secrets_used",
                tenant=effect.tenant,
                actor=effect.owner,
                target=execution,
                effect=effect.key,
                names=" ".join(effect.secrets),
            )
        veil = Veil(
            value for value in loan.values.values() if not isinstance(value, SecretUnusable)
        )
        with hiding(veil.over_text):
            outcome = await self._performed(execution, replace(effect, call=call))
        if isinstance(outcome, Succeeded) and size_of(outcome.output, _QUICK) > _QUICK:
            return await asyncio.to_thread(veil.over, outcome)
        return veil.over(outcome)

    async def _performed(self, execution: str, effect: Effect) -> Outcome:
        try:
            return await self._rest.perform(execution, effect)
        except Exception as exc:  # noqa: BLE001 - whatever it says, it may say it with a secret
            raise RunnerBroken(f"{type(exc).__name__} in a call with secrets") from None

    async def _loan(self, execution: str, effect: Effect) -> Loan:
        """Wait for the store as long as it takes: what it does not say now is no fault of the workflow."""
        while True:
            try:
                return await self._lender.loan(
                    effect.tenant, effect.owner, execution, effect.secrets
                )
            except KeyUnusable:
                raise
            except Unavailable:
                await asyncio.sleep(_PAUSE)
