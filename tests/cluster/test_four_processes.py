"""Four processes and a broker: whichever of them dies, nothing is lost and nobody is told twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import aiohttp
import aiormq
import msgspec
import pytest
from pamqp.common import FieldTable

from autoworker import Client, Unavailable, Unreachable
from autoworker.dead_letters import DeadLetter
from autoworker.model import Notification
from chassis.clock import SystemClock
from chassis.crypto.key_file import load_or_create
from chassis.errors import Unavailable as BusUnavailable
from chassis.messaging.port import CloudEvent
from chassis.messaging.rabbitmq.envelope import Seals
from tests.chaos.processes import Cluster, four_processes, started
from tests.support import rabbitmq
from tests.support.broker import Broker, event
from tests.support.gateway_client import Person, eventually, in_phase, signed_up, told_about
from tests.support.servers import absent

T = TypeVar("T")
PAUSING = """
document: {dsl: 1.0.3, namespace: tests, name: pausing, version: 1.0.0}
do:
  - rest: {wait: {milliseconds: 200}}
  - finish: {set: {finished: true}}
"""
LISTENING = """
document: {dsl: 1.0.3, namespace: tests, name: listening, version: 1.0.0}
do:
  - hear: {listen: {to: {one: {with: {type: mill.ground}}}}}
"""
EXECUTION_ENDED = "io.autoworker.workflow.execution-ended.v1"
ADMIN, ADMIN_PASSWORD = "admin@autoworker.internal", "Administrators-and-7-cups"
MANY = 12
PATIENCE = 240.0


@pytest.fixture(scope="module")
def broker() -> Iterator[rabbitmq.Server]:
    """A broker that may be killed."""
    if not rabbitmq.BINARY.exists():
        absent("RabbitMQ of one's own", "make servers")
    server = rabbitmq.Server()
    yield server
    server.end()


@pytest.fixture(scope="module")
def cluster(broker: rabbitmq.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with started(four_processes(folder, AUTOWORKER_BUS_URL=broker.url)) as cluster:
        yield cluster


@pytest.fixture
async def ada(cluster: Cluster) -> AsyncIterator[Person]:
    await ready(cluster)
    async with signed_up(cluster.url) as person:
        yield person


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer; asked again while a service that was killed is not back."""
    answers: list[T] = []

    async def attempt() -> bool:
        try:
            answers.append(await ask())
        except (Unavailable, Unreachable):
            return False
        return True

    await eventually(attempt, "an answer", PATIENCE)
    return answers[0]


