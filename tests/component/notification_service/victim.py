"""A service in a process of its own, with a mail to send and nowhere to send it: to be killed."""

import asyncio
import sys
from pathlib import Path

from tests.component.notification_service.world import world


async def main(folder: Path, smtp: str = "smtp://127.0.0.1:1", store: str = "sqlite://") -> None:
    """Queue one mail, say so, and wait for the end."""
    async with world(folder, smtp=smtp, AUTOWORKER_STORE_URL=store) as w:
        await w.registered("alice", id_="the-one")
        sys.stdout.write("queued\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
