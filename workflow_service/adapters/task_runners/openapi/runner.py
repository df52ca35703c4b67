"""Performs ``call: openapi``.

Source: Open Workflow Specification, DSL reference, "OpenAPI Call".
"""

from __future__ import annotations

from workflow_service.adapters.task_runners.http import HttpCall, HttpFailed, HttpRunner
from workflow_service.adapters.task_runners.openapi.documents import Documents
from workflow_service.adapters.task_runners.openapi.finding import find_operation
from workflow_service.adapters.task_runners.openapi.references import References
from workflow_service.adapters.task_runners.openapi.requests import request_for
from workflow_service.adapters.task_runners.outcomes import outcome_of
from workflow_service.domain.execution.effects import Effect, OpenapiCall, Outcome
from workflow_service.domain.execution.problem import Raised
from workflow_service.domain.expressions import JsonValue


class OpenapiRunner:
    """The ``Runner`` port for operations of described services."""

    def __init__(self, documents: Documents, http: HttpRunner) -> None:
        self._documents = documents
        self._http = http

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        call = effect.call
        if not isinstance(call, OpenapiCall):
            raise TypeError(f"{type(call).__name__} is not performed here")
        return await outcome_of(self._answer(effect, call))

    async def _answer(self, effect: Effect, call: OpenapiCall) -> JsonValue:
        document = await self._documents.get(call.document, effect.tenant)
        references = References(self._documents, call.document, effect.tenant)
        operation = await find_operation(document, call.operation, references)
        request = request_for(operation, call.parameters, effect.key)
        outcome = await self._http.run(
            HttpCall(
                method=request.method,
                url=request.url,
                idempotency_key=effect.key,
                headers=request.headers,
                content=request.body,
                output=call.output,
                redirect=call.redirect,
                credentials=call.credentials,
                tenant=effect.tenant,
            )
        )
        if isinstance(outcome, HttpFailed):
            raise Raised(outcome.problem)
        return outcome.output
