"""Effects of the core, each given to the runner of its kind."""

from __future__ import annotations

import base64

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
from workflow_service.domain.execution.problem import ERRORS, Problem


class EffectRunner:
    """The ``Runner`` port."""

    def __init__(self, http: HttpRunner) -> None:
        self._http = http

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        if not isinstance(effect.call, effects.HttpCall):
            raise TypeError(f"{type(effect.call).__name__} is not performed here")
        match await self._http.run(_http_call(effect.key, effect.call)):
            case HttpSucceeded(output):
                return Succeeded(output)
            case HttpFailed() as failure:
                problem = Problem(
                    ERRORS + failure.type, failure.status, failure.title, failure.detail
                )
                return Failed(problem)


def _http_call(key: str, call: effects.HttpCall) -> HttpCall:
    return HttpCall(
        method=call.method,
        url=call.uri,
        idempotency_key=key,
        headers=call.headers,
        query=call.query,
        body=ABSENT if call.body is UNSET else call.body,
        output=call.output,
        redirect=call.redirect,
        authorization=None if call.credentials is None else _authorization(call.credentials),
    )


def _authorization(credentials: effects.Credentials) -> str:
    match credentials:
        case effects.BasicCredentials(username, password):
            pair = f"{username}:{password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        case effects.BearerCredentials(token):
            return f"Bearer {token}"
