"""What the measured workflows call, served in the workflow service's process."""

import asyncio

from autoworker.functions import Context, function
from autoworker.model import JsonValue


@function("noop")
async def echo(arguments: JsonValue, context: Context) -> JsonValue:
    """Return what was given."""
    return arguments


@function("noop")
async def stuck(arguments: JsonValue, context: Context) -> JsonValue:
    """Never return."""
    never: asyncio.Future[JsonValue] = asyncio.get_running_loop().create_future()
    return await never
