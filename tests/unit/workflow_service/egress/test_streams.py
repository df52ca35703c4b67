"""Server-sent events, however they are cut into pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from workflow_service.adapters.egress import (
    EgressFailed,
    EgressLimits,
    EgressStream,
    ResponseTooLarge,
)

TEXT = b": hello\r\ndata: one\r\ndata:two\r\nid: 7\r\n\r\nevent: x\n\ndata\n\rdata: last\r\r"
EVENTS = [b"one\ntwo", b"", b"last"]


class Pieces:
    """Plays aiohttp's reader."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    async def iter_any(self):  # type: ignore[no-untyped-def]  # as aiohttp's
        for piece in self._pieces:
            yield piece


def stream(pieces: Sequence[bytes], limit: int = 1_000, **headers: str) -> EgressStream:
    given_headers = CIMultiDictProxy(
        CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    )
    limits = EgressLimits(max_response_bytes=limit)
    return EgressStream(200, given_headers, Pieces(pieces), limits)  # type: ignore[arg-type]


async def events(found: EgressStream) -> list[bytes]:
    return [event async for event in found.events()]


@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_events_are_the_same_wherever_the_text_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(TEXT)]
    pieces = [TEXT[a:b] for a, b in pairwise(places) if a < b]

    assert asyncio.run(events(stream(pieces))) == EVENTS


async def test_an_unfinished_event_is_none() -> None:
    assert await events(stream([b"data: a\n\ndata: b\n"])) == [b"a"]


async def test_a_stream_has_an_end() -> None:
    with pytest.raises(ResponseTooLarge):
        await stream([b"x" * 600, b"x" * 600]).read()
    assert await stream([b"x" * 600, b"x" * 400]).read() == b"x" * 1_000


async def test_a_stream_that_is_packed_though_nobody_asked_is_refused() -> None:
    with pytest.raises(EgressFailed):
        await stream([b"x"], Content_Encoding="gzip").read()
