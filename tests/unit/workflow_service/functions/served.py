"""Functions as an operator writes them, for the tests that load and call them."""

from __future__ import annotations

import asyncio
from typing import Any

from autoworker.functions import Context, FunctionFailed, function

begun = asyncio.Event()
stopped = asyncio.Event()


@function("double", version="1.0.0", input={"type": "integer"}, output={"type": "integer"})
async def double(arguments: Any, _context: Context) -> Any:
    """Answer with twice as much; a negative number comes out as a text."""
    return arguments * 2 if arguments >= 0 else "negative"


@function("double", version="2.0.0")
def newer(arguments: Any, context: Context) -> Any:
    """Not async; tells what it was told."""
    return [arguments, context.execution, context.task, context.idempotency_key, context.tenant]


@function("refuse")
async def refuse(_arguments: Any, _context: Context) -> None:
    """Fail as the author means it."""
    raise FunctionFailed("Try later", "the moon is full", retryable=True)


@function("break")
async def break_(_arguments: Any, _context: Context) -> None:
    """Fail as nobody means it."""
    raise RuntimeError("a secret of the implementation")


@function("strange")
async def strange(_arguments: Any, _context: Context) -> Any:
    """Return what JSON cannot say."""
    return {1, object()}


@function("hang")
async def hang(_arguments: Any, _context: Context) -> None:
    """Wait for ever."""
    begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        stopped.set()


@function("two words")
async def unnameable(_arguments: Any, _context: Context) -> None:
    """Nobody could call it."""


@function("unschematic", input={"type": "no such type"})
async def unschematic(_arguments: Any, _context: Context) -> None:
    """Its schema is none."""


def plain(_arguments: Any, _context: Context) -> None:
    """It is not declared."""


every = [double, newer, refuse, break_, strange, hang]
