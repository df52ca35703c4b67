"""Work that outlives whoever asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from workflow_service.application.ports import Summary

_log = get_logger("workflow_service.engine")


async def whatever_the_caller_does(
    supervisor: Supervisor, name: str, work: Callable[..., Coroutine[Any, Any, Summary]]
) -> Summary:
    """Run *work* to its end even if the caller leaves: what is being committed must not be cut in two.

    The caller gets what *work* says first: a long list goes on for as long as it takes after that.
    """
    answer: asyncio.Future[Summary] = asyncio.get_running_loop().create_future()

    def tell(summary: Summary) -> None:
        if not answer.done():
            answer.set_result(summary)

    async def run() -> None:
        try:
            tell(await work(tell=tell))
        except asyncio.CancelledError:
            answer.cancel()
            raise
        except Exception as failure:  # noqa: BLE001 - handed to the caller, who is still there
            if not answer.done():
                answer.set_exception(failure)
            elif not isinstance(failure, Unavailable):  # which is settled already
                _log.exception("advance_failed")

    _ = supervisor.spawn(name, run())
    return await answer