async def ready(cluster: Cluster) -> None:
    """Return once the gateway says that everything works."""
    async with aiohttp.ClientSession() as http:

        async def attempt() -> bool:
            try:
                async with http.get(f"{cluster.url}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await eventually(attempt, "becoming ready", PATIENCE)


async def test_what_happens_in_one_process_is_heard_in_another(ada: Person) -> None:
    definition = await ada.publish(PAUSING)
    execution = await ada.start(definition.reference)
    types = [event.type async for event in ada.events(execution.id)]
    note = await patiently(lambda: told_about(ada, execution.id))

    assert types[-1] == "io.serverlessworkflow.workflow.completed.v1"
    assert note.title
    await welcomed(ada)


@pytest.mark.parametrize("victim", ["auth", "workflow", "notification", "gateway"])
async def test_a_service_that_is_killed_loses_nothing_and_tells_nobody_twice(
    cluster: Cluster, ada: Person, victim: str
) -> None:
    process = next(each for each in cluster.processes if each.name == victim)
    definition = await patiently(lambda: ada.publish(PAUSING))
    before = [await ada.start(definition.reference) for _ in range(MANY)]
    process.kill()
    process.start()
    after = [await patiently(lambda: ada.start(definition.reference)) for _ in range(MANY)]
    await each_is_told_once(ada, [one.id for one in (*before, *after)])


async def test_a_program_that_has_the_key_tells_workflows_something(
    cluster: Cluster, broker: rabbitmq.Server, ada: Person
) -> None:
    definition = await ada.publish(LISTENING)
    execution = await ada.start(definition.reference)
    await in_phase(ada, execution.id, "waiting")
    keys = load_or_create(cluster.data / "keys" / "bus.keys")
    told = CloudEvent(
        id=execution.id,
        source="/mill",
        type="mill.ground",
        time=SystemClock().now(),
        data=msgspec.Raw(b'{"bags": 3}'),
        extensions={"tenant": "default"},
    )
    properties, body = Seals("mill", keys, SystemClock()).sealed(told)
    connection = await aiormq.connect(broker.url)
    channel = await connection.channel()
    for _ in range(2):
        await channel.basic_publish(
            body, exchange="autoworker.outside", routing_key=told.type, properties=properties
        )
    await connection.close()
    ended = await ada.wait(execution.id)
    assert (ended.status, ended.output) == ("completed", [{"bags": 3}])


async def test_a_broker_that_is_full_is_told_and_waited_for(
    cluster: Cluster, broker: rabbitmq.Server, ada: Person
) -> None:
    definition = await ada.publish(PAUSING)
    place = Broker(url=broker.url)
    async with place.bus(patience=1.0) as bus:

        async def published() -> bool:
            try:
                await bus.publish([event("1")])
            except BusUnavailable:
                return False
            return True

        bus.expect("inbox", ["test.*"])
        await eventually(published, "reaching the broker")
        await asyncio.to_thread(broker.control, "set_vm_memory_high_watermark", "absolute", "1")

        async def refused() -> bool:
            return not await published()

        await eventually(refused, "a refusal")

        async def told() -> bool:
            try:
                await bus.check()
            except BusUnavailable as exc:
                return "memory or disk" in exc.message
            return False

        await eventually(told, "saying so")
        execution = await ada.start(definition.reference)
        assert (await ada.wait(execution.id)).status == "completed"
        await asyncio.to_thread(broker.control, "set_vm_memory_high_watermark", "0.8")

        await eventually(published, "publishing")
        await told_about(ada, execution.id)
    await place.delete(["inbox"])


async def test_whoever_reaches_the_broker_cannot_tell_people_anything(
    cluster: Cluster, broker: rabbitmq.Server, ada: Person
) -> None:
    me = await ada.me()
    definition = await ada.publish(PAUSING)
    execution = await ada.start(definition.reference)
    honest = await told_about(ada, execution.id)
    data = {"execution_id": "forged", "owner": me.id, "tenant": "default", "status": "completed"}
    headers: FieldTable = {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": f"forged/{execution.id}",
        "cloudEvents_source": "/autoworker/workflow",
        "cloudEvents_type": EXECUTION_ENDED,
        "cloudEvents_time": "2026-01-15T10:30:00Z",
        "cloudEvents_tenant": "default",
        "autoworker_seal": "1 workflow 1 k1 00",
    }
    connection = await aiormq.connect(broker.url)
    channel = await connection.channel()
    properties = aiormq.spec.Basic.Properties(content_type="application/json", headers=headers)
    await channel.basic_publish(
        msgspec.json.encode(data),
        exchange="autoworker.events",
        routing_key=EXECUTION_ENDED,
        properties=properties,
    )
    await connection.close()

    async with Client(cluster.url, email=ADMIN, password=ADMIN_PASSWORD) as admin:
        found: list[DeadLetter] = []

        async def attempt() -> bool:
            every = [letter async for letter in admin.dead_letters(kind="event")]
            found[:] = [letter for letter in every if letter.about == f"forged/{execution.id}"]
            return bool(found)

        await eventually(attempt, "the dead letter", PATIENCE)
        offered = await admin.redrive([found[0].id])
    assert [failure.id for failure in offered.failed] == [found[0].id]
    about = [note.data async for note in ada.notifications() if isinstance(note.data, dict)]
    assert {"forged"}.isdisjoint(str(each.get("execution_id")) for each in about)
    assert honest.data["execution_id"] == execution.id  # type: ignore[index, call-overload]


async def test_a_broker_that_is_killed_is_waited_for_while_the_services_work_on(
    cluster: Cluster, broker: rabbitmq.Server, ada: Person
) -> None:
    definition = await ada.publish(PAUSING)
    started = [(await ada.start(definition.reference)).id for _ in range(MANY)]
    broker.kill()
    async with signed_up(cluster.url, "Bob") as newcomer:
        started += [(await ada.start(definition.reference)).id for _ in range(MANY)]
        ends = await asyncio.gather(*(ada.wait(execution) for execution in started))
        assert {end.status for end in ends} == {"completed"}
        broker.start()
        await each_is_told_once(ada, started)
        await welcomed(newcomer)


async def each_is_told_once(person: Client, executions: list[str]) -> None:
    """Wait for the notifications about *executions*; then there is one about each."""
    told: Counter[str] = Counter()

    async def attempt() -> bool:
        told.clear()
        try:
            async for note in person.notifications():
                if isinstance(note.data, dict) and "execution_id" in note.data:
                    told[str(note.data["execution_id"])] += 1
        except (Unavailable, Unreachable):
            return False
        return set(executions) <= set(told)

    await eventually(attempt, "hearing of every execution", PATIENCE)
    assert [told[execution] for execution in executions] == [1] * len(executions)


async def welcomed(person: Person) -> None:
    async def notes() -> list[Notification]:
        return [note async for note in person.notifications()]

    async def attempt() -> bool:
        found = await patiently(notes)
        return any("execution_id" not in (note.data or {}) for note in found)  # type: ignore[operator]

    await eventually(attempt, "the welcome", PATIENCE)
