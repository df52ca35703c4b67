"""A worker: a process of your own that serves functions to workflows.

Start the suite (`make run`), then this, as the administrator so that everybody's workflows may call it:

    AUTOWORKER_EMAIL=admin@localhost AUTOWORKER_PASSWORD=… .venv/bin/python examples/worker.py

Now a workflow can say

    - shrink: {call: "resize:1.0.0", with: {width: 640, height: 480}}
"""

import asyncio
import logging
import os
from typing import Any

from autoworker.functions import Context, FunctionFailed
from autoworker.model import JsonValue
from autoworker.worker import Worker

SIZE: JsonValue = {
    "type": "object",
    "required": ["width", "height"],
    "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}},
}
worker = Worker(
    os.environ.get("AUTOWORKER_URL", "http://127.0.0.1:8080"),
    email=os.environ["AUTOWORKER_EMAIL"],
    password=os.environ["AUTOWORKER_PASSWORD"],
    concurrency=4,
)


@worker.function("resize", version="1.0.0", input=SIZE, output=SIZE)
async def resize(arguments: dict[str, int], context: Context) -> dict[str, int]:
    """Halve a size. Called at least once: whatever must happen once needs context.idempotency_key."""
    context.logger.info("halving %s", arguments)
    if min(arguments["width"], arguments["height"]) < 2:
        raise FunctionFailed("Too small", "a side would vanish", status=422)
    return {"width": arguments["width"] // 2, "height": arguments["height"] // 2}


@worker.function("checksum", version="1.0.0")
def checksum(arguments: Any, _context: Context) -> int:
    """Work that blocks need not be async: it runs in a thread."""
    return sum(str(arguments).encode()) % 256


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(worker.run())
