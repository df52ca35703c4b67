"""`call: http` as the core asks for it, and as the HTTP runner performs it."""

from __future__ import annotations

from msgspec import UNSET

from workflow_service.adapters.task_runners.http import (
    ABSENT,
    HttpCall,
    HttpFailed,
    HttpRunner,
    HttpSucceeded,
)
from workflow_service.domain.execution import effects
from workflow_service.domain.execution.effects import Effect, Failed, Outcome, Succeeded


class HttpEffects:
    """The ``Runner`` port for HTTP calls."""

    def __init__(self, http: HttpRunner) -> None:
        self._http = http

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        if not isinstance(effect.call, effects.HttpCall):
            raise TypeError(f"{type(effect.call).__name__} is not performed here")
        match await self._http.run(_http_call(effect, effect.call)):
            case HttpSucceeded(output):
                return Succeeded(output)
            case HttpFailed() as failure:
                return Failed(failure.problem)


def _http_call(effect: Effect, call: effects.HttpCall) -> HttpCall:
    return HttpCall(
        method=call.method,
        url=call.uri,
        idempotency_key=effect.key,
        headers=call.headers,
        query=call.query,
        body=ABSENT if call.body is UNSET else call.body,
        output=call.output,
        redirect=call.redirect,
        credentials=call.credentials,
        tenant=effect.tenant,
    )
