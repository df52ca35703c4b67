"""Start an order from Python, watch it, and read what became of it.

AUTOWORKER_EMAIL=… AUTOWORKER_PASSWORD=… python examples/start_order.py [URL [SHOP]]
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from autoworker import Client

HERE = Path(__file__).parent
URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
SHOP = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8090"


async def main() -> None:
    order = json.loads((HERE / "order.input.json").read_text())
    email, password = os.environ["AUTOWORKER_EMAIL"], os.environ["AUTOWORKER_PASSWORD"]
    async with Client(URL, email=email, password=password) as client:
        definition = await client.publish((HERE / "order.yaml").read_text())
        # The key makes it safe to send this again: the order is started once.
        execution = await client.start(
            definition.reference, {**order, "shop": SHOP}, idempotency_key="order-4711"
        )
        async for event in client.events(execution.id):
            print(f"{event.time:%H:%M:%S}  {event.type.split('.')[-2]:<16} {event.task}")
        ended = await client.get(execution.id)
        print(ended.status, ended.output if ended.error is None else ended.error)


if __name__ == "__main__":
    asyncio.run(main())
