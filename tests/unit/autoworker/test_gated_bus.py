import asyncio

from autoworker.suite import GatedBus
from chassis.messaging.port import CloudEvent
from tests.support.time import ManualClock

EVENT = CloudEvent("1", "/tests", "tests.happened.v1", ManualClock().now())


async def test_what_is_told_before_everybody_is_there_waits_for_them() -> None:
    heard: list[str] = []

    async def hear(event: CloudEvent) -> None:
        heard.append(event.id)

    async with GatedBus() as bus, asyncio.TaskGroup() as group:
        told = group.create_task(bus.publish([EVENT]))
        await asyncio.sleep(0)
        assert not told.done()
        assert bus.has_subscribers("anything")

        bus.subscribe("late", ["tests.*"], hear)
        bus.open()
        await told

    assert heard == ["1"]
    assert not bus.has_subscribers("anything")


async def test_what_is_told_while_somebody_leaves_is_not_taken_for_heard() -> None:
    async with GatedBus() as bus:
        bus.open()
        bus.close()
        publishing = asyncio.ensure_future(bus.publish([EVENT]))
        await asyncio.sleep(0)

        assert not publishing.done()
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
