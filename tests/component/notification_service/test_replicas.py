"""Two processes on one MongoDB: what comes to one is seen at the other, and every mail is sent once."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from chassis.storage import mongo_presence
from tests.component.notification_service.mail_server import Mailbox, mail_server
from tests.component.notification_service.world import World, holds, world
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.time import eventually


def on_mongodb(
    folder: Path, store: Path, smtp: str
) -> contextlib.AbstractAsyncContextManager[World]:
    """A process of its own data directory, on the store of another folder."""
    return world(folder, smtp=smtp, AUTOWORKER_STORE_URL=database_url(mongo_url(), store))


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mail_server("451 later", "451 later") as box:
        yield box


@pytest.fixture
async def pair(tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[tuple[World, World]]:
    smtp = f"smtp://127.0.0.1:{mailbox.port}"
    async with (
        on_mongodb(tmp_path / "one", tmp_path, smtp) as one,
        on_mongodb(tmp_path / "other", tmp_path, smtp) as other,
    ):
        yield one, other


async def test_every_mail_is_sent_once_by_whichever_has_it(
    pair: tuple[World, World], mailbox: Mailbox
) -> None:
    one, other = pair
    users = [f"u{number}" for number in range(10)]
    for number, user in enumerate(users):
        await pair[number % 2].registered(user, id_=f"e-{user}")
        # The same event at both, as when an acknowledgement was lost.
        await pair[1 - number % 2].registered(user, id_=f"e-{user}")

    for user in users:
        await eventually(holds(partial(_delivered, other, user), True))
        assert len(await one.user(user).inbox()) == 1

    assert sorted(mailbox.recipients) == sorted(f"{user}@example.org" for user in users)
    assert mailbox.refused == 2


async def test_who_watches_at_one_sees_what_comes_to_the_other(pair: tuple[World, World]) -> None:
    one, other = pair
    stream = one.user("alice").watch(after=0)
    try:
        await other.ended("alice")
        async with asyncio.timeout(30):
            first = await anext(stream)
            await other.ended("alice")
            second = await anext(stream)
    finally:
        await stream.aclose()  # type: ignore[attr-defined]

    assert [first.notification.position, second.notification.position] == [1, 2]
    await other.user("alice").read(first.notification.id)
    [unread] = await one.user("alice").inbox(unread_only=True)
    assert unread.id == second.notification.id


async def test_a_mail_that_a_killed_process_was_sending_is_sent_by_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = asyncio.Event()

    async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy.set()
        await reader.read()
        writer.close()

    store = database_url(mongo_url(), tmp_path)
    async with await asyncio.start_server(never_answers, "127.0.0.1", 0) as slow:
        port = slow.sockets[0].getsockname()[1]
        victim = "tests.component.notification_service.victim"
        smtp = f"smtp://127.0.0.1:{port}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", victim, str(tmp_path / "victim"), smtp, store
        )
        async with asyncio.timeout(30):
            await busy.wait()
        process.kill()
        await process.wait()

    monkeypatch.setattr(mongo_presence, "EVERY", 0.05)
    async with (
        mail_server() as mailbox,
        on_mongodb(tmp_path / "heir", tmp_path, f"smtp://127.0.0.1:{mailbox.port}") as heir,
    ):
        await eventually(lambda: len(mailbox.mails) == 1)
        [told] = await heir.user("alice").inbox()

    assert mailbox.mails[0]["Message-ID"] == f"<{told.id}@autoworker.example>"


async def _delivered(w: World, user: str) -> bool:
    return (await w.user(user).mails())[-1:] == ["delivered"]
