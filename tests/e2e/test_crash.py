"""Nothing accepted is lost, and it ends once, whenever the power goes."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from autoworker import Client
from autoworker.shop import Entry, read_ledger
from tests.support.gateway_client import in_phase, told_about
from tests.support.sandbox import processes
from tests.support.suite import Suite, started, until

TERMINAL = {
    f"io.serverlessworkflow.workflow.{end}.v1" for end in ("completed", "faulted", "cancelled")
}
PAUSING = """
document: {dsl: 1.0.3, namespace: tests, name: pausing, version: 1.0.0}
do:
  - rest: {wait: {milliseconds: 300}}
  - finish: {set: {finished: true}}
"""
RUNNING = """
document: {dsl: 1.0.3, namespace: tests, name: running, version: 1.0.0}
do:
  - work: {run: {shell: {command: 'sleep 1; echo "$AUTOWORKER_IDEMPOTENCY_KEY"'}}}
"""

Moment = Callable[[list[Entry]], bool]
MOMENTS: dict[str, Moment] = {
    "after the till refused": lambda entries: any(e.status == 503 for e in entries),
    "right after the money was taken": lambda entries: any(
        e.what == "payments" and e.status < 400 for e in entries
    ),
    "after half of the fork": lambda entries: any(e.what == "shipping" for e in entries),
    "while it waits": lambda entries: any(e.what == "reservations" for e in entries),
}


def client_of(suite: Suite) -> Client:
    known = suite.administrator
    return Client(suite.url, email=known.email, password=known.password)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_an_order_that_was_cut_off_ends_once_and_charges_once(
    tmp_path: Path, moment: str
) -> None:
    ledger = tmp_path / "data" / "example-shop.jsonl"
    with started(tmp_path, "--example") as suite:
        until(lambda: True if MOMENTS[moment](read_ledger(ledger)) else None, moment)
        suite.kill()

    with started(tmp_path, "--example") as suite:
        async with client_of(suite) as client:
            orders = [execution async for execution in client.list(name="order")]
            first = await client.wait(orders[-1].id, timeout=60)
            history = [event async for event in client.history(first.id)]
        suite.stop()

    assert first.status == "completed"
    assert len([event for event in history if event.type in TERMINAL]) == 1
    assert [event.sequence for event in history] == list(range(1, len(history) + 1))
    done: dict[str, list[Entry]] = {}
    for entry in read_ledger(ledger):
        if first.id in entry.key and entry.status < 400:
            done.setdefault(entry.key, []).append(entry)
    assert sorted(entries[0].what for entries in done.values()) == [
        "payments",
        "reservations",
        "shipping",
    ]
    for entries in done.values():
        # A repetition is allowed, with the same key: then it is recognised and has no effect.
        assert [entry.repeated for entry in entries] == [False] + [True] * (len(entries) - 1)


async def test_a_process_that_was_cut_off_is_run_again_with_the_same_key(tmp_path: Path) -> None:
    with started(tmp_path, **processes()) as suite:
        async with client_of(suite) as client:
            definition = await client.publish(RUNNING)
            accepted = await client.start(definition.reference)
            await in_phase(client, accepted.id, "running")
        suite.kill()

    with started(tmp_path, **processes()) as suite:
        async with client_of(suite) as client:
            ended = await client.wait(accepted.id, timeout=60)
            history = [event async for event in client.history(accepted.id)]

    assert ended.status == "completed"
    assert ended.output == f"{accepted.id}:/do/0/work\n"
    recovered = [event for event in history if event.type.endswith("execution-recovered.v1")]
    assert len(recovered) == 1


async def test_everything_that_was_accepted_before_a_crash_comes_to_its_end(tmp_path: Path) -> None:
    with started(tmp_path) as suite:
        async with client_of(suite) as client:
            definition = await client.publish(PAUSING)
            accepted = await asyncio.gather(
                *(client.start(definition.reference, {"n": n}) for n in range(40))
            )
            suite.kill()

    with started(tmp_path) as suite:
        async with client_of(suite) as client:
            for execution in accepted:
                ended = await in_phase(client, execution.id, "completed")
                assert ended.output == {"finished": True}
            notes = {execution.id: await told_about(client, execution.id) for execution in accepted}
            told = [note async for note in client.notifications()]
        suite.stop()

    about = [note.id for note in told if note.id in {note.id for note in notes.values()}]
    assert len(about) == len(accepted)
    assert len(told) == len(accepted) + 1, "one more: the welcome"
