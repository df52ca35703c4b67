"""API keys through the real suite: made, used by programs, counted, rotated, ended."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta

import pytest

from autoworker import (
    Client,
    InvalidRequest,
    NewApiKey,
    NotFound,
    Unauthenticated,
)
from autoworker.functions import Context
from autoworker.worker import Worker
from tests.support.gateway_client import PASSWORD, Person, eventually
from tests.support.suite import Suite, command_line, started, until

HELLO = """
document: {dsl: 1.0.3, namespace: keys, name: hello, version: 1.0.0}
do:
  - one: {set: {done: true}}
"""
READ = ["executions:read"]
RUN = ["executions:read", "executions:write", "workflows:read"]


async def test_a_key_is_made_listed_changed_and_ended(suite: Suite, ada: Person) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    made = await ada.create_api_key(
        "ci", READ, rate_limit=100, allowed_ips=["127.0.0.1"], expires_at=ends
    )

    assert made.key.startswith(made.prefix)
    assert made.key not in repr(made)
    assert (made.rate_limit, made.allowed_ips, made.expires_at) == (100, ["127.0.0.1/32"], ends)
    assert [key.id async for key in ada.api_keys()] == [made.id]

    changed = await ada.update_api_key(made.id, name="cd", rate_limit=None, expires_at=None)
    assert (changed.name, changed.rate_limit, changed.expires_at) == ("cd", None, None)
    assert changed.allowed_ips == ["127.0.0.1/32"]
    await ada.delete_api_key(made.id)
    with pytest.raises(NotFound):
        await ada.api_key(made.id)


async def test_owners_hear_of_new_keys_in_their_inbox(ada: Person) -> None:
    made = await ada.create_api_key("ci", READ)

    async def heard() -> bool:
        inbox = [note async for note in ada.notifications()]
        return any(
            note.type == "account.api-key-created" and made.id in note.body for note in inbox
        )

    await eventually(heard, "hearing of the key")


async def test_terms_that_make_no_sense_are_422(ada: Person) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await ada.create_api_key("ci", ["executions:*"], allowed_ips=["10.0.0.1/8"])
    fields = {detail.field for detail in refused.value.details}
    assert fields == {"permissions", "allowed_ips/0"}
    with pytest.raises(InvalidRequest):
        await ada.create_api_key("ci", READ, expires_at=datetime(2020, 1, 1, tzinfo=UTC))


async def test_a_program_works_with_a_key_and_its_uses_are_counted(
    suite: Suite, ada: Person
) -> None:
    await ada.publish(HELLO)
    made = await ada.create_api_key("ci", RUN)
    async with Client(suite.url, api_key=made.key) as program:
        done = await program.start("keys/hello", wait=20)
        again = [await program.get(done.id) for _ in range(4)]
    assert {each.status for each in again} == {"completed"}

    async def counted() -> bool:
        return (await ada.api_key(made.id)).uses == 5

    await eventually(counted, "counting five uses")
    assert (await ada.api_key(made.id)).last_used_at is not None
    assert not (await ada.get(done.id)).tags


async def test_what_a_test_key_starts_is_marked(suite: Suite, ada: Person) -> None:
    await ada.publish(HELLO)
    made = await ada.create_api_key("ci", RUN, environment="test")
    async with Client(suite.url, api_key=made.key) as program:
        marked = await program.start("keys/hello", tags={"team": "blue", "environment": "live"})

    assert made.key.startswith("sk_test_")
    assert (await ada.get(marked.id)).tags == {"team": "blue", "environment": "test"}
    found = [each.id async for each in ada.list(tag="environment=test")]
    assert found == [marked.id]


async def test_while_a_key_is_rotated_both_texts_are_good(suite: Suite, ada: Person) -> None:
    first = await ada.create_api_key("ci", READ)
    second = await ada.rotate_api_key(first.id)
    for text in (first.key, second.key):
        async with Client(suite.url, api_key=text) as program:
            assert [each async for each in program.list()] == []

    third = await ada.rotate_api_key(first.id, overlap=0)

    async def dead() -> bool:
        async with Client(suite.url, api_key=second.key) as program:
            try:
                return [each async for each in program.list()] != []
            except Unauthenticated:
                return True

    await eventually(dead, "ending the second text", 1.0)
    async with Client(suite.url, api_key=third.key) as program:
        assert [each async for each in program.list()] == []


async def test_a_worker_connects_with_a_key(suite: Suite, ada: Person) -> None:
    made = await ada.create_api_key("worker", ["workers:connect"])
    worker = Worker(suite.url, api_key=made.key)

    @worker.function("keyed", version="1.0.0")
    async def keyed(arguments: object, context: Context) -> str:
        return "served"

    serving = asyncio.ensure_future(worker.run(signals=False))
    await asyncio.wait_for(worker.connected.wait(), 20)
    await ada.publish(HELLO.replace("hello", "keyed").replace("set: {done: true}", "call: keyed"))
    ended = await ada.start("keys/keyed", wait=20)
    worker.stop()
    await serving

    assert ended.output == "served"


def test_the_command_line_makes_rotates_lists_and_revokes(suite: Suite) -> None:
    wanted = ["-p", "executions:read", "-p", "api-keys:read", "--days", "30", "--test"]
    made = command_line(suite.folder, "keys", "create", "cli", *wanted)
    key = made.stdout.strip()
    with_key = {"AUTOWORKER_API_KEY": key, "AUTOWORKER_URL": suite.url}
    listed = command_line(suite.folder, "keys", "list", settings=with_key)
    key_id = listed.stdout.split()[0]
    rotated = command_line(suite.folder, "keys", "rotate", key_id, "--overlap", "0")
    revoked = command_line(suite.folder, "keys", "revoke", key_id)
    too_late = command_line(
        suite.folder,
        "keys",
        "list",
        settings=with_key | {"AUTOWORKER_API_KEY": rotated.stdout.strip()},
    )

    assert key.startswith("sk_test_")
    assert key not in made.stderr + listed.stdout
    assert [each.returncode for each in (made, listed, rotated, revoked, too_late)] == [
        0, 0, 0, 0, 1,
    ]  # fmt: skip
    assert "not valid" in too_late.stderr


def test_a_drain_counts_every_use_and_a_crash_counts_none_twice(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, email = tmp_path_factory.mktemp("counted"), "ada@example.com"

    async def made(url: str) -> NewApiKey:
        async with Person(url, email) as ada:
            await ada.register(email, PASSWORD, "Ada")
            return await ada.create_api_key("ci", READ)

    async def use(url: str, key: NewApiKey, times: int) -> None:
        async with Client(url, api_key=key.key) as program:
            for _ in range(times):
                assert [each async for each in program.list()] == []

    async def uses(url: str, key: NewApiKey) -> int:
        async with Person(url, email) as ada:
            return (await ada.api_key(key.id)).uses

    with started(folder) as suite:
        key = asyncio.run(made(suite.url))
        asyncio.run(use(suite.url, key, 7))
        assert suite.stop(signal.SIGTERM) == 0
    with started(folder) as suite:
        assert asyncio.run(uses(suite.url, key)) == 7
        asyncio.run(use(suite.url, key, 3))
        until(lambda: asyncio.run(uses(suite.url, key)) == 10 or None, "counting ten uses")
        asyncio.run(use(suite.url, key, 2))
        suite.kill()
    with started(folder) as suite:
        assert asyncio.run(uses(suite.url, key)) in (10, 12)
        asyncio.run(use(suite.url, key, 1))
