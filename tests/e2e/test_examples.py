"""Each example does what it says."""

import subprocess
import sys

from autoworker import Client, Event, JsonValue
from tests.support.suite import ROOT, Suite, environment


async def test_hello_greets_the_world_unless_told_otherwise(suite: Suite) -> None:
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as client:
        definition = await client.publish((ROOT / "examples" / "hello.yaml").read_bytes())
        world = await client.start(definition.reference, {}, wait=20)

    assert world.output == {"message": "Hello, world!"}


def test_the_client_example_runs(suite: Suite) -> None:
    known = suite.administrator
    who = {"AUTOWORKER_EMAIL": known.email, "AUTOWORKER_PASSWORD": known.password}
    ended = subprocess.run(
        [sys.executable, "examples/start_order.py", suite.url],
        env=environment(suite.folder, **who),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stderr == ""
    assert ended.returncode == 0
    assert "faulted" in ended.stdout or "completed" in ended.stdout


def data_of(emitted: Event) -> JsonValue:
    """What an emitted event says."""
    event = emitted.data["event"]
    assert isinstance(event, dict)
    data: JsonValue = event["data"]
    return data


async def test_the_saga_takes_back_what_it_booked_when_there_is_no_car(suite: Suite) -> None:
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as client:
        definition = await client.publish((ROOT / "examples" / "saga.yaml").read_bytes())
        without = await client.start(definition.reference, {"traveller": "Ada"}, wait=20)
        with_car = await client.start(
            definition.reference, {"traveller": "Ada", "cars": 1}, wait=20
        )
        history = [event async for event in client.history(without.id)]

    assert with_car.output == {
        "traveller": "Ada", "cars": 1, "flight": "flight-of-Ada", "hotel": "hotel-of-Ada",
    }  # fmt: skip
    assert without.status == "faulted"
    assert without.error is not None
    assert without.error.title == "There is no car"
    told = [data_of(event) for event in history if "event-emitted" in event.type]
    assert told == [
        {"booking": "hotel-of-Ada", "because": "There is no car"},
        {"booking": "flight-of-Ada", "because": "There is no car"},
    ]
    assert [event.type.split(".")[-2] for event in history][-1] == "faulted"
