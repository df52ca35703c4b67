import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoworker.sse import Message, Parser, messages

STREAM = (
    b"retry: 2000\n\n"
    b"id: 1\nevent: a.started\ndata: {}\n\n"
    b":\n\n"
    b"id:2\r\ndata: one\r\ndata:two\r\n\r\n"
    b"data: after\n\n"
    b"id: 9\ndata: unfinished\n"
)
EXPECTED = [
    Message("1", "a.started", "{}"),
    Message("2", "message", "one\ntwo"),
    Message("2", "message", "after"),
]


async def told(*chunks: bytes) -> list[Message]:
    async def source() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [message async for message in messages(source())]


async def test_messages_end_with_an_empty_line_and_an_unfinished_one_is_dropped() -> None:
    assert await told(STREAM) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
async def test_it_does_not_matter_how_the_stream_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in itertools.pairwise(places)]

    assert await told(*chunks) == EXPECTED


@pytest.mark.parametrize("line", [":comment", "retry: 1", "unknown: x", "event"])
def test_lines_without_data_make_no_message(line: str) -> None:
    parser = Parser()

    assert parser.feed(line) is None
    assert parser.feed("") is None
