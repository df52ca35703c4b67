"""What all channels must do, run against every adapter."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from chassis.caching.port import Channels
from tests.contract.chassis.adapters import CHANNELS


@pytest.fixture(params=CHANNELS)
async def channels(request: pytest.FixtureRequest) -> AsyncIterator[Channels]:
    async with CHANNELS[request.param]() as channels:
        yield channels


async def test_whoever_listens_hears_everything_in_its_order(channels: Channels) -> None:
    name = uuid4().hex
    async with channels.listen(name) as one, channels.listen(name) as other:
        for message in (b"", b"two", bytes(range(256))):
            await channels.publish(name, message)

        for ear in (one, other):
            assert [await ear.next(30) for _ in range(3)] == [b"", b"two", bytes(range(256))]


async def test_channels_of_other_names_are_others(channels: Channels) -> None:
    mine, theirs = uuid4().hex, uuid4().hex
    async with channels.listen(mine) as ear, channels.listen(theirs):
        await channels.publish(theirs, b"theirs")
        await channels.publish(mine, b"mine")

        assert await ear.next(30) == b"mine"


async def test_whoever_comes_later_does_not_hear_what_was_before(channels: Channels) -> None:
    name = uuid4().hex
    await channels.publish(name, b"before")
    async with channels.listen(name) as ear:
        await channels.publish(name, b"now")

        assert await ear.next(30) == b"now"


async def test_listening_again_after_it_ended_hears_again(channels: Channels) -> None:
    name = uuid4().hex
    for message in (b"one", b"two"):
        async with channels.listen(name) as ear:
            await channels.publish(name, message)
            assert await ear.next(30) == message


async def test_silence_ends_by_itself(channels: Channels) -> None:
    async with channels.listen(uuid4().hex) as ear:
        assert await ear.next(0.01) is None
